"""The report of a detection: what it says of boxes, and what it does not claim."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely.geometry import box, mapping

from core.errors import StorageError
from core.learning.metrics import encode
from core.raster.place_names import place_names
from core.raster.scene import Scene
from core.raster.write import write_array
from core.report.write import render
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.report.content import DetectionInput
from core.tasks.detection.report.parts import DETECTION, FUSED
from core.tasks.detection.report.summary import rate
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.view import Choice
from tests.factories import detector_spec, made_detection, make_detector_model, write_raster
from tests.tasks.mapping.test_report import HOSTILE, MADE, Page, check_harmless, sections

HEIGHT, WIDTH = 100, 120
TRUTH = [[10, 10, 30, 30], [50, 50, 90, 70], [60, 5, 80, 15]]
FOUND = [[11, 10, 30, 30], [50, 50, 90, 70], [100, 80, 110, 95], [5, 60, 15, 75]]
SCORES = [0.9, 0.7, 0.8, 0.3]
"""The first two are in the reference, the third is a false alarm, the fourth is not sure enough; one is missed."""


def detected(
    folder: Path, placement: str = "north-up", *, scored: bool = False, found: list[list[float]] = FOUND, **changes: Any
) -> DetectionResult:
    folder.mkdir(parents=True, exist_ok=True)
    boxes, reference = Boxes.of(found, SCORES[: len(found)]), Boxes.of(TRUTH)
    shape = (HEIGHT, WIDTH)
    return made_detection(folder, boxes, placement, shape=shape, reference=reference if scored else None, **changes)


def image(folder: Path, placement: str = "north-up", **origin: Any) -> Scene:
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(7).integers(1, 255, (3, HEIGHT, WIDTH)).astype(np.uint8)
    return Scene.open(write_raster(folder / "image.tif", values, placement), **origin)


def asked(result: DetectionResult, **changes: Any) -> DetectionInput:
    return replace(DetectionInput("detection", result.kind, result, MADE), **changes)


def read(content: DetectionInput) -> Page:
    return Page(render(content, FUSED if content.kind == "fused" else DETECTION))


def test_the_first_sentence_says_how_many_boxes_in_how_much_ground(tmp_path: Path, models: Path) -> None:
    # 120 × 100 pixels of 100 m²; three boxes reach the model's own confidence of 0.50.
    page = read(asked(detected(tmp_path)))
    assert (
        "The detector finds 3 possible landslides in this image of 1.20 km², at confidence 0.50."
        in page.text
    )
    assert "how many detections are correct and how many landslides were missed is not known" in page.text
    assert "A box shows where to look. It is not an outline" in page.text


def test_nothing_found_is_not_called_safe(tmp_path: Path, models: Path) -> None:
    page = read(asked(detected(tmp_path), choice=Choice(0.95)))
    assert "The detector finds no landslides in this image of 1.20 km², at confidence 0.95." in page.text
    assert "Ground without a detection is not necessarily safe" in page.text
    assert "Highest-confidence detections" not in page.text


def test_another_confidence_is_shown_beside_the_chosen_one(tmp_path: Path, models: Path) -> None:
    html = render(asked(detected(tmp_path, scored=True), choice=Choice(0.35)), DETECTION)
    table = html[html.index("Sensitivity to the confidence threshold") :]
    cells = r'<th scope="row">(.*?)</th>' + r'\s*<td class="number">(.*?)</td>' * 4
    rows = re.findall(cells, table)[:3]
    # With the fourth box, two of four are right, and two of three found.
    assert rows[0][:2] + rows[0][3:] == ("0.25", "4", "0.500", "0.667")
    assert rows[1][:2] + rows[1][3:] == ("0.35 (chosen)", "3", "0.667", "0.667")


def test_no_confidence_below_that_of_the_candidates_is_told_of(tmp_path: Path, models: Path) -> None:
    record = {"model": {"threshold": 0.5}, "parameters": {"options": {"floor": 0.45}}}
    html = render(asked(detected(tmp_path, provenance=record)), DETECTION)
    table = html[html.index("Sensitivity to the confidence threshold") :]
    assert re.findall(r'<th scope="row">(0\.\d\d)', table)[:2] == ["0.50", "0.60"]


def test_a_reference_gives_scores_counts_a_map_and_the_worst_misses(tmp_path: Path, models: Path) -> None:
    page = read(asked(detected(tmp_path, scored=True), scene=image(tmp_path / "scene")))
    assert "Of 3 detections, 2 are correct." in page.text
    assert "Of 3 landslides in the reference, 2 are found." in page.text
    assert "The only missed landslide, with boxes of up to 20,0" in page.text  # 20 × 10 pixels
    alts = [str(shown["alt"]) for shown in page.all("img")]
    assert [alt.split(" ")[0] for alt in alts].count("Chart") == 2
    assert sections(page) == [
        "summary", "meaning", "map", "surest", "scores", "misses", "why", "data", "provenance",
    ]  # fmt: skip


def test_scores_that_cannot_be_are_called_undefined(tmp_path: Path, models: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    result = made_detection(folder, Boxes.none(), reference=Boxes.none())
    page = read(asked(result))
    assert "Undefined: there are no detections." in page.text
    assert "Undefined: the reference has no landslide here." in page.text
    assert not re.search(r"\bnan\b", page.text.lower())


def test_the_scores_of_the_card_stand_beside_those_of_the_image(tmp_path: Path, models: Path) -> None:
    scores = {"validation": {"ap50": 0.321, "f1": 0.456, "precision": 0.52, "recall": 0.41}}
    make_detector_model(models, detector_spec("made", limits=("Sees only red",), scores=scores))
    page = read(asked(detected(tmp_path, scored=True)))
    assert "0.321" in page.text
    assert "not given" in page.text  # AP50:95, which this card lacks
    assert "Sees only red." in page.text
    alone = read(asked(detected(tmp_path)))
    assert "52 of every 100 detections were correct, and 41 of every 100 landslides were found" in alone.text
    assert "Scores of the model (from its card)" in alone.text


def test_a_model_that_is_gone_leaves_its_limits_unknown(tmp_path: Path, models: Path) -> None:
    assert "The model “made” is no longer on this server" in read(asked(detected(tmp_path))).text


@pytest.mark.parametrize("placement", ["north-up", "south-up", "rotated", "geographic", "without CRS"])
def test_the_middle_of_the_surest_box_is_where_it_was_found(tmp_path: Path, models: Path, placement: str) -> None:
    result = detected(tmp_path, placement)
    html = render(asked(result, scene=image(tmp_path / "scene", placement)), DETECTION)
    row = re.search(r'<th scope="row">B[0-9A-Z]+</th>(.*?)</tr>', html[html.index("the centre of its box") :], re.S)
    assert row is not None
    cells = [float(cell.replace(",", "")) for cell in re.findall(r">([−\d.,]+)</td>", row.group(1))]
    assert cells[0] == 0.9
    if placement == "without CRS":
        assert tuple(cells[2:]) == (20, 20)
        return
    x, y = (cells[3], cells[2]) if placement == "geographic" else (cells[2], cells[3])
    row_, column = result.grid.rowcol(x, y)
    assert abs(row_ - 20) <= 1
    assert abs(column - 20) <= 1


def test_two_fused_detections_are_told_with_both_their_models(tmp_path: Path, models: Path) -> None:
    make_detector_model(models, detector_spec("bright", limits=("Sees only red",)))
    joined = [{"model": {"name": "bright", "weights_sha256": "0" * 64}}, {"model": {"name": "gone"}}]
    record = {"model": {"name": "bright + gone", "threshold": 0.5}, "fused": joined}
    page = read(asked(detected(tmp_path, kind="fused", model="bright + gone", provenance=record)))
    assert "Landslides detected by two models in made" in page.text
    assert "a decision tree combined their detections" in page.text
    assert "Sees only red." in page.text
    assert "The model has changed since" in page.text  # these are not the weights of the one that is here
    assert "The model “gone” is no longer on this server" in page.text
    assert "bright + gone" not in page.text


def test_only_the_searched_part_is_shown_and_counted(tmp_path: Path, models: Path) -> None:
    drawn = {"type": "Polygon", "coordinates": [[[0, 0], [60, 0], [60, 100], [0, 100], [0, 0]]]}
    record = {"model": {"threshold": 0.5}, "parameters": {"area": drawn}}
    flat = read(asked(detected(tmp_path, "without CRS", provenance=record)))
    # Without coordinates a part has no place of its own, so the whole image is shown.
    assert "in the drawn area of 12,000 px" in flat.text
    west, south, east, north = detected(tmp_path / "utm").grid.to_wgs84_bounds() or (0, 0, 0, 0)
    middle = (west + east) / 2
    half = mapping(box(west - 1, south - 1, middle, north + 1))
    record = {"model": {"threshold": 0.5}, "parameters": {"area": half}}
    page = read(asked(detected(tmp_path, found=FOUND[:1], provenance=record)))
    assert re.search(r"finds 1 possible landslide in the drawn area of 0\.(60|61) km²", page.text)
    assert re.search(r"(60|61) × 100 pixels of 10 m", page.text)


def test_boxes_are_counted_by_cells_when_there_are_enough(tmp_path: Path, models: Path) -> None:
    assert "Detection density" not in read(asked(detected(tmp_path))).text
    folder = tmp_path / "many"
    folder.mkdir()
    corners = [[5 + 20 * i, 5, 15 + 20 * i, 15] for i in range(5)] + [[1, 1, 4, 4]]
    page = read(asked(made_detection(folder, Boxes.of(corners, [0.9] * 6), shape=(HEIGHT, WIDTH))))
    # 120 pixels of 10 m by 12 would be 100 m, but no cell is smaller than 16 pixels: 200 m. Two boxes lie in the first.
    assert "cells 200 m wide" in page.text
    assert "the densest cell has 2, or 50 per km²" in page.text


def test_an_explained_box_has_its_number_in_the_report(tmp_path: Path, models: Path) -> None:
    result = detected(tmp_path)
    folder = tmp_path / "why"
    folder.mkdir()
    attribution = np.zeros(result.grid.shape)
    attribution[12:20, 12:20] = 1.0
    write_array(folder / "cam.tif", result.grid, encode(attribution)[None], nodata=255)
    record = {
        "method": "HiResCAM", "layer": "last", "target": {"box": [50, 50, 90, 70], "score": 0.7, "number": 9},
        "deletion": {"share": 0.2, "drop": 3.0, "drop_random": 1.0},
    }  # fmt: skip
    why = replace(
        result, kind="explanation", folder=folder, artifacts={"cam": "cam.tif"}, provenance=record, notes=("It is so.",)
    )
    page = read(asked(result, scene=image(tmp_path / "scene"), explanations=(why,)))
    # The middle of the box is pixel 60 down and 70 across; old runs recorded numbers.
    (name,) = place_names([60 * result.grid.width + 70], result.grid, "B")
    assert f"Explanation 1: detection {name}, confidence 0.70" in page.text
    assert "It is so." in page.text


def test_names_from_outside_stay_text(tmp_path: Path, models: Path) -> None:
    record = {"truth": {"name": HOSTILE}, "scene": {"licence": HOSTILE, "synthetic": True, "seen_by_model": True}}
    result = detected(tmp_path, scored=True, provenance=record, scene=HOSTILE, model=HOSTILE, notes=(HOSTILE,))
    content = asked(result, name=HOSTILE, note=HOSTILE, tags=(HOSTILE,), scene=image(tmp_path / "scene", name=HOSTILE))
    page = read(content)
    check_harmless(page)
    assert page.text.count("Warning: Synthetic image") == 1
    assert page.text.count("Warning: The model was trained or selected on this image") == 1


def test_it_can_be_read_without_eyes(tmp_path: Path, models: Path) -> None:
    page = read(asked(detected(tmp_path, scored=True), scene=image(tmp_path / "scene")))
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    for shown in page.all("img"):
        assert len(str(shown["alt"])) > 20
    assert len(page.all("caption")) == len(page.all("table")) > 4


def test_equal_inputs_give_equal_files_of_a_size_to_be_sent(tmp_path: Path, models: Path) -> None:
    content = asked(detected(tmp_path, scored=True), scene=image(tmp_path / "scene"))
    text = render(content, DETECTION)
    assert text == render(content, DETECTION)
    assert len(text) < 5_000_000


def test_a_run_whose_boxes_are_gone_is_refused(tmp_path: Path, models: Path) -> None:
    result = detected(tmp_path)
    result.artifact("candidates").unlink()
    with pytest.raises(StorageError):
        render(asked(result), DETECTION)


def test_densities_have_two_digits_that_mean_something() -> None:
    assert [rate(value) for value in (0.0, 0.0342, 2.71, 43.2, 1234.0)] == ["0", "0.034", "2.7", "43", "1,234"]
