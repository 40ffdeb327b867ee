"""The report of a run: what it says, that it says no more, and that nothing in it can run or reach out."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from matplotlib.figure import Figure
from PIL import Image
from shapely.geometry import box, mapping

from core.errors import InputError, StorageError
from core.learning.metrics import encode
from core.plots.colours import FOUND, rgb
from core.raster.scene import Scene
from core.raster.write import write_array
from core.report import reviewed
from core.report.make import report_kind
from core.report.pictures import picture
from core.report.reasons import target_region
from core.report.write import render, write_report
from core.review import actions, log
from core.review.actions import merge
from core.review.edits import Edit
from core.review.found import open_review
from core.review.totals import totals_words
from core.runs.store import Store
from core.tasks.mapping.findings import find, score
from core.tasks.mapping.report.content import ChangeInput, MappingInput, gather_mapping
from core.tasks.mapping.report.parts import CHANGE, MAPPING
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice
from tests.factories import about, keep, made_run, tiny_spec, write_model, write_raster

MADE = datetime(2025, 3, 9, 14, 5, tzinfo=UTC)
HEIGHT, WIDTH = 40, 60
VOID = {"meta", "img"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "footer", "h1", "h2", "h3",
    "p", "a", "ul", "li", "strong", "div", "dl", "dt", "dd", "figure", "figcaption", "img", "table", "caption",
    "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
"""What a report is written with; nothing of it runs or reaches out."""


class Page(HTMLParser):
    """Tags with their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def probabilities() -> np.ndarray:
    """Two landslides, of 18 × 28 and 4 × 5 pixels, and no data in the upper tenth."""
    values = np.full((HEIGHT, WIDTH), 0.1)
    values[20:38, 30:58] = 0.9
    values[10:14, 2:7] = 0.62
    values[:4] = np.nan
    return values


def reference() -> np.ndarray:
    """Half of the larger landslide, and nothing of the smaller one."""
    truth = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    truth[20:38, 30:44] = 1
    return truth


def mapped(
    folder: Path,
    placement: str = "north-up",
    *,
    values: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    record: Mapping[str, Any] | None = None,
) -> MappingResult:
    result = made_run(folder, probabilities() if values is None else values, placement, reference=reference)
    return replace(result, model="red", provenance=record or {})


def image(folder: Path, placement: str = "north-up", **origin: Any) -> Scene:
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(7).integers(1, 255, (3, HEIGHT, WIDTH)).astype(np.uint8)
    return Scene.open(write_raster(folder / "image.tif", values, placement), **origin)


def asked(result: MappingResult, **changes: Any) -> MappingInput:
    content = MappingInput("mapping", "mapping", result, MADE, choice=Choice(0.5, 0.0))
    return replace(content, **changes)


def read(content: MappingInput) -> Page:
    return Page(render(content, MAPPING))


def test_the_first_sentence_says_how_many_how_large_and_of_what(tmp_path: Path, models: Path) -> None:
    # 18·28 + 4·5 = 524 pixels of 100 m² of 36·60 = 2160; on the central meridian UTM areas are 0.08 % too small.
    page = read(asked(mapped(tmp_path)))
    found = re.search(r"The model maps 2 landslides, together (\S+) m² or 24 % of the 0.22 km² processed", page.text)
    assert found is not None
    assert float(found.group(1).replace(",", "")) == pytest.approx(52_400, rel=2e-3)
    assert "at threshold 0.50." in page.text
    assert "how much of the result is correct and what was missed is not known" in page.text


def test_another_threshold_is_shown_beside_the_chosen_one(tmp_path: Path, models: Path) -> None:
    html = render(asked(mapped(tmp_path), choice=Choice(0.6)), MAPPING)
    table = html[html.index("Sensitivity to the threshold") :]
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td class="number">(.*?)</td>', table)[:3]
    # The smaller landslide stands at 0.62, between the chosen threshold and the one above it.
    assert rows == [("0.50", "2"), ("0.60 (chosen)", "2"), ("0.70", "1")]


