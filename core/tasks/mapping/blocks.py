"""The blocks in which a map is computed, the rasters they are written to, and what is counted in them.

Networks answer for a window differently in the last bit when other windows share its batch (PyTorch does, ONNX
Runtime was not seen to). So a map is always computed block by block, by one process as by many, and batches never
reach over a block's edge: a block's values are then the same whoever computes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.learning.metrics import NODATA_CODE, SHARE, nothing_counted
from core.plots.colours import REFERENCE
from core.plots.gis_style import class_table
from core.raster.grid import Grid
from core.raster.windows import Region, WindowPlan, column_bands
from core.raster.write import TILE, RasterWriter, writing
from core.tasks.mapping.result import TRUTH

WIDEST = 8192
"""Columns of a block; one row of windows over so many is in memory at once."""

TALLEST = 4096
"""Rows of a block of ordinary windows."""

WINDOWS_TALL = 8
"""Windows that a block is at least tall, since those on the edge between two blocks are computed for both."""


def blocks(plan: WindowPlan, region: Region) -> tuple[Region, ...]:
    """Divide a region into the blocks in which it is computed, band by band from the left, each from the top.

    They depend on the region and on the size of the windows, and on nothing else.

    Returns
    -------
    Regions that together cover the region once. Their edges lie on tiles of the written rasters.
    """
    tallest = max(TALLEST, -(-WINDOWS_TALL * plan.window_height // TILE) * TILE)
    return tuple(
        Region(row, band.column, min(tallest, band.end_row - row), band.width)
        for band in column_bands(region, WIDEST)
        for row in range(band.row, band.end_row, tallest)
    )


def grid_of(grid: Grid, region: Region) -> Grid:
    """Grid of a region of a scene's grid."""
    return grid.window(Window(region.column, region.row, region.width, region.height))


@dataclass
class Counts:
    """What is counted while writing: joint histograms of code and reference, of the model and of the baseline.

    Attributes
    ----------
    model, baseline
        (3, 255) int64, as `core.learning.metrics.histogram`.
    """

    model: NDArray[np.int64] = field(default_factory=nothing_counted)
    baseline: NDArray[np.int64] = field(default_factory=nothing_counted)

    def add(self, other: Counts) -> None:
        """Add what was counted elsewhere."""
        self.model += other.model
        self.baseline += other.baseline


@contextmanager
def rasters(folder: Path, names: dict[str, str], grid: Grid) -> Iterator[dict[str, RasterWriter]]:
    """Open a raster of codes for each role, to be written block by block.

    Parameters
    ----------
    folder, names
        Where the files appear, and their names by role.
    grid
        Grid of all of them.

    Yields
    ------
    Writers by role. On any exception nothing half-written remains.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    with ExitStack() as stack:
        yield {role: stack.enter_context(_raster(folder / name, role, grid)) for role, name in names.items()}


@contextmanager
def _raster(path: Path, role: str, grid: Grid) -> Iterator[RasterWriter]:
    known = role == TRUTH
    encoding = "0 no landslide, 1 landslide, 255 unknown" if known else "probability = value / 254; 255 nodata"
    with writing(
        path, grid, dtype="uint8", nodata=NODATA_CODE, descriptions=(role,), tags={"encoding": encoding},
        overview_resampling="nearest" if known else "average",
        colours=class_table(REFERENCE) if known else None, scale=None if known else SHARE, unit="" if known else "1",
    ) as writer:  # fmt: skip
        yield writer


def file_names(roles: Sequence[str]) -> dict[str, str]:
    """Names of a run's rasters by role."""
    return {role: f"{role}.tif" for role in roles}
