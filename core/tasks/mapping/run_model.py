"""Scoring and training of mapping models as runs: of kinds ``"evaluation"`` and ``"training"``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.jobs.perform import Job
from core.learning.pairs import Pair, validation_pairs
from core.learning.runtime import Runtime, open_runtime
from core.learning.segmentation import network_of
from core.learning.store import StoredModel
from core.raster.progress import ProgressCallback
from core.runs.result import RunResult
from core.tasks.imagery import model_runs
from core.tasks.imagery.model_runs import TrainingRequest
from core.tasks.mapping.options import Options

if TYPE_CHECKING:
    from core.runs.store import Store

COMPARED = ("f1", "iou", "miou", "precision", "recall", "oa", "kappa")
"""Names of the numbers by which evaluations and trainings are compared."""


@dataclass(frozen=True)
class EvaluationRequest(model_runs.EvaluationRequest):
    """Which pairs a mapping model is scored on, and how.

    Attributes
    ----------
    threshold
        Probability from which a pixel counts; the model's own when None.
    test_time_augmentation
        Whether eight turns of each image are averaged.
    """

    threshold: float | None = None
    test_time_augmentation: Annotated[bool, Field(alias="turned")] = False


def evaluate(job: Job, request: EvaluationRequest) -> RunResult:
    """Do the work of an evaluation."""

    def scored(model: StoredModel, pairs: Sequence[Pair], progress: ProgressCallback) -> dict[str, Any]:
        from core.tasks.mapping.evaluate import evaluate as evaluate_pairs

        runtime = _runtime(job.store, model)
        options = Options(test_time_augmentation=request.test_time_augmentation)
        result = evaluate_pairs(pairs, model.spec, runtime, options, request.threshold, progress)
        return {**result.to_json(), "runtime": {"name": runtime.name, "threads": runtime.threads}}

    return model_runs.evaluation(job, request, COMPARED, scored)


def train(job: Job, request: TrainingRequest) -> RunResult:
    """Do the work of a training."""
    from core.tasks.mapping.train import train as train_model

    def finished(model: StoredModel, progress: ProgressCallback) -> StoredModel:
        from core.tasks.mapping.card import finish, measure

        runtime = _runtime(job.store, model)
        if request.remeasured:
            return measure(model, runtime)
        return finish(model, validation_pairs(request.config.data, Path(request.data)), runtime, progress)

    def measured(model: StoredModel, progress: ProgressCallback) -> StoredModel:
        from core.tasks.mapping.training_images import keep_statistics

        return keep_statistics(model, request.config.data, Path(request.data), progress)

    def layered(model: StoredModel, progress: ProgressCallback) -> StoredModel:
        from core.tasks.mapping.layer_tests import keep_layer_tests

        command = model_runs.command_line(job.run.task, "faithfulness", request)
        return keep_layer_tests(model, request.config.data, Path(request.data), command, progress)

    return model_runs.training(job, request, COMPARED, train_model, measured, finished, layered)


def _runtime(store: Store, model: StoredModel) -> Runtime:
    return open_runtime(model, network_of, store.home / "cache" / "onnx")
