"""Why a detection found one box: an explanation as a run with a parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import InputError
from core.explain.attribution import EXPLANATION
from core.explain.boxes import HIRES_CAM, Method, box_layers, deepest_that_answers, method_of, sentence
from core.explain.faithfulness import Curves, Deletion, confidence, curves_of, deletion_of
from core.explain.layers import LayerChoice
from core.explain.target import box_score
from core.explain.window import Surroundings, surroundings, write_part
from core.jobs.perform import Job, run_inline
from core.learning.bridge import bridge_of
from core.learning.metrics import SIGNED_NODATA, encode_signed
from core.learning.store import StoredModel, find_model
from core.runs.records import Order, Run
from core.tasks.detection.box_target import AskedBox, Box, asked_box, known_on_box
from core.tasks.detection.findings import Detections
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.runtime import DetectorRuntime, open_detector
from core.tasks.imagery.inputs import check_same_scene, scene_of
from core.tasks.imagery.result import ImageResult, derived

if TYPE_CHECKING:
    from core.runs.store import Store

KIND: Final = "explanation"
FILE = "cam.tif"
ENCODING = "attribution = value / 254, above zero for the box and below against it; -32768 nodata"


@dataclass(frozen=True)
class BoxQuestion:
    """Which box is asked about, and how.

    Attributes
    ----------
    target
        The box.
    method
        Name of a method of `core.explain.boxes`.
    layer
        Name of a layer of `layers_of_detector`; empty for the deepest from which the box took anything.
    """

    target: AskedBox
    method: str = HIRES_CAM.name
    layer: str = ""

    def __post_init__(self) -> None:
        method_of(self.method)

    def to_json(self) -> dict[str, Any]:
        """The parameters of its run."""
        return {"method": self.method, "layer": self.layer, "target": self.target.to_json()}

    @classmethod
    def from_json(cls, parameters: Mapping[str, Any]) -> BoxQuestion:
        """The question that a run's parameters ask."""
        return cls(AskedBox.from_json(parameters["target"]), parameters["method"], parameters["layer"])


def question_of(detections: Detections, number: int, method: str = HIRES_CAM.name, layer: str = "") -> BoxQuestion:
    """Ask about a box by its number at a choice.

    Raises
    ------
    InputError
        When there is no box of that number, or no such method.
    """
    return BoxQuestion(asked_box(detections, number), method, layer)


def order_explanation(result: DetectionResult, question: BoxQuestion, *, owner: str = "") -> Order:
    """The order of an explanation of a box of a run.

    Raises
    ------
    InputError
        When no one model made the run.
    """
    _model_of(result)
    return Order("detection", KIND, question.to_json(), result.inputs, result.model, (result.id,), owner)


def known_explanation(store: Store, result: DetectionResult, question: BoxQuestion) -> Run | None:
    """The run that answers a question or is to; without one, that which failed last."""
    return known_on_box(store, result, KIND, question.to_json())


def layers_of_detector(result: DetectionResult) -> tuple[LayerChoice, ...]:
    """Layers at which the detector of a run can be asked, from fine to coarse."""
    spec = _model_of(result).spec
    runtime = open_detector(_model_of(result))
    probe = torch.zeros((1, len(spec.bands), spec.tile, spec.tile), device=runtime.device)
    with runtime.lock:
        return box_layers(runtime.detector, probe)


def explain_box(store: Store, result: DetectionResult, question: BoxQuestion) -> ImageResult:
    """Explain one box in this process, and keep the explanation as a run.

    Raises
    ------
    LandslideError
        When the box lies outside the scene, the model is no longer what the run used, or the layer had no say.
    """
    return store.result(run_inline(store, order_explanation(result, question)), ImageResult)


def curves_in(provenance: Mapping[str, Any]) -> Curves:
    """The curves of deletion and insertion in the record of an explanation."""
    told = provenance["curves"]
    return Curves(tuple(told["shares"]), tuple(told["deletion"]), tuple(told["insertion"]))


@dataclass(frozen=True)
class _Answer:
    """What came of a question, on the network's pixels."""

    layer: LayerChoice | None
    cam: NDArray[np.float32]
    deletion: Deletion
    curves: Curves


