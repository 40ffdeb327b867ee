"""Boxes on disk: a Parquet file of candidates or of a reference's boxes, in pixels of the scene's grid.

Columns: ``left``, ``top``, ``right``, ``bottom``, ``score`` (float32), ``class`` (int16), ``cut_left``, ``cut_top``,
``cut_right``, ``cut_bottom`` (bool), and of detectors that outline what they find ``mask`` (packed by
`core.tasks.detection.outlines.pack_masks`). Files of earlier versions hold ``outline`` instead: WKB of a polygon in the
same pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.raster.parquet import TableWriter, column_names, read_columns, writing_table
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.outlines import outline_of

if TYPE_CHECKING:
    import pyarrow

SIDES = ("left", "top", "right", "bottom")
CUT = tuple(f"cut_{side}" for side in SIDES)
MASK = "mask"
OUTLINE = "outline"


def schema(*, outlines: bool = False) -> pyarrow.Schema:
    """Columns of a table of boxes."""
    import pyarrow

    fields = [(side, pyarrow.float32()) for side in SIDES]
    fields += [("score", pyarrow.float32()), ("class", pyarrow.int16())]
    fields += [(name, pyarrow.bool_()) for name in CUT]
    return pyarrow.schema([*fields, (MASK, pyarrow.binary())] if outlines else fields)


class BoxWriter:
    """Takes boxes in parts; made by `writing_boxes`."""

    def __init__(self, table: TableWriter, *, outlines: bool) -> None:
        self._table, self._outlines = table, outlines
        self.count = 0

    def add(self, boxes: Boxes, outlines: Sequence[bytes] | None = None) -> None:
        """Add boxes, with as many packed masks where the file has them."""
        if len(boxes) == 0:
            return
        columns = dict(zip(SIDES, boxes.corners.T, strict=True))
        columns |= {"score": boxes.scores, "class": boxes.classes}
        columns |= dict(zip(CUT, boxes.cut.T, strict=True))
        # A column of an array is no contiguous array, which Arrow wants.
        values = {name: np.ascontiguousarray(column) for name, column in columns.items()}
        self._table.add({**values, MASK: list(outlines or ())} if self._outlines else values)
        self.count += len(boxes)


@contextmanager
def writing_boxes(path: Path, *, outlines: bool = False) -> Iterator[BoxWriter]:
    """Open a file of boxes to be written part by part; whole or not at all.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    with writing_table(path, schema(outlines=outlines)) as table:
        yield BoxWriter(table, outlines=outlines)


def write_boxes(path: Path, boxes: Boxes) -> None:
    """Write boxes that are in memory.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    with writing_boxes(path) as writer:
        writer.add(boxes)


def read_boxes(path: Path) -> Boxes:
    """All boxes of a file.

    Raises
    ------
    StorageError
        When the file is gone or damaged.
    """
    columns = read_columns(path, (*SIDES, "score", "class", *CUT))
    return Boxes.of(
        np.stack([columns[side] for side in SIDES], axis=1),
        columns["score"],
        columns["class"],
        np.stack([columns[name] for name in CUT], axis=1),
    )


def has_outlines(path: Path) -> bool:
    """Whether a file of boxes holds outlines as well."""
    return not {MASK, OUTLINE}.isdisjoint(column_names(path))


def read_outlines(path: Path, rows: NDArray[np.integer]) -> NDArray[np.object_]:
    """Outlines of some boxes as shapely geometries in pixels of the grid.

    Raises
    ------
    StorageError
        When the file is gone or damaged, or holds none.
    """
    import shapely

    if OUTLINE in column_names(path):
        return np.asarray(shapely.from_wkb(read_columns(path, (OUTLINE,), rows)[OUTLINE]), dtype=object)
    columns = read_columns(path, (MASK, *SIDES), rows)
    corners = np.stack([columns[side] for side in SIDES], axis=1)
    shapes = np.empty(len(corners), dtype=object)
    shapes[:] = [outline_of(packed, box) for packed, box in zip(columns[MASK], corners, strict=True)]
    return shapes
