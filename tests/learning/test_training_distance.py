"""How far a tile is from training tiles of known mean and covariance, and what keeps it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import ModelError
from core.learning.store import StoredModel
from core.learning.training_distance import STATISTICS, Floats, TrainingStatistics, statistics_of
from tests.factories import tiny_spec, write_model

NONE = np.zeros((16, 0))


def corners(scale: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> Floats:
    """Sixteen tiles at all corners of a box: every number has mean 0 and this spread, and none goes with another."""
    return np.array(list(product((-1.0, 1.0), repeat=4))) * scale


def fitted(bands: Floats, encoder: Floats = NONE, sha: str = "0" * 64) -> TrainingStatistics:
    return TrainingStatistics.fit(bands, encoder, weights_sha256=sha, tile=32).with_limits(2.5, 0.25, 8)


def test_the_distance_counts_spreads_from_the_middle_of_the_training_tiles() -> None:
    spread = (1.0, 10.0, 0.1, 2.0)
    statistics = fitted(corners(spread) + 7)

    asked = np.array([[0, 0, 0, 0], [3, 0, 0, 0], [0, 40, 0, 0], [3, 40, 0, 0]]) + 7.0

    np.testing.assert_allclose(statistics.distance(asked, NONE[:4]), (0, 3, 4, 5), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(statistics.distance(corners(spread) + 7, NONE), 2, rtol=1e-5)


def test_what_goes_together_in_training_is_near_and_what_goes_against_it_far() -> None:
    first = np.random.default_rng(0).normal(size=500)
    bands = np.stack([first, first + np.random.default_rng(1).normal(size=500) * 0.1], axis=1)
    statistics = fitted(bands, np.zeros((500, 0)))

    together, against = statistics.distance(np.array([[2.0, 2.0], [2.0, -2.0]]), np.zeros((2, 0)))

    assert together < 3
    assert against > 20


def test_an_encoders_channels_are_reduced_and_what_they_leave_over_counts() -> None:
    random = np.random.default_rng(0)
    encoder = random.normal(size=(200, 3)) @ random.normal(size=(3, 40))
    encoder += random.normal(size=encoder.shape) * 1e-2
    statistics = fitted(random.normal(size=(200, 2)), encoder)
    odd = encoder[:1] + random.normal(size=(1, 40))

    assert statistics.components.shape == (16, 40)
    assert statistics.distance(np.zeros((1, 2)), odd) > 5 * statistics.distance(np.zeros((1, 2)), encoder[:1])


def test_a_distance_has_its_place_among_those_of_the_training_tiles() -> None:
    bands = np.linspace(-1, 1, 201)[:, None]
    statistics = fitted(bands, np.zeros((201, 0)))

    half = statistics.distance(np.array([[0.5]]), np.zeros((1, 0)))

    np.testing.assert_allclose(statistics.percentile(half), 50, atol=1)
    np.testing.assert_allclose(statistics.percentile(np.array([0.0, 1e9])), (0, 100))


def stored(models: Path, statistics: TrainingStatistics | None = None) -> StoredModel:
    model = write_model(models, tiny_spec())
    made = statistics or fitted(corners(), np.random.default_rng(0).normal(size=(16, 5)))
    replace(made, weights_sha256=model.spec.weights_sha256).write(model.folder / STATISTICS)
    return model


def test_statistics_are_read_as_they_were_written(models: Path) -> None:
    made = fitted(corners(), np.random.default_rng(0).normal(size=(16, 5)))

    read = statistics_of(stored(models, made))

    assert (read.tile, read.fitted, read.tuned, read.limit, read.share_limit) == (32, 16, 8, 2.5, 0.25)
    asked = np.random.default_rng(1).normal(size=(6, 4)), np.random.default_rng(2).normal(size=(6, 5))
    np.testing.assert_array_equal(read.distance(*asked), made.distance(*asked))


def test_a_model_without_statistics_or_with_other_weights_is_not_measured(models: Path) -> None:
    with pytest.raises(ModelError, match="no statistics"):
        statistics_of(write_model(models, tiny_spec()))
    model = stored(models)
    with pytest.raises(ModelError, match="other weights"):
        statistics_of(StoredModel(replace(model.spec, weights_sha256="1" * 64), model.folder))


@pytest.mark.parametrize("damage", ["cut", "shape", "infinite", "lacking", "large", "no metadata"])
def test_a_damaged_file_is_refused(models: Path, damage: str) -> None:
    model = stored(models)
    path = model.folder / STATISTICS
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "large":
        path.write_bytes(path.read_bytes() + bytes(1_000_000))
    else:
        values = load_file(path)
        if damage == "shape":
            values["root"] = values["root"][:-1]
        elif damage == "infinite":
            values["scale"][0] = np.inf
        elif damage == "lacking":
            del values["centre"]
        from safetensors import safe_open

        with safe_open(path, framework="numpy") as file:
            about = file.metadata()
        save_file(values, path, metadata=None if damage == "no metadata" else about)

    with pytest.raises(ModelError, match="cannot be read"):
        statistics_of(model)
