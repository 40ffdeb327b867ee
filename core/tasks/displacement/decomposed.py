"""Decompose, then forecast: trend and season are carried on as they were, a model forecasts what they leave.

Every step's past is decomposed by itself, also those that are learnt from: so a model meets the same kind of rest when
it is fitted and when it is asked. A decomposition of the whole series, as it is often made before a model is tested,
lets every part of the past know the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.series.decomposition import averaged_over, loess, slope_of, stl, usual_window, yearly_means
from core.series.monitoring import Values
from core.tasks.displacement.forecasters import Fitted, Forecaster, Setting
from core.tasks.displacement.problem import Features, Problem, Steps, extended

Decomposition = Literal["none", "moving_average", "cubic", "quintic", "loess", "stl"]

TITLES: dict[Decomposition, str] = {
    "none": "None", "moving_average": "Moving average", "cubic": "Cubic trend", "quintic": "Quintic trend",
    "loess": "LOESS", "stl": "STL",
}  # fmt: skip

DEGREES: dict[Decomposition, int] = {"cubic": 3, "quintic": 5}

ROUNDS = 3
"""How often trend and season are told apart anew."""

FEWEST = 8
"""Steps of a past that can be decomposed."""


@dataclass(frozen=True)
class Components:
    """The parts of a past; they add up to it.

    Attributes
    ----------
    trend, season, rest
        ``(n,)`` mm.
    ahead
        How much trend and season move over the horizon after the last step, mm.
    """

    trend: Values
    season: Values
    rest: Values
    ahead: float


def decompose(past: Values, kind: Decomposition, year: int, horizon: int) -> Components:
    """Divide a past into trend, season and rest.

    Parameters
    ----------
    past
        ``(n,)`` mm, cumulative, up to the origin; `FEWEST` steps at least.
    kind
        How the trend is found. By a moving average around each step over a year (see `usual_window` where that is less
        than two years), or by lines fitted locally over as much (LOESS): over what there is of it at both ends, and
        carried on along a line through the last window. By a polynomial of time, carried on as it is. By STL, where the
        season changes over the years: the trend is carried on along a line through what the season leaves of the last
        year, the season as it was a year before; a past of fewer than two years is averaged.
    year
        Steps of a year. The season is the mean of what the trend leaves at each step of the year; 0 in a past of fewer
        than two years.
    horizon
        Steps ahead.
    """
    count = len(past)
    seasonal = count >= 2 * year > 2
    if kind == "stl" and seasonal:
        trend, season = stl(past, year)
        ahead = horizon * slope_of((past - season)[-year:]) + float(season[(horizon - 1) % year - year] - season[-1])
        return Components(trend, season, past - trend - season, ahead)
    season, season_ahead = np.zeros(count), 0.0
    trend, trend_ahead = _trend(past, kind, year if seasonal else 0, horizon)
    if seasonal:
        phase = np.arange(count) % year
        for _ in range(ROUNDS):  # each takes a little of the other
            means = yearly_means(past - trend, phase)
            season = means[phase]
            trend, trend_ahead = _trend(past - season, kind, year, horizon)
        season_ahead = float(means[(count - 1 + horizon) % year] - means[phase[-1]])
    return Components(trend, season, past - trend - season, trend_ahead + season_ahead)


def _trend(past: Values, kind: Decomposition, year: int, horizon: int) -> tuple[Values, float]:
    """The trend, and how far it moves over the horizon after the last step; `year` is 0 without a season."""
    count = len(past)
    if kind in DEGREES:
        at = np.arange(count)
        curve = np.polynomial.Polynomial.fit(at, past, min(DEGREES[kind], count // 4))
        return curve(at), float(curve(count - 1 + horizon) - curve(count - 1))
    window = usual_window(count, year)
    smooth = loess if kind == "loess" else averaged_over
    return smooth(past, window), horizon * slope_of(past[-window:])


def carried(problem: Problem, kind: Decomposition, origins: Steps) -> Values:
    """``(n,)`` mm from each origin to its target if trend and season go on; NaN where the past is too short."""
    year = max(1, round(problem.series.steps_per_year))
    x = problem.series.displacements
    return np.array([
        decompose(x[: origin + 1], kind, year, problem.horizon).ahead if origin + 1 >= FEWEST else np.nan
        for origin in map(int, origins)
    ])  # fmt: skip


@dataclass(frozen=True)
class Rest(Problem):
    """A problem whose movements are what trend and season leave of those of another one, `base`."""

    base: Problem | None = None
    kind: Decomposition = "moving_average"

    @property
    def _base(self) -> Problem:
        if self.base is None:
            raise ValueError("the rest is that of a problem")
        return self.base

    @cached_property
    def increments(self) -> Values:
        """See `Problem`; less what trend and season, carried on from each step's past, move."""
        kept = self._base.kept
        if self.kind not in kept:
            kept[self.kind] = carried(self._base, self.kind, np.arange(len(self)))
        return np.asarray(self._base.increments - kept[self.kind])

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """See `Problem`; not where the past is too short."""
        return np.asarray(self._base.usable & np.isfinite(self.increments))

    @cached_property
    def features(self) -> Features:
        """Those of the whole movement."""
        return self._base.features

    def learnt_from(self, origin: int) -> Steps:
        """See `Problem`."""
        rows = self._base.learnt_from(origin)
        return rows[self.usable[rows]]


def rest_of(problem: Problem, kind: Decomposition) -> Rest:
    """The problem of forecasting what trend and season leave."""
    return Rest(problem.series, problem.horizon, problem.known_future, problem.whole, problem, kind)


@dataclass(frozen=True)
class Decomposed:
    """A model that was fitted on what trend and season leave.

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
        left = self.rest.predict(rest_of(problem, self.kind), origins)
        return np.asarray(carried(problem, self.kind, origins) + left)


@dataclass(frozen=True)
class DecomposedSeries:
    """A model of a series alone that was fitted on the rest of one past; see `Decomposed`."""

    kind: Decomposition
    rest: Fitted

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """See `Fitted`."""
        found = carried(problem, self.kind, origins)
        for at, origin in enumerate(map(int, origins)):
            if np.isfinite(found[at]):
                found[at] += self.rest.predict(_series_of_rest(problem, origin, self.kind), origins[at : at + 1])[0]
        return found


def _series_of_rest(problem: Problem, origin: int, kind: Decomposition) -> Problem:
    """A problem whose series is the rest of what is known at an origin."""
    series = extended(problem, origin)
    year = max(1, round(series.steps_per_year))
    rest = decompose(series.displacements[: origin + 1], kind, year, problem.horizon).rest
    whole = np.concatenate([rest, np.full(len(series) - origin - 1, rest[-1])])
    return Problem(
        replace(series, displacements=whole), problem.horizon, problem.known_future, problem.whole or len(problem)
    )


def decomposed(model: Forecaster, kind: Decomposition) -> Forecaster:
    """A model of what trend and season leave; the same model where nothing is asked for or it learns nothing."""
    if kind == "none" or not model.learns:
        return model
    alone = model.family == "series"

    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        if alone:
            return DecomposedSeries(kind, model.fit(_series_of_rest(problem, origin, kind), origin, seed, settings))
        return Decomposed(kind, model.fit(rest_of(problem, kind), origin, seed, settings))

    return replace(model, fit=fit, wrapped=True)
