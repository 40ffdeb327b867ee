"""Forecasts that need no learning: what every model has to be better than.

Each takes a problem and origins and gives mm from each origin to its target, NaN where it is undefined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.series.monitoring import Values
from core.tasks.displacement.problem import Problem, Steps

LINE = 30
"""Steps of the past through which the trend line is laid."""


def no_change(problem: Problem, origins: Steps) -> Values:
    """Nothing moves any more: an increment of zero."""
    del problem
    return np.zeros(len(origins))


def last_increment(problem: Problem, origins: Steps) -> Values:
    """As much as over the horizon before the origin, x(t) - x(t - h)."""
    x, before = problem.series.displacements, origins - problem.horizon
    return np.where(before >= 0, x[origins] - x[np.maximum(before, 0)], np.nan)


def drift(problem: Problem, origins: Steps) -> Values:
    """The mean movement since the series began, times the horizon."""
    x = problem.series.displacements
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(origins > 0, problem.horizon * (x[origins] - x[0]) / origins, np.nan)


def seasonal_naive(problem: Problem, origins: Steps) -> Values:
    """As much as a year before; undefined in the first year."""
    x, year = problem.series.displacements, max(1, round(problem.series.steps_per_year))
    before, target = origins - year, origins - year + problem.horizon
    known = (before >= 0) & (target <= origins)
    return np.where(known, x[np.maximum(target, 0)] - x[np.maximum(before, 0)], np.nan)


def trend_line(problem: Problem, origins: Steps) -> Values:
    """Where a least-squares line through the last `LINE` steps is at the target."""
    x, long = problem.series.displacements, min(LINE, max(3, len(problem) // 4))
    at = np.arange(long) - (long - 1) / 2
    moved = np.full(len(x), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(x, long)
    slope, middle = windows @ at / (at**2).sum(), windows.mean(axis=1)
    moved[long - 1 :] = middle + slope * (at[-1] + problem.horizon) - x[long - 1 :]
    return np.asarray(moved[origins])


SIMPLE: dict[str, tuple[str, str, Callable[[Problem, Steps], Values]]] = {
    "no_change": ("No change", "no further movement", no_change),
    "last_increment": ("Last increment", "the same movement as over the previous horizon", last_increment),
    "drift": ("Drift", "mean movement since the start of the series", drift),
    "seasonal_naive": ("Seasonal naive", "the same movement as a year earlier", seasonal_naive),
    "trend_line": ("Trend line", (
        f"line through the last {LINE} steps, or through a quarter of a short series"
    ), trend_line),
}
"""By name: title, what it says, and the forecast."""
