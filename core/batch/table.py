"""The table of a batch: a row for each image with its state and figures, and totals over what is known."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.batch.batches import Batch, current, runs_of, with_name
from core.batch.figures import (
    CORRECT,
    FALSE_ALARM,
    MISSED,
    POOLED,
    Figure,
    columns,
    figures_of_task,
    known_figures,
)
from core.errors import LandslideError
from core.learning.metrics import Confusion
from core.report.cautions import is_warning
from core.runs.kinds import tasks
from core.wording import count

if TYPE_CHECKING:
    from core.runs.kinds import Task
    from core.runs.records import Run
    from core.runs.store import Store

View = Callable[[Any], Any]
"""``(result) -> view`` of its task: what was chosen after the runs."""

REFUSED, MISSING, LOST = "refused", "not started", "files lost"
"""States beside those of runs: a file that could not be used, an image without a run, a run whose files are gone."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of texts that spreadsheet programs take for a formula."""


@dataclass(frozen=True)
class Row:
    """An image of a batch.

    Attributes
    ----------
    name
        Of the image, or of a file that was refused.
    status
        State of its run, or `REFUSED`, `MISSING`, `LOST`.
    run
        The run that counts; None without one.
    dataset
        Id of the image; empty for a file that was refused.
    figures
        Numbers by name; what is unknown is left out.
    why
        Why there is no result; empty where there is one, or it is to come.
    counted
        Whether `figures` were computed: False while there was no time for it.
    assumption
        What its areas assume, in words; empty where they assume nothing.
    """

    name: str
    status: str
    run: Run | None = None
    dataset: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    why: str = ""
    counted: bool = True
    assumption: str = ""

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.status == "done"

    @property
    def reason(self) -> str:
        """Why there is no result, with the name of the image."""
        return with_name(self.name, self.why or self.status)

    @property
    def active(self) -> bool:
        """Whether the run waits or works."""
        return self.run is not None and self.run.active

    @property
    def warnings(self) -> tuple[str, ...]:
        """Notes of the run that change how far its result may be relied on."""
        return tuple(note for note in (self.run.notes if self.run else ()) if is_warning(note))


@dataclass(frozen=True)
class Total:
    """The sum of a figure, or a score of all images together: how many it is known of, of how many with a result."""

    figure: Figure
    value: float
    known: int
    of: int

    @property
    def over(self) -> str:
        """Over how many images the sum goes, in words."""
        images = count(self.of, "image")
        return f"in {images}" if self.known == self.of else f"in {self.known} of {images}"


@dataclass(frozen=True)
class Table:
    """A batch with what came of it so far.

    Attributes
    ----------
    batch, task
        The batch, and the task of its runs; None before the first one, or where this installation does not know it.
    rows
        One row an image in the order of the batch, then the files that were refused.
    """

    batch: Batch
    task: Task | None
    rows: tuple[Row, ...]

    @property
    def columns(self) -> tuple[Figure, ...]:
        """Columns of which at least one image has a number, or that say something by being unknown."""
        declared = None if self.task is None else figures_of_task(self.task)
        always = set() if declared is None else {one.name for one in declared.figures}
        known = {name for row in self.rows for name in row.figures}
        return tuple(one for one in (() if self.task is None else columns(self.task)) if one.name in always | known)

    @property
    def totals(self) -> tuple[Total, ...]:
        """Sums over the images of which a figure is known; those that no image has are left out."""
        done = [row for row in self.rows if row.done and row.counted]
        found = []
        for figure in self.columns:
            values = [row.figures[figure.name] for row in done if figure.name in row.figures]
            if figure.summed and values:
                found.append(Total(figure, sum(values), len(values), len(done)))
        return (*found, *self._pooled(done))

    def _pooled(self, done: Sequence[Row]) -> Iterator[Total]:
        """Scores of all images with a reference together; none of a single image, whose row has them."""
        counts = [
            [row.figures[name] for name in (CORRECT, FALSE_ALARM, MISSED)] for row in done if CORRECT in row.figures
        ]
        if len(counts) < 2:
            return
        right, wrong, missed = (int(sum(one)) for one in zip(*counts, strict=True))
        scores = Confusion(right, wrong, missed, 0)
        for figure in POOLED:
            value = float(getattr(scores, figure.name.removeprefix("pooled_")))
            yield Total(figure, value, len(counts), len(done))

    @property
    def assumptions(self) -> str:
        """What areas assume, in sentences, and of how many images."""
        told: dict[str, int] = {}
        for row in self.rows:
            if row.assumption:
                told[row.assumption] = told.get(row.assumption, 0) + 1
        return " ".join(f"{words} ({count(number, 'image')})." for words, number in told.items())

    def counted(self, *statuses: str) -> int:
        """How many rows are in one of some states."""
        return sum(row.status in statuses for row in self.rows)

    @property
    def active(self) -> bool:
        """Whether anything waits or works."""
        return any(row.active for row in self.rows)

    @property
    def unfinished(self) -> tuple[Row, ...]:
        """Images whose run ended without a result, or that have none, and files that were refused."""
        return tuple(row for row in self.rows if not row.done and not row.active)

    @property
    def run(self) -> Run | None:
        """The first run with a result, else the first: its settings are those of all."""
        runs = [row.run for row in self.rows if row.run is not None]
        return next((run for run in runs if run.status == "done"), runs[0] if runs else None)


