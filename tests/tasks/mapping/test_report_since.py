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
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.report.parts import MAPPING
from core.tasks.mapping.run_change import difference_here
from core.tasks.mapping.view import Choice
from tests.factories import PLACEMENTS, keep, made_run, ramp, write_raster
from tests.tasks.mapping.test_change import after, before
from tests.tasks.mapping.test_report import Page

CHOICE = Choice(0.5, 0.0)


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
        made = replace(made, inputs=image_inputs(record.scene.name, record.scene.digest))
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
    assert f"The earlier image is earlier. It was mapped with the same model (run {pair[0][:8]})" in text
    assert "All new landslides, each with the coordinates of a point inside it" in text
    assert "Since the earlier image" not in text_of(store, pair[0])


def test_a_comparison_with_another_run_of_the_same_image_is_not_one_with_the_earlier_image(
    tmp_path: Path, store: Store, pair: tuple[str, str]
) -> None:
    later = store.run(pair[1])
    placement = "north-up" if store.result(pair[1]).grid.crs else "without CRS"
    again = replace(made_run(tmp_path / "again", before(), placement), inputs=later.inputs)
    compare(store, keep(store, again, later.inputs[0].dataset_id).id, pair[1])
    assert "Since the earlier image" not in text_of(store, pair[1])


def test_landslides_where_the_earlier_image_has_no_data_are_neither_new_nor_old(
    tmp_path: Path, store: Store, pair: tuple[str, str]
) -> None:
    first = store.run(pair[0])
    blind = before()
    blind[5:] = np.nan
    placement = "north-up" if store.result(pair[0]).grid.crs else "without CRS"
    made = replace(made_run(tmp_path / "blind", blind, placement), inputs=first.inputs)
    compare(store, keep(store, made, first.inputs[0].dataset_id).id, pair[1])
    text = text_of(store, pair[1])
    assert "0 of the 2 mapped landslides are new; 1 was mapped in the earlier image, too." in text
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
    other = replace(made_run(tmp_path / "other", before(), placement), inputs=first.inputs, model="another")
    compare(store, keep(store, other, first.inputs[0].dataset_id).id, pair[1])
    assert "Since the earlier image" not in text_of(store, pair[1])
