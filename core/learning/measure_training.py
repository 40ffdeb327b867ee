"""Measuring what the training images of a model look like; see `core.learning.training_distance`.

The distance is fitted to the fitting part and its limits are chosen on the tuning part, each as it is and once more
altered as another image of the same place may be: lit a little otherwise, compressed as JPEG, with a little noise,
resampled by up to a quarter. A model hardly answers otherwise for such an image, so it must not count as unlike.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputError
from core.learning.augment import Augmentation
from core.learning.preprocessing import SAME_DISTANCE
from core.learning.spec import ModelSpec
from core.learning.tile_statistics import Encode, band_statistics, encoder_statistics
from core.learning.training_distance import LIMIT, Floats, TrainingStatistics
from core.raster.windows import STEP

ENOUGH = 200
"""Fitting tiles below which images are cut into smaller ones: a covariance of few tiles says little."""

SMALLEST = 2
"""Least side of a tile in steps of the network's input."""

NEIGHBOURS = 16
"""Tuning tiles that lie beside each other in the training folder, taken together for a small scene."""

LEAST_SHARE = 0.25
"""Share of tiles beyond the limit up to which no scene is warned of."""

ALTERATION = Augmentation(
    turn=False, zoom=SAME_DISTANCE, brightness=0.2, contrast=0.2, colour=0.03, noise=4 / 255
)
QUALITIES = (70, 96)
"""Qualities of JPEG, from and below."""

KNOWN = 0.5
"""Share of a tile that must be valid."""

SEED = 0
AT_ONCE = 64

Report = Callable[[int, int], None]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Images:
    """Training images of one size.

    Attributes
    ----------
    values
        (count, bands, height, width) in the values of the files.
    valid
        (count, height, width); None where all is.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where they are valid, (count, height, width)."""
        count, _, height, width = self.values.shape
        return np.ones((count, height, width), np.bool_) if self.valid is None else self.valid


def measure(
    spec: ModelSpec, fitting: Images, tuning: Images, encode: Encode, told: Report = lambda done, total: None
) -> TrainingStatistics:
    """Fit the distance to the fitting part, and choose its limits on the tuning part.

    Parameters
    ----------
    spec
        The model's description, with the digest of its weights.
    fitting, tuning
        Images in the order of their folder, in which neighbours often show neighbouring places.
    encode
        The model's encoder.
    told
        Called with tiles done and all.

    Raises
    ------
    InputError
        When the images are too small to hold a tile, or none holds enough data.
    """
    tile = tile_side(spec, fitting.values.shape)
    parts = [_tiles(one, tile) for one in (fitting, tuning)]
    if not all(len(part.values) for part in parts):
        raise InputError("No tile of the training images holds enough data.", remedy="Use other images.")
    counts = [len(part.values) for part in parts for _ in range(2)]

    def described(number: int, altering: bool) -> tuple[Floats, Floats]:
        before = sum(counts[: 2 * number + altering])
        generator = torch.Generator().manual_seed(SEED + number) if altering else None
        return _described(spec, parts[number], encode, generator, lambda done: told(before + done, sum(counts)))

    learnt, chosen = ([described(number, altering) for altering in (False, True)] for number in range(2))
    bands, deep = (np.concatenate([part[which] for part in learnt]) for which in range(2))
    statistics = TrainingStatistics.fit(bands, deep, weights_sha256=spec.weights_sha256, tile=tile)
    distances = [statistics.distance(*part) for part in chosen]
    limit = float(np.quantile(np.concatenate(distances), LIMIT))
    share = max(LEAST_SHARE, *(_most_beyond(one > limit) for one in distances))
    return statistics.with_limits(limit, share, sum(map(len, distances)))


