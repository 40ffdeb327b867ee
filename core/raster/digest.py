"""A fingerprint of what a raster holds, whatever container it lies in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

if TYPE_CHECKING:
    from core.raster.scene import SceneReader

#: Edge in pixels of the tiles that are hashed one by one; part of the digest's definition.
TILE = 512

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
    for top in range(0, scene.grid.height, TILE):
        tiles = [hashlib.sha256() for _ in range(0, scene.grid.width, TILE)]
        checks = [hashlib.sha256() for _ in tiles]
        for window in _windows(reader, top):
            values, valid = reader.read_bands(window)
            values = np.where(valid, values, values.dtype.type(0))
            values = values.astype(values.dtype.newbyteorder("<"), copy=False).transpose(1, 0, 2)
            valid = valid.transpose(1, 0, 2)
            for left in range(0, window.width, TILE):
                tile = (window.col_off + left) // TILE
                tiles[tile].update(np.ascontiguousarray(values[:, :, left : left + TILE]))
                bits = np.packbits(valid[:, :, left : left + TILE], axis=2)
                checks[tile].update(np.ascontiguousarray(bits))
        for values_hash, valid_hash in zip(tiles, checks, strict=True):
            whole.update(values_hash.digest() + valid_hash.digest())
    return whole.hexdigest()


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
