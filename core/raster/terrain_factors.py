"""Factors of the terrain that an elevation model gives, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.resample import Kind
from core.raster.terrain import slope_aspect

if TYPE_CHECKING:
    from core.raster.grid import Grid

FLAT = -1.0
"""Aspect of flat ground."""

BLOCK = 1024


@dataclass(frozen=True)
class TerrainFactor:
    """A factor of the terrain: name, title for people, unit, kind, and what it is in a sentence."""

    name: str
    title: str
    unit: str
    kind: Kind
    what: str
    whole: bool = False


@dataclass(frozen=True)
class TerrainOptions:
    """How factors are computed."""

    method: Literal["horn", "zevenbergen_thorne"] = "horn"
    stream_km2: float = 0.1


TERRAIN: Mapping[str, TerrainFactor] = {
    one.name: one
    for one in (
        TerrainFactor("elevation", "Elevation", "m", "continuous", "Height above the datum."),
        TerrainFactor("slope", "Slope", "°", "continuous", "Steepest angle of the ground."),
        TerrainFactor("aspect", "Aspect", "°", "aspect", "Downhill direction from north."),
    )
}


def check_terrain(names: Sequence[str], grid: Grid, options: TerrainOptions) -> None:
    """Refuse factors that are not known."""
    del grid, options
    unknown = [name for name in names if name not in TERRAIN]
    if unknown:
        raise InputError(f"There is no terrain factor {unknown[0]!r}.", remedy=f"They are {', '.join(TERRAIN)}.")


def derive(
    read: Callable[[Window], NDArray[np.float64]], grid: Grid, names: Sequence[str], options: TerrainOptions,
    progress: ProgressCallback = ignore, cancel: Cancel = never,
) -> Iterator[tuple[Window, NDArray[np.float32]]]:  # fmt: skip
    """Windows that cover the grid once, and the factors in each (factors, height, width), NaN where unknown."""
    del options
    blocks = [(row, column) for row in range(0, grid.height, BLOCK) for column in range(0, grid.width, BLOCK)]
    for done, (row, column) in enumerate(blocks):
        stop_if(cancel)
        progress(done, len(blocks))
        height, width = min(BLOCK, grid.height - row), min(BLOCK, grid.width - column)
        top, left = max(0, row - 1), max(0, column - 1)
        bottom, right = min(grid.height, row + height + 1), min(grid.width, column + width + 1)
        around = Window(left, top, right - left, bottom - top)
        dem = read(around)
        slope, aspect = slope_aspect(dem, grid.window(around))
        aspect = np.where(np.isfinite(slope) & ~np.isfinite(aspect), FLAT, aspect)
        made: dict[str, NDArray[Any]] = {"elevation": dem, "slope": slope, "aspect": aspect}
        rows, columns = slice(row - top, row - top + height), slice(column - left, column - left + width)
        inner = np.stack([made[name][rows, columns] for name in names])
        yield Window(column, row, width, height), inner.astype(np.float32)
    progress(len(blocks), len(blocks))
