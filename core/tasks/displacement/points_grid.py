"""Means of InSAR points per cell as rasters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.grid import Grid

MOST_CELLS = 25_000_000
"""Cells of a raster; where points lie farther apart, cells are larger."""

SAMPLED = 5_000
"""Points of which the distance to the next one is taken."""

LEAST, MOST = 1.0, 100_000.0
"""Metres of a cell."""

Doubles = NDArray[np.float64]


def place(x: Doubles, y: Doubles, crs: str) -> tuple[Doubles, Doubles, str]:
    """Places in metres: as they are where their system has metres, else in the UTM zone of their middle.

    Raises
    ------
    InputError
        When there is no such system, or points lie outside it.
    """
    from pyproj import CRS, Transformer
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_utm_crs_info
    from pyproj.exceptions import CRSError, ProjError

    try:
        given = CRS.from_user_input(crs)
        if given.is_projected and all(axis.unit_name == "metre" for axis in given.axis_info[:2]):
            return x, y, crs
        lon, lat = to_degrees(x, y, crs)
        middle = AreaOfInterest(*([float(np.median(lon)), float(np.median(lat))] * 2))
        found = query_utm_crs_info(datum_name="WGS 84", area_of_interest=middle)
        if not found:
            raise InputError("Points this close to a pole have no UTM zone.", remedy=(
                "Give their coordinates in metres (--crs)."
            ))
        code = f"EPSG:{found[0].code}"
        moved = Transformer.from_crs(crs, code, always_xy=True).transform(x, y)
    except (CRSError, ProjError) as error:
        raise InputError(f"The coordinates of the points cannot be used with {crs[:40]!r}.", str(error)[:200],
                         "Give their coordinate system, such as EPSG:32633 (--crs).") from error  # fmt: skip
    return np.asarray(moved[0], np.float64), np.asarray(moved[1], np.float64), code


def to_degrees(x: Doubles, y: Doubles, crs: str) -> tuple[Doubles, Doubles]:
    """Longitude and latitude (WGS 84) of places.

    Raises
    ------
    InputError
        When there is no such system, or places lie outside it.
    """
    from pyproj import Transformer
    from pyproj.exceptions import CRSError, ProjError

    try:
        lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    except (CRSError, ProjError) as error:
        raise InputError(f"The coordinates of the points cannot be used with {crs[:40]!r}.", str(error)[:200],
                         "Give their coordinate system, such as EPSG:32633 (--crs).") from error  # fmt: skip
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise InputError(f"Some points lie outside {crs[:40]}.", remedy="Give their coordinate system (--crs).")
    return np.asarray(lon, np.float64), np.asarray(lat, np.float64)


def spacing(x: Doubles, y: Doubles) -> float:
    """Usual distance of a point to the next one, rounded to 1, 2 or 5 times a power of ten; metres."""
    from scipy.spatial import KDTree

    if len(x) < 2:
        return 100.0
    tree = KDTree(np.column_stack([x, y]))
    some = np.linspace(0, len(x) - 1, min(len(x), SAMPLED)).astype(np.intp)
    distance = tree.query(np.column_stack([x[some], y[some]]), k=2)[0][:, 1]
    apart = distance[distance > 0]
    usual = float(np.median(apart)) if len(apart) else 100.0
    power = 10.0 ** math.floor(math.log10(usual))
    rounded = min((power * step for step in (1, 2, 5, 10)), key=lambda one: abs(math.log(one / usual)))
    return min(max(rounded, LEAST), MOST)


def grid_over(x: Doubles, y: Doubles, crs: str, cell: float = 0.0) -> tuple[Grid, tuple[str, ...]]:
    """The grid of the rasters, its edges at whole multiples of a cell.

    Parameters
    ----------
    x, y
        Places in `crs`, metres.
    cell
        Side of a cell in metres; 0 for the usual distance of a point to the next one.

    Returns
    -------
    tuple
        The grid, and what was assumed of it.

    Raises
    ------
    InputError
        When cells of that size would be too many.
    """
    from affine import Affine
    from rasterio.crs import CRS

    notes: tuple[str, ...] = ()
    side = cell or spacing(x, y)
    if not LEAST <= side <= MOST:
        raise InputError(
            f"A cell size of {side:g} m is out of range.", remedy=f"Choose {LEAST:g} to {MOST:,.0f} (--cell)."
        )

    def extent(side: float) -> tuple[int, int, int, int]:
        left, top = math.floor(x.min() / side), math.floor(y.max() / side) + 1
        return left, top, max(1, math.floor(x.max() / side) - left + 1), max(1, top - math.floor(y.min() / side))

    left, top, width, height = extent(side)
    if width * height > MOST_CELLS:
        if cell:
            raise InputError(
                f"A cell size of {side:g} m would give {width * height:,} cells; the limit is {MOST_CELLS:,}.",
                remedy="Choose a larger cell size (--cell), or clip the table to the area.",
            )  # fmt: skip
        usual = side
        while width * height > MOST_CELLS:
            side *= 2
            left, top, width, height = extent(side)
        notes = ((
            f"The cell size of the rasters is {side:g} m instead of {usual:g} m to stay within the limit of cells."
        ),)
    transform = Affine.translation(left * side, top * side) @ Affine.scale(side, -side)
    return Grid(width, height, transform, CRS.from_user_input(crs)), notes


def mean_raster(grid: Grid, x: Doubles, y: Doubles, values: Doubles) -> NDArray[np.float32]:
    """Mean of the known values of the points of each cell, float32, NaN without any."""
    side = grid.transform.a
    column = np.floor((x - grid.transform.c) / side).astype(np.intp)
    row = np.ceil((grid.transform.f - y) / side).astype(np.intp) - 1
    known = np.isfinite(values)
    at = (row.clip(0, grid.height - 1) * grid.width + column.clip(0, grid.width - 1))[known]
    size = grid.width * grid.height
    count = np.bincount(at, minlength=size)
    total = np.bincount(at, values[known], minlength=size)
    with np.errstate(invalid="ignore"):
        mean = total / count
    return np.asarray(mean.reshape(grid.shape), np.float32)
