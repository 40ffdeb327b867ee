"""One box a landslide: from the candidates of windows that overlap, and that end where landslides do not.

Three things happen, in this order. Candidates that are the same box seen twice, and were cut alike or not at all,
become one, by non-maximum suppression or by weighted boxes fusion. What one window saw in part and its neighbour whole
is left to the neighbour's box. And boxes that end where their windows ended are joined across the border when they line
up; only then what still overlaps goes, or one piece of a landslide would suppress the next.

Confidence plays no part here but for the order: what has less than a `SAY` of the surest has no say in what becomes of
it. So boxes above any confidence can be taken from what was merged once.

References
----------
Solovyev, R., Wang, W. & Gabruseva, T. (2021): Weighted boxes fusion: ensembling boxes from different object detection
models. Image and Vision Computing 107, 104117, doi:10.1016/j.imavis.2021.104117.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.tasks.detection.boxes import Boxes, Floats
from core.tasks.detection.view import Merging

Numbers = NDArray[np.intp]
Mask = NDArray[np.bool_]

SAY = 1 / 3
"""Share of the surer one's score that a box must have to shift, lengthen or replace it."""

LINED_UP = 0.5
"""Share of the shorter of two cut edges that must lie opposite the other for their boxes to be one."""

ALIKE = 0.5
"""Intersection over union of a cut box and what its window could see of another from which both are one landslide."""

AT_ONCE = 8192
"""Boxes looked up in an index together, so that memory does not grow with all pairs that touch."""

FIRST = 4096
"""Boxes that suppression begins with; it goes on with twice as many each time."""

COVERED = 0.9
"""Share of a cut box within a joined one, which reaches past its cuts, from which it is a corner of that landslide."""

AHEAD = 0.25
"""Share of a box that lies beyond where another was cut from which the other does not show all of its landslide."""

LEFT, TOP, RIGHT, BOTTOM = range(4)


@dataclass(frozen=True)
class Merged:
    """What became of candidates.

    Attributes
    ----------
    boxes
        The surest first; `cut` says where a box still ends at a window's border.
    group
        (candidates,) number of the box that a candidate is, or is a part of; -1 for those that were left out as
        duplicates.
    """

    boxes: Boxes
    group: Numbers


def merge(boxes: Boxes, iou: float, merging: Merging = "nms", join_distance: float = 0.0) -> Merged:
    """Make one box of each landslide.

    Parameters
    ----------
    boxes
        Candidates of all windows.
    iou
        Intersection over union from which two boxes are one.
    merging
        ``"nms"`` keeps the surest, ``"fusion"`` the mean weighted by score.
    reach
        Pixels between two boxes cut at one border up to which they may be one.
    """
    alike = _by_cut(boxes)
    single, highest_confidence = fuse(alike, iou) if merging == "fusion" else _suppressed(alike, iou)
    single = Boxes(single.corners, single.scores, boxes.classes[highest_confidence], single.cut)
    group = _places(highest_confidence, len(boxes))
    whole, kept = drop_truncated(single)
    group = _followed(group, _places(kept, len(single)))
    joined, part_of = join(whole, join_distance)
    group = _followed(group, part_of)
    for last in (drop_truncated, _corners_gone, lambda given: _suppressed(given, iou)):
        before = len(joined)
        joined, kept = last(joined)
        group = _followed(group, _places(kept, before))
    order = _order(joined)
    return Merged(joined.take(order), _followed(group, _places(order, len(joined))))


def _by_cut(boxes: Boxes) -> Boxes:
    """The boxes with classes that tell apart where they were cut as well."""
    sides = (boxes.cut * np.array([1, 2, 4, 8])).sum(axis=1)
    return Boxes(boxes.corners, boxes.scores, (boxes.classes * 16 + sides).astype(np.int16), boxes.cut)


def _suppressed(boxes: Boxes, iou: float) -> tuple[Boxes, Numbers]:
    kept = suppress(boxes, iou)
    return boxes.take(kept), kept


def _places(chosen: Numbers, count: int) -> Numbers:
    """For each of so many numbers its place among the chosen, -1 when it was not."""
    places = np.full(count, -1, dtype=np.intp)
    places[chosen] = np.arange(len(chosen))
    return places


def _followed(numbers: Numbers, places: Numbers) -> Numbers:
    """Where numbers went; -1 stays -1."""
    return np.append(places, -1)[numbers]


def _order(boxes: Boxes) -> Numbers:
    """The surest first; equal scores by place, so that the order is always the same."""
    left, top, right, bottom = boxes.corners.T
    return np.lexsort((boxes.classes, bottom, right, left, top, -boxes.scores))


