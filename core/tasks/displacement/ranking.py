"""Which features go with the movement: grey relational grade and mutual information, on the training part alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.tasks.displacement.forecasters import known_enough
from core.tasks.displacement.problem import Problem, Steps

RESOLUTION = 0.5
"""Usual distinguishing coefficient of grey relational grades."""

FEWEST = 10
"""Steps at which a feature has to be known to be ranked."""

NEIGHBOURS = 3
"""Of the estimate of mutual information."""


@dataclass(frozen=True)
class Rank:
    """How a feature goes with the movement to the target.

    Attributes
    ----------
    name, group
        Of the feature; see `core.tasks.displacement.problem.Features`.
    grade
        Grey relational grade, of values scaled to 0 to 1 on the training part: 1 for the same course, and about 0.6 to
        0.7 for courses that have nothing in common, so that it ranks and does not prove.
    information
        Mutual information in nats, 0 where the movement does not depend on the feature.
    chance
        The largest mutual information of `PERMUTATIONS` shuffled movements; what is not above it may be chance.
    n
        Steps of the training part at which the feature and the movement are known.
    used
        Whether models are given it: it is known at enough steps.
    """

    name: str
    group: str
    grade: float
    information: float
    chance: float
    n: int
    used: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values, undefined ones as None."""
        values: Mapping[str, Any] = self.__dict__
        return {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in values.items()}


PERMUTATIONS = 19
"""Shuffles of the movement: a feature above all of them is so by chance once in twenty times."""


def grey_relational_grades(
    reference: NDArray[np.float64], factors: NDArray[np.float64], resolution: float = RESOLUTION
) -> NDArray[np.float64]:
    """Grey relational grades of factors with a reference.

    Parameters
    ----------
    reference
        ``(n,)``, all known.
    factors
        ``(n, factors)``, all known. Values are taken as they are: the grade changes with their scaling.
    resolution
        Distinguishing coefficient.

    Returns
    -------
    NDArray
        ``(factors,)``, from 0 to 1. The smallest and the largest difference are those of all factors together.

    Notes
    -----
    Deng 1982, doi:10.1016/S0167-6911(82)80025-X.
    """
    far = np.abs(factors - reference[:, None])
    least, most = float(far.min()), float(far.max())
    if most <= 0:
        return np.ones(factors.shape[1])
    return np.asarray(((least + resolution * most) / (far + resolution * most)).mean(axis=0))


def scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column of ``(n, columns)`` brought to 0 to 1; 0 where it does not vary."""
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return np.asarray((values - low) / np.where(high > low, high - low, 1.0))


def rank_features(problem: Problem, origin: int, seed: int = 0) -> tuple[Rank, ...]:
    """Rank all features by mutual information with the movement, on what is known at an origin.

    Parameters
    ----------
    origin
        The last step of the training part.

    Returns
    -------
    tuple of Rank
        The most informative first; those that cannot be ranked are NaN and last.
    """
    rows = problem.learnt_from(origin)
    features, moved = problem.features, problem.increments[rows]
    values = features.values[rows]
    known = np.isfinite(values)
    numbers = known.sum(axis=0)
    varied = np.array([len(np.unique(values[known[:, one], one])) > 1 for one in range(values.shape[1])], dtype=bool)
    able = (numbers >= FEWEST) & varied
    used = known_enough(values) if len(rows) else np.zeros(values.shape[1], bool)
    grades = _grades(values, moved, able & used)
    found = [
        Rank(name, features.groups[one], float(grades[one]),
             *(_information(values[known[:, one], one], moved[known[:, one]], seed) if able[one] else (math.nan,) * 2),
             int(numbers[one]), bool(used[one]))
        for one, name in enumerate(features.names)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: -one.information if one.information == one.information else math.inf))


def most_informative(
    values: NDArray[np.float64], moved: NDArray[np.float64], kept: NDArray[np.bool_], most: int, seed: int
) -> NDArray[np.bool_]:
    """Of the features ``kept``, ``(features,)``, the `most` informative of ``(n, features)`` values."""
    if int(kept.sum()) <= most:
        return kept
    at = np.flatnonzero(kept)
    known = np.isfinite(values[:, at])
    said = [
        _mutual(values[known[:, one], at[one]][:, None], moved[known[:, one]], seed)
        if int(known[:, one].sum()) >= FEWEST else -1.0
        for one in range(len(at))
    ]  # fmt: skip
    found = np.zeros(len(kept), np.bool_)
    found[at[np.argsort(said, kind="stable")[::-1][:most]]] = True
    return found


def _grades(values: NDArray[np.float64], moved: NDArray[np.float64], able: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Grades on the steps at which all features that are ``able`` are known; NaN for the others."""
    found = np.full(values.shape[1], np.nan)
    whole: Steps = np.flatnonzero(np.isfinite(values[:, able]).all(axis=1))
    if able.any() and len(whole) >= FEWEST:
        found[able] = grey_relational_grades(scaled(moved[whole, None])[:, 0], scaled(values[whole][:, able]))
    return found


def _information(values: NDArray[np.float64], moved: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Mutual information, and the largest of shuffled movements."""
    random = np.random.default_rng(seed)
    shuffled = max(_mutual(values[:, None], random.permutation(moved), seed) for _ in range(PERMUTATIONS))
    return _mutual(values[:, None], moved, seed), shuffled


def _mutual(values: NDArray[np.float64], moved: NDArray[np.float64], seed: int) -> float:
    """Mutual information in nats by nearest neighbours (Kraskov et al. 2004, doi:10.1103/PhysRevE.69.066138)."""
    from sklearn.feature_selection import mutual_info_regression

    return float(mutual_info_regression(values, moved, n_neighbors=NEIGHBOURS, random_state=seed)[0])
