"""The classical methods that weigh each class of each factor by the landslides in it.

Quantities are cut at quantiles of the cells that the method is fitted on. A cell's score is the sum of the weights of
the classes that it is in.

References
----------
Frequency ratio: Lee, Talib 2005, doi:10.1007/s00254-005-1228-z. Information value: Yin, Yan 1988. Weights of evidence:
Bonham-Carter 1994, Geographic Information Systems for Geoscientists, chapter 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from core.tasks.susceptibility.factors import sectors

if TYPE_CHECKING:
    import pandas as pd

Doubles = NDArray[np.float64]
Weighting = Literal["frequency_ratio", "information_value", "weights_of_evidence"]

FEWEST = 0.5
"""Landslides, or other cells, that a class without any is taken to hold, so that logarithms are finite."""


@dataclass(frozen=True)
class ClassWeights:
    """How landslides are spread over the classes of a factor.

    Attributes
    ----------
    cells, slides
        (classes,) number of all cells, and of those with a landslide.
    """

    cells: Doubles
    slides: Doubles

    @property
    def frequency_ratio(self) -> Doubles:
        """Share of the landslides in each class over its share of the cells; 1 is average, NaN without cells."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.slides / self.slides.sum()) / (self.cells / self.cells.sum()))

    @property
    def information_value(self) -> Doubles:
        """Natural logarithm of the frequency ratio, a class without landslides being taken to hold half of one."""
        return np.log(ClassWeights(self.cells, np.maximum(self.slides, FEWEST)).frequency_ratio)

    @property
    def positive(self) -> Doubles:
        """W⁺: logarithm of how much likelier the class is with a landslide than without."""
        with_slide, without = self._shares()
        return np.log(with_slide / without)

    @property
    def negative(self) -> Doubles:
        """W⁻: the same of not being in the class."""
        with_slide, without = self._shares()
        return np.log((1 - with_slide) / (1 - without))

    @property
    def contrast(self) -> Doubles:
        """C = W⁺ − W⁻."""
        return self.positive - self.negative

    @property
    def contrast_deviation(self) -> Doubles:
        """Standard deviation of the contrast, from the numbers of cells that it rests on."""
        others = self.cells - self.slides
        parts = [self.slides, others, self.slides.sum() - self.slides, others.sum() - others]
        return np.asarray(np.sqrt(sum(1 / np.maximum(part, FEWEST) for part in parts)))

    def _shares(self) -> tuple[Doubles, Doubles]:
        others = self.cells - self.slides
        return _share(self.slides), _share(others)


def _share(counts: Doubles) -> Doubles:
    """Share of each class, kept off none and all by half a cell."""
    total = counts.sum()
    return np.asarray(np.clip(counts, FEWEST, max(total - FEWEST, FEWEST)) / max(total, 1.0))


class ClassScore(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Score of cells by the weights of their classes, as one column.

    Parameters
    ----------
    weighting
        Weight of a class: its frequency ratio, its information value, or its contrast.
    categorical
        Factors that are classes already.
    circular
        Factors that are directions in degrees, whose classes are the eight sectors of the compass, and flat ground.
    bins
        Classes into which a quantity is cut.

    Attributes
    ----------
    edges_
        By quantity, the inner edges of its classes.
    weights_
        By factor, weight of each class by its number, or by its name for a factor of classes. A class that no cell was
        fitted on weighs as an average one.
    """

    def __init__(
        self, weighting: Weighting, categorical: tuple[str, ...] = (), circular: tuple[str, ...] = (), bins: int = 10
    ) -> None:
        self.weighting, self.categorical, self.circular, self.bins = weighting, categorical, circular, bins

    def fit(self, factors: pd.DataFrame, landslide: NDArray[np.bool_]) -> Self:
        """Cut quantities into classes and weigh them by the landslides in each."""
        self.edges_: dict[str, Doubles] = {}
        self.weights_: dict[str, dict[Any, float]] = {}
        slide = np.asarray(landslide, dtype=bool)
        for factor in factors.columns:
            if factor not in (*self.categorical, *self.circular):
                quantiles = np.linspace(0, 1, self.bins + 1)[1:-1]
                self.edges_[factor] = np.unique(np.quantile(factors[factor].to_numpy(), quantiles))
            classes, of_cell = np.unique(self._classes(factors, factor), return_inverse=True)
            cells = np.bincount(of_cell, minlength=len(classes)).astype(float)
            slides = np.bincount(of_cell[slide], minlength=len(classes)).astype(float)
            weights = self._weights(ClassWeights(cells, slides))
            self.weights_[factor] = dict(zip(classes.tolist(), weights.tolist(), strict=True))
        return self

    def transform(self, factors: pd.DataFrame) -> Doubles:
        """(cells, 1) sum of the weights."""
        import pandas as pd

        average = 1.0 if self.weighting == "frequency_ratio" else 0.0
        total = np.zeros(len(factors))
        for factor, weights in self.weights_.items():
            of_cell, classes = pd.factorize(self._classes(factors, factor))
            # The last one is for cells without a class, whose number is -1.
            total += np.array([*(weights.get(one, average) for one in classes.tolist()), average])[of_cell]
        return total[:, None]

    def _classes(self, factors: pd.DataFrame, factor: str) -> NDArray[Any]:
        values = factors[factor].to_numpy()
        if factor in self.circular:
            return sectors(values)
        return values if factor in self.categorical else np.searchsorted(self.edges_[factor], values, side="right")

    def _weights(self, of: ClassWeights) -> Doubles:
        if self.weighting == "frequency_ratio":
            return of.frequency_ratio
        return of.information_value if self.weighting == "information_value" else of.contrast
