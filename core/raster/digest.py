"""A fingerprint of what a raster holds, whatever container it lies in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.windows import Window

from core.raster.progress import tell_reading

if TYPE_CHECKING:
    from core.raster.scene import SceneReader

#: Edge in pixels of the tiles that are hashed one by one; part of the digest's definition.
TILE = 512

#: Bytes of pixels to one of the file from which is looked for blocks that were never written.
SPARSE = 50

#: Bytes read at once.
CHUNK_BYTES = 8 * 2**20


def content_digest(reader: SceneReader) -> str:
    """SHA-256 over a scene's values, validity and grid.

    Parameters
    ----------
    reader
        Open reader of the scene.

    Returns
    -------
    str
        64 hexadecimal digits. The same values on the same grid give the same digest, however the file is
        tiled, compressed or tagged, and whatever stands in its invalid pixels.

    Notes
    -----
    Tiles of 512 by 512 pixels are hashed one by one and their hashes hashed in order, so that files in
    strips and files in tiles can both be read in the order that suits them, in constant memory.
    """
    scene = reader.scene
    whole = hashlib.sha256(f"{scene.grid.digest_text()} {scene.dtype} {len(scene.bands)}".encode())
    pixel = len(scene.bands) * np.dtype(scene.dtype).itemsize
    tiled = reader.block_shape[1] < scene.grid.width
    sparse = tiled and scene.grid.width * scene.grid.height * pixel > SPARSE * reader.file_bytes
    unwritten: dict[tuple[int, int], bytes] = {}
    for top in range(0, scene.grid.height, TILE):
        tell_reading(top, scene.grid.height)
        if not sparse:
            whole.update(b"".join(_hashes(reader, _windows(reader, top))))
            continue
        for left in range(0, scene.grid.width, TILE):
            tile = Window(left, top, min(TILE, scene.grid.width - left), min(TILE, scene.grid.height - top))
            size = tile.height, tile.width
            found = unwritten.get(size) if reader.is_unwritten(tile) else None
            if found is None:
                (found,) = _hashes(reader, [tile])
                if reader.is_unwritten(tile):
                    unwritten[size] = found
            whole.update(found)
    return whole.hexdigest()


def _hashes(reader: SceneReader, windows: Iterable[Window]) -> list[bytes]:
    """Hashes of values and of validity of each tile in one row of them.

    Parameters
    ----------
    windows
        The row, or some of its tiles, cut into windows that begin at the edges of tiles.
    """
    tiles: dict[int, tuple[Any, Any]] = {}
    for window in windows:
        values, valid = reader.read_bands(window)
        values = np.where(valid, values, values.dtype.type(0))
        values = values.astype(values.dtype.newbyteorder("<"), copy=False).transpose(1, 0, 2)
        valid = valid.transpose(1, 0, 2)
        for left in range(0, window.width, TILE):
            of_values, of_validity = tiles.setdefault(window.col_off + left, (hashlib.sha256(), hashlib.sha256()))
            of_values.update(np.ascontiguousarray(values[:, :, left : left + TILE]))
            of_validity.update(np.ascontiguousarray(np.packbits(valid[:, :, left : left + TILE], axis=2)))
    return [one.digest() + other.digest() for one, other in tiles.values()]


def _windows(reader: SceneReader, top: int) -> Iterator[Window]:
    """Cut one row of tiles into windows that follow the file's own blocks."""
    grid = reader.scene.grid
    pixel = len(reader.scene.bands) * np.dtype(reader.scene.dtype).itemsize
    bottom = min(top + TILE, grid.height)
    if reader.block_shape[1] >= grid.width:
        cols = grid.width
        rows = min(TILE, max(1, CHUNK_BYTES // (grid.width * pixel)))
    else:
        cols = TILE * max(1, CHUNK_BYTES // (TILE * TILE * pixel))
        rows = TILE
    for row in range(top, bottom, rows):
        for col in range(0, grid.width, cols):
            yield Window(col, row, min(cols, grid.width - col), min(rows, bottom - row))
