"""Where a run is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.runs.kinds import kind_of
from ui.task.task import task_pages

if TYPE_CHECKING:
    from core.runs.records import Run


def place(run: Run) -> tuple[str, dict[str, str]]:
    """Page and query parameters by which a run is seen: its own, or those of the run that it is derived from."""
    kind = kind_of(run)
    if kind is None or run.task not in task_pages():
        return "runs", {"run": run.id}
    if kind.address is None:
        return run.task, {"run": run.id}
    found: tuple[str, dict[str, str]] = kind.address.load()(run)
    return found
