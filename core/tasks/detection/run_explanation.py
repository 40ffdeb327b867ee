"""Why a detection found one box: an explanation as a run with a parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from core.errors import InputError
from core.explain.boxes import HIRES_CAM, METHODS, box_layers
from core.explain.layers import LayerChoice
from core.explain.target import box_score
from core.explain.window import ModelWindow, model_window
from core.jobs.perform import Job, run_inline
from core.learning.preprocessing import preprocessing_of
from core.learning.store import StoredModel
from core.runs.records import Order, Run
from core.tasks.detection.box_target import box_target
from core.tasks.detection.findings import Detections
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.runtime import open_detector
from core.tasks.imagery import explanation
from core.tasks.imagery.explanation import Answer, ExplanationRequest, Subject
from core.tasks.imagery.inputs import check_same_scene, scene_of
from core.tasks.imagery.layer_choice import cautions, first_method, ordered_layers
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.target import Box, BoxTarget, Target

if TYPE_CHECKING:
    from core.runs.store import Store

TASK: Final = "detection"
METHOD: Final = HIRES_CAM.name
"""The method that is used when none is named and none was tested."""


def question_of(
    detections: Detections, box: str | int, method: str = METHOD, layer: str = "", *, curves: bool = True
) -> ExplanationRequest:
    """Ask about a box by its id at a choice, or by its place in the table, from 1.

    Parameters
    ----------
    layer
        Name of a layer of `layers_of_detector`; empty for the one that held best in the detector's tests, or without
        tests the deepest, of those from which the box took anything.
    curves
        See `ExplanationRequest`.

    Raises
    ------
    InputError
        When there is no such box, or no such method.
    """
    return ExplanationRequest(box_target(detections, box), method, layer, curves)


def order_explanation(result: DetectionResult, request: ExplanationRequest, *, owner: str = "") -> Order:
    """The order of an explanation of a box of a run.

    Raises
    ------
    InputError
        When no one model made the run, or it asks about something else than a box.
    """
    _check(request.target)
    _model_of(result)
    return explanation.order_explanation(TASK, result, request, owner=owner)


def known_explanation(store: Store, result: DetectionResult, request: ExplanationRequest) -> Run | None:
    """The run that answers a request or is to; without one, that which failed last."""
    return explanation.known_explanation(store, result, request)


def layers_of_detector(result: DetectionResult) -> tuple[LayerChoice, ...]:
    """Layers at which the detector of a run can be asked, from fine to coarse."""
    return layers_of(_model_of(result))


def layers_of(model: StoredModel) -> tuple[LayerChoice, ...]:
    """Layers at which a detector can be asked, from fine to coarse."""
    spec, runtime = model.spec, open_detector(model)
    probe = torch.zeros((1, len(spec.bands), spec.tile, spec.tile), device=runtime.device)
    with runtime.lock:
        return box_layers(runtime.detector, probe)


def method_of(model: StoredModel) -> str:
    """The method that explanations of a detector begin with."""
    return first_method(model.spec, METHOD)


def method_of_run(result: DetectionResult) -> str:
    """The method that explanations of the detector of a run begin with."""
    return method_of(_model_of(result))


def explain_box(store: Store, result: DetectionResult, request: ExplanationRequest) -> ImageResult:
    """Explain one box in this process, and keep the explanation as a run.

    Raises
    ------
    LandslideError
        When the box lies outside the scene, the model is no longer what the run used, or the layer had no say.
    """
    return store.result(run_inline(store, order_explanation(result, request)), ImageResult)


def compute_explanation(job: Job, request: ExplanationRequest) -> ImageResult:
    """Do the work of a run of kind ``"explanation"``."""
    job.report(0, 0, "Explaining")
    result, scene = job.parent(DetectionResult), scene_of(job.store, job.run).scene
    check_same_scene(result.scene_digest, scene)
    model, asked = _model_of(result), _check(request.target)
    around = model_window(scene, model.spec, preprocessing_of(result.provenance), *asked.middle)
    placed, whole = _in_window(asked.box, around)
    runtime = open_detector(model)
    detector, inputs = runtime.detector, around.tensor.to(runtime.device)
    box = torch.tensor(placed, dtype=torch.float32, device=runtime.device)
    with runtime.lock:
        layers = box_layers(detector, inputs)
        subject = Subject(
            detector, box, box_score(detector, box), METHODS, layers,
            lambda method: ordered_layers(model.spec, method, layers[::-1]),
        )  # fmt: skip
        found = explanation.answer(subject, inputs, request)
    notes = (*_cautions(asked, found, whole=whole), *cautions(model.spec, request))
    return explanation.kept(job, result, scene, around, request, found, notes)


def _check(target: Target) -> BoxTarget:
    """Refuse a target that a detection lacks."""
    if not isinstance(target, BoxTarget):
        raise InputError(
            "Detection runs have boxes only.", "They have neither scores for single pixels nor "
                                           "outlines.", "Explain a detection."
        )
    return target


def _in_window(box: Box, around: ModelWindow) -> tuple[tuple[float, ...], bool]:
    """A box in pixels of the network, and whether all of it lies in the window."""
    left, top, right, bottom = box
    window = around.window
    inside = (
        max(left, window.column), max(top, window.row), min(right, window.end_column), min(bottom, window.end_row)
    )  # fmt: skip
    across, down = around.across, around.down
    moved = (
        (inside[0] - window.column) * across, (inside[1] - window.row) * down,
        (inside[2] - window.column) * across, (inside[3] - window.row) * down,
    )  # fmt: skip
    return moved, inside == box


def _cautions(asked: BoxTarget, found: Answer, *, whole: bool) -> tuple[str, ...]:
    """What must be said beside the map."""
    notes, now = [], found.confidence
    if not whole:
        notes.append("The box is larger than the detector's field of view; only its centre was explained.")
    if now < asked.score / 2:
        notes.append(
            f"Processed with its immediate surroundings only, the box has a confidence of {now:.2f}; in the run it had "
            f"{asked.score:.2f}. More distant parts of the image also affect the confidence."
        )
    return tuple(notes)


def _model_of(result: DetectionResult) -> StoredModel:
    """The model that made a run.

    Raises
    ------
    InputError
        When no one model did, or its weights have changed since.
    """
    used = result.provenance.get("model", {}).get("weights_sha256")
    if used is None or "bridge" not in result.provenance or "fused" in result.provenance:
        raise InputError(
            f"Run {result.id[:8]} was not made by a single detector.",
            "Only the detections of a single detector can be explained.",
            "Open one of the runs that it combines.",
        )
    return explanation.model_of(TASK, result)
