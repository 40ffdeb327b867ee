"""Distances on the ground: how far the cells of a grid lie apart, and how much ground each covers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import GridError

if TYPE_CHECKING:
    from core.raster.grid import Grid

Doubles = NDArray[np.float64]

Distances = Literal["ground", "map"]
"""Distances on the ground, the scale of the projection taken out; or those that the coordinates of a projection say,
as GDAL, SAGA and ArcGIS take them. Degrees are measured on the ground in either case."""


def metres_per_unit(
    grid: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp], distances: Distances = "ground"
) -> tuple[Doubles, Doubles]:
    """Metres per unit of x and of y at some pixels.

    Parameters
    ----------
    rows, columns
        Pixels of `grid`, in shapes that broadcast.

    Returns
    -------
    ndarray, ndarray
        In a shape that broadcasts with the pixels'.

    Raises
    ------
    GridError
        Without a CRS, or when it names no ellipsoid.
    """
    if grid.crs is None:
        raise GridError(
            "The elevation model has no coordinate system.",
            "Without one the distance between its pixels is unknown, and with it every slope.",
            "Use an elevation model with a coordinate system.",
        )
    if not grid.crs.is_geographic:
        if distances == "map":
            unit = np.asarray(grid.crs.linear_units_factor[1], dtype=np.float64)
            return unit, unit
        areas = np.asarray(grid.pixel_areas(None))
        scale = np.sqrt((areas if areas.ndim == 0 else areas[rows, 0]) / abs(grid.transform.determinant))
        return scale, scale
    from pyproj import CRS

    t = grid.transform
    across = t.d * (columns + 0.5) if t.d else 0.0
    latitude = np.radians(across + t.e * (rows + 0.5) + t.f)
    ellipsoid = CRS.from_user_input(grid.crs).ellipsoid
    if ellipsoid is None:
        raise GridError("The elevation model's coordinate system names no ellipsoid.")
    axis = ellipsoid.semi_major_metre
    eccentricity2 = 1.0 - (ellipsoid.semi_minor_metre / axis) ** 2
    bulge = 1.0 - eccentricity2 * np.sin(latitude) ** 2
    # Radii of the parallel and of the meridian's curvature, times one degree.
    along_parallel = axis * np.cos(latitude) / np.sqrt(bulge)
    along_meridian = axis * (1.0 - eccentricity2) / bulge**1.5
    return math.radians(1.0) * along_parallel, math.radians(1.0) * along_meridian


def steps(grid: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp], distances: Distances = "ground") -> Doubles:
    """The ways in metres from a cell to the next of its row and of its column.

    Returns
    -------
    ndarray (2, 2, ...)
        ``[way, part]``: the way along the row, then along the column; its part towards east, then towards north. The
        last axes broadcast with the pixels.

    Raises
    ------
    GridError
        As `metres_per_unit`.
    """
    t = grid.transform
    per_x, per_y = metres_per_unit(grid, rows, columns, distances)
    return np.array([[t.a * per_x, t.d * per_y], [t.b * per_x, t.e * per_y]])


def middle_steps(grid: Grid, distances: Distances = "ground") -> Doubles:
    """`steps` (2, 2) of the cell in the middle of a grid, which stand for all of it where cells differ."""
    row, column = np.array(grid.height // 2), np.array(grid.width // 2)
    return steps(grid, row, column, distances).reshape(2, 2)


def cell_areas(
    grid: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp], distances: Distances = "ground"
) -> Doubles:
    """Ground in m² that cells cover, in a shape that broadcasts with theirs: one number where all are alike."""
    per_x, per_y = metres_per_unit(grid, rows, columns, distances)
    return np.asarray(abs(grid.transform.determinant) * per_x * per_y)
