"""How each raster of a run is painted on the map.

Adding a layer is adding one entry to `LAYERS`. Rasters hold fractions either as codes (unsigned 0–254, 255
nodata; signed −254–254) or as floats, see `core.learning.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.learning.metrics import CODES, encode, threshold_code
from core.plots.colours import (
    CAM_RAMP,
    DIVERGING_RAMP,
    FALSE_POSITIVE,
    FOUND,
    MISSED,
    PROBABILITY_RAMP,
    REFERENCE,
    TRUE_POSITIVE,
    UNCERTAINTY_RAMP,
    ramp,
    rgb,
)

Values = NDArray[Any]
RGBA = NDArray[np.uint8]
Painter = Callable[[Sequence[Values], NDArray[np.bool_], float], RGBA]


@dataclass(frozen=True)
class TileLayer:
    """One way to paint a run.

    Parameters
    ----------
    artifacts
        Keys of the run's rasters that it needs, each of shape (height, width) on the run's grid.
    paint
        From values of each artifact, validity (height, width) and threshold to red, green, blue, alpha of
        shape (height, width, 4).
    resampling
        ``"nearest"`` where values are classes or meet a threshold, so that no value appears that was not
        there.
    """

    artifacts: tuple[str, ...]
    paint: Painter
    resampling: Literal["nearest", "bilinear"] = "nearest"


def fraction(values: Values) -> NDArray[np.float32]:
    """Read stored values as fractions: integer codes are divided by 254, floats are taken as they are."""
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(np.float32) / np.float32(CODES - 1)
    return values.astype(np.float32)


def codes(values: Values) -> NDArray[np.uint8]:
    """Read stored values as probability codes 0–254; nodata and NaN become 255."""
    return values if values.dtype == np.uint8 else encode(fraction(values))


def _blank(shape: tuple[int, ...]) -> RGBA:
    return np.zeros((*shape, 4), np.uint8)


def _classes(shape: tuple[int, ...], parts: Sequence[tuple[NDArray[np.bool_], str]]) -> RGBA:
    image = _blank(shape)
    for where, colour in parts:
        image[where] = (*rgb(colour), 255)
    return image


def _with_ramp(name: str) -> Painter:
    def paint(values: Sequence[Values], valid: NDArray[np.bool_], threshold: float) -> RGBA:
        del threshold
        image = _blank(valid.shape)
        shares = np.clip(np.nan_to_num(fraction(values[0])), 0.0, 1.0)
        image[..., :3] = ramp(name)[np.rint(shares * 255.0).astype(np.uint8)]
        image[..., 3] = np.where(valid, 255, 0)
        return image

    return paint


def _diverging(values: Sequence[Values], valid: NDArray[np.bool_], threshold: float) -> RGBA:
    """White at zero and clearer the nearer to it, so that what says nothing hides nothing."""
    del threshold
    image = _blank(valid.shape)
    shares = np.clip(np.nan_to_num(fraction(values[0])), -1.0, 1.0)
    image[..., :3] = ramp(DIVERGING_RAMP)[np.rint((shares + 1.0) * 127.5).astype(np.uint8)]
    strength = np.minimum(255.0, 60.0 + 390.0 * np.abs(shares))
    image[..., 3] = np.where(valid & (np.abs(shares) > 0.02), strength, 0).astype(np.uint8)
    return image


def _cam(values: Sequence[Values], valid: NDArray[np.bool_], threshold: float) -> RGBA:
    """Clear at zero, so that the scene is seen where the network did not look."""
    image = _with_ramp(CAM_RAMP)(values, valid, threshold)
    strength = np.clip(np.nan_to_num(fraction(values[0])), 0.0, 1.0)
    image[..., 3] = np.where(valid, np.rint(strength * 255.0), 0).astype(np.uint8)
    return image


def _mask(values: Sequence[Values], valid: NDArray[np.bool_], threshold: float) -> RGBA:
    found = valid & (codes(values[0]) >= threshold_code(threshold))
    return _classes(valid.shape, [(found, FOUND)])


def _truth(values: Sequence[Values], valid: NDArray[np.bool_], threshold: float) -> RGBA:
    del threshold
    return _classes(valid.shape, [(valid & (values[0] == 1), REFERENCE)])


def _outcome(values: Sequence[Values], valid: NDArray[np.bool_], threshold: float) -> RGBA:
    found = codes(values[0]) >= threshold_code(threshold)
    real = values[1] == 1
    return _classes(
        valid.shape,
        [
            (valid & found & real, TRUE_POSITIVE),
            (valid & found & ~real, FALSE_POSITIVE),
            (valid & ~found & real, MISSED),
        ],
    )


LAYERS: Mapping[str, TileLayer] = {
    "probability": TileLayer(("probability",), _with_ramp(PROBABILITY_RAMP), "bilinear"),
    "uncertainty": TileLayer(("uncertainty",), _with_ramp(UNCERTAINTY_RAMP), "bilinear"),
    "mask": TileLayer(("probability",), _mask),
    "truth": TileLayer(("truth",), _truth),
    "outcome": TileLayer(("probability", "truth"), _outcome),
    "change": TileLayer(("change",), _diverging, "bilinear"),
    "cam": TileLayer(("cam",), _cam, "bilinear"),
    "attribution": TileLayer(("cam",), _diverging, "bilinear"),
}
"""Every layer that ``/tiles/run`` can paint, by the name in its address."""
