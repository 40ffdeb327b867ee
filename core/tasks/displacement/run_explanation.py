"""Why a model forecast what it did: shares of rain, levels, past movement and season over time, as a run."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, StorageError
from core.explain.groups import group_contributions
from core.explain.tabular import Contributions
from core.jobs.perform import known_run, request_of
from core.raster.folder import write_json
from core.runs.kinds import parameters_of
from core.runs.provenance import environment, now
from core.runs.records import Order
from core.runs.result import RunResult
from core.series.monitoring import RegularSeries, Values
from core.series.regular import later
from core.series.words import MONTH, ahead_name, signed, step_name, steps_name
from core.tasks.displacement.findings import series_of
from core.tasks.displacement.forecasters import FORECASTERS, FeatureModel, title_of
from core.tasks.displacement.plan import model_for
from core.tasks.displacement.problem import Problem, Steps
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run import TASK, ForecastRequest
from core.tasks.displacement.walk_forward import fits_of, limited, parts_of
from core.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.perform import Job
    from core.runs.records import Run
    from core.runs.store import Store

KIND = "explanation"

CONTRIBUTIONS, RECORD = "contributions", "explanation"
"""Roles of the contributions (Parquet: origin, target, forecast, base, ``effect:GROUP``; mm) and of what was asked and
found (JSON)."""

ROUNDING = 1e-6
"""mm up to which a difference is one of rounding."""

BACKGROUND = 40
"""Steps of the past that a forecast is compared with."""

MOST_FORECASTS = 400
"""Forecasts that are explained; of more, as many equally spaced ones."""

EVENT_DAYS = 7.0
"""Length of the wettest time that is taken away, or one step where that is longer."""

AFTER_DAYS = 90.0
"""Days after an event in which its effect on forecasts is looked for."""


@dataclass(frozen=True)
class ExplainRequest:
    """What is to be explained.

    Attributes
    ----------
    station, model
        Their names.
    since, until
        Days of an event whose rain is taken away, as YYYY-MM-DD; empty for the wettest time of the test part.
    seed
        Of the background.
    """

    station: str
    model: str
    since: str = ""
    until: str = ""
    seed: int = 0


def order_explanation(result: ForecastResult, request: ExplainRequest, *, owner: str = "") -> Order:
    """The order of an explanation.

    Raises
    ------
    InputError
        When the run lacks the station or the model, or that model cannot be explained.
    """
    if request.station not in result.stations:
        raise InputError(f"This run has no station {request.station!r}.", remedy=f"It has {', '.join(result.names)}.")
    if request.model not in result.models(request.station):
        raise InputError(f"{title_of(request.model)} was not evaluated on {request.station}.",
                         remedy="Choose a model of this run.")  # fmt: skip
    if not FORECASTERS[request.model].explained:
        raise InputError(
            f"{title_of(request.model)} uses no features, so its forecasts cannot be explained.",
            remedy=f"Choose one of {', '.join(explainable(result, request.station)) or 'the models with features'}.",
        )  # fmt: skip
    return Order(TASK, KIND, parameters_of(request), result.inputs, request.model, (result.id,), owner)


def known_explanation(store: Store, result: ForecastResult, request: ExplainRequest) -> Run | None:
    """The run that answers a request or is to; without one, that which failed last."""
    return known_run(store, result.id, KIND, request)


def explainable(result: ForecastResult, station: str) -> tuple[str, ...]:
    """Models of a station whose forecasts can be explained."""
    return tuple(one for one in result.models(station) if one in FORECASTERS and FORECASTERS[one].explained)


def explain(job: Job, request: ExplainRequest) -> RunResult:
    """Do the work of a run of kind ``"explanation"``."""
    from threadpoolctl import threadpool_limits

    job.report(0, 0, "Reading the series")
    parent = job.parent(ForecastResult)
    asked: ForecastRequest = request_of(job.store.run(parent.id))
    series = series_from(parent, request.station)
    with threadpool_limits(1):
        subject = _Subject.of(series, asked, request)
        found = subject.explained(job)
        event = subject.event(request, found.origins)
        faithful = subject.faithfulness(found)
    sentences = (_overall(found, request), _next(found, request, series), *([event["sentence"]] if event else []))
    record = {
        "station": request.station, "model": request.model, "groups": list(found.contributions.factors),
        "base": found.contributions.base, "method": found.contributions.method, "error": found.error,
        "importance": [list(one) for one in found.contributions.importance()], "event": event,
        "faithfulness": faithful, "sentence": sentences[0], "forecasts": len(found.origins),
    }  # fmt: skip
    write_json({**record, "sentences": list(sentences)}, job.folder / "explanation.json")
    found.table().to_parquet(job.folder / "contributions.parquet", index=False)
    notes = [*sentences, found.note] if found.note else list(sentences)
    return RunResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder,
        artifacts={RECORD: "explanation.json", CONTRIBUTIONS: "contributions.parquet"}, inputs=parent.inputs,
        model=request.model, parents=job.run.parents, notes=tuple(notes),
        provenance={"finished": now(), **job.times(), "parameters": dict(job.run.parameters), "explained": record,
                    **environment()},
    )  # fmt: skip


def read_explanation(result: RunResult) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Contributions over time, and the record of an explanation.

    Raises
    ------
    StorageError
        When they are gone.
    """
    import pandas as pd

    try:
        record: dict[str, Any] = json.loads(result.artifact(RECORD).read_text(encoding="utf-8"))
        return pd.read_parquet(result.artifact(CONTRIBUTIONS)), record
    except (OSError, ValueError) as error:
        what = f"The explanation {result.id[:8]} cannot be read."
        raise StorageError(what, str(error), "Create the explanation again.") from error


