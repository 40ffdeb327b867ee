import math

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.grid import Grid
from tests.raster.conftest import TRANSFORMS, UTM

EARTH_M2 = 510_065_621_724_089  # surface of the WGS 84 ellipsoid


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_pixel_of_ten_metres_in_utm_covers_a_hundred_square_metres(transform: Affine) -> None:
    grid = Grid(70, 45, transform, UTM)

    assert grid.pixel_areas() == pytest.approx(100, rel=1e-3)
    assert grid.ground_distance() == pytest.approx(10, rel=1e-3)


def test_pixels_of_degrees_add_up_to_the_earth() -> None:
    grid = Grid(360, 180, Affine(1, 0, -180, 0, -1, 90), CRS.from_epsg(4326))

    areas = grid.pixel_areas()

    assert areas.shape == (180, 1)
    assert areas.sum() * 360 == pytest.approx(EARTH_M2, rel=1e-4)
    assert np.array_equal(grid.pixel_areas(slice(10, 12)), areas[10:12])


def test_web_mercator_pixel_at_sixty_degrees_has_half_its_nominal_size() -> None:
    grid = Grid(64, 64, Affine(1, 0, 0, 0, -1, 8_399_738), CRS.from_epsg(3857))

    assert grid.ground_distance() == pytest.approx(0.5, rel=5e-3)


def test_decimetre_pixels_do_not_lose_their_area_to_rounding() -> None:
    grid = Grid(50, 50, Affine(0.2, 0, 650_000, 0, -0.2, 9_560_000), UTM)

    assert grid.pixel_areas() == pytest.approx(0.04, rel=1e-3)


def test_a_degree_at_the_equator_is_as_long_as_the_ellipsoid_says() -> None:
    # One degree of longitude is 111,319.49 m there, of latitude 110,574.39 m.
    grid = Grid(1, 1, Affine(0.01, 0, 0, 0, -0.01, 0.005), CRS.from_epsg(4326))

    assert grid.ground_distance() == pytest.approx(math.sqrt(1113.1949 * 1105.7428), rel=1e-5)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_pixel_centre_lies_in_its_pixel_and_not_in_the_transposed_one(transform: Affine) -> None:
    grid = Grid(70, 45, transform, UTM)

    assert grid.rowcol(*grid.xy(12, 34)) == (12, 34)
    assert grid.pixel_polygon(12, 34).centroid.coords[0] == pytest.approx(grid.xy(12, 34))


def test_bounds_of_a_south_up_raster_have_left_below_right() -> None:
    assert Grid(70, 45, TRANSFORMS["south-up"], UTM).bounds == (650_000, 9_550_000, 650_700, 9_550_450)


def test_bounds_of_a_rotated_raster_hold_all_its_corners() -> None:
    grid = Grid(70, 45, TRANSFORMS["rotated"], UTM)

    assert grid.outline().bounds == pytest.approx(grid.bounds)
    assert grid.outline().area == pytest.approx(70 * 45 * 100)


def test_window_keeps_every_pixel_at_its_place(utm_grid: Grid) -> None:
    part = utm_grid.window(Window(20, 10, 30, 15))

    assert part.shape == (15, 30)
    assert part.xy(0, 0) == utm_grid.xy(10, 20)


def test_resizing_keeps_the_ground(utm_grid: Grid) -> None:
    assert utm_grid.resized(35, 90).bounds == pytest.approx(utm_grid.bounds)


def test_place_on_the_globe(utm_grid: Grid) -> None:
    # Central meridian of zone 17 is 81° W; 650 km east is 150 km from it, and 440 km south of the equator.
    west, south, east, north = utm_grid.to_wgs84_bounds()

    assert west == pytest.approx(-79.65, abs=0.01)
    assert north == pytest.approx(-3.98, abs=0.01)
    assert west < east
    assert south < north


def test_pixel_space_has_no_place_and_counts_pixels() -> None:
    grid = Grid(70, 45, Affine.identity(), None)

    assert not grid.is_georeferenced
    assert grid.ground_distance() is None
    assert grid.to_wgs84_bounds() is None
    assert grid.pixel_areas() == 1.0


@pytest.mark.parametrize(
    "transform", [Affine(0, 0, 0, 0, -1, 0), Affine(math.nan, 0, 0, 0, -1, 0), Affine(1, 1, 0, 1, 1, 0)]
)
def test_degenerate_transform_is_refused(transform: Affine) -> None:
    with pytest.raises(GridError, match="transform"):
        Grid(5, 5, transform, UTM)


def test_coordinates_outside_the_coordinate_system_are_named() -> None:
    grid = Grid(10, 10, Affine(10, 0, 1e9, 0, -10, 1e9), UTM)

    with pytest.raises(GridError, match="outside"):
        grid.ground_distance()


def test_digest_text_tells_grids_apart(utm_grid: Grid) -> None:
    same = Grid(70, 45, utm_grid.transform, CRS.from_wkt(UTM.to_wkt()))
    moved = Grid(70, 45, TRANSFORMS["south-up"], UTM)

    assert same.digest_text() == utm_grid.digest_text()
    assert len({moved.digest_text(), utm_grid.digest_text(), utm_grid.resized(69, 45).digest_text()}) == 3


def test_a_stated_pixel_size_measures_an_image_without_crs() -> None:
    grid = Grid(40, 30, Affine.identity(), None)
    assert (grid.in_metres, grid.ground_distance(), grid.assumption) == (False, None, "")

    stated = grid.with_pixel_size(0.5)

    assert stated.in_metres
    assert not stated.is_georeferenced
    assert stated.ground_distance() == 0.5
    assert stated.pixel_areas() == 0.25
    assert stated.assumption == "Areas assume a pixel size of 0.50 m, entered by hand"
    assert grid.with_pixel_size(0.125).assumption.startswith("Areas assume a pixel size of 0.125 m")
    assert stated.window(Window(3, 4, 10, 10)).pixel_areas() == 0.25, "a part has the same pixels"
    assert stated.resized(20, 15).ground_distance() == pytest.approx(1.0), "half as many are twice as large"
    assert Grid.from_json(stated.to_json()) == stated
    assert Grid.from_json(grid.to_json()) == grid
    assert stated.with_pixel_size(None) == grid


@pytest.mark.parametrize("size", [0.0, -0.5, math.nan, math.inf, 1e9, 1e-9])
def test_what_is_no_size_of_a_pixel_is_refused(size: float) -> None:
    with pytest.raises(InputError, match=r"must be between 0\.001 m and 10,000 m"):
        Grid(40, 30, Affine.identity(), None).with_pixel_size(size)


def test_a_coordinate_system_is_not_contradicted(utm_grid: Grid) -> None:
    with pytest.raises(InputError, match="has a coordinate system"):
        utm_grid.with_pixel_size(0.5)
