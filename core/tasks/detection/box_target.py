"""A box of a detection that something is asked about: what stands in the record, and what was asked before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.raster.place_names import row_named
from core.tasks.imagery.target import BoxTarget
from core.wording import agree

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.result import DetectionResult

def box_target(detections: Detections, asked: str | int) -> BoxTarget:
    """A box by its id at a choice, or by its place in the table, from 1.

    Raises
    ------
    InputError
        When there is no such box.
    """
    there = agree(detections.count, "there is", "there are")
    among = f"At confidence {detections.choice.confidence:g} {there} {detections.count:,}."
    row = row_named(detections.names, str(asked), "box", among, (
        "Give an id or number from the table, or a lower confidence."
    ))
    boxes = detections.boxes
    left, top, right, bottom = (float(side) for side in boxes.corners[row])
    return BoxTarget((left, top, right, bottom), float(boxes.scores[row]), str(detections.names[row]))


def known_on_box(store: Store, result: DetectionResult, kind: str, asked: Mapping[str, Any]) -> Run | None:
    """The run that does what is asked of a box of a run, or is to; without one, that which failed last.

    The box's id does not matter: its place says what is asked.
    """
    same = [run for run in store.children(result.id, kind) if _unnumbered(run.parameters) == _unnumbered(asked)]
    found = next((run for run in same if run.status in ("done", "queued", "running")), None)
    return found or next((run for run in same if run.status != "cancelled"), None)


def _unnumbered(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**parameters, "target": {**parameters["target"], "number": None}}
