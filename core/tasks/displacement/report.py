"""The report of forecasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import InputError, StorageError
from core.report import origin
from core.report.content import ReportInput, ReportKind
from core.report.make import explanations_of
from core.report.parts import Column, Items, KeyFigure, KeyFigures, Paragraph, Part, Pictures, Table
from core.report.pictures import picture
from core.series.words import signed
from core.tasks.displacement.acknowledge import Acknowledged, acknowledged
from core.tasks.displacement.figure import draw_contributions, draw_forecast, draw_series, draw_warning
from core.tasks.displacement.findings import forecasts_of, in_words, measured_of, p_words, series_of, verdict
from core.tasks.displacement.forecasters import title_of
from core.tasks.displacement.report_data import synthetic_box
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run_explanation import adds_up, read_explanation
from core.tasks.displacement.view import Look
from core.tasks.displacement.warning import DISCLAIMER, log_table, sentences, warning_of
from core.wording import within

if TYPE_CHECKING:
    import pandas as pd

    from core.runs.records import Run
    from core.runs.store import Store

MOST_CHANGES = 20
"""Changes of level of a report; of more, the last."""

MOST_EXPLAINED = 4
"""Explanations of a report; of more, the latest."""


@dataclass(frozen=True)
class ForecastInput(ReportInput):
    """Forecasts as they are reported."""

    result: ForecastResult
    look: Look = Look()
    reasons: tuple[tuple[pd.DataFrame, Mapping[str, Any]], ...] = ()
    said: Mapping[tuple[str, int], Acknowledged] = field(default_factory=dict)


def gather(store: Store, run: Run, view: Look | None) -> ForecastInput:
    """Content of the report of a run."""
    result = store.result(run.id, ForecastResult)
    look = (view or Look.default(result)).checked(result)
    return ForecastInput(
        run.task, run.kind, result, datetime.now(UTC), name=run.name, note=run.note, tags=run.tags,
        look=look, reasons=tuple(_reasons(store, run)), said=acknowledged(store, run.id, look.station),
        licences=dict(origin.sources_of(store, result.inputs)),
    )  # fmt: skip


def _reasons(store: Store, run: Run) -> Iterator[tuple[pd.DataFrame, Mapping[str, Any]]]:
    """Contributions and record of each explanation of a run, the latest first."""
    for one in explanations_of(store, run)[::-1][:MOST_EXPLAINED]:
        try:
            yield read_explanation(store.result(one.id))
        except StorageError:
            continue  # its files were removed; the report is of those that are there


def parts(content: ForecastInput) -> Iterator[Part | None]:
    """The parts of the report in their order."""
    result, look = content.result, content.look
    said = verdict(result, look.station)
    figures = KeyFigures(_figures(result, look))
    lead = Paragraph(said.lead, lead=True)
    yield Part("summary", "Summary", (lead, *synthetic_box(result), figures, Items(said.others)))
    series, forecasts = series_of(result), forecasts_of(result)
    drawn = draw_series(series, result.drivers, result.names)
    caption = "Cumulative displacement and its possible drivers. Dotted: interpolated where values are missing."
    yield Part("series", "Displacement", (Pictures((picture(drawn, "Displacement over time", caption),)),))
    simple = str(result.stations[look.station]["best_simple"])
    figure = draw_forecast(forecasts, series, look.station, look.model, simple)
    caption = (
        f"{look.station}: forecasts of {within(title_of(look.model))} at their target times. Each was made "
        f"{in_words(result.horizon, str(result.stations[look.station]['step']))} earlier, by a model trained only on "
        "data up to then."
    )
    drawn_forecast = Pictures((picture(figure, "Forecasts and measurements", caption),))
    yield Part("forecast", "Forecasts", (drawn_forecast, Paragraph(DISCLAIMER)))
    tables = tuple(scores_table(result, name) for name in result.names)
    yield Part("models", "Scores", (*tables, Items(MEANINGS)))
    yield _warning(result, look, content.said)
    yield _why(content.reasons)
    yield Part("notes", "Notes", (Items(result.notes),)) if result.notes else None
    yield origin.data(content)
    yield origin.provenance(content)


def _warning(result: ForecastResult, look: Look, said: Mapping[tuple[str, int], Acknowledged]) -> Part | None:
    """What would have been known on the day that is looked from; None with too few readings."""
    try:
        found = warning_of(measured_of(result), look)
    except InputError:
        return None
    told = sentences(found)
    caption = (
        "Left: velocity and alert levels. Right: inverse velocity, which reaches zero at failure if the acceleration "
        "continues as it has since its onset. Both use only readings up to the selected day."
    )
    drawn = Pictures((picture(draw_warning(found), "Velocity and inverse velocity", caption),))
    parts: list[Any] = [Paragraph(DISCLAIMER), Paragraph(told[0], lead=True), Items(told[1:]), drawn]
    parts.append(Items(found.notes))
    log = log_table(found, said).tail(MOST_CHANGES)
    if len(log):
        rows = tuple(
            (str(one.time)[:16], str(one.level), f"{one.velocity_mm_per_day:.3g}", str(one.acknowledged) or "–")
            for one in log.itertuples()
        )
        heads = ("Time", "Level", "Velocity (mm/day)", "Acknowledged")
        columns = tuple(Column(head, number=head.startswith("Velocity")) for head in heads)
        parts.append(Table(f"Level changes, last {len(log)} of {len(found.log):,}", columns, rows))
    return Part("warning", "Early warning, retrospective", tuple(parts))


def _why(reasons: tuple[tuple[pd.DataFrame, Mapping[str, Any]], ...]) -> Part | None:
    """What forecasts were divided among; None where nothing was explained."""
    if not reasons:
        return None
    told: list[Items | Pictures | Paragraph] = []
    for table, record in reasons:
        title = f"{title_of(str(record['model']))}, {record['station']}"
        figure = draw_contributions(table, [str(name) for name, _ in record["importance"]])
        caption = (
            f"{title}: contributions to each forecast. They add up to the forecast {adds_up(float(record['error']))}."
        )
        told += [Pictures((picture(figure, "Contributions over time", caption),)),
                 Items(tuple(str(one) for one in record["sentences"]))]  # fmt: skip
    told.append(Paragraph("Contributions show what the model reacted to, not the cause of the movement."))
    return Part("why", "Explanation of the forecasts", tuple(told))


def _figures(result: ForecastResult, look: Look) -> tuple[KeyFigure, ...]:
    ours = result.stations[look.station]
    simple = str(ours["best_simple"])
    skill = result.skill(look.station, look.model, simple)
    figures = [
        KeyFigure("RMSE", f"{result.of(look.station, look.model, 'rmse'):.2f} mm", title_of(look.model)),
        KeyFigure("Best simple forecast", f"{result.of(look.station, simple, 'rmse'):.2f} mm", title_of(simple)),
    ]
    if skill == skill and look.model != simple:
        figures.append(KeyFigure("Skill", signed(skill, ".2f"), f"relative to {within(title_of(simple))}"))
    return tuple(figures)


def scores_table(result: ForecastResult, station: str) -> Table:
    """Scores of all models of a station, best first."""
    heads = ("Model", "RMSE (mm)", "MAE (mm)", "MASE", "R² of movement", "R² of displacement", "Skill", "p",
             "90 % interval coverage", "Forecasts")  # fmt: skip
    simple = str(result.stations[station]["best_simple"])
    rows = []
    for model in sorted(result.models(station), key=lambda one: _last(result.of(station, one, "rmse"))):
        scores = result.stations[station]["models"][model]
        marks = " (selected)" if model == result.stations[station]["chosen"] else ""
        rows.append((
            f"{title_of(model)}{marks}", *(_number(scores[name], 2) for name in ("rmse", "mae", "mase")),
            *(_number(scores[name], 3) for name in ("r2_increment", "r2_cumulative")),
            _number(scores["skill"].get(simple), 2), p_words(scores.get("dm", {}).get("p_value")),
            "–" if scores["coverage90"] is None else f"{100 * scores['coverage90']:.0f} %", f"{scores['n']:,}",
        ))  # fmt: skip
    columns = tuple(Column(head, number=bool(at)) for at, head in enumerate(heads))
    return Table(f"{station} (skill and p relative to {within(title_of(simple))})", columns, tuple(rows))


def _last(value: float) -> float:
    return float("inf") if value != value else value


def _number(value: object, digits: int) -> str:
    return signed(value, f".{digits}f") if isinstance(value, int | float) and value == value else "–"


MEANINGS = (
    "RMSE, MAE: errors of the movement from origin to target, equal to those of the displacement at the target.",
    "MASE: MAE divided by the mean movement over the horizon on the training set, which is the error of assuming no "
    "movement.",
    "R² of displacement is close to 1 for any forecast of a slope that has moved far, even for no change. R² of "
    "movement shows the actual forecast skill: 0 is as good as the mean.",
    "Skill: 1 minus the ratio of the RMSE to that of the best simple forecast on the training set; above 0 is better.",
    "p: probability of a difference at least as large by chance (Diebold–Mariano test with the correction of Harvey, "
    "Leybourne and Newbold; not corrected for the number of models).",
    "90 % interval coverage: share of the measurements within the conformal prediction intervals.",
)

FORECAST = ReportKind("Displacement forecast for", gather, parts)
