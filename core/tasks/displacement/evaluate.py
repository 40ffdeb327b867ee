"""Evaluating models on a station: walk-forward on its last part, beside simple forecasts, and the next forecast."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, ModelError
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.series.monitoring import RegularSeries, Values
from core.tasks.displacement.arima import Arima
from core.tasks.displacement.forecasters import (
    FORECASTERS,
    FeatureModel,
    Fitted,
    Forecaster,
    Setting,
)
from core.tasks.displacement.intervals import (
    LEVEL,
    Coverage,
    adaptive_widths,
    coverage,
    half_width,
    split_widths,
)
from core.tasks.displacement.plan import Plan, model_for
from core.tasks.displacement.problem import Problem, Steps
from core.tasks.displacement.ranking import Rank, rank_features
from core.tasks.displacement.scores import Comparison, Scores, diebold_mariano, score, skill
from core.tasks.displacement.simple import SIMPLE
from core.tasks.displacement.walk_forward import Parts, Walked, fitted_at, limited, parts_of, walk


@dataclass(frozen=True)
class Judged:
    """A model on a station.

    Attributes
    ----------
    walked
        Its forecasts of the test part.
    widths
        ``(n,)`` half widths of their intervals, mm.
    calibration
        ``(m,)`` errors on the last share of the training part, mm, with which intervals begin.
    scores, training
        On the test part, and on the last share of the training part.
    skill
        By simple forecast, on the forecasts that both made.
    against
        Against the simple forecast that was best on the training part: see `diebold_mariano`; None for itself.
    coverage
        Of the intervals.
    ahead, ahead_width
        The movement over the horizon after the last step, mm, and half the width of its interval.
    settings
        That it was fitted with.
    seconds
        It took.
    """

    walked: Walked
    widths: Values
    calibration: Values
    scores: Scores
    training: Scores
    skill: Mapping[str, float]
    against: Comparison | None
    coverage: Coverage
    ahead: float
    ahead_width: float
    settings: Mapping[str, Setting]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain values, undefined ones as None."""
        made = asdict(self.scores) | {
            "training_rmse": self.training.rmse, "training_n": self.training.n, "skill": dict(self.skill),
            "coverage90": self.coverage.share, "coverage_n": self.coverage.n, "coverage_ok": self.coverage.plausible,
            "refits": self.walked.refits, "seconds": round(self.seconds, 3), "ahead": self.ahead,
            "ahead_low": self.ahead - self.ahead_width, "ahead_high": self.ahead + self.ahead_width,
            "settings": dict(self.settings), "calibration_n": len(self.calibration),
            "half_width90": half_width(self.calibration),
        }  # fmt: skip
        if self.against is not None:
            made["dm"] = asdict(self.against)
        return {name: _plain(one) for name, one in made.items()}


