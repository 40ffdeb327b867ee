"""Small pictures as arrays: a target outlined, an attribution laid over an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.plots.colours import CAM_RAMP, DIVERGING_RAMP, FOUND, ramp, rgb

ENLARGED = 512
"""Pictures smaller than this are enlarged by whole pixels, so that browsers do not blur them."""


NEAREST = 48
"""Pixels along a side of the closest view of a region."""


def _enlarged(values: NDArray[np.generic]) -> NDArray[np.generic]:
    factor = max(1, ENLARGED // max(values.shape[:2]))
    return values.repeat(factor, axis=0).repeat(factor, axis=1)


def _outline(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Two pixels of the region's inner border."""
    inner = region.copy()
    for _ in range(2):
        padded = np.pad(inner, 1)
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    result: NDArray[np.bool_] = region & ~inner
    return result


def outlined(image: NDArray[np.uint8], region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """An image (height, width, 3) with the border of a region in the colour of found landslides."""
    picture = np.array(_enlarged(image), dtype=np.uint8)
    picture[_outline(_enlarged(region).astype(bool))] = rgb(FOUND)
    return picture


def close_up(region: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Rows and columns of a square around a region, four times as wide as that, in which it can be judged.

    Returns
    -------
    tuple of slice or None
        None where the region is not small beside the whole image, which then shows it well enough, or is empty.
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not rows.size:
        return None
    side = max(NEAREST, 4 * int(max(np.ptp(rows), np.ptp(columns)) + 1))
    if 2 * side > min(region.shape):
        return None
    first = [
        int(np.clip((ends[0] + ends[-1] + 1 - side) // 2, 0, length - side))
        for ends, length in zip((rows, columns), region.shape, strict=True)
    ]
    return slice(first[0], first[0] + side), slice(first[1], first[1] + side)


def cam_picture(
    image: NDArray[np.uint8], attribution: NDArray[np.float32], region: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """An attribution in [0, 1] over a grey image; the stronger it is, the less of the image shows through."""
    strength = np.clip(attribution, 0, 1)
    return _over(image, strength, ramp(CAM_RAMP)[np.rint(strength * 255).astype(int)], region)


def signed_picture(
    image: NDArray[np.uint8], attribution: NDArray[np.float32], region: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """An attribution in [−1, 1] over a grey image: red for, blue against, the image where it says nothing."""
    shares = np.clip(attribution, -1, 1)
    return _over(image, np.abs(shares), ramp(DIVERGING_RAMP)[np.rint((shares + 1) * 127.5).astype(int)], region)


def _over(
    image: NDArray[np.uint8], strength: NDArray[np.float32], colours: NDArray[np.uint8], region: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Colours over a grey image, as opaque as their strength, with the border of a region."""
    grey = image.astype(np.float32).mean(axis=2, keepdims=True).repeat(3, axis=2)
    opaque = 0.8 * strength[..., None]
    mixed = grey * (1 - opaque) + colours[..., :3].astype(np.float32) * opaque
    return outlined(np.rint(mixed).astype(np.uint8), region)
