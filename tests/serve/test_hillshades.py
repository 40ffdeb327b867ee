"""The ground in light and shade: a tilted plane has one known shade, whatever unit its file is in."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from core.raster.scene import Scene
from core.serve.background import Deadline
from core.serve.hillshades import paint_hillshade
from core.serve.placing import View, extent

SIDE = 120


def plane(path: Path, *, feet: bool = False, towards: int = 1) -> Scene:
    """Ground that falls by 45° towards the south (1) or the north (-1), the last rows unknown."""
    metres = np.repeat(1000.0 - towards * 10.0 * np.arange(SIDE)[:, None] + 600 * (towards < 0), SIDE, axis=1)
    metres = metres / 2 + 500
    values = (metres / 0.3048 if feet else metres).astype(np.float32)
    values[-20:] = -9999
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="float32", nodata=-9999,
        crs=CRS.from_epsg(32633), transform=Affine(5, 0, 500_000, 0, -5, 5_200_000),
    ) as file:  # fmt: skip
        file.write(values, 1)
        if feet:
            file.units = ("ft",)
    return Scene.open(path)


def shade(scene: Scene, width: int = SIDE) -> np.ndarray:
    view = View(*extent(scene.grid, globe=True), width, width)
    image = paint_hillshade(scene, view, Deadline())
    assert image is not None
    return image


@pytest.mark.parametrize("feet", [False, True])
@pytest.mark.parametrize("towards", [1, -1])
def test_a_slope_of_45_degrees_has_the_shade_that_horn_gives(tmp_path: Path, feet: bool, towards: int) -> None:
    # Light from the north-west, 45° high: cos of the angle to a slope of 45° that faces south or north.
    facing = math.cos(math.radians(315 - (180 if towards > 0 else 0)))
    expected = max(0.0, math.sin(math.pi / 4) * math.cos(math.pi / 4) + math.cos(math.pi / 4) ** 2 * facing)
    image = shade(plane(tmp_path / "dem.tif", feet=feet, towards=towards))
    assert image[50, 60, 0] == pytest.approx(255 * expected, abs=3)
    assert image[50, 60, 3] == 255
    assert image[-10, 60, 3] == 0, "where the elevation is unknown"


def test_two_halves_meet_without_a_seam(tmp_path: Path) -> None:
    scene = plane(tmp_path / "dem.tif")
    left, bottom, right, top = extent(scene.grid, globe=True)
    middle = (left + right) / 2
    whole = shade(scene, 100)
    halves = [
        paint_hillshade(scene, View(one, bottom, other, top, 50, 100), Deadline())
        for one, other in ((left, middle), (middle, right))
    ]
    assert np.abs(np.hstack(halves).astype(int) - whole).max() <= 1
