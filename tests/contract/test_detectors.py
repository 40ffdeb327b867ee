"""What every detector that ships must keep."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.explain.layer_tests import layer_tests_in
from core.learning.config import TrainConfig
from core.learning.inputs import input_step
from core.learning.measure_training import ENOUGH
from core.learning.spec import ModelSpec
from core.learning.store import WEIGHTS, StoredModel, sha256
from core.learning.training_distance import LARGEST, STATISTICS, statistics_of
from core.tasks.detection.families.base import Detector, build_detector
from core.tasks.detection.run_explanation import layers_of
from core.tasks.imagery.layer_tests import card_words
from core.tasks.imagery.likeness import training_images_words

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "models"
SCORES = {"ap50": "AP50", "ap50_95": "AP50:95", "f1": "F1", "precision": "Precision", "recall": "Recall"}
BASELINE = "mask-components"

FOLDERS = sorted(path.parent for path in (MODELS / "detection").glob("*/model.toml"))
CONFIGS = sorted((MODELS / "configs" / "detection").glob("*.toml"))

each_model = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def read(folder: Path) -> StoredModel:
    return StoredModel(ModelSpec.from_toml(folder / "model.toml"), folder)


def test_the_baseline_a_yolo_and_a_detector_of_two_stages_ship() -> None:
    families = {read(folder).spec.architecture for folder in FOLDERS}

    assert {"mask-components", "component-tree", "yolo"} <= families


def test_the_best_detector_of_images_beats_the_baseline_clearly() -> None:
    optical = [read(folder).spec for folder in FOLDERS]
    ap50 = {spec.name: spec.scores["validation"]["ap50"] for spec in optical if spec.bands == ("red", "green", "blue")}

    assert max(ap50.values()) > ap50[BASELINE] + 0.03


@each_model
def test_a_detector_is_described_under_its_folders_name_by_a_training_that_ships(folder: Path) -> None:
    spec = read(folder).spec
    config = TrainConfig.read(MODELS / "configs" / "detection" / f"{folder.name}.toml")

    assert (spec.name, spec.task) == (folder.name, "detection")
    assert (config.name, config.architecture) == (spec.name, spec.architecture)
    assert spec.limits
    assert spec.classes
    assert spec.training["images_validation"] == spec.scores["validation"]["images"]


@each_model
def test_the_weights_are_those_that_were_scored(folder: Path) -> None:
    assert sha256(folder / WEIGHTS) == read(folder).spec.weights_sha256


@each_model
def test_the_card_names_data_split_cost_scores_limits_and_failures(folder: Path) -> None:
    model = read(folder)
    card, spec = model.card, model.spec

    for name, title in SCORES.items():
        assert f"| {title} | {spec.scores['validation'][name]:.3f} |" in card
    for word in ("Parameters", "FLOP", "ms per tile", "seed", "Command", "Licence", "confidence", "Labels"):
        assert word in card
    for limit in spec.limits:
        assert limit in card
    assert spec.training["data"] in card
    pictures = [part.split(")")[0] for part in card.split("](")[1:]]
    assert pictures
    assert all((folder / picture).is_file() for picture in pictures)


@each_model
def test_the_weights_fit_and_boxes_lie_within_the_window(folder: Path) -> None:
    model = read(folder)
    detector = model.load_network(build_detector)
    assert isinstance(detector, Detector)
    side = model.spec.tile
    images = torch.randn((1, len(model.spec.bands), side, side), generator=torch.Generator().manual_seed(0))

    with torch.inference_mode():
        (found,) = detector.detect(images, 0.0, 20)

    assert len(found.boxes) <= 20
    assert torch.isfinite(found.boxes).all()
    assert torch.isfinite(found.scores).all()
    assert not len(found.boxes) or (found.boxes.min() >= 0 and found.boxes.max() <= side + 1e-3)


@each_model
def test_a_detector_knows_its_training_images(folder: Path) -> None:
    training = read(folder).spec.training
    seen = (folder / "seen.txt").read_text(encoding="ascii").split()

    assert 0 < len(seen) <= training["images_fit"] + training["images_tune"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_description_can_be_read_and_names_its_file(path: Path) -> None:
    config = TrainConfig.read(path)

    assert (config.name, config.task) == (path.stem, "detection")
    assert config.classes


@each_model
def test_the_training_images_of_a_detector_of_colours_were_measured_by_its_own_weights(folder: Path) -> None:
    model = read(folder)
    if model.spec.bands != ("red", "green", "blue"):
        assert "images: not measured" in model.card
        return

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
    assert tests.places >= 12
    assert {test.layer for test in tests.tests} == {layer.name for layer in layers_of(model)}
    assert tests.best.held == max(test.held for test in tests.tests) > tests.places / 2
    assert tests.best.margin > 0
    assert tests.layers(tests.best.method)[0] == tests.best.layer
    assert "\n".join(card_words(model.spec)) in model.card
