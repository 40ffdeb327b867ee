"""A tilted plane has a known slope and faces a known way, however its grid lies."""

import math

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from rasterio.crs import CRS

from core.errors import GridError, InputError
from core.raster.grid import Grid
from core.raster.terrain import hillshade, slope_aspect, slope_aspect_at

UTM = CRS.from_epsg(32633)
ORIGIN = Affine.translation(500_000, 5_000_000)
NORTH_UP = ORIGIN * Affine.scale(10, -10)
LAYOUTS = {
    "north-up": NORTH_UP,
    "south-up": ORIGIN * Affine.scale(10, 10),
    "mirrored": ORIGIN * Affine.scale(-10, -10),
    "rotated": ORIGIN * Affine.rotation(33) * Affine.scale(10, -10),
    "oblong": ORIGIN * Affine.scale(5, -20),
    "sheared": ORIGIN * Affine.shear(20, 0) * Affine.scale(10, -10),
}
# On the central meridian of a UTM zone a metre of the grid is 1/0.9996 metres on the ground.
UTM_SCALE = 0.9996


def centres(grid):
    rows, columns = np.mgrid[: grid.height, : grid.width] + 0.5
    return grid.transform * (columns, rows)


def plane(grid, slope, aspect):
    """Ground that falls by `slope` degrees towards `aspect`, in grid metres."""
    x, y = centres(grid)
    fall = math.tan(math.radians(slope))
    east, north = math.sin(math.radians(aspect)), math.cos(math.radians(aspect))
    return 1000.0 - fall * ((x - 500_000) * east + (y - 5_000_000) * north)


def difference_of_directions(one, other):
    return np.abs((one - other + 180) % 360 - 180)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("aspect", [0, 45, 90, 135, 180, 225, 270, 315])
def test_tilted_plane_has_its_slope_and_aspect(layout, aspect):
    grid = Grid(7, 6, LAYOUTS[layout], UTM)
    slope, found = slope_aspect(plane(grid, 25.0, aspect), grid)
    expected = math.degrees(math.atan(math.tan(math.radians(25)) * UTM_SCALE))
    np.testing.assert_allclose(slope[1:-1, 1:-1], expected, atol=1e-3)
    assert difference_of_directions(found[1:-1, 1:-1], aspect).max() < 1e-6


