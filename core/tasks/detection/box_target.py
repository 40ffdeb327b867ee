"""A box of a detection that something is asked about: what stands in the record, and what was asked before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.result import DetectionResult

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class AskedBox:
    """A box of a run.

    Attributes
    ----------
    box
        Left, top, right, bottom in pixels of the run's grid.
    score
        Confidence that the run gave it.
    number
        Its number among the boxes when it was asked about; None when that is not known.
    """

    box: Box
    score: float
    number: int | None = None

    @property
    def middle(self) -> tuple[int, int]:
        """Row and column of its middle."""
        left, top, right, bottom = self.box
        return int((top + bottom) / 2), int((left + right) / 2)

    def to_json(self) -> dict[str, Any]:
        """As it stands in parameters and records, under ``"target"``."""
        return {"box": list(self.box), "score": self.score, "number": self.number}

    @classmethod
    def from_json(cls, target: Mapping[str, Any]) -> AskedBox:
        """What `to_json` gave."""
        left, top, right, bottom = (float(side) for side in target["box"])
        return cls((left, top, right, bottom), float(target["score"]), target["number"])


def asked_box(detections: Detections, number: int) -> AskedBox:
    """A box by its number at a choice.

    Raises
    ------
    InputError
        When there is no box of that number.
    """
    if not 1 <= number <= detections.count:
        raise InputError(
            f"There is no box {number}.",
            f"At a confidence of {detections.choice.confidence:g} there are {detections.count}.",
            "Choose another number, or a lower confidence.",
        )
    boxes = detections.boxes
    left, top, right, bottom = (float(side) for side in boxes.corners[number - 1])
    return AskedBox((left, top, right, bottom), float(boxes.scores[number - 1]), number)


def known_on_box(store: Store, result: DetectionResult, kind: str, asked: Mapping[str, Any]) -> Run | None:
    """The run that does what is asked of a box of a run, or is to; without one, that which failed last.

    The box's number does not matter: other sliders number the same boxes anew.
    """
    same = [run for run in store.children(result.id, kind) if _unnumbered(run.parameters) == _unnumbered(asked)]
    found = next((run for run in same if run.status in ("done", "queued", "running")), None)
    return found or next((run for run in same if run.status != "cancelled"), None)


def _unnumbered(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameters, "target": {**parameters["target"], "number": None}}
