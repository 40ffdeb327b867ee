"""Which boxes found and which true boxes may be one: pairs that overlap enough, and the choice among them.

Boxes of all images stand one after the other, so that a thousand small images and one large raster take the same road.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.tasks.detection.boxes import Boxes

Numbers = NDArray[np.intp]
Doubles = NDArray[np.float64]

FALSE = -1
"""In place of a true box: none belongs to this one."""

SMALL = 4096
"""Up to so many pairs of an image are all looked at; of more only those that an index finds to touch."""

AT_ONCE = 64
"""Boxes looked up in the index together, so that memory does not grow with all pairs that touch."""

MOST_PAIRS = 20_000_000
"""More pairs than this would take more than about 1 GB."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of one box found and one true box, of one image and class, with their overlap.

    Attributes
    ----------
    found, true
        (pairs,) numbers of the boxes, counted over all images.
    overlap
        (pairs,) intersection over union.
    """

    found: Numbers
    true: Numbers
    overlap: Doubles

    def least(self, overlap: float) -> Pairs:
        """Those that overlap by at least this."""
        keep = self.overlap >= overlap
        return Pairs(self.found[keep], self.true[keep], self.overlap[keep])


def pairs_of(found: Sequence[Boxes], truth: Sequence[Boxes], least: float) -> Pairs:
    """Pairs of boxes of one class that overlap by at least `least` and not by nothing, image by image.

    Raises
    ------
    InputError
        When there are more than `MOST_PAIRS`.
    """
    parts = [Pairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float64))]
    total = above = before = 0
    for ours, theirs in zip(found, truth, strict=True):
        for pairs in _of_image(ours, theirs):
            shared = _overlaps(ours.corners[pairs.found], theirs.corners[pairs.true])
            alike = ours.classes[pairs.found] == theirs.classes[pairs.true]
            keep = alike & (shared >= least) & (shared > 0)
            parts.append(Pairs(pairs.found[keep] + above, pairs.true[keep] + before, shared[keep]))
            total += len(parts[-1].found)
            if total > MOST_PAIRS:
                raise InputError(
                    f"More than {MOST_PAIRS / 1e6:,.0f} million pairs of detections overlap.",
                    "They would not fit into memory.",
                    "Raise the confidence threshold, or merge overlapping detections first.",
                )
        above, before = above + len(ours), before + len(theirs)
    return Pairs(
        np.concatenate([part.found for part in parts]),
        np.concatenate([part.true for part in parts]),
        np.concatenate([part.overlap for part in parts]),
    )


def _of_image(found: Boxes, truth: Boxes) -> Iterator[Pairs]:
    """Pairs of an image that may overlap, their overlap not yet known."""
    none = np.empty(0, np.float64)
    if len(found) * len(truth) <= SMALL:
        ours, theirs = np.divmod(np.arange(len(found) * len(truth)), max(1, len(truth)))
        yield Pairs(ours, theirs, none)
        return
    import shapely

    tree = shapely.STRtree(np.asarray(shapely.box(*truth.corners.T)))
    for start in range(0, len(found), AT_ONCE):
        ours, theirs = tree.query(shapely.box(*found.corners[start : start + AT_ONCE].T))
        yield Pairs(ours + start, theirs, none)


def _overlaps(one: NDArray[np.float32], other: NDArray[np.float32]) -> Doubles:
    """Intersection over union of boxes pair by pair, in double precision as COCO counts it."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    sides = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    shared = sides[:, 0] * sides[:, 1]
    union = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - shared
    ratio: Doubles = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def assigned(pairs: Pairs, rank: Numbers, truths: int) -> Numbers:
    """The true box of each box found: the surest chooses first, the one it overlaps most of those not yet taken.

    Of equal overlaps the last is chosen, as COCO does. Every box asks for its best at once; a true box keeps the surest
    that asks, and who is refused asks for the next best. That ends where choosing one after the other would.

    Parameters
    ----------
    pairs
        Those that overlap enough.
    rank
        (found,) place of each box in the order of choosing, from 0.
    truths
        How many true boxes there are.

    Returns
    -------
    (found,) number of the true box, `FALSE` where there is none.
    """
    chosen: Numbers = np.full(len(rank), FALSE, dtype=np.intp)
    if len(pairs.found) == 0:
        return chosen
    order = np.lexsort((-pairs.true, -pairs.overlap, rank[pairs.found]))
    found, true = pairs.found[order], pairs.true[order]
    first = np.flatnonzero(np.diff(found, prepend=-1))
    end = np.append(first[1:], len(found))
    asks, nobody = first.copy(), len(first)
    holder = np.full(truths, nobody, dtype=np.intp)
    asking = np.arange(len(first))
    while len(asking):
        wanted = true[asks[asking]]
        before = holder[wanted]
        np.minimum.at(holder, wanted, asking)
        refused = np.concatenate([asking[holder[wanted] != asking], before[holder[wanted] != before]])
        refused = np.unique(refused[refused != nobody])
        asks[refused] += 1
        asking = refused[asks[refused] < end[refused]]
    held = np.flatnonzero(holder != nobody)
    chosen[found[first[holder[held]]]] = held
    return chosen
