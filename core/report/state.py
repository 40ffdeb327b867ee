"""Whether a written report still says what its run's page shows: settings, review and explanations as they are now."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from core.errors import LandslideError
from core.review.found import reviewed_run
from core.review.log import last_number
from core.runs.kinds import find_task, kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from core.runs.records import Run
    from core.runs.store import Store

NAME = "slidelens-state"
"""Name under which the head of a report holds its state."""

_WRITTEN = re.compile(rf'<meta name="{NAME}" content="([0-9a-f]{{16}})">')
_HEAD = 4096


def state_of(store: Store, run: Run, view: Any = None) -> str:  # noqa: ANN401  of its task
    """Sixteen digits that change with what a report of a run depends on and a visitor can change.

    These are the view, what is written on the run, the edits of its review, finished runs derived from it that have no
    report of their own, such as explanations, and those that its report tells of all the same.

    Parameters
    ----------
    view
        What was chosen after the run; what its page begins with when None.
    """
    declared = find_task(run.task).view
    if view is None and declared is not None:
        view = declared.load().default(store.result(run.id))
    values = asdict(view) if is_dataclass(view) and not isinstance(view, type) else {"view": view}
    # A slider gives 500 where an address gives 500.0.
    chosen = {name: float(value) if isinstance(value, int) else value for name, value in values.items()}
    derived = sorted(one.id for one in store.children(run.id) if one.status == "done" and not _reported(one))
    edits = last_number(store, reviewed_run(store, run).id)
    kind = kind_of(run)
    others = kind.report.load().others(store, run) if kind is not None and kind.report is not None else ()
    told = repr((chosen, run.name, run.note, run.tags, derived, edits, others))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def written_state(report: Path) -> str:
    """The state that a report was written in; empty for one of an earlier version.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    with report.open(encoding="utf-8", errors="replace") as file:
        found = _WRITTEN.search(file.read(_HEAD))
    return found[1] if found else ""


def is_out_of_date(store: Store, run: Run, report: Path, view: Any = None) -> bool:  # noqa: ANN401  of its task
    """Whether a report was written in another state than that of now; not where its state is not known."""
    try:
        written = written_state(report)
        return bool(written) and written != state_of(store, run, view)
    except (OSError, LandslideError):  # what is wrong with the file is told where it is opened
        return False


def _reported(run: Run) -> bool:
    kind = kind_of(run)
    return kind is not None and kind.report is not None
