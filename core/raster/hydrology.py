"""Where water runs: depressions filled, flow directions, contributing area, wetness, stream power, way to the streams.

All of a raster is needed at once, as water may come from anywhere in it. What lies beyond its edge is unknown: areas
are too small, and distances too large, near edges that streams cross.

References
----------
Wang, L., Liu, H. (2006). An efficient method for identifying and filling surface depressions in digital elevation
models. International Journal of Geographical Information Science 20, 193-213. doi:10.1080/13658810500433453
O'Callaghan, J. F., Mark, D. M. (1984). The extraction of drainage networks from digital elevation data. Computer
Vision, Graphics, and Image Processing 28, 323-344. doi:10.1016/S0734-189X(84)80011-0: D8.
Beven, K. J., Kirkby, M. J. (1979). A physically based, variable contributing area model of basin hydrology.
Hydrological Sciences Bulletin 24, 43-69. doi:10.1080/02626667909491834: topographic wetness index.
Moore, I. D., Grayson, R. B., Ladson, A. R. (1991). Digital terrain modelling: a review of hydrological,
geomorphological and biological applications. Hydrological Processes 5, 3-30.
doi:10.1002/hyp.3360050103: stream power index.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.compiled import flow_library
from core.raster.ground import Distances, cell_areas, middle_steps, steps
from core.raster.progress import Cancel, never, stop_if

if TYPE_CHECKING:
    from core.raster.grid import Grid

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

MOST_PIXELS = 25_000_000
"""Cells of a raster whose flow can be followed."""

LEAST_GRADIENT = 1e-3
"""Tangent of the slope that ground is taken to have at least, where it is divided by."""

STRIP = 512

_UNKNOWN = 247
_NEIGHBOURS = ((1, 0, 1), (2, 1, 1), (4, 1, 0), (8, 1, -1), (16, 0, -1), (32, -1, -1), (64, -1, 0), (128, -1, 1))
"""Codes of flow directions, and the rows down and columns to the right that they lead to."""


def check_size(grid: Grid) -> None:
    """Refuse a raster that is too large for its flow to be followed, or whose cells have no known size.

    Raises
    ------
    GridError
        With more than `MOST_PIXELS` cells, or without a CRS.
    """
    middle_steps(grid)
    if grid.width * grid.height > MOST_PIXELS:
        raise GridError(
            f"The raster has {grid.width * grid.height / 1e6:,.1f} million cells.",
            f"Flow can be routed over at most {MOST_PIXELS / 1e6:.0f} million cells, because all are needed at once.",
            "Choose larger cells, or leave out flow accumulation, wetness, stream power and distance to streams.",
        )


def flow_accumulation(
    dem: NDArray[Any], grid: Grid, distances: Distances = "ground", cancel: Cancel = never
) -> Singles:
    """Compute the area that drains through each cell.

    Depressions are filled to the height at which they spill over (Wang and Liu 2006). Each cell drains into the
    neighbour to which the filled ground falls most steeply (D8, O'Callaghan and Mark 1984), on level ground towards
    the spill. Water leaves at the edge of the raster and of unknown ground.

    Parameters
    ----------
    dem
        Elevation in metres, (height, width), NaN where unknown. Rounded to a millimetre.
    grid
        Its grid, in any CRS.

    Returns
    -------
    ndarray of float32 (height, width)
        Square metres, the cell's own among them; NaN where unknown.

    Raises
    ------
    GridError
        Without a CRS, or when the raster is too large.
    InputError
        When the flow cannot be computed.
    RunCancelled
        When asked to stop.
    """
    check_size(grid)
    if not np.isfinite(dem).any():
        return np.full(grid.shape, np.nan, dtype=np.float32)
    directions = flow_directions(dem, grid, distances, cancel)
    stop_if(cancel)
    areas = cell_areas(grid, np.arange(grid.height)[:, np.newaxis], np.arange(grid.width)[np.newaxis, :], distances)
    # Cells are counted where all are alike: exact, and half as large.
    local = np.ones(grid.shape, np.int32) if areas.size == 1 else np.broadcast_to(areas, grid.shape).copy()
    with flow_library() as library:
        accumulated = library.from_array(directions, ftype="d8", check_ftype=False).accuflux(local, nodata=-1)
    del local
    found = accumulated.astype(np.float32)
    if areas.size == 1:
        found *= np.float32(areas.item())
    found[directions == _UNKNOWN] = np.nan
    return np.asarray(found)


def flow_directions(
    dem: NDArray[Any], grid: Grid, distances: Distances = "ground", cancel: Cancel = never
) -> NDArray[np.uint8]:
    """Where each cell drains to, as codes: 1 east, 2 south-east … 128 north-east, 0 out of the raster, 247 unknown.

    Raises
    ------
    GridError, InputError, RunCancelled
        As `flow_accumulation`.
    """
    known = np.isfinite(dem)
    largest = float(np.abs(dem, where=known, out=np.zeros(dem.shape)).max())
    # Elevations that are whole numbers of one step, all exact as float32: filling adds and subtracts without rounding,
    # so that no cell comes to lie a little below the one it spills into, which would make water go round in circles.
    step = 2.0 ** max(math.ceil(math.log2(max(largest, 1.0))) - 23, -10)
    level = np.where(known, np.rint(dem / step) * step, np.nan).astype(np.float32)
    del known
    with flow_library() as library:
        filled, directions = library.dem.fill_depressions(level, nodata=np.nan)
    for top in range(0, grid.height, STRIP):
        stop_if(cancel)
        _steepest(filled, directions, grid, top, min(top + STRIP, grid.height), distances)
    return np.asarray(directions)


def wetness(accumulation: NDArray[Any], slope: NDArray[Any], width: NDArray[Any] | float) -> Doubles:
    """Topographic wetness index ln(a / tan β) (Beven and Kirkby 1979).

    Parameters
    ----------
    accumulation
        Contributing area in m².
    slope
        Degrees; its tangent is taken for at least `LEAST_GRADIENT`.
    width
        Width of the cells in metres: the root of their area. The contributing area over it is a.

    Returns
    -------
    ndarray
        Logarithm of metres; NaN where one of the two is.
    """
    return np.log(accumulation / (width * _gradient(slope)))


def stream_power(accumulation: NDArray[Any], slope: NDArray[Any], width: NDArray[Any] | float) -> Doubles:
    """Stream power index a × tan β (Moore, Grayson and Ladson 1991) in metres; parameters as for `wetness`."""
    return np.asarray(accumulation / width * _gradient(slope), dtype=np.float64)


class Streams:
    """Cells through which water of some area drains, and how far they lie.

    Parameters
    ----------
    accumulation
        Contributing area in m² of all of the raster.
    grid
        Its grid; distances are by the size of its cells in the middle.
    area
        Square kilometres from which on a cell is a stream.

    Raises
    ------
    InputError
        When no cell is.
    """

    def __init__(self, accumulation: Singles, grid: Grid, area: float, distances: Distances = "ground") -> None:
        from scipy.spatial import cKDTree

        found = accumulation >= area * 1e6
        if not found.any():
            largest = 0.0 if np.isnan(accumulation).all() else float(np.nanmax(accumulation)) / 1e6
            raise InputError(
                f"No cell of the elevation model drains {area:g} km².",
                f"The largest contributing area is {largest:.3g} km², so there are no streams to measure distances "
                "from.",
                "Choose a smaller area for streams, or leave out the distance to streams.",
            )
        self._along, self._down = middle_steps(grid, distances)
        self._tree = cKDTree(self._places(*np.nonzero(found)))

    def distance(self, window: Window) -> Doubles:
        """(height, width) metres in a straight line to the nearest stream cell, 0 in it, of a window of the raster."""
        rows, columns = np.mgrid[
            window.row_off : window.row_off + window.height, window.col_off : window.col_off + window.width
        ]
        found, _ = self._tree.query(self._places(rows.ravel(), columns.ravel()))
        return np.asarray(found, dtype=np.float64).reshape(rows.shape)

    def _places(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Doubles:
        return np.asarray(columns[:, None] * self._along + rows[:, None] * self._down)


def _gradient(slope: NDArray[Any]) -> Doubles:
    """Tangent of a slope, kept off 0; NaN stays."""
    return np.maximum(np.tan(np.radians(slope.astype(np.float64))), LEAST_GRADIENT)


def _steepest(
    filled: Singles, directions: NDArray[np.uint8], grid: Grid, top: int, end: int, distances: Distances
) -> None:
    """Turn rows of cells with a lower neighbour to the one to which the ground falls most steeply.

    Level cells keep the way by which the flood that filled the depressions reached them, which leads out. Those at the
    edge of what is known drain over it.
    """
    height, width = filled.shape
    padded = np.full((end - top + 2, width + 2), np.nan, dtype=np.float32)
    first, last = max(top - 1, 0), min(end + 1, height)
    padded[first - top + 1 : last - top + 1, 1:-1] = filled[first:last]
    middle = padded[1:-1, 1:-1]
    rows, columns = np.arange(top, end)[:, np.newaxis], np.arange(width)[np.newaxis, :]
    along, down = steps(grid, rows, columns, distances)
    best = np.zeros(middle.shape)
    found = np.zeros(middle.shape, dtype=np.uint8)
    edge = np.zeros(middle.shape, dtype=bool)
    for code, by_rows, by_columns in _NEIGHBOURS:
        way = np.hypot(*(by_columns * along + by_rows * down))
        fall = (middle - padded[1 + by_rows : 1 + by_rows + end - top, 1 + by_columns : 1 + by_columns + width]) / way
        edge |= np.isnan(fall)
        steeper = fall > best  # never so where one is unknown
        best[steeper] = fall[steeper]
        found[steeper] = code
    found = np.where(found > 0, found, np.where(edge, np.uint8(0), directions[top:end]))
    directions[top:end] = np.where(np.isnan(middle), np.uint8(_UNKNOWN), found)
