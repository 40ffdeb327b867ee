"""A mask of any height taken in strips of rows: what belongs together across their borders, and which gaps are holes.

Labels of a strip are the same each time it is labelled, so that only what crosses a border has to be remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]
Numbers = NDArray[np.intp]

EIGHT = np.ones((3, 3), dtype=np.bool_)
FOUR = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.bool_)

STRIP_PIXELS = 6_000_000
"""Pixels of a strip at most, as far as a strip of a few rows can hold to it."""

HIGHEST, LOWEST = 512, 32
"""Rows of a strip: a row of the raster's tiles, or a part of one that divides it."""


@dataclass(frozen=True)
class Strip:
    """Some rows of a raster, over its whole width.

    Attributes
    ----------
    top
        First row.
    height
        Rows of the whole raster.
    found
        (rows, width) True where a landslide was found; never where there is no data.
    valid
        (rows, width) True where there is data.
    codes
        (rows, width) whole numbers whose sum over each landslide is wanted.
    """

    top: int
    height: int
    found: Mask
    valid: Mask
    codes: NDArray[np.uint8]

    @property
    def last(self) -> bool:
        """Whether no other strip follows."""
        return self.top + len(self.found) == self.height


Strips = Callable[[], Iterator[Strip]]
"""Gives the strips of a raster from top to bottom, as often as asked."""


def strip_rows(width: int) -> int:
    """Rows of a strip of a raster of some width."""
    rows = HIGHEST
    while rows > LOWEST and rows * width > STRIP_PIXELS:
        rows //= 2
    return rows


def labelled(mask: Mask, structure: Mask) -> tuple[Labels, int]:
    """Number the patches of a mask from 1, and count them."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=structure)
    return labels, int(count)


def joined(above: NDArray[np.intp], before: int, below: Labels, count: int, *, corners: bool) -> tuple[int, Numbers]:
    """Which patches above and below a border are one.

    Parameters
    ----------
    above, below
        (width,) numbers of the patches in the last row above and the first below, from 1; 0 where there is none.
    before, count
        How many patches there are above, also such as do not reach the border, and below.
    corners
        Whether those that touch only at a corner are one.

    Returns
    -------
    How many groups they make, and the group of each, first of those above, then of those below.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    total, width = before + count, len(above)
    if not total:
        return 0, np.empty(0, dtype=np.intp)
    links = [np.empty((0, 2), dtype=np.intp)]
    for shift in (-1, 0, 1) if corners else (0,):
        upper = above[max(0, -shift) : width - max(0, shift)]
        lower = below[max(0, shift) : width - max(0, -shift)]
        both = (upper > 0) & (lower > 0)
        links.append(np.column_stack([upper[both] - 1, lower[both].astype(np.intp) - 1 + before]))
    link = np.unique(np.concatenate(links), axis=0)
    graph = coo_array((np.ones(len(link), dtype=np.int8), (link[:, 0], link[:, 1])), shape=(total, total))
    groups, group = connected_components(graph, directed=False)
    return int(groups), group.astype(np.intp)


def marked(labels: NDArray[np.integer], count: int) -> Mask:
    """(count,) True for the patches whose number occurs."""
    at = np.zeros(count + 1, dtype=np.bool_)
    at[labels] = True
    return at[1:]


@dataclass(frozen=True)
class Gaps:
    """What lies between the landslides of a strip.

    Attributes
    ----------
    labels
        (rows, width) number of the gap from 1, 0 in a landslide.
    sizes
        (gaps,) pixels.
    open
        (gaps,) whether it reaches the edge of the raster or holds a pixel without data, and so is no hole.
    crossing
        (gaps,) whether it may go on in another strip.
    """

    labels: Labels
    sizes: Numbers
    open: Mask
    crossing: Mask

    @classmethod
    def of(cls, strip: Strip) -> Gaps:
        """Find the gaps of a strip."""
        labels, count = labelled(~strip.found, FOUR)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        is_open = marked(labels[:, 0], count) | marked(labels[:, -1], count) | marked(labels[~strip.valid], count)
        top, bottom = marked(labels[0], count), marked(labels[-1], count)
        if strip.top == 0:
            is_open |= top
        if strip.last:
            is_open |= bottom
        return cls(labels, sizes, is_open, top | bottom)


