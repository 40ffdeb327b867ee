"""A model's simple twin: a small tree fitted to what the model says, with how well it stands in for it.

References
----------
Craven, M. W. and Shavlik, J. W. (1996). Extracting tree-structured representations of trained networks. NeurIPS 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.roc import auroc

if TYPE_CHECKING:
    import pandas as pd

    from core.explain.tabular import Doubles

DEPTH = 4
"""Questions one after the other, at most."""

LEAST = 0.02
"""Smallest share of the rows that a rule is made for."""

WORTH = 1e-3
"""Share of the variance that a question has to explain to be asked."""

HELD_BACK = 1 / 3
"""Share of the rows that the tree is not fitted on, and its fidelity is measured on."""

FEWEST = 60
"""Rows below which nothing can be said of fidelity."""


@dataclass(frozen=True)
class Rule:
    """One leaf of the tree.

    Attributes
    ----------
    conditions
        What holds of its rows, in words, one a factor and side.
    says
        Mean of what the model says of its rows.
    share
        Of the rows that the tree was fitted on.
    """

    conditions: tuple[str, ...]
    says: float
    share: float

    def __str__(self) -> str:
        return " and ".join(self.conditions) or "everywhere"


@dataclass(frozen=True)
class Twin:
    """A small tree that says nearly what a model says.

    Attributes
    ----------
    rules
        Its leaves, the highest first; every row is in one of them.
    fidelity
        R² of what it says against what the model says, on rows that it was not fitted on; None where the model says
        the same of all of them.
    ranks
        Spearman's correlation of both on these rows; None where either says the same of all of them.
    model_auroc, twin_auroc
        How well each tells the labels of these rows apart; None without labels of both kinds.
    fitted_on, held_back
        Numbers of rows.
    """

    rules: tuple[Rule, ...]
    fidelity: float | None
    ranks: float | None
    model_auroc: float | None
    twin_auroc: float | None
    fitted_on: int
    held_back: int


def twin_of(
    rows: pd.DataFrame, output: Doubles, labels: NDArray[np.bool_] | None = None, depth: int = DEPTH, seed: int = 0
) -> Twin:
    """Fit a small tree to what a model says.

    Parameters
    ----------
    rows
        Factors. Numbers are quantities; all else are classes, so a direction is given as its sector.
    output
        (rows,) what the model says of them.
    labels
        (rows,) what is true of them, where it is known.
    depth
        Questions one after the other, 1 to `DEPTH`.
    seed
        Of the rows that are held back.

    Raises
    ------
    InputError
        When there are fewer than `FEWEST` rows, or the tree would be no small one.
    """
    from sklearn.tree import DecisionTreeRegressor

    if not 1 <= depth <= DEPTH:
        raise InputError(f"A surrogate tree of depth {depth} is not readable.", remedy=f"Choose 1 to {DEPTH}.")
    if len(rows) < FEWEST:
        raise InputError(
            f"A surrogate tree needs {FEWEST} cells; there are {len(rows)}.", remedy="Explain the model for more cells."
        )
    columns, design = _design(rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    held, kept = np.split(order, [round(HELD_BACK * len(rows))])
    tree = DecisionTreeRegressor(
        max_depth=depth, min_samples_leaf=LEAST, random_state=seed,
        min_impurity_decrease=WORTH * float(output[kept].var()),
    )  # fmt: skip
    tree.fit(design[kept], output[kept])
    said, model = tree.predict(design[held]), output[held]
    known = labels is not None and 0 < labels[held].sum() < len(held)
    return Twin(
        tuple(sorted(_rules(tree.tree_, columns), key=lambda rule: -rule.says)), _fidelity(model, said),
        _ranks(model, said), auroc(labels[held], model) if labels is not None and known else None,
        auroc(labels[held], said) if labels is not None and known else None, len(kept), len(held),
    )  # fmt: skip


@dataclass(frozen=True)
class _Column:
    """A column of the design: a quantity, or whether a factor is of a class."""

    factor: str
    is_class: str | None = None


def _design(rows: pd.DataFrame) -> tuple[list[_Column], Doubles]:
    columns, found = [], []
    for name in map(str, rows.columns):
        values = rows[name].to_numpy()
        if values.dtype.kind in "fiu":
            columns.append(_Column(name))
            found.append(values.astype(np.float64))
            continue
        texts = values.astype(str)
        for one in np.unique(texts).tolist():
            columns.append(_Column(name, one))
            found.append((texts == one).astype(np.float64))
    return columns, np.column_stack(found)


def _rules(tree: Any, columns: Sequence[_Column]) -> Iterator[Rule]:  # noqa: ANN401  scikit-learn's own
    """Leaves, with the conditions on the way to each."""
    waiting: list[tuple[int, tuple[tuple[_Column, float, bool], ...]]] = [(0, ())]
    while waiting:
        node, path = waiting.pop()
        if tree.children_left[node] < 0:
            share = float(tree.n_node_samples[node] / tree.n_node_samples[0])
            yield Rule(_told(path), float(tree.value[node].ravel()[0]), share)
            continue
        column, threshold = columns[tree.feature[node]], float(tree.threshold[node])
        waiting.append((int(tree.children_left[node]), (*path, (column, threshold, False))))
        waiting.append((int(tree.children_right[node]), (*path, (column, threshold, True))))


def _told(path: Sequence[tuple[_Column, float, bool]]) -> tuple[str, ...]:
    """Conditions in words; of several limits of a quantity the narrowest, of a class what it is where that is known."""
    told = []
    for factor in dict.fromkeys(column.factor for column, _, _ in path):
        own, name = [step for step in path if step[0].factor == factor], factor.replace("_", " ")
        below = [threshold for column, threshold, above in own if column.is_class is None and not above]
        beyond = [threshold for column, threshold, above in own if column.is_class is None and above]
        told += [f"{name} > {max(beyond):.4g}"] if beyond else []
        told += [f"{name} ≤ {min(below):.4g}"] if below else []
        this = [column.is_class for column, _, above in own if column.is_class is not None and above]
        other = [column.is_class for column, _, above in own if column.is_class is not None and not above]
        if this:
            told.append(f"{name} is {this[0]}")
        elif other:
            told.append(f"{name} is not {' or '.join(other)}")
    return tuple(told)


def _fidelity(model: Doubles, twin: Doubles) -> float | None:
    spread = float(np.square(model - model.mean()).sum())
    return 1 - float(np.square(model - twin).sum()) / spread if np.ptp(model) > 0 else None


def _ranks(model: Doubles, twin: Doubles) -> float | None:
    from scipy.stats import spearmanr

    if np.ptp(model) == 0 or np.ptp(twin) == 0:
        return None
    return float(spearmanr(model, twin).statistic)
