"""Many steps ahead, one at a time: a model of a single step is asked again about its own forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.series.monitoring import RegularSeries, Values
from core.tasks.displacement.forecasters import FeatureModel, Fitted, Forecaster, Setting
from core.tasks.displacement.problem import Problem, Steps, extended


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
        """See `Fitted`.

        Each step is added to the past of the next one. Drivers after an origin are unknown, but for those whose future
        is known.
        """
        ours = [extended(problem, origin) for origin in map(int, origins)]
        whole = problem.whole or len(problem)
        starts, total = problem.series.displacements[origins], np.zeros(len(ours))
        for ahead in range(problem.horizon if ours else 0):
            singles = [Problem(one, 1, problem.known_future, whole) for one in ours]
            total += self._moved(singles, origins + ahead)
            ours = [
                _moved_to(one, start, origin + ahead + 1, by)
                for one, start, origin, by in zip(ours, starts, map(int, origins), total, strict=True)
            ]
        return total

    def _moved(self, singles: Sequence[Problem], now: Steps) -> Values:
        """``(n,)`` mm that each of some slopes moves in the step after `now`."""
        if isinstance(self.step, FeatureModel):  # asked about all at once: trees take as long for one as for hundreds
            return self.step.of(np.stack([one.features.values[at] for one, at in zip(singles, now, strict=True)]))
        return np.array([
            self.step.predict(one, now[at : at + 1])[0] for at, one in enumerate(singles)
        ])  # fmt: skip


def _moved_to(series: RegularSeries, start: float, first: int, by: float) -> RegularSeries:
    """A series that has moved so far beyond `start` from a step on; where that is unknown it stands still."""
    values = series.displacements.copy()
    values[first:] = start + (0.0 if np.isnan(by) else by)
    return replace(series, displacements=values)


def recursive(model: Forecaster) -> Forecaster:
    """A model that is fitted for one step and asked as often as there are steps to the target.

    The same model where it is not fitted for a horizon.
    """
    if model.family not in ("features", "network"):
        return model

    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        single = replace(problem, horizon=1)
        return Recursive(model.fit(single, origin, seed, settings))

    return replace(model, fit=fit, wrapped=True)
