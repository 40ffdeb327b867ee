"""The window around a place as a model sees it: what an explanation is of, for every task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.learning.spec import ModelSpec
from core.raster.grid import Grid
from core.raster.scene import Scene, SceneReader
from core.raster.windows import Region, WindowPlan


class Reading(Protocol):
    """Something that reads windows of a scene as a model takes them."""

    @property
    def plan(self) -> WindowPlan:
        """Windows over the scene."""

    def inputs(self, reader: SceneReader, window: Region) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Normalised values of a window at the network's size, and which scene pixels in it are valid."""


@dataclass(frozen=True)
class Surroundings:
    """A window of a scene around a place.

    Attributes
    ----------
    window
        The window, of the model's size, which may reach past a small scene.
    inputs
        (bands, network height, network width) float32, normalised.
    valid
        (height, width) bool on the scene's pixels: where the scene has data.
    grid
        Grid of the part of the window that lies in the scene: of all that is shown.
    """

    window: Region
    inputs: NDArray[np.float32]
    valid: NDArray[np.bool_]
    grid: Grid

    @property
    def tensor(self) -> torch.Tensor:
        """The inputs as one image (1, bands, height, width)."""
        return torch.from_numpy(np.ascontiguousarray(self.inputs[None]))

    @property
    def across(self) -> float:
        """Network pixels per scene pixel to the right."""
        return int(self.inputs.shape[-1]) / self.window.width

    @property
    def down(self) -> float:
        """Network pixels per scene pixel downwards."""
        return int(self.inputs.shape[-2]) / self.window.height

    def shown(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values on the network's pixels brought to those of `grid`."""
        return _resized(values, self.window)[: self.grid.height, : self.grid.width]

    def picture(self, spec: ModelSpec) -> NDArray[np.uint8]:
        """The normalised input as a picture (height, width, 3), brightened to its own 1–99 % range."""
        inputs = self.inputs
        bands = inputs[:3] if len(inputs) >= 3 else np.repeat(inputs[:1], 3, axis=0)
        deviation, mean = np.asarray(spec.deviation[: len(bands)]), np.asarray(spec.mean[: len(bands)])
        bands = bands * deviation[:, None, None] + mean[:, None, None]
        low, high = np.percentile(bands, (1, 99))
        scaled = np.clip((bands - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
        full = np.stack([self.shown(band) for band in scaled])
        return np.rint(full.transpose(1, 2, 0) * 255).astype(np.uint8)


def surroundings(scene: Scene, reading: Reading, row: int, column: int) -> Surroundings:
    """Read the window whose middle is nearest to a pixel of the scene.

    Raises
    ------
    InputError
        When the pixel lies outside the scene.
    """
    height, width = scene.grid.shape
    if not (0 <= row < height and 0 <= column < width):
        raise InputError("That place lies outside the scene.", remedy="Click inside it.")
    plan = reading.plan
    first_row = min(max(0, row - plan.window_height // 2), max(0, plan.height - plan.window_height))
    first_column = min(max(0, column - plan.window_width // 2), max(0, plan.width - plan.window_width))
    window = plan.window(first_row, first_column)
    with scene.reader() as reader:
        inputs, valid = reading.inputs(reader, window)
    part = window.intersection(plan.whole)
    grid = scene.grid.window(Window(part.column, part.row, part.width, part.height))
    return Surroundings(window, inputs, valid[: part.height, : part.width], grid)


def _resized(values: NDArray[np.float32], window: Region) -> NDArray[np.float32]:
    if values.shape == (window.height, window.width):
        return values
    from torch.nn import functional

    tensor = torch.from_numpy(values)[None, None]
    resized: NDArray[np.float32] = functional.interpolate(
        tensor, size=(window.height, window.width), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    return resized
