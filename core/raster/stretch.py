"""Stretching a scene's values from one range to another, by percentiles of the whole scene."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

from core.errors import InputError
from core.raster.bands import check_bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.raster.scene import Scene, SceneReader

Percentiles = tuple[float, float]

#: Percentiles between which values are stretched unless others are asked for.
USUAL_PERCENTILES: Percentiles = (2.0, 98.0)

#: Bins of the histogram of values that are not 8- or 16-bit integers.
BINS = 65_536

#: Such a histogram is made again over the percentiles alone while they lie closer than this many bins,
#: as they do when a few stray values span a range far beyond the others.
FINE_ENOUGH = 1_024
MOST_PASSES = 4

#: Bytes read at once.
CHUNK_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Stretch:
    """A linear stretch of each band, clipped at both ends.

    Parameters
    ----------
    low, high
        For each band, the scene's values that become the lowest and the highest.
    percentiles
        Percentiles of the scene's valid pixels that `low` and `high` are, or None when they were given.
    reason
        Why values are stretched, in words for provenance and the page.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    percentiles: Percentiles | None
    reason: str

    def apply(self, values: NDArray[np.generic], target: tuple[float, float]) -> NDArray[np.float32]:
        """Stretch values.

        Parameters
        ----------
        values
            Array of shape (bands, height, width), in the order of the stretch's bands.
        target
            Lowest and highest value of the result.

        Returns
        -------
        float32 array of the same shape
            Within `target`. A band without contrast becomes the lowest value; NaN stays NaN, to be filled
            by whoever knows what is valid.
        """
        low = np.asarray(self.low, dtype=np.float64)[:, np.newaxis, np.newaxis]
        span = np.asarray(self.high, dtype=np.float64)[:, np.newaxis, np.newaxis] - low
        scale = np.divide(target[1] - target[0], span, out=np.zeros_like(span), where=span > 0)
        stretched = (values.astype(np.float64) - low) * scale + target[0]
        return np.clip(stretched, *target).astype(np.float32)


def scene_stretch(
    scene: Scene, bands: Sequence[int], percentiles: Percentiles = USUAL_PERCENTILES
) -> Stretch:
    """Find the values between which a scene lies, over all its valid pixels, in constant memory.

    Parameters
    ----------
    scene
        The scene.
    bands
        Band numbers from 1, in the order wanted.
    percentiles
        Lower and upper percentile, 0 to 100.

    Returns
    -------
    Stretch
        Exact percentiles (linear between order statistics) of integers up to 16 bits; those of other types
        are found by refined histograms, to better than a thousandth of the span between them.

    Raises
    ------
    BandError
        When a band is not in the scene.
    InputError
        When no pixel is valid in all the bands, or the percentiles are not in order.
    """
    lower, upper = percentiles
    if not 0 <= lower < upper <= 100:
        raise InputError(
            f"Values cannot be scaled from the {lower:g} to the {upper:g} percentile.",
            remedy="Give two ascending numbers between 0 and 100, such as 2 and 98.",
        )
    chosen = check_bands(scene, bands)
    with scene.reader() as reader:
        if np.dtype(scene.dtype).kind in "iu" and np.dtype(scene.dtype).itemsize <= 2:
            ranges = _exact_ranges(reader, chosen, percentiles)
        else:
            ranges = _refined_ranges(reader, chosen, percentiles)
    low, high = zip(*ranges, strict=True)
    shown = ", ".join(f"{a:.6g} to {b:.6g}" for a, b in ranges)
    return Stretch(
        low,
        high,
        (lower, upper),
        f"{scene.dtype} values were scaled by their {lower:g} and {upper:g} percentiles over the whole image "
        f"({shown}).",
    )


def bridge(
    scene: Scene,
    bands: Sequence[int],
    target_range: tuple[float, float] = (0, 255),
    target_dtype: str = "uint8",
    mode: str = "auto",
) -> Stretch | None:
    """Decide whether and how a scene's values are brought to another range.

    Parameters
    ----------
    scene, bands
        The scene and its bands, numbered from 1.
    target_range, target_dtype
        Range and NumPy type of the values that a model or a screen expects.
    mode
        "auto" leaves values that already fit as they are and stretches others by their 2 and 98
        percentiles; "none" never stretches; "2,98" (any two percentiles) always does.

    Returns
    -------
    Stretch or None
        None when values are to be used as they are. 8-bit values fit an 8-bit target; values of any
        other target's type fit when their percentiles lie within its range.

    Raises
    ------
    InputError
        When `mode` is none of these, or no pixel is valid.
    """
    if mode == "none":
        return None
    if mode != "auto":
        return scene_stretch(scene, bands, parse_percentiles(mode))
    if scene.dtype == target_dtype == "uint8":
        return None
    stretch = scene_stretch(scene, bands)
    fits = target_range[0] <= min(stretch.low) and max(stretch.high) <= target_range[1]
    return None if fits and scene.dtype == target_dtype else stretch


def parse_percentiles(text: str) -> Percentiles:
    """Read two percentiles written as "2,98".

    Raises
    ------
    InputError
        When the text is not two ascending numbers from 0 to 100.
    """
    try:
        lower, upper = (float(part) for part in text.split(","))
    except ValueError:
        lower = upper = math.nan
    if not 0 <= lower < upper <= 100:
        raise InputError(
            f"{text!r} is not a valid stretch.",
            remedy="Write auto, none, or two ascending percentiles such as 2,98."
        )
    return lower, upper


