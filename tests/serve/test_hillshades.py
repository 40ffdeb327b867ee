"""The shape of the ground: a tilted plane has one known shade, slope and aspect, whatever unit its file is in."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from matplotlib import colormaps
from rasterio.crs import CRS

from core.errors import BandError
from core.plots.colours import ASPECT_RAMP, SLOPE_RAMP
from core.raster.scene import Scene
from core.serve.background import Deadline
from core.serve.hillshades import paint_terrain
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
    image = paint_terrain(scene, "hillshade", view, Deadline())
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
        paint_terrain(scene, "hillshade", View(one, bottom, other, top, 50, 100), Deadline())
        for one, other in ((left, middle), (middle, right))
    ]
    assert np.abs(np.hstack(halves).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("feet", [False, True])
def test_slope_and_aspect_of_a_plane_have_the_colours_of_their_degrees(tmp_path: Path, feet: bool) -> None:
    # The plane falls by 5 m on each 5 m pixel, halved: 0.5 of height for 0.5 of way is 45°.
    scene = plane(tmp_path / "dem.tif", feet=feet)
    view = View(*extent(scene.grid, globe=True), SIDE, SIDE)
    slope = paint_terrain(scene, "slope", view, Deadline())
    aspect = paint_terrain(scene, "aspect", view, Deadline())
    assert slope is not None
    assert aspect is not None
    steps = {"slope": 45 / 60, "aspect": 180 / 360}
    for image, (name, share) in zip((slope, aspect), steps.items(), strict=True):
        wanted = colormaps[SLOPE_RAMP if name == "slope" else ASPECT_RAMP](share)[:3]
        assert image[50, 60, :3] / 255 == pytest.approx(wanted, abs=0.02), name
        assert image[-10, 60, 3] == 0, "where the elevation is unknown"


def test_flat_ground_faces_nowhere_and_a_band_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "bands.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=2, dtype="float32",
        crs=CRS.from_epsg(32633), transform=Affine(5, 0, 500_000, 0, -5, 5_200_000),
    ) as file:  # fmt: skip
        file.write(np.repeat(np.arange(40, dtype=np.float32)[None] * 5, 40, axis=0), 1)  # rises to the east by 45°
        file.write(np.full((40, 40), 300, np.float32), 2)
    scene = Scene.open(path)
    view = View(*extent(scene.grid, globe=True), 40, 40)
    west = paint_terrain(scene, "aspect", view, Deadline(), band=1)
    assert west is not None
    assert west[20, 20, :3] / 255 == pytest.approx(colormaps[ASPECT_RAMP](270 / 360)[:3], abs=0.02)
    assert paint_terrain(scene, "aspect", view, Deadline(), band=2) is None
    level = paint_terrain(scene, "slope", view, Deadline(), band=2)
    assert level is not None
    assert level[20, 20, :3] / 255 == pytest.approx(colormaps[SLOPE_RAMP](0.0)[:3], abs=0.01)
    with pytest.raises(BandError, match="no band 3"):
        paint_terrain(scene, "slope", view, Deadline(), band=3)
