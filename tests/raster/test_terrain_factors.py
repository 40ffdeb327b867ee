"""Terrain factors are the same however the raster is cut, and nothing unknown comes out as a number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import GridError, InputError, RunCancelled
from core.raster import terrain_factors
from core.raster.curvature import curvature
from core.raster.grid import Grid
from core.raster.hydrology import MOST_PIXELS
from core.raster.terrain import hillshade, slope_aspect
from core.raster.terrain_factors import FLAT, TERRAIN, TerrainOptions, check_terrain, derive, described

UTM = CRS.from_epsg(32633)
SQUARE = Affine(10, 0, 500_000, 0, -10, 5_000_000)
GRIDS = {
    "metres": Grid(61, 47, SQUARE, UTM),
    "degrees": Grid(61, 47, Affine(1.3e-4, 0, 10, 0, -1e-4, 60), CRS.from_epsg(4326)),
    "web mercator": Grid(61, 47, Affine(20, 0, 0, 0, -20, 8_399_738), CRS.from_epsg(3857)),
    "rotated": Grid(61, 47, SQUARE @ Affine.rotation(20) @ Affine.scale(1, 2), UTM),
}
OPTIONS = TerrainOptions(stream_km2=0.002, tpi_inner_m=30, tpi_outer_m=60, relief_radius_m=50)


def rough(grid: Grid) -> np.ndarray:
    rows, columns = np.mgrid[: grid.height, : grid.width]
    z = np.random.default_rng(3).normal(1200, 4, grid.shape) - 3.0 * rows + 20 * np.sin(columns / 9)
    z[12:15, 30:33] = np.nan
    z[30:36, 5:11] = 900.0
    return z


def derived(z: np.ndarray, grid: Grid, names: Sequence[str], options: TerrainOptions = OPTIONS) -> np.ndarray:
    found = np.full((len(names), *grid.shape), -1e9, dtype=np.float32)
    times = np.zeros(grid.shape, dtype=int)

    def read(window: Window) -> np.ndarray:
        assert min(window.row_off, window.col_off) >= 0
        assert window.row_off + window.height <= grid.height
        assert window.col_off + window.width <= grid.width
        return z[window.toslices()]

    for window, values in derive(read, grid, names, options):
        assert values.dtype == np.float32
        times[window.toslices()] += 1
        found[(slice(None), *window.toslices())] = values
    assert (times == 1).all()
    return found


@pytest.mark.parametrize("place", GRIDS)
@pytest.mark.parametrize("method", ["horn", "zevenbergen_thorne"])
def test_windows_have_the_values_of_the_whole(place: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grid, names = GRIDS[place], tuple(TERRAIN)
    z, options = rough(grid), TerrainOptions(method, 0.002, 30, 60, 50)
    whole = derived(z, grid, names, options)
    for block in (16, 23):
        monkeypatch.setattr(terrain_factors, "BLOCK", block)
        np.testing.assert_array_equal(derived(z, grid, names, options), whole)

        # A factor does not depend on what else is derived, nor on the margin that others need.
        for band, name in enumerate(names):
            np.testing.assert_array_equal(derived(z, grid, [name], options)[0], whole[band], err_msg=name)

    by_name = dict(zip(names, whole, strict=True))
    slope, aspect = slope_aspect(z, grid, method=method)
    aspect = np.where(np.isnan(aspect) & np.isfinite(slope), FLAT, aspect)
    curved = curvature(z, grid, method=method)
    for name, values in (
        ("elevation", z), ("slope", slope), ("aspect", aspect), ("plan_curvature", curved.plan),
        ("profile_curvature", curved.profile), ("tangential_curvature", curved.tangential),
    ):  # fmt: skip
        np.testing.assert_array_equal(by_name[name], values.astype(np.float32), err_msg=name)
    if method == "horn":
        np.testing.assert_array_equal(by_name["hillshade"], hillshade(z, grid).astype(np.float32))
    assert (by_name["aspect"] == FLAT).sum() == 16  # the inner cells of the level ground
    for name, values in by_name.items():
        assert np.isnan(values[12:15, 30:33]).all(), name
        assert np.isfinite(values[20:30, 15:30]).all(), name


def test_a_tilted_plane_has_its_wetness_and_stream_power() -> None:
    grid = Grid(9, 12, SQUARE, UTM)
    rows = np.mgrid[:12, :9][0]
    options = TerrainOptions(distances="map", stream_km2=0.0009)
    area, twi, spi, away = derived(
        500.0 - 2.0 * rows, grid, ("flow_accumulation", "twi", "spi", "stream_distance"), options
    )
    # Row r has gathered r + 1 cells of 100 m² over a width of 10 m; tangent 0.2. From 900 m² on, row 8, it is a stream.
    assert (area[7, 4], area[8, 4]) == (800, 900)
    np.testing.assert_allclose(twi[1:-1, 1:-1], np.log((rows[1:-1, 1:-1] + 1) * 10 / 0.2), rtol=1e-6)
    np.testing.assert_allclose(spi[1:-1, 1:-1], (rows[1:-1, 1:-1] + 1) * 10 * 0.2, rtol=1e-6)
    np.testing.assert_array_equal(away, 10.0 * np.maximum(8 - rows, 0))


def test_slope_and_aspect_are_those_of_gdaldem() -> None:
    """What gdaldem slope and aspect of GDAL 3.10.3 write, with either algorithm."""
    z = np.array(
        [[50, 45, 50, 62, 70], [30, 30, 30, 41, 66], [8, 10, 10, 25, 52], [4, 9, 14, 31, 40], [2, 3, 20, 33, 37.0]]
    )
    grid = Grid(5, 5, SQUARE, UTM)
    theirs = {
        "horn": (
            [[62.243504, 63.620968, 66.959206], [46.789032, 48.078907, 63.235767], [27.266045, 48.818859, 54.35162]],
            [[180.753845, 199.558258, 225.430786], [189.462311, 225, 246.991135], [255.96376, 283.276398, 275.659485]],
        ),
        "zevenbergen_thorne": (
            [[60.255119, 64.261162, 68.822662], [46.526348, 47.637638, 65.144493], [31.396877, 50.388641, 53.676132]],
            [[180.0, 195.376251, 224.215179], [185.440338, 223.15239, 256.607483], [235.00798, 294.44397, 287.102722]],
        ),
    }
    for method, expected in theirs.items():
        found = derived(z, grid, ("slope", "aspect"), TerrainOptions(method, distances="map"))[:, 1:-1, 1:-1]
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_titles_name_the_cells_that_a_factor_is_taken_of() -> None:
    assert described("tpi", OPTIONS).title == "Topographic position index (ring of 30–60 m)"
    assert described("relief", OPTIONS).title == "Local relief (range within 50 m)"
    assert described("stream_distance", OPTIONS).title == "Distance to streams (straight line, from 0.002 km²)"
    assert described("roughness", OPTIONS) == TERRAIN["roughness"]
    whole = [name for name, one in TERRAIN.items() if one.whole]
    assert sorted(whole) == ["flow_accumulation", "spi", "stream_distance", "twi"]
    assert [name for name, one in TERRAIN.items() if one.kind == "aspect"] == ["aspect"]


@pytest.mark.parametrize(
    ("names", "message"),
    [((), "No terrain factor"), (("slope", "height"), "'height'.*elevation"), (("slope", "slope"), "twice")],
)
def test_names_are_checked(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_terrain(names, GRIDS["metres"], OPTIONS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "evans"}, "'evans'"),
        ({"distances": "air"}, "'air'"),
        ({"stream_km2": 0.0}, "streams"),
        ({"stream_km2": math.nan}, "streams"),
        ({"relief_radius_m": -1.0}, "relief"),
        ({"tpi_outer_m": math.inf}, "outer radius"),
        ({"tpi_inner_m": 300.0}, "from 300 to 300 m"),
        ({"tpi_inner_m": -1.0}, "from -1"),
    ],
)
def test_options_are_checked(values: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TerrainOptions(**values)


def test_only_what_needs_all_of_a_large_raster_is_refused() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    large = Grid(side, side, SQUARE, UTM)
    check_terrain([name for name, one in TERRAIN.items() if not one.whole], large, TerrainOptions())
    with pytest.raises(GridError, match="larger cells, or leave out"):
        check_terrain(("slope", "twi"), large, TerrainOptions())
    with pytest.raises(GridError, match="coordinate system"):
        check_terrain(("elevation",), Grid(9, 9, Affine.identity(), None), OPTIONS)
    with pytest.raises(GridError, match="No neighbour"):
        check_terrain(("relief",), GRIDS["metres"], TerrainOptions(relief_radius_m=5))


def test_progress_rises_to_its_end_and_work_stops_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terrain_factors, "BLOCK", 16)
    grid = GRIDS["metres"]
    z, told = rough(grid), []
    work = derive(lambda window: z[window.toslices()], grid, ("twi",), OPTIONS, lambda *step: told.append(step))
    assert len(list(work)) == 12
    assert told == sorted(told)
    assert told[-1] == (60, 60)
    assert {total for _, total in told} == {60}
    with pytest.raises(RunCancelled):
        next(derive(lambda window: z[window.toslices()], grid, ("slope",), OPTIONS, cancel=lambda: True))
