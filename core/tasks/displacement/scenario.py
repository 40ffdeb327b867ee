"""What a model would forecast if rain fell, or a level changed, as somebody supposes: a scenario, never scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.jobs.perform import known_run, request_of
from core.runs.kinds import parameters_of
from core.runs.provenance import environment, now
from core.runs.records import Order
from core.runs.result import RunResult
from core.series.words import ahead_name, signed
from core.tasks.displacement.findings import in_words
from core.tasks.displacement.forecasters import title_of
from core.tasks.displacement.plan import model_for
from core.tasks.displacement.problem import LEVEL, Problem, ahead_of
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run import TASK, ForecastRequest
from core.tasks.displacement.run_explanation import explainable, series_from
from core.tasks.displacement.walk_forward import fitted_at, limited

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.runs.records import Run
    from core.runs.store import Store
    from core.series.monitoring import RegularSeries

KIND = "scenario"

SCENARIO = (
    "Scenario: a what-if calculation with the values given here, not a forecast of what will happen. Scenarios are not "
    "scored."
)
"""The line that stands on every scenario."""


@dataclass(frozen=True)
class ScenarioRequest:
    """What is supposed.

    Attributes
    ----------
    station, model
        Their names.
    ahead
        By driver, from the end of the series to the target: the sum of rain in mm, the change of a level in m, the mean
        of any other.
    """

    station: str
    model: str
    ahead: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Supposed:
    """A driver of which a scenario supposes what comes.

    Attributes
    ----------
    name, quantity
        Of the driver.
    what
        What is supposed, with its unit, for a form.
    low, usual, high
        Smallest, median and largest of the past, over as many steps.
    """

    name: str
    quantity: str
    what: str
    low: float
    usual: float
    high: float

    @property
    def title(self) -> str:
        """What its values are: of a level its change, of others what the column is called."""
        return f"change of {self.name}" if self.quantity in LEVEL else self.name

    def said(self, value: float) -> str:
        """A value in words, such as ``"120 mm of rain_mm"``."""
        if self.quantity == "rain":
            return f"{value:g} mm of {self.name}"
        return f"{self.name} {'changed by' if self.quantity in LEVEL else 'at a mean of'} {signed(value, 'g')}"


def supposed(asked: ForecastRequest, series: RegularSeries) -> tuple[Supposed, ...]:
    """The drivers of which a scenario of a station supposes what comes, with what came before.

    Raises
    ------
    InputError
        When the forecasts of the run do not depend on what is to come, or models were asked in a way that scenarios
        are not computed for.
    """
    found = known_ahead(asked, series)
    if not found:
        raise InputError(
            "The forecasts of this run do not use future values of drivers: no driver is known up to the target.",
            remedy="Forecast again and declare which are (--known-future rain,level).",
        )  # fmt: skip
    return found


def known_ahead(asked: ForecastRequest, series: RegularSeries) -> tuple[Supposed, ...]:
    """As `supposed`; none where no driver is known up to the target.

    Raises
    ------
    InputError
        When models were asked in a way that scenarios are not computed for.
    """
    plan = asked.plan
    if plan.decomposition != "none" or plan.strategy != "direct":
        raise InputError(
            "Scenarios require direct forecasts without decomposition.",
            remedy="Forecast again with decomposition none and strategy direct.",
        )  # fmt: skip
    span = in_words(plan.horizon, series.step)
    found = []
    for name in plan.known_future:
        if name not in series.drivers:
            continue
        quantity = series.quantities[name]
        past = ahead_of(name, quantity, series.drivers[name], plan.horizon)[2]
        past = past[np.isfinite(past)]
        if not past.size:
            continue
        words = {"rain": "total (mm)"}.get(quantity, "change (m)" if quantity in LEVEL else "mean")
        low, usual, high = (float(one) for one in (past.min(), np.median(past), past.max()))
        found.append(Supposed(name, quantity, f"{name}, next {span.removeprefix('1 ')}: {words}", low, usual, high))
    return tuple(found)


def order_scenario(result: ForecastResult, request: ScenarioRequest, *, owner: str = "") -> Order:
    """The order of a scenario.

    Raises
    ------
    InputError
        When the run lacks the station, or a model with features of that name.
    """
    if request.station not in result.stations:
        raise InputError(f"This run has no station {request.station!r}.", remedy=f"It has {', '.join(result.names)}.")
    known = explainable(result, request.station)
    if request.model not in known:
        raise InputError(f"{title_of(request.model)} uses no features, so no scenario can be calculated.",
                         remedy=f"Choose one of {', '.join(known) or 'the models with features'}.")  # fmt: skip
    return Order(TASK, KIND, parameters_of(request), result.inputs, request.model, (result.id,), owner)


def known_scenario(store: Store, result: ForecastResult, request: ScenarioRequest) -> Run | None:
    """The run that answers a request or is to; without one, that which failed last."""
    return known_run(store, result.id, KIND, request)


def suppose(job: Job, request: ScenarioRequest) -> RunResult:
    """Do the work of a run of kind ``"scenario"``."""
    from threadpoolctl import threadpool_limits

    job.report(0, 0, "Fitting the model")
    parent = job.parent(ForecastResult)
    asked: ForecastRequest = request_of(job.store.run(parent.id))
    series = series_from(parent, request.station)
    drivers = supposed(asked, series)
    given = _checked(request, {one.name for one in drivers})
    with threadpool_limits(1):
        forecast = forecast_if(series, asked, request.model, given)
    own = parent.of(request.station, request.model, "ahead")
    half = (parent.of(request.station, request.model, "ahead_high") - own) if own == own else float("nan")
    span = ahead_name(series.times[-1], series.step, parent.horizon)
    words = " and ".join(one.said(given[one.name]) for one in drivers)
    low, told, high = (signed(one, ".1f") for one in (forecast - half, forecast, forecast + half))
    interval = f" (90 % interval {low} to {high} mm)" if half == half else ""
    sentence = f"{request.station}, {title_of(request.model)}: with {words}, {told} mm for {span}{interval}."
    outside = [
        f"{signed(given[one.name], 'g')} is outside the past range of the {one.title} ({signed(one.low, '.4g')} to "
        f"{signed(one.high, '.4g')}); the model has not been tested there."
        for one in drivers if not one.low <= given[one.name] <= one.high
    ]  # fmt: skip
    held = "The interval is that of forecasts made with the actual values of the drivers."
    return RunResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder, inputs=parent.inputs, model=request.model,
        parents=job.run.parents, numbers={"forecast_mm": forecast, "half_width_mm": half},
        notes=(sentence, SCENARIO, *outside, *((held,) if interval else ())),
        provenance={"finished": now(), **job.times(), "parameters": dict(job.run.parameters), **environment()},
    )  # fmt: skip


def _checked(request: ScenarioRequest, known: set[str]) -> dict[str, float]:
    given = dict(request.ahead)
    if set(given) != known or not all(np.isfinite(one) for one in given.values()):
        raise InputError(f"A scenario of this run needs a value for each of {', '.join(sorted(known))}.")
    return given


def forecast_if(series: RegularSeries, asked: ForecastRequest, model: str, given: Mapping[str, float]) -> float:
    """Movement in mm from the end of a series to its target, by a model fitted on all of it, with drivers as given."""
    plan = asked.plan
    problem = Problem(series, plan.horizon, tuple(one for one in plan.known_future if one in series.drivers))
    last = len(series) - 1
    made = model_for(plan, model)
    fitted = fitted_at(made, limited(problem, last, plan.window), last, plan.seed, made.settings)
    features = problem.features
    values = features.values.copy()
    for name, value in given.items():
        label = ahead_of(name, series.quantities[name], series.drivers[name], plan.horizon)[0]
        values[last, features.names.index(label)] = value
    supposing = Problem(series, plan.horizon, problem.known_future)
    supposing.__dict__["features"] = replace(features, values=values)
    return float(fitted.predict(supposing, np.array([last]))[0])