def read_table(store: Store, batch: Batch, view: View | None = None, seconds: float = math.inf) -> Table:
    """The table of a batch as it is now.

    Parameters
    ----------
    view
        Chooses what runs are counted at; what their pages begin with when None.
    seconds
        Time for figures that were not computed before; rows that there was no time for have none.
    """
    runs = current(batch, runs_of(store, batch))
    until = time.monotonic() + seconds
    rows = [_row(store, identity, runs.get(identity), view, until) for identity in batch.datasets]
    rows += [Row(one.name, REFUSED, why=one.why) for one in batch.refused]
    known = next((run.task for run in runs.values()), "")
    return Table(batch, tasks().get(known), tuple(rows))


def _row(store: Store, identity: str, run: Run | None, view: View | None, until: float) -> Row:
    if run is None:
        return Row(_name(store, identity), MISSING, dataset=identity)
    if run.status != "done":
        why = "" if run.failure is None else " ".join(
            part for part in (run.failure.what, run.failure.why, run.failure.remedy) if part
        )  # fmt: skip
        return Row(run.subject.name, run.status, run, identity, why="" if run.active else why)
    if time.monotonic() > until:
        return Row(run.subject.name, run.status, run, identity, counted=False)
    try:
        chosen = None if view is None else view(store.result(run.id))
        known = known_figures(store, run, chosen)
    except LandslideError as error:
        return Row(run.subject.name, LOST, run, identity, why=str(error))
    figures = {name: value for name, value in known.figures.items() if not math.isnan(value)}
    return Row(run.subject.name, run.status, run, identity, figures, assumption=known.assumption)


def _name(store: Store, identity: str) -> str:
    try:
        return store.dataset(identity).name
    except LandslideError:
        return f"image {identity[:8]}, which was removed"


def write_csv(table: Table) -> str:
    """The table as comma-separated values: plain numbers, empty where unknown.

    Texts that a spreadsheet program would take for a formula begin with an apostrophe.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    shown = table.columns
    told_last = ("warnings", "notes", "assumption", "reason")
    writer.writerow(["image", "status", "run", "model", *(one.name for one in shown), *told_last])
    for row in table.rows:
        run, numbers = row.run, (_number(row.figures.get(one.name), one) for one in shown)
        told = (str(len(row.warnings)), str(len(run.notes))) if run is not None and row.done else ("", "")
        texts = (row.name, row.status, "" if run is None else run.id, "" if run is None else run.model)
        writer.writerow([*map(plain_cell, texts), *numbers, *told, row.assumption, plain_cell(row.why)])
    return file.getvalue()


def _number(value: float | None, figure: Figure) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if figure.form == "count" else f"{value:.1f}" if figure.form == "area" else f"{value:.6g}"


def plain_cell(text: str) -> str:
    """A text as a cell that no spreadsheet program runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text
