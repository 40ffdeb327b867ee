"""Dividing a susceptibility index into classes, and what each class holds of the area and of the landslides.

All of it is counted from histograms of the 255 codes of an index (0 to 254 for 0 to 1), so that no raster is read.

References
----------
Natural breaks: Fisher, W. D. (1958). On grouping for maximum homogeneity. Journal of the American Statistical
Association 53, 789-798. doi:10.1080/01621459.1958.10501479; Jenks, G. F. (1967). The data model concept in statistical
mapping. International Yearbook of Cartography 7, 186-190.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.metrics import CODES, threshold_code

if TYPE_CHECKING:
    from core.tasks.susceptibility.view import Method

Counts = NDArray[np.int64]
Doubles = NDArray[np.float64]

NAMES = ("very low", "low", "moderate", "high", "very high")
"""Five classes from the lowest."""

HELD = (0.5, 0.25, 0.15, 0.07)
"""Shares of the landslides that classes hold by ``"landslides"``, from the highest down; the lowest has the rest."""

DEVIATIONS = (-1.5, -0.5, 0.5, 1.5)
"""Standard deviations from the mean at which the classes part by ``"deviation"``."""


def breaks_of(
    method: Method, area: Counts, hits: Counts, classes: int = 5, given: Sequence[float] = ()
) -> tuple[int, ...]:
    """Codes at which the classes of an index part.

    Parameters
    ----------
    method
        ``"jenks"``: least variance within classes; ``"quantile"``: equal areas; ``"equal"``: equal intervals from the
        lowest to the highest index of the area; ``"deviation"``: see `DEVIATIONS`; ``"landslides"``: see `HELD`;
        ``"given"``.
    area, hits
        (255,) cells of the area, and those of them with a landslide, by code.
    classes
        How many; those by deviation and landslides are five.
    given
        Inner breaks between 0 and 1, ascending, for ``"given"``.

    Returns
    -------
    tuple of int
        First code of each class but the lowest, ascending. Fewer than asked where the index has too few values, or, by
        deviation, where a class would lie beyond all of them; those given are kept where they are.

    Raises
    ------
    InputError
        When the index has no value, there are no landslides to divide by, or no breaks are given.
    """
    codes = np.flatnonzero(area)
    if not len(codes):
        raise InputError("The index has no values.", "It cannot be classified.", (
            "Choose another model or other factors."
        ))
    if len(codes) == 1:
        return ()
    if method == "given":
        if not given:
            raise InputError("No class breaks were given.", remedy="Give them, such as 0.2,0.4,0.6,0.8 (--breaks).")
        return tuple(sorted({max(1, threshold_code(one)) for one in given}))
    if method == "jenks":
        found = jenks(area, classes)
    elif method == "quantile":
        found = _where_reached(area, np.arange(1, classes) / classes, codes)
    elif method == "equal":
        found = [math.ceil(one) for one in np.linspace(codes[0], codes[-1] + 1, classes + 1)[1:-1]]
    elif method == "deviation":
        mean = float(np.average(np.arange(CODES), weights=area))
        spread = math.sqrt(float(np.average((np.arange(CODES) - mean) ** 2, weights=area)))
        found = [math.ceil(mean + one * spread) for one in DEVIATIONS]
    else:
        if not hits.sum():
            raise InputError("There are no landslides on the map from which to derive classes.", remedy=(
                "Choose another classification."
            ))
        below = 1 - np.cumsum(HELD)[::-1]
        found = _where_reached(hits, below, codes)
    return tuple(sorted({one for one in found if codes[0] < one <= codes[-1]}))


def _where_reached(counts: Counts, shares: Doubles, codes: NDArray[np.intp]) -> list[int]:
    """Codes below which given shares lie, as nearly as whole codes allow; some of the area lies to both sides."""
    first = int(codes[0]) + 1
    below = (np.cumsum(counts) / counts.sum())[first - 1 : codes[-1]]
    return [first + int(np.abs(below - share).argmin()) for share in shares]


def jenks(counts: Counts, classes: int) -> list[int]:
    """Breaks with the least sum of squared deviations within classes, exact.

    Parameters
    ----------
    counts
        (values,) how often each whole number from 0 occurs.
    classes
        How many; fewer where there are fewer values.

    Returns
    -------
    list of int
        First value of each class but the lowest.
    """
    values = np.flatnonzero(counts)
    weight = counts[values].astype(np.float64)
    classes = min(classes, len(values))
    sums = [np.concatenate([[0.0], np.cumsum(weight * values**power)]) for power in (0, 1, 2)]

    def within(first: Counts, last: int) -> Doubles:
        """Sum of squared deviations of values `first` to before `last`."""
        n, total, squares = (one[last] - one[first] for one in sums)
        return np.asarray(squares - total**2 / n)

    count = len(values)
    best = np.concatenate([[0.0], [float(within(np.array([0]), last)[0]) for last in range(1, count + 1)]])
    begins = np.zeros((classes, count + 1), np.int64)
    for number in range(1, classes):
        following = np.full(count + 1, np.inf)
        for last in range(number + 1, count + 1):
            first = np.arange(number, last)
            costs = best[first] + within(first, last)
            at = int(costs.argmin())
            following[last], begins[number, last] = costs[at], first[at]
        best = following
    found, end = [], count
    for number in range(classes - 1, 0, -1):
        end = int(begins[number, end])
        found.append(int(values[end]))
    return found[::-1]


@dataclass(frozen=True)
class ClassRow:
    """A class of an index.

    Attributes
    ----------
    name
        Such as ``"high"``.
    low, high
        Index from which and up to which it reaches.
    cells, square_metres, share
        Its cells, their area, and its share of the mapped area.
    hits, share_of_hits
        Its cells with a landslide, and its share of all of them; NaN without any.
    """

    name: str
    low: float
    high: float
    cells: int
    square_metres: float
    share: float
    hits: int
    share_of_hits: float

    @property
    def density(self) -> float:
        """Share of its cells with a landslide; NaN without cells."""
        return self.hits / self.cells if self.cells else math.nan

    @property
    def frequency_ratio(self) -> float:
        """Share of the landslides over share of the area; 1 is average."""
        return self.share_of_hits / self.share if self.share else math.nan


def class_names(count: int) -> tuple[str, ...]:
    """Names of so many classes, the lowest first."""
    if count == len(NAMES):
        return NAMES
    return tuple(f"class {number}" for number in range(1, count + 1))


def class_rows(breaks: Sequence[int], area: Counts, square_metres: Doubles, hits: Counts) -> tuple[ClassRow, ...]:
    """What each class holds, the lowest first.

    Parameters
    ----------
    breaks
        As `breaks_of` gives them.
    area, square_metres, hits
        (255,) cells, their area, and those of them with a landslide, by code.
    """
    edges = [0, *breaks, CODES]
    rows = []
    for name, low, high in zip(class_names(len(edges) - 1), edges[:-1], edges[1:], strict=True):
        within = slice(low, high)
        cells, held = int(area[within].sum()), int(hits[within].sum())
        metres = float(square_metres[within].sum())
        share_of_hits = held / int(hits.sum()) if hits.sum() else math.nan
        top = 1.0 if high == CODES else high / (CODES - 1)
        rows.append(ClassRow(
            name, low / (CODES - 1), top, cells, metres, metres / float(square_metres.sum()), held, share_of_hits,
        ))  # fmt: skip
    return tuple(rows)


def order_note(rows: Sequence[ClassRow]) -> str:
    """What is to be said where a higher class holds fewer landslides for its area than a lower one; empty otherwise."""
    known = [(row.name, row.frequency_ratio) for row in rows if not math.isnan(row.frequency_ratio)]
    turned = [
        f"{high} ({b:.2f}) below {low} ({a:.2f})"
        for (low, a), (high, b) in zip(known[:-1], known[1:], strict=True)
        if b < a
    ]
    if not turned:
        return ""
    return f"Landslide density does not increase with every class (frequency ratio): {'; '.join(turned)}."
