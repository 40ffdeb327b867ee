"""Cross-validation: every model fitted on all folds but one and asked about that one, in several ways of dividing.

Whatever is fitted is fitted anew for each fold, on the other folds alone. All models are given the same folds.
"""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.metrics import Confusion
from core.learning.roc import Z95, auroc, average_precision, delong, roc_curve, two_sided
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.tasks.susceptibility.cells import Cells
from core.tasks.susceptibility.folds import Scheme, check_schemes, divide, folds_of, repeats_of, strictest
from core.tasks.susceptibility.models import (
    ANCHOR,
    AVERAGE,
    Setting,
    Weights,
    check_models,
    check_monotone,
    check_signs,
    pipeline_of,
)
from core.tasks.susceptibility.tuning import MOST_TRIALS, TITLES, Tuner, Tuning, fits_of

if TYPE_CHECKING:
    import pandas as pd

Doubles = NDArray[np.float64]

CUT_SCORES = {
    "accuracy": "oa", "precision": "precision", "recall": "recall", "f1": "f1", "kappa": "kappa", "mcc": "mcc",
}  # fmt: skip
"""Scores at a cut-off, as `core.learning.metrics.Confusion` calls them."""

LEAST_LEARNT = 3
"""Cells of each class from which models learn, at least: the rest of a fold with fewer is not scored."""

MOST_FITS = 100_000
"""Fits of models that one validation may need."""


