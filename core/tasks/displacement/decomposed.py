"""Decompose, then forecast: trend and season are carried on as they were, a model forecasts the rest.

The parts of a past are found anew at every origin, from that past alone. A decomposition of the whole series, as it is
often made before a model is tested, lets every part of the past know the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.series.monitoring import RegularSeries, Values
from core.tasks.displacement.forecasters import Fitted, Forecaster, Setting
from core.tasks.displacement.problem import Problem, Steps
from core.tasks.displacement.recursive import extended

Decomposition = Literal["none", "moving_average", "cubic", "quintic"]

TITLES: dict[Decomposition, str] = {
    "none": "No", "moving_average": "Moving average", "cubic": "Cubic trend", "quintic": "Quintic trend",
}  # fmt: skip

DEGREES: dict[Decomposition, int] = {"cubic": 3, "quintic": 5}

LONGEST = 30
"""Steps of a moving average where there is no season to smooth over."""


@dataclass(frozen=True)
class Components:
    """The parts of a past; they add up to it.

    Attributes
    ----------
    trend, season, rest
        ``(n,)`` mm.
    trend_ahead, season_ahead
        How much the first two move over the horizon after the last step, mm.
    """

    trend: Values
    season: Values
    rest: Values
    trend_ahead: float
    season_ahead: float


def decompose(past: Values, kind: Decomposition, year: int, horizon: int) -> Components:
    """Divide a past into trend, season and rest.

    Parameters
    ----------
    past
        ``(n,)`` mm, cumulative, up to the origin.
    kind
        How the trend is found: by a centred moving average over a year (a quarter of the past, `LONGEST` steps at most,
        where that is less than two years), shorter towards both ends, and carried on along a line through its last
        steps; or by a polynomial of time, carried on as it is.
    year
        Steps of a year. The season is the mean of what the trend leaves at each step of the year; 0 in a past of fewer
        than two years.
    horizon
        Steps ahead.
    """
    count = len(past)
    seasonal = count >= 2 * year and year > 1
    at = np.arange(count)
    if kind in DEGREES:
        curve = np.polynomial.Polynomial.fit(at, past, min(DEGREES[kind], max(1, count // 4)))
        trend, ahead = curve(at), float(curve(count - 1 + horizon) - curve(count - 1))
    else:
        window = year if seasonal else max(3, min(LONGEST, count // 4))
        trend = centred(past, window)
        last = trend[-min(window, count) :]
        ahead = horizon * float(np.polyfit(np.arange(len(last)), last, 1)[0])
    season, season_ahead = np.zeros(count), 0.0
    if seasonal:
        phase = at % year
        means = np.bincount(phase, past - trend, year) / np.bincount(phase, minlength=year)
        means -= means.mean()
        season = means[phase]
        season_ahead = float(means[(count - 1 + horizon) % year] - season[-1])
    return Components(trend, season, past - trend - season, ahead, season_ahead)


def centred(values: Values, window: int) -> Values:
    """``(n,)`` means over a window around each step; towards both ends over as much of it as there is on both sides."""
    count = len(values)
    half = np.minimum(window // 2, np.minimum(np.arange(count), count - 1 - np.arange(count)))
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(count)
    return np.asarray((total[at + half + 1] - total[at - half]) / (2 * half + 1))


@dataclass(frozen=True)
class Decomposed:
    """A model that was fitted on the rest of a past.

    Attributes
    ----------
    kind
        Of the decomposition.
    rest
        The model.
    """

    kind: Decomposition
    rest: Fitted

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """See `Fitted`."""
        found = np.full(len(origins), np.nan)
        for at, origin in enumerate(origins):
            left, parts = rest_of(problem, int(origin), self.kind)
            ours = float(self.rest.predict(left, np.array([int(origin)]))[0])
            found[at] = parts.trend_ahead + parts.season_ahead + ours
        return found


def rest_of(problem: Problem, origin: int, kind: Decomposition) -> tuple[Problem, Components]:
    """The problem of forecasting the rest of what is known at an origin, and its parts."""
    series: RegularSeries = extended(problem, origin)
    year = max(1, round(series.steps_per_year))
    parts = decompose(problem.series.displacements[: origin + 1], kind, year, problem.horizon)
    rest = np.full(len(series), parts.rest[-1])
    rest[: origin + 1] = parts.rest
    return replace(problem, series=replace(series, displacements=rest)), parts


def decomposed(model: Forecaster, kind: Decomposition) -> Forecaster:
    """A model of what trend and season leave."""

    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        left, _ = rest_of(problem, origin, kind)
        return Decomposed(kind, model.fit(left, origin, seed, settings))

    return replace(model, fit=fit, wrapped=True, what=f"{model.what}, of what trend and season leave")
