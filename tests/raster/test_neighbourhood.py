"""Ruggedness, roughness, position and relief of ground small enough to do by hand."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from core.errors import GridError, InputError
from core.raster.elevations import Elevations
from core.raster.grid import Grid
from core.raster.neighbourhood import MOST_CELLS, Spans, annulus, disc, relief, roughness, tpi, tri

UTM = CRS.from_epsg(32633)
SQUARE = Affine(10, 0, 500_000, 0, -10, 5_000_000)
GROUND = np.array(
    [[50, 45, 50, 62, 70], [30, 30, 30, 41, 66], [8, 10, 10, 25, 52], [4, 9, 14, 31, 40], [2, 3, 20, 33, 37.0]]
)


def grid_of(z: np.ndarray, transform: Affine = SQUARE, crs: CRS = UTM) -> Grid:
    return Grid(z.shape[1], z.shape[0], transform, crs)


def tpi_of(z: np.ndarray, inner: float, outer: float, transform: Affine = SQUARE) -> np.ndarray:
    ring = annulus(grid_of(z, transform), inner, outer)
    return tpi(Elevations.of(z, grid_of(z), margin=ring.reach), ring)


def test_ruggedness_is_the_root_of_the_summed_squares() -> None:
    z = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    # 16 + 9 + 4 + 1 + 1 + 4 + 9 + 16
    assert tri(Elevations.of(z, grid_of(z)))[1, 1] == pytest.approx(60**0.5)


def test_the_numbers_of_gdaldem() -> None:
    """What gdaldem TRI, roughness and TPI of GDAL 3.10.3 write for the same ground."""
    elevations = Elevations.of(GROUND, grid_of(GROUND))
    inside = np.s_[1:-1, 1:-1]
    np.testing.assert_allclose(
        tri(elevations)[inside],
        [[48.052055, 50.941143, 58.711159], [35.454197, 49.436829, 57.428215], [16.093477, 31.38471, 38.065731]],
        atol=1e-5,
    )
    np.testing.assert_array_equal(roughness(elevations)[inside], [[42, 52, 60], [26, 32, 56], [18, 30, 42]])
    np.testing.assert_array_equal(
        tpi_of(GROUND, 0, 14.2)[inside], [[0.875, -4.125, -4.625], [-6.875, -13.75, -10.5], [0.125, -3.625, 2.125]]
    )


def test_position_is_told_from_the_ring_alone() -> None:
    z = np.full((5, 5), 1000.0)
    z[[1, 1, 3, 3], [1, 3, 1, 3]] = 1.0  # 14.1 m away
    z[[0, 2, 2, 4], [2, 0, 4, 2]] = 3.0  # 20 m away
    z[2, 2] = 5.0
    assert tpi_of(z, 14, 20)[2, 2] == 5.0 - 2.0


def test_a_ring_has_the_shape_of_the_ground_and_not_of_the_cells() -> None:
    oblong = grid_of(GROUND, Affine(10, 0, 500_000, 0, -20, 5_000_000))
    assert annulus(oblong, 0, 20) == Spans(((-1, 0, 0), (0, -2, 2), (1, 0, 0)), ((0, 0, 0),))
    turned = SQUARE @ Affine.rotation(45)
    assert disc(grid_of(GROUND, turned), 20) == disc(grid_of(GROUND), 20)
    # At 60° north a degree of longitude is half as long as one of latitude.
    north = Grid(5, 5, Affine(1e-4, 0, 10, 0, -1e-4, 60), CRS.from_epsg(4326))
    assert disc(north, 11.2).outer == ((-1, 0, 0), (0, -2, 2), (1, 0, 0))


def test_a_sheared_grid_finds_its_neighbours_too() -> None:
    sheared = grid_of(np.zeros((9, 9)), Affine(10, 10, 500_000, 0, -10, 5_000_000))
    # One row down lies one column to the left of straight below.
    assert disc(sheared, 10).outer == ((-1, 1, 1), (0, -1, 1), (1, -1, -1))
    z = np.zeros((9, 9))
    z[5, 3] = 8.0
    within = disc(sheared, 10)
    found = relief(Elevations.of(z, sheared, margin=within.reach), within)
    assert (found[4, 4], found[5, 3], found[6, 2], found[5, 4], found[4, 3]) == (8, 8, 8, 8, 0)


def test_relief_is_the_range_within_the_radius() -> None:
    z = np.zeros((9, 9))
    z[4, 6], z[2, 5] = 7.0, -50.0  # 20 and 22.4 m from the middle
    within = disc(grid_of(z), 20)
    found = relief(Elevations.of(z, grid_of(z), margin=within.reach), within)
    assert within.count == 13
    assert (found[4, 4], found[3, 5], found[8, 0]) == (7, 57, 0)


def test_unknown_neighbours_take_no_part_until_most_are_unknown() -> None:
    z = np.full((21, 21), 10.0)
    z[:, 11:] = np.nan
    z[10, 10] = 14.0
    within = disc(grid_of(z), 50)
    positions = tpi_of(z, 0, 50)
    ranges = relief(Elevations.of(z, grid_of(z), margin=within.reach), within)
    assert (positions[10, 10], ranges[10, 10]) == (4.0, 4.0)
    assert np.isnan(positions[:, 11:]).all()
    assert np.isnan(ranges[:, 11:]).all()
    assert (positions[0, 0], ranges[0, 0]) == (0.0, 0.0)  # a quarter of the neighbourhood
    z[:, 1:] = np.nan
    assert np.isnan(tpi_of(z, 0, 50)[0, 0])


def test_three_by_three_cells_must_all_be_known() -> None:
    z = GROUND.copy()
    z[1, 1] = np.nan
    for one in (tri, roughness):
        found = one(Elevations.of(z, grid_of(z)))
        assert np.isfinite(found).sum() == 5
        assert np.isnan(found[1:3, 1:3]).all()


def test_radii_that_find_nothing_or_too_much_are_refused() -> None:
    grid = grid_of(GROUND)
    with pytest.raises(GridError, match="10 m wide"):
        disc(grid, 9)
    with pytest.raises(GridError, match="ring of 11 to 13 m"):
        annulus(grid, 11, 13)
    with pytest.raises(GridError, match="smaller radius"):
        disc(grid, 10.1 * MOST_CELLS)
    with pytest.raises(GridError, match="coordinate system"):
        disc(Grid(5, 5, Affine.identity(), None), 10)


def test_fill_values_that_are_not_declared_are_not_summed() -> None:
    z = np.full((5, 5), -3.4e38)
    with pytest.raises(InputError, match="Declare the nodata value"):
        tpi_of(z, 0, 20)
