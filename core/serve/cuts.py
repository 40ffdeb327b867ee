"""What a raster holds below a rectangle of its map, read in bounded time and memory.

A raster is read at about the resolution that is shown. Where that is far below its own, all of it is read once,
reduced, in the background, and cut from there: so a map that shows a large raster as a whole does not read it for every
tile, whether or not its file has overviews.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.raster.bands import check_bands
from core.raster.grid import Grid
from core.raster.scene import ResamplingName, Scene, SceneReader
from core.raster.untrusted import open_untrusted
from core.raster.write import PIXEL_SIZE
from core.serve.background import Deadline, Shared
from core.serve.placing import Floats, Part, View, parts

REDUCED = 1024
"""Longest side of a raster that is read as a whole and kept."""

MOST_BYTES = 64_000_000
"""Most bytes of a raster that are decoded for one picture; more are taken from the reduced raster."""

STRIP = 8_000_000
"""Bytes that are decoded between two looks at the clock."""

FINER = 2
"""Pixels that are read for each that is shown, along a side: more would not be seen."""

MARGIN = 2
"""Pixels that are read around what is shown: one for values between pixels, another for slopes."""

Mask = NDArray[np.bool_]
Resampling = Literal["nearest", "bilinear"]

_REDUCED = Shared(32)
"""Reduced rasters: 3 MB each for three bands of 8 bits."""


@dataclass(frozen=True)
class Cut:
    """What a raster holds below a view.

    Attributes
    ----------
    values
        Shape (bands, height, width), in the raster's own type.
    valid
        Shape (height, width): inside the raster, not nodata, not masked and finite in every band.
    """

    values: NDArray[Any]
    valid: Mask


@dataclass(frozen=True)
class Piece:
    """Pixels of a raster: values (bands, height, width), validity (height, width), and where they lie in it.

    There may be fewer of them than the raster has there.
    """

    values: NDArray[Any]
    valid: Mask
    window: Window


@dataclass(frozen=True)
class Stored:
    """A raster of a run, or another one that never changes.

    Attributes
    ----------
    scene
        The raster.
    pixel
        Width and height of its pixels in those of the image that it lies on, where both are without coordinates.
    """

    scene: Scene
    pixel: tuple[float, float] = (1.0, 1.0)

    def cut(self, view: View, resampling: Resampling, deadline: Deadline, band: int = 1) -> Cut | None:
        """Read what lies below a view of the image's map; see `cut`."""
        across, down = self.pixel
        if not view.globe and self.pixel != (1.0, 1.0):
            view = replace(
                view, left=view.left / across, right=view.right / across, bottom=view.bottom / down, top=view.top / down
            )
        return cut(self.scene, (band,), view, resampling, deadline)


@lru_cache(maxsize=512)
def stored(path: Path) -> Stored:
    """A raster of the store, without reading all of it for its digest: files of runs never change."""
    with open_untrusted(path) as dataset:
        said = re.fullmatch(r"(\d+(?:\.\d+)?) (\d+(?:\.\d+)?)", dataset.tags().get(PIXEL_SIZE, ""))
        pixel = (1.0, 1.0) if said is None or dataset.crs else (float(said[1]), float(said[2]))
        return Stored(Scene.ours(path), pixel if min(pixel) >= 1 else (1.0, 1.0))


def cut(scene: Scene, bands: Sequence[int], view: View, resampling: Resampling, deadline: Deadline) -> Cut | None:
    """Read what lies below a view.

    Parameters
    ----------
    scene
        The raster.
    bands
        Bands to read, counted from 1.
    view
        Rectangle of the raster's map.
    resampling
        How values are brought to the view's pixels.
    deadline
        When it has to be there.

    Returns
    -------
    Cut or None
        None when the raster lies outside the view.

    Raises
    ------
    BandError
        When a band is not in the file.
    Unfinished
        When it is not there in time.
    """
    wanted = check_bands(scene, bands)
    values = np.zeros((len(wanted), view.height, view.width), np.dtype(scene.dtype))
    whole_numbers = resampling == "bilinear" and np.issubdtype(values.dtype, np.integer)
    valid = np.zeros((view.height, view.width), np.bool_)
    found = False
    for part in parts(scene.grid, view):
        piece = piece_of(scene, wanted, part, deadline)
        if piece is None:
            continue
        found = True
        height, width = part.rows.shape
        rows, columns = slice(part.row, part.row + height), slice(part.column, part.column + width)
        part_values, part_valid = sampled(piece, part, resampling)
        shown = np.rint(part_values) if whole_numbers else part_values
        np.copyto(values[:, rows, columns], shown, casting="unsafe", where=part_valid)
        valid[rows, columns] |= part_valid
    return Cut(values, valid) if found else None


