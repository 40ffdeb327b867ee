"""The image below a map and the frame around it, reduced while it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import BandError
from core.figures.cartography import Extent
from core.raster.align import scene_on_grid
from core.raster.scene import Patch, Scene, guess_bands
from core.raster.stretch import bridge

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from core.raster.grid import Grid

LONGEST_SIDE = 1500
"""Pixels to which every raster is reduced while it is read, so that memory does not grow with the scene."""

WITHOUT_DATA = "#DDDDDD"
"""What stands behind a map, and is seen where there is no data."""


def reduced_shape(grid: Grid, longest: int = LONGEST_SIDE) -> tuple[int, int]:
    """Rows and columns of a picture of a grid: its own, or fewer."""
    factor = min(1.0, longest / max(grid.shape))
    return max(1, round(grid.height * factor)), max(1, round(grid.width * factor))


def reduced(path: Path, shape: tuple[int, int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """First band of a raster and its validity, at a shape (rows, columns)."""
    with Scene.open(path).reader(overviews=True) as reader:
        patch = reader.read((1,), None, shape, "nearest")
    return patch.values[0], patch.valid


def image_below(scene: Scene, grid: Grid, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """True colour of the scene below a grid that is a part of it, or its first band in grey: (rows, columns, 4)."""
    bands = _shown(scene)
    row, column = scene.grid.rowcol(*grid.xy(0, 0))
    window = Window(column, row, grid.width, grid.height)
    with scene.reader(overviews=True) as reader:
        patch = reader.read(bands, window, shape, "nearest" if shape == grid.shape else "average")
    return _coloured(scene, bands, patch)


def image_aligned(scene: Scene, grid: Grid, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The same of a scene that lies on another grid, transparent outside it.

    Raises
    ------
    GridError
        See `core.raster.align.scene_on_grid`.
    """
    if not grid.is_georeferenced:
        return image_below(scene, grid, shape)
    bands, size = _shown(scene), shape[::-1]
    with scene_on_grid(scene, grid.resized(*size), bands=bands, resampling="average") as reader:
        patch = reader.read(Window(0, 0, *size))
    return _coloured(scene, bands, patch)


def _shown(scene: Scene) -> tuple[int, ...]:
    try:
        return guess_bands(scene, ("red", "green", "blue"))
    except BandError:
        return (1,)


def _coloured(scene: Scene, bands: tuple[int, ...], patch: Patch) -> NDArray[np.uint8]:
    stretch = bridge(scene, bands)
    values = patch.values if stretch is None else stretch.apply(patch.values, (0.0, 255.0))
    colours = np.clip(np.where(patch.valid, values, 0), 0, 255).astype(np.uint8)
    if len(bands) == 1:
        colours = np.repeat(colours, 3, axis=0)
    opacity = np.where(patch.valid, 255, 0).astype(np.uint8)
    return np.moveaxis(np.concatenate([colours, opacity[None]]), 0, -1)


def extent_of(grid: Grid) -> Extent:
    """The whole of a grid, in its pixels."""
    return 0.0, float(grid.width), float(grid.height), 0.0


def frame(axes: Axes, grid: Grid) -> None:
    """Show exactly the grid, without ticks."""
    extent = extent_of(grid)
    axes.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    axes.set_facecolor(WITHOUT_DATA)


def draw_image(axes: Axes, image: NDArray[np.uint8] | None, grid: Grid) -> None:
    """Draw the image as it is."""
    if image is not None:
        axes.imshow(image, extent=extent_of(grid), interpolation="nearest")


def draw_faint_image(axes: Axes, image: NDArray[np.uint8] | None, grid: Grid) -> None:
    """Draw the image in pale grey, for a layer to lie on."""
    if image is None:
        return
    grey = np.repeat(image[..., :3].mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    faint = (grey // 3 + 165).astype(np.uint8)
    axes.imshow(np.dstack([faint, image[..., 3]]), extent=extent_of(grid), interpolation="nearest")


def outline(axes: Axes, region: NDArray[np.bool_], grid: Grid, colour: str, width: float = 0.9) -> None:
    """Draw the border of a region (rows, columns) of a picture of the grid."""
    rows, columns = region.shape
    # A rim of nothing, so that a region at the edge is closed; contours also need two points a side.
    padded = np.pad(region.astype(np.float32), 1)
    x = (np.arange(-1, columns + 1) + 0.5) * grid.width / columns
    y = (np.arange(-1, rows + 1) + 0.5) * grid.height / rows
    axes.contour(x, y, padded, levels=[0.5], colors=[colour], linewidths=width)
