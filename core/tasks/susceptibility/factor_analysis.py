"""Looking at factors before trusting a model: how landslides prefer their classes, and which of them say the same.

References
----------
Correlation above 0.7 as a limit: Dormann et al. (2013). Collinearity. Ecography 36, 27-46.
doi:10.1111/j.1600-0587.2012.07348.x. Cramér's V without its bias: Bergsma, W. (2013). Journal of the Korean Statistical
Society 42, 323-328. doi:10.1016/j.jkss.2012.10.002. Correlation with a direction: Mardia, K. V. and Jupp, P. E. (2000).
Directional Statistics, section 11.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.learning.roc import auroc
from core.tasks.susceptibility.binning import BINS, binned, kind_of_factor
from core.tasks.susceptibility.bivariate import ClassWeights
from core.tasks.susceptibility.factors import sectors
from core.wording import factor_words

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.susceptibility.factors import Factors

Doubles = NDArray[np.float64]

CORRELATED = 0.7
INFLATED = 10.0
"""Variance inflation factor from which on effects can hardly be told apart."""


def class_table(
    factors: pd.DataFrame, landslide: NDArray[np.bool_], kinds: Factors, bins: int = BINS
) -> pd.DataFrame:
    """How landslides are spread over the classes of every factor: one row a class.

    Returns
    -------
    pandas.DataFrame
        ``factor``, ``class``, ``low`` and ``high`` (ends of a quantity's interval in its unit; NaN for classes and
        directions), ``cells``, ``landslides``, ``share_of_cells``, ``share_of_landslides``,
        ``frequency_ratio``, ``information_value``, ``weight_plus``, ``weight_minus``, ``contrast``, ``contrast_sd``
        and ``studentised``; see `core.tasks.susceptibility.bivariate.ClassWeights`.
    """
    import pandas as pd

    parts = []
    for name in map(str, factors.columns):
        found = binned(factors[name].to_numpy(), kind_of_factor(name, kinds), bins)
        cells = np.bincount(found.of_cell, minlength=len(found.names)).astype(float)
        slides = np.bincount(found.of_cell[landslide], minlength=len(found.names)).astype(float)
        parts.append(weights_table(name, found.names, cells, slides, found.ends))
    return pd.concat(parts, ignore_index=True)


def weights_table(
    name: str, classes: tuple[str, ...], cells: Doubles, slides: Doubles, ends: Doubles | None = None
) -> pd.DataFrame:
    """The rows of `class_table` of one factor, from counts of cells and of those with a landslide by class."""
    import pandas as pd

    weights = ClassWeights(cells, slides)
    contrast, deviation = weights.contrast, weights.contrast_deviation
    return pd.DataFrame({
        "factor": name, "class": list(classes), "low": math.nan if ends is None else ends[:-1],
        "high": math.nan if ends is None else ends[1:], "cells": cells.astype(int), "landslides": slides.astype(int),
        "share_of_cells": cells / cells.sum(), "share_of_landslides": slides / slides.sum(),
        "frequency_ratio": weights.frequency_ratio, "information_value": weights.information_value,
        "weight_plus": weights.positive, "weight_minus": weights.negative, "contrast": contrast,
        "contrast_sd": deviation, "studentised": contrast / deviation,
    })  # fmt: skip


def single_auroc(values: NDArray[Any], landslide: NDArray[np.bool_], kind: str) -> float:
    """AUROC of a factor alone, whichever way it points; of classes and directions by their frequency ratios.

    Of classes it is of the cells that the ratios were counted on, and so somewhat high.
    """
    if kind == "quantity":
        found = auroc(landslide, values.astype(np.float64))
        return max(found, 1 - found)
    classes = binned(values, kind)
    cells = np.bincount(classes.of_cell, minlength=len(classes.names)).astype(float)
    slides = np.bincount(classes.of_cell[landslide], minlength=len(classes.names)).astype(float)
    return auroc(landslide, ClassWeights(cells, slides).frequency_ratio[classes.of_cell])


@dataclass(frozen=True)
class Alone:
    """How well a factor by itself tells landslides from other cells.

    Attributes
    ----------
    auroc
        See `single_auroc`.
    points
        ``"higher"`` where landslides lie at higher values, ``"lower"`` at lower ones; empty for classes and directions.
    cramers_v
        Of classes and sectors with the label; NaN for quantities.
    """

    auroc: float
    points: str
    cramers_v: float


def alone(values: NDArray[Any], landslide: NDArray[np.bool_], kind: str) -> Alone:
    """How well a factor by itself tells landslides from other cells."""
    found = single_auroc(values, landslide, kind)
    if kind == "quantity":
        rising = auroc(landslide, values.astype(np.float64)) >= 0.5
        return Alone(found, "higher" if rising else "lower", math.nan)
    return Alone(found, "", cramers_v(binned(values, kind).of_cell, landslide))


def association(factors: pd.DataFrame, kinds: Factors) -> pd.DataFrame:
    """How far each two factors say the same, from 0 to 1; of two quantities with their sign.

    Two quantities by Pearson's correlation; two classes by Cramér's V without its bias; a class and a quantity by the
    correlation ratio; a direction and a quantity by Mardia's correlation with sine and cosine; a direction and a class
    by Cramér's V of its sectors; two directions by the larger correlation of their sines and cosines.

    Returns
    -------
    pandas.DataFrame
        Square, named by the factors.
    """
    import pandas as pd

    names = list(map(str, factors.columns))
    found = np.eye(len(names))
    for i, one in enumerate(names):
        for j in range(i):
            found[i, j] = found[j, i] = _associated(factors, one, names[j], kinds)
    return pd.DataFrame(found, index=names, columns=names)


def _associated(factors: pd.DataFrame, one: str, other: str, kinds: Factors) -> float:
    first, second = sorted((one, other), key=lambda name: kind_of_factor(name, kinds))
    pair = kind_of_factor(first, kinds), kind_of_factor(second, kinds)
    a, b = factors[first].to_numpy(), factors[second].to_numpy()
    if pair == ("quantity", "quantity"):
        return _correlation(a.astype(float), b.astype(float))
    if pair == ("class", "quantity"):
        return correlation_ratio(b.astype(float), a)
    if pair == ("direction", "quantity"):
        return _with_direction(b.astype(float), a.astype(float))
    if pair == ("direction", "direction"):
        parts = [(np.sin, np.sin), (np.sin, np.cos), (np.cos, np.sin), (np.cos, np.cos)]
        turned = np.radians(a.astype(float)), np.radians(b.astype(float))
        return max(abs(_correlation(f(turned[0]), g(turned[1]))) for f, g in parts)
    b = sectors(b.astype(float)) if pair[1] == "direction" else b
    return cramers_v(a, b)


def _correlation(a: Doubles, b: Doubles) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _with_direction(quantity: Doubles, degrees: Doubles) -> float:
    """Multiple correlation of a quantity with sine and cosine of a direction (Mardia and Jupp 2000)."""
    known = degrees >= 0
    if known.sum() < 3:
        return 0.0
    turned, values = np.radians(degrees[known]), quantity[known]
    c, s = _correlation(values, np.cos(turned)), _correlation(values, np.sin(turned))
    cs = _correlation(np.cos(turned), np.sin(turned))
    if abs(cs) > 1 - 1e-12:
        return abs(c)
    return math.sqrt(max(0.0, (c * c + s * s - 2 * c * s * cs) / (1 - cs * cs)))


def cramers_v(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Cramér's V of two factors of classes, without its bias (Bergsma 2013); 0 for independent, 1 for the same."""
    rows, columns = (np.unique(one.astype(str), return_inverse=True) for one in (a, b))
    counts = np.zeros((len(rows[0]), len(columns[0])))
    np.add.at(counts, (rows[1], columns[1]), 1)
    n, (r, k) = counts.sum(), counts.shape
    if min(r, k) < 2 or n < 2:
        return 0.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    phi = float(((counts - expected) ** 2 / expected).sum()) / n
    corrected = max(0.0, phi - (k - 1) * (r - 1) / (n - 1))
    sides = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return math.sqrt(corrected / (min(sides) - 1)) if min(sides) > 1 else 0.0