def adds_up(error: float) -> str:
    """How exactly contributions add up to a forecast, from the largest difference in mm."""
    return "up to rounding" if error < ROUNDING else f"to within {error:.1g} mm"


def series_from(result: ForecastResult, station: str) -> RegularSeries:
    """A station of a run on its steps, as it was forecast."""
    table = series_of(result)
    own = table[table["station"] == station]
    drivers = {name: own[name].to_numpy(np.float64) for name in result.drivers if name in own}
    return RegularSeries(
        station, str(result.stations[station]["step"]), own["time"].to_numpy("datetime64[ns]"),
        own["displacement"].to_numpy(np.float64), own["filled"].to_numpy(bool), drivers,
        {name: result.drivers[name] for name in drivers},  # type: ignore[misc]
    )  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """Contributions to forecasts.

    Attributes
    ----------
    origins
        ``(n,)`` steps, the last one beyond the test part.
    contributions
        Of all of them; the base is the mean of `bases`.
    bases
        ``(n,)`` mean forecast of the background by the model of each.
    """

    problem: Problem
    origins: Steps
    contributions: Contributions
    bases: Values
    note: str

    @property
    def error(self) -> float:
        """Largest difference between what contributions come to and the forecast, mm."""
        made = self.bases + self.contributions.values.sum(axis=1)
        return float(np.abs(made - self.contributions.output).max(initial=0.0))

    def table(self) -> pd.DataFrame:
        import pandas as pd

        series, horizon = self.problem.series, self.problem.horizon
        beyond = later(series.times, series.step, horizon)
        times = np.concatenate([series.times, beyond])
        frame = pd.DataFrame({
            "origin": times[self.origins], "target": times[self.origins + horizon],
            "forecast": self.contributions.output, "base": self.bases,
            "measured": np.where(self.problem.usable[self.origins], self.problem.increments[self.origins], np.nan),
        })  # fmt: skip
        for at, name in enumerate(self.contributions.factors):
            frame[f"effect:{name}"] = self.contributions.values[:, at]
        return frame


