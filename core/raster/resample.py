"""Sampling one band of a scene on another grid: block by block, so that no value depends on what else is read.

Places are found by an affine map where both grids have the same coordinate system. Otherwise they are projected at the
nodes of a mesh over each block and interpolated between them, which is off by less than a hundredth of a pixel for
blocks of up to a few hundred kilometres.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError
from core.raster.windows import Region

if TYPE_CHECKING:
    from pyproj import Transformer

    from core.raster.grid import Grid
    from core.raster.scene import SceneReader

Kind = Literal["category", "continuous", "aspect"]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLOCK = 256
"""Side of the blocks that are sampled at once, in pixels of the grid wanted."""

MOST_PIXELS = 4_000_000
"""Most pixels of the source, and most samples, that are in memory at once; larger blocks are divided."""

_MESH = 17
_SLACK = 0.05
"""Share by which a pixel may be larger than the source's before several samples are taken of it."""


@dataclass
class Sampler:
    """Samples one band of an open scene on a grid.

    Attributes
    ----------
    reader
        The scene, open for the thread that samples.
    band
        Band number from 1.
    kind
        ``"category"`` takes the nearest pixel; ``"continuous"`` interpolates between four, or takes the mean of an
        area; ``"aspect"``, in degrees from 0 to 360, does so with the direction's sine and cosine.
    grid
        The grid wanted.
    """

    reader: SceneReader
    band: int
    kind: Kind
    grid: Grid

    def __post_init__(self) -> None:
        """Find how many samples a pixel takes."""
        self._project = projector(self.grid, self.reader.scene.grid)
        self.samples = (1, 1) if self.kind == "category" else samples_of(self.grid, self.reader.scene.grid)

    def read(self, region: Region) -> tuple[Floats, Mask]:
        """Values and validity of a region of the grid, both (height, width); invalid values are NaN."""
        values = np.full((region.height, region.width), np.nan)
        for block in blocks(region, self.grid):
            shared = block.intersection(region)
            found = self._block(block)
            values[_within(shared, region)] = found[_within(shared, block)]
        return values, np.isfinite(values)

    def _block(self, block: Region) -> Floats:
        """Values of a block, divided until it fits in memory."""
        down, across = self.samples
        rows, columns = self._places(block)
        source = self._source(rows, columns)
        if source is None:
            return np.full((block.height, block.width), np.nan)
        if max(source.height * source.width, rows.size) > MOST_PIXELS and block.height * block.width > 1:
            return self._divided(block)
        patch = self.reader.read((self.band,), Window(source.column, source.row, source.width, source.height))
        values, valid = patch.values[0].astype(np.float64), patch.valid
        rows, columns = rows - source.row, columns - source.column
        if self.kind == "category":
            return nearest(values, valid, rows, columns)
        if self.kind == "continuous":
            return mean(bilinear(values, valid, rows, columns), down, across)
        return direction(values, valid & (values >= 0) & (values <= 360), rows, columns, down, across)

    def _divided(self, block: Region) -> Floats:
        values = np.empty((block.height, block.width))
        for part in quarters(block):
            values[_within(part, block)] = self._block(part)
        return values

    def _places(self, block: Region) -> tuple[Floats, Floats]:
        """Rows and columns of the source at the samples of a block, counted from the corner of its first pixel."""
        down, across = self.samples
        rows = block.row + (np.arange(block.height * down) + 0.5) / down
        columns = block.column + (np.arange(block.width * across) + 0.5) / across
        return self._project.rowcol(rows, columns, block)

    def _source(self, rows: Floats, columns: Floats) -> Region | None:
        """The pixels of the source that samples need; None when they all lie outside."""
        reached = np.isfinite(rows) & np.isfinite(columns)
        if not reached.any():
            return None
        grid = self.reader.scene.grid
        top, bottom = max(0, math.floor(rows[reached].min()) - 1), min(grid.height, math.ceil(rows[reached].max()) + 1)
        left = max(0, math.floor(columns[reached].min()) - 1)
        right = min(grid.width, math.ceil(columns[reached].max()) + 1)
        return Region(top, left, bottom - top, right - left) if top < bottom and left < right else None