def correlation_ratio(quantity: Doubles, classes: NDArray[Any]) -> float:
    """Root of the share of a quantity's variance that lies between classes."""
    _, of_cell = np.unique(classes.astype(str), return_inverse=True)
    counts = np.bincount(of_cell)
    means = np.bincount(of_cell, quantity) / counts
    total = float(((quantity - quantity.mean()) ** 2).sum())
    return math.sqrt(float((counts * (means - quantity.mean()) ** 2).sum()) / total) if total else 0.0


def vif(factors: pd.DataFrame, kinds: Factors) -> dict[str, float]:
    """Variance inflation factor of each factor but classes: 1/(1 − R²) of it by all the others.

    Of a direction the larger one of its sine and cosine; classes enter the others as columns of zeros and ones.
    Infinite where a factor follows from the others.
    """
    columns: dict[str, list[Doubles]] = {}
    for name in map(str, factors.columns):
        values, kind = factors[name].to_numpy(), kind_of_factor(name, kinds)
        if kind == "quantity":
            columns[name] = [values.astype(float)]
        elif kind == "direction":
            turned, known = np.radians(values.astype(float)), values.astype(float) >= 0
            columns[name] = [np.where(known, np.sin(turned), 0.0), np.where(known, np.cos(turned), 0.0)]
        else:
            columns[name] = [(values.astype(str) == one).astype(float) for one in sorted(set(values.astype(str)))[1:]]
    found = {}
    for name in columns:
        if name in kinds.classes:
            continue
        others = [one for other, parts in columns.items() if other != name for one in parts]
        found[name] = max(_inflation(one, others) for one in columns[name])
    return found


