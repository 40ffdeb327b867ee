"""A plane has one shade, one slope, and lies level with its neighbourhood; blocks leave no seam."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from core.errors import BandError, GridError
from core.raster import relief
from core.raster.grid import Grid
from core.raster.relief import RELIEF_BANDS, relief_image, write_relief
from core.raster.scene import Scene
from core.raster.write import write_array

# The middle of the zone's scale circle: here a metre of the grid is a metre on the ground to 1e-4.
UTM = CRS.from_epsg(32633)
GRID = Grid(60, 50, Affine(10, 0, 680_000, 0, -10, 5_000_000), UTM)


def rising_east(degrees: float) -> np.ndarray:
    return np.arange(60.0)[None] * 10.0 * math.tan(math.radians(degrees)) + np.zeros((50, 1))


def test_a_plane_is_coded_by_its_slope_and_lies_level_with_its_neighbourhood() -> None:
    image = relief_image(rising_east(30.0), GRID)

    assert image.dtype == np.uint8
    # 30° of 90° on 254 steps from 1; the middle, where the neighbourhood is whole, is level with it.
    assert set(image[1, 20:30, 20:40].ravel()) <= {85, 86}
    assert set(image[2, 20:30, 20:40].ravel()) == {128}


def test_flat_ground_is_shaded_by_the_height_of_the_lamp() -> None:
    image = relief_image(np.zeros(GRID.shape), GRID)

    assert image[0, 10, 10] == round(1 + 254 * math.sin(math.radians(45)))
    assert image[1, 10, 10] == 1


def test_a_hollow_lies_below_its_neighbourhood_and_a_knoll_above() -> None:
    dem = np.zeros(GRID.shape)
    dem[25, 20], dem[25, 45] = -20.0, 20.0
    position = relief_image(dem, GRID)[2]

    # 31 by 31 pixels are the neighbourhood: their mean is 20/961 m lower, or higher.
    assert position[25, 20] == round(128 - 2 * (20 - 20 / 961))
    assert position[25, 45] == round(128 + 2 * (20 - 20 / 961))


def test_what_has_no_slope_is_nodata() -> None:
    dem = rising_east(10.0)
    dem[20, 20] = np.nan
    image = relief_image(dem, GRID)

    assert (image[:, 19:22, 19:22] == 0).all()
    assert (image[:, [0, -1]] == 0).all()
    assert (image[:, 1:19, 1:19] > 0).all()


def test_elevation_without_a_coordinate_system_is_refused() -> None:
    with pytest.raises(GridError):
        relief_image(np.zeros((5, 5)), Grid(5, 5, Affine.identity(), None))


@pytest.mark.parametrize("block", [7, 32])
def test_blocks_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(relief, "BLOCK", block)
    dem = np.random.default_rng(0).uniform(0, 300, GRID.shape).astype(np.float32)
    dem[5:9, 30:33] = -9999
    scene = Scene.open(write_array(tmp_path / "dem.tif", GRID, dem, nodata=-9999))

    with rasterio.open(write_relief(scene, tmp_path / "relief.tif")) as made:
        assert (made.descriptions, made.nodata, made.count) == (RELIEF_BANDS, 0, 3)
        whole = relief_image(np.where(dem == -9999, np.nan, dem).astype(np.float64), GRID)
        # The running mean is summed in another order: a step may round the other way.
        assert np.abs(made.read().astype(int) - whole).max() <= 1
        np.testing.assert_array_equal(made.read() == 0, whole == 0)


def test_an_image_in_colours_is_no_elevation_model(tmp_path: Path) -> None:
    scene = Scene.open(write_array(tmp_path / "colour.tif", GRID, np.ones((3, 50, 60), np.uint8)))
    with pytest.raises(BandError, match="3 bands"):
        write_relief(scene, tmp_path / "relief.tif")
    assert not (tmp_path / "relief.tif").exists()
