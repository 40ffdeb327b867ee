"""The map that an explanation of any task stored, on the pixels of the window that it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.explain.window import read_part
from core.learning.metrics import decode, decode_signed
from core.raster.area import window_of
from core.raster.scene import Scene
from core.raster.windows import Region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from core.raster.grid import Grid


EXPLANATION = "cam"
"""Role of the raster of an explanation."""


@dataclass(frozen=True)
class Attribution:
    """Which places spoke for what was asked about, and with `signed` which against it.

    Attributes
    ----------
    grid
        Grid of the window.
    values
        (height, width) float32 in [0, 1], or in [−1, 1] when signed; NaN where the scene has no data.
    signed
        Whether values below zero speak against it; else they were cut off.
    """

    grid: Grid
    values: NDArray[np.float32]
    signed: bool


def read_attribution(path: Path, stored: Grid, record: Mapping[str, Any]) -> Attribution:
    """Read the map of an explanation, also of one that an earlier version stored without its sign.

    Parameters
    ----------
    path, stored
        Its raster and the grid of that.
    record
        Provenance of the explanation.

    Raises
    ------
    StorageError
        When its raster is gone.
    """
    told = record.get("window")
    if told is None:
        with Scene.open(path).reader() as reader:
            codes = reader.read((1,)).values[0].astype(np.uint8)
        return Attribution(stored, decode(codes), signed=False)
    # Without a coordinate system the raster is as large as the scene, see `core.explain.window.write_part`.
    part = Region(*told)
    grid = stored if stored.is_georeferenced else stored.window(window_of(part))
    values = decode_signed(read_part(path, stored, part).astype(np.int16))
    return Attribution(grid, values, signed=bool(record.get("signed", True)))


def box_region(box: Sequence[float], grid: Grid, whole: Grid) -> NDArray[np.bool_]:
    """Pixels of a window of a scene whose centres lie in a box of the scene's pixels."""
    row, column = whole.rowcol(*grid.xy(0, 0))
    left, top, right, bottom = box
    return inside_box((left - column, top - row, right - column, bottom - row), grid.shape)


def inside_box(box: Sequence[float], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels (height, width) whose centres lie in a box: left, top, right, bottom."""
    left, top, right, bottom = box
    rows, columns = np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5
    inside: NDArray[np.bool_] = ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    return inside
