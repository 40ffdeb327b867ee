"""The difference between two probability rasters of any size, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError
from core.learning.metrics import NODATA_CODE, SHARE, threshold_code
from core.raster.align import GridReader, scene_on_grid
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.scene import Scene
from core.raster.write import writing
from core.tasks.mapping.change import NODATA_CHANGE, STEPS
from core.tasks.mapping.result import CHANGE, PROBABILITY, MappingResult

if TYPE_CHECKING:
    from pathlib import Path

    from core.raster.grid import Grid

BLOCK = 2048
"""Side of a block in pixels: a whole number of tiles of what is written."""

ENCODING = "probability of the second run minus that of the first = value / 254; -32768 nodata"


@dataclass(frozen=True)
class Difference:
    """How far two runs differ, over the pixels that both know.

    Attributes
    ----------
    pixels
        Pixels of the second run's grid with data in both.
    mean_absolute
        Mean of the absolute difference in probability, 0 to 1.
    gained, lost
        Pixels that are landslide only in the second run, and only in the first.
    thresholds
        Probabilities from which the first and the second run call a pixel landslide.
    in_one_only
        Pixels of the second run's grid with data in one of them alone, of which no difference is known.
    """

    pixels: int
    mean_absolute: float
    gained: int
    lost: int
    thresholds: tuple[float, float]
    in_one_only: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of what is not compared."""
        if not self.in_one_only:
            return ()
        share = self.in_one_only / (self.in_one_only + self.pixels)
        return (
            f"In the area of the second run, {100 * share:.1f} % of the pixels that have data in one run have none in "
            "the other; they were not compared.",
        )

    @property
    def changed_share(self) -> float:
        """Share of the pixels that lie on the other side of the threshold."""
        return (self.gained + self.lost) / self.pixels

    def to_json(self) -> dict[str, float | int | list[float]]:
        """As it stands in a run's provenance."""
        return {**asdict(self), "thresholds": list(self.thresholds), "changed_share": self.changed_share}


def check_same_place(first: MappingResult, second: MappingResult) -> None:
    """Refuse two runs that cannot be laid on one grid.

    Raises
    ------
    GridError
        When one has a coordinate system and the other not, when sizes differ in pixel space, or without overlap.
    StorageError
        When a probability raster is gone.
    """
    with scene_on_grid(Scene.open(first.artifact(PROBABILITY), first.scene), second.grid, bands=(1,)):
        pass


def write_difference(
    first: MappingResult,
    second: MappingResult,
    path: Path,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> Difference:
    """Write second minus first as a COG in memory that does not grow with the rasters.

    Parameters
    ----------
    first, second
        Runs with a probability; the first is laid on the second's grid by nearest neighbour. Each is judged at its own
        model's threshold.
    path
        The COG: int16, difference times 254, -32768 where either has no data; the same file as that of
        `core.tasks.mapping.change.write_change` but for its tags.

    Raises
    ------
    GridError
        When the two cannot be laid on one grid or have no valid pixel in common.
    RunCancelled
        When asked to stop; nothing remains.
    StorageError
        When a raster is gone or the disk is full; nothing remains.
    """
    grid, thresholds = second.grid, (first.threshold, second.threshold)
    codes = [threshold_code(threshold) for threshold in thresholds]
    windows = list(_blocks(grid))
    pixels = total = gained = lost = in_one_only = 0
    one, other = (Scene.open(run.artifact(PROBABILITY), run.scene) for run in (first, second))
    with (
        scene_on_grid(one, grid, bands=(1,)) as before,
        scene_on_grid(other, grid, bands=(1,)) as after,
        writing(
            path, grid, dtype="int16", nodata=NODATA_CHANGE, descriptions=(CHANGE,), tags={"encoding": ENCODING},
            scale=SHARE, unit="1",
        ) as writer,
    ):
        for number, window in enumerate(windows, start=1):
            stop_if(cancel)
            earlier, later = _codes(before, window), _codes(after, window)
            known = (earlier != NODATA_CODE) & (later != NODATA_CODE)
            difference = later.astype(np.int16) - earlier.astype(np.int16)
            writer.write(np.where(known, difference, NODATA_CHANGE).astype(np.int16), window.row_off, window.col_off)
            pixels += int(np.count_nonzero(known))
            in_one_only += int(np.count_nonzero((earlier != NODATA_CODE) ^ (later != NODATA_CODE)))
            total += int(np.abs(difference[known]).sum(dtype=np.int64))
            was, is_now = known & (earlier >= codes[0]), known & (later >= codes[1])
            gained += int(np.count_nonzero(is_now & ~was))
            lost += int(np.count_nonzero(was & ~is_now))
            progress(number, len(windows))
        if not pixels:
            raise GridError(
                "The two runs have no valid pixel in common.", "They cannot be compared.", (
                    "Choose runs of the same area."
                )
            )
    return Difference(pixels, total / pixels / STEPS, gained, lost, thresholds, in_one_only)


def _blocks(grid: Grid) -> Iterator[Window]:
    for row in range(0, grid.height, BLOCK):
        for column in range(0, grid.width, BLOCK):
            yield Window(column, row, min(BLOCK, grid.width - column), min(BLOCK, grid.height - row))


def _codes(reader: GridReader, window: Window) -> NDArray[np.uint8]:
    patch = reader.read(window)
    return np.where(patch.valid, patch.values[0], NODATA_CODE).astype(np.uint8)
