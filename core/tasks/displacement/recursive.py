"""Many steps ahead, one at a time: a model of a single step is asked again about its own forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.series.monitoring import RegularSeries, Values
from core.tasks.displacement.forecasters import Fitted, Forecaster, Setting
from core.tasks.displacement.problem import Problem, Steps


@dataclass(frozen=True)
class Recursive:
    """A fitted model of one step.

    Attributes
    ----------
    step
        The model.
    """

    step: Fitted

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """See `Fitted`: each step is added to the past of the next one. Drivers after an origin are unknown, but for
        those whose future is known.
        """  # noqa: D205
        found = np.full(len(origins), np.nan)
        for at, origin in enumerate(origins):
            found[at] = self._ahead(problem, int(origin))
        return found

    def _ahead(self, problem: Problem, origin: int) -> float:
        series = extended(problem, origin)
        values = series.displacements.copy()
        for now in range(origin, origin + problem.horizon):
            single = Problem(replace(series, displacements=values), 1, problem.known_future)
            moved = float(self.step.predict(single, np.array([now]))[0])
            values = values.copy()
            values[now + 1 :] = values[now] + moved
        return float(values[origin + problem.horizon] - values[origin])


def extended(problem: Problem, origin: int) -> RegularSeries:
    """A series as it is known at an origin, as many steps longer as it is forecast ahead.

    It has at least as many steps as before; after the origin the slope stands still and is marked as filled, and drivers
    are unknown but for those whose future is known.
    """
    series, count = problem.series, len(problem)
    total = max(count, origin + problem.horizon + 1)
    at = np.minimum(np.arange(total), count - 1)
    later = np.arange(total) > origin
    beyond = np.arange(total) >= count
    step = series.times[-1] - series.times[-2]
    times = np.where(beyond, series.times[-1] + (np.arange(total) - count + 1) * step, series.times[at])
    return replace(
        series, times=times, displacements=np.where(later, series.displacements[origin], series.displacements[at]),
        filled=np.where(later, True, series.filled[at]),
        drivers={
            name: np.where(beyond | (later & (name not in problem.known_future)), np.nan, values[at])
            for name, values in series.drivers.items()
        },
    )  # fmt: skip


def recursive(model: Forecaster) -> Forecaster:
    """A model that is fitted for one step and asked as often as there are steps to the target."""

    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        single = replace(problem, horizon=1)
        return Recursive(model.fit(single, origin, seed, settings))

    return replace(model, fit=fit, wrapped=True, what=f"{model.what}, a step at a time")
