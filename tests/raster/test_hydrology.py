"""Water runs downhill, out of every hollow, and none of it is lost.

The library that follows it compiles at its first use: about 6 s on the first run of all, half a second later.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import GridError, InputError, RunCancelled, StorageError
from core.raster import compiled
from core.raster.grid import Grid
from core.raster.hydrology import (
    MOST_PIXELS,
    Streams,
    flow_accumulation,
    flow_directions,
    stream_power,
    wetness,
)

UTM = CRS.from_epsg(32633)
SQUARE = Affine(10, 0, 500_000, 0, -10, 5_000_000)


def grid_of(z: np.ndarray, transform: Affine = SQUARE) -> Grid:
    return Grid(z.shape[1], z.shape[0], transform, UTM)


def accumulated(z: np.ndarray, transform: Affine = SQUARE) -> np.ndarray:
    return flow_accumulation(z, grid_of(z, transform), "map")


def test_all_the_water_of_a_cone_comes_out_of_it() -> None:
    y, x = np.mgrid[-50:51, -50:51]
    cone = 1000.0 - np.hypot(x, y)
    area = accumulated(cone)
    outlets = flow_directions(cone, grid_of(cone), "map") == 0

    assert area[outlets].sum() == 10201 * 100
    assert area[50, 50] == 100
    np.testing.assert_array_equal(np.argwhere(outlets), [[0, 0], [0, 100], [100, 0], [100, 100]])


def test_a_plane_gathers_water_row_by_row() -> None:
    rows, columns = np.mgrid[:9, :7]
    area = accumulated(100.0 - 2.0 * rows)
    np.testing.assert_array_equal(area, 100.0 * (rows + 1))
    # By hand for the fifth row: 500 m² over 10 m, on ground of tangent 0.2.
    slope = np.degrees(np.arctan(0.2))
    assert wetness(area[4, 3], slope, 10.0) == pytest.approx(np.log(50 / 0.2))
    assert stream_power(area[4, 3], slope, 10.0) == pytest.approx(50 * 0.2)


def test_level_ground_counts_as_barely_tilted() -> None:
    assert wetness(np.array(500.0), np.array(0.0), 10.0) == pytest.approx(np.log(50 / 0.001))
    assert stream_power(np.array(500.0), np.array(0.0), 10.0) == pytest.approx(50 * 0.001)
    assert np.isnan(wetness(np.array(500.0), np.array(np.nan), 10.0))


def test_the_steepest_way_is_by_distance_and_not_by_cells() -> None:
    rows, columns = np.mgrid[:6, :8]
    z = 100.0 - rows - columns
    # Two metres down over 14.1 m is steeper than one over 10 m (but along the edge there is no other way) ...
    np.testing.assert_array_equal(accumulated(z)[:-1, :-1], 100.0 * (np.minimum(rows, columns) + 1)[:-1, :-1])
    # ... but one over 10 m is steeper than two over 41.2 m, where cells are long: water keeps to its row, and down
    # the last column.
    oblong = accumulated(z, Affine(10, 0, 500_000, 0, -40, 5_000_000))
    np.testing.assert_array_equal(oblong[:, :-1], 400.0 * (columns[:, :-1] + 1))
    np.testing.assert_array_equal(oblong[:, -1], 400.0 * 8 * np.arange(1, 7))


def test_a_hollow_spills_over_its_lowest_side() -> None:
    z = np.full((7, 7), 10.0)
    z[1:-1, 1:-1] = 0.0
    z[0, 3] = 5.0
    assert accumulated(z)[0, 3] == 49 * 100


def test_no_water_is_lost_on_rough_ground_with_gaps() -> None:
    random = np.random.default_rng(0)
    z = random.normal(2500, 5, (90, 70))
    z[20:30, 40:55] = np.nan
    area = accumulated(z)
    directions = flow_directions(z, grid_of(z), "map")
    np.testing.assert_array_equal(np.isnan(area), np.isnan(z))
    np.testing.assert_array_equal(directions == 247, np.isnan(z))
    assert area[directions == 0].sum() == np.isfinite(z).sum() * 100


def test_cells_of_degrees_count_by_their_ground() -> None:
    grid = Grid(20, 30, Affine(0.1, 0, 10, 0, -0.1, 60), CRS.from_epsg(4326))
    rows = np.mgrid[:30, :20][0]
    area = flow_accumulation(5000.0 - rows, grid)
    # Ground falls to the south; a sample of the cells' areas is on the ellipsoid.
    np.testing.assert_allclose(area[-1, 5], np.sum(grid.pixel_areas()), rtol=1e-4)


def test_the_way_to_a_stream_is_straight() -> None:
    area = np.full((40, 30), 100.0, dtype=np.float32)
    area[10, 5] = 2e5
    grid = Grid(30, 40, Affine(10, 0, 500_000, 0, -20, 5_000_000), UTM)
    found = Streams(area, grid, 0.1, "map").distance(Window(3, 8, 20, 30))
    assert found.shape == (30, 20)
    assert found[10 - 8, 5 - 3] == 0
    assert found[13 - 8, 9 - 3] == pytest.approx(np.hypot(40, 60))


def test_ground_without_a_stream_is_refused() -> None:
    area = np.full((5, 5), 2500.0, dtype=np.float32)
    with pytest.raises(InputError, match=r"drains 0.1 km².*0.0025 km²"):
        Streams(area, grid_of(area), 0.1)


def test_nothing_known_gives_nothing() -> None:
    assert np.isnan(accumulated(np.full((4, 4), np.nan))).all()


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    with pytest.raises(GridError, match="larger cells"):
        flow_accumulation(np.zeros((1, 1)), Grid(side, side, SQUARE, UTM))
    with pytest.raises(GridError, match="coordinate system"):
        flow_accumulation(np.zeros((4, 4)), Grid(4, 4, Affine.identity(), None))


def test_it_stops_when_asked() -> None:
    with pytest.raises(RunCancelled):
        flow_accumulation(np.zeros((4, 4)), Grid(4, 4, SQUARE, UTM), cancel=lambda: True)


def test_failures_of_the_library_are_told_as_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyflwdir

    def fails(*args: object, **kwargs: object) -> None:
        raise ValueError("No initial outlet cells found.")

    monkeypatch.setattr(pyflwdir, "from_array", fails)
    with pytest.raises(InputError, match="No initial outlet cells"):
        accumulated(np.zeros((4, 4)))


def test_a_library_that_cannot_be_loaded_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(library: str) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiled, "keep_compiled", fails)
    with pytest.raises(StorageError, match=r"no locator available.*SLIDELENS_HOME"):
        accumulated(np.zeros((4, 4)))


@pytest.fixture
def _numba_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import config

    monkeypatch.setattr(config, "CACHE_DIR", config.CACHE_DIR)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")


@pytest.mark.usefixtures("_numba_as_it_was")
def test_compiled_code_is_kept_in_the_home_where_the_packages_are_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from numba import config

    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path))
    writable = compiled._writable
    monkeypatch.setattr(compiled, "_writable", lambda folder: "site-packages" not in str(folder) and writable(folder))

    assert compiled.keep_compiled("pyflwdir") == tmp_path / "cache" / "numba"
    assert os.environ["NUMBA_CACHE_DIR"] == config.CACHE_DIR == str(tmp_path / "cache" / "numba")
    assert compiled.keep_compiled("pyflwdir") is None  # it has been told


@pytest.mark.usefixtures("_numba_as_it_was")
def test_compiled_code_is_kept_nowhere_that_others_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(compiled, "_writable", lambda folder: False)

    folder = compiled.keep_compiled("pyflwdir")

    assert folder is not None
    assert folder.parent == tmp_path
    assert os.name == "nt" or folder.stat().st_mode & 0o077 == 0