def nearest(values: Floats, valid: Mask, rows: Floats, columns: Floats) -> Floats:
    """Values of the pixels that hold some places; NaN outside and where they are invalid."""
    row, column, inside = _pixels(values.shape, np.floor(rows), np.floor(columns))
    known: Floats = np.where(inside & valid[row, column], values[row, column], np.nan)
    return known


def bilinear(values: Floats, valid: Mask, rows: Floats, columns: Floats) -> Floats:
    """Values between the four nearest pixel centres, of which invalid ones take no part; NaN where the nearest is."""
    row, column = np.floor(rows - 0.5), np.floor(columns - 0.5)
    lower, right = rows - 0.5 - row, columns - 0.5 - column
    total, weight = np.zeros(rows.shape), np.zeros(rows.shape)
    for down, by_row in ((0, 1 - lower), (1, lower)):
        for across, by_column in ((0, 1 - right), (1, right)):
            at_row, at_column, inside = _pixels(values.shape, row + down, column + across)
            share = np.where(inside & valid[at_row, at_column], by_row * by_column, 0.0)
            total += share * np.where(share > 0, values[at_row, at_column], 0.0)
            weight += share
    near_row, near_column, inside = _pixels(values.shape, np.floor(rows), np.floor(columns))
    known = inside & valid[near_row, near_column] & (weight > 0)
    found: Floats = np.full(rows.shape, np.nan)
    np.divide(total, weight, out=found, where=known)
    return found


