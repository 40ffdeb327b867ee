"""The report of a run of trends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.report import origin
from core.report.content import ReportInput, ReportKind
from core.report.make import explanations_of
from core.report.parts import Column, Items, KeyFigure, KeyFigures, Paragraph, Part, Table
from core.wording import count
from tests.toy.result import Trends
from tests.toy.view import Choice

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store


@dataclass(frozen=True)
class TrendsInput(ReportInput):
    """Trends as they are reported, at a choice."""

    result: Trends
    choice: Choice = Choice()


def gather(store: Store, run: Run, view: Choice | None) -> TrendsInput:
    """Content of the report of a run of trends."""
    result = store.result(run.id, Trends)
    explanations = tuple(store.result(one.id) for one in explanations_of(store, run))
    choice = view or Choice.default(result)
    made = datetime.now(UTC)
    return TrendsInput(run.task, run.kind, result, made, explanations=explanations, choice=choice)


def parts(content: TrendsInput) -> Iterator[Part | None]:
    """The parts of the report in their order."""
    shown = content.choice.shown(content.result)
    least = content.choice.least_trend
    lead = f"{count(len(shown), 'column')} of {len(content.result.trends)} with a trend from {least:g}."
    figures = KeyFigures((KeyFigure("Steepest trend", f"{content.result.metrics()['steepest']:.3f}"),))
    rows = tuple((one.column, f"{one.mean:.3f}", f"{one.slope:+.3f}") for one in shown)
    table = Table("Means and trends", (Column("Column"), Column("Mean", True), Column("Trend", True)), rows)
    yield Part("summary", "What was found", (Paragraph(lead, lead=True), figures))
    yield Part("columns", "Columns", (table,))
    notes = tuple(note for one in content.explanations for note in one.notes)
    yield Part("why", "Which rows count", (Items(notes),)) if notes else None
    yield origin.data(content)
    yield origin.provenance(content)


TRENDS = ReportKind("Trends in", gather, parts)
