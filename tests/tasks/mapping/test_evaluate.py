"""Scores of a folder are those of all its pixels together."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as reference

from core.errors import InputError
from core.learning.pairs import Pair, find_pairs
from core.learning.runtime import TorchRuntime
from core.learning.segmentation import network_of
from core.learning.store import StoredModel
from core.tasks.mapping.evaluate import Evaluation, evaluate
from tests.factories import tiny_spec, write_model

NAMES = ("f1", "iou", "miou", "precision", "recall", "oa", "kappa")


@pytest.fixture
def red_model(models: Path) -> StoredModel:
    return write_model(models, tiny_spec("red"))


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Pair, ...]:
    """Three images of different sizes with masks that their red band tells only in part."""
    random = np.random.default_rng(7)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number, size in enumerate([(20, 30), (33, 31), (1, 40)], start=1):
        image = random.integers(0, 256, (*size, 3), dtype=np.uint8)
        mask = (image[..., 0] + random.normal(0, 60, size) > 150).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / "images" / f"image_{number}.png")
        Image.fromarray(mask * 255).save(tmp_path / "masks" / f"mask_{number}.png")
    return find_pairs(tmp_path / "images", tmp_path / "masks")


def run(model: StoredModel, pairs: tuple[Pair, ...], threshold: float | None = None) -> Evaluation:
    return evaluate(pairs, model.spec, TorchRuntime(model.load_network(network_of), 1), threshold=threshold)


@pytest.mark.parametrize("threshold", [None, 0.25, 0.8])
def test_pooled_scores_are_those_of_scikit_learn(
    red_model: StoredModel, pairs: tuple[Pair, ...], threshold: float | None
) -> None:
    scores = run(red_model, pairs, threshold).to_json()

    red = np.concatenate([np.asarray(Image.open(pair.image))[..., 0].ravel() for pair in pairs])
    truth = np.concatenate([np.asarray(Image.open(pair.mask)).ravel() > 0 for pair in pairs])
    codes = (508 * red.astype(int) + 255) // 510
    found = codes / 254 >= (threshold or 0.5)
    assert scores["f1"] == pytest.approx(reference.f1_score(truth, found))
    assert scores["iou"] == pytest.approx(reference.jaccard_score(truth, found))
    assert scores["miou"] == pytest.approx(reference.jaccard_score(truth, found, average="macro"))
    assert scores["kappa"] == pytest.approx(reference.cohen_kappa_score(truth, found))
    assert scores["threshold"] == (threshold or 0.5)
    assert scores["images"] == 3
    assert scores["images_per_second"] > 0


def test_the_counts_of_each_pair_add_up_to_the_whole(red_model: StoredModel, pairs: tuple[Pair, ...]) -> None:
    result = run(red_model, pairs)

    np.testing.assert_array_equal(sum(score.counts for score in result.pairs), result.counts)
    assert [score.pair.number for score in result.pairs] == [1, 2, 3]
    assert result.counts.sum() == result.baseline.sum() == 20 * 30 + 33 * 31 + 40


def test_the_colour_index_is_scored_beside_the_model(red_model: StoredModel, pairs: tuple[Pair, ...]) -> None:
    scores = run(red_model, pairs).to_json()["colour_index"]

    images = [np.asarray(Image.open(pair.image)).astype(float) for pair in pairs]
    index = np.concatenate([((i[..., 0] - i[..., 1]) / (i.sum(axis=-1) + 1)).ravel() for i in images])
    truth = np.concatenate([np.asarray(Image.open(pair.mask)).ravel() > 0 for pair in pairs])
    # Codes keep the index to 1/254.
    assert isinstance(scores, dict)
    assert scores["f1"] == pytest.approx(reference.f1_score(truth, index >= 0.12), abs=0.01)


def test_scores_that_are_undefined_are_no_numbers_and_no_zeros(red_model: StoredModel, tmp_path: Path) -> None:
    for folder in ("i", "m"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / folder / "1.png")

    scores = run(red_model, find_pairs(tmp_path / "i", tmp_path / "m")).to_json()

    assert math.isnan(scores["f1"])
    assert scores["oa"] == 1


def test_a_model_of_one_band_is_scored_without_the_colour_index(models: Path, tmp_path: Path) -> None:
    spec = tiny_spec("grey", bands=("elevation",), mean=(0.0,), deviation=(1.0,), stretch_low=(), stretch_high=())
    model = write_model(models, spec)
    for folder in ("i", "m"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / folder / "1.png")

    result = run(model, find_pairs(tmp_path / "i", tmp_path / "m"))

    assert result.confusion.true_positive == 64
    assert result.baseline.sum() == 0


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_out_of_range_is_refused(
    red_model: StoredModel, pairs: tuple[Pair, ...], threshold: float
) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        run(red_model, pairs, threshold)


def test_a_mask_of_another_size_is_named(red_model: StoredModel, pairs: tuple[Pair, ...]) -> None:
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(pairs[1].mask)

    with pytest.raises(InputError, match="mask_2"):
        run(red_model, pairs)
