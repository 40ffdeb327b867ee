"""The ground within outlines is measured as that of the patches of a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from core.errors import LandslideError
from core.raster.scene import Scene
from core.raster.shape_terrain import COLUMNS, terrain_within
from core.raster.vectorize import polygons
from tests.factories import write_raster


def ground() -> np.ndarray:
    """(60, 70) hills with some noise, a hole without data, in metres."""
    rows, columns = np.mgrid[0:60, 0:70]
    heights = 800 + 60 * np.sin(rows / 9) + 45 * np.cos(columns / 7) + np.random.default_rng(3).normal(0, 1, (60, 70))
    heights[20:24, 30:40] = np.nan
    return heights.astype(np.float32)


@pytest.mark.parametrize("placement", ["north-up", "south-up", "rotated", "geographic"])
def test_outlines_of_patches_have_the_values_of_the_patches(tmp_path: Path, placement: str) -> None:
    heights = ground()
    dem = write_raster(tmp_path / "dem.tif", heights[None], placement, nodata=float("nan"))
    grid = Scene.open(dem).grid
    mask = np.random.default_rng(5).random((60, 70)) < 0.3  # patches of all sizes, at the edges as well
    mask[18:30, 25:45] = True
    found = polygons(mask, grid, dem=heights)
    assert len(found) > 20
    measured = terrain_within(found.geometry.tolist(), dem, grid)
    assert tuple(measured) == COLUMNS
    for name in COLUMNS:
        np.testing.assert_allclose(measured[name], found[name], rtol=1e-6, atol=1e-6, err_msg=name)
    assert np.isfinite(measured["slope_mean_deg"]).any()


def test_small_and_far_outlines_have_what_is_known_of_them(tmp_path: Path) -> None:
    dem = write_raster(tmp_path / "dem.tif", ground()[None], nodata=float("nan"))
    grid = Scene.open(dem).grid
    left, top = grid.transform.c, grid.transform.f
    within_a_pixel = box(left + 51, top - 54, left + 53, top - 52)  # beside the centre of the pixel
    beside = box(left - 500, top + 100, left - 400, top + 200)
    no_data = box(left + 320, top - 230, left + 380, top - 212)
    measured = terrain_within([within_a_pixel, beside, no_data], dem, grid)
    assert np.isfinite(measured["slope_mean_deg"]).tolist() == [True, False, False]
    assert measured["relief_m"][0] == 0
    assert terrain_within([], dem, grid)["relief_m"].shape == (0,)


def test_elevations_of_elsewhere_are_refused(tmp_path: Path) -> None:
    dem = write_raster(tmp_path / "dem.tif", ground()[None], nodata=float("nan"))
    grid = Scene.open(write_raster(tmp_path / "far.tif", ground()[None], "geographic")).grid
    with pytest.raises(LandslideError):
        terrain_within([box(0, 0, 1, 1)], dem, grid)
