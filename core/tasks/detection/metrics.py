"""Scores of detection: which boxes are right, the precision–recall curve, and average precision as COCO counts it.

References
----------
Lin et al. (2014), Microsoft COCO: common objects in context, doi:10.1007/978-3-319-10602-1_48. The numbers are those of
its evaluation, `pycocotools`, to the last digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.tasks.detection.boxes import Boxes
from core.tasks.detection.pairing import FALSE, Numbers, Pairs, assigned, pairs_of

Doubles = NDArray[np.float64]

LEFT_OUT = -2
"""In place of a true box: this one is not counted, because its image has more than the limit of surer ones."""

LIMIT = 100
"""Most boxes of one image and class that are counted, as COCO does; a large raster is counted without a limit."""

IOUS = np.linspace(0.5, 0.95, 10)
"""Overlaps over which AP50:95 is the mean; made as COCO makes them, down to the last digit."""

RECALLS = np.linspace(0.0, 1.0, 101)
"""Recalls at which precision is read off for average precision."""


@dataclass(frozen=True)
class Matches:
    """Which box found is which true box, at one overlap. What is above a confidence does not depend on what is below.

    Attributes
    ----------
    found, truth
        Boxes of each image.
    matched
        For each image (found,) the index of its true box in the image, `FALSE` or `LEFT_OUT`.
    """

    found: tuple[Boxes, ...]
    truth: tuple[Boxes, ...]
    matched: tuple[Numbers, ...]

    @cached_property
    def ranked(self) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int16]]:
        """Score, whether it is right, and class of all that count, the surest first; equal ones in their order."""
        matched, boxes = np.concatenate([*self.matched, np.empty(0, np.intp)]), Boxes.joined(self.found)
        counted = matched != LEFT_OUT
        boxes, hits = boxes.take(counted), matched[counted] != FALSE
        order = np.argsort(-boxes.scores, kind="stable")
        return boxes.scores[order], hits[order], boxes.classes[order]

    @cached_property
    def truth_classes(self) -> NDArray[np.int16]:
        """(truth,) class of every true box."""
        return Boxes.joined(self.truth).classes

    def missed(self, confidence: float = 0.0) -> tuple[Numbers, ...]:
        """For each image the indices of the true boxes that nothing at least so sure has found."""
        return tuple(
            np.setdiff1d(np.arange(len(truth)), matched[found.scores >= np.float32(confidence)])
            for found, truth, matched in zip(self.found, self.truth, self.matched, strict=True)
        )


def match(
    found: Sequence[Boxes], truth: Sequence[Boxes], iou: float = 0.5, limit: int | None = LIMIT
) -> Matches:  # fmt: skip
    """Tell which box found is which true box.

    In each image and class the surest box chooses first: of the true boxes not yet taken the one it overlaps most, if
    intersection over union is at least `iou`.

    Parameters
    ----------
    found, truth
        Boxes of each image, in one order. Their own order does not matter, but for equal scores.
    limit
        Only so many of the surest boxes of an image and class count; None: all.

    Raises
    ------
    ValueError
        When they are not of as many images.
    InputError
        When too many boxes overlap each other to be told apart in memory.
    """
    return _Task(found, truth, iou, limit).matches(iou)


class _Task:
    """Boxes of all images with the pairs of them, which are the same for every overlap asked for."""

    def __init__(self, found: Sequence[Boxes], truth: Sequence[Boxes], least: float, limit: int | None) -> None:
        if len(found) != len(truth):
            raise ValueError(f"The detections cover {len(found)} images, the reference boxes {len(truth)}.")
        self.found, self.truth = tuple(found), tuple(truth)
        boxes = Boxes.joined(self.found)
        order = np.argsort(-boxes.scores, kind="stable")
        self.rank = np.empty(len(order), dtype=np.intp)
        self.rank[order] = np.arange(len(order))
        self.left_out = np.zeros(len(order), dtype=np.bool_)
        if limit is not None:
            image = np.repeat(np.arange(len(found)), [len(one) for one in found])
            self.left_out[order] = _place_in_group(image[order], boxes.classes[order]) >= limit
        pairs = pairs_of(self.found, self.truth, least)
        counted = ~self.left_out[pairs.found]
        self.pairs = Pairs(pairs.found[counted], pairs.true[counted], pairs.overlap[counted])

    def matches(self, iou: float) -> Matches:
        """The matches at an overlap, no lower than the one the pairs were made for."""
        sizes = [len(one) for one in self.truth]
        matched = assigned(self.pairs.least(iou), self.rank, sum(sizes))
        firsts = np.repeat(np.cumsum([0, *sizes])[:-1], [len(one) for one in self.found])
        matched = np.where(matched == FALSE, FALSE, matched - firsts)
        matched[self.left_out] = LEFT_OUT
        ends = np.cumsum([len(one) for one in self.found])[:-1]
        return Matches(self.found, self.truth, tuple(np.split(matched, ends)) if self.found else ())


def _place_in_group(*keys: NDArray[np.integer]) -> Numbers:
    """For each the number of those before it that have the same keys."""
    order = np.lexsort(keys)
    new = np.zeros(len(order), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] |= np.diff(key[order]) != 0
    at = np.arange(len(order))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = at - np.maximum.accumulate(np.where(new, at, 0))
    return place


@dataclass(frozen=True)
class Point:
    """What is right among the boxes that are at least so sure. Scores without a denominator are NaN.

    Attributes
    ----------
    confidence
        Least score of the boxes counted.
    found, hits, truth
        How many boxes are found, are right, and are true.
    """

    confidence: float
    found: int
    hits: int
    truth: int

    @property
    def precision(self) -> float:
        """Share of the boxes found that are right."""
        return self.hits / self.found if self.found else math.nan

    @property
    def recall(self) -> float:
        """Share of the true boxes that are found."""
        return self.hits / self.truth if self.truth else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.hits / (self.found + self.truth) if self.found + self.truth else math.nan


@dataclass(frozen=True)
class Curve:
    """Precision, recall and F1 as boxes are added one by one, the surest first.

    Attributes
    ----------
    confidence, precision, recall, f1
        (boxes,) score of the box added last, and the scores with it; recall is NaN where nothing is true.
    hits
        (boxes,) how many are right so far.
    truth
        How many boxes are true.
    """

    confidence: Doubles
    precision: Doubles
    recall: Doubles
    f1: Doubles
    hits: Numbers
    truth: int

    def at(self, confidence: float) -> Point:
        """What is right among the boxes with at least this score."""
        found = int(np.searchsorted(-self.confidence, -float(np.float32(confidence)), side="right"))
        return Point(confidence, found, int(self.hits[found - 1]) if found else 0, self.truth)

    @property
    def best_confidence(self) -> float:
        """Confidence with the highest F1: halfway to the next box below; 0.5 where nothing is right."""
        if not len(self.hits) or not self.hits[-1]:
            return 0.5
        # Boxes of one score come together or not at all.
        last = np.flatnonzero(np.diff(self.confidence, append=-np.inf))
        best = int(last[np.argmax(self.f1[last])])
        here = float(self.confidence[best])
        if best + 1 == len(self.confidence):
            return here
        below = float(self.confidence[best + 1])
        halfway = float(np.float32((here + below) / 2))
        return halfway if halfway > below else here


def curve(matches: Matches, of_class: int | None = None) -> Curve:
    """Precision–recall curve of all boxes, or of one class."""
    confidence, hits, classes = matches.ranked
    truth = len(matches.truth_classes)
    if of_class is not None:
        confidence, hits = confidence[classes == of_class], hits[classes == of_class]
        truth = int(np.count_nonzero(matches.truth_classes == of_class))
    right, count = np.cumsum(hits, dtype=np.intp), np.arange(1, len(hits) + 1)
    recall = right / truth if truth else np.full(len(hits), np.nan)
    f1 = 2 * right / (count + truth)
    return Curve(confidence.astype(np.float64), right / count, recall, f1, right, truth)


def average_precision(of: Curve) -> float:
    """Mean of the highest precision at no lower recall, at 101 recalls; NaN where nothing is true."""
    if of.truth == 0:
        return math.nan
    highest = np.maximum.accumulate(of.precision[::-1])[::-1]
    at = np.searchsorted(of.recall, RECALLS, side="left")
    return float(np.append(highest, 0.0)[np.minimum(at, len(highest))].mean())


@dataclass(frozen=True)
class DetectionScores:
    """Scores of a detection.

    Attributes
    ----------
    ap50, ap50_95
        Average precision where boxes count as right from an intersection over union of 0.5, and its mean over 0.50,
        0.55, … 0.95; the mean over classes where there are several.
    f1, precision, recall
        At `confidence` and an intersection over union of 0.5, of all classes together.
    confidence
        The one given, else that of the highest F1.
    found, hits, truth
        How many boxes are found at `confidence`, are right, and are true.
    """

    ap50: float
    ap50_95: float
    f1: float
    precision: float
    recall: float
    confidence: float
    found: int
    hits: int
    truth: int

    def to_json(self) -> dict[str, float | int]:
        """Plain values by name."""
        return asdict(self)


def scores(
    found: Sequence[Boxes], truth: Sequence[Boxes], confidence: float | None = None, limit: int | None = LIMIT
) -> DetectionScores:
    """Score boxes of images against the true ones; see `match`."""
    task = _Task(found, truth, float(IOUS[0]), limit)
    loosest = task.matches(float(IOUS[0]))
    precisions = [mean_precision(loosest), *(mean_precision(task.matches(float(iou))) for iou in IOUS[1:])]
    whole = curve(loosest)
    point = whole.at(whole.best_confidence if confidence is None else confidence)
    return DetectionScores(
        ap50=precisions[0], ap50_95=float(np.mean(precisions)), f1=point.f1, precision=point.precision,
        recall=point.recall, confidence=point.confidence, found=point.found, hits=point.hits, truth=point.truth,
    )  # fmt: skip


def mean_precision(matches: Matches) -> float:
    """Average precision, the mean over those classes that occur in the truth; NaN where nothing is true."""
    each = [average_precision(curve(matches, int(one))) for one in np.unique(matches.truth_classes)]
    return float(np.mean(each)) if each else math.nan