@dataclass(frozen=True)
class Plan:
    """How models are validated.

    Attributes
    ----------
    models, schemes
        Names, in the order in which they are told.
    folds, repeats
        Folds of a division, and how many divisions; named groups are left out once each.
    seed
        Division ``r`` uses ``seed + r``.
    tuning, trials
        How the settings of models are chosen, for each fit by folds of its own cells alone, and of how many
        combinations; see `core.tasks.susceptibility.tuning`.
    weights, monotone
        Whether classes weigh the same, and by factor 1 or -1 where the index may only rise or fall; see
        `core.tasks.susceptibility.models.pipeline_of`.
    """

    models: tuple[str, ...] = (ANCHOR,)
    schemes: tuple[Scheme, ...] = ("random", "spatial")
    folds: int = 5
    repeats: int = 20
    seed: int = 0
    tuning: Tuning = "none"
    trials: int = 15
    weights: Weights = "none"
    monotone: Mapping[str, int] = field(default_factory=dict)

    def check_tuning(self) -> None:
        """Refuse a search or weights that are not known, too few or too many trials, and directions that are none.

        Raises
        ------
        InputError
            When they are.
        """
        check_signs(self.monotone)
        if self.tuning not in TITLES:
            raise InputError(f"Unknown tuning method {self.tuning!r}.", remedy=f"Choose from {', '.join(TITLES)}.")
        if self.weights not in ("none", "balanced"):
            raise InputError(f"Unknown weights {self.weights!r}.", remedy="Choose none or balanced.")
        if not 1 <= self.trials <= MOST_TRIALS:
            raise InputError(f"The number of trials, {self.trials:,}, is out of range.",
                             remedy=f"Try 1 to {MOST_TRIALS} (--trials).")  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """How well a model foretold cells that it was not fitted on, in one way of dividing.

    Attributes
    ----------
    auroc
        Area under the ROC curve, the mean over folds and repeats.
    auroc_low, auroc_high
        Its 95 % interval by DeLong: how far it may lie off because the cells are a sample.
    auroc_sd
        Standard deviation over the repeats: how much it depends on the division; NaN with one repeat.
    auroc_fitted
        The same area on the cells that the model was fitted on (success rate).
    brier, average_precision
        Mean squared error of the probabilities, and area under the curve of precision over recall; means over folds.
    cut
        Scores at a cut-off, by name; the cut-off is that of the largest Youden's J on the cells fitted on. Means over
        repeats of what all folds give together.
    counts
        True and false positives, false and true negatives of the first repeat.
    difference, p_value
        AUROC less that of logistic regression on the same folds, and how likely as much is by chance (DeLong, paired);
        NaN without it.
    repeats, folds, folds_skipped
        Divisions, folds that were scored, and those left out because they hold one class alone or leave too few cells
        of a class.
    seconds
        Time of the processor to fit and to ask it, tuning included.
    settings
        Settings that were chosen in most folds; empty without tuning.
    """

    auroc: float
    auroc_low: float
    auroc_high: float
    auroc_sd: float
    auroc_fitted: float
    brier: float
    average_precision: float
    cut: Mapping[str, float]
    counts: tuple[int, int, int, int]
    difference: float
    p_value: float
    repeats: int
    folds: int
    folds_skipped: int
    seconds: float
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values, a score that is undefined as None."""
        names = (
            "auroc", "auroc_low", "auroc_high", "auroc_sd", "auroc_fitted", "brier", "average_precision", "difference",
            "p_value", "repeats", "folds", "folds_skipped", "seconds",
        )  # fmt: skip
        values = {name: getattr(self, name) for name in names} | dict(self.cut)
        values = {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in values.items()}
        values["counts"] = dict(zip(("tp", "fp", "fn", "tn"), self.counts, strict=True))
        return values | ({"settings": dict(self.settings)} if self.settings else {})


@dataclass(frozen=True)
class FirstRepeat:
    """The first division of a scheme, and what each model said of the cells kept back.

    Attributes
    ----------
    fold
        (cells,) number of the fold.
    scores
        By model, (cells,) probability; NaN in folds that were skipped.
    """

    fold: NDArray[np.intp]
    scores: Mapping[str, Doubles]


@dataclass(frozen=True)
class Validation:
    """The outcome: scores by scheme and model, and the first division of each scheme.

    Attributes
    ----------
    settings
        By model, those that were chosen in most folds, of spatial folds where there are any; empty without tuning.
    """

    scores: Mapping[str, Mapping[str, Scores]]
    first: Mapping[str, FirstRepeat]
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)


@dataclass
class _Tally:
    """What is summed up of a model in a scheme."""

    aurocs: list[list[float]] = field(default_factory=list)
    variances: list[float] = field(default_factory=list)
    fitted: list[float] = field(default_factory=list)
    briers: list[float] = field(default_factory=list)
    precisions: list[float] = field(default_factory=list)
    cuts: list[Confusion] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)
    difference_variances: list[float] = field(default_factory=list)
    settings: list[Mapping[str, Setting]] = field(default_factory=list)
    seconds: float = 0.0

    def scores(self, repeats: int, skipped: int) -> Scores:
        means = np.array([np.mean(one) for one in self.aurocs]) if self.aurocs else np.array([math.nan])
        value, reach = float(means.mean()), Z95 * math.sqrt(_mean(self.variances))
        cut = {name: _mean([getattr(one, score) for one in self.cuts]) for name, score in CUT_SCORES.items()}
        first = self.cuts[0] if self.cuts else Confusion(0, 0, 0, 0)
        difference, spread = _mean(self.differences), _mean(self.difference_variances)
        return Scores(
            auroc=value,
            auroc_low=max(0.0, value - reach) if not math.isnan(reach) else math.nan,
            auroc_high=min(1.0, value + reach) if not math.isnan(reach) else math.nan,
            auroc_sd=float(means.std(ddof=1)) if len(means) > 1 else math.nan,
            auroc_fitted=_mean(self.fitted),
            brier=_mean(self.briers),
            average_precision=_mean(self.precisions),
            cut=cut,
            counts=(first.true_positive, first.false_positive, first.false_negative, first.true_negative),
            difference=difference,
            p_value=two_sided(difference, spread) if self.differences else math.nan,
            repeats=repeats,
            folds=sum(map(len, self.aurocs)),
            folds_skipped=skipped,
            seconds=round(self.seconds, 3),
            settings=_most_frequent(self.settings),
        )


def validate(
    cells: Cells, plan: Plan, progress: ProgressCallback = ignore, cancel: Cancel = never
) -> Validation:
    """Cross-validate models.

    Parameters
    ----------
    progress
        Told the fits done and all.

    Raises
    ------
    InputError
        When the cells do not allow a scheme, a model is not known, or no fold can be scored.
    RunCancelled
        When asked to stop.
    """
    check_models(plan.models, len(cells.landslide))
    check_schemes(plan.schemes, cells, plan.folds)
    check_monotone(plan.monotone, cells.kinds, plan.models)
    plan.check_tuning()
    fitted = tuple(name for name in plan.models if name != AVERAGE)
    counts = {scheme: folds_of(scheme, cells, plan.folds) for scheme in plan.schemes}
    per_fold = sum(fits_of(name, plan.tuning, plan.trials) for name in fitted)
    total = sum(counts[scheme] * repeats_of(scheme, plan.repeats) for scheme in plan.schemes) * per_fold
    if total <= 0:
        raise InputError("There is no model to fit.", remedy="Choose at least one repeat and one model.")
    if total > MOST_FITS:
        raise InputError(
            f"{total:,} model fits were requested; the limit is {MOST_FITS:,}.",
            remedy="Choose fewer models, folds, repeats or trials.",
        )
    divisions = [(scheme, repeat) for scheme in plan.schemes for repeat in range(repeats_of(scheme, plan.repeats))]
    tallies = {scheme: {name: _Tally() for name in plan.models} for scheme in plan.schemes}
    skipped, done = dict.fromkeys(plan.schemes, 0), 0
    first: dict[str, FirstRepeat] = {}
    with quiet(), ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for scheme, repeat in divisions:
            stop_if(cancel)
            fold = divide(scheme, cells, plan.folds, plan.seed + repeat)
            asked = _Asked(cells, plan, scheme, fitted, plan.seed + repeat, pool, cancel)
            outcome = asked.division(fold, lambda count: progress(done + count, total))  # noqa: B023  called at once
            done += counts[scheme] * per_fold
            progress(done, total)
            skipped[scheme] += outcome.skipped
            kept = _count(cells, plan.models, outcome, tallies[scheme])
            if repeat == 0:
                first[scheme] = FirstRepeat(fold, kept)
    scores: dict[str, Mapping[str, Scores]] = {}
    for scheme, ours in tallies.items():
        if not next(iter(ours.values())).aurocs:
            raise InputError(
                f"No fold of the validation scheme {scheme!r} holds both classes and leaves {LEAST_LEARNT} cells of "
                "each for training.",
                "No score can be calculated.",
                "Choose fewer folds, or another validation scheme.",
            )  # fmt: skip
        repeats = repeats_of(scheme, plan.repeats)
        scores[scheme] = {name: tally.scores(repeats, skipped[scheme]) for name, tally in ours.items()}
    chosen = {name: one.settings for name, one in scores[strictest(plan.schemes)].items() if one.settings}
    return Validation(scores, first, chosen)


@dataclass(frozen=True)
class _FoldOutcome:
    """Of one fold: its cells, and by model the probabilities of these and of the cells fitted on, the time, and the
    settings.
    """  # noqa: D205

    kept_back: NDArray[np.bool_]
    said: Mapping[str, Doubles]
    said_fitted: Mapping[str, Doubles]
    seconds: Mapping[str, float]
    settings: Mapping[str, Mapping[str, Setting]]


_Fitted = tuple[Doubles, Doubles, float, Mapping[str, Setting]]
"""Probabilities of the cells kept back and of those fitted on, the time, and the settings that were chosen."""


@dataclass(frozen=True)
class _Division:
    folds: list[_FoldOutcome]
    skipped: int


@dataclass(frozen=True)
class _Asked:
    """Fits models on all but one fold and asks them about it."""

    cells: Cells
    plan: Plan
    scheme: Scheme
    models: tuple[str, ...]
    seed: int
    pool: ThreadPoolExecutor
    cancel: Cancel

    def division(self, fold: NDArray[np.intp], told: Callable[[int], None]) -> _Division:
        slide, count = self.cells.landslide, int(fold.max()) + 1
        masks = [fold == number for number in range(count)]
        usable = [mask for mask in masks if _both(slide[mask]) and _enough(slide[~mask])]
        work = [(mask, name) for mask in usable for name in self.models]
        results: list[_Fitted] = []
        made = 0
        for (_, name), result in zip(work, self.pool.map(self._fit, work), strict=True):
            stop_if(self.cancel)
            results.append(result)
            made += fits_of(name, self.plan.tuning, self.plan.trials)
            told(made)
        outcomes = []
        for at, mask in enumerate(usable):
            ours = dict(zip(self.models, results[at * len(self.models) :], strict=False))
            said, fitted = {name: one[0] for name, one in ours.items()}, {name: one[1] for name, one in ours.items()}
            seconds, settings = {name: one[2] for name, one in ours.items()}, {n: one[3] for n, one in ours.items()}
            outcomes.append(_FoldOutcome(mask, said, fitted, seconds, settings))
        return _Division(outcomes, count - len(usable))

    def _fit(self, asked: tuple[NDArray[np.bool_], str]) -> _Fitted:
        stop_if(self.cancel)
        mask, name = asked
        factors, began = self.cells.factors, thread_time()
        plan, settings = self.plan, self._settings(name, ~mask)
        model = pipeline_of(
            name, self.cells.kinds, self.seed, settings, weights=plan.weights, monotone=plan.monotone
        ).fit(factors[~mask], self.cells.landslide[~mask])
        said = model.predict_proba(factors[mask])[:, 1], model.predict_proba(factors[~mask])[:, 1]
        return said[0].astype(np.float64), said[1].astype(np.float64), thread_time() - began, settings

    def _settings(self, name: str, rows: NDArray[np.bool_]) -> Mapping[str, Setting]:
        plan = self.plan
        if plan.tuning == "none":
            return {}
        tuner = Tuner(plan.tuning, plan.trials, self.scheme, self.seed, plan.weights, plan.monotone, self.cancel)
        return tuner.choose(name, self.cells, rows)


def _count(
    cells: Cells, models: Sequence[str], outcome: _Division, tallies: Mapping[str, _Tally]
) -> dict[str, Doubles]:
    """Add one division to the tallies; what each model said of all cells."""
    kept = {name: np.full(len(cells.landslide), math.nan) for name in models}
    per_model: dict[str, list[tuple[float, float, Confusion]]] = {name: [] for name in models}
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for fold in outcome.folds:
        said, said_fitted = _with_average(fold.said, models), _with_average(fold.said_fitted, models)
        truth, learnt = cells.landslide[fold.kept_back], cells.landslide[~fold.kept_back]
        ours = delong(truth, list(said.values()))
        for at, name in enumerate(said):
            tally, value = tallies[name], said[name]
            kept[name][fold.kept_back] = value
            tally.fitted.append(auroc(learnt, said_fitted[name]))
            tally.briers.append(float(np.mean((value - truth) ** 2)))
            tally.precisions.append(average_precision(truth, value))
            tally.seconds += fold.seconds.get(name, 0.0)
            tally.settings.append(fold.settings.get(name, {}))
            cut = Confusion.of(value >= roc_curve(learnt, said_fitted[name]).best, truth)
            per_model[name].append((float(ours.auroc[at]), float(ours.covariance[at, at]), cut))
            if ANCHOR in said and name != ANCHOR:
                to = list(said).index(ANCHOR)
                spread = ours.covariance[at, at] + ours.covariance[to, to] - 2 * ours.covariance[at, to]
                pairs[name].append((float(ours.auroc[at] - ours.auroc[to]), float(np.maximum(0.0, spread))))
    for name, found in per_model.items():
        if not found:
            continue
        tally, count = tallies[name], len(found)
        tally.aurocs.append([value for value, *_ in found])
        tally.variances.append(sum(variance for _, variance, _ in found) / count**2)
        cuts = [cut for *_, cut in found]
        tally.cuts.append(Confusion(*(sum(getattr(cut, part.name) for cut in cuts) for part in fields(Confusion))))
        if pairs[name]:
            tally.differences.append(_mean([value for value, _ in pairs[name]]))
            tally.difference_variances.append(sum(variance for _, variance in pairs[name]) / count**2)
    return kept


def _with_average(said: Mapping[str, Doubles], models: Sequence[str]) -> dict[str, Doubles]:
    """What each model said, in the order asked, the average of them where it is asked for."""
    both = dict(said)
    if AVERAGE in models:
        both[AVERAGE] = np.mean(list(said.values()), axis=0)
    return {name: both[name] for name in models}


def _both(slide: NDArray[np.bool_]) -> bool:
    return bool(slide.any() and not slide.all())


def _enough(slide: NDArray[np.bool_]) -> bool:
    """Whether there are cells of both classes to learn from."""
    return min(int(slide.sum()), int((~slide).sum())) >= LEAST_LEARNT


def _most_frequent(settings: Sequence[Mapping[str, Setting]]) -> dict[str, Setting]:
    """Those that occur most often, the first of equals; empty when there are none."""
    counted = Counter(tuple(one.items()) for one in settings)
    return dict(counted.most_common(1)[0][0]) if counted else {}


def _mean(values: Sequence[float]) -> float:
    known = [one for one in values if not math.isnan(one)]
    return float(np.mean(known)) if known else math.nan


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings of fits that have not converged are not printed hundreds of times; one thread of BLAS a fit."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    # For good: what saves and restores the filters in another thread would bring them back.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    warnings.filterwarnings("ignore", message=".*sklearn.utils.parallel.delayed.*")
    with threadpool_limits(1):
        yield


def table_of(cells: Cells, validation: Validation) -> pd.DataFrame:
    """The design matrix: row, coordinates, label, factors; and by scheme the fold and each model's score of the first
    repeat, made by a model that had not seen the fold.
    """  # noqa: D205
    import pandas as pd

    frame = pd.DataFrame({"row": cells.rows, "landslide": cells.landslide})
    if cells.places is not None:
        frame["x"], frame["y"] = cells.places.T
    frame = pd.concat([frame, cells.factors], axis=1)
    made = {
        name: values.astype(np.float32)
        for scheme, first in validation.first.items()
        for name, values in ((f"score:{scheme}:{model}", one) for model, one in first.scores.items())
    }
    folds = {f"fold:{scheme}": first.fold.astype(np.int32) for scheme, first in validation.first.items()}
    return pd.concat([frame, pd.DataFrame(folds | made)], axis=1)
