"""Where a run is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.records import Run


TASKS = ("detection", "mapping")
"""Tasks that have a page of their name."""


def place(run: Run) -> tuple[str, dict[str, str]]:
    """Page and address on which a run is seen: its own, or that of the maps or detections that it stands on."""
    if run.task not in TASKS:
        return "runs", {"run": run.id}
    if run.kind == "explanation" and run.parents:
        return run.task, {"run": run.parents[0], "why": run.id}
    if run.task == "detection":
        return "detection", _of_detection(run)
    if run.kind == "outlines" and run.parents:
        asked = {"threshold": "threshold", "minimum": "minimum_area", "holes": "fill_holes"}
        values = {name: str(run.parameters[parameter]) for name, parameter in asked.items()}
        return "mapping", {"run": run.parents[0], **values}
    if run.kind == "change" and len(run.parents) == 2:
        return "compare", {"runs": ",".join(run.parents), "view": "Difference"}
    return "mapping", {"run": run.id}


def _of_detection(run: Run) -> dict[str, str]:
    """Address of a detection, or of that in which a box was outlined."""
    if run.kind == "outline" and run.parents:
        return {"run": run.parents[0], "outline": run.id}
    return {"run": run.id}
