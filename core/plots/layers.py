"""How each raster of a run is painted on the map.

Adding a layer is adding one entry to `LAYERS`. Rasters hold fractions either as codes (unsigned 0–254, 255
nodata; signed −254–254) or as floats, see `core.learning.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.learning.metrics import CODES, encode, threshold_code
from core.plots.colours import (
    CAM_RAMP,
    DIVERGING_RAMP,
    ramp,
    rgb,
    spread,
    unlike_ramp,
)
from core.plots.painting import Painting

Values = NDArray[Any]
RGBA = NDArray[np.uint8]
Painter = Callable[[Sequence[Values], NDArray[np.bool_], Painting], RGBA]


@dataclass(frozen=True)
class TileLayer:
    """One way to paint a run.

    Parameters
    ----------
    artifacts
        Keys of the run's rasters that it needs, each of shape (height, width) on the run's grid.
    paint
        From values of each artifact, validity (height, width) and what the address chooses to red, green, blue, alpha
        of shape (height, width, 4).
    resampling
        ``"nearest"`` where values are classes or meet a threshold, so that no value appears that was not
        there.
    """

    artifacts: tuple[str, ...]
    paint: Painter
    resampling: Literal["nearest", "bilinear"] = "nearest"


@dataclass(frozen=True)
class DotLayer:
    """One way to paint the points of a table of a run, each as a disc that is seen at any zoom.

    Parameters
    ----------
    artifacts
        Key of a raster of the run, on whose grid the map lies.
    table
        Key of the table: Parquet with columns ``x`` and ``y`` in the coordinate system of that grid.
    column
        Its column of values; points without one are not painted.
    ramp
        Name of the colours between the ends that the address gives; beyond them as at them.
    """

    artifacts: tuple[str, ...]
    table: str
    column: str
    ramp: str


def fraction(values: Values) -> NDArray[np.float32]:
    """Read stored values as fractions: integer codes are divided by 254, floats are taken as they are."""
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(np.float32) / np.float32(CODES - 1)
    return values.astype(np.float32)


def codes(values: Values) -> NDArray[np.uint8]:
    """Read stored values as probability codes 0–254; nodata and NaN become 255."""
    return values if values.dtype == np.uint8 else encode(fraction(values))


def blank(shape: tuple[int, ...]) -> RGBA:
    """A wholly transparent picture (height, width, 4)."""
    return np.zeros((*shape, 4), np.uint8)


def classes(shape: tuple[int, ...], parts: Sequence[tuple[NDArray[np.bool_], str]]) -> RGBA:
    """A picture of classes: where each lies, and its colour."""
    image = blank(shape)
    for where, colour in parts:
        image[where] = (*rgb(colour), 255)
    return image


def with_ramp(name: str) -> Painter:
    """Paints fractions from 0 to 1 with a colour ramp."""

    def paint(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
        del painting
        image = blank(valid.shape)
        shares = np.clip(np.nan_to_num(fraction(values[0])), 0.0, 1.0)
        image[..., :3] = ramp(name)[np.rint(shares * 255.0).astype(np.uint8)]
        image[..., 3] = np.where(valid, 255, 0)
        return image

    return paint


def classed(colours: Sequence[str]) -> Painter:
    """Paints the classes that a fraction is divided into by the breaks of the address, the lowest first."""

    def paint(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
        stored = codes(values[0])
        first = [threshold_code(one) for one in painting.breaks]
        table = np.array([(*rgb(colour), 255) for colour in spread(colours, len(first) + 1)], np.uint8)
        image = table[np.searchsorted(np.asarray(first), stored, side="right")]
        image[~valid | (stored == CODES)] = 0
        return image

    return paint


def scaled(name: str) -> Painter:
    """Paints values between the ends that the address gives with a colour ramp; beyond them as at them."""

    def paint(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
        image = blank(valid.shape)
        span = (painting.high - painting.low) or 1.0
        shares = np.clip(np.nan_to_num((values[0].astype(np.float64) - painting.low) / span), 0.0, 1.0)
        image[..., :3] = ramp(name)[np.rint(shares * 255.0).astype(np.uint8)]
        image[..., 3] = np.where(valid, 255, 0)
        return image

    return paint


def around_zero(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    """Signed values, white at zero; the strongest colour at the upper end that the address gives, to both sides."""
    return diverging([values[0].astype(np.float32) / np.float32(painting.high or 1.0)], valid, painting)


def numbered(colours: Sequence[str]) -> Painter:
    """Paints whole numbers from 0, each in a colour of its own."""

    def paint(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
        del painting
        table = np.array([(*rgb(colour), 255) for colour in colours], np.uint8)
        image = table[np.nan_to_num(values[0]).astype(np.intp) % len(colours)]
        image[~valid] = 0
        return image

    return paint


def hatched(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    """Diagonal lines where values are above the upper end that the address gives; clear elsewhere.

    Tiles are `HATCH` times a whole number wide, so that lines go on from one to the next.
    """
    image = blank(valid.shape)
    row, column = np.indices(valid.shape)
    beyond = valid & (np.nan_to_num(values[0]) > painting.high)
    dark, light = ((row + column) % HATCH < 2, ((row + column) % HATCH >= 2) & ((row + column) % HATCH < 3))
    image[beyond & dark] = (40, 40, 40, 255)
    image[beyond & light] = (255, 255, 255, 255)
    return image


HATCH = 8
"""Pixels from one line of a hatching to the next, along a side."""


UNSEEN = 0.02
"""Differences up to here are not drawn."""


def diverging(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    """White at zero and clearer the nearer to it, so that what says nothing hides nothing."""
    del painting
    image = blank(valid.shape)
    shares = np.clip(np.nan_to_num(fraction(values[0])), -1.0, 1.0)
    image[..., :3] = ramp(DIVERGING_RAMP)[np.rint((shares + 1.0) * 127.5).astype(np.uint8)]
    strength = np.minimum(255.0, 60.0 + 390.0 * np.abs(shares))
    image[..., 3] = np.where(valid & (np.abs(shares) > UNSEEN), strength, 0).astype(np.uint8)
    return image


def cam(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    """Clear at zero, so that the scene is seen where the network did not look."""
    image = with_ramp(CAM_RAMP)(values, valid, painting)
    strength = np.clip(np.nan_to_num(fraction(values[0])), 0.0, 1.0)
    image[..., 3] = np.where(valid, np.rint(strength * 255.0), 0).astype(np.uint8)
    return image


def unlike(values: Sequence[Values], valid: NDArray[np.bool_], painting: Painting) -> RGBA:
    """Distance over its limit: clear up to the limit, where a scene is like the training images, then ever darker."""
    del painting
    image = blank(valid.shape)
    beyond = np.clip(np.nan_to_num(values[0].astype(np.float32)) - 1.0, 0.0, 1.0)
    colours = unlike_ramp()
    image[..., :3] = colours[np.rint(beyond * (len(colours) - 1)).astype(np.uint8)]
    image[..., 3] = np.where(valid & (beyond > 0), 255, 0)
    return image
