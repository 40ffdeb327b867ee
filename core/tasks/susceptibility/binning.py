"""Factors in classes, as tables and charts of factors count them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.tasks.susceptibility.factors import FLAT_CLASS, SECTORS, sectors

if TYPE_CHECKING:
    from core.tasks.susceptibility.factors import Factors

Doubles = NDArray[np.float64]

BINS = 8
"""Classes that a quantity is cut into, at its quantiles."""


@dataclass(frozen=True)
class Binned:
    """A factor in classes.

    Attributes
    ----------
    names
        Of the classes, in their order.
    of_cell
        (cells,) number of the class of each cell.
    ends
        (classes + 1,) ends of the intervals of a quantity, in its unit: the lower one belongs to the class, the upper
        one to the next, but for the last class. None for classes and directions.
    """

    names: tuple[str, ...]
    of_cell: NDArray[np.intp]
    ends: Doubles | None = None


def binned(values: NDArray[Any], kind: str, bins: int = BINS) -> Binned:
    """A factor in classes: quantities at their quantiles, directions by sector, classes as they are.

    Parameters
    ----------
    kind
        ``"quantity"``, ``"class"`` or ``"direction"``.
    """
    if kind == "class":
        names = sorted(set(values.astype(str)), key=_number_first)
    elif kind == "direction":
        values = sectors(values.astype(np.float64))
        names = [one for one in (*SECTORS, FLAT_CLASS) if one in set(values)]
    else:
        numbers = values.astype(np.float64)
        inner = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1]))
        inner = inner[(inner > numbers.min()) & (inner <= numbers.max())]
        ends = np.array([numbers.min(), *inner, numbers.max()])
        return Binned(interval_names(ends), np.searchsorted(inner, numbers, side="right").astype(np.intp), ends)
    known = {name: at for at, name in enumerate(names)}
    return Binned(tuple(names), np.array([known[str(one)] for one in values], dtype=np.intp))


def interval_names(ends: Doubles) -> tuple[str, ...]:
    """Intervals in words, with as few digits as tell their ends apart; one value stands alone.

    A chart draws classes of one name as one, so that eastings from 652,013 to 652,026 must not both read 6.52e+05.

    Parameters
    ----------
    ends
        (classes + 1,) ends in rising order; only the last two may be equal.
    """
    different = len(set(ends.tolist()))
    whole = len(f"{np.abs(ends).max():.0f}")
    for digits in range(max(4, whole) if whole <= 9 else 4, 18):
        told = [f"{one:.{digits}g}" for one in ends]
        if len(set(told)) == different:
            break
    return tuple(low if low == high else f"{low} to {high}" for low, high in zip(told[:-1], told[1:], strict=True))


def _number_first(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def kind_of_factor(name: str, kinds: Factors) -> str:
    """``"quantity"``, ``"class"`` or ``"direction"``."""
    return "class" if name in kinds.classes else "direction" if name in kinds.circular else "quantity"
