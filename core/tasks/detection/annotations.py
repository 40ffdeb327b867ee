"""Boxes of a set of images as labels, whatever format they came in, and what was wrong with them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.pairs import SUFFIXES
from core.raster.untrusted import open_untrusted
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.vectors import check_count
from core.wording import agree, count

Sizes = Mapping[str, tuple[int, int]]
"""Height and width of images in pixels, by file name."""

MOST_CLASSES = 1000
"""More classes than this are no classes of landslides."""

ROUNDING = 0.5
"""Pixels by which a box may reach past the edge without a word: labels are rounded, and made by hand."""


@dataclass(frozen=True)
class Annotations:
    """Boxes of images.

    Attributes
    ----------
    boxes
        By file name; an image without landslides has none of them, but is there.
    classes
        Names of the classes, in the order of the boxes' numbers.
    notes
        What was cut, left out or taken for granted, each a sentence; empty when all was as it should be.
    """

    boxes: dict[str, Boxes]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def sizes_of(images: Sizes | str | os.PathLike[str]) -> dict[str, tuple[int, int]]:
    """Height and width of images by file name: as given, or those of a folder.

    Raises
    ------
    InputError
        When the folder is missing or holds no image, or an image cannot be read.
    """
    if isinstance(images, Mapping):
        return dict(images)
    folder = Path(images)
    if not folder.is_dir():
        raise InputError(f"Folder {folder.name} does not exist.", remedy="Give a folder of images.")
    sizes = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            with open_untrusted(path) as dataset:
                sizes[path.name] = (int(dataset.height), int(dataset.width))
    if not sizes:
        raise InputError(f"{folder.name} holds no images.", remedy="Give a folder of PNG, JPEG or GeoTIFF files.")
    return sizes


_WRONG = (
    ("does not consist of four numbers; it was left out", "do not consist of four numbers; they were left out"),
    ("has no width or height; it was left out", "have no width or height; they were left out"),
    ("lies outside its image; it was left out", "lie outside their image; they were left out"),
    (
        "extended beyond the edge of its image; it was clipped",
        "extended beyond the edge of their image; they were clipped",
    ),
)
"""What can be wrong with a box, as it is said of one and of several."""


@dataclass
class Settling:
    """Lays boxes in their images and counts what is wrong with them.

    Attributes
    ----------
    name
        What the labels are called in errors.
    """

    name: str
    given: int = 0
    kept: int = 0
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)

    def settle(self, corners: NDArray[np.float64], classes: Sequence[int], size: tuple[int, int]) -> Boxes:
        """Boxes of an image, cut at its edges, without those that are none.

        Parameters
        ----------
        corners
            (count, 4) left, top, right, bottom in pixels; anything, also NaN.
        classes
            (count,) from 0.
        size
            Height and width of the image.
        """
        check_count(len(corners))
        self.given += len(corners)
        height, width = size
        with np.errstate(over="ignore"):
            placed = corners.astype(np.float32)
        finite = np.asarray(np.isfinite(placed).all(axis=1))
        placed = np.where(finite[:, None], placed, 0)
        sized = finite & (placed[:, 2] > placed[:, 0]) & (placed[:, 3] > placed[:, 1])
        edges = np.array([width, height], dtype=np.float32)
        meets = sized & (placed[:, :2] < edges).all(axis=1) & (placed[:, 2:] > 0).all(axis=1)
        inside = np.clip(placed, 0, np.tile(edges, 2))
        cut = meets & (np.abs(inside - placed).max(axis=1, initial=0) > ROUNDING)
        for words, which in zip(_WRONG, (~finite, finite & ~sized, sized & ~meets, cut), strict=True):
            self.wrong[words] += int(np.count_nonzero(which))
        self.kept += int(np.count_nonzero(meets))
        return Boxes.of(inside, None, classes).take(meets)

    def notes(self) -> list[str]:
        """What was wrong, a sentence each.

        Raises
        ------
        InputError
            When boxes were given, but none lies in its image.
        """
        boxes = count(self.given, "box", "boxes")
        found = [f"{number:,} of {boxes} {agree(number, *words)}." for words, number in self.wrong.items() if number]
        if self.given and not self.kept:
            raise InputError(
                f"None of the boxes of {self.name} ({self.given:,}) lies within its image.",
                " ".join(found),
                "Check that the labels belong to these images, and that their units are correct.",
            )
        return found


def named(names: list[str]) -> str:
    """The first few of names, for a sentence."""
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