def _pairs(one: Floats, other: Floats, margin: float = 0.0) -> Iterator[tuple[Numbers, Numbers]]:
    """Numbers of boxes that touch, or lie within a margin of each other, in parts."""
    import shapely

    if len(one) == 0 or len(other) == 0:
        return
    tree = shapely.STRtree(np.asarray(shapely.box(*other.T), dtype=object))
    for start in range(0, len(one), AT_ONCE):
        asked = one[start : start + AT_ONCE]
        low, high = asked[:, :2] - np.float32(margin), asked[:, 2:] + np.float32(margin)
        ours, theirs = tree.query(shapely.box(*low.T, *high.T))
        yield ours + start, theirs


def _shared(one: Floats, other: Floats) -> NDArray[np.float64]:
    """Area that boxes share pair by pair."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    sides = np.clip((high - low).astype(np.float64), 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _areas(corners: Floats) -> NDArray[np.float64]:
    sides = np.clip((corners[:, 2:] - corners[:, :2]).astype(np.float64), 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _same(boxes: Boxes, one: Numbers, others: Boxes, other: Numbers, iou: float) -> Mask:
    """Pair by pair, whether two boxes are of one class and overlap by more than `iou`."""
    first, second = boxes.corners[one], others.corners[other]
    shared = _shared(first, second)
    union = _areas(first) + _areas(second) - shared
    same: Mask = (boxes.classes[one] == others.classes[other]) & (shared > iou * union) & (shared > 0)
    return same


def suppress(boxes: Boxes, iou: float) -> Numbers:
    """Non-maximum suppression: which boxes stay, the surest first.

    The surest box stays and those of its class that overlap it by more than `iou` go; then the surest of the rest, and
    so on.

    Notes
    -----
    Boxes are taken in the order of their scores, in portions that grow: what the boxes kept so far suppress goes
    before the rest of a portion are compared with each other. So many boxes in one place cost little.
    """
    order = _order(boxes)
    kept = np.empty(0, dtype=np.intp)
    start, size = 0, FIRST
    while start < len(order):
        portion = order[start : start + size]
        start, size = start + size, 2 * size
        gone = np.zeros(len(portion), dtype=np.bool_)
        for ours, theirs in _pairs(boxes.corners[portion], boxes.corners[kept]):
            gone[ours[_same(boxes, portion[ours], boxes, kept[theirs], iou)]] = True
        portion = portion[~gone]
        kept = np.concatenate([kept, portion[_greedy(boxes.take(portion), iou)]])
    return kept


def _greedy(boxes: Boxes, iou: float) -> Numbers:
    """Non-maximum suppression of boxes that stand in the order of their scores."""
    count = len(boxes)
    firsts, seconds = [], []
    for ours, theirs in _pairs(boxes.corners, boxes.corners):
        later = theirs > ours
        ours, theirs = ours[later], theirs[later]
        same = _same(boxes, ours, boxes, theirs, iou)
        firsts.append(ours[same])
        seconds.append(theirs[same])
    if not firsts:
        return np.arange(count)
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    order = np.argsort(first, kind="stable")
    first, second = first[order], second[order]
    bounds = np.searchsorted(first, np.arange(count + 1))
    stays = np.ones(count, dtype=np.bool_)
    for box in np.unique(first):
        if stays[box]:
            stays[second[bounds[box] : bounds[box + 1]]] = False
    return np.flatnonzero(stays)


def fuse(boxes: Boxes, iou: float) -> tuple[Boxes, Numbers]:
    """Weighted boxes fusion: boxes that are one become their mean, weighted by score.

    Returns
    -------
    The fused boxes, and the number of the surest box in each.

    Notes
    -----
    As Solovyev et al. (2021), but for three things: boxes gather around the surest of them rather than around a mean
    that moves while they gather, so that the outcome does not depend on the order of equals; those with less than a
    `SAY` of its score count as duplicates and shift nothing; and the score, the mean of theirs, is not lowered where
    fewer saw the place, because how many windows see a place says nothing about it.
    """
    highest_confidence = suppress(boxes, iou)
    centres = boxes.take(highest_confidence)
    best, owner = np.zeros(len(boxes)), np.full(len(boxes), -1, dtype=np.intp)
    for ours, theirs in _pairs(boxes.corners, centres.corners):
        same = _same(boxes, ours, centres, theirs, iou)
        ours, theirs = ours[same], theirs[same]
        first, second = boxes.corners[ours], centres.corners[theirs]
        shared = _shared(first, second)
        overlap = shared / (_areas(first) + _areas(second) - shared)
        order = np.lexsort((theirs, -overlap, ours))
        ours, theirs, overlap = ours[order], theirs[order], overlap[order]
        first_of = np.flatnonzero(np.diff(ours, prepend=-1))
        best[ours[first_of]], owner[ours[first_of]] = overlap[first_of], theirs[first_of]
    owner[highest_confidence] = np.arange(len(highest_confidence))
    has_say = (owner >= 0) & (boxes.scores >= SAY * centres.scores[owner])
    members, clusters = np.flatnonzero(has_say), owner[has_say]
    weights = boxes.scores[members].astype(np.float64)
    total = np.bincount(clusters, weights, minlength=len(centres))
    sums = [
        np.bincount(clusters, weights * boxes.corners[members, side], minlength=len(centres)) for side in range(4)
    ]
    means = np.stack(sums, axis=1) / np.maximum(total, 1e-12)[:, None]
    # Where windows ended is nothing to take a mean of.
    corners = np.where(centres.cut, centres.corners, means)
    count = np.bincount(clusters, minlength=len(centres))
    return Boxes.of(corners, total / np.maximum(count, 1), centres.classes, centres.cut), highest_confidence


def join(boxes: Boxes, join_distance: float = 0.0) -> tuple[Boxes, Numbers]:
    """Join boxes that were cut at window borders when they line up.

    Two are one when the first ends where its window ended, the second, further on, begins where its window began, what
    both windows saw shows them side by side (`LINED_UP`), and neither is much less sure than the other (`SAY`). The
    joined box encloses them all and is as sure as the surest.

    Parameters
    ----------
    reach
        Pixels that may lie between the two ends: windows that do not overlap meet at a border, and a detector places
        the edge of what is cut there a little before it.

    Returns
    -------
    The boxes, and for each of those given the number of the one it has become part of.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pieces = np.flatnonzero(boxes.cut.any(axis=1))
    part = boxes.take(pieces)
    links: list[tuple[Numbers, Numbers]] = []
    for ours, theirs in _pairs(part.corners, part.corners, join_distance):
        linked = _continues(part, ours, theirs, join_distance)
        links.append((ours[linked], theirs[linked]))
    first = pieces[np.concatenate([link[0] for link in links])] if links else np.empty(0, np.intp)
    second = pieces[np.concatenate([link[1] for link in links])] if links else np.empty(0, np.intp)
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(boxes), len(boxes)))
    count, part_of = connected_components(graph, directed=False)
    part_of = part_of.astype(np.intp)
    corners = np.empty((count, 4), dtype=np.float32)
    cut = np.empty((count, 4), dtype=np.bool_)
    for side in range(4):
        outward = boxes.corners[:, side] if side in (RIGHT, BOTTOM) else -boxes.corners[:, side]
        # Of each group the box that reaches furthest; among equals one that is not cut.
        order = np.lexsort((boxes.cut[:, side], -outward, part_of))
        furthest = order[np.searchsorted(part_of[order], np.arange(count))]
        corners[:, side], cut[:, side] = boxes.corners[furthest, side], boxes.cut[furthest, side]
    order = np.lexsort((-boxes.scores, part_of))
    highest_confidence = order[np.searchsorted(part_of[order], np.arange(count))]
    return Boxes(corners, boxes.scores[highest_confidence], boxes.classes[highest_confidence], cut), part_of


