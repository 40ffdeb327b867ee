"""The report of InSAR points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.report import origin
from core.report.content import ReportInput, ReportKind
from core.report.parts import Column, Items, KeyFigure, KeyFigures, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.series.words import MINUS, signed
from core.tasks.displacement.points_figure import draw_series, draw_velocity
from core.tasks.displacement.points_findings import FASTEST, fastest, rows_of, verdict
from core.tasks.displacement.points_result import PointsResult, points_table, values_of
from core.tasks.displacement.report_data import synthetic_box
from core.tasks.displacement.view import Look
from core.tasks.displacement.warning import DISCLAIMER
from core.wording import count

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store


@dataclass(frozen=True)
class PointsInput(ReportInput):
    """Points as they are reported."""

    result: PointsResult
    look: Look = Look()


def gather(store: Store, run: Run, view: Look | None) -> PointsInput:
    """Content of the report of a run."""
    result = store.result(run.id, PointsResult)
    return PointsInput(run.task, run.kind, result, datetime.now(UTC), name=run.name, note=run.note, tags=run.tags,
                       look=view or Look(), licences=dict(origin.sources_of(store, result.inputs)))  # fmt: skip


def parts(content: PointsInput) -> Iterator[Part | None]:
    """The parts of the report in their order."""
    result = content.result
    said = verdict(result)
    slow, fast = (signed(float(result.summary[name]), ".0f") for name in ("q05", "q95"))
    figures = (
        KeyFigure("Points", f"{result.count:,}", count(result.dates, "date")),
        KeyFigure("Median velocity", signed(float(result.summary["q50"]), ".1f"), "mm/year"),
        KeyFigure("90 % of velocities", f"{slow} to {fast}", "mm/year"),
    )
    lead = Paragraph(said.lead, lead=True)
    yield Part("summary", "Summary", (lead, *synthetic_box(result), KeyFigures(figures), Items(said.others)))
    table = points_table(result)
    shown = rows_of(table, content.look.ids)
    caption = "Velocity of each point; points shown below are circled." if shown else "Velocity of each point."
    drawn = picture(draw_velocity(result, table, shown), "Velocity map", caption)
    yield Part("velocity", "Map", (Pictures((drawn,)), Paragraph(DISCLAIMER)))
    if shown:
        figure = draw_series(*values_of(result, shown), table.iloc[shown])
        series = picture(figure, "Series of the selected points", "Displacement of the selected points.")
        yield Part("series", "Selected points", (Pictures((series,)),))
    first = fastest(table)
    rows = tuple(
        (str(one.pid), f"{one.longitude:.5f}", f"{one.latitude:.5f}",
         f"{one.velocity:+.1f} ± {one.velocity_sd:.1f}".replace("-", MINUS),
         f"{one.acceleration:+.2f}".replace("-", MINUS), f"{one.seasonality:.1f}", f"{one.rmse:.1f}")
        for one in first.itertuples()
    )  # fmt: skip
    heads = ("Point", "Longitude", "Latitude", "Velocity (mm/year)", "Acceleration (mm/year²)",
             "Annual amplitude (mm)", "Residual (mm)")  # fmt: skip
    columns = tuple(Column(head, number=bool(at)) for at, head in enumerate(heads))
    yield Part("fastest", "Fastest points", (Table(f"Up to {FASTEST} points with velocities of more than three "
                                                       "standard errors",
                                                       columns, rows), Items(MEANINGS)))  # fmt: skip
    yield Part("notes", "Notes", (Items(result.notes),)) if result.notes else None
    yield origin.data(content)
    yield origin.provenance(content)


MEANINGS = (
    "Velocity: slope of a line fitted together with an annual wave; ± is its standard error.",
    "Acceleration: twice the quadratic coefficient of a parabola fitted together with an annual wave.",
    "Annual amplitude and residual (root mean square): of a cubic fitted together with an annual wave.",
)

POINTS = ReportKind("InSAR velocities on", gather, parts)
