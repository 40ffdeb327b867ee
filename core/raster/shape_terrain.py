"""The ground within outlines, from an elevation model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window

from core.raster.measure import Patches, terrain_of
from core.raster.quantity import elevation_on_grid

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.raster.align import GridReader
    from core.raster.grid import Grid

Floats = NDArray[np.float64]
Heights = NDArray[np.float32]

COLUMNS = ("slope_mean_deg", "relief_m", "aspect_deg")
"""What is measured, as `core.raster.vectorize.polygons` names it."""


LARGEST, READ = 16_000_000, 40_000
"""Pixels of a grid up to which all elevations are read at once, and about how many are read in the time that one read
of a small window takes."""


def terrain_within(outlines: Sequence[BaseGeometry], dem: Path, grid: Grid) -> dict[str, Floats]:
    """Mean slope, relief and mean aspect of the ground within outlines.

    Measured on the pixels of the grid whose centres lie within, so that outlines of patches have the values that
    `core.raster.vectorize.polygons` gives the patches; an outline without such a pixel has those of the pixels that it
    touches.

    Parameters
    ----------
    outlines
        Polygons in the coordinates of the grid.
    dem
        Elevation raster, in any coordinate system.
    grid
        The grid on which slopes are measured, with a coordinate system.

    Returns
    -------
    dict of ndarray (outlines,)
        By the names in `COLUMNS`: degrees, metres, and degrees clockwise from north. NaN where no elevation is known.

    Raises
    ------
    BandError, GridError, StorageError
        When the elevations cannot be read, or do not overlap the grid.
    """
    found = {name: np.full(len(outlines), np.nan) for name in COLUMNS}
    if not outlines:
        return found
    with elevation_on_grid(dem, grid) as reader:
        read = _reads(reader, grid, len(outlines))
        for number, outline in enumerate(outlines):
            for name, value in _ground(outline, read, grid).items():
                found[name][number] = value
    return found


def _reads(reader: GridReader, grid: Grid, times: int) -> Callable[[Window], Heights]:
    """What gives the elevations of a window, NaN where unknown; from memory where that is quicker for so many times."""

    def read(window: Window) -> Heights:
        patch = reader.read(window)
        return np.where(patch.valid, patch.values[0], np.nan).astype(np.float32)

    pixels = grid.width * grid.height
    if pixels > min(LARGEST, times * READ):
        return read
    whole = read(Window(0, 0, grid.width, grid.height))
    return lambda window: whole[window.toslices()]


def _ground(outline: BaseGeometry, read: Callable[[Window], Heights], grid: Grid) -> dict[str, float]:
    window = _around(outline, grid)
    if window is None:
        return {}
    part, heights = grid.window(window), read(window)
    at = np.empty(0, dtype=np.intp)
    for touched in (False, True):
        if not len(at):
            burnt = rasterize(
                [outline], out_shape=part.shape, transform=part.transform, all_touched=touched, dtype="uint8"
            )
            at = np.flatnonzero(burnt)
    if not len(at):
        return {}
    measured = terrain_of(Patches(np.ones(len(at), dtype=np.intp), at, 1), heights, part)
    return {name: float(values[0]) for name, values in measured.items()}


def _around(outline: BaseGeometry, grid: Grid) -> Window | None:
    """Pixels around an outline and one further, from which slopes are measured; None where it lies beside the grid."""
    corners = shapely.get_coordinates(outline)
    columns, rows = ~grid.transform @ (corners[:, 0], corners[:, 1])
    left, top = max(0, int(np.floor(columns.min())) - 1), max(0, int(np.floor(rows.min())) - 1)
    right = min(grid.width, int(np.ceil(columns.max())) + 1)
    bottom = min(grid.height, int(np.ceil(rows.max())) + 1)
    return Window(left, top, right - left, bottom - top) if left < right and top < bottom else None