def _continues(boxes: Boxes, one: Numbers, other: Numbers, join_distance: float) -> Mask:
    """Pair by pair, whether the second box goes on where the first was cut, to the right or below."""
    weaker = np.minimum(boxes.scores[one], boxes.scores[other])
    surer = np.maximum(boxes.scores[one], boxes.scores[other])
    alike = (boxes.classes[one] == boxes.classes[other]) & (weaker >= SAY * surer)
    goes_on = np.zeros(len(one), dtype=np.bool_)
    for near, far, low, high in ((LEFT, RIGHT, TOP, BOTTOM), (TOP, BOTTOM, LEFT, RIGHT)):
        a, b = boxes.corners[one], boxes.corners[other]
        facing = boxes.cut[one, far] & boxes.cut[other, near]
        further = (a[:, near] < b[:, near]) & (a[:, far] < b[:, far]) & (b[:, near] <= a[:, far] + join_distance)
        # Where one window ended, the other's box is not to be compared beyond.
        begin = np.maximum(
            np.where(boxes.cut[one, low], a[:, low], -np.inf), np.where(boxes.cut[other, low], b[:, low], -np.inf)
        )
        end = np.minimum(
            np.where(boxes.cut[one, high], a[:, high], np.inf), np.where(boxes.cut[other, high], b[:, high], np.inf)
        )
        a_low, a_high = np.maximum(a[:, low], begin), np.minimum(a[:, high], end)
        b_low, b_high = np.maximum(b[:, low], begin), np.minimum(b[:, high], end)
        opposite = np.minimum(a_high, b_high) - np.maximum(a_low, b_low)
        shorter = np.minimum(a_high - a_low, b_high - b_low)
        goes_on |= facing & further & (opposite > 0) & (opposite >= LINED_UP * shorter)
    both: Mask = goes_on & alike
    return both


