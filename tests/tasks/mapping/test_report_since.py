"""What is new since the earlier image, as a report tells it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.report.make import make_report, report_input
from core.report.state import is_out_of_date
from core.report.write import render
from core.runs.kinds import parameters_of
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.options import Options
from core.tasks.mapping.report.parts import MAPPING
from core.tasks.mapping.run import Request
from core.tasks.mapping.run_change import difference_here
from core.tasks.mapping.view import Choice
from tests.factories import PLACEMENTS, keep, made_run, ramp, write_raster
from tests.tasks.mapping.test_change import after, before
from tests.tasks.mapping.test_report import Page

CHOICE = Choice(0.5, 0.0)
ASKED: dict[str, object] = {"parameters": parameters_of(Request("made")), "bridge": {"bands": [1]}}



def asked(**changed: object) -> dict[str, object]:
    """The record of a mapping with other settings."""
    request = replace(Request("made"), **changed)  # type: ignore[arg-type]
    return {"parameters": parameters_of(request), "bridge": {"bands": list(request.bands or (1,))}}


def text_of(store: Store, run: str) -> str:
    return Page(render(report_input(store, run, CHOICE), MAPPING)).text


@pytest.fixture(params=["north-up", "without CRS"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, store: Store) -> tuple[str, str]:
    """The runs of an earlier and a later image of the same place, not compared yet."""
    placement = request.param
    assert placement in PLACEMENTS
    scenes = []
    for name in ("earlier", "later"):
        path = write_raster(tmp_path / f"{name}.tif", ramp(12, 20), placement)
        scenes.append(store.add_scene(path, name, before=scenes[0].id if scenes else ""))
    runs = []
    for record, values in zip(scenes, (before(), after()), strict=True):
        made = made_run(tmp_path / f"run-{record.scene.name}", values, placement)
        made = replace(made, inputs=image_inputs(record.scene.name, record.scene.digest), provenance=ASKED)
        runs.append(keep(store, made, record.id).id)
    return runs[0], runs[1]


def compare(store: Store, one: str, other: str) -> None:
    difference_here(store, store.result(one), store.result(other))


def test_a_compared_mapping_tells_what_is_new(store: Store, pair: tuple[str, str]) -> None:
    assert "Since the earlier image" not in text_of(store, pair[1])
    compare(store, *pair)
    text = text_of(store, pair[1])
    assert "Since the earlier image" in text
    # Nine pixels of 100 m²; areas on the ground differ from those of the projection by a part in a thousand.
    area = r"90\d m²|899 m²" if store.result(pair[1]).grid.in_metres else "9 px"
    said = rf"1 \(({area})\) of the 2 mapped landslides is new; 1 was mapped in the earlier image, too\."
    assert re.search(said, text), text
    assert f"The earlier image is earlier. It was mapped with the same model and settings (run {pair[0][:8]})." in text
    assert "All new landslides, each with the coordinates of a point inside it" in text
    assert "Since the earlier image" not in text_of(store, pair[0])


def test_a_comparison_with_another_run_of_the_same_image_is_not_one_with_the_earlier_image(
    tmp_path: Path, store: Store, pair: tuple[str, str]
) -> None:
    later = store.run(pair[1])
    placement = "north-up" if store.result(pair[1]).grid.crs else "without CRS"
    again = replace(made_run(tmp_path / "again", before(), placement), inputs=later.inputs, provenance=ASKED)
    compare(store, keep(store, again, later.inputs[0].dataset_id).id, pair[1])
    assert "Since the earlier image" not in text_of(store, pair[1])


def test_landslides_where_the_earlier_image_has_no_data_are_neither_new_nor_old(
    tmp_path: Path, store: Store, pair: tuple[str, str]
) -> None:
    first = store.run(pair[0])
    blind = before()
    blind[5:] = np.nan
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    made = replace(made_run(tmp_path / "blind", blind, placement), inputs=first.inputs, provenance=ASKED)
    compare(store, keep(store, made, first.inputs[0].dataset_id).id, pair[1])
    text = text_of(store, pair[1])
    said = "None of the 2 mapped landslides is new; 1 was mapped in the earlier image, too; 1 cannot be compared."
    assert said in text
    assert "cannot be compared" in text
    assert "It counts neither as new nor as mapped before." in text


def test_a_comparison_puts_the_report_out_of_date(store: Store, pair: tuple[str, str]) -> None:
    def outdated() -> bool:
        return is_out_of_date(store, store.run(pair[1]), store.artifact(pair[1], "report").path, CHOICE)

    make_report(store, pair[1], CHOICE)
    assert not outdated()
    compare(store, *pair)
    assert outdated()
    make_report(store, pair[1], CHOICE)
    assert not outdated()


def test_a_report_is_written_when_the_earlier_mapping_has_lost_its_file(store: Store, pair: tuple[str, str]) -> None:
    compare(store, *pair)
    store.result(pair[0]).artifact("probability").unlink()
    text = text_of(store, pair[1])
    assert "Not compared" in text
    assert "landslides, together" in text


def test_a_mapping_of_the_earlier_image_by_another_model_is_not_compared(
    tmp_path: Path, store: Store, pair: tuple[str, str]
) -> None:
    first = store.run(pair[0])
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    other = replace(
        made_run(tmp_path / "other", before(), placement), inputs=first.inputs, model="another",
        provenance=asked(model="another"),
    )  # fmt: skip
    compare(store, keep(store, other, first.inputs[0].dataset_id).id, pair[1])
    assert "Since the earlier image" not in text_of(store, pair[1])


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"stretch": "2,98"}, False),
        ({"bands": (2,)}, False),
        ({"area": {"type": "Polygon", "coordinates": []}}, False),
        ({"options": Options(overlap=0.5)}, False),
        ({"engine": "torch"}, True),  # the same result by another way
        ({"options": Options(batch=4)}, True),
        ({"bands": (1,)}, True),  # those that the later one found by itself
    ],
)
def test_a_mapping_of_the_earlier_image_with_other_settings_is_not_compared(
    tmp_path: Path, store: Store, pair: tuple[str, str], changed: dict[str, object], same: bool
) -> None:
    first = store.run(pair[0])
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    other = replace(made_run(tmp_path / "other", before(), placement), inputs=first.inputs, provenance=asked(**changed))
    compare(store, keep(store, other, first.inputs[0].dataset_id).id, pair[1])
    assert ("Since the earlier image" in text_of(store, pair[1])) is same


@pytest.mark.parametrize("record", [{}, {"parameters": ASKED["parameters"]}, {"parameters": {"of": "another version"}}])
def test_a_mapping_of_which_the_settings_are_not_known_is_not_compared(
    tmp_path: Path, store: Store, pair: tuple[str, str], record: dict[str, object]
) -> None:
    first, later = store.run(pair[0]), store.run(pair[1])
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    for number, (one, other) in enumerate(((record, ASKED), (ASKED, record))):
        runs = []
        for name, run, values, known in (("a", first, before(), one), ("b", later, after(), other)):
            made = made_run(tmp_path / f"{name}{number}", values, placement)
            made = replace(made, inputs=run.inputs, provenance=known)
            runs.append(keep(store, made, run.inputs[0].dataset_id).id)
        compare(store, *runs)
        assert "Since the earlier image" not in text_of(store, runs[1])


def test_settings_that_came_later_do_not_matter_to_an_older_mapping(
    tmp_path: Path, store: Store, pair: tuple[str, str]
) -> None:
    first = store.run(pair[0])
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    asked = {name: value for name, value in parameters_of(Request("made")).items() if name != "pixel_size"}
    old = {**ASKED, "parameters": {**asked, "batch": 8}}
    made = replace(made_run(tmp_path / "old", before(), placement), inputs=first.inputs, provenance=old)
    compare(store, keep(store, made, first.inputs[0].dataset_id).id, pair[1])
    assert "Since the earlier image" in text_of(store, pair[1])


def test_the_comparison_stays_when_the_earlier_image_is_not_there(store: Store, pair: tuple[str, str]) -> None:
    compare(store, *pair)
    store.scene_record(store.run(pair[0]).input("scene").dataset_id).scene.path.unlink()
    text = text_of(store, pair[1])
    assert "is new; 1 was mapped in the earlier image, too." in text
    assert "Earlier image" in text.split("Data and licences")[-1]


def test_the_terms_of_the_earlier_image_stand_under_data_and_licences(store: Store, pair: tuple[str, str]) -> None:
    compare(store, *pair)
    data = text_of(store, pair[1]).split("Data and licences")[-1]
    assert re.search(r"Earlier image\s*Name\s*earlier\s*Source and licence\s*licence not stated", data), data
    assert store.run(pair[0]).input("scene").digest in data


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        (before(), "was mapped in the earlier image, too."),
        (np.zeros((12, 20)), "is new."),
        (np.where(np.arange(12)[:, None] < 5, np.nan, np.zeros((12, 20))), "cannot be compared."),
    ],
    ids=["old", "new", "unseen"],
)
def test_one_landslide_is_told_of_as_one(
    tmp_path: Path, store: Store, pair: tuple[str, str], earlier: np.ndarray, said: str
) -> None:
    runs = []
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    for name, run, values in zip(("one", "other"), pair, (earlier, before()), strict=True):
        inputs = store.run(run).inputs
        made = replace(made_run(tmp_path / name, values, placement), inputs=inputs, provenance=ASKED)
        runs.append(keep(store, made, inputs[0].dataset_id).id)
    compare(store, *runs)
    assert re.search(rf"The one mapped landslide \([\d,]+ (m²|px)\) {said}", text_of(store, runs[1]))
