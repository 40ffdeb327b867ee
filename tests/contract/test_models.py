"""What every model that ships must keep, and what all of them together."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.explain.layer_tests import layer_tests_in
from core.learning.encoder import encoder_maps
from core.learning.inputs import input_step
from core.learning.measure_training import ENOUGH
from core.learning.segmentation import network_of
from core.learning.spec import ModelSpec
from core.learning.store import WEIGHTS, StoredModel, sha256
from core.learning.training_distance import LARGEST, STATISTICS, statistics_of
from core.tasks.imagery.layer_tests import card_words
from core.tasks.imagery.likeness import training_images_words
from core.tasks.mapping.run_explanation import layers_of

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "models"
LARGEST_FILE = 32 * 2**20
LARGEST_FOLDER = 150 * 2**20
SCORES = {"f1": "F1", "iou": "IoU", "precision": "Precision", "recall": "Recall", "oa": "Overall accuracy",
          "kappa": "Kappa"}  # fmt: skip

FOLDERS = sorted(path.parent for path in (MODELS / "mapping").glob("*/model.toml"))

each_model = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def read(folder: Path) -> StoredModel:
    return StoredModel(ModelSpec.from_toml(folder / "model.toml"), folder)


def test_at_least_one_model_ships() -> None:
    assert FOLDERS, "models/mapping holds no model: train one with python -m core mapping train"


def test_all_models_together_are_small_enough_to_ship() -> None:
    sizes = {path: path.stat().st_size for path in MODELS.rglob("*") if path.is_file()}

    assert sum(sizes.values()) <= LARGEST_FOLDER
    assert not {path.name: size for path, size in sizes.items() if size > LARGEST_FILE}


@each_model
def test_a_model_is_described_under_its_folders_name_by_a_training_that_ships(folder: Path) -> None:
    spec = read(folder).spec

    assert (spec.name, spec.task) == (folder.name, "mapping")
    assert (MODELS / "configs" / f"{folder.name}.toml").is_file()
    assert spec.limits
    assert spec.training["images_validation"] > 0


@each_model
def test_the_weights_are_those_that_were_scored(folder: Path) -> None:
    assert sha256(folder / WEIGHTS) == read(folder).spec.weights_sha256


@each_model
def test_a_model_beats_the_colour_index_on_the_validation_images(folder: Path) -> None:
    scores = read(folder).spec.scores

    assert set(SCORES) <= set(scores["validation"])
    assert scores["validation"]["f1"] > scores["baseline"]["f1"]


@each_model
def test_the_card_names_data_split_cost_scores_limits_and_failures(folder: Path) -> None:
    model = read(folder)
    card, spec = model.card, model.spec

    for name, title in SCORES.items():
        assert f"| {title} | {spec.scores['validation'][name]:.3f} |" in card
    for word in ("Colour index", "Parameters", "FLOP", "ms per tile", "seed", "Command", "Licence", "epochs"):
        assert word in card
    for limit in spec.limits:
        assert limit in card
    assert spec.training["data"] in card
    pictures = [part.split(")")[0] for part in card.split("](")[1:]]
    assert pictures
    assert all((folder / picture).is_file() for picture in pictures)


@each_model
def test_the_weights_fit_and_give_one_logit_for_every_pixel_of_any_window(folder: Path) -> None:
    model = read(folder)
    network = model.load_network(network_of)
    step = input_step(model.spec)
    images = torch.zeros(1, len(model.spec.bands), 2 * step, 3 * step)

    with torch.inference_mode():
        logits, maps = network(images), encoder_maps(network, images)

    assert logits.shape == (1, 1, 2 * step, 3 * step)
    assert maps.shape[1] == len(statistics_of(model).encoder_centre) > 0
    assert torch.isfinite(logits).all()


@each_model
def test_a_model_knows_its_training_images(folder: Path) -> None:
    training = read(folder).spec.training
    seen = (folder / "seen.txt").read_text(encoding="ascii").split()

    assert 0 < len(seen) <= training["images_fit"] + training["images_tune"]
    assert all(len(digest) == 16 for digest in seen)


@each_model
def test_the_training_images_of_a_model_were_measured_by_its_own_weights(folder: Path) -> None:
    model = read(folder)
    statistics = statistics_of(model)

    assert (folder / STATISTICS).stat().st_size < LARGEST
    assert statistics.tile % input_step(model.spec) == 0
    assert statistics.fitted >= 2 * ENOUGH
    assert 0 < statistics.limit < statistics.distances[-1]
    assert training_images_words(model) in model.card


@each_model
def test_the_layers_of_a_model_were_tested_and_its_best_one_proved_itself(folder: Path) -> None:
    model = read(folder)
    tests = layer_tests_in(model.spec.explanation)

    assert tests is not None
    assert tests.places >= 4
    assert {test.layer for test in tests.tests} == {layer.name for layer in layers_of(folder.name)[0]}
    assert tests.best.held == max(test.held for test in tests.tests) > tests.places / 2
    assert tests.best.margin > 0
    assert tests.layers(tests.best.method)[0] == tests.best.layer
    assert "\n".join(card_words(model.spec)) in model.card