def mean(samples: Floats, down: int, across: int) -> Floats:
    """Means of cells of samples; NaN where less than half of a cell is known."""
    if down == across == 1:
        return samples
    cells = samples.reshape(samples.shape[0] // down, down, samples.shape[1] // across, across)
    known = np.isfinite(cells)
    count = known.sum(axis=(1, 3))
    total = np.where(known, cells, 0.0).sum(axis=(1, 3))
    enough = 2 * count >= down * across
    found: Floats = np.full(count.shape, np.nan)
    np.divide(total, count, out=found, where=enough)
    return found


def direction(values: Floats, valid: Mask, rows: Floats, columns: Floats, down: int, across: int) -> Floats:
    """Circular means of directions in degrees, 0 to 360; NaN where opposite ones cancel out."""
    angle = np.radians(np.where(valid, values, 0.0))
    east, north = (mean(bilinear(part, valid, rows, columns), down, across) for part in (np.sin(angle), np.cos(angle)))
    found = np.degrees(np.arctan2(east, north)) % 360
    found[found >= 360] = 0.0
    found[~(np.hypot(east, north) > 1e-6)] = np.nan
    return found


def _pixels(shape: tuple[int, ...], rows: Floats, columns: Floats) -> tuple[Any, Any, Mask]:
    """Rows and columns as indices within an array, and which of them lie in it."""
    height, width = shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return np.where(inside, rows, 0).astype(np.intp), np.where(inside, columns, 0).astype(np.intp), inside


@dataclass(frozen=True)
class Projector:
    """Finds places of one grid in pixels of another one; for one thread."""

    wanted: Grid
    source: Grid
    transformer: Transformer | None

    def rowcol(self, rows: Floats, columns: Floats, block: Region) -> tuple[Floats, Floats]:
        """Rows and columns of the source where rows and columns of a block cross; not finite where there are none."""
        if self.transformer is None:
            return self._exact(*np.meshgrid(rows, columns, indexing="ij"))
        down, across = np.linspace(block.row, block.end_row, _MESH), np.linspace(block.column, block.end_column, _MESH)
        mesh = self._exact(*np.meshgrid(down, across, indexing="ij"))
        at_row = (rows - block.row) / block.height * (_MESH - 1)
        at_column = (columns - block.column) / block.width * (_MESH - 1)
        first, second = (_between(nodes, at_row, at_column) for nodes in mesh)
        return first, second

    def _exact(self, rows: Floats, columns: Floats) -> tuple[Floats, Floats]:
        one, other = self.wanted.transform, ~self.source.transform
        x, y = one.a * columns + one.b * rows + one.c, one.d * columns + one.e * rows + one.f
        if self.transformer is not None:
            x, y = (np.asarray(part) for part in self.transformer.transform(x, y))
        with np.errstate(invalid="ignore"):
            return other.d * x + other.e * y + other.f, other.a * x + other.b * y + other.c


def projector(wanted: Grid, source: Grid) -> Projector:
    """What finds places of a grid in another one.

    Raises
    ------
    GridError
        When only one of them has a coordinate system.
    """
    if (wanted.crs is None) != (source.crs is None):
        raise GridError("Only one of the two grids has a coordinate system, so they cannot be aligned.")
    if wanted.crs == source.crs:
        return Projector(wanted, source, None)
    import pyproj

    here, there = (pyproj.CRS.from_user_input(grid.crs) for grid in (wanted, source))
    return Projector(wanted, source, pyproj.Transformer.from_crs(here, there, always_xy=True))


def samples_of(wanted: Grid, source: Grid) -> tuple[int, int]:
    """How many samples down and across a pixel takes, so that no pixel of the source is passed over."""
    row, column = wanted.height / 2, wanted.width / 2
    rows, columns = np.array([row, row + 1, row]), np.array([column, column, column + 1])
    found_rows, found_columns = projector(wanted, source)._exact(rows, columns)
    sides = np.hypot(found_rows[1:] - found_rows[0], found_columns[1:] - found_columns[0])
    if not np.isfinite(sides).all():
        return 1, 1
    down, across = (max(1, math.ceil(side - _SLACK)) for side in sides)
    # One pixel of the grid alone must still fit in memory.
    most = math.isqrt(MOST_PIXELS)
    return min(down, most), min(across, most)


def _between(nodes: Floats, rows: Floats, columns: Floats) -> Floats:
    """Values between the nodes of a mesh at the crossings of rows and columns."""
    row = np.clip(np.floor(rows), 0, nodes.shape[0] - 2).astype(np.intp)
    column = np.clip(np.floor(columns), 0, nodes.shape[1] - 2).astype(np.intp)
    lower, right = (rows - row)[:, None], (columns - column)[None, :]
    above = nodes[np.ix_(row, column)] * (1 - right) + nodes[np.ix_(row, column + 1)] * right
    below = nodes[np.ix_(row + 1, column)] * (1 - right) + nodes[np.ix_(row + 1, column + 1)] * right
    return np.asarray(above * (1 - lower) + below * lower, dtype=np.float64)


def blocks(region: Region, grid: Grid) -> Iterator[Region]:
    """Blocks of a grid that a region touches; they lie alike whatever the region is."""
    for row in range(region.row // BLOCK * BLOCK, region.end_row, BLOCK):
        for column in range(region.column // BLOCK * BLOCK, region.end_column, BLOCK):
            yield Region(row, column, min(BLOCK, grid.height - row), min(BLOCK, grid.width - column))


def quarters(block: Region) -> Iterator[Region]:
    """The up to four parts of a block, halved where it has more than one row or column."""
    for row, height in _halves(block.row, block.height):
        for column, width in _halves(block.column, block.width):
            yield Region(row, column, height, width)


def _halves(start: int, length: int) -> list[tuple[int, int]]:
    half = length // 2
    return [(start, length)] if length == 1 else [(start, half), (start + half, length - half)]


def _within(part: Region, whole: Region) -> tuple[slice, slice]:
    row, column = part.row - whole.row, part.column - whole.column
    return slice(row, row + part.height), slice(column, column + part.width)
