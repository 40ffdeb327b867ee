"""Boxes as labels: made from masks of landslides by one rule, whatever the size of the raster.

The rule: pixels that touch, also at a corner, are one landslide; its box runs along the outer edges of its pixels. One
of fewer than 10 pixels is left out, and of less than 1,000 m², which is the same on a grid of 10 m: a finer grid shows
the same ground in more pixels, and a coarser one shows in fewer than 10 what cannot be told from noise.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.raster.align import ReferenceReader, reference_reader
from core.raster.grid import Grid
from core.raster.inventory import UNKNOWN, Inventory
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.strip_labelling import EIGHT, Mask, Numbers, joined, labelled, strip_rows
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.vectors import boxes_of_inventory, check_count

MINIMUM_PIXELS = 10
"""Pixels of the smallest landslide that has a box, on a grid of 10 m or of unknown ground distance."""

MINIMUM_AREA = 1000.0
"""Area of the smallest landslide that has a box, m²."""


def minimum_pixels(ground_distance: float | None) -> int:
    """Pixels of the smallest landslide that has a box.

    Parameters
    ----------
    ground_distance
        Metres on the ground from pixel to pixel; None where it is unknown.

    Returns
    -------
    As many as cover `MINIMUM_AREA`, but no fewer than `MINIMUM_PIXELS`.
    """
    if ground_distance is None:
        return MINIMUM_PIXELS
    return max(MINIMUM_PIXELS, round(MINIMUM_AREA / ground_distance**2))


def boxes_of_mask(mask: NDArray[np.uint8] | Mask, minimum: int = MINIMUM_PIXELS) -> Boxes:
    """Boxes around the landslides of a mask, from top to bottom.

    Parameters
    ----------
    mask
        (height, width): 0 no landslide, 255 unknown, all else landslide, which is what reference readers give, not what
        files of masks hold; or True where there is one.
    minimum
        Landslides of fewer pixels are left out.

    Raises
    ------
    InputError
        When there are more than `MOST_BOXES`.
    """
    gathering = _Gathering(mask.shape[1], minimum)
    gathering.add(_landslide(mask), last=True)
    return gathering.boxes()


def reference_boxes(
    path: str | os.PathLike[str],
    grid: Grid,
    minimum: int | None = None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
    *,
    patch: bool = False,
) -> Boxes:
    """Boxes of an inventory on a scene, in memory that does not grow with the height of the scene.

    Parameters
    ----------
    path
        Raster or vector inventory, as of `core.raster.align.reference_reader`. Of a vector inventory every polygon is
        one landslide, also where two touch.
    grid
        The scene's grid.
    minimum
        Landslides of fewer pixels are left out; None: by `minimum_pixels` of the grid.
    patch
        Whether it is one of many masks of a training set; see `core.raster.align.reference_reader`.

    Raises
    ------
    GridError, InputError
        As of `reference_reader`, and when there are more than `MOST_BOXES`.
    RunCancelled
        When asked to stop.
    """
    least = minimum_pixels(grid.ground_distance()) if minimum is None else minimum
    return boxes_of_reference(reference_reader(path, grid, patch=patch), grid, least, progress, cancel)


def boxes_of_reference(
    reader: ReferenceReader, grid: Grid, least: int, progress: ProgressCallback = ignore, cancel: Cancel = never
) -> Boxes:
    """Boxes of an inventory that is open; see `reference_boxes`."""
    if isinstance(reader, Inventory):
        return boxes_of_inventory(reader, least)
    gathering = _Gathering(grid.width, least)
    tops = range(0, grid.height, strip_rows(grid.width))
    for done, top in enumerate(tops):
        stop_if(cancel)
        rows = min(tops.step, grid.height - top)
        gathering.add(_landslide(reader.read(Window(0, top, grid.width, rows))), last=top == tops[-1])
        progress(done + 1, len(tops))
    return gathering.boxes()


def _landslide(mask: NDArray[np.uint8] | Mask) -> Mask:
    # True is no code, nor is it equal to one.
    found: Mask = (mask != 0) & (mask != UNKNOWN)
    return found


@dataclass(frozen=True)
class _Extents:
    """Pixels and box of each patch.

    Attributes
    ----------
    sizes
        (patches,) pixels.
    low, high
        (patches, 2) first column and row; column and row after the last.
    """

    sizes: Numbers
    low: Numbers
    high: Numbers

    @classmethod
    def of(cls, labels: NDArray[np.int32], count: int, top: int) -> _Extents:
        """Extents of the patches of a strip, numbered from 1."""
        rows, columns = np.nonzero(labels)
        patch = labels[rows, columns].astype(np.intp) - 1
        places = np.column_stack([columns, rows + top])
        return cls(np.ones(len(patch), np.intp), places, places + 1).by(patch, count)

    def by(self, group: Numbers, groups: int) -> _Extents:
        """The extents of each group of patches."""
        low = np.full((groups, 2), np.iinfo(np.intp).max, dtype=np.intp)
        high = np.zeros((groups, 2), dtype=np.intp)
        np.minimum.at(low, group, self.low)
        np.maximum.at(high, group, self.high)
        return _Extents(np.bincount(group, weights=self.sizes, minlength=groups).astype(np.intp), low, high)

    def take(self, which: Mask) -> _Extents:
        """Some of them."""
        return _Extents(self.sizes[which], self.low[which], self.high[which])

    @classmethod
    def together(cls, parts: list[_Extents]) -> _Extents:
        """Several, in their order."""
        return cls(
            np.concatenate([part.sizes for part in parts]),
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.high for part in parts]),
        )


class _Gathering:
    """Takes the strips of a mask from top to bottom, and gives the boxes of its patches.

    Parameters
    ----------
    width
        Pixels of a row.
    minimum
        Patches of fewer pixels are left out.
    """

    def __init__(self, width: int, minimum: int) -> None:
        self.minimum = minimum
        self._open = _Extents(np.empty(0, np.intp), np.empty((0, 2), np.intp), np.empty((0, 2), np.intp))
        self._ended = [self._open]
        self._above = np.zeros(width, dtype=np.intp)
        self._top = self._count = 0

    def add(self, mask: Mask, *, last: bool) -> None:
        """Take the next rows."""
        labels, count = labelled(mask, EIGHT)
        before = len(self._open.sizes)
        groups, group = joined(self._above, before, labels[0], count, corners=True)
        whole = _Extents.together([self._open, _Extents.of(labels, count, self._top)]).by(group, groups)
        goes_on = np.zeros(groups, dtype=np.bool_)
        inside = labels[-1] > 0
        below = group[before + labels[-1][inside].astype(np.intp) - 1]
        if not last:
            goes_on[below] = True
        ended = whole.take(~goes_on & (whole.sizes >= self.minimum))
        self._ended.append(ended)
        self._count += len(ended.sizes)
        check_count(self._count)
        self._open = whole.take(goes_on)
        self._above = np.zeros(len(self._above), dtype=np.intp)
        self._above[inside] = np.cumsum(goes_on)[below]
        self._top += len(mask)

    def boxes(self) -> Boxes:
        """The boxes, from top to bottom and left to right."""
        all_of = _Extents.together(self._ended)
        corners = np.hstack([all_of.low, all_of.high]).astype(np.float32)
        return Boxes.of(corners[np.lexsort((corners[:, 0], corners[:, 1]))])
