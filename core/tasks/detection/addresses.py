"""Where the runs that are derived from a detection are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.imagery.addresses import Address


def outline(run: Run) -> Address:
    """The page of the detection, with the outline of the box open."""
    return run.task, {"run": run.parents[0], "outline": run.id} if run.parents else {"run": run.id}
