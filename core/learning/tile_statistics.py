"""Numbers that describe a tile of an image: its bands, how they go together, its texture, and what an encoder sees.

They are what `core.learning.training_distance` compares a scene with the images of a model's training by.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Encode = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From normalised tiles (batch, bands, height, width) to an encoder's feature maps (batch, channels, rows, columns);
no channels where a network has no encoder."""

PERCENTILES = (2.0, 50.0, 98.0)
LAGS = (1, 2, 4)
"""Distances in pixels over which texture is looked at."""

STEP = 1 / 255
"""The smallest difference that counts, as a share of the value range: one step of 8 bits."""

DEGREE = 0.999
"""Correlations are cut at this before they are spread out, so that a grey image has a number."""


def band_statistics(values: NDArray[np.floating], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What the bands of a tile hold.

    For each band mean, logarithm of the spread and `PERCENTILES`; for each two bands their correlation (Fisher's z),
    the logarithm of the ratio of their means and of the spread of their difference; for each band and lag the mean
    squared difference between pixels that far apart, relative to its variance: the variogram, which knows noise, blur
    and another pixel size.

    Parameters
    ----------
    values
        (bands, height, width) as a share of the model's value range, 0 to 1.
    valid
        (height, width), at least one of them true.

    Returns
    -------
    (5 × bands + 3 × pairs of bands + lags × bands,) numbers.

    References
    ----------
    Matheron, G. (1963). Principles of geostatistics. Economic Geology 58. doi:10.2113/gsecongeo.58.8.1246
    """
    held = values[:, valid].astype(np.float64)
    mean, spread = held.mean(axis=1), held.std(axis=1)
    percentiles = np.percentile(held, PERCENTILES, axis=1)
    centred = held - mean[:, None]
    together = []
    for one, other in combinations(range(len(held)), 2):
        covariance = float((centred[one] * centred[other]).mean())
        correlation = covariance / ((spread[one] + STEP) * (spread[other] + STEP))
        together += [
            np.arctanh(np.clip(correlation, -DEGREE, DEGREE)),
            np.log((mean[one] + STEP) / (mean[other] + STEP)),
            np.log((held[one] - held[other]).std() + STEP / 2),
        ]
    texture = [_variogram(values, valid, lag) for lag in LAGS]
    relative = [np.log(one + (STEP / 2) ** 2) - 2 * np.log(spread + STEP / 2) for one in texture]
    return np.concatenate([mean, np.log(spread + STEP / 2), percentiles.ravel(), together, *relative])


def _variogram(values: NDArray[np.floating], valid: NDArray[np.bool_], lag: int) -> NDArray[np.float64]:
    """Mean squared difference (bands,) of valid pixels that lie so far apart along rows or columns; 0 without any."""
    total, count = np.zeros(len(values)), 0
    for near, far in (
        ((slice(None), slice(None, -lag)), (slice(None), slice(lag, None))),
        ((slice(None, -lag), slice(None)), (slice(lag, None), slice(None))),
    ):
        both = valid[near] & valid[far]
        difference = (values[:, *far] - values[:, *near]).astype(np.float64)
        total += (difference**2 * both).sum(axis=(1, 2))
        count += int(both.sum())
    return total / max(count, 1)


def pooled(maps: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean of feature maps over what is valid.

    Parameters
    ----------
    maps
        (channels, rows, columns).
    valid
        (height, width) of the tile that they were made of; places without a valid pixel do not count.

    Returns
    -------
    (channels,) means.
    """
    rows, columns = maps.shape[-2:]
    height, width = valid.shape
    if valid.all() or not maps.size:
        everywhere: NDArray[np.float64] = maps.astype(np.float64).mean(axis=(1, 2))
        return everywhere
    known = np.zeros((rows, columns))
    down, across = np.nonzero(valid)
    np.add.at(known, (down * rows // height, across * columns // width), 1.0)
    weighted: NDArray[np.float64] = (maps * known).sum(axis=(1, 2)) / known.sum()
    return weighted


def encoder_statistics(
    encode: Encode, tiles: NDArray[np.float32], valid: NDArray[np.bool_], batch: int = 8
) -> NDArray[np.float64]:
    """What an encoder makes of tiles: the mean of each channel over what is valid.

    Parameters
    ----------
    encode
        The encoder.
    tiles
        (count, bands, height, width), normalised as the network takes them.
    valid
        (count, height, width).
    batch
        Tiles of one pass.

    Returns
    -------
    (count, channels) means; no channels where the network has no encoder.
    """
    parts = []
    for start in range(0, len(tiles), batch):
        maps = encode(tiles[start : start + batch])
        parts += [pooled(one, known) for one, known in zip(maps, valid[start : start + batch], strict=True)]
    return np.stack(parts)
