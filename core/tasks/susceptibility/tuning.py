"""Settings of a model, chosen by folds of the cells that it may learn from: those kept back have no say in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.learning.roc import auroc
from core.raster.progress import Cancel, never, stop_if
from core.tasks.susceptibility.folds import Scheme, divide
from core.tasks.susceptibility.models import MODELS, Setting, Weights, pipeline_of

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

    from core.tasks.susceptibility.cells import Cells

Tuning = Literal["none", "random", "grid", "bayesian"]

TITLES: dict[Tuning, str] = {
    "none": "No tuning (default settings)",
    "random": "Random search",
    "grid": "Grid search",
    "bayesian": "Bayesian search (TPE)",
}

INNER_FOLDS = 3
"""Folds of the cells to learn from, by which settings are chosen."""

MOST_TRIALS = 200
"""Settings that may be tried for one fit."""


def trials_of(name: str, tuning: Tuning, trials: int) -> int:
    """How many settings of a model are tried: of a grid at most all that it has."""
    if tuning == "none":
        return 0
    return min(trials, math.prod(map(len, MODELS[name].space.values()))) if tuning == "grid" else trials


def fits_of(name: str, tuning: Tuning, trials: int) -> int:
    """How many fits a fit takes, with those that choose its settings."""
    return 1 + INNER_FOLDS * trials_of(name, tuning, trials)


@dataclass(frozen=True)
class Tuner:
    """Chooses settings by the mean AUROC of inner folds.

    Attributes
    ----------
    tuning, trials
        How values are searched, and how many combinations; the usual ones are tried first, but in a grid, of which a
        part is drawn when it holds more. The Bayesian search is the tree-structured Parzen estimator (Bergstra et al.
        2011, Algorithms for Hyper-Parameter Optimization).
    scheme
        How the cells are divided outside; inner folds are spatial where these are.
    seed
        Of folds and search.
    weights, monotone
        See `core.tasks.susceptibility.models.pipeline_of`.
    """

    tuning: Tuning
    trials: int
    scheme: Scheme
    seed: int
    weights: Weights
    monotone: Mapping[str, int]
    cancel: Cancel = never

    def choose(self, name: str, cells: Cells, rows: NDArray[np.bool_]) -> dict[str, Setting]:
        """Settings of a model for a fit.

        Parameters
        ----------
        rows
            (cells,) those that it may learn from; no other is looked at.

        Returns
        -------
        dict
            All settings by name; the usual ones where no inner fold holds both classes.

        Raises
        ------
        ModelError
            When the search fails.
        RunCancelled
            When asked to stop.
        """
        import optuna

        ours = replace(
            cells, factors=cells.factors[rows], landslide=cells.landslide[rows], rows=cells.rows[rows], groups={},
            places=None if cells.places is None else cells.places[rows],
        )  # fmt: skip
        usual, folds = dict(MODELS[name].settings), self._folds(ours)
        if self.tuning == "none" or not folds:
            return usual
        space = MODELS[name].space
        known: dict[tuple[int, ...], float] = {}

        def tried(trial: Trial) -> float:
            # Places in a sorted list: so a search knows which values are near each other.
            at = tuple(trial.suggest_int(one, 0, len(values) - 1) for one, values in space.items())
            if at not in known:
                chosen = {one: values[place] for (one, values), place in zip(space.items(), at, strict=True)}
                known[at] = self._score(name, ours, folds, usual | chosen)
            return known[at]

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            study = optuna.create_study(direction="maximize", sampler=self._sampler(space))
            if self.tuning != "grid":
                study.enqueue_trial({one: values.index(usual[one]) for one, values in space.items()})
            study.optimize(tried, n_trials=trials_of(name, self.tuning, self.trials))
            best = study.best_params
        except optuna.exceptions.OptunaError as error:
            raise ModelError(
                f"The settings of {MODELS[name].title} could not be tuned.", str(error)[:200], "Run it without tuning."
            ) from error
        return usual | {one: values[best[one]] for one, values in space.items()}

    def _folds(self, cells: Cells) -> list[NDArray[np.bool_]]:
        """Cells that are kept back inside, fold by fold; at random where spatial folds hold one class alone."""
        inner: Scheme = self.scheme if self.scheme in ("spatial", "blocks") else "random"
        for scheme in dict.fromkeys((inner, "random")):
            fold = divide(scheme, cells, INNER_FOLDS, self.seed)
            masks = [fold == number for number in range(INNER_FOLDS)]
            usable = [one for one in masks if all(_both(cells.landslide[part]) for part in (one, ~one))]
            if usable:
                return usable
        return []

    def _score(
        self, name: str, cells: Cells, folds: list[NDArray[np.bool_]], settings: Mapping[str, Setting]
    ) -> float:
        """Mean AUROC of the folds."""
        found = []
        for kept_back in folds:
            stop_if(self.cancel)
            model: Any = pipeline_of(
                name, cells.kinds, self.seed, settings, weights=self.weights, monotone=self.monotone
            )
            model.fit(cells.factors[~kept_back], cells.landslide[~kept_back])
            said = model.predict_proba(cells.factors[kept_back])[:, 1]
            found.append(auroc(cells.landslide[kept_back], said.astype(np.float64)))
        return float(np.mean(found))

    def _sampler(self, space: Mapping[str, tuple[Setting, ...]]) -> BaseSampler:
        from optuna.samplers import GridSampler, RandomSampler, TPESampler

        if self.tuning == "grid":
            return GridSampler({one: list(range(len(values))) for one, values in space.items()}, seed=self.seed)
        if self.tuning == "random":
            return RandomSampler(seed=self.seed)
        return TPESampler(seed=self.seed, n_startup_trials=max(2, min(10, self.trials // 3)))


def _both(slide: NDArray[np.bool_]) -> bool:
    return bool(slide.any() and not slide.all())
