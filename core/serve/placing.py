"""Where a raster lies on the map, and which of its pixels a rectangle of the map shows.

There are three maps. On the *globe* places are metres of Web Mercator, and the browser counts in degrees; a raster
across the antimeridian reaches beyond the edge of that world, so that it stays in one piece. A raster where Web
Mercator ends, near a pole, is shown on the *plane* of its own coordinate system. One without a coordinate system is
shown in *pixels*, whose plane is the column to the right and minus the row upwards.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from core.raster.grid import Grid

if TYPE_CHECKING:
    from pyproj import Transformer
    from rasterio.crs import CRS

Floats = NDArray[np.float64]
Kind = Literal["globe", "plane", "pixels"]

WGS84 = 4326

MERCATOR = 20_037_508.342789244
"""Metres from the middle of the world of Web Mercator to its edge."""

MERCATOR_LATITUDE = 85.0511287798066
"""Degrees of latitude at which Web Mercator ends."""

TALL = 90.0
"""Degrees of latitude from which a raster in degrees is of the world, and shown without what lies beyond that end."""

_RADIUS = 6378137.0
_NODES = 33


@dataclass(frozen=True)
class View:
    """A rectangle of a map, and of how many pixels a picture of it is.

    Attributes
    ----------
    left, bottom, right, top
        Metres of Web Mercator; else units of the plane.
    width, height
        Pixels of the picture.
    globe
        Whether it is of the globe.
    """

    left: float
    bottom: float
    right: float
    top: float
    width: int
    height: int
    globe: bool = True

    @property
    def transform(self) -> Affine:
        """From column and row of the picture to the map."""
        across, down = (self.right - self.left) / self.width, (self.top - self.bottom) / self.height
        return Affine(across, 0.0, self.left, 0.0, -down, self.top)


@dataclass(frozen=True)
class Part:
    """The part of a view in which a raster lies, with the places of the raster that its pixels show.

    Attributes
    ----------
    row, column
        Of the part's first pixel in the view.
    rows, columns
        Where the centres of its pixels lie in the raster, from the corner of the raster's first pixel; both
        (height, width). Not finite where the raster's coordinate system ends.
    """

    row: int
    column: int
    rows: Floats
    columns: Floats


@lru_cache(maxsize=512)
def map_of(grid: Grid) -> Kind:
    """The map on which a grid is shown.

    Raises
    ------
    GridError
        When the grid lies outside the area of its coordinate system.
    """
    around = grid.to_wgs84_bounds()
    if grid.crs is None or around is None:
        return "pixels"
    _, south, _, north = around
    ends = max(abs(south), abs(north)) > MERCATOR_LATITUDE
    return "plane" if ends and not (grid.crs.is_geographic and north - south >= TALL) else "globe"


def plane_of(grid: Grid) -> Affine:
    """From column and row of a grid to its plane."""
    return Affine.scale(1.0, -1.0) if grid.crs is None else grid.transform


def extent(grid: Grid, *, globe: bool) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a grid on the globe or its plane, as a `View` counts."""
    if not globe:
        corners = [(0, 0), (grid.width, 0), (grid.width, grid.height), (0, grid.height)]
        xs, ys = zip(*(plane_of(grid) @ corner for corner in corners), strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    west, south, east, north = grid.to_wgs84_bounds() or (0.0, 0.0, 0.0, 0.0)
    return _metres(west), mercator_y(south), _metres(east), mercator_y(north)


def mercator_y(latitude: float) -> float:
    """Metres of Web Mercator to the north of the equator, at most to its end."""
    latitude = min(MERCATOR_LATITUDE, max(-MERCATOR_LATITUDE, latitude))
    return _RADIUS * math.asinh(math.tan(math.radians(latitude)))


def parts(grid: Grid, view: View) -> Iterator[Part]:
    """Where a grid lies in a view; on the globe it may do so twice.

    The places are found at the nodes of a mesh over each part and interpolated between them.
    """
    globe = view.globe
    left, bottom, right, top = extent(grid, globe=globe)
    to_picture = ~view.transform
    for turn in (-1, 0, 1) if globe else (0,):
        shift = 2 * MERCATOR * turn
        first_column, first_row = to_picture @ (left + shift, top)
        last_column, last_row = to_picture @ (right + shift, bottom)
        column, row = max(0, math.floor(first_column)), max(0, math.floor(first_row))
        width = min(view.width, math.ceil(last_column)) - column
        height = min(view.height, math.ceil(last_row)) - row
        if width <= 0 or height <= 0:
            continue
        at_columns, at_rows = column + np.arange(width) + 0.5, row + np.arange(height) + 0.5
        if globe:
            rows, columns = _meshed(grid, view, at_rows, at_columns, shift)
        else:
            place = ~plane_of(grid) @ view.transform
            columns = place.a * at_columns[None, :] + place.b * at_rows[:, None] + place.c
            rows = place.d * at_columns[None, :] + place.e * at_rows[:, None] + place.f
        yield Part(row, column, *np.broadcast_arrays(rows, columns))


def near(values: Any, middle: float, period: float = 360.0) -> Any:  # noqa: ANN401 - a number or an array
    """Positions on a circle, counted in the turn that is nearest to a middle."""
    return values - period * np.round((np.asarray(values) - middle) / period)


def own_longitudes(grid: Grid, x: Any) -> Any:  # noqa: ANN401 - a number or an array
    """Coordinates from west to east as a grid counts them, where they are degrees and longitude is a circle."""
    if grid.crs is None or not grid.crs.is_geographic:
        return x
    left, _, right, _ = grid.bounds
    return near(x, (left + right) / 2)


def transformer(source: CRS | int, target: CRS | int) -> Transformer:
    """What transforms coordinates, x before y; kept for each thread, as they must not be shared."""
    kept = _THREAD.__dict__.setdefault("transformers", {})
    key = tuple(one if isinstance(one, int) else one.to_wkt() for one in (source, target))
    if key not in kept:
        import pyproj

        while len(kept) >= 32:
            kept.pop(next(iter(kept)))
        here, there = (pyproj.CRS.from_user_input(one) for one in (source, target))
        kept[key] = pyproj.Transformer.from_crs(here, there, always_xy=True)
    found: Transformer = kept[key]
    return found


_THREAD = threading.local()


def _metres(longitude: float) -> float:
    return longitude / 180.0 * MERCATOR


def _meshed(grid: Grid, view: View, at_rows: Floats, at_columns: Floats, shift: float) -> tuple[Floats, Floats]:
    """Rows and columns of a grid at pixels of a view on the globe."""
    nodes = [np.linspace(at[0], at[-1] + 1e-9, min(_NODES, len(at) + 1)) for at in (at_rows, at_columns)]
    down, across = np.meshgrid(*nodes, indexing="ij")
    x, y = view.transform.a * across + view.transform.c - shift, view.transform.e * down + view.transform.f
    longitudes, latitudes = x / MERCATOR * 180.0, np.degrees(np.arctan(np.sinh(y / _RADIUS)))
    there = transformer(WGS84, grid.crs) if grid.crs is not None else None
    if there is not None:
        x, y = there.transform(longitudes, latitudes)
    x, place = own_longitudes(grid, np.asarray(x)), ~grid.transform
    with np.errstate(invalid="ignore"):
        columns, rows = place.a * x + place.b * y + place.c, place.d * x + place.e * y + place.f
        return _between(nodes, rows, at_rows, at_columns), _between(nodes, columns, at_rows, at_columns)


def _between(nodes: list[Floats], values: Floats, at_rows: Floats, at_columns: Floats) -> Floats:
    """Values at the crossings of rows and columns, between those at the nodes of a mesh."""
    (row, lower), (column, right) = (_steps(*pair) for pair in zip(nodes, (at_rows, at_columns), strict=True))
    lower, right = lower[:, None], right[None, :]
    above = values[np.ix_(row, column)] * (1 - right) + values[np.ix_(row, column + 1)] * right
    below = values[np.ix_(row + 1, column)] * (1 - right) + values[np.ix_(row + 1, column + 1)] * right
    return np.asarray(above * (1 - lower) + below * lower, dtype=np.float64)


def _steps(nodes: Floats, at: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Node before each position, and the share of the way to the next."""
    where = (at - nodes[0]) / (nodes[1] - nodes[0])
    before = np.clip(np.floor(where), 0, len(nodes) - 2).astype(np.intp)
    return before, where - before
