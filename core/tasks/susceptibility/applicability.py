"""Where a model may be trusted at all: how unlike a cell is to those that the model learnt from.

References
----------
Meyer, H. and Pebesma, E. (2021). Predicting into unknown space? Estimating the area of applicability of spatial
prediction models. Methods in Ecology and Evolution 12, 1620-1633. doi:10.1111/2041-210X.13650
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.learning.roc import auroc

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.susceptibility.factors import Factors

MOST_CELLS = 5_000
"""Cells that others are compared with; of more, as many are drawn."""

PAIRED = 2_000
"""Cells whose mean distance from each other is taken."""

PERMUTATIONS = 5

Doubles = NDArray[np.float64]


def importance(
    estimators: Sequence[Any], factors: pd.DataFrame, landslide: NDArray[np.bool_], seed: int = 0
) -> dict[str, float]:
    """How much of a model's AUROC on its cells goes when a factor is shuffled, as shares of the sum.

    Parameters
    ----------
    estimators
        Fitted; their mean is the model.
    factors, landslide
        The cells that they were fitted on.

    Returns
    -------
    dict
        By factor, at least 0. All alike where none matters.
    """
    from core.tasks.susceptibility.index_map import said

    rng = np.random.default_rng(seed)
    whole = auroc(landslide, said(estimators, factors))
    lost = {}
    for name in factors.columns:
        drops = []
        for _ in range(PERMUTATIONS):
            shuffled = factors.copy()
            shuffled[name] = factors[name].to_numpy()[rng.permutation(len(factors))]
            drops.append(whole - auroc(landslide, said(estimators, shuffled)))
        lost[str(name)] = max(0.0, float(np.mean(drops)))
    total = sum(lost.values())
    return {name: one / total if total else 1 / len(lost) for name, one in lost.items()}


@dataclass(frozen=True)
class Applicability:
    """Tells how unlike cells are to those that a model learnt from.

    The dissimilarity index is the distance to the nearest of them, over their mean distance from each other, in the
    space of the factors: quantities standardised, directions as sine and cosine, classes each by itself, all weighted
    by how much the factor matters to the model.

    Attributes
    ----------
    design
        Brings factors into that space.
    weights
        (columns,) of the space.
    tree
        The cells, to be searched.
    scale
        Their mean distance from each other.
    threshold
        Index beyond which a cell is unlike them: the largest of theirs to cells of other folds, but for outliers (above
        the third quartile by more than one and a half times the interquartile range).
    """

    design: Any
    weights: Doubles
    tree: Any
    scale: float
    threshold: float

    @classmethod
    def fit(
        cls, factors: pd.DataFrame, kinds: Factors, weights: Mapping[str, float], folds: NDArray[np.intp], seed: int = 0
    ) -> Applicability:
        """Learn what cells are like.

        Parameters
        ----------
        factors
            Of the cells that the model learnt from.
        kinds
            Their kinds.
        weights
            How much each factor matters, at least 0; see `importance`.
        folds
            (cells,) fold of each.
        """
        from scipy.spatial import cKDTree
        from sklearn.compose import ColumnTransformer
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        from core.tasks.susceptibility.directions import SineCosine

        design = ColumnTransformer([
            ("quantities", StandardScaler(), list(kinds.quantities)),
            ("circular", SineCosine(), list(kinds.circular)),
            ("classes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(kinds.classes)),
        ]).fit(factors)  # fmt: skip
        columns = [*kinds.quantities, *kinds.circular, *kinds.circular]
        if kinds.classes:
            known = design.named_transformers_["classes"].categories_
            columns += [one for one, classes in zip(kinds.classes, known, strict=True) for _ in classes]
        weight = np.array([weights[one] for one in columns])
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.permutation(len(factors))[:MOST_CELLS])
        space = np.asarray(design.transform(factors.iloc[chosen]), dtype=np.float64) * weight
        scale = _mean_distance(space[np.sort(rng.permutation(len(space))[:PAIRED])])
        threshold = _threshold(_to_other_folds(space, folds[chosen]) / scale)
        return cls(design, weight, cKDTree(space), scale, threshold)

    def distance(self, factors: pd.DataFrame) -> NDArray[np.float32]:
        """(cells,) dissimilarity index: 0 like a cell that the model learnt from, 1 as far as these are apart."""
        space = np.asarray(self.design.transform(factors), dtype=np.float64) * self.weights
        return np.asarray(self.tree.query(space)[0] / self.scale, dtype=np.float32)


def _mean_distance(space: Doubles) -> float:
    from scipy.spatial.distance import pdist

    found = float(pdist(space).mean()) if len(space) > 1 else 0.0
    return found or 1.0


def _to_other_folds(space: Doubles, folds: NDArray[np.intp]) -> Doubles:
    """Distance of each cell to the nearest one of another fold."""
    from scipy.spatial import cKDTree

    found = np.full(len(space), np.nan)
    for fold in np.unique(folds):
        ours = folds == fold
        if not ours.all():
            found[ours] = cKDTree(space[~ours]).query(space[ours])[0]
    known: Doubles = found[np.isfinite(found)]
    return known


def _threshold(indices: Doubles) -> float:
    if not len(indices):
        return float("inf")
    low, high = np.quantile(indices, [0.25, 0.75])
    within = indices[indices <= high + 1.5 * (high - low)]
    return float(within.max())
