"""Slope, aspect and shade of a digital elevation model.

References
----------
Horn, B. K. P. (1981). Hill shading and the reflectance map. Proceedings of the IEEE 69, 14-47.
doi:10.1109/PROC.1981.11918
Zevenbergen, L. W., Thorne, C. R. (1987). Quantitative analysis of land surface topography. Earth Surface Processes and
Landforms 12, 47-56. doi:10.1002/esp.3290120107
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.raster.elevations import Elevations, Reals, known_elevations
from core.raster.ground import Distances, metres_per_unit

if TYPE_CHECKING:
    from core.raster.grid import Grid

Method = Literal["horn", "zevenbergen_thorne"]
"""How the gradient is taken: of all eight neighbours (Horn 1981), which smooths noise, or of four (Zevenbergen and
Thorne 1987), which keeps more detail."""

FLAT_GRADIENT = 1e-6
"""Rise per metre below which ground is flat: it faces nowhere and is not curved."""


def slope_aspect(
    dem: NDArray[Any],
    grid: Grid,
    *,
    valid: NDArray[np.bool_] | None = None,
    method: Method = "horn",
    distances: Distances = "ground",
) -> tuple[Reals, Reals]:
    """Compute slope and aspect by finite differences of the 3 × 3 cells around each.

    Parameters
    ----------
    dem
        Elevation in metres, shape (height, width). NaN is nodata.
    grid
        The grid of `dem`, in any projected or geographic CRS, also south-up or rotated. Distances are metres
        on the ground: degrees are measured on the ellipsoid row by row, and the scale of a projection is
        taken out (a Web Mercator pixel at 60° north is half as wide as its coordinates say).
    valid
        Where `dem` holds data, shape (height, width); everywhere that it is finite when None.
    method
        Horn (1981), or Zevenbergen and Thorne (1987).
    distances
        ``"map"`` takes the distances that the coordinates of a projection say, as GDAL does.

    Returns
    -------
    slope : ndarray (height, width)
        Degrees from the horizontal, 0 to 90. NaN on the outermost rows and columns and wherever one of the
        nine elevations is nodata: read a margin of one pixel to have all of a window.
    aspect : ndarray (height, width)
        The downhill direction in degrees clockwise from grid north (true north in a geographic CRS), 0 to
        below 360. NaN where the slope is, and on flat ground (`FLAT_GRADIENT`), which faces nowhere.

    Raises
    ------
    GridError
        Without a CRS, since elevation and distance then have no common unit.
    InputError
        When `dem` or `valid` has another shape than the grid.
    """
    return angles(*gradient(Elevations.of(dem, grid, valid, distances=distances), method))


def slope_aspect_at(
    dem: NDArray[Any], grid: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[Reals, Reals]:
    """Compute slope and aspect at some pixels only, which is much quicker for few.

    Parameters
    ----------
    dem, grid
        As for `slope_aspect`.
    rows, columns
        Pixels wanted, each of shape (n,).

    Returns
    -------
    slope, aspect : ndarray (n,)
        The values of `slope_aspect` there.

    Raises
    ------
    GridError, InputError
        As for `slope_aspect`.
    """
    padded = np.pad(known_elevations(dem, grid, None), 1, constant_values=np.nan)
    stride = padded.shape[1]
    centre = (rows + 1) * stride + columns + 1
    flat = padded.ravel()
    by_column, by_row = _horn(lambda down, right: flat[centre + down * stride + right])
    return angles(*_on_the_ground(by_column, by_row, grid, rows, columns))


def hillshade(
    dem: NDArray[Any],
    grid: Grid,
    *,
    azimuth: float = 315.0,
    altitude: float = 45.0,
    exaggeration: float = 1.0,
    valid: NDArray[np.bool_] | None = None,
) -> Reals:
    """Shade a DEM as a matt surface under one lamp (Horn 1981).

    Parameters
    ----------
    dem, grid, valid
        As for `slope_aspect`.
    azimuth
        Direction of the light in degrees clockwise from north; from the upper left by custom of cartography.
    altitude
        Height of the light above the horizon in degrees.
    exaggeration
        Factor on the elevations.

    Returns
    -------
    ndarray (height, width)
        The cosine between light and surface normal, 0 (facing away) to 1; ``sin(altitude)`` on flat ground;
        NaN where `slope_aspect` has it.

    Raises
    ------
    GridError, InputError
        As for `slope_aspect`.
    """
    east, north = gradient(Elevations.of(dem, grid, valid))
    return shade(east * exaggeration, north * exaggeration, azimuth, altitude)


def shade(east: Reals, north: Reals, azimuth: float = 315.0, altitude: float = 45.0) -> Reals:
    """The shade of ground that rises by `east` and `north` per metre; see `hillshade`."""
    turn, height = math.radians(azimuth), math.radians(altitude)
    toward_light = -(east * math.sin(turn) + north * math.cos(turn)) * math.cos(height) + math.sin(height)
    cosine = toward_light / np.sqrt(1.0 + east * east + north * north)
    # np.maximum keeps NaN.
    return np.asarray(np.maximum(cosine, 0.0), dtype=east.dtype)


def angles(east: Reals, north: Reals) -> tuple[Reals, Reals]:
    """Slope and aspect in degrees of ground that rises by `east` and `north` per metre."""
    steepness = np.hypot(east, north)
    aspect = np.degrees(np.arctan2(-east, -north)) % 360.0
    # A negative angle too small for the float type comes out as a full circle.
    aspect[aspect == 360.0] = 0.0
    aspect[steepness < FLAT_GRADIENT] = np.nan
    return np.degrees(np.arctan(steepness)), aspect


def gradient(elevations: Elevations, method: Method = "horn") -> tuple[Reals, Reals]:
    """Rise of the ground per metre towards east and towards north, at every cell of a window.

    Raises
    ------
    GridError
        Without a CRS.
    """
    kernel = _horn if method == "horn" else _zevenbergen_thorne
    by_column, by_row = kernel(elevations.neighbour)
    return _on_the_ground(
        by_column, by_row, elevations.grid, elevations.rows, elevations.columns, elevations.distances
    )


def _horn(neighbour: Callable[[int, int], Reals]) -> tuple[Reals, Reals]:
    """Rise per column and per row; NaN where one of the nine elevations is.

    Parameters
    ----------
    neighbour
        Gives the elevations so many rows down and columns to the right of the pixels wanted.
    """
    # Neighbours are subtracted before they are summed: close elevations differ exactly in floating point,
    # so that flat ground stays exactly flat.
    by_column = neighbour(0, 1) - neighbour(0, -1)
    by_column *= 2.0
    by_row = neighbour(1, 0) - neighbour(-1, 0)
    by_row *= 2.0
    for side in (-1, 1):
        by_column += neighbour(side, 1) - neighbour(side, -1)
        by_row += neighbour(1, side) - neighbour(-1, side)
    by_column /= 8.0
    by_row /= 8.0
    # The kernel gives the centre no weight, nor each difference the line between: nodata there counts too.
    unknown = np.isnan(by_column) | np.isnan(by_row) | np.isnan(neighbour(0, 0))
    by_column[unknown] = np.nan
    by_row[unknown] = np.nan
    return by_column, by_row


def _zevenbergen_thorne(neighbour: Callable[[int, int], Reals]) -> tuple[Reals, Reals]:
    """Rise per column and per row from the four next cells; NaN where one of the nine elevations is."""
    by_column = (neighbour(0, 1) - neighbour(0, -1)) / 2.0
    by_row = (neighbour(1, 0) - neighbour(-1, 0)) / 2.0
    unknown = np.isnan(by_column) | np.isnan(by_row) | np.isnan(neighbour(0, 0))
    for down, right in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        unknown |= np.isnan(neighbour(down, right))
    by_column[unknown] = np.nan
    by_row[unknown] = np.nan
    return by_column, by_row


def _on_the_ground(
    by_column: Reals,
    by_row: Reals,
    grid: Grid,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    distances: Distances = "ground",
) -> tuple[Reals, Reals]:
    """Turn the rise per column and row into the rise per metre towards east and north."""
    t = grid.transform
    per_x, per_y = metres_per_unit(grid, rows, columns, distances)
    # dz/dcol = a dz/dx + d dz/dy and dz/drow = b dz/dx + e dz/dy, solved for dz/dx and dz/dy.
    if t.b == t.d == 0:
        by_x, by_y = by_column / t.a, by_row / t.e
    else:
        by_x = (t.e * by_column - t.d * by_row) / t.determinant
        by_y = (t.a * by_row - t.b * by_column) / t.determinant
    by_x /= per_x.astype(by_x.dtype)
    by_y /= per_y.astype(by_y.dtype)
    return by_x, by_y