def test_values_by_hand_for_horns_kernel():
    # Horn: dz/dx = ((c+2f+i) - (a+2d+g)) / (8 · 10 m), dz/dy with rows from south to north.
    z = np.array([[50.0, 45, 50], [30, 30, 30], [8, 10, 10]])
    grid = Grid(3, 3, NORTH_UP, UTM)
    by_x = ((50 + 60 + 10) - (50 + 60 + 8)) / 80 * UTM_SCALE
    by_y = ((50 + 90 + 50) - (8 + 20 + 10)) / 80 * UTM_SCALE
    slope, aspect = slope_aspect(z, grid)
    assert slope[1, 1] == pytest.approx(math.degrees(math.atan(math.hypot(by_x, by_y))), abs=1e-3)
    assert aspect[1, 1] == pytest.approx(math.degrees(math.atan2(-by_x, -by_y)) % 360, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_flat_ground_faces_nowhere(dtype):
    slope, aspect = slope_aspect(np.full((4, 5), 137, dtype=dtype), Grid(5, 4, NORTH_UP, UTM))
    assert (slope[1:-1, 1:-1] == 0).all()
    assert np.isnan(aspect).all()


def test_the_edge_is_unknown_and_a_tiny_dem_has_only_edge():
    grid = Grid(6, 5, NORTH_UP, UTM)
    slope, aspect = slope_aspect(plane(grid, 10, 200), grid)
    inside = np.zeros(grid.shape, dtype=bool)
    inside[1:-1, 1:-1] = True
    np.testing.assert_array_equal(np.isfinite(slope), inside)
    np.testing.assert_array_equal(np.isfinite(aspect), inside)
    small = Grid(2, 1, NORTH_UP, UTM)
    assert np.isnan(slope_aspect(np.zeros((1, 2)), small)[0]).all()


@pytest.mark.parametrize("place", [(r, c) for r in range(2, 5) for c in range(2, 5)])
@pytest.mark.parametrize("how", ["nan", "infinite", "mask"])
def test_nodata_makes_its_neighbours_unknown_and_nothing_else(place, how):
    grid = Grid(7, 7, NORTH_UP, UTM)
    dem, valid = plane(grid, 30, 60), None
    full, _ = slope_aspect(dem, grid)
    if how == "mask":
        dem[place] = -9999
        valid = np.ones(grid.shape, dtype=bool)
        valid[place] = False
    else:
        dem[place] = np.nan if how == "nan" else np.inf
    slope, aspect = slope_aspect(dem, grid, valid=valid)
    shade = hillshade(dem, grid, valid=valid)
    row, column = place
    beside = np.zeros(grid.shape, dtype=bool)
    beside[row - 1 : row + 2, column - 1 : column + 2] = True
    expected = np.where(beside, np.nan, full)
    np.testing.assert_array_equal(slope, expected)
    np.testing.assert_array_equal(np.isnan(aspect), np.isnan(expected))
    np.testing.assert_array_equal(np.isnan(shade), np.isnan(expected))


@pytest.mark.parametrize("latitude", [0.0, 46.0, -70.0])
def test_degrees_are_measured_in_metres(latitude):
    step = 1 / 3600
    grid = Grid(5, 5, Affine(step, 0, 10, 0, -step, latitude), CRS.from_epsg(4326))
    x, y = centres(grid)
    middle = latitude - 2.5 * step
    geod = Geod(ellps="WGS84")
    east = geod.inv(10, middle, 10 + step, middle)[2]
    north = geod.inv(10, middle - step / 2, 10, middle + step / 2)[2]
    slope, aspect = slope_aspect(5.0 * (x - 10) / step, grid)
    assert slope[2, 2] == pytest.approx(math.degrees(math.atan(5 / east)), rel=1e-4)
    assert aspect[2, 2] == pytest.approx(270)
    slope, aspect = slope_aspect(5.0 * (y - latitude) / step, grid)
    assert slope[2, 2] == pytest.approx(math.degrees(math.atan(5 / north)), rel=1e-4)
    assert aspect[2, 2] == pytest.approx(180)


def test_rows_of_a_tall_geographic_grid_differ_in_width():
    grid = Grid(3, 600, Affine(0.1, 0, 0, 0, -0.1, 60), CRS.from_epsg(4326))
    x, _ = centres(grid)
    slope, _ = slope_aspect(x * 1000, grid)
    north, equator = np.tan(np.radians(slope[1, 1])), np.tan(np.radians(slope[598, 1]))
    assert north / equator == pytest.approx(1 / math.cos(math.radians(59.85)), rel=5e-3)


def test_rotated_geographic_grid_faces_the_right_way():
    turned = Affine.translation(10, 46) * Affine.rotation(30) * Affine.scale(1e-3, -1e-3)
    grid = Grid(5, 5, turned, CRS.from_epsg(4326))
    _, y = centres(grid)
    _, aspect = slope_aspect(1e5 * y, grid)
    np.testing.assert_allclose(aspect[1:-1, 1:-1], 180.0, atol=1e-6)


def test_the_stretch_of_web_mercator_is_taken_out():
    grid = Grid(5, 5, Affine(20, 0, 0, 0, -20, 8_399_738), CRS.from_epsg(3857))  # 60 degrees north
    x, _ = centres(grid)
    slope, _ = slope_aspect(x * 0.25, grid)
    assert slope[2, 2] == pytest.approx(math.degrees(math.atan(0.5)), abs=0.1)


def test_feet_are_turned_into_metres():
    grid = Grid(5, 5, Affine(10, 0, 2_000_000, 0, -10, 700_000), CRS.from_epsg(2263))
    x, _ = centres(grid)
    slope, _ = slope_aspect(x * 0.3048 * 0.5, grid)
    assert slope[2, 2] == pytest.approx(math.degrees(math.atan(0.5)), abs=0.1)


def test_pixels_without_coordinates_have_no_slope():
    with pytest.raises(GridError, match="coordinate system"):
        slope_aspect(np.zeros((4, 4)), Grid(4, 4, Affine.identity(), None))


def test_another_shape_than_the_grid_is_refused():
    with pytest.raises(InputError, match="shape"):
        slope_aspect(np.zeros((4, 5)), Grid(4, 5, NORTH_UP, UTM))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(LAYOUTS)))
def test_some_pixels_have_the_values_of_all(seed, layout):
    random = np.random.default_rng(seed)
    dem = random.normal(1000, 20, (6, 8)).astype(np.float32)
    dem[random.random(dem.shape) < 0.05] = np.nan
    grid = Grid(8, 6, LAYOUTS[layout], UTM)
    rows, columns = np.nonzero(random.random(dem.shape) < 0.5)
    for whole, some in zip(slope_aspect(dem, grid), slope_aspect_at(dem, grid, rows, columns), strict=True):
        np.testing.assert_array_equal(some, whole[rows, columns])
        assert whole.dtype == np.float32


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hillshade_is_the_cosine_between_light_and_ground(layout):
    grid = Grid(5, 5, LAYOUTS[layout], UTM)
    altitude = 40.0
    flat = hillshade(np.zeros(grid.shape), grid, altitude=altitude)
    assert flat[2, 2] == pytest.approx(math.sin(math.radians(altitude)))
    facing = hillshade(plane(grid, 50.0, 315), grid, azimuth=315, altitude=altitude)
    assert facing[2, 2] == pytest.approx(1.0, abs=1e-6)
    away = hillshade(plane(grid, 60.0, 135), grid, azimuth=315, altitude=altitude)
    assert away[2, 2] == 0.0
    raised = hillshade(plane(grid, 20.0, 315), grid, altitude=altitude, exaggeration=2)
    steep = math.degrees(math.atan(2 * math.tan(math.radians(20)) * UTM_SCALE))
    assert raised[2, 2] == pytest.approx(math.cos(math.radians(90 - altitude - steep)), abs=1e-4)
