"""Where the runs that are derived from a mapping are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.runs.view import options_of
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.imagery.addresses import Address


def outlines(run: Run) -> Address:
    """The page of the mapping, at the choice that was outlined."""
    if not run.parents:
        return run.task, {"run": run.id}
    values = {option.address: str(run.parameters[option.name]) for option in options_of(Choice)}
    return run.task, {"run": run.parents[0], **values}


def change(run: Run) -> Address:
    """The page that compares the two mappings."""
    if len(run.parents) != 2:
        return run.task, {"run": run.id}
    return "compare", {"runs": ",".join(run.parents), "view": "Difference"}
