"""Explanations of runs on images: one request, one way to answer it, and one way to keep the answer, for every task.

A request names a target and a method. The answer is a signed raster of what each place did to the model's score for
the target, with how faithful the map proved. A task says how its network scores a target; see `Subject`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError
from core.explain import boxes, regions
from core.explain.attribution import EXPLANATION
from core.explain.faithfulness import Curves, Deletion, confidence, deletion_of, faithfulness_of
from core.explain.layers import LayerChoice
from core.explain.methods import Method, find_method, method_name, sentence
from core.explain.target import Score
from core.explain.window import ModelWindow, write_part
from core.learning.metrics import SIGNED_NODATA, encode_signed
from core.learning.protocols import ExplainedNetwork
from core.learning.store import StoredModel, find_model
from core.raster.folder import write_json
from core.runs.kinds import parameters_of, request_from
from core.runs.records import Order
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.imagery.target import AskedOutline, AskedPixel, BoxTarget, Target, told_target, unnumbered

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.raster.scene import Scene
    from core.runs.records import Run
    from core.runs.store import Store

KIND: Final = "explanation"

RECORD: Final = "explanation"
"""Role of the JSON file that holds the answer but for its raster."""

FILES = {EXPLANATION: "cam.tif", RECORD: "explanation.json"}
ENCODING = (
    "attribution = value / 254; positive where the score was raised, negative where it was lowered; -32768 nodata"
)

N = TypeVar("N", bound=ExplainedNetwork)
T = TypeVar("T")

NO_ANSWER = (
    "This method gives no explanation for this place.",
    "Nothing in the image raised the score at this layer.",
    "No change to the image changed the score.",
)


@dataclass(frozen=True)
class ExplanationRequest:
    """What is to be explained, and how.

    Attributes
    ----------
    target
        A pixel, an outline or a box of the run.
    method
        Name of a method, however it is written; see `core.explain.methods`.
    layer
        Name of a layer of the network; empty for the one that it begins with; see
        `core.tasks.imagery.layer_choice`.
    curves
        Whether the score is also followed while ever more of the image is masked, which takes some thirty passes of
        the model.
    """

    target: AskedPixel | AskedOutline | BoxTarget
    method: str
    layer: str = ""
    curves: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_name(self.method))
        find_method(methods_for(type(self.target)), self.method)


def methods_for(target: type[Target]) -> Mapping[str, Method[Any, Any]]:
    """The methods that can be asked about a kind of target, by name."""
    return boxes.METHODS if target is BoxTarget else regions.METHODS


def order_explanation(task: str, result: ImageResult, request: ExplanationRequest, *, owner: str = "") -> Order:
    """The order of an explanation of a run."""
    return Order(task, KIND, parameters_of(request), result.inputs, result.model, (result.id,), owner)


def known_explanation(store: Store, result: ImageResult, request: ExplanationRequest) -> Run | None:
    """The run that answers a request or is to; without one, that which failed last.

    Numbers of boxes and outlines do not matter: other settings number the same places anew. One with curves answers
    also who asked for none.
    """
    same = [run for run in store.children(result.id, KIND) if _answers(_asked(run), request)]
    found = [run for status in (("done",), ("queued", "running")) for run in same if run.status in status]
    return next((run for run in (*found, *same) if run.status != "cancelled"), None)


def request_of(run: Run) -> ExplanationRequest:
    """What an explanation was asked.

    Raises
    ------
    InputError
        When this version no longer understands it.
    """
    asked: ExplanationRequest = request_from(run.task, KIND, run.parameters)
    return asked


def _asked(run: Run) -> ExplanationRequest | None:
    """What an explanation was asked; None where this version no longer understands it."""
    try:
        return request_of(run)
    except InputError:
        return None


def _answers(asked: ExplanationRequest | None, request: ExplanationRequest) -> bool:
    return asked is not None and _bare(asked) == _bare(request) and (asked.curves or not request.curves)


def _bare(request: ExplanationRequest) -> tuple[Target, str, str]:
    return unnumbered(request.target), request.method, request.layer


def model_of(task: str, result: ImageResult) -> StoredModel:
    """The model that made a run.

    Raises
    ------
    ModelError
        When it is no longer there.
    InputError
        When its weights have changed since.
    """
    model = find_model(task, result.model)
    if model.spec.weights_sha256 != result.provenance["model"]["weights_sha256"]:
        raise InputError(
            f"The model {result.model} has changed since this run.",
            "Its weights are no longer those that produced the result.",
            "Repeat the run, then explain the new result.",
        )
    return model


@dataclass(frozen=True)
class Subject(Generic[N, T]):
    """A network and what it is asked about, both on the network's pixels.

    Attributes
    ----------
    network
        In evaluation mode; whoever asks holds its lock, for hooks are on it meanwhile.
    target
        What the methods take: a mask (height, width) or a box (4,).
    score
        What is explained, in units of a logit.
    methods
        By name.
    layers
        Layers that may be asked, from fine to coarse.
    first_layers
        Given a method, the layers in the order in which they are tried when none was named: the first that shows
        something is asked.
    """

    network: N
    target: T
    score: Score
    methods: Mapping[str, Method[N, T]]
    layers: tuple[LayerChoice, ...]
    first_layers: Callable[[str], Sequence[LayerChoice]]


@dataclass(frozen=True)
class Answer:
    """What came of a request, on the network's pixels.

    Attributes
    ----------
    method, layer
        What was asked; no layer for a method that asks none.
    cam
        (height, width) float32 in [−1, 1].
    deletion, curves
        How faithful it proved; no curves where they were not asked for.
    seconds
        How long the explaining took.
    """

    method: Method[Any, Any]
    layer: LayerChoice | None
    cam: NDArray[np.float32]
    deletion: Deletion
    curves: Curves | None
    seconds: float

    @property
    def confidence(self) -> float:
        """The score as a probability or confidence between 0 and 1."""
        return float(confidence((self.deletion.score,))[0])

    @property
    def numbers(self) -> dict[str, float]:
        """Numbers by which explanations are compared."""
        tested = {"drop": self.deletion.drop_top, "drop_random": self.deletion.drop_random}
        if self.curves is None:
            return tested
        return {
            **tested,
            "deletion_auc": self.curves.confidence_deletion,
            "insertion_auc": self.curves.confidence_insertion,
            "random_auc": self.curves.confidence_random,
        }


def answer(subject: Subject[N, T], inputs: Tensor, request: ExplanationRequest) -> Answer:
    """Explain a score, and test how faithful the map is.

    Parameters
    ----------
    inputs
        Normalised image (1, bands, height, width), float32, on the network's device.

    Raises
    ------
    InputError
        When there is no such layer, or the method gives no answer.
    """
    started = time.monotonic()
    method = find_method(subject.methods, request.method)
    layer, cam = _attributed(subject, inputs, method, request.layer)
    if not cam.any():
        what, of_layer, of_image = NO_ANSWER
        raise InputError(what, of_layer if layer else of_image, "Choose another layer or method.")
    if request.curves:
        deletion, curves = faithfulness_of(subject.network, subject.score, inputs, cam)
        return Answer(method, layer, cam, deletion, curves, time.monotonic() - started)
    tested = deletion_of(subject.network, subject.score, inputs, cam)
    return Answer(method, layer, cam, tested, None, time.monotonic() - started)


def _attributed(
    subject: Subject[N, T], inputs: Tensor, method: Method[N, T], name: str
) -> tuple[LayerChoice | None, NDArray[np.float32]]:
    """The map, and the layer that was asked: the named one, or the first that shows something."""
    if not method.layered:
        return None, method.attribute(subject.network, inputs, subject.target, "")
    tried = [_layer(subject, name)] if name else list(subject.first_layers(method.name))
    for layer in tried:
        cam = method.attribute(subject.network, inputs, subject.target, layer.name)
        if cam.any():
            break
    return layer, cam


def _layer(subject: Subject[N, T], name: str) -> LayerChoice:
    chosen = next((layer for layer in subject.layers if layer.name == name), None)
    if chosen is None:
        names = ", ".join(layer.name for layer in subject.layers)
        raise InputError(f"The model has no layer {name!r} that can be explained.", remedy=f"Choose one of {names}.")
    return chosen


def kept(
    job: Job,
    result: ImageResult,
    scene: Scene,
    around: ModelWindow,
    request: ExplanationRequest,
    found: Answer,
    cautions: tuple[str, ...] = (),
) -> ImageResult:
    """Keep an answer as the result of a run: raster, JSON file, provenance and metrics.

    Parameters
    ----------
    result
        The run that was explained.
    around
        The window of the scene that the network was shown.
    cautions
        Sentences that users must see beside what the map shows.
    """
    attribution = np.where(around.valid, around.shown(found.cam), np.nan)
    if not found.method.signed:
        attribution = np.maximum(attribution, 0)
    placed = write_part(
        job.folder / FILES[EXPLANATION], scene.grid, around.part, encode_signed(attribution), nodata=SIGNED_NODATA,
        descriptions=(EXPLANATION,), tags={"encoding": ENCODING},
    )  # fmt: skip
    told = sentence(found.method, found.layer, found.deletion)
    record = _record(parameters_of(request)["target"], found, around)
    content = {
        "run": job.run.id,
        job.run.task: result.id,
        "model": result.model,
        **record,
        "target": told_target(request.target),
        "method": found.method.name,
        "method_title": found.method.title,
        **found.numbers,
        "share": found.deletion.share,
        "sentence": told,
        "notes": list(cautions),
    }
    write_json(content, job.folder / FILES[RECORD])
    return derived(
        job, result, FILES, record, grid=placed, notes=(told, *cautions), numbers=found.numbers
    )  # fmt: skip


def _record(target: Mapping[str, Any], found: Answer, around: ModelWindow) -> dict[str, Any]:
    """An answer as it stands in the provenance of its run."""
    deletion, curves, part = found.deletion, found.curves, around.part
    return {
        "method": found.method.title,
        "layer": found.layer.name if found.layer else None,
        "layer_title": found.layer.title if found.layer else None,
        "target": target,
        "form": "raster",
        "signed": found.method.signed,
        "window": [part.row, part.column, part.height, part.width],
        "evidence": deletion.score,
        "confidence": found.confidence,
        "deletion": {"share": deletion.share, "drop": deletion.drop_top, "drop_random": deletion.drop_random},
        "curves": None if curves is None else {
            "shares": curves.shares, "deletion": curves.deletion, "insertion": curves.insertion,
            "random": curves.random,
        },
        "verdict": deletion.verdict,
        "seconds": round(found.seconds, 2),
    }  # fmt: skip


def curves_in(provenance: Mapping[str, Any]) -> Curves | None:
    """The curves in the record of an explanation; None where they were not measured."""
    told = provenance.get("curves")
    if told is None:
        return None
    return Curves(
        tuple(told["shares"]), tuple(told["deletion"]), tuple(told["insertion"]), tuple(told.get("random", ()))
    )