def test_the_models_own_threshold_is_one_row_where_the_chosen_one_is_its_two_decimals(
    tmp_path: Path, models: Path
) -> None:
    record = {"model": {"threshold": 0.5986}}
    html = render(asked(mapped(tmp_path, record=record), choice=Choice(0.6)), MAPPING)
    table = html[html.index("Sensitivity to the threshold") :]
    names = re.findall(r'<th scope="row">(.*?)</th>', table)[:3]
    assert names == ["0.50", "0.60 (the model&#39;s own)", "0.70"]
    html = render(asked(mapped(tmp_path, record=record), choice=Choice(0.65)), MAPPING)
    table = html[html.index("Sensitivity to the threshold") :]
    names = re.findall(r'<th scope="row">(.*?)</th>', table)[:4]
    assert names == ["0.55", "0.60 (the model&#39;s own)", "0.65 (chosen)", "0.75"]


def test_the_elevation_model_is_named_with_its_source_and_terms(tmp_path: Path, models: Path, store: Store) -> None:
    dem = store.add_dataset(
        write_raster(tmp_path / "dem.tif", np.ones((HEIGHT, WIDTH), np.float32)), "dem 2019", "raster",
        origin="survey office", licence="CC-BY-4.0", citation="Survey 2019",
    )  # fmt: skip
    page = read(asked(mapped(tmp_path), dem=dem.path, dem_record=dem))
    assert "dem 2019" in page.text
    assert "survey office; CC-BY-4.0; Survey 2019" in page.text
    scene = store.add_scene(image(tmp_path / "scene").path, "scene.tif", dem=dem.path)
    run = keep(store, made_run(tmp_path / "run", probabilities(), scene_digest=scene.scene.digest), scene.id)
    content = gather_mapping(store, store.run(run.id), None)
    assert content.dem_record is not None
    assert content.dem_record.id == scene.companions["dem"].id


def test_nothing_found_is_not_called_safe(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path), choice=Choice(0.95)))
    assert "The model maps no landslides in the 0.22 km² processed, at threshold 0.95." in page.text
    assert "Unmapped ground is not necessarily safe" in page.text
    assert "Size distribution" not in page.text


def test_an_image_without_data_is_said_to_be_one(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path, values=np.full((HEIGHT, WIDTH), np.nan))))
    assert "No part of this image has data" in page.text


def test_too_large_a_raster_has_its_area_from_the_counts_and_no_polygons(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tasks.mapping.report.subject.LARGEST", 100)
    page = read(asked(mapped(tmp_path)))
    assert re.search(r"The model maps 52,4\d\d m² or 24 % of the 0.22 km² processed as landslide,", page.text)
    assert "Landslides were not counted" in page.text
    assert "largest of" not in page.text
    assert "Map of all pixels that the model maps as landslide." in [shown["alt"] for shown in page.all("img")]


def test_without_coordinates_places_and_areas_are_in_pixels(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path, "without CRS"), scene=image(tmp_path / "scene", "without CRS")))
    assert "together 524 px or 24 % of the 2,160 px processed" in page.text
    assert "Latitude" not in page.text
    assert "m²" not in page.text.split("Map", 1)[1].split("Size distribution", 1)[0]


@pytest.mark.parametrize("placement", ["north-up", "south-up", "rotated", "geographic", "without CRS"])
def test_the_point_of_a_landslide_lies_inside_it(tmp_path: Path, models: Path, placement: str) -> None:
    result = mapped(tmp_path, placement)
    html = render(asked(result, scene=image(tmp_path / "scene", placement)), MAPPING)
    row = re.search(r'<th scope="row">L[0-9A-Z]+</th>(.*?)</tr>', html[html.index("a point inside it") :], re.S)
    assert row is not None
    cells = [float(cell.replace(",", "")) for cell in re.findall(r">([−\d.,]+)</td>", row.group(1))]
    if placement == "without CRS":
        place = (cells[2], cells[3])
    elif placement == "geographic":
        place = result.grid.rowcol(cells[3], cells[2])
    else:
        place = result.grid.rowcol(cells[2], cells[3])
        # 500 km east in zone 33 is 15° E, and 5,200 km north of the equator is 46.95° N.
        assert cells[4:] == pytest.approx([46.95, 15.0], abs=0.02)
    assert probabilities()[int(place[0]), int(place[1])] == 0.9
    assert cells[1] == 0.9


