"""Scoring and training a model are runs like any other: a worker does them from what stands in the store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import tests.tasks.detection.fakes  # noqa: F401  registers the family "bright"
from core.errors import InputError
from core.jobs.jobs import InlineJobs
from core.learning.config import TrainConfig
from core.learning.store import find_model, list_models
from core.learning.training_distance import STATISTICS, statistics_of
from core.runs.kinds import parameters_of, request_from
from core.runs.store import Store
from core.tasks.detection.run_model import EvaluationRequest as DetectorEvaluation
from core.tasks.imagery.model_runs import Description, TrainingRequest, order_evaluation, order_training
from core.tasks.mapping.run_model import EvaluationRequest as MappingEvaluation
from tests.factories import make_detector_model, tiny_spec, write_model, write_squares

TINY = """
name = "tiny"
title = "Tiny"
summary = "Tiny."
architecture = "{architecture}"
encoder = "plain"
sensor = "none"
tile = 32
licence = "CC0-1.0"
limits = ["Small."]

[data]
images = "images"
masks = "masks"
validation_numbers = [1, 2]
title = "Squares"
licence = "CC0-1.0"
citation = "None."
tune_share = 0.3

[loss.dice]

[[phase]]
epochs = 2
batch = 4
rate = 0.05
average = 0.5
augmentation = {{ brightness = 0.0, contrast = 0.0, colour = 0.0 }}
"""


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """Twelve images with a red square each, and their masks."""
    (tmp_path / "data").mkdir()
    return write_squares(tmp_path / "data")


def described(folder: Path, architecture: str) -> TrainConfig:
    path = folder / "tiny.toml"
    path.write_text(TINY.format(architecture=architecture), encoding="utf-8")
    return TrainConfig.read(path)


def test_a_worker_scores_a_mapping_model(models: Path, store: Store, squares: Path) -> None:
    model = write_model(models, tiny_spec("red"))
    request = MappingEvaluation(str(squares / "images"), str(squares / "masks"), threshold=0.6)

    identity = InlineJobs(store).submit(order_evaluation("mapping", model, request))

    run = store.run(identity)
    assert (run.status, run.failure) == ("done", None)
    # Red is 210 of 255 in the squares and below 50 of 255 beside them.
    assert (run.metrics["f1"], run.metrics["iou"]) == (1.0, 1.0)
    assert run.title == "red on 12 images of images"
    scores = json.loads(store.artifact(identity, "scores").path.read_text("utf-8"))
    assert (scores["images"], scores["threshold"], scores["images_seen_in_training"]) == (12, 0.6, 0)
    assert set(run.parameters) == {"images", "masks", "threshold", "turned"}


def test_a_worker_scores_a_detector(models: Path, store: Store, squares: Path) -> None:
    model = make_detector_model(models)
    request = DetectorEvaluation(str(squares / "images"), str(squares / "masks"), confidence=0.3, merging="fusion")

    identity = InlineJobs(store).submit(order_evaluation("detection", model, request))

    run = store.run(identity)
    assert (run.status, run.failure) == ("done", None)
    assert (run.metrics["recall"], run.metrics["confidence"]) == (1.0, 0.3)
    assert set(run.parameters) == {"images", "masks", "confidence", "nms_iou", "merging"}


@pytest.mark.parametrize(("task", "architecture"), [("mapping", "tiny"), ("detection", "bright")])
def test_a_worker_trains_a_model_and_scores_it_on_validation(
    tmp_path: Path, models: Path, store: Store, squares: Path, task: str, architecture: str
) -> None:
    config = replace(described(tmp_path, architecture), task=task)
    request = TrainingRequest(config, str(squares), description=Description("configs/tiny.toml", "0" * 64))

    identity = InlineJobs(store).submit(order_training(task, request))

    run = store.run(identity)
    assert (run.status, run.failure, run.seed) == ("done", None, 0)
    spec = find_model(task, "tiny").spec
    assert run.weights_sha256 == spec.weights_sha256
    assert run.metrics["f1"] == spec.scores["validation"]["f1"]
    assert spec.training["command"] == f"python -m core {task} train configs/tiny.toml --data DATA"
    assert store.provenance(identity)["description"] == {"name": "tiny.toml", "sha256": "0" * 64}
    # Each of the seven fitting images is a tile as it is and once altered, and so are the three that choose.
    statistics = statistics_of(find_model(task, "tiny"))
    assert (statistics.tile, statistics.fitted, statistics.tuned) == (32, 14, 6)
    assert "on tiles of 32 px against 14 tiles" in find_model(task, "tiny").card
    # Without a folder of its own the checkpoint lies below the store's.
    assert (store.home / "training" / "tiny-1.pt").is_file()


def test_a_trained_model_is_scored_again_without_another_training(
    tmp_path: Path, models: Path, store: Store, squares: Path
) -> None:
    config = described(tmp_path, "tiny")
    jobs = InlineJobs(store)
    first = jobs.submit(order_training("mapping", TrainingRequest(config, str(squares), card=False)))
    assert "f1" not in store.run(first).metrics

    again = jobs.submit(order_training("mapping", TrainingRequest(config, str(squares), command="card")))

    run = store.run(again)
    assert (run.status, run.title, run.seed) == ("done", "Card of tiny", None)
    assert run.metrics["f1"] is not None
    assert run.weights_sha256 == store.run(first).weights_sha256


def test_the_training_images_of_a_model_are_measured_again_and_its_scores_stay(
    tmp_path: Path, models: Path, store: Store, squares: Path
) -> None:
    config, jobs = described(tmp_path, "tiny"), InlineJobs(store)
    jobs.submit(order_training("mapping", TrainingRequest(config, str(squares))))
    trained, path = find_model("mapping", "tiny"), models / "mapping" / "tiny" / STATISTICS
    before = path.read_bytes()
    path.unlink()

    again = jobs.submit(order_training("mapping", TrainingRequest(config, str(squares), command="measure", card=False)))

    assert (store.run(again).status, store.run(again).title) == ("done", "Training images of tiny")
    assert find_model("mapping", "tiny").spec == trained.spec
    assert find_model("mapping", "tiny").card == trained.card
    assert path.read_bytes() == before


def test_what_is_missing_is_told_before_anything_is_ordered(models: Path, store: Store, tmp_path: Path) -> None:
    model = write_model(models, tiny_spec("red"))

    with pytest.raises(InputError, match="does not exist"):
        order_evaluation("mapping", model, MappingEvaluation(str(tmp_path / "none"), str(tmp_path)))


def test_a_training_that_cannot_start_is_kept_as_failed_with_the_reason(
    tmp_path: Path, models: Path, store: Store
) -> None:
    request = TrainingRequest(described(tmp_path, "tiny"), str(tmp_path / "no data"))

    identity = InlineJobs(store).submit(order_training("mapping", request))

    run = store.run(identity)
    assert run.status == "failed"
    assert run.failure is not None
    assert "does not exist" in run.failure.what
    assert not list_models("mapping")


def test_a_training_request_survives_the_store(tmp_path: Path) -> None:
    request = TrainingRequest(described(tmp_path, "tiny"), "data", description=Description("tiny.toml", "1" * 64))

    stored = json.loads(json.dumps(parameters_of(request)))

    assert request_from("mapping", "training", stored) == request


def test_parameters_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    request = TrainingRequest(described(tmp_path, "tiny"), "data")
    earlier = {name: parameters_of(request)[name] for name in ("command", "data", "config")}

    assert request_from("detection", "training", json.loads(json.dumps(earlier))) == request