def drop_truncated(boxes: Boxes) -> tuple[Boxes, Numbers]:
    """Leave out what is left of landslides at a window's border where another window saw more of them.

    A box that is cut goes when another of its class, not much less sure (`SAY`), reaches past the cut, was itself not
    cut where much of the box still lies ahead (`AHEAD`), and within the window is about the same box (`ALIKE`). The
    other becomes as sure as the surer of the two.

    Returns
    -------
    The boxes that stay, and their numbers.
    """
    scores = boxes.scores.copy()
    stays = np.ones(len(boxes), dtype=np.bool_)
    # The smallest first, so that what is handed on reaches the largest.
    for piece, other in _pieces(boxes, _covers_truncated):
        if stays[piece] and stays[other]:
            stays[piece] = False
            scores[other] = max(scores[other], scores[piece])
    kept = np.flatnonzero(stays)
    return Boxes(boxes.corners, scores, boxes.classes, boxes.cut).take(kept), kept


def _corners_gone(boxes: Boxes) -> tuple[Boxes, Numbers]:
    """Leave out corners of landslides that a window's corner showed and that line up with nothing, as of slanting ones.

    Returns
    -------
    The boxes that stay, and their numbers.
    """
    stays = np.ones(len(boxes), dtype=np.bool_)
    for piece, other in _pieces(boxes, _is_a_corner):
        if stays[other]:
            stays[piece] = False
    kept = np.flatnonzero(stays)
    return boxes.take(kept), kept


Judge = Callable[[Boxes, Numbers, Numbers], Mask]


def _pieces(boxes: Boxes, belongs: Judge) -> NDArray[np.intp]:
    """(pairs, 2) cut boxes and those that they belong to: the smallest first, each first to what covers most of it."""
    pieces = np.flatnonzero(boxes.cut.any(axis=1))
    found: list[NDArray[np.intp]] = [np.empty((0, 2), dtype=np.intp)]
    for ours, theirs in _pairs(boxes.corners[pieces], boxes.corners):
        piece = pieces[ours]
        chosen = belongs(boxes, piece, theirs)
        chosen &= (boxes.classes[piece] == boxes.classes[theirs]) & (piece != theirs)
        chosen &= boxes.scores[theirs] >= SAY * boxes.scores[piece]
        found.append(np.stack([piece[chosen], theirs[chosen]], axis=1))
    pairs = np.concatenate(found)
    shared = _shared(boxes.corners[pairs[:, 0]], boxes.corners[pairs[:, 1]])
    order = np.lexsort((pairs[:, 1], -shared, pairs[:, 0], _areas(boxes.corners)[pairs[:, 0]]))
    return np.asarray(pairs[order])


def _is_a_corner(boxes: Boxes, piece: Numbers, other: Numbers) -> Mask:
    """Pair by pair, whether the second box holds the first and reaches past all its cuts."""
    a, b, cut = boxes.corners[piece], boxes.corners[other], boxes.cut[piece]
    past = np.concatenate([b[:, :2] < a[:, :2], b[:, 2:] > a[:, 2:]], axis=1)
    both_ways = (cut[:, LEFT] | cut[:, RIGHT]) & (cut[:, TOP] | cut[:, BOTTOM])
    corner: Mask = both_ways & (past | ~cut).all(axis=1) & (_shared(a, b) >= COVERED * _areas(a))
    return corner


def _covers_truncated(boxes: Boxes, piece: Numbers, other: Numbers) -> Mask:
    """Pair by pair, whether the second box shows the landslide of which the first is a piece."""
    a, b, cut = boxes.corners[piece], boxes.corners[other], boxes.cut[piece]
    past, short = np.zeros(len(piece), dtype=np.bool_), np.zeros(len(piece), dtype=np.bool_)
    seen, sides = b.copy(), a[:, 2:] - a[:, :2]
    for side, facing, beyond in (
        (LEFT, RIGHT, np.less), (TOP, BOTTOM, np.less), (RIGHT, LEFT, np.greater), (BOTTOM, TOP, np.greater)
    ):  # fmt: skip
        further = beyond(b[:, side], a[:, side])
        # One that was cut on the facing side, and begins within the piece, is a piece itself.
        begins_within = boxes.cut[other, facing] & beyond(b[:, facing], a[:, facing])
        past |= cut[:, side] & further & ~begins_within
        # So is one that was cut where a good part of the piece still lies ahead.
        ahead = np.abs(a[:, side] - b[:, side]) > AHEAD * sides[:, side % 2]
        short |= boxes.cut[other, side] & beyond(a[:, side], b[:, side]) & ahead
        seen[:, side] = np.where(cut[:, side] & further, a[:, side], b[:, side])
    shared = _shared(a, seen)
    alike: Mask = past & ~short & (shared >= ALIKE * (_areas(a) + _areas(seen) - shared)) & (shared > 0)
    return alike
