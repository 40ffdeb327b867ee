"""What the page teaches: a tour from the first forecast to the report, and exercises on simple forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui import resources
from ui.messages import tr, tr_noop
from ui.task.lessons import Exercise, Lessons, Step, Verdict, progress_of
from ui.task.tried import tried_on

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.displacement.result import ForecastResult

SAMPLE = "reservoir-slide"
CLOSE = 1.0
"""How many per cent an answer may be off."""


def sample_title() -> str:
    """Name of the sample, which runs on it are about."""
    from core.catalog.samples import sample_table

    return sample_table(SAMPLE).title


def tour(run: Run | None) -> list[Step]:
    """Five steps, each with whether it was done."""
    address = {} if run is None else {"run": run.id}
    done = None if run is None else progress_of(run)
    scored, looked = (None if run is None else tab in tried_on(run.id).tabs for tab in ("Scores", "Movement"))
    link = tr_noop("Open the forecast") if address else ""
    return [
        Step(tr_noop("Forecast the sample"),
             tr("Press *Forecast*. Models are fitted to the first part of each station and "
             "tested "
             "on the rest, one step after another."), run is not None, tr_noop("Open the sample"), {"sample": SAMPLE}),
        Step(tr_noop("Compare with simple forecasts"),
             tr("Open the tab *Scores*. A model is only worth its effort where its "
             "error "
             "is smaller than that of the best simple forecast."), scored, link, address),
        Step(tr_noop("Look at the movement"),
             tr("Open the tab *Movement*: trend, steps, and how the slope follows rain and "
             "reservoir level."), looked, link, address),
        Step(tr_noop("Explain the forecast"),
             tr("Open the tab *Why* and press *Explain*: which drivers and which past "
             "months does "
             "the model use?"), None if done is None else done.explained, link, address),
        Step(tr_noop("Share the result"),
             tr("In the tab *Export*, write the report (web page and PDF) and copy the link."),
             None if done is None else done.reported, link, address),
    ]  # fmt: skip


def _result(run: Run) -> ForecastResult:
    from core.tasks.displacement.result import ForecastResult

    return resources.store().result(run.id, ForecastResult)


def better_than_no_change(run: Run, answer: float) -> Verdict:
    """Check by how many per cent the error of the selected model is smaller than that of *No change*."""
    result = _result(run)
    station = result.names[0]
    chosen = str(result.stations[station]["chosen"])
    if "no_change" not in result.models(station):
        return Verdict(False, tr("This run did not evaluate the forecast No change. Forecast the sample again with "
             "it."))
    error, simple = (result.of(station, model, "rmse") for model in (chosen, "no_change"))
    if not simple > 0 or error != error:
        return Verdict(False, tr("The errors of this run are undefined: too few measurements were in the test part."))
    percent = 100 * (1 - error / simple)
    said = f"At {station} RMSE is {error:.2f} mm, and {simple:.2f} mm for No change"
    if abs(answer - percent) <= CLOSE:
        against = result.of(station, str(result.stations[station]["best_simple"]), "rmse")
        more = tr("Against the best simple forecast ({against:.2f} mm) it is {error:.0f} %.").format(
            against=against, error=100 * (1 - error / against)
        )
        return Verdict(True, f"Yes. {said}: {percent:.0f} % smaller. {more}")
    return Verdict(
        False,
        tr(
            "Not yet. Divide the RMSE of the selected model by that of No change, and take the result "
            "from 1. Both are in the tab Scores of the station {station}."
        ).format(station=station),
    )


def worth_it(run: Run, answer: float) -> Verdict:
    """Check how many models have a smaller error than the best of the simple forecasts."""
    from core.tasks.displacement.forecasters import title_of
    from core.tasks.displacement.simple import SIMPLE

    result = _result(run)
    station = result.names[0]
    errors = {model: result.of(station, model, "rmse") for model in result.models(station)}
    simple = {model: error for model, error in errors.items() if model in SIMPLE and error == error}
    fitted = {model: error for model, error in errors.items() if model not in SIMPLE}
    if not simple or not fitted:
        return Verdict(False, tr("This run has no simple forecast or no model to compare."))
    best = min(simple, key=simple.__getitem__)
    better = [model for model, error in fitted.items() if error < simple[best]]
    if round(answer) == len(better):
        names = f" ({', '.join(title_of(model) for model in better)})" if better else ""
        said = tr("{count} of {count_2} models{names} are better than {title_of} at {station}.").format(
            count=len(better), count_2=len(fitted), names=names, title_of=title_of(best), station=station
        )
        return Verdict(True, tr("Yes. {said} Its RMSE is {simple:.2f} mm. A model that is not better is not worth "
             "its effort.").format(said=said, simple=simple[best]))  # fmt: skip
    return Verdict(
        False,
        tr(
            "Not yet. The best simple forecast of the station {station} is {title_of}. Count the "
            "models above it in the tab Scores, which is sorted by RMSE."
        ).format(station=station, title_of=title_of(best)),
    )


LESSONS = Lessons(
    SAMPLE,
    tour,
    (
        Exercise(
            "better-than-no-change", tr_noop("How much better than no change?"),
            tr_noop("By how many per cent is the RMSE of the selected model smaller than that of *No change*, at "
             "the first "
            "station? The tab *Scores* lists both."),
            tr_noop("Per cent"), -1000.0, 100.0, 1.0, better_than_no_change,
        ),
        Exercise(
            "worth-it", tr_noop("Which models are worth their effort?"),
            tr_noop("How many models, not counting the simple forecasts, have a smaller RMSE than the best simple "
             "forecast, at "
            "the first station?"),
            tr_noop("Models"), 0.0, 50.0, 1.0, worth_it,
        ),
    ),
    title=sample_title,
    kind="forecast",
)  # fmt: skip