def compute_explanation(job: Job, question: BoxQuestion) -> ImageResult:
    """Do the work of a run of kind ``"explanation"``."""
    job.report(0, 0, "Asking the detector")
    result, scene = job.parent(DetectionResult), scene_of(job.store, job.run).scene
    check_same_scene(result.scene_digest, scene)
    model, method = _model_of(result), method_of(question.method)
    around = surroundings(scene, model.spec, bridge_of(result.provenance), *question.target.middle)
    box, whole = _in_window(question.target.box, around)
    runtime = open_detector(model)
    with runtime.lock:
        answer = _ask(runtime, around, box, method, question.layer)
    attribution = np.where(around.valid, around.shown(answer.cam), np.nan)
    placed = write_part(
        job.folder / FILE, scene.grid, around.part, encode_signed(attribution), nodata=SIGNED_NODATA,
        descriptions=(EXPLANATION,), tags={"encoding": ENCODING},
    )  # fmt: skip
    now = float(confidence((answer.deletion.score,))[0])
    notes = (sentence(method, answer.layer, answer.deletion), *_cautions(question.target.score, now, whole=whole))
    record = _record(question, method, answer, around, now)
    return derived(job, result, {EXPLANATION: FILE}, record, grid=placed, notes=notes, numbers=_numbers(answer))


def _ask(
    runtime: DetectorRuntime, around: Surroundings, box: tuple[float, ...], method: Method, layer: str
) -> _Answer:
    detector, inputs = runtime.detector, around.tensor.to(runtime.device)
    asked = torch.tensor(box, dtype=torch.float32, device=runtime.device)
    chosen = _layer(runtime, inputs, asked, layer) if method.layered else None
    cam = method.attribute(detector, inputs, asked, chosen.name if chosen else "")
    if not cam.any():
        raise InputError(
            "This gives no answer for this box.",
            "Nothing of the layer reached its score: the detector found it at another one."
            if chosen else "No change of the image changed its score.",
            "Choose another layer or another method.",
        )  # fmt: skip
    score = box_score(detector, asked)
    return _Answer(
        chosen, cam, deletion_of(detector, score, inputs, cam), curves_of(detector, score, inputs, cam)
    )  # fmt: skip


def _layer(runtime: DetectorRuntime, inputs: torch.Tensor, box: torch.Tensor, name: str) -> LayerChoice:
    layers = box_layers(runtime.detector, inputs)
    if not name:
        return deepest_that_answers(runtime.detector, inputs, box, layers)
    chosen = next((layer for layer in layers if layer.name == name), None)
    if chosen is None:
        raise InputError(f"The detector has no layer {name!r} to be asked.", remedy="Choose one of those offered.")
    return chosen


def _in_window(box: Box, around: Surroundings) -> tuple[tuple[float, ...], bool]:
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


def _cautions(before: float, now: float, *, whole: bool) -> tuple[str, ...]:
    """What must be heard beside the sentence."""
    notes = []
    if not whole:
        notes.append("The box is larger than what the detector sees at a time: only its middle was asked about.")
    if now < before / 2:
        notes.append(
            f"In the window around it the box has a confidence of {now:.2f}, in the run it had {before:.2f}: "
            "what is beside it counts as well."
        )
    return tuple(notes)


def _record(question: BoxQuestion, method: Method, answer: _Answer, around: Surroundings, now: float) -> dict[str, Any]:
    deletion, curves, part = answer.deletion, answer.curves, around.part
    return {
        "method": method.title,
        "layer": answer.layer.name if answer.layer else None,
        "layer_title": answer.layer.title if answer.layer else None,
        "target": question.target.to_json(),
        "window": [part.row, part.column, part.height, part.width],
        "evidence": deletion.score,
        "confidence": now,
        "deletion": {"share": deletion.share, "drop": deletion.drop_top, "drop_random": deletion.drop_random},
        "curves": {"shares": curves.shares, "deletion": curves.deletion, "insertion": curves.insertion},
    }


def _numbers(answer: _Answer) -> dict[str, float]:
    """Numbers by which explanations are compared."""
    return {
        "drop": answer.deletion.drop_top,
        "drop_random": answer.deletion.drop_random,
        "deletion_auc": answer.curves.confidence_deletion,
        "insertion_auc": answer.curves.confidence_insertion,
    }


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
            f"The run {result.id[:8]} was not made by one detector.",
            "Only a detector can be asked why.",
            "Open one of the runs that it joins.",
        )
    model = find_model("detection", result.model)
    if model.spec.weights_sha256 != used:
        raise InputError(
            f"The model {result.model} is no longer the one that made this run.",
            "Its weights have changed since.",
            "Run the detection again, then ask why.",
        )
    return model
