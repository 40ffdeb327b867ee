"""Where runs that are derived from a run on an image are seen: on the page of that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.records import Run

Address = tuple[str, dict[str, str]]
"""Page and query parameters."""


def of_parent(run: Run) -> Address:
    """The page of the run that it is derived from."""
    return run.task, {"run": run.parents[0] if run.parents else run.id}


def explanation(run: Run) -> Address:
    """The page of the run that was explained, with the explanation open."""
    if not run.parents:
        return run.task, {"run": run.id}
    target = run.parameters.get("target") or {}
    name = target.get("landslide") or target.get("number")
    # What was asked about is selected as well, unless an old run recorded its number only.
    return run.task, {"run": run.parents[0], "why": run.id, **({"selected": name} if isinstance(name, str) else {})}
