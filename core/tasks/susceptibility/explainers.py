"""Which way explains which model of susceptibility, and what a cell's contributions come to in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.explain.tabular import AdditiveExplainer, SamplingExplainer, TableExplainer
from core.explain.trees import tree_explainer
from core.tasks.susceptibility.factors import factor_of_column
from core.tasks.susceptibility.index_map import said
from core.wording import factor_words, number_words, signed_hundredths

if TYPE_CHECKING:
    import pandas as pd

    from core.explain.tabular import Contributions

ADDITIVE = (
    "frequency_ratio", "information_value", "weights_of_evidence", "logistic_regression", "logistic_splines",
    "naive_bayes",
)  # fmt: skip
"""Models whose log-odds are a sum of one term a factor."""

TREES = ("decision_tree", "random_forest", "extra_trees", "xgboost")

TOLD = 0.02
"""Contributions smaller than this share of the largest are not told in a sentence."""


def explainer_for(
    name: str, estimators: Sequence[Any], factors: Sequence[str], background: pd.DataFrame, seed: int = 0
) -> TableExplainer:
    """What explains a model.

    Parameters
    ----------
    name
        Of the model.
    estimators
        Its fitted estimators; their mean is the model.
    factors
        Names of the factors, columns of the background.
    background
        Cells that it is compared with: contributions begin at what the model says of them on average.
    """
    names = tuple(map(str, factors))
    if len(estimators) == 1 and name in ADDITIVE:
        return AdditiveExplainer(lambda rows: log_odds(estimators[0], rows), names, background[list(names)])
    if len(estimators) == 1 and name in TREES:
        pipeline = estimators[0]
        columns = factor_of_column(pipeline)
        if columns is not None:
            return tree_explainer(
                pipeline[-1], lambda rows: np.asarray(pipeline[:-1].transform(rows), dtype=np.float64), names, columns,
                background[list(names)],
            )  # fmt: skip
    return SamplingExplainer(lambda rows: said(estimators, rows), names, background[list(names)], seed)


def log_odds(pipeline: Any, rows: pd.DataFrame) -> NDArray[np.float64]:  # noqa: ANN401  scikit-learn's own
    """(rows,) logarithm of the odds of a landslide."""
    if hasattr(pipeline[-1], "decision_function"):
        return np.asarray(pipeline.decision_function(rows), dtype=np.float64)
    both = np.asarray(pipeline.predict_log_proba(rows), dtype=np.float64)
    return both[:, 1] - both[:, 0]


def sentence(contributions: Contributions, values: Mapping[str, object], model: str, row: int = 0) -> str:
    """What raised and what lowered what a model says of a row, most first.

    Parameters
    ----------
    values
        The row's factors.
    model
        Title of the model.
    """
    effects = contributions.values[row]
    order = np.argsort(-np.abs(effects), kind="stable")
    least = TOLD * float(np.abs(effects).max(initial=0.0))
    unit = "log-odds" if contributions.scale == "log-odds" else "index units"

    def told(sign: int) -> str:
        found = [
            f"{_named(contributions.factors[at], values[contributions.factors[at]])} ({signed_hundredths(effects[at])})"
            for at in order
            if effects[at] * sign > 0 and abs(effects[at]) > least
        ][:3]
        return ", ".join(found)

    up, down = told(1), told(-1)
    base, output = signed_hundredths(contributions.base), signed_hundredths(contributions.output[row])
    begin = f"{model}: from a base value of {base} to {output} ({unit})."
    raised = f"Raised by {up}." if up else "No factor raised it."
    return f"{begin} {raised} {f'Lowered by {down}.' if down else 'No factor lowered it.'}"


def _named(factor: str, value: object) -> str:
    shown = number_words(float(value)) if isinstance(value, (float, np.floating)) else f"class {value}"
    return f"{factor_words(factor)} {shown}"
