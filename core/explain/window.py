"""The window around a place as a model sees it: what an explanation is of, for every task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.inputs import plan_of, read_window, resized
from core.learning.preprocessing import Preprocessing
from core.learning.spec import ModelSpec
from core.raster.area import window_of
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.windows import Region
from core.raster.write import write_array, writing


@dataclass(frozen=True)
class ModelWindow:
    """A window of a scene around a place.

    Attributes
    ----------
    window, part
        The window, of the model's size, which may reach past a small scene; and what of it lies in the scene.
    inputs
        (bands, network height, network width) float32, normalised.
    valid
        (height, width) bool on the scene's pixels: where the scene has data.
    grid
        Grid of the part: of all that is shown.
    """

    window: Region
    part: Region
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
        return resized(values, self.window.height, self.window.width)[: self.grid.height, : self.grid.width]

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


def model_window(scene: Scene, spec: ModelSpec, bridge: Preprocessing, row: int, column: int) -> ModelWindow:
    """Read the window of a model whose middle is nearest to a pixel of the scene.

    Raises
    ------
    InputError
        When the pixel lies outside the scene.
    """
    height, width = scene.grid.shape
    if not (0 <= row < height and 0 <= column < width):
        raise InputError("That point lies outside the image.", remedy="Choose a point inside it.")
    plan = plan_of(scene, spec, bridge, overlap=0)
    first_row = min(max(0, row - plan.window_height // 2), max(0, height - plan.window_height))
    first_column = min(max(0, column - plan.window_width // 2), max(0, width - plan.window_width))
    window = plan.window(first_row, first_column)
    with scene.reader() as reader:
        inputs, valid = read_window(reader, spec, bridge, plan, window)
    part = window.intersection(plan.whole)
    return ModelWindow(window, part, inputs, valid[: part.height, : part.width], scene.grid.window(window_of(part)))


def write_part(
    path: Path,
    grid: Grid,
    part: Region,
    values: NDArray[Any],
    *,
    nodata: float,
    descriptions: tuple[str, ...] = (),
    tags: Mapping[str, str] | None = None,
) -> Grid:
    """Write a raster of part of a scene, so that it lies at its place.

    Without a coordinate system a part has no place of its own, and nodata is written all around it.

    Parameters
    ----------
    grid
        The scene's.
    part
        Region of the scene.
    values
        (height, width) of the part.
    nodata, descriptions, tags
        As for `core.raster.write.writing`.

    Returns
    -------
    Grid of the raster: of the part, or of the whole scene without a coordinate system.
    """
    if grid.is_georeferenced:
        own = grid.window(window_of(part))
        write_array(path, own, values[None], nodata=nodata, descriptions=descriptions, tags=tags)
        return own
    with writing(
        path, grid, dtype=values.dtype.name, nodata=nodata, descriptions=descriptions, tags=tags
    ) as writer:
        writer.write(values, part.row, part.column)
    return grid


def read_part(path: Path, grid: Grid, part: Region) -> NDArray[Any]:
    """Read what `write_part` wrote: (height, width) of the part, whatever the raster's own grid."""
    with Scene.open(path).reader() as reader:
        window = Region(0, 0, part.height, part.width) if grid.is_georeferenced else part
        values: NDArray[Any] = reader.read((1,), window_of(window)).values[0]
    return values