@dataclass(frozen=True)
class Evaluation:
    """All models on a station.

    Attributes
    ----------
    problem, parts
        What was forecast, and how the series was divided.
    models
        By name, in the order asked, the simple ones first.
    chosen
        The model with the smallest error on the training part: the one to judge.
    best_simple
        The simple forecast with the smallest error on the training part.
    best_on_test
        The model with the smallest error on the test part. It is chosen with the answers at hand: no estimate.
    last
        By name, the model as it was fitted on all that is known.
    left_out
        By name, why a model could not be evaluated.
    ranking
        Features by what they tell of the movement on the training part; empty without a model that is given features.
    """

    problem: Problem
    parts: Parts
    models: Mapping[str, Judged]
    chosen: str
    best_simple: str
    best_on_test: str
    last: Mapping[str, Fitted]
    left_out: Mapping[str, str] = field(default_factory=dict)
    ranking: tuple[Rank, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        series = self.problem.series
        return {
            "models": {name: one.to_json() for name, one in self.models.items()}, "chosen": self.chosen,
            "best_simple": self.best_simple, "best_on_test": self.best_on_test, "step": series.step,
            "steps": len(series), "filled": int(series.filled.sum()), "first": str(series.times[0])[:19],
            "last": str(series.times[-1])[:19], "test_from": str(series.times[self.parts.test[0]])[:19],
            "left_out": dict(self.left_out), "features": [one.to_json() for one in self.ranking],
            "fitted": {name: one.to_json() for name, one in self.last.items() if isinstance(one, Arima)},
        }  # fmt: skip


Finished = Callable[[str, Judged], None]
"""Told each model as soon as it is evaluated."""


def evaluate(
    series: RegularSeries, plan: Plan, progress: ProgressCallback = ignore, cancel: Cancel = never,
    finished: Finished = lambda name, judged: None,
) -> Evaluation:  # fmt: skip
    """Evaluate models on a station.

    Parameters
    ----------
    progress
        Told the models done and all.
    finished
        Told each model as soon as it is evaluated.

    Raises
    ------
    InputError
        When the series is too short for the plan.
    RunCancelled
        When asked to stop.
    """
    problem = Problem(series, plan.horizon, tuple(one for one in plan.known_future if one in series.drivers))
    parts = parts_of(problem, plan.test_share)
    _check_scored(problem, parts)
    work = _Work(problem, parts, plan, cancel)
    names = plan.all_models
    models: dict[str, Judged] = {}
    last: dict[str, Fitted] = {}
    left_out: dict[str, str] = {}
    with quiet():
        for number, name in enumerate(names):
            stop_if(cancel)
            progress(number, len(names))
            try:
                models[name], last[name] = work.judge(name)
            except (InputError, ModelError) as error:
                left_out[name] = str(error)
                continue
            finished(name, models[name])
    progress(len(names), len(names))
    chosen, simple = _smallest(models, names), _smallest(models, tuple(SIMPLE))
    most = max(one.scores.n for one in models.values())  # errors on fewer forecasts are of others
    on_test = min((name for name in models if models[name].scores.n == most), key=lambda name: models[name].scores.rmse)
    models = {name: work.compared(name, one, models, simple) for name, one in models.items()}
    featured = any(FORECASTERS[name].family == "features" for name in models)
    ranking = rank_features(problem, int(parts.test[0]) - 1, plan.seed) if featured else ()
    return Evaluation(problem, parts, models, chosen, simple, on_test, last, left_out, ranking)


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings of fits that have not converged are not printed hundreds of times; one thread of BLAS a fit."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # For good: what saves and restores the filters in another thread would bring them back.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    with threadpool_limits(1):
        yield


def _check_scored(problem: Problem, parts: Parts) -> None:
    for what, origins in (("test", parts.test), ("training", parts.calibration)):
        if int(problem.usable[origins].sum()) < 3:
            raise InputError(
                f"Too few forecasts of the {what} set can be scored: {int((~problem.usable[origins]).sum()):,} of "
                f"{len(origins):,} begin or end in a gap.",
                remedy="Choose a longer step, another test share, or a station with fewer gaps.",
            )  # fmt: skip


@dataclass(frozen=True)
class _Work:
    """Evaluates one model after the other."""

    problem: Problem
    parts: Parts
    plan: Plan
    cancel: Cancel

    def judge(self, name: str) -> tuple[Judged, Fitted]:
        """A model on the test part, not yet compared with others, and as it is fitted on all that is known."""
        plan, problem, model = self.plan, self.problem, model_for(self.plan, name, self.cancel)
        began = perf_counter()
        before = self._walk(model, self.parts.calibration, max(1, len(self.parts.calibration) // 3))
        walked = self._walk(model, self.parts.test, plan.refit)
        errors, earlier = walked.errors(problem), before.errors(problem)
        if not np.isfinite(errors).any():
            raise InputError(f"{model.title} makes no forecast that can be scored.", (
                "The series is too short for this model."
            ))
        final = int(len(problem) - 1)
        last = fitted_at(model, limited(problem, final, plan.window), final, plan.seed, model.settings)
        chosen = last.settings if isinstance(last, FeatureModel) else model.settings
        ahead = float(last.predict(problem, np.array([final]))[0])
        widths = self._widths(earlier, walked.origins, errors)
        after = self._widths(earlier, np.append(walked.origins, final), np.append(errors, np.nan))[-1]
        judged = Judged(
            walked, widths, earlier[np.isfinite(earlier)], self._scores(walked, errors),
            self._scores(before, earlier), {}, None, coverage(errors, widths), ahead, float(after),
            chosen, perf_counter() - began,
        )  # fmt: skip
        return judged, last

    def _walk(self, model: Forecaster, origins: Steps, every: int) -> Walked:
        plan = self.plan
        return walk(self.problem, model, origins, every, plan.seed, None, plan.window, self.cancel)

    def _widths(self, earlier: Values, origins: Steps, errors: Values) -> Values:
        if self.plan.intervals == "split":
            return split_widths(earlier, len(origins), LEVEL)
        return adaptive_widths(earlier, origins, errors, self.problem.horizon, LEVEL)

    def _scores(self, walked: Walked, errors: Values) -> Scores:
        known: NDArray[np.bool_] = np.isfinite(errors)
        at = walked.origins[known]
        moved = self.problem.increments
        learnt = self.problem.learnt_from(int(self.parts.test[0]) - 1)
        scale = float(np.abs(moved[learnt]).mean()) if len(learnt) else math.nan
        return score(walked.forecast[known], moved[at], self.problem.series.displacements[at], scale)

    def compared(self, name: str, one: Judged, models: Mapping[str, Judged], simple: str) -> Judged:
        """A model with its skill and test, each on the forecasts that both made."""
        ours = one.walked.errors(self.problem)
        skills: dict[str, float] = {}
        against = None
        for other in SIMPLE:
            if other not in models:
                continue
            theirs = models[other].walked.errors(self.problem)
            both: NDArray[np.bool_] = np.isfinite(ours) & np.isfinite(theirs)
            rmse = [float(np.sqrt(np.mean(errors[both] ** 2))) if both.any() else math.nan for errors in (ours, theirs)]
            skills |= skill(rmse[0], {other: rmse[1]})
            if other == simple and name != simple:
                against = diebold_mariano(ours**2 - theirs**2, self.problem.horizon)
        return Judged(**{**one.__dict__, "skill": skills, "against": against})


def _smallest(models: Mapping[str, Judged], names: Sequence[str]) -> str:
    """The model with the smallest error on the training part; the first of equals."""
    known = [name for name in names if name in models]
    return min(known, key=lambda name: _or_large(models[name].training.rmse))


def _or_large(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _plain(value: Any) -> Any:  # noqa: ANN401  plain values for JSON
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def learners() -> tuple[str, ...]:
    """Names of all models that learn."""
    return tuple(name for name, one in FORECASTERS.items() if one.learns)
