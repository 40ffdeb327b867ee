"""Points of a table of a run, painted as discs at any zoom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError
from core.plots.colours import ramp
from core.plots.painting import Painting
from core.serve.background import Deadline, Shared
from core.serve.placing import MERCATOR, Floats, View

if TYPE_CHECKING:
    from core.plots.layers import DotLayer
    from core.raster.grid import Grid
    from core.serve.cuts import Stored

RGBA = NDArray[np.uint8]

FINER = 2
"""Pixels that are painted for each that is shown, along a side, so that edges are smooth."""

SMALLEST, LARGEST = 3.0, 6.0
"""Radius of a disc in pixels of the picture: as far as points lie apart, between these."""

RIM = (90, 90, 90)
"""Colour of the edge of a disc, to tell pale ones from the ground."""

SAMPLED = 2_000
"""Points of which the distance to the next one is taken."""

_DOTS = Shared(16)


@dataclass(frozen=True)
class Dots:
    """Points with a value, the smallest size of a value first, so that the largest are painted above.

    Attributes
    ----------
    x, y
        Metres of Web Mercator; units of the plane where the map is one.
    values
        Of each point.
    apart
        Usual distance of a point to the next one, in the same units.
    """

    x: Floats
    y: Floats
    values: Floats
    apart: float


@dataclass(frozen=True)
class PaintedDots:
    """A layer of points, ready to be painted; see `core.serve.tiles.RunLayer`."""

    painter: DotLayer
    rasters: tuple[Stored, ...]
    painting: Painting
    table: Path

    def paint(self, view: View, deadline: Deadline) -> RGBA | None:
        """Picture of the points; None when the view holds none.

        Raises
        ------
        Unfinished
            When they are not read in time.
        """
        grid, column = self.rasters[0].scene.grid, self.painter.column
        key = (self.table, column, view.globe)
        dots: Dots = _DOTS.get(key, lambda: read_dots(self.table, column, grid, globe=view.globe), deadline)
        return paint_dots(dots, view, self.painter.ramp, self.painting)


def read_dots(table: Path, column: str, grid: Grid, *, globe: bool) -> Dots:
    """Points of a table as a map places them.

    Raises
    ------
    StorageError
        When the table cannot be read.
    """
    import pyarrow
    import pyarrow.parquet as parquet
    from pyproj import Transformer
    from scipy.spatial import KDTree

    try:
        read = parquet.read_table(table, columns=["x", "y", column])
        x, y, values = (np.asarray(read[name].to_numpy(), np.float64) for name in ("x", "y", column))
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise StorageError("The points of the run cannot be read.", str(error)[:200], "Repeat the run.") from error
    if globe:
        x, y = (np.asarray(one) for one in Transformer.from_crs(grid.crs, 3857, always_xy=True).transform(x, y))
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(values))
    known = known[np.argsort(np.abs(values[known]), kind="stable")]
    x, y, values = x[known], y[known], values[known]
    apart = 0.0
    if len(x) > 1:
        some = np.linspace(0, len(x) - 1, min(len(x), SAMPLED)).astype(np.intp)
        places = np.column_stack([x, y])
        apart = float(np.median(KDTree(places).query(places[some], k=2)[0][:, 1]))
    return Dots(x, y, values, apart)


def paint_dots(dots: Dots, view: View, colours: str, painting: Painting) -> RGBA | None:
    """Discs of the points in a view: red, green, blue, alpha (height, width, 4); None when it holds none."""
    scale = (view.right - view.left) / view.width
    radius = float(np.clip(dots.apart / scale / 2, SMALLEST, LARGEST))
    reach = scale * (radius + 1)
    turns = (-2 * MERCATOR, 0.0, 2 * MERCATOR) if view.globe else (0.0,)
    found = [
        (np.flatnonzero((dots.x + turn > view.left - reach) & (dots.x + turn < view.right + reach)
                        & (dots.y > view.bottom - reach) & (dots.y < view.top + reach)), turn)
        for turn in turns
    ]  # fmt: skip
    at = np.concatenate([rows for rows, _ in found])
    if not len(at):
        return None
    x = np.concatenate([dots.x[rows] + turn for rows, turn in found])
    size = FINER * view.height, FINER * view.width
    column = np.floor((x - view.left) / scale * FINER).astype(np.intp)
    row = np.floor((view.top - dots.y[at]) / scale * FINER).astype(np.intp)
    span = (painting.high - painting.low) or 1.0
    share = np.clip((dots.values[at] - painting.low) / span, 0.0, 1.0)
    image = np.zeros((*size, 4), np.uint8)
    rim = np.broadcast_to(np.array([*RIM, 255], np.uint8), (len(at), 4))
    filled = np.column_stack([ramp(colours)[np.rint(share * 255).astype(np.intp)], np.full(len(at), 255, np.uint8)])
    for wide, colour in ((FINER * radius + 1, rim), (FINER * radius, filled)):
        for down, across in _disc(wide):
            rows, columns = row + down, column + across
            inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
            image[rows[inside], columns[inside]] = colour[inside]
    return _coarser(image)


def _disc(radius: float) -> list[tuple[int, int]]:
    """Rows and columns of the pixels of a disc about its middle."""
    most = int(np.ceil(radius))
    steps = range(-most, most + 1)
    return [(down, across) for down in steps for across in steps if down * down + across * across <= radius * radius]


def _coarser(image: RGBA) -> RGBA:
    """Means of blocks of pixels, colours weighted by how much of a block they cover."""
    height, width = image.shape[0] // FINER, image.shape[1] // FINER
    blocks = image.reshape(height, FINER, width, FINER, 4).astype(np.float32)
    alpha = blocks[..., 3:]
    total = alpha.sum(axis=(1, 3))
    colours = (blocks[..., :3] * alpha).sum(axis=(1, 3)) / np.maximum(total, 1.0)
    return np.concatenate([colours, total / FINER**2], axis=-1).round().astype(np.uint8)