def test_scores_are_told_in_words_with_their_caveats(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path, reference=reference())))
    # Of 524 mapped pixels 252 are in the reference, which has no others.
    assert "Of 100 mapped pixels, 48 are landslide in the reference." in page.text
    assert "Of 100 landslide pixels in the reference, all were mapped." in page.text
    # The void rows hold 2400 − 2160 pixels; 2160 − 272 of 2160 agree, and 252 of 2160 are landslide.
    assert "Of 100 pixels, 87 agree. A map without any landslide would reach 88, so this score" in page.text
    # 272 false of 2160.
    assert "False alarms: 125,926 m² per km²" in page.text
    assert "The reference is assumed to be correct." in page.text


def test_scores_of_a_partial_reference_are_said_to_be_of_what_it_covers(tmp_path: Path, models: Path) -> None:
    known = np.where(reference() == 1, 1, 255).astype(np.uint8)
    result = mapped(tmp_path, reference=known)
    scores = score(result, 0.5)
    assert scores is not None
    assert scores.covered == 252 / 2160
    # All that is known is landslide: whoever takes everything for a landslide is right.
    assert scores.peak is None
    text = " ".join(read(asked(result)).text.split())
    assert "Of 100 mapped pixels that the reference covers, all are landslide in the reference." in text
    assert "The reference covers 12 % of this image; precision, recall and the other scores say nothing" in text
    assert "F1 is highest where every pixel counts as landslide" in text
    whole = score(mapped(tmp_path / "whole", reference=reference()), 0.5)
    assert whole is not None
    assert not whole.is_partial
    assert whole.peak == whole.curve.best_threshold


def test_scores_that_cannot_be_are_called_undefined(tmp_path: Path, models: Path) -> None:
    nothing = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    page = read(asked(mapped(tmp_path, reference=nothing), choice=Choice(0.95)))
    assert "Undefined: no landslide was mapped." in page.text
    assert "Undefined: the reference has no landslide here." in page.text
    assert not re.search(r"\bnan\b", page.text.lower())


def test_a_colour_index_that_does_better_is_said_to(tmp_path: Path, models: Path) -> None:
    result = mapped(tmp_path, reference=reference())
    perfect = np.zeros((2, 255), dtype=np.int64)
    perfect[1, 254], perfect[0, 0] = 252, 1908
    assert "The colour index scored higher here" in read(asked(replace(result, baseline=perfect))).text
    hopeless = np.zeros((2, 255), dtype=np.int64)
    hopeless[1, 0], hopeless[0, 0] = 252, 1908
    assert "The colour index scored higher here" not in read(asked(replace(result, baseline=hopeless))).text


def test_synthetic_and_seen_images_are_marked_once_each(tmp_path: Path, models: Path) -> None:
    record = {"scene": {"synthetic": True, "seen_by_model": True}}
    notes = (
        "The model was trained or selected on this image: its scores here do not show its skill.",
        "This image is synthetic: it was generated by a script, not taken by a satellite.",
        "Values were stretched.",
    )
    page = read(asked(replace(mapped(tmp_path, record=record), notes=notes)))
    assert page.text.count("Warning: Synthetic image") == 1
    assert page.text.count("Warning: The model was trained or selected on this image") == 1
    assert "Values were stretched." in page.text
    assert notes[0] not in page.text
    plain = read(asked(mapped(tmp_path)))
    assert "Synthetic image" not in plain.text
    assert "selected on this image" not in plain.text