def piece_of(
    scene: Scene, bands: tuple[int, ...], part: Part, deadline: Deadline, how: ResamplingName = "nearest"
) -> Piece | None:
    """The pixels of a raster that a part of a view needs, and some around them; None when it needs none.

    Parameters
    ----------
    how
        How pixels are made of more of the raster's.

    Raises
    ------
    Unfinished
        When they are not there in time.
    """
    window = _window(part, scene.grid)
    if window is None:
        return None
    shape = _shape(window, part.rows.shape)
    if max(scene.grid.shape) > REDUCED:
        with scene.reader(overviews=True) as reader:
            apart = min(window.height / shape[0], window.width / shape[1])
            factor = max((one for one in reader.overviews if one <= apart), default=1)
            if window.width * window.height * _pixel_bytes(scene) / factor**2 <= MOST_BYTES:
                return _read(reader, bands, window, shape, factor, deadline, how)
    return _REDUCED.get((scene.digest, bands, how), partial(_whole, scene, bands, how), deadline)


def _whole(scene: Scene, bands: tuple[int, ...], how: ResamplingName) -> Piece:
    window = Window(0, 0, scene.grid.width, scene.grid.height)
    with scene.reader(overviews=True) as reader:
        patch = reader.read(bands, window, _shape(window, (REDUCED // FINER, REDUCED // FINER)), how)
    return Piece(patch.values, patch.valid, window)


def _read(
    reader: SceneReader, bands: tuple[int, ...], window: Window, shape: tuple[int, int], factor: int,
    deadline: Deadline, how: ResamplingName,
) -> Piece:  # fmt: skip
    """Read a window in strips, for as long as there is time."""
    height, width = shape
    row_bytes = window.width * window.height / height * _pixel_bytes(reader.scene) / factor**2
    step = max(1, int(STRIP / row_bytes))
    values, valid = [], []
    for row in range(0, height, step):
        deadline.check()
        rows, scale = min(step, height - row), window.height / height
        strip = Window(window.col_off, window.row_off + row * scale, window.width, rows * scale)
        patch = reader.read(bands, strip, (rows, width), how)
        values.append(patch.values)
        valid.append(patch.valid)
    return Piece(np.concatenate(values, axis=1), np.concatenate(valid), window)


def _window(part: Part, grid: Grid) -> Window | None:
    """The pixels of a grid that lie below a part of a view, with those around them."""
    reached = np.isfinite(part.rows) & np.isfinite(part.columns)
    if not reached.any():
        return None
    rows, columns = part.rows[reached], part.columns[reached]
    top, bottom = max(0, math.floor(rows.min()) - MARGIN), min(grid.height, math.ceil(rows.max()) + MARGIN)
    left, right = max(0, math.floor(columns.min()) - MARGIN), min(grid.width, math.ceil(columns.max()) + MARGIN)
    return Window(left, top, right - left, bottom - top) if top < bottom and left < right else None


def _shape(window: Window, shown: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns that are read of a window: all, or `FINER` for each that is shown."""
    share = min(1.0, max(FINER * shown[0] / window.height, FINER * shown[1] / window.width))
    return max(1, math.ceil(window.height * share)), max(1, math.ceil(window.width * share))


def _pixel_bytes(scene: Scene) -> int:
    """Bytes that are decoded for a pixel: of all bands, which most files store together."""
    return np.dtype(scene.dtype).itemsize * len(scene.bands)


def sampled(piece: Piece, part: Part, resampling: Resampling) -> tuple[NDArray[Any], Mask]:
    """Values (bands, height, width) and validity (height, width) at the pixels of a part of a view."""
    if resampling == "bilinear":
        piece = _pooled(piece, part)
    height, width = piece.valid.shape
    rows = (part.rows - piece.window.row_off) * (height / piece.window.height)
    columns = (part.columns - piece.window.col_off) * (width / piece.window.width)
    row, column, inside = _pixels(piece.valid.shape, np.floor(rows), np.floor(columns))
    valid = inside & piece.valid[row, column]
    if resampling == "nearest":
        return piece.values[:, row, column], valid
    return _between(piece, rows, columns), valid


def _pooled(piece: Piece, part: Part) -> Piece:
    """Means of blocks of pixels, where more than `FINER` of them would be shown by one."""
    height, width = piece.valid.shape
    reached = np.isfinite(part.rows) & np.isfinite(part.columns)
    below = [float(np.ptp(at[reached])) if reached.any() else 0.0 for at in (part.rows, part.columns)]
    share = height / piece.window.height * width / piece.window.width
    apart = math.sqrt((below[0] + 1) * (below[1] + 1) * share / part.rows.size)
    side = min(round(apart / FINER), height, width)
    if side < 2:
        return piece
    rows, columns = height // side, width // side

    def blocks(array: NDArray[Any]) -> NDArray[Any]:
        kept = array[..., : rows * side, : columns * side]
        return kept.reshape(*array.shape[:-2], rows, side, columns, side)

    known = blocks(piece.valid)
    count = known.sum(axis=(-3, -1))
    total = np.where(known, blocks(piece.values), 0).sum(axis=(-3, -1), dtype=np.float32)
    # What is left at the edges of the blocks shows as a sliver of one shown pixel at most.
    span = Window(
        piece.window.col_off, piece.window.row_off,
        piece.window.width * columns * side / width, piece.window.height * rows * side / height,
    )  # fmt: skip
    return Piece(total / np.maximum(count, 1), 2 * count >= side * side, span)


def _between(piece: Piece, rows: Floats, columns: Floats) -> NDArray[np.float32]:
    """Values between the four nearest pixel centres, of which invalid ones take no part."""
    height, width = piece.valid.shape
    row, column = np.nan_to_num(rows - 0.5), np.nan_to_num(columns - 0.5)
    above, left = np.floor(row), np.floor(column)
    lower, right = (row - above).astype(np.float32), (column - left).astype(np.float32)
    # What lies beyond the edge is what lies at it: whether a pixel is shown at all is told elsewhere.
    at_rows = [np.clip(above + step, 0, height - 1).astype(np.intp) * width for step in (0, 1)]
    at_columns = [np.clip(left + step, 0, width - 1).astype(np.intp) for step in (0, 1)]
    values, valid = piece.values.reshape(len(piece.values), -1), piece.valid.ravel()
    whole = bool(valid.all())
    total = np.zeros((len(values), *rows.shape), np.float32)
    weight = np.zeros(rows.shape, np.float32)
    for at_row, by_row in zip(at_rows, (1 - lower, lower), strict=True):
        for at_column, by_column in zip(at_columns, (1 - right, right), strict=True):
            at, share = at_row + at_column, by_row * by_column
            if whole:
                total += share * values[:, at]
                continue
            share = np.where(valid[at], share, np.float32(0))
            total += share * np.where(share > 0, values[:, at], 0).astype(np.float32)
            weight += share
    return total if whole else np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def _pixels(shape: tuple[int, ...], rows: Floats, columns: Floats) -> tuple[Any, Any, Mask]:
    """Rows and columns as indices within an array, and which of them lie in it."""
    height, width = shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)  # what is not finite does not
    return np.where(inside, rows, 0).astype(np.intp), np.where(inside, columns, 0).astype(np.intp), inside
