"""Surfaces with known derivatives have known curvature, however their grid lies."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Geod
from rasterio.crs import CRS

from core.errors import GridError
from core.raster.curvature import curvature
from core.raster.grid import Grid
from core.raster.terrain import slope_aspect

UTM = CRS.from_epsg(32633)
METHODS = ("zevenbergen_thorne", "horn")
MIDDLE = Affine.translation(500_000, 5_000_000)
LAYOUTS = {
    "north-up": MIDDLE @ Affine.scale(10, -10),
    "south-up": MIDDLE @ Affine.scale(10, 10),
    "oblong": MIDDLE @ Affine.scale(5, -20),
    "rotated": MIDDLE @ Affine.rotation(33) @ Affine.scale(10, -10),
    "sheared": MIDDLE @ Affine.shear(20, 0) @ Affine.scale(10, -10),
}
# By hand from the derivatives p 0.2, q -0.1, r 0.006, s 0.001, t -0.004.
SLOPE, ASPECT, PROFILE, PLAN, TANGENTIAL = 12.604383, 296.565051, -0.002974172, 0.005366563, 0.001171080


def places(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """East and north of each cell's centre from that of the middle cell."""
    rows, columns = np.mgrid[: grid.height, : grid.width] + 0.5
    x, y = grid.transform @ (columns, rows)
    x0, y0 = grid.transform @ (grid.width / 2, grid.height / 2)
    return x - x0, y - y0


def quadric(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 100 + 0.2 * x - 0.1 * y + 0.003 * x**2 - 0.002 * y**2 + 0.001 * x * y


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("method", METHODS)
def test_a_quadric_has_the_curvature_of_its_derivatives(layout: str, method: str) -> None:
    grid = Grid(3, 3, LAYOUTS[layout], UTM)
    z = quadric(*places(grid))

    slope, aspect = slope_aspect(z, grid, method=method, distances="map")
    found = curvature(z, grid, method=method, distances="map")

    assert (slope[1, 1], aspect[1, 1]) == pytest.approx((SLOPE, ASPECT), abs=1e-6)
    assert found.profile[1, 1] == pytest.approx(PROFILE, abs=1e-9)
    assert found.plan[1, 1] == pytest.approx(PLAN, abs=1e-9)
    assert found.tangential[1, 1] == pytest.approx(TANGENTIAL, abs=1e-9)


@pytest.mark.parametrize("turn", [0.0, 0.7, 4.0])
def test_a_dome_is_convex_by_its_radius(turn: float) -> None:
    grid = Grid(3, 3, MIDDLE @ Affine.scale(2, -2), UTM)
    x, y = places(grid)
    x, y = x + 250 * math.cos(turn), y + 250 * math.sin(turn)
    found = curvature(np.sqrt(500.0**2 - x**2 - y**2), grid, distances="map")

    # At 30° of slope; the contour is a circle of 500 m × sin 30°.
    assert found.profile[1, 1] == pytest.approx(1 / 500, rel=1e-4)
    assert found.tangential[1, 1] == pytest.approx(1 / 500, rel=1e-4)
    assert found.plan[1, 1] == pytest.approx(1 / 250, rel=1e-4)


def test_degrees_are_measured_in_metres_each_way() -> None:
    step, latitude = 1e-4, 60.0
    grid = Grid(3, 3, Affine(step, 0, 10, 0, -step, latitude + 1.5 * step), CRS.from_epsg(4326))
    geod = Geod(ellps="WGS84")
    east = geod.inv(10, latitude, 10 + step, latitude)[2] / step
    north = geod.inv(10, latitude - step / 2, 10, latitude + step / 2)[2] / step
    x, y = places(grid)
    found = curvature(quadric(x * east, y * north), grid)

    assert north / east == pytest.approx(2.0, abs=0.01)
    assert found.profile[1, 1] == pytest.approx(PROFILE, rel=1e-4)
    assert found.plan[1, 1] == pytest.approx(PLAN, rel=1e-4)


def test_the_scale_of_a_projection_is_taken_out() -> None:
    grid = Grid(3, 3, LAYOUTS["north-up"], UTM)
    z = 0.003 * places(grid)[0] ** 2 + places(grid)[0] * 1e-3  # barely tilted, so that profile is the second derivative

    on_map, on_ground = curvature(z, grid, distances="map"), curvature(z, grid)

    # On the central meridian a metre of the grid is 1/0.9996 metres on the ground.
    assert on_ground.profile[1, 1] / on_map.profile[1, 1] == pytest.approx(0.9996**2, abs=2e-6)


@pytest.mark.parametrize("method", METHODS)
def test_flat_ground_is_not_curved_and_the_edge_is_unknown(method: str) -> None:
    grid = Grid(5, 4, LAYOUTS["north-up"], UTM)
    found = curvature(np.full(grid.shape, 7.0), grid, method=method)
    for one in (found.plan, found.profile, found.tangential):
        assert (one[1:-1, 1:-1] == 0).all()
        assert np.isnan(one).sum() == 20 - 6


def test_a_summit_is_flat_though_it_bends() -> None:
    grid = Grid(3, 3, LAYOUTS["north-up"], UTM)
    x, y = places(grid)
    z = -0.01 * (x**2 + y**2)
    assert curvature(z, grid).plan[1, 1] == 0
    assert np.isnan(slope_aspect(z, grid, method="zevenbergen_thorne")[1]).all()


@pytest.mark.parametrize("place", [(2, 2), (2, 3), (3, 3)])
@pytest.mark.parametrize("method", METHODS)
def test_unknown_ground_makes_the_cells_beside_it_unknown(place: tuple[int, int], method: str) -> None:
    grid = Grid(7, 7, LAYOUTS["north-up"], UTM)
    z = quadric(*places(grid))
    z[place] = np.nan
    expected = np.ones(grid.shape, dtype=bool)
    expected[1:-1, 1:-1] = False
    expected[place[0] - 1 : place[0] + 2, place[1] - 1 : place[1] + 2] = True
    np.testing.assert_array_equal(np.isnan(curvature(z, grid, method=method).profile), expected)
    np.testing.assert_array_equal(np.isnan(slope_aspect(z, grid, method=method)[0]), expected)


def test_cells_without_coordinates_have_no_curvature() -> None:
    with pytest.raises(GridError, match="coordinate system"):
        curvature(np.zeros((4, 4)), Grid(4, 4, Affine.identity(), None))


@pytest.mark.realdata
def test_all_cells_of_a_published_raster_are_met(shared_data: Path) -> None:
    """The terrain of Muenchow et al. 2012, as SAGA defines it: bands of slope and curvature beside their elevations."""
    with rasterio.open(shared_data / "ecuador_lsl" / "ta.tif") as raster:
        bands = dict(zip(raster.descriptions, raster.read().astype(np.float64), strict=True))
        grid = Grid(raster.width, raster.height, raster.transform, raster.crs)

    slope, aspect = slope_aspect(bands["elev"], grid, method="zevenbergen_thorne", distances="map")
    found = curvature(bands["elev"], grid, distances="map")

    for ours, theirs, precision in (
        (slope, bands["slope"], 4e-6), (found.plan, bands["cplan"], 2e-7), (found.profile, bands["cprof"], 7.5e-9),
    ):  # fmt: skip
        both = np.isfinite(ours) & np.isfinite(theirs)
        assert both.sum() == np.isfinite(ours).sum() == 156_734
        assert np.abs(ours - theirs)[both].max() < precision
    assert np.isfinite(aspect).sum() == 156_732  # two cells are flat