def test_the_models_own_limits_are_quoted(tmp_path: Path, models: Path) -> None:
    scores = {"quiet_valley": {"false_alarm_m2_per_km2": 43007}}
    model = write_model(models, tiny_spec(limits=("Sees only red",), scores=scores))
    record = {"model": {"weights_sha256": model.spec.weights_sha256, "threshold": 0.5}}
    page = read(asked(mapped(tmp_path, record=record), choice=None))
    assert "Sees only red." in page.text
    assert "43,007 m² per km², or 4.3 %" in page.text
    assert "the model's own" in page.text
    assert "has changed since" not in page.text
    other = read(asked(mapped(tmp_path, record={"model": {"weights_sha256": "0" * 64}})))
    assert "The model has changed since" in other.text


def test_a_model_that_is_gone_leaves_its_limits_unknown(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path)))
    assert "The model “red” is no longer on this server" in page.text
    assert "red (no longer on this server)" in page.text


HOSTILE = "<img src=x onerror=alert(1)>\n<script>alert(2)</script> $\\frac{$ \" onload='x' {{ 7*7 }}"


def test_names_from_outside_stay_text(tmp_path: Path, models: Path) -> None:
    result = mapped(tmp_path, reference=reference(), record={"truth": {"name": HOSTILE}, "scene": {"licence": HOSTILE}})
    result = replace(about(result, name=HOSTILE), notes=(HOSTILE,), model=HOSTILE)
    scene = image(tmp_path / "scene", name=HOSTILE, citation=HOSTILE)
    why = explanation(tmp_path / "why", notes=(HOSTILE,), layer=HOSTILE)
    content = asked(
        result, scene=scene, name=HOSTILE, note=HOSTILE, tags=(HOSTILE,), origin=HOSTILE, address=HOSTILE,
        explanations=(why,),
    )  # fmt: skip
    html = render(content, MAPPING)
    page = Page(html)
    assert "onerror=alert(1)" in page.text
    assert "{{ 7*7 }}" in page.text
    check_harmless(page)
    assert page.all("a") == [{"href": f"#{name}"} for name in sections(page)]


def sections(page: Page) -> list[str]:
    return [str(section["id"]) for section in page.all("section")]


def check_harmless(page: Page) -> None:
    """Nothing runs, nothing is fetched, and a policy says so before anything else."""
    assert {tag for tag, _ in page.tags} <= TAGS
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcset", "action")], tag
    for shown in page.all("img"):
        assert re.match(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+$", str(shown["src"]))
    metas = page.all("meta")
    assert metas[1] == {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    }


def test_only_an_address_of_the_web_becomes_a_link(tmp_path: Path, models: Path) -> None:
    result = mapped(tmp_path)
    web = read(asked(result, address="https://slides.example/mapping?run=1&threshold=0.5"))
    assert "https://slides.example/mapping?run=1&threshold=0.5" in [link["href"] for link in web.all("a")]
    script = read(asked(result, address="javascript:alert(1)"))
    assert all(str(link["href"]).startswith("#") for link in script.all("a"))


def test_it_can_be_read_without_eyes(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path, reference=reference()), scene=image(tmp_path / "scene")))
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    for shown in page.all("img"):
        assert len(str(shown["alt"])) > 20
    assert len(page.all("caption")) == len(page.all("table")) > 4
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    ids = [str(attributes["id"]) for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_equal_inputs_give_equal_files(tmp_path: Path, models: Path) -> None:
    content = asked(mapped(tmp_path, reference=reference()), scene=image(tmp_path / "scene"))
    write_report(content, MAPPING, tmp_path / "report.html")
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert written == render(content, MAPPING)
    assert len(written) < 5_000_000


def test_without_its_image_the_maps_are_still_there(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path)))
    assert "The image was not available." in page.text
    assert len(page.all("img")) == 3


