"""The worst mistakes of a detection over many images: what a gallery shows first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.tasks.detection.boxes import Boxes, areas, overlaps
from core.tasks.detection.metrics import LEFT_OUT, Matches
from core.tasks.detection.pairing import FALSE


@dataclass(frozen=True)
class Mistake:
    """A true box that was missed, or a box found that is false.

    Attributes
    ----------
    image
        Number of the image, from 0.
    index
        Number of the box among the true ones, or those found, of the image.
    corners
        Left, top, right, bottom in pixels of the image.
    area
        Square pixels.
    score
        How sure the detector was of the false box; 0 of a missed one.
    overlap
        The most that a box of the other kind in the image overlaps it, as intersection over union: near 0 for what was
        not seen at all, or is nothing; below the overlap asked for, for a box in the wrong place; above it, for a
        landslide found twice.
    """

    image: int
    index: int
    corners: tuple[float, float, float, float]
    area: float
    score: float
    overlap: float


@dataclass(frozen=True)
class Mistakes:
    """Mistakes, the worst first.

    Attributes
    ----------
    missed
        True boxes that nothing found, the largest first.
    false
        Boxes found that are no landslide, the surest first.
    """

    missed: tuple[Mistake, ...]
    false: tuple[Mistake, ...]


def worst_mistakes(matches: Matches, confidence: float = 0.0, most: int = 12) -> Mistakes:
    """The worst mistakes among all images.

    Parameters
    ----------
    matches
        What found what.
    confidence
        Boxes less sure than this do not count.
    most
        How many of each kind.
    """
    counted = tuple(
        (matched != LEFT_OUT) & (found.scores >= np.float32(confidence))
        for found, matched in zip(matches.found, matches.matched, strict=True)
    )
    false = [
        (-float(found.scores[i]), image, int(i))
        for image, (found, matched, counts) in enumerate(zip(matches.found, matches.matched, counted, strict=True))
        for i in np.flatnonzero(counts & (matched == FALSE))
    ]
    missed = [
        (-float(size), image, int(i))
        for image, (truth, indices) in enumerate(zip(matches.truth, matches.missed(confidence), strict=True))
        for i, size in zip(indices, areas(truth.corners[indices]), strict=True)
    ]
    return Mistakes(
        tuple(
            _mistake(image, i, matches.truth[image], matches.found[image].take(counted[image]), 0.0)
            for _, image, i in sorted(missed)[:most]
        ),
        tuple(
            _mistake(image, i, matches.found[image], matches.truth[image], -minus_score)
            for minus_score, image, i in sorted(false)[:most]
        ),
    )


def _mistake(image: int, index: int, boxes: Boxes, others: Boxes, score: float) -> Mistake:
    corners = boxes.corners[index : index + 1]
    left, top, right, bottom = corners[0].tolist()
    overlap = float(overlaps(corners, others.corners).max(initial=0.0))
    return Mistake(image, index, (left, top, right, bottom), float(areas(corners)[0]), score, overlap)
