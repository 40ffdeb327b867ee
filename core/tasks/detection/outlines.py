"""Outlines of boxes: masks packed as bits while a scene is searched, polygons only of those that are shown.

Tracing a polygon takes longer than finding a box, and most candidates are never shown: they are of low confidence, or
merged into others. So a candidate keeps the pixels of its mask, and the polygon is made when it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

HEAD = struct.Struct("<4d2I")
"""Left, top, width and height of a pixel in those of the scene; rows and columns of the mask."""


def pack_masks(
    masks: NDArray[np.bool_], chosen: Sequence[int], start: tuple[float, float], pixel: tuple[float, float]
) -> list[bytes]:
    """Pack masks as bits, each cut to where it holds anything.

    Parameters
    ----------
    masks
        (count, height, width) in pixels of the network.
    chosen
        Which of them.
    start
        Left and top of the window in pixels of the scene.
    pixel
        Width and height of the network's pixel in those of the scene.

    Returns
    -------
    As many packed masks, each as `outline_of` reads it.
    """
    picked = masks[np.asarray(chosen, dtype=np.intp)]
    rows, columns = np.asarray(picked.any(axis=2)), np.asarray(picked.any(axis=1))
    packed = []
    for mask, row, column in zip(picked, rows, columns, strict=True):
        inside = np.flatnonzero(row), np.flatnonzero(column)
        if not len(inside[0]):
            packed.append(HEAD.pack(*start, *pixel, 0, 0))
            continue
        top, left = int(inside[0][0]), int(inside[1][0])
        part = mask[top : inside[0][-1] + 1, left : inside[1][-1] + 1]
        head = HEAD.pack(start[0] + left * pixel[0], start[1] + top * pixel[1], *pixel, *part.shape)
        packed.append(head + np.packbits(part).tobytes())
    return packed


def outline_of(packed: bytes, corners: NDArray[np.float32]) -> BaseGeometry:
    """Outline of a packed mask in pixels of the scene; of an empty one the box.

    Parameters
    ----------
    corners
        Left, top, right, bottom of the box.
    """
    import shapely

    from core.raster.vectorize import outlines_of

    left, top, across, down, height, width = HEAD.unpack_from(packed)
    if not height:
        box: BaseGeometry = shapely.box(*corners.tolist())
        return box
    bits = np.unpackbits(np.frombuffer(packed, np.uint8, offset=HEAD.size), count=height * width)
    (shape,) = outlines_of(bits.reshape(height, width).astype(np.int32), 1)
    size, place = np.array([across, down]), np.array([left, top])
    placed: BaseGeometry = shapely.transform(shape, lambda points: points * size + place)
    return placed
