"""SHAP values of models of tables: what each factor adds to what a model says of a row, and that it adds up.

Contributions of a row sum, with a base that is the same for all rows, to what the model says of it. Columns that stem
from one factor (classes, sine and cosine of a direction) are taken together.

References
----------
Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions. NeurIPS 30.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if

if TYPE_CHECKING:
    import pandas as pd

Doubles = NDArray[np.float64]
Scale = Literal["log-odds", "probability", "mm"]
Says = Callable[["pd.DataFrame"], Doubles]

ADDS_UP = 1e-3
"""Largest difference between what contributions come to and what the model says."""

DRAWS = 24
"""Rows of the background that a model is asked with, for models without a quick way; each forwards and backwards."""


@dataclass(frozen=True)
class Contributions:
    """What each factor adds to what a model says of rows.

    Attributes
    ----------
    factors
        Names of the factors.
    values
        (rows, factors) contributions.
    base
        What the model says without knowing any factor.
    output
        (rows,) what the model says of each.
    scale
        Unit of all of it: log-odds, probability, or mm.
    method
        How they were found.
    """

    factors: tuple[str, ...]
    values: Doubles
    base: float
    output: Doubles
    scale: Scale
    method: str

    @property
    def error(self) -> float:
        """Largest difference between what contributions come to and what the model says."""
        if not len(self.output):
            return 0.0
        return float(np.abs(self.base + self.values.sum(axis=1) - self.output).max())

    def checked(self) -> Contributions:
        """These, where they add up.

        Raises
        ------
        ModelError
            When they do not.
        """
        if not self.error <= ADDS_UP * max(1.0, float(np.abs(self.output).max(initial=0.0))):
            raise ModelError(
                f"The contributions by {self.method} do not add up to the model's output (difference "
                f"{self.error:.2g}).",
                "They would not explain this output.", "Choose another model, or report this error.",
            )  # fmt: skip
        return self

    def importance(self) -> tuple[tuple[str, float], ...]:
        """Mean absolute contribution of each factor, the largest first."""
        mean = np.abs(self.values).mean(axis=0)
        return tuple((self.factors[at], float(mean[at])) for at in np.argsort(-mean, kind="stable"))

    def dominant(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """(rows,) number of the factor with the largest contribution either way, and whether it raises what is said."""
        at = np.abs(self.values).argmax(axis=1)
        return at, self.values[np.arange(len(at)), at] > 0


class TableExplainer(Protocol):
    """Explains what one model says of rows."""

    @property
    def quick(self) -> bool:
        """Whether millions of rows can be explained."""

    def explain(
        self, rows: pd.DataFrame, progress: ProgressCallback = ignore, cancel: Cancel = never
    ) -> Contributions:
        """Contributions of all factors to what the model says of rows.

        Raises
        ------
        ModelError
            When they do not add up.
        RunCancelled
            When asked to stop.
        """


@dataclass(frozen=True)
class AdditiveExplainer:
    """Of models whose log-odds are a sum of one term a factor: exact, by varying one factor at a time.

    Attributes
    ----------
    says
        Log-odds of rows.
    factors
        Names of the factors, columns of the rows.
    background
        Rows on whose average contributions are zero.
    """

    says: Says
    factors: tuple[str, ...]
    background: pd.DataFrame
    quick: bool = True

    def explain(
        self, rows: pd.DataFrame, progress: ProgressCallback = ignore, cancel: Cancel = never
    ) -> Contributions:
        """See `TableExplainer`."""
        reference = self.background.iloc[:1]
        values = np.empty((len(rows), len(self.factors)))
        for number, factor in enumerate(self.factors):
            stop_if(cancel)
            progress(number, len(self.factors))
            values[:, number] = self._alone(factor, rows, reference)
            values[:, number] -= float(self._alone(factor, self.background, reference).mean())
        base = float(self.says(self.background).mean())
        progress(len(self.factors), len(self.factors))
        return Contributions(
            self.factors, values, base, self.says(rows), "log-odds", "exact: one term per factor"
        ).checked()

    def _alone(self, factor: str, rows: pd.DataFrame, reference: pd.DataFrame) -> Doubles:
        """What the model says where only this factor differs from the reference."""
        import pandas as pd

        # Each value is asked about once: classes and measured values repeat.
        known, inverse = np.unique(rows[factor].to_numpy(), return_inverse=True)
        asked = pd.DataFrame({
            name: known if name == factor else np.repeat(reference[name].to_numpy(), len(known))
            for name in reference.columns
        })  # fmt: skip
        return np.asarray(self.says(asked)[inverse.ravel()], dtype=np.float64)


@dataclass(frozen=True)
class SamplingExplainer:
    """Of any model: Shapley values by drawn orders of the factors, each against a row of the background.

    A row is turned into a row of the background one factor after the other, and back in the opposite order; what
    changes at each step is the factor's. Contributions add up exactly to what the model says less its mean over those
    rows; each of them has an error that falls with the number of rows.

    Attributes
    ----------
    says
        Probability of rows.
    factors
        Names of the factors, columns of the rows.
    background
        Rows to draw from.
    seed
        Of what is drawn.
    """

    says: Says
    factors: tuple[str, ...]
    background: pd.DataFrame
    seed: int = 0
    quick: bool = False

    def explain(
        self, rows: pd.DataFrame, progress: ProgressCallback = ignore, cancel: Cancel = never
    ) -> Contributions:
        """See `TableExplainer`."""
        rng = np.random.default_rng(self.seed)
        drawn = self.background.iloc[rng.permutation(len(self.background))[:DRAWS]]
        values, output = np.zeros((len(rows), len(self.factors))), self.says(rows)
        base = float(self.says(drawn).mean())
        for number in range(len(drawn)):
            stop_if(cancel)
            progress(number, len(drawn))
            order = rng.permutation(len(self.factors))
            for turn in (order, order[::-1]):
                mixed = drawn.iloc[[number] * len(rows)].reset_index(drop=True)
                before = self.says(mixed)
                for at in turn:
                    mixed[self.factors[at]] = rows[self.factors[at]].to_numpy()
                    after = self.says(mixed)
                    values[:, at] += after - before
                    before = after
        progress(len(drawn), len(drawn))
        values /= 2 * len(drawn)
        method = f"sampled: {2 * len(drawn)} orders of the factors"
        return Contributions(self.factors, values, base, output, "probability", method).checked()


def partner(contributions: Contributions, rows: pd.DataFrame, factor: str) -> str:
    """The factor whose values go best with what is left of a factor's contribution at like values of itself.

    Contributions are compared among rows that lie next to each other by the factor; the partner is that whose ranks
    correlate most with what differs there.
    """
    from scipy.stats import rankdata

    at = contributions.factors.index(factor)
    effect = contributions.values[:, at]
    own = _ranked(rows[factor])
    order = np.argsort(own, kind="stable")
    group = np.arange(len(order)) // max(8, len(order) // 20)
    left = np.empty(len(order))
    left[order] = effect[order] - _group_means(effect[order], group)
    best, found = -1.0, factor
    for other in contributions.factors:
        if other == factor or np.ptp(left) == 0:
            continue
        ranks = rankdata(_ranked(rows[other]))
        within = np.empty(len(order))
        within[order] = ranks[order] - _group_means(ranks[order], group)
        spread = float(np.linalg.norm(within) * np.linalg.norm(left))
        fits = abs(float(within @ left)) / spread if spread else 0.0
        if fits > best:
            best, found = fits, other
    return found


def _ranked(column: pd.Series[Any]) -> Doubles:
    """Values as numbers: classes by their order of name."""
    values = column.to_numpy()
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.float64)


def _group_means(values: Doubles, group: NDArray[np.intp]) -> Doubles:
    return np.asarray((np.bincount(group, values) / np.bincount(group))[group])


@dataclass(frozen=True)
class TableDeletion:
    """What becomes of what a model says when factors are replaced, the most contributing first, or in any order.

    Attributes
    ----------
    guided, random
        (factors + 1,) mean absolute change after each factor.
    """

    guided: Doubles
    random: Doubles

    @property
    def guided_area(self) -> float:
        """Mean change along the way; the larger the sooner."""
        return float(self.guided[1:].mean())

    @property
    def random_area(self) -> float:
        """The same in a random order."""
        return float(self.random[1:].mean())


def deletion(
    says: Says, rows: pd.DataFrame, values: Doubles, factors: Sequence[str], background: pd.DataFrame, seed: int = 0
) -> TableDeletion:
    """Replace factors by those of other rows in the order of their contributions, and at random.

    Parameters
    ----------
    says
        Log-odds or probability of rows.
    values
        (rows, factors) contributions.
    background
        Rows that take the place.
    """
    rng = np.random.default_rng(seed)
    other = background.iloc[rng.integers(len(background), size=len(rows))].reset_index(drop=True)
    by_size = np.argsort(-np.abs(values), axis=1)
    shuffled = rng.permuted(np.broadcast_to(np.arange(len(factors)), values.shape).copy(), axis=1)
    plain = rows.reset_index(drop=True)
    begin = says(plain)
    curves = []
    for order in (by_size, shuffled):
        mixed, changes = plain.copy(), [0.0]
        for step in range(len(factors)):
            for at, factor in enumerate(factors):
                where = order[:, step] == at
                if where.any():
                    mixed.loc[where, factor] = other.loc[where, factor]
            changes.append(float(np.abs(says(mixed) - begin).mean()))
        curves.append(np.array(changes))
    return TableDeletion(*curves)
