"""How a cell lies among its neighbours: ruggedness, roughness, position and relief.

References
----------
Riley, S. J., DeGloria, S. D., Elliot, R. (1999). A terrain ruggedness index that quantifies topographic heterogeneity.
Intermountain Journal of Sciences 5, 23-27.
Weiss, A. D. (2001). Topographic position and landforms analysis. Poster, ESRI User Conference, San Diego.
Wilson, M. F. J., et al. (2007). Multiscale terrain analysis of multibeam bathymetry data for habitat mapping on the
continental slope. Marine Geodesy 30, 3-35. doi:10.1080/01490410701295962: roughness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import GridError, InputError
from core.raster.elevations import Elevations
from core.raster.ground import Distances, middle_steps

if TYPE_CHECKING:
    from core.raster.grid import Grid

Doubles = NDArray[np.float64]

TOLERANCE = 1e-3
"""Share of a radius by which a cell may lie beyond it, as a projection stretches distances."""

LEAST_KNOWN = 0.25
"""Share of a neighbourhood that must be known; the corner of a raster has just more than this of it."""

MOST_CELLS = 400
"""Cells that a radius may be long."""

QUANTUM = 2.0**-20
"""Metres to which elevations are rounded before they are summed: sums of whole numbers are exact in any order."""

HIGHEST = 1e5
"""Metres beyond which there is no elevation, and sums might overflow."""


@dataclass(frozen=True)
class Spans:
    """Cells of a neighbourhood: by row, the first and the last column, relative to the cell in the middle.

    Attributes
    ----------
    outer
        ``(row, first, last)`` of the disc within the outer radius.
    inner
        Those that are no part of it.
    """

    outer: tuple[tuple[int, int, int], ...]
    inner: tuple[tuple[int, int, int], ...]

    @property
    def reach(self) -> int:
        """Cells to each side that the neighbourhood takes."""
        return max(max(abs(row), abs(first), abs(last)) for row, first, last in self.outer)

    @property
    def count(self) -> int:
        """Cells in the neighbourhood."""
        size = [sum(last - first + 1 for _, first, last in spans) for spans in (self.outer, self.inner)]
        return size[0] - size[1]


def disc(grid: Grid, radius: float, distances: Distances = "ground") -> Spans:
    """The cells whose centres lie within a radius in metres, the middle one among them.

    Raises
    ------
    GridError
        Without a CRS; when no neighbour lies within the radius, or it is more than `MOST_CELLS` long.
    """
    spans = Spans(_within(grid, radius * (1 + TOLERANCE), distances), ())
    if spans.count < 2:
        raise _empty(grid, f"a radius of {radius:g} m")
    return spans


def annulus(grid: Grid, inner: float, outer: float, distances: Distances = "ground") -> Spans:
    """The cells whose centres lie from `inner` to `outer` metres away; never the one in the middle.

    Raises
    ------
    GridError
        Without a CRS; when no cell lies there, or the outer radius is more than `MOST_CELLS` long.
    """
    within = _within(grid, max(inner * (1 - TOLERANCE), 0.0), distances, below=True) or ((0, 0, 0),)
    spans = Spans(_within(grid, outer * (1 + TOLERANCE), distances), within)
    if spans.count < 1:
        raise _empty(grid, f"a ring of {inner:g} to {outer:g} m")
    return spans


def tri(elevations: Elevations) -> Doubles:
    """Terrain ruggedness index (Riley 1999).

    Returns
    -------
    ndarray (height, width)
        Metres: the root of the sum of the squared differences to the eight neighbours. NaN where one of the nine is.
    """
    middle = elevations.neighbour(0, 0).astype(np.float64)
    total = np.zeros(elevations.shape)
    for one in elevations.around():
        total += (one - middle) ** 2
    return np.sqrt(total)


def roughness(elevations: Elevations) -> Doubles:
    """Range of 3 × 3 cells in metres (height, width), the highest less the lowest; NaN where one of the nine is."""
    middle = elevations.neighbour(0, 0).astype(np.float64)
    highest, lowest = middle.copy(), middle.copy()
    for one in elevations.around():
        # Both keep NaN.
        np.maximum(highest, one, out=highest)
        np.minimum(lowest, one, out=lowest)
    return highest - lowest


def tpi(elevations: Elevations, ring: Spans) -> Doubles:
    """Topographic position index: elevation less the mean of a neighbourhood (Weiss 2001).

    Parameters
    ----------
    elevations
        With a margin of at least ``ring.reach``.
    ring
        See `annulus`.

    Returns
    -------
    ndarray (height, width)
        Metres, positive above the neighbourhood. Unknown neighbours take no part; NaN where the cell is unknown, or
        more than three quarters of its neighbours are.

    Raises
    ------
    InputError
        When elevations are beyond `HIGHEST`.
    """
    known = np.isfinite(elevations.values)
    whole = np.where(known, elevations.values, 0.0).astype(np.float64)
    if np.abs(whole).max(initial=0.0) > HIGHEST:
        raise InputError(
            f"The elevation model holds {float(np.abs(whole).max()):g} m, which is not a possible elevation.",
            "Its unknown cells are probably not declared as nodata.",
            "Declare the nodata value.",
        )
    total = _sum(elevations, np.rint(whole / QUANTUM).astype(np.int64), ring)
    count = _count(elevations, known, ring)
    enough = (count >= LEAST_KNOWN * ring.count) & (count > 0)
    mean = np.divide(total * QUANTUM, count, out=np.full(elevations.shape, np.nan), where=enough)
    return np.asarray(elevations.neighbour(0, 0) - mean, dtype=np.float64)


def relief(elevations: Elevations, within: Spans) -> Doubles:
    """Local relief: the highest less the lowest elevation of a neighbourhood.

    Parameters
    ----------
    elevations
        With a margin of at least ``within.reach``.
    within
        See `disc`.

    Returns
    -------
    ndarray (height, width)
        Metres. Unknown neighbours take no part; NaN where the cell is unknown, or more than three quarters of the
        neighbourhood are.
    """
    known = np.isfinite(elevations.values)
    highest = _highest(elevations, np.where(known, elevations.values, -np.inf), within)
    lowest = -_highest(elevations, np.where(known, -elevations.values, -np.inf), within)
    enough = _count(elevations, known, within) >= LEAST_KNOWN * within.count
    enough &= np.isfinite(elevations.neighbour(0, 0))
    extent: Doubles = np.subtract(highest, lowest, out=np.full(elevations.shape, np.nan), where=enough)
    return extent


def _within(
    grid: Grid, radius: float, distances: Distances, below: bool = False
) -> tuple[tuple[int, int, int], ...]:
    """Spans of the cells whose centres lie within a radius of the middle one's, or nearer than it."""
    along, down = middle_steps(grid, distances)
    # The nearest that lines of cells come: a parallelogram's area over its side.
    area = abs(along[0] * down[1] - along[1] * down[0])
    columns, rows = math.floor(radius * np.hypot(*down) / area), math.floor(radius * np.hypot(*along) / area)
    if max(columns, rows) > MOST_CELLS:
        raise GridError(
            f"A radius of {radius:.0f} m is {max(columns, rows):,} cells of this elevation model.",
            f"The limit is {MOST_CELLS} cells.",
            "Choose a smaller radius or larger cells.",
        )
    across = np.arange(-columns, columns + 1)
    found = []
    for row in range(-rows, rows + 1):
        away = np.hypot(across * along[0] + row * down[0], across * along[1] + row * down[1])
        inside = across[away < radius if below else away <= radius]
        if len(inside):
            found.append((row, int(inside[0]), int(inside[-1])))
    return tuple(found)


