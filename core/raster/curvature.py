"""Curvature of the ground: along the fall line, along the contour, and across the fall line.

References
----------
Zevenbergen, L. W., Thorne, C. R. (1987). Quantitative analysis of land surface topography. Earth Surface Processes and
Landforms 12, 47-56. doi:10.1002/esp.3290120107
Evans, I. S. (1980). An integrated system of terrain analysis and slope mapping. Zeitschrift für Geomorphologie,
Supplementband 36, 274-295.
Florinsky, I. V. (2017). An illustrated introduction to general geomorphometry. Progress in Physical Geography 41,
723-752. doi:10.1177/0309133317733667: the definitions by derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.raster.elevations import Elevations
from core.raster.ground import Distances, metres_per_unit
from core.raster.terrain import FLAT_GRADIENT, Method, gradient

if TYPE_CHECKING:
    from core.raster.grid import Grid

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Curvature:
    """Curvatures in 1/m, each (height, width): convex is positive, flat ground 0, NaN unknown.

    Attributes
    ----------
    plan
        Of the contour line: positive on spurs, where water parts. It grows beyond bounds as the ground gets flat.
    profile
        Of the fall line: positive where the ground gets steeper downhill and water speeds up.
    tangential
        Of the section across the fall line: plan curvature times the sine of the slope.
    """

    plan: Doubles
    profile: Doubles
    tangential: Doubles


def curvature(
    dem: NDArray[Any],
    grid: Grid,
    *,
    valid: NDArray[np.bool_] | None = None,
    method: Method = "zevenbergen_thorne",
    distances: Distances = "ground",
) -> Curvature:
    """Compute plan, profile and tangential curvature.

    Parameters
    ----------
    dem
        Elevation in metres, shape (height, width). NaN is nodata.
    grid
        Its grid, in any CRS. The change of the scale from one row to the next is neglected.
    valid
        Where `dem` holds data; everywhere that it is finite when None.
    method
        ``"zevenbergen_thorne"``: all derivatives of their polynomial. ``"horn"``: the gradient by Horn (1981), second
        derivatives of the quadric that fits the nine cells best (Evans 1980), as both use all nine.
    distances
        ``"map"`` takes the distances that the coordinates of a projection say, as SAGA does.

    Returns
    -------
    Curvature
        NaN where one of the nine elevations is unknown.

    Raises
    ------
    GridError
        Without a CRS.
    InputError
        When `dem` or `valid` has another shape than the grid.
    """
    elevations = Elevations.of(dem.astype(np.float64, copy=False), grid, valid, distances=distances)
    return curvature_of(elevations, *gradient(elevations, method), method)


def curvature_of(elevations: Elevations, east: NDArray[Any], north: NDArray[Any], method: Method) -> Curvature:
    """Curvature of a window whose `core.raster.terrain.gradient` by the same method is known."""
    p, q = east.astype(np.float64, copy=False), north.astype(np.float64, copy=False)
    r, s, t = _second(elevations, method)
    steep = p * p + q * q
    flat = steep < FLAT_GRADIENT**2
    # Any number will do where the answer is not taken.
    divisor = np.where(flat, 1.0, steep)
    across = -(q * q * r - 2.0 * p * q * s + p * p * t) / divisor
    along = -(p * p * r + 2.0 * p * q * s + q * q * t) / divisor
    longer = 1.0 + steep
    found = across / np.sqrt(divisor), along / (longer * np.sqrt(longer)), across / np.sqrt(longer)
    plan, profile, tangential = (np.where(flat, 0.0, one) for one in found)
    return Curvature(plan, profile, tangential)


def _second(elevations: Elevations, method: Method) -> tuple[Doubles, Doubles, Doubles]:
    """Second derivatives in 1/m: twice towards east, once each way, twice towards north."""
    by_columns, by_both, by_rows = _by_cells(elevations, method)
    t = elevations.grid.transform
    per_x, per_y = metres_per_unit(elevations.grid, elevations.rows, elevations.columns, elevations.distances)
    if t.b == t.d == 0:
        by_x, by_y = 1.0 / (t.a * per_x), 1.0 / (t.e * per_y)
        return by_columns * by_x * by_x, by_both * by_x * by_y, by_rows * by_y * by_y
    # Columns and rows that are passed in a metre towards east and towards north.
    column_x, column_y = t.e / t.determinant / per_x, -t.b / t.determinant / per_y
    row_x, row_y = -t.d / t.determinant / per_x, t.a / t.determinant / per_y
    return (
        by_columns * column_x**2 + 2.0 * by_both * column_x * row_x + by_rows * row_x**2,
        by_columns * column_x * column_y + by_both * (column_x * row_y + row_x * column_y) + by_rows * row_x * row_y,
        by_columns * column_y**2 + 2.0 * by_both * column_y * row_y + by_rows * row_y**2,
    )


def _by_cells(elevations: Elevations, method: Method) -> tuple[Doubles, Doubles, Doubles]:
    """Second derivatives by cells: twice along the row, once each way, twice along the column."""

    def at(down: int, right: int) -> Doubles:
        return elevations.neighbour(down, right).astype(np.float64, copy=False)

    def bend(down: int, right: int, aside_down: int, aside_right: int) -> Doubles:
        """Change of the rise along a line through the middle, or through the cells to a side of it."""
        middle = at(aside_down, aside_right)
        return (at(aside_down + down, aside_right + right) - middle) - (
            middle - at(aside_down - down, aside_right - right)
        )

    by_both = ((at(1, 1) - at(1, -1)) - (at(-1, 1) - at(-1, -1))) / 4.0
    if method == "zevenbergen_thorne":
        return bend(0, 1, 0, 0), by_both, bend(1, 0, 0, 0)
    by_columns = (bend(0, 1, -1, 0) + bend(0, 1, 0, 0) + bend(0, 1, 1, 0)) / 3.0
    by_rows = (bend(1, 0, 0, -1) + bend(1, 0, 0, 0) + bend(1, 0, 0, 1)) / 3.0
    return by_columns, by_both, by_rows
