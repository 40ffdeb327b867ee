"""What a task declares for the table of a batch: the figures of one run, each with its unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from core.report.words import area, percent, score
from core.runs.kinds import find_task
from core.runs.result import GridResult

if TYPE_CHECKING:
    from core.runs.kinds import Task
    from core.runs.records import Run
    from core.runs.store import Store

Form = Literal["count", "area", "share", "score", "level", "rate"]
"""Whole number; m²; share of one; number to three or to two decimals; number with two digits that mean something."""

KEPT = 2_000
"""Runs whose figures are kept in memory."""


@dataclass(frozen=True)
class Figure:
    """A column of the table of a batch.

    Attributes
    ----------
    name
        Key among the figures of a run, and the column's name in a CSV file: with its unit.
    title
        Its heading, with its unit where `form` does not tell.
    form
        See `Form`.
    summed
        Whether a total of it means something.
    """

    name: str
    title: str
    form: Form
    summed: bool = False

    def text(self, value: float | None) -> str:
        """The number as people read it; "unknown" where it is, a dash for a score without a reference."""
        if value is None or math.isnan(value):
            return "–" if self.form == "score" else "unknown"
        if self.form == "count":
            return f"{value:,.0f}"
        if self.form == "area":
            return area(value)
        if self.form == "rate":
            return rate(value)
        if self.form == "level":
            return f"{value:.2f}"
        return percent(value) if self.form == "share" else score(value)


CORRECT, FALSE_ALARM, MISSED = "true_positive", "false_positive", "false_negative"
"""Names of the counts that `BatchFigures.of` gives beside its scores, from which scores of all images are computed."""

POOLED = tuple(
    Figure(f"pooled_{name}", f"{title}, all images", "score")
    for name, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"))
)
"""Scores of all images with a reference together: their counts are added up, not their scores averaged."""


@dataclass(frozen=True)
class BatchFigures:
    """What the table of a batch shows of each run of a task.

    Attributes
    ----------
    figures
        Its columns; the scores that the task declares as metrics follow them.
    of
        ``(result, view) -> {name: value}``: figures and scores of a finished run at a view of the task, at what its
        page begins with when the view is None. NaN where a number is unknown; scores, and the counts that they are
        computed from (`CORRECT`, `FALSE_ALARM`, `MISSED`), are left out without a reference.
    counted
        At what they are counted, in a sentence.
    """

    figures: tuple[Figure, ...]
    of: Callable[[Any, Any], Mapping[str, float]]
    counted: str


def figures_of_task(task: Task) -> BatchFigures | None:
    """What a task declares; None where its runs are not worked on in batches."""
    declared: BatchFigures | None = None if task.batch is None else task.batch.load()
    return declared


def columns(task: Task) -> tuple[Figure, ...]:
    """All columns of a task's table: its figures, then the scores among its metrics."""
    declared = figures_of_task(task)
    scores = (Figure(one.name, one.title, "score") for one in task.metrics if one.form == "score")
    return () if declared is None else (*declared.figures, *scores)


def rate(value: float) -> str:
    """A number with two digits that mean something.

    Examples
    --------
    >>> rate(0.0), rate(0.0342), rate(2.71), rate(43.2), rate(1234.0)
    ('0', '0.034', '2.7', '43', '1,234')
    """
    digits = max(0, 1 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Counted:
    """Figures of a finished run by name, and what its areas assume, in words; empty where they assume nothing."""

    figures: Mapping[str, float]
    assumption: str = ""


@lru_cache(maxsize=KEPT)
def _kept(store: Store, task: str, run: str, view: Any) -> Counted:  # noqa: ANN401  of its task
    declared = figures_of_task(find_task(task))
    if declared is None:
        return Counted({})
    result = store.result(run)
    assumption = result.grid.assumption if isinstance(result, GridResult) else ""
    return Counted(dict(declared.of(result, view)), assumption)


def known_figures(store: Store, run: Run, view: Any = None) -> Counted:  # noqa: ANN401  of its task
    """Figures of a finished run; computed once a process for each view.

    Raises
    ------
    StorageError
        When a file of the run is gone.
    """
    return _kept(store, run.task, run.id, view)
