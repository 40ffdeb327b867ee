"""Contrast, brightness and colours of a scene: every value has the colour that its place in the range gives."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from core.errors import InputError
from core.plots.colours import VELOCITY_RAMP, ramp
from core.raster.scene import Scene
from core.serve.background import Deadline
from core.serve.layers import Layer
from core.serve.looks import Look, checked_look
from core.serve.placing import View, extent
from core.serve.tiles import paint_scene

SIDE = 101


def scene_of(path: Path, dtype: str, bands: int = 3) -> Scene:
    """Columns of values 0 to 100, the same in every band; in band 2 they are ten less."""
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=bands, dtype=dtype,
        crs=CRS.from_epsg(3857), transform=Affine(10, 0, 0, 0, -10, 1010),
    ) as file:  # fmt: skip
        for band in range(bands):
            less = 10 * (band == 1 and dtype != "uint8")
            file.write(np.repeat(np.arange(SIDE)[None] - less, SIDE, 0).astype(dtype), band + 1)
    return Scene.open(path)


def painted(scene: Scene, look: Look, bands: tuple[int, ...] = (1, 2, 3)) -> np.ndarray:
    image = paint_scene(scene, bands, View(*extent(scene.grid, globe=True), SIDE, SIDE), Deadline(), look)
    assert image is not None
    return image[50]


def test_a_dark_image_is_stretched_between_percentiles_only_when_asked(tmp_path: Path) -> None:
    scene = scene_of(tmp_path / "dark.tif", "uint8")
    assert painted(scene, Look())[60, :3] == pytest.approx([60] * 3, abs=1)
    # The 10th and the 90th percentile of 0 to 100 are 10 and 90: 50 lies in the middle, 70 at three quarters.
    row = painted(scene, Look(percentiles=(10, 90)))
    assert row[[5, 50, 70, 95], 0] == pytest.approx([0, 127.5, 191.25, 255], abs=4)


def test_gamma_brightens_what_is_dark_and_keeps_both_ends(tmp_path: Path) -> None:
    row = painted(scene_of(tmp_path / "dark.tif", "uint8"), Look(percentiles=(0, 100), gamma=2.0))
    assert row[[0, 25, 100], 0] == pytest.approx([0, 127.5, 255], abs=3)  # the root of a quarter is a half


def test_a_velocity_is_white_at_zero_and_as_strong_to_both_sides(tmp_path: Path) -> None:
    scene = scene_of(tmp_path / "velocity.tif", "float32", bands=2)
    row = painted(scene, Look(ends=(-20, 20), colours="diverging"), bands=(2,))
    colours = ramp(VELOCITY_RAMP)
    assert row[10, :3] == pytest.approx(colours[128], abs=6)  # −10 of band 2 is column 0: zero is column 10
    assert row[0, :3] == pytest.approx(colours[64], abs=12)
    assert row[99, :3] == pytest.approx(colours[255], abs=1)


@pytest.mark.parametrize(
    "look", [Look(), Look(percentiles=(0.5, 99.5), gamma=1.8), Look(ends=(-12.5, 12.5), colours="diverging")]
)
def test_an_address_says_the_whole_look(look: Look) -> None:
    assert checked_look(look.query) == look
    layer = Layer.at(f"/tiles/scene/{'a' * 32}/{{z}}/{{x}}/{{y}}.png?{urlencode(look.query, safe=',')}")
    assert layer is not None
    assert checked_look(dict(layer.look)) == look


@pytest.mark.parametrize(
    "asked",
    [{"stretch": "98,2"}, {"stretch": "a"}, {"range": "1"}, {"range": "2,1"}, {"range": "nan,1"}, {"gamma": "0"},
     {"gamma": "inf"}, {"colours": "pink"}],
)  # fmt: skip
def test_a_look_that_cannot_be_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(InputError):
        checked_look(asked)
