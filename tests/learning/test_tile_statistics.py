"""Numbers that describe a tile: known for tiles whose values are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.learning.tile_statistics import STEP, band_statistics, encoder_statistics, pooled

EVERYWHERE = np.ones((8, 8), np.bool_)
MEAN, SPREAD, PERCENTILES = slice(0, 3), slice(3, 6), slice(6, 15)
TOGETHER, TEXTURE = slice(15, 24), slice(24, 33)


def chess(low: float, high: float) -> NDArray[np.float32]:
    squares = np.indices((8, 8)).sum(axis=0) % 2
    return np.where(squares == 1, high, low).astype(np.float32)


def test_an_even_tile_has_its_values_and_no_spread() -> None:
    tile = np.full((3, 8, 8), 0.5, np.float32)
    tile[1] = 0.25

    numbers = band_statistics(tile, EVERYWHERE)

    assert numbers.shape == (33,)
    np.testing.assert_allclose(numbers[MEAN], (0.5, 0.25, 0.5))
    np.testing.assert_allclose(numbers[SPREAD], np.log(STEP / 2))
    np.testing.assert_allclose(numbers[PERCENTILES], (0.5, 0.25, 0.5) * 3)
    # Nothing differs from its neighbour: of the variogram its floor over that of the variance is left.
    np.testing.assert_allclose(numbers[TEXTURE], 0, atol=1e-9)


def test_bands_that_go_together_against_each_other_and_apart_are_told() -> None:
    tile = np.stack([chess(0.2, 0.8), chess(0.2, 0.8), chess(0.8, 0.2)])

    alike, against, other = band_statistics(tile, EVERYWHERE)[TOGETHER].reshape(3, 3)

    assert alike[0] > 2
    assert against[0] == pytest.approx(-alike[0])
    assert other[0] == pytest.approx(-alike[0])
    assert alike[1] == against[1] == 0  # the means are the same
    assert alike[2] == pytest.approx(np.log(STEP / 2))  # and so is every pixel
    assert against[2] == pytest.approx(np.log(0.6 + STEP / 2))


def test_the_variogram_knows_the_distance_at_which_pixels_differ() -> None:
    tile = np.stack([chess(0.2, 0.8)])

    one, two, four = band_statistics(tile, EVERYWHERE)[-3:]

    # Neighbours differ by 0.6, the spread is 0.3; at two and four pixels the pattern repeats.
    assert one == pytest.approx(np.log(0.6**2 / 0.3**2), abs=0.02)
    assert max(two, four) < -8


def test_what_is_not_valid_does_not_count() -> None:
    valid = EVERYWHERE.copy()
    valid[:, 4:] = False
    tile = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32)
    blotted = np.where(valid, tile, 1000.0).astype(np.float32)

    np.testing.assert_array_equal(band_statistics(blotted, valid), band_statistics(tile, valid))


def test_turned_bands_have_other_numbers_and_a_mirrored_tile_the_same() -> None:
    tile = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32) * np.array([1, 0.5, 0.2])[:, None, None]

    numbers = band_statistics(tile, EVERYWHERE)

    np.testing.assert_allclose(band_statistics(tile[..., ::-1], EVERYWHERE), numbers)
    assert np.abs(band_statistics(tile[::-1], EVERYWHERE) - numbers).max() > 0.3


def test_an_encoders_maps_are_averaged_over_valid_places() -> None:
    maps = np.array([[[1, 5], [3, 7]]], np.float32)
    valid = EVERYWHERE.copy()
    valid[:, 4:] = False

    np.testing.assert_allclose(pooled(maps, EVERYWHERE), [4])
    np.testing.assert_allclose(pooled(maps, valid), [2])


def test_tiles_are_encoded_batch_by_batch_and_a_network_without_encoder_has_no_channel() -> None:
    tiles = np.arange(5, dtype=np.float32)[:, None, None, None] * np.ones((1, 3, 8, 8), np.float32)
    valid = np.ones((5, 8, 8), np.bool_)

    found = encoder_statistics(lambda batch: batch[:, :2, :4, :4], tiles, valid, batch=2)
    none = encoder_statistics(lambda batch: np.zeros((len(batch), 0, 1, 1), np.float32), tiles, valid)

    np.testing.assert_allclose(found, np.repeat(np.arange(5.0)[:, None], 2, axis=1))
    assert none.shape == (5, 0)
