"""What is taken away opens again elsewhere, at the right place and with the right numbers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio

from core.errors import StorageError
from core.raster.folder import write_json
from core.raster.scene import Scene
from core.runs.about import about
from core.tasks.mapping.export import export_run, summary, write_mask, write_polygons
from core.tasks.mapping.findings import find
from core.tasks.mapping.outlines import read_outlined, write_outlines
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice
from tests.factories import PLACEMENTS, made_run, ramp, write_raster


def probability(height: int = 30, width: int = 40) -> np.ndarray:
    """One slide at rows 5 to 8 and columns 10 to 14; the last row is nodata."""
    values = np.zeros((height, width))
    values[5:9, 10:15] = 0.9
    values[-1] = np.nan
    return values


def strict(path: Path) -> Any:
    """JSON as the standard has it, without NaN or Infinity."""

    def refuse(name: str) -> None:
        pytest.fail(f"{path.name} holds {name}, which is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def exported(folder: Path, placement: str) -> tuple[MappingResult, dict[str, Any], Path]:
    reference = np.zeros((30, 40), np.uint8)
    reference[5:9, 10:20] = 1
    result = made_run(folder / "run", probability(), placement, reference=reference)
    scene = Scene.open(write_raster(folder / "scene.tif", ramp(30, 40), placement))
    return result, export_run(result, scene, Choice(0.5), folder / "out"), folder / "out"


def test_the_files_tell_the_elevation_that_the_page_tells(tmp_path: Path) -> None:
    result = made_run(tmp_path / "run", probability())
    heights = 500.0 + np.add.outer(np.arange(30.0), np.zeros(40))[None]  # a metre higher in each row
    dem = write_raster(tmp_path / "dem.tif", heights.astype(np.float32))
    export_run(result, None, Choice(0.5), tmp_path / "out", dem=dem)
    package = geopandas.read_file(tmp_path / "out" / "landslides.gpkg", layer="landslides")
    inside = package.geometry.representative_point()
    assert package["elevation_m"].tolist() == [500 + (5_200_000 - inside.y[0]) // 10]
    assert pd.read_csv(tmp_path / "out" / "landslides.csv")["elevation_m"].tolist() == package["elevation_m"].tolist()
    assert "elevation_m" in pd.read_csv(tmp_path / "out" / "landslides_fields.csv")["field"].tolist()
    export_run(result, None, Choice(0.5), tmp_path / "flat")
    assert "elevation_m" not in pd.read_csv(tmp_path / "flat" / "landslides.csv")


def test_everything_of_a_run_is_written_and_opens_again_at_its_place(tmp_path: Path) -> None:
    result, content, out = exported(tmp_path, "north-up")

    names = {path.name for path in out.iterdir()}
    assert names == {
        "probability.tif", "truth.tif", "mask.tif", "landslides.gpkg", "landslides.geojson", "landslides.csv",
        "landslides.shp.zip", "landslides.kml", "landslides_fields.csv", "figure.png", "metrics.json",
    }  # fmt: skip
    assert strict(out / "metrics.json") == content

    package = geopandas.read_file(out / "landslides.gpkg")
    assert package.crs.to_epsg() == 32633
    # Columns 10 to 14 and rows 5 to 8 of 10 m pixels from (500 000, 5 200 000).
    assert package.total_bounds.tolist() == pytest.approx([500_100, 5_199_910, 500_150, 5_199_950])
    assert {"id", "area_m2", "perimeter_m", "mean_probability"} <= set(package.columns)

    degrees = geopandas.read_file(out / "landslides.geojson")
    assert degrees.crs.to_epsg() == 4326
    west, south, east, north = degrees.total_bounds
    # The central meridian of zone 33 lies at 15° east; a degree of latitude has about 111 km there.
    assert 15 < west < east < 15.01
    assert (north - south) * 111_170 == pytest.approx(40, rel=0.01)
    box = degrees.to_crs(32633).total_bounds
    assert box.tolist() == pytest.approx(package.total_bounds.tolist(), abs=0.05)


def test_the_scores_in_the_file_are_those_counted_by_hand(tmp_path: Path) -> None:
    _, content, _ = exported(tmp_path, "without CRS")

    # 20 of 40 true pixels found, nothing else.
    assert content["scores"]["precision"] == 1
    assert content["scores"]["recall"] == 0.5
    assert content["scores"]["f1"] == pytest.approx(2 / 3)
    assert content["scores"]["true_negative"] == 29 * 40 - 40
    assert (content["landslides"], content["landslide_area_px2"], content["scene_area_px2"]) == (1, 20, 29 * 40)
    assert content["landslide_share"] == pytest.approx(20 / (29 * 40))
    assert content["size_frequency"]["mode"] == "none"


def test_without_a_coordinate_system_outlines_are_in_columns_and_rows(tmp_path: Path) -> None:
    _, _, out = exported(tmp_path, "without CRS")

    assert geopandas.read_file(out / "landslides.gpkg").crs is None
    for name in ("landslides.gpkg", "landslides.geojson"):
        assert geopandas.read_file(out / name).total_bounds.tolist() == [10, 5, 15, 9]


def test_with_a_pixel_size_entered_by_hand_areas_are_in_square_metres_and_every_file_says_so(tmp_path: Path) -> None:
    made = made_run(tmp_path / "run", probability(), "without CRS")
    result = replace(made, grid=made.grid.with_pixel_size(0.5))
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(30, 40), "without CRS"))

    content = export_run(result, scene, Choice(0.5), tmp_path / "out")

    # 4 × 5 pixels of a quarter of a square metre; 29 rows of 40 have data.
    assert (content["landslide_area_m2"], content["scene_area_m2"]) == (5.0, 29 * 40 / 4)
    assert (content["minimum_area_m2"], content["pixel_size_m"]) == (0.0, 0.5)
    for name in ("landslides.gpkg", "landslides.geojson", "landslides.csv"):
        (row,) = geopandas.read_file(tmp_path / "out" / name).to_dict("records")
        told = [float(row[column]) for column in ("area_px", "area_m2", "perimeter_m", "pixel_size_m")]
        assert told == [20, 5.0, 9.0, 0.5], name
    assert geopandas.read_file(tmp_path / "out" / "landslides.gpkg").total_bounds.tolist() == [10, 5, 15, 9]
    assert find(result, Choice(0.5, minimum_area=5.0)).count == 1
    assert find(result, Choice(0.5, minimum_area=5.1)).count == 0
    assert about(result)["areas"] == "Areas assume a pixel size of 0.50 m, entered by hand"


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_mask_lies_where_its_scene_lies(tmp_path: Path, placement: str) -> None:
    result = made_run(tmp_path, probability(), placement)

    write_mask(find(result, Choice(0.5)), tmp_path / "mask.tif")

    with rasterio.open(tmp_path / "mask.tif") as mask:
        assert (mask.crs, mask.nodata) == (result.grid.crs, 255)
        assert mask.transform.almost_equals(result.grid.transform)
        values = mask.read(1)
    expected = np.where(np.isnan(probability()), 255, np.nan_to_num(probability()) > 0.5)
    np.testing.assert_array_equal(values, expected)


def test_rasters_larger_than_a_tile_are_tiled_and_have_overviews(tmp_path: Path) -> None:
    result = made_run(tmp_path, probability(600, 700))
    write_mask(find(result, Choice(0.5)), tmp_path / "mask.tif")

    for name in ("probability.tif", "mask.tif"):
        with rasterio.open(tmp_path / name) as raster:
            assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert raster.block_shapes == [(512, 512)]
            assert raster.overviews(1) == [2]


def test_a_mask_shrunk_for_display_still_holds_classes_only(tmp_path: Path) -> None:
    checkered = ((np.indices((600, 600)) // 51).sum(axis=0) % 2).astype(float)
    write_mask(find(made_run(tmp_path, checkered), Choice(0.5)), tmp_path / "mask.tif")

    with rasterio.open(tmp_path / "mask.tif", overview_level=0) as overview:
        assert set(np.unique(overview.read(1)).tolist()) <= {0, 1}


@pytest.mark.parametrize("placement", ["north-up", "without CRS"])
def test_a_scene_without_landslides_gives_files_without_features(tmp_path: Path, placement: str) -> None:
    found = find(made_run(tmp_path, np.zeros((20, 20)), placement), Choice(0.5))

    for suffix in ("gpkg", "geojson"):
        write_polygons(found.polygons, tmp_path / f"none.{suffix}")
    write_json(summary(found), tmp_path / "metrics.json")

    assert len(geopandas.read_file(tmp_path / "none.gpkg")) == 0
    said = {"crs": None} if placement == "without CRS" else {}  # else it would be taken for degrees
    assert strict(tmp_path / "none.geojson") == {**said, "type": "FeatureCollection", "features": []}
    assert strict(tmp_path / "metrics.json")["landslides"] == 0


def test_numbers_that_json_lacks_become_null_and_numpys_own_become_plain(tmp_path: Path) -> None:
    content = {"a": math.nan, "b": (math.inf, np.float32(0.5)), "c": {1: np.int64(3)}, "d": [None, "x", True]}

    write_json(content, tmp_path / "some.json")

    assert strict(tmp_path / "some.json") == {"a": None, "b": [None, 0.5], "c": {"1": 3}, "d": [None, "x", True]}


def test_a_run_compared_with_an_earlier_one_also_gives_what_is_new(tmp_path: Path) -> None:
    later = probability()
    later[20:24, 30:34] = 0.9
    earlier, result = made_run(tmp_path / "a", probability()), made_run(tmp_path / "b", later)
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(30, 40)))

    content = export_run(result, scene, Choice(0.5), tmp_path / "out", before=earlier)

    assert (content["landslides"], content["new_landslides"]) == (2, 1)
    new = geopandas.read_file(tmp_path / "out" / "new_landslides.gpkg")
    assert new.total_bounds.tolist() == pytest.approx([500_300, 5_199_760, 500_340, 5_199_800])
    with rasterio.open(tmp_path / "out" / "change.tif") as change:
        assert change.read(1)[21, 31] == round(0.9 * 254)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    result = made_run(tmp_path / "run", probability())
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(30, 40)))
    (tmp_path / "out").write_text("a file in the way")

    with pytest.raises(StorageError, match="cannot be written"):
        export_run(result, scene, Choice(0.5), tmp_path / "out")


def test_a_raster_too_large_for_polygons_is_exported_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tasks.mapping.export.LARGEST", 99)
    values = np.full((20, 30), 0.1)
    values[5:10, 5:15] = 0.9
    values[0] = np.nan
    result = made_run(tmp_path / "run", values)

    content = export_run(result, Scene.open(result.artifact("probability")), Choice(0.5), tmp_path / "out")

    assert content["landslide_share"] == pytest.approx(50 / (19 * 30))
    assert "omitted" in content["notes"][-1]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["mask.tif", "metrics.json", "probability.tif"]
    with Scene.open(tmp_path / "out" / "mask.tif").reader() as reader:
        mask = reader.read((1,)).values[0]
    assert (mask == 1).sum() == 50
    assert (mask[0] == 255).all()


def test_what_is_there_already_need_not_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, content, out = exported(tmp_path, "north-up")
    scene = Scene.open(tmp_path / "scene.tif")
    assert export_run(result, scene, Choice(0.5), out, copies=False) == content
    made = {"mask.tif", "figure.png", "metrics.json", "landslides_fields.csv",
            *(f"landslides.{ending}" for ending in ("gpkg", "geojson", "csv", "shp.zip", "kml"))}  # fmt: skip
    assert {path.name for path in out.iterdir()} == made  # earlier copies are taken away
    totals = write_outlines(result, Choice(0.5), tmp_path / "a.gpkg")
    outlined = read_outlined(result, Choice(0.5), tmp_path / "a.gpkg", totals.scene_area)
    monkeypatch.setattr("core.tasks.mapping.export.LARGEST", 99)
    export_run(result, scene, Choice(0.5), out, outlined=outlined, copies=False)
    assert {path.name for path in out.iterdir()} == {
        "mask.tif", "metrics.json", "landslides.csv", "landslides.shp.zip", "landslides.kml",
        "landslides_fields.csv",
    }  # fmt: skip