def tile_side(spec: ModelSpec, shape: tuple[int, ...]) -> int:
    """Side of the tiles: that of the training images, halved while there are fewer than `ENOUGH` of them.

    Raises
    ------
    InputError
        When an image is smaller than a step of the network.
    """
    count, _, height, width = shape
    step = STEP if spec.upscale >= 1 else round(STEP / spec.upscale)
    side = min(height, width, spec.tile) // step * step
    if not side:
        raise InputError(f"The training images are smaller than {step} pixels.", remedy="Use larger images.")
    while count * (height // side) * (width // side) < ENOUGH and side // 2 >= SMALLEST * step and side % 2 == 0:
        side //= 2
    return side // step * step


def describe(
    spec: ModelSpec, values: NDArray[np.float32], valid: NDArray[np.bool_], encode: Encode
) -> tuple[Floats, Floats]:
    """Band and encoder statistics of tiles.

    Parameters
    ----------
    values
        (count, bands, height, width) as a share of the model's value range.
    valid
        (count, height, width).
    """
    mean = np.asarray(spec.mean, dtype=np.float32)[:, None, None]
    deviation = np.asarray(spec.deviation, dtype=np.float32)[:, None, None]
    # Without data the network is given the training mean, as `core.learning.inputs.read_window` does.
    inputs = np.where(valid[:, None], (values - mean) / deviation, np.float32(0))
    bands = np.stack([band_statistics(one, known) for one, known in zip(values, valid, strict=True)])
    return bands, encoder_statistics(encode, inputs.astype(np.float32, copy=False), valid)


def _described(
    spec: ModelSpec, tiles: Images, encode: Encode, generator: torch.Generator | None, told: Callable[[int], None]
) -> tuple[Floats, Floats]:
    """Statistics of all tiles, as they are or, with a generator, altered at random."""
    low, high = spec.value_range
    parts = []
    for start in range(0, len(tiles.values), AT_ONCE):
        values, valid = tiles.values[start : start + AT_ONCE], tiles.known[start : start + AT_ONCE]
        shares = np.clip((values.astype(np.float32) - low) / (high - low), 0, 1)
        if generator is not None:
            shares, valid = altered(shares, valid, generator, lit=low >= 0, eight_bits=values.dtype == np.uint8)
        parts.append(describe(spec, shares, valid, encode))
        told(start + len(values))
    bands, deep = zip(*parts, strict=True)
    return np.concatenate(bands), np.concatenate(deep)


def altered(
    shares: NDArray[np.float32], valid: NDArray[np.bool_], generator: torch.Generator, *, lit: bool, eight_bits: bool
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Tiles as other images of the same places may be.

    Parameters
    ----------
    shares, valid
        (count, bands, height, width) from 0 to 1, and (count, height, width).
    generator
        Source of all randomness.
    lit
        Whether they are lit otherwise too: not where values have a sign, of which 0 is a meaning.
    eight_bits
        Whether values are those of 8 bits, of which half of the images with three bands are compressed as JPEG.
    """
    change = ALTERATION if lit else replace(ALTERATION, brightness=0.0, contrast=0.0, colour=0.0)
    truth = torch.from_numpy(valid[:, None].astype(np.float32))
    images, known = change(torch.from_numpy(shares), truth, generator)
    if not eight_bits:
        return images.numpy(), known[:, 0].numpy() > 0.5
    codes = (images * 255).round().to(torch.uint8).numpy()
    if codes.shape[1] == 3:
        compressed = torch.rand(len(codes), generator=generator) < 0.5
        qualities = torch.randint(*QUALITIES, (len(codes),), generator=generator)
        for number in torch.nonzero(compressed)[:, 0].tolist():
            codes[number] = _compressed(codes[number], int(qualities[number]))
    return codes.astype(np.float32) / np.float32(255), known[:, 0].numpy() > 0.5


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """An image (3, height, width) after JPEG."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(file, "JPEG", quality=quality)
    with Image.open(file) as again:
        return np.asarray(again).transpose(2, 0, 1)


def _tiles(images: Images, side: int) -> Images:
    """Tiles of images, one image after the other; without those of which less than half is valid."""
    count, _, height, width = images.values.shape
    rows, columns = height // side, width // side

    def cut(values: NDArray[Scalar]) -> NDArray[Scalar]:
        parts = values[..., : rows * side, : columns * side].reshape(count, -1, rows, side, columns, side)
        return parts.transpose(0, 2, 4, 1, 3, 5).reshape(count * rows * columns, -1, side, side)

    valid = cut(images.known[:, None])[:, 0]
    kept = valid.mean(axis=(1, 2)) >= KNOWN
    return Images(cut(images.values)[kept], valid[kept])


def _most_beyond(beyond: NDArray[np.bool_]) -> float:
    """Largest share among tiles beyond the limit of any so many neighbours."""
    together = min(NEIGHBOURS, len(beyond))
    windows = np.lib.stride_tricks.sliding_window_view(beyond, together)
    return float(windows.mean(axis=1).max())
