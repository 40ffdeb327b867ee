"""Success-rate and prediction-rate curves: how many landslides lie in how much of the area, highest index first.

References
----------
Chung, C.-J. F. and Fabbri, A. G. (2003). Validation of spatial prediction models for landslide hazard mapping. Natural
Hazards 30, 451-472. doi:10.1023/B:NHAZ.0000007172.62651.2b
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from core.tasks.susceptibility.map_result import SusceptibilityMap

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class RateCurve:
    """Shares from the highest index down.

    Attributes
    ----------
    area, hits
        (points,) share of the area, and of the landslides that lie in it; both from 0 to 1. Between points it is a
        straight line, and where one share of the area stands twice it is a step.
    """

    area: Doubles
    hits: Doubles

    @property
    def under(self) -> float:
        """Area under the curve; 0.5 is chance."""
        return float(np.trapezoid(self.hits, self.area))

    def held_in(self, share: float) -> float:
        """Share of the landslides in a share of the area with the highest index."""
        after = int(np.searchsorted(self.area, share, side="right"))
        if after == len(self.area) or self.area[after - 1] == share:
            return float(self.hits[after - 1])
        (left, right), (low, high) = self.area[after - 1 : after + 1], self.hits[after - 1 : after + 1]
        return float(low + (high - low) * (share - left) / (right - left))


def success_rate(square_metres: Doubles, hits: NDArray[np.int64]) -> RateCurve | None:
    """The curve of landslides on a map, most of which the model has seen; None without any.

    Parameters
    ----------
    square_metres, hits
        (255,) area, and cells with a landslide, by code.
    """
    if not hits.sum() or not square_metres.sum():
        return None

    def from_the_top(counts: Doubles) -> Doubles:
        return np.concatenate([[0.0], np.cumsum(counts[::-1]) / counts.sum()])

    return RateCurve(from_the_top(square_metres), from_the_top(hits.astype(np.float64)))


def prediction_rate(ranks: Doubles) -> RateCurve | None:
    """The curve of landslides that the model asked about them has not seen; None without any.

    A step a landslide, so that the area under it is one less the mean rank, whatever their number.

    Parameters
    ----------
    ranks
        (landslides,) share of the area that the model which has not seen a landslide puts above it.
    """
    if not len(ranks):
        return None
    at = np.sort(ranks)
    hits = np.arange(len(at) + 1) / len(at)
    return RateCurve(np.concatenate([[0.0], np.repeat(at, 2), [1.0]]), np.repeat(hits, 2))


def curves_of(result: SusceptibilityMap, at: int = 0) -> dict[str, RateCurve]:
    """The curves of a map by their names, those that there are.

    Parameters
    ----------
    at
        Number of the model among those that are mapped; only the first was asked about landslides not seen.
    """
    found = {
        "Success rate: all landslides": success_rate(result.square_metres[at], result.hits[at]),
        "Prediction rate: landslides not used for training": prediction_rate(result.ranks) if at == 0 else None,
    }
    return {name: one for name, one in found.items() if one is not None}
