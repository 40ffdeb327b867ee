"""Settings of a model, chosen on the past of each fit alone: on its last part, by models of the part before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.errors import ModelError
from core.raster.progress import Cancel, never, stop_if
from core.tasks.displacement.forecasters import FEWEST_PAIRS, Fitted, Forecaster, Setting
from core.tasks.displacement.problem import Problem

if TYPE_CHECKING:
    from optuna.trial import Trial

Tuning = Literal["none", "random", "bayesian"]

TITLES: dict[Tuning, str] = {
    "none": "No tuning (default settings)", "random": "Random search", "bayesian": "Bayesian search (TPE)",
}  # fmt: skip

MOST_TRIALS = 100

INNER = 0.3
"""Share of the movements known at a fit, the last ones, by which settings are chosen."""


def tuned(model: Forecaster, tuning: Tuning, trials: int, cancel: Cancel = never) -> Forecaster:
    """A model whose settings are chosen before each fit; the same model where it has none to choose."""
    if tuning == "none" or not model.space:
        return model

    def fit(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
        chosen = chosen_settings(model, problem, origin, seed, settings, tuning, trials, cancel)
        return model.fit(problem, origin, seed, chosen)

    return replace(model, fit=fit)


def chosen_settings(
    model: Forecaster, problem: Problem, origin: int, seed: int, usual: Mapping[str, Setting], tuning: Tuning,
    trials: int, cancel: Cancel = never,
) -> dict[str, Setting]:  # fmt: skip
    """Settings with the smallest squared error on the last movements that are known at an origin.

    The movements that they are judged by begin where the last one that was learnt from ends. The usual settings are
    tried first, and kept where too little is known to choose.

    Raises
    ------
    ModelError
        When the search fails.
    RunCancelled
        When asked to stop.
    """
    import optuna

    rows = problem.learnt_from(origin)
    judged = rows[len(rows) - int(INNER * len(rows)) :]
    if not len(judged) or len(problem.learnt_from(int(judged[0]))) < FEWEST_PAIRS:
        return dict(usual)
    inner, measured = int(judged[0]), problem.increments[judged]
    known: dict[tuple[int, ...], float] = {}

    def tried(trial: Trial) -> float:
        stop_if(cancel)
        # Places in a sorted list: so a search knows which values are near each other.
        at = tuple(trial.suggest_int(one, 0, len(values) - 1) for one, values in model.space.items())
        if at not in known:
            places = zip(model.space.items(), at, strict=True)
            asked = {one: values[place] for (one, values), place in places}
            forecast = model.fit(problem, inner, seed, {**usual, **asked}).predict(problem, judged)
            known[at] = float(np.mean((forecast - measured) ** 2))
        return known[at] if math.isfinite(known[at]) else 1e300

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = optuna.samplers
    sampler = samplers.RandomSampler(seed) if tuning == "random" else samplers.TPESampler(
        seed=seed, n_startup_trials=max(2, trials // 3)
    )  # fmt: skip
    try:
        study = optuna.create_study(direction="minimize", sampler=sampler)
        study.enqueue_trial({one: values.index(usual[one]) for one, values in model.space.items()})
        study.optimize(tried, n_trials=trials)
        best = study.best_params
    except optuna.exceptions.OptunaError as error:
        raise ModelError(
            f"The settings of {model.title} could not be tuned.", str(error)[:200], "Run it without tuning."
        ) from error
    return {**usual, **{one: values[best[one]] for one, values in model.space.items()}}