def _empty(grid: Grid, what: str) -> GridError:
    return GridError(
        f"No neighbouring cell lies within {what}.",
        f"The cells of this elevation model are {grid.ground_distance() or 0:.3g} m wide.",
        "Choose a larger radius or smaller cells.",
    )


def _sum(elevations: Elevations, whole: NDArray[np.int64], spans: Spans) -> NDArray[np.int64]:
    """Sum of whole numbers over the neighbourhood of each cell, by running sums along the rows."""
    running = np.zeros((whole.shape[0], whole.shape[1] + 1), dtype=np.int64)
    np.cumsum(whole, axis=1, out=running[:, 1:])
    height, width = elevations.shape
    total = np.zeros((height, width), dtype=np.int64)
    for sign, rows in ((1, spans.outer), (-1, spans.inner)):
        for row, first, last in rows:
            lines = running[elevations.margin + row : elevations.margin + row + height]
            start, end = elevations.margin + first, elevations.margin + last + 1
            if sign > 0:
                total += lines[:, end : end + width]
                total -= lines[:, start : start + width]
            else:
                total -= lines[:, end : end + width]
                total += lines[:, start : start + width]
    return total


def _count(elevations: Elevations, known: NDArray[np.bool_], spans: Spans) -> NDArray[np.int64]:
    """Known cells in the neighbourhood of each cell."""
    if known.all():
        return np.full(elevations.shape, spans.count, dtype=np.int64)
    return _sum(elevations, known.astype(np.int64), spans)


def _highest(elevations: Elevations, values: NDArray[np.floating], spans: Spans) -> Doubles:
    """Highest value in the neighbourhood of each cell, from running maxima along the rows."""
    from scipy.ndimage import maximum_filter1d

    height, width = elevations.shape
    found = np.full((height, width), -np.inf)
    for first, last in {span[1:] for span in spans.outer}:
        length = last - first + 1
        lines = maximum_filter1d(values, length, axis=1, mode="constant", cval=-np.inf)
        start = elevations.margin + first + length // 2
        for row in [row for row, *span in spans.outer if span == [first, last]]:
            top = elevations.margin + row
            np.maximum(found, lines[top : top + height, start : start + width], out=found)
    return found
