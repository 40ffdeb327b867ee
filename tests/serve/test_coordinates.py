"""From the map to the scene and back."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from core.raster.grid import Grid
from core.serve.coordinates import drawn_area, features, from_map, map_bounds, native_zoom, to_map
from tests.serve.made import made_grid


def test_a_click_in_pixel_space_is_column_and_row() -> None:
    grid = made_grid(georeferenced=False)
    assert from_map(grid, -12.5, 30.25) == (30.25, 12.5)
    assert grid.rowcol(*from_map(grid, -12.5, 30.25)) == (12, 30)


def test_a_click_on_the_ground_is_in_the_scenes_coordinates() -> None:
    grid = made_grid(georeferenced=True)
    latitude, longitude = to_map(grid, 500_105.0, 5_199_895.0)
    assert longitude == pytest.approx(15.0, abs=0.01)  # the central meridian of UTM zone 33
    assert grid.rowcol(*from_map(grid, latitude, longitude)) == (10, 10)


def test_bounds_of_pixel_space_hang_below_zero() -> None:
    assert map_bounds(made_grid(georeferenced=False)) == ((-300.0, 0.0), (0.0, 400.0))


@pytest.mark.parametrize(("metres", "zoom"), [(156_543.04, 0), (10, 14), (0.5, 19)])
def test_the_native_zoom_shows_every_pixel(metres: float, zoom: int) -> None:
    # On the equator a pixel of zoom z is 156543.03 m / 2**z wide.
    half = metres * 5
    grid = Grid(10, 10, Affine(metres, 0, -half, 0, -metres, half), CRS.from_epsg(3857))
    assert native_zoom(grid) == zoom


def test_drawings_become_one_area_in_the_scenes_sense() -> None:
    square = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, -3], [0, 0]]]},
    }
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 1]}}
    flat, globe = made_grid(georeferenced=False), made_grid(georeferenced=True)
    assert drawn_area(flat, [point]) is None
    assert drawn_area(flat, [square, point]) == {
        "type": "Polygon",
        "coordinates": [[[0, 0], [4, 0], [4, 3], [0, 0]]],
    }
    assert drawn_area(globe, [square, square])["type"] == "MultiPolygon"


def test_polygons_reach_the_map_in_degrees_with_their_ids() -> None:
    grid = made_grid(georeferenced=True)
    box = shapely.box(500_000, 5_199_000, 501_000, 5_200_000)
    polygons = gpd.GeoDataFrame({"id": [3, 9]}, geometry=[box, box], crs=grid.crs)
    collection, left_out = features(polygons, {"Area": ["1", "2"]}, most=1)
    assert left_out == 1
    (only,) = collection["features"]
    assert only["properties"] == {"id": 3, "facts": [["Area", "1"]]}
    west, south, east, north = shapely.geometry.shape(only["geometry"]).bounds
    expected = Transformer.from_crs(32633, 4326, always_xy=True).transform(500_000, 5_200_000)
    assert (west, north) == pytest.approx(expected, abs=1e-3)


def test_polygons_of_pixel_space_hang_below_zero() -> None:
    polygons = gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.box(2, 3, 5, 7)])
    collection, _ = features(polygons, {})
    assert shapely.geometry.shape(collection["features"][0]["geometry"]).bounds == (2, -7, 5, -3)
