"""Boxes around landslides: where, how sure, of which class; and how much two of them overlap.

A box is left, top, right, bottom in pixels of some grid: x to the right, y downwards, whole numbers on the edges of
pixels. The box of a single pixel at column 3, row 5 is (3, 5, 4, 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Boxes:
    """Boxes of one image.

    Attributes
    ----------
    corners
        (count, 4) float32: left, top, right, bottom.
    scores
        (count,) float32: confidence between 0 and 1; 1 for labels.
    classes
        (count,) int16: index of the class in the model's spec, from 0.
    cut
        (count, 4) bool: whether left, top, right, bottom is where a window ended and not known to be an edge of the
        landslide.
    """

    corners: Floats
    scores: Floats
    classes: NDArray[np.int16]
    cut: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.corners)

    @classmethod
    def of(
        cls,
        corners: Sequence[Sequence[float]] | NDArray[np.floating],
        scores: Sequence[float] | NDArray[np.floating] | None = None,
        classes: Sequence[int] | NDArray[np.integer] | None = None,
        cut: NDArray[np.bool_] | None = None,
    ) -> Boxes:
        """Boxes from anything array-like; without scores they are labels, without classes of the first class."""
        placed = np.asarray(corners, dtype=np.float32).reshape(-1, 4)
        count = len(placed)
        return cls(
            placed,
            np.ones(count, np.float32) if scores is None else np.asarray(scores, dtype=np.float32).reshape(count),
            np.zeros(count, np.int16) if classes is None else np.asarray(classes, dtype=np.int16).reshape(count),
            np.zeros((count, 4), np.bool_) if cut is None else np.asarray(cut, dtype=np.bool_).reshape(count, 4),
        )

    @classmethod
    def none(cls) -> Boxes:
        """No boxes."""
        return cls.of(np.empty((0, 4), np.float32))

    @classmethod
    def joined(cls, parts: Sequence[Boxes]) -> Boxes:
        """Boxes of several parts, in their order."""
        if not parts:
            return cls.none()
        return cls(
            np.concatenate([part.corners for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.classes for part in parts]),
            np.concatenate([part.cut for part in parts]),
        )

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> Boxes:
        """Some of the boxes, by index or by a mask."""
        return Boxes(self.corners[which], self.scores[which], self.classes[which], self.cut[which])

    def moved(self, right: float, down: float) -> Boxes:
        """The same boxes in pixels of a grid whose origin lies that much to the left and above."""
        shift = np.array([right, down, right, down], dtype=np.float32)
        return Boxes(self.corners + shift, self.scores, self.classes, self.cut)

    def scaled(self, across: float, down: float) -> Boxes:
        """The same boxes in pixels of another size: corners times this."""
        factor = np.array([across, down, across, down], dtype=np.float32)
        return Boxes(self.corners * factor, self.scores, self.classes, self.cut)

    def ordered(self) -> Boxes:
        """The surest first; equal scores by place, so that the order is always the same."""
        left, top, right, bottom = self.corners.T
        return self.take(np.lexsort((bottom, right, left, top, -self.scores)))


def areas(corners: Floats) -> Floats:
    """Area of boxes (count,) in square pixels; of a box that is turned inside out, 0."""
    sides = np.clip(corners[:, 2:] - corners[:, :2], 0, None)
    covered: Floats = sides[:, 0] * sides[:, 1]
    return covered


def intersections(one: Floats, other: Floats) -> Floats:
    """Area that each of one set of boxes shares with each of another, (count of one, count of other)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    shared: Floats = sides[..., 0] * sides[..., 1]
    return shared


def overlaps(one: Floats, other: Floats) -> Floats:
    """Intersection over union of each of one set of boxes with each of another, 0 to 1."""
    shared = intersections(one, other)
    union = areas(one)[:, None] + areas(other)[None, :] - shared
    ratio: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio
