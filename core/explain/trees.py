"""SHAP values of trees and sums of trees: exact, and fast where the fast way proves to say what the reference says.

Path-dependent throughout: what a tree says without a factor is the mean of its branches, weighted by the cells of the
training that went each way. The fast way (WOODELF) is compared with the reference (XGBoost's own, or shap's) at each
use, also on rows that lie on the very thresholds of the trees; a row whose contributions do not add up is explained by
the reference.

References
----------
Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees. Nature
Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9. Nadel, A. and Wettenstein, R. (2026). From decision trees
to Boolean logic: a fast and unified SHAP algorithm. AAAI. doi:10.1609/aaai.v40i29.39630
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.explain.tabular import Contributions, Doubles, Scale
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.wording import count

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger(__name__)

Matrix = Callable[[Doubles], Doubles]

CHECKED = 200
"""Rows on which the fast way is compared with the reference at each use; half of them lie on thresholds."""

ALIKE = 1e-4
"""Largest difference between the two."""

AT_ONCE = 131_072
"""Rows that are explained at once: fewer are slower (a forest is gone through each time), more need more memory."""


@dataclass(frozen=True)
class TreeExplainer:
    """Of trees and sums of trees: exact, by the paths that cells of the training took (path-dependent TreeSHAP).

    Attributes
    ----------
    design
        Brings rows into the columns that the trees split.
    factors
        Names of the factors.
    column_factors
        Factor of each column.
    scale, method, base
        As of `Contributions`.
    reference
        Contributions (rows, columns) of a design matrix, by a way that is known to be right.
    fast
        The same by a faster way; None where there is none.
    says
        What the trees say of rows, on that scale.
    """

    design: Callable[[pd.DataFrame], Doubles]
    factors: tuple[str, ...]
    column_factors: tuple[str, ...]
    scale: Scale
    method: str
    base: float
    reference: Matrix
    fast: Matrix | None
    says: Matrix
    quick: bool = True

    def explain(
        self, rows: pd.DataFrame, progress: ProgressCallback = ignore, cancel: Cancel = never
    ) -> Contributions:
        """See `TableExplainer`."""
        values, output = np.zeros((len(rows), len(self.factors))), np.empty(len(rows))
        for start in range(0, len(rows), AT_ONCE):
            stop_if(cancel)
            progress(start, len(rows))
            part = slice(start, start + AT_ONCE)
            matrix = self.design(rows.iloc[part])
            output[part] = self.says(matrix)
            by_column = self._by_column(matrix, output[part])
            for column, factor in enumerate(self.column_factors):
                values[part, self.factors.index(factor)] += by_column[:, column]
        progress(len(rows), len(rows))
        return Contributions(self.factors, values, self.base, output, self.scale, self.method).checked()

    def _by_column(self, matrix: Doubles, output: Doubles) -> Doubles:
        """Contributions of columns, where the fast way is right by that way."""
        if self.fast is None:
            return self.reference(matrix)
        found = self.fast(matrix)
        wrong = np.flatnonzero(np.abs(self.base + found.sum(axis=1) - output) > ALIKE * np.maximum(1, np.abs(output)))
        if len(wrong):
            _LOG.info("%d of %d rows are explained by the reference implementation", len(wrong), len(matrix))
            found[wrong] = self.reference(matrix[wrong])
        return found


def tree_explainer(
    trees: Any,  # noqa: ANN401  scikit-learn's or XGBoost's
    design: Callable[[pd.DataFrame], Doubles],
    factors: tuple[str, ...],
    column_factors: tuple[str, ...],
    background: pd.DataFrame,
) -> TreeExplainer:
    """An explainer of trees: the fast way where it proves to say the same as the reference one, else that one.

    Parameters
    ----------
    trees
        A fitted `DecisionTreeClassifier`, forest, or `XGBClassifier`.
    design, factors, column_factors
        As of `TreeExplainer`.
    background
        Rows, of which the first are used to compare both ways.
    """
    boosted = hasattr(trees, "get_booster")
    sample = _on_thresholds(trees, design(background.iloc[:CHECKED]))
    reference, base, named = _booster_way(trees) if boosted else _forest_way(trees)
    fast = _fast_way(trees, sample, reference(sample))
    compared = f"compared with {named} on {count(len(sample), 'row')}"
    method = f"exact for trees (WOODELF), {compared}" if fast else f"exact ({named})"
    return TreeExplainer(
        design, factors, column_factors, "log-odds" if boosted else "probability", method, base, reference, fast,
        _tree_output(trees),
    )  # fmt: skip


def _booster_way(trees: Any) -> tuple[Matrix, float, str]:  # noqa: ANN401
    from xgboost import DMatrix

    booster = trees.get_booster()

    def contributions(matrix: Doubles) -> Doubles:
        return np.asarray(booster.predict(DMatrix(matrix), pred_contribs=True)[:, :-1], dtype=np.float64)

    nothing = np.zeros((1, booster.num_features()))
    return contributions, float(booster.predict(DMatrix(nothing), pred_contribs=True)[0, -1]), "XGBoost"


def _forest_way(trees: Any) -> tuple[Matrix, float, str]:  # noqa: ANN401
    import shap

    known = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")

    def contributions(matrix: Doubles) -> Doubles:
        return np.asarray(known.shap_values(matrix, check_additivity=False), dtype=np.float64)[..., 1]

    return contributions, float(np.asarray(known.expected_value)[1]), "shap"


def _tree_output(trees: Any) -> Matrix:  # noqa: ANN401
    if hasattr(trees, "get_booster"):
        return lambda matrix: np.asarray(trees.predict(matrix, output_margin=True), dtype=np.float64)
    return lambda matrix: np.asarray(trees.predict_proba(matrix)[:, 1], dtype=np.float64)


def _fast_way(trees: Any, sample: Doubles, expected: Doubles) -> Matrix | None:  # noqa: ANN401
    """WOODELF's way, where it gives what is expected of a sample; it explains the other class of some models."""
    import pandas as pd

    try:
        from woodelf.explainer import WoodelfExplainer

        known = WoodelfExplainer(trees, feature_perturbation="tree_path_dependent")
        names, routed = [f"f{number}" for number in range(sample.shape[1])], _routing(trees)

        def contributions(matrix: Doubles) -> Doubles:
            found = known.shap_values(pd.DataFrame(routed(matrix), columns=names), verbose=False)
            return np.array(found, dtype=np.float64)

        found = contributions(sample)
    except Exception:
        # A library of one author: whatever it cannot do, the reference way can.
        _LOG.warning("the fast explanation of these trees failed; the reference implementation is used", exc_info=True)
        return None
    for sign in (1.0, -1.0):
        if np.abs(sign * found - expected).max() <= ALIKE:
            return contributions if sign > 0 else lambda matrix: -contributions(matrix)
    return None


def _routing(trees: Any) -> Matrix:  # noqa: ANN401
    """What the fast way has to be given, to send each row down the branches that the trees themselves do.

    Trees round values to single precision first. XGBoost then goes left below a threshold, of which WOODELF takes the
    next smaller number, so that a value on that number would go right: it is moved down by less than single precision.
    """
    if hasattr(trees, "get_booster"):
        return lambda matrix: np.nextafter(matrix.astype(np.float32).astype(np.float64), -np.inf)
    return lambda matrix: matrix.astype(np.float32).astype(np.float64)


def _on_thresholds(trees: Any, sample: Doubles) -> Doubles:  # noqa: ANN401
    """The sample, every second row of it put on thresholds of the trees or next to them, in a third of its columns."""
    rng, moved = np.random.default_rng(0), np.array(sample, dtype=np.float64)
    for column, known in _thresholds(trees).items():
        rows = np.arange(0, len(moved), 2)[rng.random(len(range(0, len(moved), 2))) < 1 / 3]
        near = rng.choice(known, len(rows)).astype(np.float32)
        beside = np.stack([near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))])
        moved[rows, column] = beside[rng.integers(3, size=len(rows)), np.arange(len(rows))]
    return moved


def _thresholds(trees: Any) -> dict[int, NDArray[np.float64]]:  # noqa: ANN401
    """Thresholds of each column that is split."""
    if hasattr(trees, "get_booster"):
        booster = trees.get_booster()
        names = booster.feature_names or [f"f{number}" for number in range(booster.num_features())]
        nodes = booster.trees_to_dataframe()
        nodes = nodes[nodes["Feature"] != "Leaf"]
        columns, splits = nodes["Feature"].map(names.index).to_numpy(int), nodes["Split"].to_numpy(float)
    else:
        inner = [one.tree_ for one in getattr(trees, "estimators_", [trees])]
        columns = np.concatenate([one.feature for one in inner])
        splits = np.concatenate([one.threshold for one in inner])
    return {int(column): splits[columns == column] for column in np.unique(columns) if column >= 0}