def filled(strip: Strip, most: int, holes: Numbers) -> Mask:
    """The mask of a strip with its holes filled.

    Parameters
    ----------
    most
        Pixels of the largest hole filled.
    holes
        Numbers of those gaps that cross a border and are to be filled, from `crossing_holes`.
    """
    if most <= 0:
        return strip.found
    gaps = Gaps.of(strip)
    fill = np.zeros(len(gaps.sizes) + 1, dtype=np.bool_)
    fill[1:] = (gaps.sizes <= most) & ~gaps.open & ~gaps.crossing
    fill[holes] = True
    return strip.found | fill[gaps.labels]


def crossing_holes(strips: Iterable[Strip], width: int, most: int) -> list[Numbers]:
    """Which gaps that cross the border of a strip are holes to be filled: their numbers in each strip.

    Parameters
    ----------
    most
        Pixels of the largest hole filled.
    """
    crossing = _Crossing(width, most)
    for strip in strips:
        crossing.add(strip)
    return [np.concatenate(parts) if parts else np.empty(0, dtype=np.intp) for parts in crossing.holes]


class _Crossing:
    """Gaps that reach the last row so far, and what is known of those that have ended."""

    def __init__(self, width: int, most: int) -> None:
        self.most = most
        self.holes: list[list[Numbers]] = []
        self._above = np.zeros(width, dtype=np.intp)
        self._sizes, self._open = np.empty(0, dtype=np.intp), np.empty(0, dtype=np.bool_)
        # Strip, number in the strip, and group of each gap of a group that may still be a hole.
        self._members = np.empty((0, 3), dtype=np.intp)

    def add(self, strip: Strip) -> None:
        """Take the next strip."""
        gaps = Gaps.of(strip)
        # Those that cross no border are settled by `filled`.
        local = np.flatnonzero(gaps.crossing)
        number = np.zeros(len(gaps.sizes) + 1, dtype=np.int32)
        number[local + 1] = np.arange(1, len(local) + 1)
        before = len(self._sizes)
        groups, group = joined(self._above, before, number[gaps.labels[0]], len(local), corners=False)
        sizes = np.concatenate([self._sizes, gaps.sizes[local]])
        total = np.bincount(group, weights=sizes, minlength=groups).astype(np.intp)
        is_open = np.zeros(groups, dtype=np.bool_)
        is_open[group[np.concatenate([self._open, gaps.open[local]])]] = True
        new = np.column_stack([np.full(len(local), len(self.holes)), local + 1, group[before:]])
        members = self._members.copy()
        members[:, 2] = group[members[:, 2]]
        members = np.concatenate([members, new])
        members = members[~is_open[members[:, 2]] & (total[members[:, 2]] <= self.most)]
        self.holes.append([])
        last_row = number[gaps.labels[-1]]
        self._keep(last_row, group, before, total, is_open, members, strip.last)

    def _keep(
        self, last_row: Labels, group: Numbers, before: int, total: Numbers, is_open: Mask, members: Numbers,
        last: bool,
    ) -> None:  # fmt: skip
        goes_on = np.zeros(len(total), dtype=np.bool_)
        inside = last_row > 0
        groups_there = group[before + last_row[inside].astype(np.intp) - 1]
        if not last:
            goes_on[groups_there] = True
        ended = ~goes_on[members[:, 2]]
        done = members[ended]
        for strip in np.unique(done[:, 0]):
            self.holes[int(strip)].append(done[done[:, 0] == strip, 1])
        renumbered = np.cumsum(goes_on) - 1
        self._members = members[~ended]
        self._members[:, 2] = renumbered[self._members[:, 2]]
        self._sizes, self._open = total[goes_on], is_open[goes_on]
        self._above = np.zeros(len(last_row), dtype=np.intp)
        if not last:
            self._above[inside] = renumbered[groups_there] + 1
