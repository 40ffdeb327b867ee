"""How well scores rank: the area under the ROC curve, its variance by DeLong, and cut-offs.

References
----------
DeLong, DeLong, Clarke-Pearson 1988, Biometrics 44: 837–845, doi:10.2307/2531595.
Sun, Xu 2014, IEEE Signal Processing Letters 21: 1389–1393, doi:10.1109/LSP.2014.2337313 (the midranks used here).
Youden 1950, Cancer 3: 32–35.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]

Z95 = 1.959963984540054
"""Standard normal deviate of a two-sided interval of 95 %."""


@dataclass(frozen=True)
class DeLong:
    """Areas under the ROC curves of several scores of the same cases.

    Attributes
    ----------
    auroc
        (scores,) area of each.
    covariance
        (scores, scores) covariance of the areas; NaN with fewer than two cases of a class.
    """

    auroc: Doubles
    covariance: Doubles


def delong(truth: ArrayLike, scores: Sequence[ArrayLike]) -> DeLong:
    """Areas under the ROC curves, and their covariance.

    Parameters
    ----------
    truth
        (cases,) True where the event happened.
    scores
        Of each score (cases,): the higher, the surer. Equal scores count half.

    Raises
    ------
    ValueError
        When one class is missing.
    """
    happened = np.asarray(truth, dtype=bool)
    values = np.stack([np.asarray(one, dtype=np.float64) for one in scores])
    positive, negative = values[:, happened], values[:, ~happened]
    m, n = positive.shape[1], negative.shape[1]
    if not m or not n:
        raise ValueError("one class is missing")
    both = np.concatenate([positive, negative], axis=1)
    ranks = np.stack([_midranks(one) for one in both])
    within = np.stack([_midranks(one) for one in positive]), np.stack([_midranks(one) for one in negative])
    auroc = (ranks[:, :m].sum(axis=1) / m - (m + 1) / 2) / n
    over, under = (ranks[:, :m] - within[0]) / n, 1 - (ranks[:, m:] - within[1]) / m
    if min(m, n) < 2:
        return DeLong(auroc, np.full((len(values), len(values)), math.nan))
    return DeLong(auroc, np.atleast_2d(np.cov(over)) / m + np.atleast_2d(np.cov(under)) / n)


def auroc(truth: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve; NaN where one class is missing."""
    happened = np.asarray(truth, dtype=bool)
    if happened.all() or not happened.any():
        return math.nan
    m, n = int(happened.sum()), int((~happened).sum())
    ranks = _midranks(np.asarray(score, dtype=np.float64))
    return float((ranks[happened].sum() / m - (m + 1) / 2) / n)


def two_sided(difference: float, variance: float) -> float:
    """Probability of a normal difference at least as large by chance, its variance given; 1 for none at all."""
    if math.isnan(variance):
        return math.nan
    if difference == 0:
        return 1.0
    if variance <= 0:
        return 0.0
    return math.erfc(abs(difference) / math.sqrt(2 * variance))


@dataclass(frozen=True)
class RocCurve:
    """An ROC curve: shares of cases above each cut-off, from the highest one down.

    Attributes
    ----------
    cutoffs, false_rate, true_rate
        (points,) the score from which a case is called an event; the shares of the cases without and with an event
        that are. The first point, at a cut-off of infinity, calls none.
    """

    cutoffs: Doubles
    false_rate: Doubles
    true_rate: Doubles

    @property
    def best(self) -> float:
        """The cut-off with the largest difference of the two shares (Youden's J), the highest of equals."""
        return float(self.cutoffs[np.argmax(self.true_rate - self.false_rate)])


def roc_curve(truth: ArrayLike, score: ArrayLike) -> RocCurve:
    """The ROC curve of a score; see `RocCurve`.

    Raises
    ------
    ValueError
        When one class is missing.
    """
    happened, values = np.asarray(truth, dtype=bool), np.asarray(score, dtype=np.float64)
    if happened.all() or not happened.any():
        raise ValueError("one class is missing")
    order = np.argsort(-values, kind="stable")
    values, happened = values[order], happened[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    true, false = np.cumsum(happened)[last], np.cumsum(~happened)[last]
    begin = np.array([0.0])
    return RocCurve(
        np.append(np.inf, values[last]), np.append(begin, false / false[-1]), np.append(begin, true / true[-1])
    )


def average_precision(truth: ArrayLike, score: ArrayLike) -> float:
    """Average precision: the mean of the precisions at which each event is found; NaN without any event."""
    happened, values = np.asarray(truth, dtype=bool), np.asarray(score, dtype=np.float64)
    if not happened.any():
        return math.nan
    order = np.argsort(-values, kind="stable")
    values, happened = values[order], happened[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    true = np.cumsum(happened)[last]
    precision = true / (last + 1)
    return float(np.sum(np.diff(true, prepend=0) * precision) / true[-1])


def _midranks(values: Doubles) -> Doubles:
    """Ranks from 1; equal values share the middle of theirs."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    edges = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ends = np.append(edges[1:], len(ordered))
    middle = np.repeat((edges + ends + 1) / 2, ends - edges)
    ranks = np.empty(len(values))
    ranks[order] = middle
    return ranks
