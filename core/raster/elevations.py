"""Elevations of a window with what lies around them: what everything derived from an elevation model is computed of.

The window knows the grid of the whole raster, so that a value does not depend on how the raster was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.ground import Distances

if TYPE_CHECKING:
    from core.raster.grid import Grid

Reals = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Elevations:
    """Elevations of a window of a raster, with a margin.

    Attributes
    ----------
    values
        Metres, (height + 2 × margin, width + 2 × margin); NaN where unknown, also beyond the raster.
    grid
        Of the whole raster.
    row, column
        First of the window.
    margin
        Cells around it.
    distances
        What is taken for the distance of cells.
    """

    values: Reals
    grid: Grid
    row: int = 0
    column: int = 0
    margin: int = 1
    distances: Distances = "ground"

    @classmethod
    def of(
        cls,
        dem: NDArray[Any],
        grid: Grid,
        valid: NDArray[np.bool_] | None = None,
        margin: int = 1,
        distances: Distances = "ground",
    ) -> Elevations:
        """All elevations of a raster (height, width), unknown beyond it.

        Raises
        ------
        InputError
            When `dem` or `valid` has another shape than the grid.
        """
        padded = np.pad(known_elevations(dem, grid, valid), margin, constant_values=np.nan)
        return cls(padded, grid, margin=margin, distances=distances)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the window."""
        height, width = self.values.shape
        return height - 2 * self.margin, width - 2 * self.margin

    @property
    def rows(self) -> NDArray[np.intp]:
        """(height, 1) rows of the window in the raster."""
        return np.arange(self.row, self.row + self.shape[0])[:, np.newaxis]

    @property
    def columns(self) -> NDArray[np.intp]:
        """(1, width) columns of the window in the raster."""
        return np.arange(self.column, self.column + self.shape[1])[np.newaxis, :]

    def neighbour(self, down: int, right: int) -> Reals:
        """(height, width) elevations so many rows down and columns to the right; a view."""
        top, left = self.margin + down, self.margin + right
        height, width = self.shape
        return self.values[top : top + height, left : left + width]

    def around(self) -> list[Reals]:
        """The eight neighbours of each cell."""
        return [self.neighbour(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)]


def known_elevations(dem: NDArray[Any], grid: Grid, valid: NDArray[np.bool_] | None) -> Reals:
    """Elevations as floats, NaN where unknown.

    Raises
    ------
    InputError
        When `dem` or `valid` has another shape than the grid.
    """
    if dem.shape != grid.shape or (valid is not None and valid.shape != grid.shape):
        raise InputError(
            f"The elevation model has the shape {dem.shape}, its grid {grid.shape}.",
            "",
            "Read the elevations on the grid that they are used with.",
        )
    # The smallest type that holds every elevation exactly.
    elevation: Reals = dem.astype(np.result_type(dem.dtype, np.float32), copy=False)
    known = np.isfinite(elevation) if valid is None else np.isfinite(elevation) & valid
    return np.where(known, elevation, elevation.dtype.type(np.nan))
