"""Training images measured: which tiles, what tolerance, which limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.measure_training import LEAST_SHARE, Images, altered, describe, measure, tile_side
from core.learning.training_distance import Floats, TrainingStatistics
from tests.factories import fields, tiny_spec


def encode(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean colours of blocks of eight pixels."""
    count, bands, height, width = batch.shape
    return batch.reshape(count, bands, height // 8, 8, width // 8, 8).mean(axis=(3, 5))


@pytest.fixture(scope="module")
def measured() -> TrainingStatistics:
    return measure(tiny_spec(), Images(fields(60, 0)), Images(fields(20, 1)), encode)


def distances(statistics: TrainingStatistics, images: NDArray[np.uint8]) -> Floats:
    side = statistics.tile
    tiles = images[..., :side, :side].astype(np.float32) / 255
    return statistics.distance(*describe(tiny_spec(), tiles, np.ones((len(tiles), side, side), np.bool_), encode))


def test_tiles_are_those_of_the_network_and_the_limit_holds_for_95_per_cent_of_the_tuning_tiles(
    measured: TrainingStatistics,
) -> None:
    # Sixty images of 64 by 64 hold 240 tiles of the network's 32, each as it is and altered.
    assert (measured.tile, measured.fitted, measured.tuned) == (32, 2 * 240, 2 * 80)
    assert LEAST_SHARE <= measured.share_limit <= 0.9
    assert measured.distances[0] < measured.limit < 3 * measured.distances[-1]


def test_other_images_of_the_kind_are_near_and_changed_ones_beyond_the_limit(measured: TrainingStatistics) -> None:
    images = fields(40, 2)
    noise = np.random.default_rng(0).integers(0, 256, images.shape).astype(np.uint8)

    assert (distances(measured, images) > measured.limit).mean() < 0.15
    for changed in (images[:, ::-1], 255 - images, noise, np.repeat(images[:, :1], 3, axis=1)):
        assert (distances(measured, changed) > measured.limit).all()


def test_an_image_lit_a_little_otherwise_or_compressed_is_tolerated(measured: TrainingStatistics) -> None:
    shares = fields(40, 3)[..., :32, :32].astype(np.float32) / 255
    valid = np.ones((40, 32, 32), np.bool_)
    changed, known = altered(shares, valid, torch.Generator().manual_seed(9), lit=True, eight_bits=True)

    found = measured.distance(*describe(tiny_spec(), changed, known, encode))

    assert np.abs(changed - shares).max() > 0.05
    assert (found > measured.limit).mean() < 0.25


def test_values_with_a_sign_keep_their_zero() -> None:
    shares, valid = np.full((4, 1, 32, 32), 0.5, np.float32), np.ones((4, 32, 32), np.bool_)

    changed, _ = altered(shares, valid, torch.Generator().manual_seed(0), lit=False, eight_bits=False)

    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3)), 0.5, atol=2e-3)


@pytest.mark.parametrize(
    ("count", "side", "upscale", "expected"),
    [(1247, 128, 2.0, 128), (14, 1024, 0.25, 256), (1, 100, 1.0, 96), (3, 256, 1.0, 64)],
)
def test_few_images_are_cut_into_smaller_tiles(count: int, side: int, upscale: float, expected: int) -> None:
    spec = tiny_spec(tile=1024, upscale=upscale)

    assert tile_side(spec, (count, 3, side, side)) == expected


def test_images_smaller_than_a_tile_or_without_data_are_refused() -> None:
    with pytest.raises(InputError, match="smaller than 32"):
        tile_side(tiny_spec(), (5, 3, 31, 64))
    empty = Images(fields(2, 0), np.zeros((2, 64, 64), np.bool_))
    with pytest.raises(InputError, match="No tile"):
        measure(tiny_spec(), Images(fields(2, 0)), empty, encode)
