"""Where a run is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.records import Run


def place(run: Run) -> tuple[str, dict[str, str]]:
    """Page and address on which a run is seen: its map, those that it stands on, or else its line in the list."""
    from core.mapping.result import MAPPINGS

    if run.task == "mapping" and run.kind in MAPPINGS:
        return "mapping", {"run": run.id}
    if run.kind == "outlines" and run.parents:
        asked = {"threshold": "threshold", "minimum": "minimum_area", "holes": "fill_holes"}
        values = {name: str(run.parameters[parameter]) for name, parameter in asked.items()}
        return "mapping", {"run": run.parents[0], **values}
    if run.kind == "change" and len(run.parents) == 2:
        return "compare", {"runs": ",".join(run.parents), "view": "Difference"}
    return "runs", {"run": run.id}
