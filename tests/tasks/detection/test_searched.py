"""Areas and densities are of the ground that has data and was searched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.raster.area import Area
from core.raster.scene import Scene
from core.raster.windows import Region
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.export import summary
from core.tasks.detection.findings import density, find
from core.tasks.detection.searched import searched_area, write_searched
from core.tasks.detection.view import Choice
from tests.factories import made_detection, write_raster

FOUR = Boxes.of(np.array([[x, 10, x + 5, 15] for x in (2, 12, 22, 32)], dtype=np.float32), np.full(4, 0.9))


def scene_of(folder: Path, *, half: bool) -> Scene:
    values = np.full((1, 100, 120), 7, dtype=np.uint8)
    if half:
        values[:, :, 60:] = 0
    return Scene.open(write_raster(folder / "scene.tif", values, nodata=0))


def test_half_a_scene_without_data_is_half_the_area(tmp_path: Path) -> None:
    found = write_searched(scene_of(tmp_path, half=True), [1], tmp_path)

    assert found.share == 0.5
    # 100 by 60 pixels of 10 m.
    assert found.area == pytest.approx(600_000, rel=0.01)
    assert found.notes == (
        "50.0 % of the image has no data or was not processed; areas and densities are of the rest.",
    )
    with Scene.open(tmp_path / found.artifacts["searched"]).reader() as reader:
        written = reader.read([1]).values[0]
    assert written[:, :60].all()
    assert not written[:, 60:].any()


def test_a_drawn_part_counts_where_it_has_data(tmp_path: Path) -> None:
    area = Area(Region(0, 40, 100, 40))

    found = write_searched(scene_of(tmp_path, half=True), [1], tmp_path, area)

    assert found.share == pytest.approx(20 / 120)


def test_a_whole_scene_leaves_no_raster_and_no_note(tmp_path: Path) -> None:
    found = write_searched(scene_of(tmp_path, half=False), [1], tmp_path)

    assert (found.artifacts, found.share, found.notes) == ({}, 1.0, ())
    assert not (tmp_path / "searched.tif").exists()


def test_density_and_summary_are_per_square_kilometre_searched(tmp_path: Path) -> None:
    found = write_searched(scene_of(tmp_path, half=True), [1], tmp_path)
    result = made_detection(tmp_path, FOUR)
    result = replace(
        result,
        artifacts={**result.artifacts, **found.artifacts},
        provenance={**result.provenance, "searched": found.to_json()},
    )
    boxes = find(result, Choice(0.5))

    content, cells = summary(boxes), density(boxes, 200)

    assert content["scene_area_km2"] == pytest.approx(0.6, rel=0.01)
    assert content["boxes_per_km2"] == pytest.approx(4 / 0.6, rel=0.01)
    assert cells["area_km2"].sum() == pytest.approx(0.6, rel=0.01)
    empty = cells["area_km2"] == 0
    middle, _ = result.grid.transform @ (60, 0)
    assert empty.tolist() == (cells.geometry.bounds["minx"] >= middle).tolist()
    assert empty.any()
    assert cells["per_km2"][empty].isna().all()


def test_runs_that_did_not_record_it_count_the_whole_scene(tmp_path: Path) -> None:
    assert searched_area(made_detection(tmp_path, FOUR)) == pytest.approx(1_200_000, rel=0.01)