def check_has_data(scene: Scene, bands: Sequence[int]) -> None:
    """Refuse a scene in which no pixel is valid in all the bands; reads no further than to the first that is.

    Raises
    ------
    BandError
        When a band is not in the scene.
    InputError
        When no pixel is valid.
    """
    with scene.reader() as reader:
        next(_chunks(reader, check_bands(scene, bands)))


def _chunks(reader: SceneReader, bands: tuple[int, ...]) -> Iterator[NDArray[np.generic]]:
    """Values of the valid pixels, as arrays (bands, pixels), in bounded pieces."""
    grid, itemsize = reader.scene.grid, np.dtype(reader.scene.dtype).itemsize
    tile_rows, tile_cols = reader.block_shape
    pixels = max(1, CHUNK_BYTES // (len(bands) * itemsize))
    # Whole rows of blocks where they fit, so that no block is decoded twice.
    cols = grid.width if grid.width * tile_rows <= pixels or tile_cols >= grid.width else tile_cols
    rows = max(1, pixels // cols // tile_rows * tile_rows) if cols * tile_rows <= pixels else pixels // cols
    rows = max(1, rows)
    found = False
    for row in range(0, grid.height, rows):
        for col in range(0, grid.width, cols):
            window = Window(col, row, min(cols, grid.width - col), min(rows, grid.height - row))
            patch = reader.read(bands, window)
            if patch.valid.any():
                found = True
                yield patch.values[:, patch.valid]
    if not found:
        raise InputError(
            f"{reader.scene.name} holds no data: every pixel is nodata, masked or not a number.",
            "There is nothing to show or to map.",
            "Check the file's nodata value and mask, or choose another image.",
        )


def _exact_ranges(
    reader: SceneReader, bands: tuple[int, ...], percentiles: Percentiles
) -> list[tuple[float, float]]:
    limits = np.iinfo(reader.scene.dtype)
    counts = np.zeros((len(bands), int(limits.max) - int(limits.min) + 1), dtype=np.int64)
    for values in _chunks(reader, bands):
        for band, row in enumerate(values):
            counts[band] += np.bincount(row.astype(np.int64) - limits.min, minlength=counts.shape[1])
    ranges = []
    for count in counts:
        low, high = (limits.min + _order_statistic(count, p) for p in percentiles)
        ranges.append((float(low), float(high)))
    return ranges


def _order_statistic(counts: NDArray[np.int64], percentile: float) -> float:
    """Percentile of the bin numbers, linear between neighbouring values, as `numpy.percentile` has it."""
    below = np.cumsum(counts)
    place = percentile / 100 * (int(below[-1]) - 1)
    first = int(np.searchsorted(below, math.floor(place), side="right"))
    second = int(np.searchsorted(below, math.ceil(place), side="right"))
    return first + (second - first) * (place - math.floor(place))


def _refined_ranges(
    reader: SceneReader, bands: tuple[int, ...], percentiles: Percentiles
) -> list[tuple[float, float]]:
    lows = np.full(len(bands), np.inf)
    highs = np.full(len(bands), -np.inf)
    for values in _chunks(reader, bands):
        lows = np.minimum(lows, values.min(axis=1))
        highs = np.maximum(highs, values.max(axis=1))
    ranges = [(float(low), float(high)) for low, high in zip(lows, highs, strict=True)]
    for _ in range(MOST_PASSES):
        counts = np.zeros((len(bands), BINS + 2), dtype=np.int64)
        for values in _chunks(reader, bands):
            for band, (low, high) in enumerate(ranges):
                counts[band] += _histogram(values[band], low, high)
        found = [
            tuple(_percentile_in_bins(counts[band], low, high, p) for p in percentiles)
            for band, (low, high) in enumerate(ranges)
        ]
        coarse = [
            high - low > 0 and (b - a) * BINS < FINE_ENOUGH * (high - low)
            for (low, high), (a, b) in zip(ranges, found, strict=True)
        ]
        if not any(coarse):
            break
        ranges = [_around(*pair, *here) for pair, here in zip(ranges, found, strict=True)]
    return [(low, high) for low, high in found]


SMALLEST = 1e-290
"""Differences below this, between values that are hardly numbers, cannot be divided into bins."""


def _histogram(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.int64]:
    """Counts in equal bins from low to high, with those below in the first place and above in the last."""
    if not high - low > SMALLEST:
        high = low + 1.0
    place = np.floor((values.astype(np.float64) - low) * (BINS / (high - low)))
    # The highest value itself belongs to the last bin.
    place[values == high] = BINS - 1
    return np.bincount(np.clip(place, -1, BINS).astype(np.int64) + 1, minlength=BINS + 2)


def _percentile_in_bins(counts: NDArray[np.int64], low: float, high: float, percentile: float) -> float:
    """Percentile from a histogram, taking values as spread evenly within their bin."""
    below = np.cumsum(counts)
    place = percentile / 100 * (int(below[-1]) - 1)
    index = int(np.searchsorted(below, place, side="right"))
    before = int(below[index - 1]) if index else 0
    within = (place - before) / max(int(counts[index]), 1)
    return float(np.clip(low + (index - 1 + within) * (high - low) / BINS, low, high))


def _around(low: float, high: float, lower: float, upper: float) -> tuple[float, float]:
    """A narrower range with two bins to spare on both sides, within the former."""
    spare = 2 * (high - low) / BINS
    return max(low, lower - spare), min(high, upper + spare)
