"""Where a run is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.records import Run


def place(run: Run) -> tuple[str, dict[str, str]]:
    """Page and address on which a run is seen: its own, or that of the maps that it stands on."""
    if run.task != "mapping":
        return "runs", {"run": run.id}
    if run.kind == "explanation" and run.parents:
        return "mapping", {"run": run.parents[0], "why": run.id}
    if run.kind == "outlines" and run.parents:
        asked = {"threshold": "threshold", "minimum": "minimum_area", "holes": "fill_holes"}
        values = {name: str(run.parameters[parameter]) for name, parameter in asked.items()}
        return "mapping", {"run": run.parents[0], **values}
    if run.kind == "change" and len(run.parents) == 2:
        return "compare", {"runs": ",".join(run.parents), "view": "Difference"}
    return "mapping", {"run": run.id}
