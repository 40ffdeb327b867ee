"""Longitude is a circle: the same ground has the same inventory in whatever turn its degrees are counted."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.windows import Window
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box, mapping

from core.errors import GridError
from core.raster.align import reference_reader, scene_on_grid
from core.raster.features import write_features
from core.raster.grid import Grid
from core.raster.inventory import Inventory, turned_near
from core.raster.scene import Scene
from core.raster.write import write_array

DEGREES, UTM1, WHOLE = rasterio.CRS.from_epsg(4326), rasterio.CRS.from_epsg(32701), Window(0, 0, 100, 80)


def degrees(west: float, north: float = -17.0, cell: float = 0.0002) -> Grid:
    return Grid(100, 80, Affine(cell, 0, west, 0, -cell, north), DEGREES)


def written(path: Path, *shapes: Polygon | Point | LineString) -> Path:
    features = [{"type": "Feature", "properties": {}, "geometry": mapping(shape)} for shape in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def slide(west: float, east: float, south: float = -17.010, north: float = -17.006) -> Polygon:
    return box(west, south, east, north)


@pytest.mark.parametrize("west", [179.99, -180.01, 539.99])
@pytest.mark.parametrize(
    "shapes",
    [
        (slide(179.994, 179.998), slide(-179.998, -179.994)),
        (slide(179.994, 179.998), slide(180.002, 180.006)),
        (slide(-180.006, -180.002), slide(180.002, 180.006)),
    ],
    ids=["within 180", "beyond 180", "both turns"],
)
def test_both_sides_of_the_line_are_found(tmp_path: Path, west: float, shapes: tuple[Polygon, ...]) -> None:
    reader = reference_reader(written(tmp_path / "a.geojson", *shapes), degrees(west))

    found = reader.read(WHOLE)
    assert found[:, :50].sum() == found[:, 50:].sum() == 20 * 20


@pytest.mark.parametrize(
    "whole",
    [
        slide(179.994, 180.006),
        Polygon([(179.994, -17.01), (-179.994, -17.01), (-179.994, -17.006), (179.994, -17.006)]),
    ],
)
def test_a_landslide_on_the_line_is_one(tmp_path: Path, whole: Polygon) -> None:
    for grid in (degrees(179.99), Grid(200, 160, Affine(20, 0, 178_500, 0, -20, 8_119_500), UTM1)):
        reader = reference_reader(written(tmp_path / "a.geojson", whole), grid)
        found = reader.read(Window(0, 0, grid.width, grid.height))
        assert found.sum() > 0
        columns = np.flatnonzero(found.any(axis=0))
        assert columns[-1] - columns[0] + 1 == len(columns), "in one piece"


def test_a_scene_counted_from_0_to_360_takes_degrees_of_the_west(tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", slide(-77.996, -77.992))

    assert reference_reader(path, degrees(282.0)).read(WHOLE).sum() == 20 * 20


def test_what_reaches_past_a_global_scene_is_on_its_other_side_too() -> None:
    found = turned_near(np.array([slide(-1, 1), slide(100, 101)], dtype=object), 0.0, 360.0)

    assert sorted(tuple(shapely.bounds(one)[[0, 2]]) for one in found) == [(-1.0, 1.0), (100.0, 101.0), (359.0, 361.0)]


def test_geojson_is_cut_at_the_line(tmp_path: Path) -> None:
    in_utm = gpd.GeoSeries([slide(179.994, 180.006), slide(179.9, 179.95)], crs=4326).to_crs(UTM1.to_wkt())
    write_features(gpd.GeoDataFrame({"id": [1, 2]}, geometry=in_utm), tmp_path / "out.geojson", "slides")

    first, second = gpd.read_file(tmp_path / "out.geojson").geometry
    assert isinstance(first, MultiPolygon)
    assert sorted(np.sign(part.bounds[0]) for part in first.geoms) == [-1, 1]
    assert first.area == pytest.approx(0.012 * 0.004, rel=1e-2)
    assert isinstance(second, Polygon)


def test_geojson_in_pixels_comes_back(tmp_path: Path) -> None:
    grid = Grid(500, 400, Affine.identity(), None)
    shape = box(380, 100, 420, 130)
    write_features(gpd.GeoDataFrame({"id": [1]}, geometry=[shape]), tmp_path / "out.geojson", "slides")

    assert reference_reader(tmp_path / "out.geojson", grid).read(Window(0, 0, 500, 400)).sum() == 40 * 30


def test_what_of_an_inventory_does_not_count_is_said_with_its_number(tmp_path: Path) -> None:
    points = [Point(10.006, -17.008), Point(10.007, -17.008)]
    shapes = [slide(10.004, 10.008), *points, LineString([(10, -17), (10.1, -17)])]
    tiny = box(10.0100, -17.0020, 10.01005, -17.00195)
    reader = reference_reader(written(tmp_path / "a.geojson", *shapes, tiny), degrees(10.0))

    assert isinstance(reader, Inventory)
    others, small = reader.notes
    assert "Only the 2 polygons of a.geojson are used; 2 points and 1 line were left out." in others
    assert small.startswith("1 of the 2 polygons of a.geojson is smaller than a pixel; it counts only if it covers")


def test_an_inexact_way_between_datums_is_said(tmp_path: Path) -> None:
    """Without the grid files of the old datum, places may be off by more than a pixel."""
    where = slide(-79.996, -79.992, -4.010, -4.006)
    gpd.GeoDataFrame(geometry=[where], crs=4248).to_file(tmp_path / "old.gpkg")

    reader = reference_reader(tmp_path / "old.gpkg", degrees(-80.0, -4.0))

    assert isinstance(reader, Inventory)
    assert len(reader.notes) == 1
    assert "WGS 84" in reader.notes[0]
    assert "accuracy of" in reader.notes[0] or "may be off" in reader.notes[0]
    exact = reference_reader(written(tmp_path / "a.geojson", where), degrees(-80.0, -4.0))
    assert exact.notes == ()


@pytest.mark.parametrize(("scene", "elevation"), [(282.0, -78.0), (-78.0, 282.0), (179.99, -180.01), (-180.01, 179.99)])
def test_a_raster_lies_on_a_scene_in_whatever_turn_it_counts(tmp_path: Path, scene: float, elevation: float) -> None:
    values = np.arange(80 * 100, dtype=np.float32).reshape(1, 80, 100)
    grid = degrees(elevation)
    path = write_array(tmp_path / "dem.tif", grid, values)

    with scene_on_grid(Scene.open(path), degrees(scene), bands=(1,)) as reader:
        patch = reader.read(WHOLE)

    assert patch.valid.all()
    np.testing.assert_array_equal(patch.values, values)
    mask = write_array(tmp_path / "mask.tif", grid, (values > 4_000).astype(np.uint8))
    assert reference_reader(mask, degrees(scene)).read(WHOLE).sum() == (values > 4_000).sum()


def test_a_raster_across_the_line_covers_a_projected_scene_on_both_sides(tmp_path: Path) -> None:
    place = Affine(0.002, 0, 179.9, 0, -0.002, -16.9)
    wide = Grid(100, 100, place, rasterio.CRS.from_epsg(4326))
    path = write_array(tmp_path / "dem.tif", wide, np.full((1, 100, 100), 7.0, np.float32))
    scene = Grid(200, 160, Affine(20, 0, 178_500, 0, -20, 8_119_500), UTM1)

    with scene_on_grid(Scene.open(path), scene, bands=(1,)) as reader:
        patch = reader.read(Window(0, 0, 200, 160))

    assert patch.valid.mean() > 0.99
    assert (patch.values[:, patch.valid] == 7).all()


def test_a_polygon_around_the_globe_covers_a_scene_at_the_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", Polygon([(-180, -20), (180, -20), (180, -10), (-180, -10)]))

    assert reference_reader(path, degrees(179.99)).read(WHOLE).all()


@pytest.mark.parametrize("turn", [-360, 0, 360])
def test_geojson_of_a_scene_in_degrees_is_within_180_and_cut(tmp_path: Path, turn: float) -> None:
    shapes = gpd.GeoSeries([slide(179.994 + turn, 180.006 + turn), slide(10 + turn, 10.1 + turn)], crs=4326)
    write_features(gpd.GeoDataFrame({"id": [1, 2]}, geometry=shapes), tmp_path / "out.geojson", "slides")

    first, second = gpd.read_file(tmp_path / "out.geojson").geometry
    assert sorted(part.bounds[0] for part in first.geoms) == pytest.approx([-180, 179.994])
    assert first.area == pytest.approx(slide(179.994, 180.006).area)
    assert second.bounds[::2] == pytest.approx((10, 10.1))


def test_metres_called_degrees_are_not_told_to_be_no_polygons(tmp_path: Path) -> None:
    """No place has a latitude of nine million degrees."""
    metres = gpd.GeoDataFrame(geometry=[box(178_600, 8_117_000, 178_700, 8_117_100)], crs=4326)
    metres.to_file(tmp_path / "a.gpkg")

    with pytest.raises(GridError, match="No polygon of a.gpkg lies within the area of its coordinate system"):
        reference_reader(tmp_path / "a.gpkg", Grid(200, 160, Affine(20, 0, 178_500, 0, -20, 8_119_500), UTM1))