@dataclass(frozen=True)
class _Subject:
    """A model of a station, fitted as often as in the evaluation."""

    problem: Problem
    origins: Steps
    fits: tuple[tuple[slice, FeatureModel], ...]
    backgrounds: tuple[NDArray[np.float64], ...]
    note: str

    @classmethod
    def of(cls, series: RegularSeries, asked: ForecastRequest, request: ExplainRequest) -> _Subject:
        plan, model = asked.plan, model_for(asked.plan, request.model)
        if not model.explained:
            raise InputError(
                f"{model.title} was used with a decomposition, or one step at a time.",
                "Its features do not fully determine such a forecast.", (
                    "Forecast with strategy direct and without decomposition."
                ),
            )  # fmt: skip
        known = tuple(one for one in plan.known_future if one in series.drivers)
        problem = Problem(series, plan.horizon, known)
        test = parts_of(problem, plan.test_share).test
        fits: list[tuple[slice, FeatureModel]] = []
        for part, fitted in fits_of(problem, model, test, plan.refit, plan.seed, None, plan.window):
            fits.append((part, _features(fitted)))
        final = len(series) - 1
        last = model.fit(limited(problem, final, plan.window), final, plan.seed, model.settings)
        fits.append((slice(len(test), len(test) + 1), _features(last)))
        origins = np.append(test, final)
        rng = np.random.default_rng(request.seed)
        backgrounds = []
        for part, _ in fits:
            rows = problem.learnt_from(int(origins[part.start]))
            chosen = np.sort(rng.permutation(rows)[:BACKGROUND])
            backgrounds.append(problem.features.values[chosen])
        usable = ~series.filled[origins]
        usable[-1] = True
        kept = np.flatnonzero(usable)
        note = ""
        if len(kept) > MOST_FORECASTS:
            kept = np.unique(np.append(kept[:: -(-len(kept) // MOST_FORECASTS)], kept[-1]))
            note = f"{len(kept):,} of {int(usable.sum()):,} forecasts, at equal intervals, were explained."
        made = []
        for part, fitted in fits:
            within = (kept >= part.start) & (kept < part.stop)
            first = int(np.argmax(within)) if within.any() else 0
            made.append((slice(first, first + int(within.sum())), fitted))
        return cls(problem, origins[kept], tuple(made), tuple(backgrounds), note)

    def explained(self, job: Job) -> _Found:
        features = self.problem.features
        values, bases, output = [], [], []
        names: tuple[str, ...] = ()
        method = ""
        for number, ((part, fitted), background) in enumerate(zip(self.fits, self.backgrounds, strict=True)):
            job.report(number, len(self.fits), "Explaining")
            rows = features.values[self.origins[part]]
            if not len(rows):
                continue
            found = group_contributions(
                fitted.of, rows, features.groups, background, "mm", cancel=job.stopped
            )
            names, method = found.factors, found.method
            values.append(found.values)
            output.append(found.output)
            bases.append(np.full(len(rows), found.base))
        base = np.concatenate(bases)
        joined = Contributions(names, np.concatenate(values), float(base.mean()), np.concatenate(output), "mm", method)
        return _Found(self.problem, self.origins, joined, base, self.note)

    def event(self, request: ExplainRequest, origins: Steps) -> dict[str, Any] | None:
        """The forecast that changes most where the rain of some days is taken away; None without rain."""
        series = self.problem.series
        rain = next((name for name, what in series.quantities.items() if what == "rain"), None)
        if rain is None:
            return None
        window = _days_of(request, series, rain, int(origins[0]))
        taken = series.drivers[rain].copy()
        total = float(np.nansum(taken[window]))
        if not total > 0:
            return None
        taken[window] = np.where(np.isnan(taken[window]), np.nan, 0.0)
        other = Problem(replace(series, drivers={**series.drivers, rain: taken}), self.problem.horizon,
                        self.problem.known_future)  # fmt: skip
        with_rain, without = self._said(self.problem), self._said(other)
        effect = with_rain - without
        soon = self.origins <= window.stop + round(AFTER_DAYS / 365.25 * series.steps_per_year)
        if not soon.any():
            return None
        at = int(np.argmax(np.where(soon, np.abs(effect), -1.0)))
        origin = int(self.origins[at])
        target = _target_time(self.problem, origin)
        begin, end = series.times[window.start], series.times[window.stop - 1]
        days, aim = steps_name(begin, end, series.step), step_name(target, series.step)
        if series.step == MONTH:
            aim = ahead_name(series.times[origin], series.step, self.problem.horizon)
        change = float(effect[at])
        way = "falls" if change > 0 else "rises"
        said = (
            f"Without the rain of {days} ({total:.0f} mm), the forecast for {aim} {way} by {abs(change):.1f} mm, "
            f"from {signed(with_rain[at], '.1f')} to {signed(without[at], '.1f')} mm."
        )
        return {
            "driver": rain, "since": str(begin)[:10], "until": str(end)[:10], "total": total,
            "target": str(target)[:10], "change": change, "sentence": said,
        }  # fmt: skip

    def _said(self, problem: Problem) -> Values:
        found = np.empty(len(self.origins))
        for part, fitted in self.fits:
            found[part] = fitted.predict(problem, self.origins[part])
        return found

    def faithfulness(self, found: _Found) -> dict[str, float]:
        """How much forecasts change when the group with the largest contribution is taken away, and any other one, mm.

        A group is taken away by lending its features from the background.
        """
        features = self.problem.features
        names = found.contributions.factors
        member = np.array([names.index(one) for one in features.groups])
        changes = np.zeros((len(self.origins), len(names)))
        for (part, fitted), background in zip(self.fits, self.backgrounds, strict=True):
            rows = features.values[self.origins[part]]
            for one in range(len(names)):
                if not len(rows):
                    continue
                mixed = np.where(member == one, background[None, :, :], rows[:, None, :])
                said = fitted.of(mixed.reshape(-1, rows.shape[1])).reshape(len(rows), -1).mean(axis=1)
                changes[part, one] = np.abs(said - fitted.of(rows))
        strongest, _ = found.contributions.dominant()
        picked = changes[np.arange(len(changes)), strongest]
        others = (changes.sum(axis=1) - picked) / max(1, len(names) - 1)
        return {"strongest": float(picked.mean()), "others": float(others.mean())}


def _features(fitted: object) -> FeatureModel:
    if not isinstance(fitted, FeatureModel):
        raise InputError("This model uses no features.", remedy="Choose another model.")
    return fitted


def _days_of(request: ExplainRequest, series: RegularSeries, rain: str, first: int) -> slice:
    """Steps of the event: those that are asked for, else the wettest time of the test part."""
    if request.since:
        until = request.until or request.since
        try:
            since, end = np.datetime64(request.since, "ns"), np.datetime64(until, "ns")
        except ValueError as error:
            raise InputError(
                "The days of the event are not valid dates.", remedy="Write them as YYYY-MM-DD."
            ) from error
        begin, stop = np.searchsorted(series.times, [since, end + np.timedelta64(1, "D")])
        if begin >= stop:
            raise InputError(f"No step of the series lies between {request.since} and {until}.",
                             remedy="Choose days within the test set.")  # fmt: skip
        return slice(int(begin), int(stop))
    long = max(1, round(EVENT_DAYS / 365.25 * series.steps_per_year))
    values = np.nan_to_num(series.drivers[rain])
    total = np.convolve(values, np.ones(long), mode="valid")
    begin = max(0, first - long)
    at = begin + int(np.argmax(total[begin:])) if begin < len(total) else len(total) - 1
    return slice(at, at + long)


def _target_time(problem: Problem, origin: int) -> np.datetime64:
    times = problem.series.times
    target = origin + problem.horizon
    if target < len(times):
        return np.datetime64(times[target])
    return np.datetime64(later(times, problem.series.step, problem.horizon)[target - len(times)])


def _overall(found: _Found, request: ExplainRequest) -> str:
    """Which group decides most over time."""
    ordered = found.contributions.importance()
    told = ", then ".join(f"{name} ({size:.2f} mm)" for name, size in ordered if size > 0)
    first = ordered[0][0]
    answer = {
        "past movement": "past movement of the slope", "rain": "rain", "level": "the reservoir level",
        "season": "the season",
    }.get(first, first)  # fmt: skip
    return (
        f"{title_of(request.model)}: forecasts for {request.station} depend most on {answer}. Mean absolute "
        f"contributions over {count(len(found.origins), 'forecast')}: {told}."
    )


def _next(found: _Found, request: ExplainRequest, series: RegularSeries) -> str:
    """What the forecast beyond the end of the series is made of."""
    effects = found.contributions.values[-1]
    order = np.argsort(-np.abs(effects), kind="stable")
    names = found.contributions.factors
    parts = ", ".join(f"{names[at]} {signed(effects[at], '+.1f')} mm" for at in order if abs(effects[at]) > 0.005)
    span = ahead_name(series.times[-1], series.step, found.problem.horizon)
    output, base = (signed(float(one[-1]), ".1f") for one in (found.contributions.output, found.bases))
    return f"The forecast for {span} is {output} mm: {base} mm (mean of the past), {parts}."
