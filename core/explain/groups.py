"""SHAP values of groups of features: exact for any model, by asking it about every combination of the groups.

What a model says of a row with some groups known is the mean over rows of a background that lend it the others. Each
group is given its Shapley value of that game; with the base, the mean of what is said of the background, they sum to
what the model says of the row.

References
----------
Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions. NeurIPS 30. Jullum, M. et
al. (2021). groupShapley: efficient prediction explanation with Shapley values for feature groups. arXiv:2106.12228.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.explain.tabular import Contributions, Doubles, Scale
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.wording import count

MOST_GROUPS = 10
"""Groups of a game: the model is asked about two to the power of them combinations."""

AT_ONCE = 20_000
"""Rows that a model is asked about at once."""

Says = Callable[[NDArray[np.float64]], Doubles]


def group_contributions(
    says: Says, rows: Doubles, groups: Sequence[str], background: Doubles, scale: Scale,
    progress: ProgressCallback = ignore, cancel: Cancel = never,
) -> Contributions:  # fmt: skip
    """Divide what a model says of rows among groups of features.

    Parameters
    ----------
    says
        ``(n, features) -> (n,)``.
    rows
        ``(n, features)``; NaN where unknown, if the model takes that.
    groups
        Of each feature, the group that it belongs to.
    background
        ``(b, features)`` rows that it is compared with.
    scale
        Unit of what is said.

    Raises
    ------
    InputError
        When there are more than `MOST_GROUPS` groups, or no background.
    ModelError
        When the contributions do not add up.
    RunCancelled
        When asked to stop.
    """
    names = tuple(dict.fromkeys(groups))
    if len(names) > MOST_GROUPS:
        raise InputError(f"{len(names)} groups of features are too many to separate; the limit is {MOST_GROUPS}.",
                         remedy="Use fewer kinds of drivers.")  # fmt: skip
    if not len(background):
        raise InputError("No other forecast is available for comparison.", remedy="Choose another model.")
    member = np.array([names.index(one) for one in groups])
    worth = np.empty((2 ** len(names), len(rows)))
    for coalition in range(len(worth)):
        stop_if(cancel)
        progress(coalition, len(worth))
        known = np.array([bool(coalition >> one & 1) for one in member])
        worth[coalition] = _mean_said(says, rows, background, known)
    progress(len(worth), len(worth))
    base, output = float(worth[0].mean()) if len(rows) else math.nan, worth[-1]
    values = np.column_stack([_shapley(worth, one, len(names)) for one in range(len(names))])
    method = f"exact Shapley values of {count(len(names), 'group')} against {count(len(background), 'row')}"
    return Contributions(names, values, base, output, scale, method).checked()


def _mean_said(says: Says, rows: Doubles, background: Doubles, known: NDArray[np.bool_]) -> Doubles:
    """``(n,)`` mean of what is said of each row, its unknown features lent by each row of the background."""
    if known.all():
        return says(rows)
    if not known.any():
        return np.full(len(rows), float(says(background).mean()))
    found = np.empty(len(rows))
    size = max(1, AT_ONCE // len(background))
    for begin in range(0, len(rows), size):
        part = rows[begin : begin + size]
        mixed = np.where(known, part[:, None, :], background[None, :, :])
        found[begin : begin + size] = says(mixed.reshape(-1, rows.shape[1])).reshape(len(part), -1).mean(axis=1)
    return found


def _shapley(worth: Doubles, one: int, count: int) -> Doubles:
    """``(n,)`` Shapley value of a group: its mean addition over all orders in which groups become known."""
    total = np.zeros(worth.shape[1])
    for coalition in range(len(worth)):
        if coalition >> one & 1:
            continue
        size = coalition.bit_count()
        weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
        total += weight * (worth[coalition | 1 << one] - worth[coalition])
    return total
