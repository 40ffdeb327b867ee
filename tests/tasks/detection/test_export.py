"""What a detection is taken away as, read back by other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest

from core.tasks.detection.boxes import Boxes
from core.tasks.detection.coco import read_coco
from core.tasks.detection.export import OWN_FILES, export_run
from core.tasks.detection.findings import density, find
from core.tasks.detection.view import Choice
from tests.factories import PLACEMENTS, made_detection, write_raster
from tests.tasks.detection.test_findings import FOUND, TRUTH

IDENTITY = "0" * 32


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_boxes_are_taken_away_where_they_lie(tmp_path: Path, placement: str) -> None:
    result = made_detection(tmp_path / "run", FOUND, placement, reference=TRUTH)

    export_run(result, Choice(0.5), tmp_path / "out")

    _, crs = PLACEMENTS[placement]
    package, plain = (geopandas.read_file(tmp_path / "out" / f"detections.{kind}") for kind in ("gpkg", "geojson"))
    for table in (package, plain):
        assert table["score"].tolist() == pytest.approx([0.9, 0.7, 0.6])
        assert table["outcome"].tolist() == ["true", "false", "false"]
        assert set(table["model"]) == {"made"}
        assert set(table["run"]) == {IDENTITY}
        assert set(table["class"]) == {"landslide"}
    if crs is not None:
        assert package.crs == crs
        assert plain.crs.to_epsg() == 4326
        assert plain.to_crs(crs).geometry[0].intersection(package.geometry[0]).area == pytest.approx(
            package.geometry[0].area, rel=1e-4
        )


def test_the_files_tell_the_elevation_of_the_middle_of_a_box(tmp_path: Path) -> None:
    result = made_detection(tmp_path / "run", FOUND)
    heights = np.zeros((1, *result.grid.shape), np.float32) + np.arange(result.grid.shape[0], dtype=np.float32)[:, None]
    dem = write_raster(tmp_path / "dem.tif", heights)
    export_run(result, Choice(0.5), tmp_path / "out", dem=dem)
    table = pd.read_csv(tmp_path / "out" / "detections.csv")
    package = geopandas.read_file(tmp_path / "out" / "detections.gpkg", layer="detections")
    assert table["elevation_m"].tolist() == package["elevation_m"].tolist()
    assert table.loc[0, "elevation_m"] == 15  # rows 10 to 20
    fields = pd.read_csv(tmp_path / "out" / "detections_fields.csv").set_index("field")["meaning"]
    assert fields["elevation_m"] == "Elevation of the centre of the box (x and y in the table), not a mean."


def test_the_table_holds_edges_in_pixels_and_middles_in_degrees(tmp_path: Path) -> None:
    export_run(made_detection(tmp_path / "run", FOUND, "geographic"), Choice(0.5), tmp_path / "out")

    table = pd.read_csv(tmp_path / "out" / "detections.csv")
    meanings = pd.read_csv(tmp_path / "out" / "detections_fields.csv").set_index("field")["meaning"]
    assert set(meanings.index) == set(table.columns)
    if "x" in table:
        assert meanings["x"].startswith("Position of the centre of the box, in the coordinate system")
        assert "outline" not in f"{meanings['x']} {meanings['y']}"

    assert table[["left_px", "top_px", "right_px", "bottom_px"]].iloc[0].tolist() == [10, 10, 30, 20]
    # Column 20, row 15 of pixels of 0.0001° from 15° east, 47° north.
    assert table.loc[0, ["longitude", "latitude"]].tolist() == pytest.approx([15.002, 46.9985])


def test_coco_is_read_back_as_it_was(tmp_path: Path) -> None:
    result = made_detection(tmp_path / "run", FOUND)
    export_run(result, Choice(0.5), tmp_path / "out")

    known = read_coco(tmp_path / "out" / "detections.coco.json", {result.scene: result.grid.shape})

    np.testing.assert_allclose(known.boxes[result.scene].corners, FOUND.corners[[0, 2, 3]])
    assert known.classes == ("landslide",)


def test_coco_names_the_file_of_the_image(tmp_path: Path) -> None:
    record = {"model": {"threshold": 0.5}, "scene": {"name": "valley", "file": "3f2a.tif"}}
    result = made_detection(tmp_path / "run", FOUND, scene="valley", provenance=record)
    export_run(result, Choice(0.5), tmp_path / "out")

    written = json.loads((tmp_path / "out" / "detections.coco.json").read_text())

    assert written["images"][0]["file_name"] == "valley.tif"


def test_the_summary_says_scores_choice_and_where_all_came_from(tmp_path: Path) -> None:
    result = made_detection(tmp_path / "run", FOUND, reference=TRUTH, notes=("Mind this.",))

    content = export_run(result, Choice(0.5, 0.4, "fusion", 100.0), tmp_path / "out")

    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == content
    assert content["boxes"] == 3
    assert (content["confidence"], content["nms_iou"], content["merging"]) == (0.5, 0.4, "fusion")
    assert content["minimum_area_m2"] == 100
    assert content["scores"]["missed"] == 2
    assert content["scene_area_km2"] == pytest.approx(1.2, rel=0.01)
    assert content["notes"] == ["Mind this."]
    assert content["provenance"]["model"]["name"] == "made"


def test_a_later_export_leaves_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    export_run(made_detection(tmp_path / "one", FOUND, reference=TRUTH), Choice(0.5), tmp_path / "out")
    export_run(made_detection(tmp_path / "two", Boxes.none()), Choice(0.5), tmp_path / "out")

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names <= set(OWN_FILES)
    assert not names & {"missed.gpkg", "truth.parquet", "outlines.gpkg"}
    assert json.loads((tmp_path / "out" / "detections.geojson").read_text())["features"] == []


def test_the_runs_own_files_are_left_where_they_are_when_asked(tmp_path: Path) -> None:
    export_run(made_detection(tmp_path / "run", FOUND), Choice(0.5), tmp_path / "out", copies=False)

    assert not (tmp_path / "out" / "candidates.parquet").exists()


def test_with_a_pixel_size_entered_by_hand_boxes_are_counted_on_square_kilometres(tmp_path: Path) -> None:
    made = made_detection(tmp_path / "run", FOUND, "without CRS", reference=TRUTH)
    result = replace(made, grid=made.grid.with_pixel_size(2.0))

    content = export_run(result, Choice(0.5), tmp_path / "out")

    square = made.grid.width * made.grid.height * 4 / 1e6
    assert content["scene_area_km2"] == pytest.approx(square)
    assert content["boxes_per_km2"] == pytest.approx(3 / square)
    table = pd.read_csv(tmp_path / "out" / "detections.csv")
    # The first box: columns 10 to 30, rows 10 to 20.
    assert table.loc[0, ["area_m2", "pixel_size_m"]].tolist() == [20 * 10 * 4, 2.0]
    coco = json.loads((tmp_path / "out" / "detections.coco.json").read_text())
    assert coco["info"]["pixel_size_m"] == 2.0
    cells = density(find(result, Choice(0.5)), 40.0)
    assert cells["area_km2"].iloc[0] == pytest.approx(40 * 40 / 1e6), "cells of twenty pixels of two metres"
    assert cells["count"].sum() == 3