def test_a_run_whose_raster_is_gone_leaves_no_file(tmp_path: Path, models: Path) -> None:
    result = mapped(tmp_path)
    result.artifact("probability").unlink()
    with pytest.raises(StorageError):
        write_report(asked(result), MAPPING, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_kind_of_run_without_a_report_is_refused(tmp_path: Path, store: Store) -> None:
    why = keep(store, explanation(tmp_path))
    with pytest.raises(InputError, match="no report"):
        report_kind(store.run(why.id))


def test_a_time_is_told_in_utc(tmp_path: Path, models: Path) -> None:
    there = MADE.astimezone(timezone(timedelta(hours=5)))
    assert "Created 9 March 2025, 14:05 UTC from run 0000" in read(asked(mapped(tmp_path), made=there)).text


def test_the_record_of_a_run_is_told_in_words(tmp_path: Path, models: Path) -> None:
    record = {
        "started": "2025-03-09T13:00:00+00:00", "finished": "2025-03-09T13:00:09+00:00", "seconds": 8.75,
        "parameters": {
            "stretch": "auto", "resample": "auto", "options": {"overlap": 0.25, "turned": True}, "area": None,
        },
        "bridge": {"bands": [3, 2, 1], "gain": [0.5], "offset": [-4.0], "scale": 1.0},
        "runtime": {"name": "onnxruntime 1.0", "threads": 2}, "versions": {"numpy": "2.0"},
    }  # fmt: skip
    text = read(asked(mapped(tmp_path, record=record))).text
    for words in (
        "9 March 2025, 13:00 UTC", "8.8 s", "3, 2, 1", "0.5 × value − 4", "25 %", "8 rotations and flips",
        "whole image", "onnxruntime 1.0, 2 threads", "numpy 2.0", "GNU Affero General Public License",
    ):  # fmt: skip
        assert words in text


def explanation(
    folder: Path,
    placement: str = "north-up",
    *,
    target: Mapping[str, Any] | None = None,
    drop: float = 3.0,
    notes: tuple[str, ...] = ("Bright places raised it.",),
    layer: str = "encoder",
    transform: Affine | None = None,
) -> MappingResult:
    """Grad-CAM on the left upper quarter of the grid of `mapped`."""
    attribution = np.zeros((HEIGHT // 2, WIDTH // 2))
    attribution[5:9, 5:9] = 1.0
    run = made_run(folder, attribution, placement, identity="e" * 32, transform=transform)
    write_array(folder / "cam.tif", run.grid, encode(attribution)[None], nodata=255)
    record = {"method": "Grad-CAM", "layer": layer, "layer_title": "Encoder stage 5 of 5"}
    record |= {"deletion": {"share": 0.2, "drop": drop, "drop_random": 1.0}}
    record |= {} if target is None else {"target": dict(target)}
    return replace(run, kind="explanation", artifacts={"cam": "cam.tif"}, notes=notes, provenance=record)


def test_an_explanation_has_its_place_its_sentence_and_its_test(tmp_path: Path, models: Path) -> None:
    # Pixels 10–14 down and 2–7 across, of 10 m, from 500,000 east and 5,200,000 north: the smaller landslide.
    outline = mapping(box(500_020, 5_199_860, 500_070, 5_199_900))
    why = explanation(tmp_path / "why", target={"landslide": 7, "outline": outline})
    place = explanation(tmp_path / "place", target={"row": 3, "column": 4})
    content = asked(mapped(tmp_path), scene=image(tmp_path / "scene"), explanations=(why, place))
    page = read(content)
    smaller = find(content.result, Choice(0.5)).polygons["id"].iloc[1]
    assert f"Explanation 1: landslide {smaller}" in page.text
    assert "Explanation 2: point at row 3, column 4" in page.text
    assert "Bright places raised it." in page.text
    assert "layer: encoder stage 5 of 5" in page.text
    assert page.text.count("Image, with the explained place outlined.") == 2
    assert "Do not rely on this explanation" not in page.text


def test_an_explanation_of_other_settings_keeps_the_name_of_its_landslide(tmp_path: Path, models: Path) -> None:
    away = mapping(box(500_000, 5_199_980, 500_020, 5_200_000))
    why = explanation(tmp_path / "why", target={"landslide": "L7ABC", "outline": away})
    page = read(asked(mapped(tmp_path), explanations=(why,)))
    assert "Explanation 1: landslide L7ABC as outlined at other settings" in page.text
    assert "drawn outline" not in page.text


def test_a_small_landslide_is_shown_as_a_close_up(tmp_path: Path, models: Path) -> None:
    probability = np.zeros((160, 160))
    probability[20:26, 30:36] = 0.9
    run = made_run(tmp_path / "run", probability)
    small = find(run, Choice(0.5)).polygons.iloc[0]
    for name, outline, close in (
        ("small", small.geometry, True), ("large", box(*run.grid.bounds).buffer(-100.0), False),
    ):
        target = {"landslide": str(small["id"]), "outline": mapping(outline)}
        why = replace(
            made_run(tmp_path / name, probability), kind="explanation",
            artifacts={"cam": "probability.tif"}, provenance={"method": "Grad-CAM", "target": target},
        )  # fmt: skip
        text = read(asked(run, explanations=(why,))).text
        assert ("Close-up. Grad-CAM." in text) == close, name


def test_the_summary_and_the_map_tell_of_the_review(tmp_path: Path, store: Store, models: Path) -> None:
    result = keep(store, mapped(tmp_path / "run"))
    run = store.run(result.id)
    opened = open_review(store, run, Choice(0.5, 0.0))
    first, second = opened.features
    for seen, (name, judgement) in enumerate(((first, "confirmed"), (second, "rejected"))):
        log.append(
            store, run.id, opened.features, Edit("judge", (name,), judgement=judgement), reviewer="Anna",
            seen=2 * seen, view=opened.view_values,
        )  # fmt: skip
    content = asked(result, review=reviewed.review_of(store, run), choice=Choice(0.5, 0.0))
    text = " ".join(read(content).text.split())
    told = (
        f"2 of 2 landslides have been reviewed: correct 1, false alarm 1. {totals_words(content.review)} Except "
        "where the review is named, numbers and areas are the model's own, without these corrections."
    )
    assert told in text
    assert "Marks: what reviewers decided." in text
    drawn = reviewed.judged_outlines(content)
    assert [len(drawn.correct), len(drawn.wrong), len(drawn.added)] == [1, 1, 0]
    moved = " ".join(read(replace(content, choice=Choice(0.7, 0.0))).text.split())
    assert "false alarm 1. The review began at threshold 0.50; its numbers" in moved
    gone = Edit("delete", (first,), reason="older landslide", note=HOSTILE)
    log.append(
        store, run.id, opened.features, gone, reviewer="Ben", seen=3, view=opened.view_values
    )
    after = read(replace(content, review=reviewed.review_of(store, run)))
    assert f"Deleted from the inventory: {first} (Ben, older landslide, " in " ".join(after.text.split())
    assert "<script>alert(2)</script>" in after.text, "a note is text"
    now = reviewed.review_of(store, run)
    assert now is not None
    (name,) = (drawing := actions.draw(now.review, box(40, 2, 44, 6), now.found.grid)).made
    for edit in (drawing, Edit("delete", (name,))):
        seen = log.last_number(store, run.id)
        log.append(store, run.id, opened.features, edit, reviewer="Ben", seen=seen, view=opened.view_values)
    assert reviewed.SEARCHED not in " ".join(read(replace(content, review=now)).text.split())
    seen = log.last_number(store, run.id)
    log.append(store, run.id, opened.features, Edit("examined", examined=True), reviewer="Ben", seen=seen,
               view=opened.view_values)  # fmt: skip
    content = replace(content, review=reviewed.review_of(store, run))
    assert " ".join(read(content).text.split()).count(reviewed.SEARCHED) == 2, "in the summary and in the part"
    assert f"{name} (drawn by a reviewer, deleted by Ben)" in " ".join(read(content).text.split())
    drawn = reviewed.judged_outlines(content)
    assert [len(drawn.correct), len(drawn.wrong), len(drawn.added)] == [0, 2, 0], "it was never the model's"
    without = read(replace(content, review=None)).text
    assert "have been reviewed" not in without
    assert "Marks: what reviewers decided" not in without


def test_what_reviewers_corrected_is_told_with_who_and_why(tmp_path: Path, store: Store, models: Path) -> None:
    result = keep(store, mapped(tmp_path / "run"))
    run = store.run(result.id)
    assert reviewed.review_of(store, run) is None
    opened = open_review(store, run, Choice(0.5, 0.0))
    first, second = opened.features
    edit = Edit("judge", (second,), judgement="rejected", reason="road or building", note=HOSTILE)
    log.append(store, run.id, opened.features, edit, reviewer="Anna", seen=0, view=opened.view_values)
    content = asked(result, review=reviewed.review_of(store, run))
    page = read(content)
    assert "1 of 2 landslides reviewed by Anna." in page.text
    assert "false alarm: 1" in page.text
    assert "Nobody has confirmed that the whole area was searched for missed landslides." in page.text
    assert f"{second} false alarm" in " ".join(page.text.split())
    assert f"{first} false alarm" not in " ".join(page.text.split())
    for name, said in ((first, "not reviewed"), (second, "false alarm")):  # in the table of the largest, too
        assert re.search(rf"{name} [\d,]+ \d\.\d\d {said}", " ".join(page.text.split()))
    assert "road or building" in page.text
    check_harmless(page)
    # A report that is made after another edit is another.
    assert content.key() != replace(content, review=None).key()


def test_what_was_merged_is_told_where_the_models_outlines_are_shown(
    tmp_path: Path, store: Store, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.review.actions.are_near", lambda outlines: True)
    result = keep(store, mapped(tmp_path / "run"))
    run = store.run(result.id)
    opened = open_review(store, run, Choice(0.5, 0.0))
    why = explanation(tmp_path / "why")

    def text() -> str:
        content = asked(result, review=reviewed.review_of(store, run), choice=Choice(0.5, 0.0), explanations=(why,))
        return " ".join(read(content).text.split())

    told = ("Each part of a merged outline has its own mark.", "The outlines here are the model's, without the corr")
    first, second = opened.features
    log.append(store, run.id, opened.features, Edit("judge", (first,)), reviewer="Anna", seen=0,
               view=opened.view_values)  # fmt: skip
    assert not [words for words in told if words in text()]
    log.append(store, run.id, opened.features, merge(opened.review, [first, second]), reviewer="Anna", seen=2,
               view=opened.view_values)  # fmt: skip
    assert [words for words in told if words in text()] == list(told)
    drawn = reviewed.judged_outlines(asked(result, review=reviewed.review_of(store, run)))
    assert [len(drawn.correct), len(drawn.wrong), len(drawn.added)] == [2, 0, 0]


def test_an_explanation_that_failed_its_test_says_so(tmp_path: Path, models: Path) -> None:
    why = explanation(tmp_path / "why", drop=0.5)
    page = read(asked(mapped(tmp_path), scene=image(tmp_path / "scene"), explanations=(why,)))
    assert "Warning: Do not rely on this explanation" in page.text
    assert "Image; the explained place is not recorded." in page.text


def test_an_explanation_is_shown_without_its_image(tmp_path: Path, models: Path) -> None:
    page = read(asked(mapped(tmp_path), explanations=(explanation(tmp_path / "why"),)))
    assert len(page.all("img")) == 4
    assert "No explanation was requested" not in page.text
    assert "No explanation was requested" in read(asked(mapped(tmp_path))).text


def test_what_was_asked_about_is_found_on_the_window(tmp_path: Path) -> None:
    result = mapped(tmp_path)
    outline = mapping(box(500_020, 5_199_860, 500_070, 5_199_900))
    region = target_region({"outline": outline}, explanation(tmp_path / "why").grid, result)
    assert region is not None
    expected = np.zeros((HEIGHT // 2, WIDTH // 2), dtype=bool)
    expected[10:14, 2:7] = True
    np.testing.assert_array_equal(region, expected)
    assert target_region({"row": 39, "column": 59}, explanation(tmp_path / "why").grid, result) is None
    flat = mapped(tmp_path / "flat", "without CRS")
    # A window that begins one column and eight rows into the image.
    window = explanation(tmp_path / "window", "without CRS", transform=Affine.translation(1, 8))
    region = target_region({"outline": mapping(box(2, 10, 7, 14))}, window.grid, flat)
    expected = np.zeros((HEIGHT // 2, WIDTH // 2), dtype=bool)
    expected[2:6, 1:6] = True
    np.testing.assert_array_equal(region, expected)


def test_a_report_stays_small_however_often_somebody_asked(tmp_path: Path, models: Path) -> None:
    whys = tuple(explanation(tmp_path / "why") for _ in range(10))
    page = read(asked(mapped(tmp_path), explanations=whys))
    assert "Explanation 8" in page.text
    assert "Explanation 9" not in page.text
    assert "2 further explanations can be seen in SlideLens." in page.text


def test_a_change_says_what_is_compared_and_no_more(tmp_path: Path, models: Path) -> None:
    run = made_run(tmp_path, probabilities())
    codes = np.full((1, HEIGHT, WIDTH), 127, dtype=np.int16)
    write_array(tmp_path / "change.tif", run.grid, codes, nodata=-32768)
    run = replace(run, kind="change", artifacts={"change": "change.tif"}, parents=("a" * 32, "b" * 32))
    page = Page(render(ChangeInput("mapping", "change", run, MADE), CHANGE))
    assert "The mapping of made (run bbbbbbbb) was compared, pixel by pixel, with another mapping" in page.text
    assert "of the same area (run aaaaaaaa)." in page.text
    # Two models may have looked at one image: nothing says that there was an earlier and a later one.
    assert not {"earlier", "later", "before", "after"} & set(page.text.split("Data and licences")[1].split())
    assert "it is not a measurement of movement." in page.text
    assert sections(page) == ["change", "data", "provenance"]
    assert len(page.all("img")) == 1
    check_harmless(page)


@pytest.mark.parametrize("shape", [(3, 400), (400, 3), (5, 5)])
def test_any_shape_of_image_can_be_reported(tmp_path: Path, models: Path, shape: tuple[int, int]) -> None:
    values = np.full(shape, 0.9)
    page = read(asked(mapped(tmp_path, values=values, reference=np.ones(shape, dtype=np.uint8))))
    assert "The model maps 1 landslide, " in page.text
    for shown in page.all("img"):
        assert int(str(shown["width"])) <= 700
        assert int(str(shown["height"])) <= 900


def test_a_picture_that_does_not_compress_is_kept_small_and_its_colours_true() -> None:
    figure = Figure(figsize=(3, 3), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.random.default_rng(0).integers(90, 160, (600, 600, 3)).astype(np.uint8), extent=(0, 600, 600, 0))
    axes.axvspan(300, 310, color=FOUND, linewidth=0)
    whole = picture(figure, "noise", "noise", largest=2_000_000)
    small = picture(figure, "noise", "noise", largest=100_000)
    assert whole.media_type == "image/png"
    assert small.address.startswith("data:image/jpeg;base64,")
    assert len(small.file) < len(whole.file) / 2
    assert (small.width, small.height, small.natural) == (600, 600, 288)
    with Image.open(io.BytesIO(small.file)) as shown:
        np.testing.assert_allclose(np.asarray(shown)[100:500, 305].mean(axis=0), rgb(FOUND), atol=4)


@pytest.mark.browser
def test_it_prints_on_paper(tmp_path: Path, models: Path, chromium: str) -> None:
    content = asked(mapped(tmp_path, reference=reference()), scene=image(tmp_path / "scene"))
    write_report(content, MAPPING, tmp_path / "report.html")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
        f"--print-to-pdf={tmp_path / 'report.pdf'}", (tmp_path / "report.html").as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    printed = (tmp_path / "report.pdf").read_bytes()
    # A4 in points, whatever paper the browser would have taken by itself.
    sizes = {tuple(map(float, size)) for size in re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", printed)}
    assert len(sizes) == 1
    assert sizes.pop() == pytest.approx((595.3, 841.9), abs=1)
