"""Scenes across the antimeridian, counted from 0 to 360° or over a pole: each pixel is where its coordinates say."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer
from rasterio.crs import CRS
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.raster.area import area_of
from core.raster.grid import Grid
from core.runs.store import Store
from core.serve.coordinates import drawing_on_map, drawn_area, from_map, map_bounds, native_zoom, on_map, to_map
from core.serve.placing import map_of
from core.serve.pointer import pointer
from core.serve.routes import routes

SIDE = 64
LEFT, RIGHT = (200, 40, 40), (40, 200, 40)


def utm(longitude: float, latitude: float, epsg: int) -> Affine:
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(longitude, latitude)
    return Affine(10, 0, x - 5 * SIDE, 0, -10, y + 5 * SIDE)


ACROSS = Grid(SIDE, SIDE, utm(180.0, 10.0, 32601), CRS.from_epsg(32601))
DEGREES = Grid(SIDE, SIDE, Affine(1e-4, 0, 180 - 32e-4, 0, -1e-4, -17), CRS.from_epsg(4326))
TO_360 = Grid(SIDE, SIDE, Affine(1e-4, 0, 282, 0, -1e-4, -17), CRS.from_epsg(4326))
NORTH = Grid(SIDE, SIDE, Affine(10, 0, -5 * SIDE, 0, -10, 5 * SIDE), CRS.from_epsg(3413))
SOUTH = Grid(SIDE, SIDE, Affine(10, 0, -5 * SIDE, 0, -10, 5 * SIDE), CRS.from_epsg(3031))
ALL = {"across": ACROSS, "degrees": DEGREES, "0-360": TO_360, "north": NORTH, "south": SOUTH}


def scene(home: Path, grid: Grid) -> str:
    """Id of a scene: its left half red, its right half green."""
    image = np.empty((3, SIDE, SIDE), np.uint8)
    image[:, :, : SIDE // 2] = np.array(LEFT)[:, None, None]
    image[:, :, SIDE // 2 :] = np.array(RIGHT)[:, None, None]
    path = home.parent / "scene.tif"
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 3, "dtype": "uint8", "photometric": "RGB"}
    with rasterio.open(path, "w", **profile, crs=grid.crs, transform=grid.transform) as file:
        file.write(image)
    return Store(home).add_scene(path, "Scene").id


def tile(address: str) -> NDArray[np.uint8]:
    answer = TestClient(Starlette(routes=routes())).get(address)
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def colour(identity: str, longitude: float, latitude: float, zoom: int = 16) -> tuple[int, ...]:
    """Colour at a place, by the definition of the Web Mercator tile grid."""
    across = (longitude + 180) % 360 / 360 * 2**zoom
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**zoom
    image = tile(f"/tiles/scene/{identity}/{zoom}/{int(across)}/{int(down)}.png")
    return tuple(int(part) for part in image[int(down % 1 * 256), int(across % 1 * 256)])


@pytest.mark.parametrize("name", ["across", "degrees", "0-360"])
def test_every_pixel_lies_where_its_coordinates_say(home: Path, name: str) -> None:
    grid = ALL[name]
    identity = scene(home, grid)
    to_degrees = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    for column, expected in ((2, LEFT), (SIDE // 2 - 3, LEFT), (SIDE // 2 + 3, RIGHT), (SIDE - 3, RIGHT)):
        assert colour(identity, *to_degrees.transform(*grid.xy(20, column))) == (*expected, 255), column
    for column in (-4, SIDE + 4):
        assert colour(identity, *to_degrees.transform(*grid.xy(20, column)))[3] == 0


@pytest.mark.parametrize("name", ["across", "degrees", "0-360"])
def test_a_scene_is_in_one_piece_on_the_map(name: str) -> None:
    (south, west), (north, east) = map_bounds(ALL[name])
    assert -180 <= west < east < west + 0.02
    assert south < north < south + 0.02
    assert (east > 180) == (name != "0-360")


@pytest.mark.parametrize("name", list(ALL))
def test_the_map_and_the_scene_agree_both_ways(name: str) -> None:
    grid = ALL[name]
    (south, west), (north, east) = map_bounds(grid)
    x, y = grid.xy(3, SIDE - 5)
    latitude, longitude = to_map(grid, x, y)
    assert south <= latitude <= north
    assert west <= longitude <= east
    assert grid.rowcol(*from_map(grid, latitude, longitude)) == (3, SIDE - 5)


@pytest.mark.parametrize("name", list(ALL))
def test_what_is_drawn_on_the_map_is_that_part_of_the_scene(name: str) -> None:
    grid = ALL[name]
    corners = [to_map(grid, *grid.transform @ corner) for corner in ((20, 10), (50, 10), (50, 40), (20, 40))]
    ring = [[longitude, latitude] for latitude, longitude in (*corners, corners[0])]
    drawn = drawn_area(grid, [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}])
    region = area_of(grid, drawn).region
    assert (region.row, region.column) == (pytest.approx(10, abs=1), pytest.approx(20, abs=1))
    assert (region.height, region.width) == (pytest.approx(30, abs=2), pytest.approx(30, abs=2))
    again = drawing_on_map(grid, drawn)["coordinates"][0]
    assert np.allclose(again, ring, atol=1e-6 * max(1.0, np.abs(ring).max()))


@pytest.mark.parametrize("name", ["north", "south"])
def test_over_a_pole_a_scene_is_shown_in_its_own_system(home: Path, name: str) -> None:
    grid = ALL[name]
    identity = scene(home, grid)
    assert map_of(grid) == "plane"
    assert map_bounds(grid) == ((-320.0, -320.0), (320.0, 320.0))
    assert native_zoom(grid) == -3
    # At zoom -3 a tile spans 2048 m to the right of x = -2048 or 0, and below y = 2048 or 0.
    left, right = (tile(f"/tiles/scene/{identity}/-3/{x}/-1.png") for x in (-1, 0))
    assert tuple(left[250, 250]) == (*LEFT, 255)
    assert tuple(right[250, 5]) == (*RIGHT, 255)
    assert not left[:200, :, 3].any()
    told = pointer(grid)
    assert "EPSG:" in told["note"]
    # The middle is the pole; half of the way to the right edge is 160 m of the map along one meridian.
    pole, right = (
        [sum(terms[n] * across**i * up**j for n, (i, j) in enumerate((i, j) for i in range(6) for j in range(6 - i)))
         for terms in told["earth"]]
        for across, up in ((0.0, 0.0), (0.5, 0.0))
    )  # fmt: skip
    assert pole == pytest.approx([0, 0, (1 if name == "north" else -1) * 6356752.314245 / 6378137], abs=1e-10)
    longitude, latitude = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(160.0, 0.0)
    assert math.degrees(math.atan2(right[1], right[0])) == pytest.approx(longitude, abs=0.01)
    away = math.hypot(right[0], right[1]) * 6378137
    assert away == pytest.approx(6399593.6 * math.radians(90 - abs(latitude)), rel=1e-4)  # polar radius of curvature


@pytest.mark.parametrize(("name", "latitude"), [("north", 90.0), ("south", -90.0)])
def test_a_scene_over_a_pole_has_all_longitudes_and_the_poles_latitude(name: str, latitude: float) -> None:
    west, south, east, north = ALL[name].to_wgs84_bounds()
    assert (west, east) == (-180.0, 180.0)
    assert latitude in (south, north)
    # True scale is at 70° and 71°: at the pole the projection shrinks the ground, by what its definition says.
    assert float(np.mean(ALL[name].pixel_areas())) == pytest.approx(106.3 if latitude > 0 else 105.7, abs=0.1)


def test_outlines_across_the_line_stay_in_one_piece() -> None:
    ring = [[179.999, 10.0], [-179.999, 10.0], [-179.999, 10.001], [179.999, 10.0]]
    moved = on_map(ACROSS, {"type": "Polygon", "coordinates": [ring]})["coordinates"][0]
    assert [round(x, 3) for x, _ in moved] == [179.999, 180.001, 180.001, 179.999]


@pytest.mark.parametrize("name", ["across", "ground"])
def test_the_pointer_tells_the_scenes_own_coordinates(name: str) -> None:
    grid = ACROSS if name == "across" else Grid(4000, 3000, Affine(10, 0, 4e5, 0, -10, 5.2e6), CRS.from_epsg(32633))
    told = pointer(grid)
    (south, west), (north, east) = map_bounds(grid)
    latitude, longitude = to_map(grid, *grid.xy(10, 20))

    def mercator(degrees: float) -> float:
        return math.asinh(math.tan(math.radians(degrees)))

    across = 2 * (longitude - west) / (east - west) - 1
    up = 2 * (mercator(latitude) - mercator(south)) / (mercator(north) - mercator(south)) - 1
    powers = [across**i * up**j for i in range(6) for j in range(6 - i)]
    found = [sum(term * power for term, power in zip(terms, powers, strict=True)) for terms in told["terms"]]
    assert found == pytest.approx(grid.xy(10, 20), abs=1.0)
    assert told["system"] == f"EPSG:{grid.crs.to_epsg()}"
