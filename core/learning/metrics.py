"""Scores of a binary segmentation, all computed from counts.

Probabilities are stored as codes 0–254 (``code = round(254 p)``), so that the joint histogram of code and truth
(two times 255 numbers) holds everything needed for every score at every threshold, whatever the raster's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CODES = 255
"""Number of probability codes; the code 255 itself means nodata."""

NODATA_CODE = 255

SHARE = 1 / (CODES - 1)
"""What a code is multiplied by to give a probability, and a signed code to give a share."""

SIGNED_NODATA = -32768
"""Nodata of signed codes, which are int16: a share in [−1, 1] times 254."""


def encode(probability: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Probabilities in [0, 1] as codes 0–254; NaN becomes the nodata code 255."""
    finite = np.isfinite(probability)
    codes = np.rint(np.clip(np.where(finite, probability, 0.0), 0.0, 1.0) * (CODES - 1)).astype(np.uint8)
    codes[~finite] = NODATA_CODE
    result: NDArray[np.uint8] = codes
    return result


def decode(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Codes 0–254 as probabilities; 255 becomes NaN."""
    probability: NDArray[np.float32] = codes.astype(np.float32) / np.float32(CODES - 1)
    probability[codes == NODATA_CODE] = np.nan
    return probability


def encode_signed(shares: NDArray[np.floating]) -> NDArray[np.int16]:
    """Shares in [−1, 1] as signed codes −254 to 254; NaN becomes `SIGNED_NODATA`."""
    finite = np.isfinite(shares)
    codes = np.rint(np.clip(np.where(finite, shares, 0.0), -1.0, 1.0) * (CODES - 1)).astype(np.int16)
    codes[~finite] = SIGNED_NODATA
    result: NDArray[np.int16] = codes
    return result


def decode_signed(codes: NDArray[np.int16]) -> NDArray[np.float32]:
    """Signed codes as shares in [−1, 1]; `SIGNED_NODATA` becomes NaN."""
    shares: NDArray[np.float32] = codes.astype(np.float32) / np.float32(CODES - 1)
    shares[codes == SIGNED_NODATA] = np.nan
    return shares


COUNTED = (3, CODES)
"""Shape of a joint histogram, see `histogram`; of runs before it told of unknown pixels it is (2, 255)."""


def threshold_code(threshold: float) -> int:
    """Lowest code that counts as landslide at a threshold in [0, 1]: ``code / 254 >= threshold``."""
    return min(CODES, max(0, math.ceil(threshold * (CODES - 1) - 1e-9)))


def histogram(codes: NDArray[np.uint8], truth: NDArray[np.uint8] | None = None) -> NDArray[np.int64]:
    """Joint histogram of probability code and truth.

    Parameters
    ----------
    codes
        Probability codes of any shape; 255 is nodata and is not counted.
    truth
        0 no landslide, 1 landslide, anything else unknown; same shape. Without it every pixel counts as 0.

    Returns
    -------
    Counts of shape `COUNTED`: row 0 pixels without, row 1 pixels with a landslide in the truth, row 2 pixels of which
    the truth knows nothing. Scores are of the first two; all three together are the image.
    """
    if truth is None:
        counts = np.bincount(codes.ravel(), minlength=256)[:CODES]
        return np.stack([counts, np.zeros_like(counts), np.zeros_like(counts)]).astype(np.int64)
    which = (truth == 0, truth == 1, truth > 1)
    return np.stack([np.bincount(codes[one], minlength=256)[:CODES] for one in which]).astype(np.int64)


def nothing_counted() -> NDArray[np.int64]:
    """A joint histogram of no pixel."""
    return np.zeros(COUNTED, dtype=np.int64)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


@dataclass(frozen=True)
class Confusion:
    """Counts of pixels, or of cells: true and false positives, missed (false negatives) and true negatives.

    A score whose denominator is zero is NaN: it is undefined, not zero.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @classmethod
    def at(cls, counts: NDArray[np.int64], threshold: float) -> Confusion:
        """Confusion at a threshold from a joint histogram, see `histogram`."""
        code = threshold_code(threshold)
        return cls(
            true_positive=int(counts[1, code:].sum()),
            false_positive=int(counts[0, code:].sum()),
            false_negative=int(counts[1, :code].sum()),
            true_negative=int(counts[0, :code].sum()),
        )

    @classmethod
    def of(cls, predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Confusion:
        """Confusion of two boolean arrays of one shape."""
        hit = int(np.count_nonzero(predicted & truth))
        found, real = int(np.count_nonzero(predicted)), int(np.count_nonzero(truth))
        return cls(hit, found - hit, real - hit, predicted.size - found - real + hit)

    @property
    def total(self) -> int:
        """All pixels scored."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def precision(self) -> float:
        """Share of the mapped landslide area that is landslide in the truth."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Share of the true landslide area that is mapped."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall (Dice coefficient)."""
        return _ratio(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)

    @property
    def iou(self) -> float:
        """Intersection over union of the landslide class (Jaccard index)."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive + self.false_negative)

    @property
    def miou(self) -> float:
        """Mean of the intersection over union of landslide and background."""
        background = _ratio(self.true_negative, self.true_negative + self.false_positive + self.false_negative)
        return (self.iou + background) / 2

    @property
    def oa(self) -> float:
        """Overall accuracy: share of pixels classified as in the truth."""
        return _ratio(self.true_positive + self.true_negative, self.total)

    @property
    def kappa(self) -> float:
        """Cohen's kappa, agreement beyond chance (Cohen 1960, doi:10.1177/001316446002000104)."""
        n = self.total
        if not n:
            return math.nan
        found = self.true_positive + self.false_positive
        real = self.true_positive + self.false_negative
        chance = (found / n) * (real / n) + ((n - found) / n) * ((n - real) / n)
        return _ratio(self.oa - chance, 1 - chance)

    @property
    def mcc(self) -> float:
        """Matthews' correlation of truth and prediction (Matthews 1975, doi:10.1016/0005-2795(75)90109-9)."""
        hit, false, missed, none = self.true_positive, self.false_positive, self.false_negative, self.true_negative
        spread = math.sqrt((hit + false) * (hit + missed) * (none + false) * (none + missed))
        return _ratio(hit * none - false * missed, spread)

    def scores(self) -> dict[str, float]:
        """The scores of a segmentation by the names used in files and tables."""
        names = ("f1", "iou", "miou", "precision", "recall", "oa", "kappa")
        return {name: float(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class ThresholdCurve:
    """Precision, recall and F1 at each of the 255 thresholds ``code / 254``.

    Precision is NaN where nothing is mapped at that threshold.
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]

    @property
    def best_threshold(self) -> float:
        """Threshold with the highest F1; of several, the middle one."""
        if np.all(np.isnan(self.f1)):
            return 0.5
        best = np.flatnonzero(self.f1 >= np.nanmax(self.f1) - 1e-12)
        return float(self.thresholds[best[len(best) // 2]])

    @property
    def average_precision(self) -> float:
        """Area under the precision–recall curve as a sum of steps, as in scikit-learn."""
        keep = ~np.isnan(self.precision)
        recall, precision = self.recall[keep][::-1], self.precision[keep][::-1]
        if not len(recall) or np.isnan(recall).any():
            return math.nan
        return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def threshold_curve(counts: NDArray[np.int64]) -> ThresholdCurve:
    """Precision–recall curve from a joint histogram, see `histogram`."""
    negative = counts[0, ::-1].cumsum()[::-1].astype(float)
    positive = counts[1, ::-1].cumsum()[::-1].astype(float)
    total = float(counts[1].sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(positive + negative > 0, positive / (positive + negative), np.nan)
        recall = positive / total if total else np.full(CODES, np.nan)
        f1 = 2 * positive / (positive + negative + total) if total else np.full(CODES, np.nan)
    return ThresholdCurve(np.arange(CODES) / (CODES - 1), precision, recall, f1)
