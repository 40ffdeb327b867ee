"""Scoring and training of detectors as runs: of kinds ``"evaluation"`` and ``"training"``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.jobs.perform import Job
from core.learning.pairs import Pair
from core.learning.store import StoredModel
from core.raster.progress import ProgressCallback
from core.runs.result import RunResult
from core.tasks.detection.data import Labelled, validation_images
from core.tasks.detection.runtime import open_detector
from core.tasks.detection.view import Merging
from core.tasks.imagery import model_runs
from core.tasks.imagery.model_runs import TrainingRequest

COMPARED = ("ap50", "ap50_95", "f1", "precision", "recall", "confidence")
"""Names of the numbers by which evaluations and trainings are compared."""


@dataclass(frozen=True)
class EvaluationRequest(model_runs.EvaluationRequest):
    """Which pairs a detector is scored on, and how.

    Attributes
    ----------
    confidence
        Score from which a box counts; the model's own when None.
    nms_iou
        Overlap from which two boxes are one; the model's own when None.
    merging
        How they become one.
    """

    confidence: float | None = None
    nms_iou: float | None = None
    merging: Merging = "nms"


def evaluate(job: Job, request: EvaluationRequest) -> RunResult:
    """Do the work of an evaluation."""

    def scored(model: StoredModel, pairs: Sequence[Pair], progress: ProgressCallback) -> dict[str, Any]:
        from core.tasks.detection.evaluate import evaluate as evaluate_images

        runtime = open_detector(model)
        items = tuple(Labelled(pair.image.name, pair.image, pair.mask) for pair in pairs)
        result = evaluate_images(
            items, model.spec, runtime, None, request.confidence, progress, nms_iou=request.nms_iou,
            merging=request.merging,
        )  # fmt: skip
        return {**result.to_json(), "runtime": {"name": runtime.name, "threads": runtime.threads}}

    return model_runs.evaluation(job, request, COMPARED, scored)


def train(job: Job, request: TrainingRequest) -> RunResult:
    """Do the work of a training."""
    from core.tasks.detection.train import train as train_detector

    def finished(model: StoredModel, progress: ProgressCallback) -> StoredModel:
        from core.tasks.detection.card import finish, measure

        runtime = open_detector(model)
        if request.remeasured:
            return measure(model, runtime)
        items = validation_images(request.config.data, Path(request.data), model.spec.classes)
        return finish(model, items, runtime, progress)

    def measured(model: StoredModel, progress: ProgressCallback) -> StoredModel:
        from core.tasks.detection.training_images import keep_statistics

        return keep_statistics(model, request.config.data, Path(request.data), progress)

    def layered(model: StoredModel, progress: ProgressCallback) -> StoredModel:
        from core.tasks.detection.layer_tests import keep_layer_tests

        command = model_runs.command_line(job.run.task, "faithfulness", request)
        return keep_layer_tests(model, request.config.data, Path(request.data), command, progress)

    return model_runs.training(job, request, COMPARED, train_detector, measured, finished, layered)