def _inflation(column: Doubles, others: list[Doubles]) -> float:
    spread = column - column.mean()
    total = float(spread @ spread)
    if not others or total == 0:
        return 1.0
    matrix = np.column_stack([np.ones(len(column)), *[(one - one.mean()) / (one.std() or 1.0) for one in others]])
    left = column - matrix @ np.linalg.lstsq(matrix, column, rcond=None)[0]
    unexplained = float(left @ left) / total
    return math.inf if unexplained < 1e-10 else 1 / unexplained


def advice(factors: pd.DataFrame, landslide: NDArray[np.bool_], kinds: Factors) -> tuple[str, ...]:
    """Which factors say the same, and which of two might be left out: that which alone tells landslides apart less."""
    alone = {
        name: single_auroc(factors[name].to_numpy(), landslide, kind_of_factor(name, kinds))
        for name in map(str, factors.columns)
    }
    table, found = association(factors, kinds), []
    names, matrix = list(table.columns), table.to_numpy(dtype=np.float64)
    for i, one in enumerate(names):
        for j, other in enumerate(names[:i]):
            value = float(matrix[i, j])
            if abs(value) > CORRELATED:
                less, more = sorted((one, other), key=alone.__getitem__)
                found.append(
                    f"{factor_words(one)} and {factor_words(other)} are strongly associated ({value:+.2f}, limit "
                    f"{CORRELATED}): consider leaving out {factor_words(less)}, which by itself separates landslides "
                    f"less well (AUROC {alone[less]:.2f}; {factor_words(more)} {alone[more]:.2f})."
                )
    for name, value in vif(factors, kinds).items():
        if value > INFLATED:
            told = (
                "can be derived from the other factors"
            ) if math.isinf(value) else f"has a variance inflation factor of {value:.1f}"
            found.append(
                f"{factor_words(name)} {told} (limit {INFLATED:g}): its effect can hardly be separated from that of "
                "the other factors."
            )
    return tuple(found)
