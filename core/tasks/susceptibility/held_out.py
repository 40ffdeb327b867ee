"""How a model fares on cells that it has not seen: at a cut-off, without flat ground, and as a probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.learning.metrics import Confusion
from core.learning.roc import Z95, auroc, roc_curve
from core.tasks.susceptibility.result import CELLS, SusceptibilityResult

if TYPE_CHECKING:
    import pandas as pd

Doubles = NDArray[np.float64]

OUTCOMES = ("true positive", "false positive", "missed", "true negative")
"""What may come of a tested cell."""

BINS = 8
"""Bins of a calibration curve, each of as many cells."""


@dataclass(frozen=True)
class HeldOut:
    """Cells that a model was asked about without having seen their fold, in the first division.

    Attributes
    ----------
    landslide, score
        (cells,) the truth and what the model said.
    cells
        (cells,) rows of the design matrix: numbers of cells on the grid, or rows of a table.
    slope
        (cells,) slope in degrees; None where it is no factor.
    """

    landslide: NDArray[np.bool_]
    score: Doubles
    cells: NDArray[np.int64]
    slope: Doubles | None = None

    @property
    def best_cut(self) -> float:
        """Cut-off with the largest Youden's J of these cells."""
        return float(roc_curve(self.landslide, self.score).best)

    def confusion(self, cut: float) -> Confusion:
        """How the cells fare at a cut-off."""
        return Confusion.of(self.score >= cut, self.landslide)

    def outcome(self, cut: float) -> NDArray[np.intp]:
        """(cells,) number of each cell's outcome among `OUTCOMES`."""
        above = self.score >= cut
        return np.where(self.landslide, np.where(above, 0, 2), np.where(above, 1, 3)).astype(np.intp)

    def auroc_steeper(self, than: float) -> tuple[float, int]:
        """AUROC of the cells at least so steep (degrees), of all folds together, and how many there are.

        Flat ground is an easy opposite: with it models look better than they are where it matters (Steger and Glade
        2017, on trivial areas). NaN without slopes or with one class alone.
        """
        if self.slope is None:
            return float("nan"), 0
        kept = self.slope >= than
        slides = self.landslide[kept]
        if not slides.any() or slides.all():
            return float("nan"), int(kept.sum())
        return auroc(slides, self.score[kept]), int(kept.sum())


def held_out_cells(result: SusceptibilityResult, scheme: str, model: str) -> HeldOut:
    """Cells that a model was asked about in a way of dividing.

    Raises
    ------
    StorageError
        When the file is gone.
    """
    import pandas as pd

    name = f"score:{scheme}:{model}"
    slope = slope_of(result.factors)
    columns = ["row", "landslide", name, *([slope] if slope else [])]
    table = pd.read_parquet(result.artifact(CELLS), columns=columns)
    known = table[name].notna().to_numpy()
    return HeldOut(
        table["landslide"].to_numpy(bool)[known], table[name].to_numpy(np.float64)[known],
        table["row"].to_numpy(np.int64)[known], table[slope].to_numpy(np.float64)[known] if slope else None,
    )  # fmt: skip


def rows_of(result: SusceptibilityResult) -> NDArray[np.int64]:
    """(cells,) rows of the validated table that the rows of the design matrix are, ascending.

    Raises
    ------
    StorageError
        When the file is gone.
    """
    import pandas as pd

    return pd.read_parquet(result.artifact(CELLS), columns=["row"])["row"].to_numpy(np.int64)


def slope_of(factors: tuple[str, ...]) -> str:
    """The factor that is the slope in degrees by its name; empty without one."""
    names = ("slope", "slope_deg", "slope_degrees")
    return next((one for one in factors if one.lower() in names), "")


@dataclass(frozen=True)
class Calibration:
    """How often there is a landslide where a model says so much.

    Attributes
    ----------
    said, seen
        (bins,) mean of what the model said, and share of cells with a landslide.
    low, high
        (bins,) 95 % interval of that share (Wilson).
    cells
        (bins,) how many.
    error
        Mean distance of `said` and `seen` over all cells (expected calibration error).
    """

    said: Doubles
    seen: Doubles
    low: Doubles
    high: Doubles
    cells: NDArray[np.intp]
    error: float

    @classmethod
    def of(cls, held: HeldOut, bins: int = BINS) -> Calibration:
        """The curve of tested cells, in bins of as many each."""
        order = np.argsort(held.score, kind="stable")
        parts = [one for one in np.array_split(order, bins) if len(one)]
        said = np.array([held.score[one].mean() for one in parts])
        seen = np.array([held.landslide[one].mean() for one in parts])
        count = np.array([len(one) for one in parts])
        low, high = wilson(seen, count)
        return cls(said, seen, low, high, count, float(np.average(np.abs(said - seen), weights=count)))


def wilson(share: Doubles, count: NDArray[np.intp]) -> tuple[Doubles, Doubles]:
    """95 % interval of a share counted on so many (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    square = Z95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = Z95 * np.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def precision_recall(held: HeldOut) -> tuple[Doubles, Doubles]:
    """Recall and precision at every cut-off, from the highest score down."""
    order = np.argsort(-held.score, kind="stable")
    hits = np.cumsum(held.landslide[order])
    last = np.append(np.diff(held.score[order]) != 0, True)  # cells of one score are found together
    recall = hits / max(int(held.landslide.sum()), 1)
    precision = hits / np.arange(1, len(hits) + 1)
    return recall[last], precision[last]


def cut_table(held: HeldOut, cut: float) -> pd.DataFrame:
    """Scores at a cut-off, a row each, for people."""
    import pandas as pd

    found = held.confusion(cut)
    rows = {
        "Accuracy": found.oa, "Precision": found.precision, "Recall": found.recall, "F1": found.f1,
        "Kappa": found.kappa, "MCC": found.mcc,
    }  # fmt: skip
    return pd.DataFrame({"Score": list(rows), "Value": list(rows.values())})
