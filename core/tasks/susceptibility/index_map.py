"""The map: what fitted models say of every cell of an area, written window by window.

A cell that lacks a factor has no index. What a model says is kept as a code (0 to 254 for 0 to 1, 255 for unknown),
with how many cells of the area, and of the landslides, have each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.learning.metrics import CODES, NODATA_CODE, SHARE, SIGNED_NODATA, decode, encode, encode_signed
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.write import RasterWriter, writing
from core.tasks.susceptibility.sampling import frame_of

if TYPE_CHECKING:
    import pandas as pd

    from core.raster.scene import Scene
    from core.tasks.susceptibility.factors import Factors
    from core.tasks.susceptibility.landslides import Landslides

BLOCK = 512
"""Side of a window."""

Codes = NDArray[np.uint8]
Counts = NDArray[np.int64]

INDEX, UNCERTAINTY, APPLICABILITY, DIFFERENCE = "index", "uncertainty", "applicability", "difference"
"""Roles of rasters: what each model says (`index_role`), its spread, how unlike the cells it learnt from, a difference."""  # noqa: E501

MOST_MAPPED = 4
"""Models that are mapped at once."""


class Likeness(Protocol):
    """Tells how unlike cells are to those that models learnt from."""

    @property
    def threshold(self) -> float:
        """Dissimilarity index beyond which a cell is unlike them."""

    def distance(self, factors: pd.DataFrame) -> NDArray[np.float32]:
        """(cells,) dissimilarity index of cells by their factors."""


def index_role(number: int) -> str:
    """Role of the raster of the model of that number among those that are mapped, from 0."""
    return INDEX if number == 0 else f"{INDEX}_{number + 1}"


@dataclass(frozen=True)
class Mapped:
    """A model as it is mapped.

    Attributes
    ----------
    name
        Of the model.
    fitted
        The estimators whose mean it is: one, or several of an average.
    ensemble
        By fold, the same fitted on the other folds, whose spread is the uncertainty; none without it.
    """

    name: str
    fitted: tuple[Any, ...]
    ensemble: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True)
class MapCounts:
    """How many cells have each code.

    Attributes
    ----------
    area
        (models, 255) cells of the area.
    square_metres
        (models, 255) their area.
    landslides
        (models, 255) cells with a landslide.
    unseen
        By factor of classes, cells with a class that no cell learnt from has.
    outside
        Cells outside the area of applicability; None where that was not asked for.
    known
        Cells with an index.
    """

    area: Counts
    square_metres: NDArray[np.float64]
    landslides: Counts
    unseen: Mapping[str, int]
    outside: int | None
    known: int


def said(estimators: Sequence[Any], frame: pd.DataFrame) -> NDArray[np.float64]:
    """(cells,) the mean of what estimators say of cells: probability of a landslide among cells as they were drawn."""
    values = [np.asarray(one.predict_proba(frame)[:, 1], dtype=np.float64) for one in estimators]
    return np.asarray(values[0] if len(values) == 1 else np.mean(values, axis=0))


@dataclass(frozen=True)
class _Block:
    """What was computed of a window."""

    window: Window
    codes: list[Codes]
    spread: Codes | None
    distance: NDArray[np.float32] | None
    unseen: dict[str, int]


@dataclass(frozen=True)
class MapJob:
    """What is mapped, and with what.

    Attributes
    ----------
    scene
        The raster of factors.
    names
        Names of its bands, in their order.
    used
        Those of them that models learn from.
    factors
        These by kind.
    models
        Models that are mapped.
    slides
        Landslides of the area; None of an area without an inventory.
    seen
        By factor of classes, those that cells learnt from have.
    applicability
        Tells how unlike each cell is; None without.
    """

    scene: Scene
    names: tuple[str, ...]
    used: tuple[str, ...]
    factors: Factors
    models: tuple[Mapped, ...]
    slides: Landslides | None
    seen: Mapping[str, frozenset[str]]
    applicability: Likeness | None = None

    def write(self, folder: Path, progress: ProgressCallback = ignore, cancel: Cancel = never) -> MapCounts:
        """Write the rasters of the map into a folder, each named by its role.

        Raises
        ------
        LandslideError
            When the factors cannot be read or the disk is full.
        RunCancelled
            When asked to stop.
        """
        grid = self.scene.grid
        windows = [
            Window(column, row, min(BLOCK, grid.width - column), min(BLOCK, grid.height - row))
            for row in range(0, grid.height, BLOCK)
            for column in range(0, grid.width, BLOCK)
        ]
        tally = _Tally(self)
        with ExitStack() as open_files:
            writers = self._writers(folder, open_files)
            reader = open_files.enter_context(self.scene.reader())
            pool = open_files.enter_context(ThreadPoolExecutor(2))
            waiting: deque[Future[_Block]] = deque()
            bands = tuple(self.names.index(name) + 1 for name in self.used)
            done = 0
            try:
                for window in windows:
                    stop_if(cancel)
                    values = reader.read(bands, window).values.astype(np.float32, copy=False)
                    waiting.append(pool.submit(self._block, window, values))
                    while len(waiting) > 3 or (waiting and window is windows[-1]):
                        stop_if(cancel)
                        tally.take(waiting.popleft().result(), writers)
                        done += 1
                        progress(done, len(windows))
            finally:
                for one in waiting:
                    one.cancel()
        return tally.counts()

    def _writers(self, folder: Path, open_files: ExitStack) -> dict[str, RasterWriter]:
        grid = self.scene.grid
        writers = {}
        for number, model in enumerate(self.models):
            role = index_role(number)
            tags = {"MODEL": model.name, "SCALE": "index = code / 254"}
            writers[role] = open_files.enter_context(
                writing(folder / f"{role}.tif", grid, nodata=NODATA_CODE, tags=tags, descriptions=(role,),
                        scale=SHARE, unit="1")
            )
        if self.models[0].ensemble:
            writers[UNCERTAINTY] = open_files.enter_context(
                writing(folder / f"{UNCERTAINTY}.tif", grid, nodata=NODATA_CODE, descriptions=(UNCERTAINTY,),
                        scale=SHARE, unit="1")
            )
        if len(self.models) > 1:
            writers[DIFFERENCE] = open_files.enter_context(
                writing(folder / f"{DIFFERENCE}.tif", grid, dtype="int16", nodata=SIGNED_NODATA,
                        descriptions=(DIFFERENCE,), scale=SHARE, unit="1")
            )  # fmt: skip
        if self.applicability is not None:
            writers[APPLICABILITY] = open_files.enter_context(
                writing(folder / f"{APPLICABILITY}.tif", grid, dtype="float32", nodata=float("nan"),
                        descriptions=(APPLICABILITY,))
            )  # fmt: skip
        return writers

    def _block(self, window: Window, values: NDArray[np.float32]) -> _Block:
        known: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=0))
        shape = known.shape
        if not known.any():
            nothing = np.full(shape, NODATA_CODE, np.uint8)
            far = None if self.applicability is None else np.full(shape, np.nan, np.float32)
            spread = nothing if self.models[0].ensemble else None
            return _Block(window, [nothing for _ in self.models], spread, far, {})
        frame = frame_of(values[:, known].T, self.used, self.factors)
        codes, spread = [], None
        for number, model in enumerate(self.models):
            codes.append(_laid(encode(said(model.fitted, frame)), known))
            if number == 0 and model.ensemble:
                members = np.stack([said(one, frame) for one in model.ensemble])
                spread = _laid(encode(members.std(axis=0, ddof=1)), known)
        new = {name: ~frame[name].isin(self.seen[name]).to_numpy() for name in self.factors.classes}
        distance = None
        if self.applicability is not None:
            found = self.applicability.distance(frame)
            for one in new.values():  # of a class that they have not seen models know nothing
                found[one] = np.maximum(found[one], np.float32(2 * self.applicability.threshold or 1.0))
            distance = np.full(shape, np.nan, np.float32)
            distance[known] = found
        return _Block(window, codes, spread, distance, {name: int(one.sum()) for name, one in new.items()})


def _laid(codes: Codes, known: NDArray[np.bool_]) -> Codes:
    laid = np.full(known.shape, NODATA_CODE, np.uint8)
    laid[known] = codes
    return laid


class _Tally:
    """Writes blocks and counts their cells."""

    def __init__(self, job: MapJob) -> None:
        self._job = job
        count = len(job.models)
        self._area, self._slides = np.zeros((count, CODES), np.int64), np.zeros((count, CODES), np.int64)
        self._metres = np.zeros((count, CODES))
        self._unseen = dict.fromkeys(job.factors.classes, 0)
        self._outside, self._known = 0, 0
        self._mask: tuple[int, NDArray[np.bool_]] | None = None

    def take(self, block: _Block, writers: Mapping[str, RasterWriter]) -> None:
        """Write a block and count it."""
        window = block.window
        row, column = round(window.row_off), round(window.col_off)
        for number, codes in enumerate(block.codes):
            writers[index_role(number)].write(codes, row, column)
        if block.spread is not None:
            writers[UNCERTAINTY].write(block.spread, row, column)
        if DIFFERENCE in writers:
            writers[DIFFERENCE].write(encode_signed(decode(block.codes[0]) - decode(block.codes[1])), row, column)
        height, width = block.codes[0].shape
        areas = self._job.scene.grid.pixel_areas(slice(row, row + height))
        weights = np.broadcast_to(np.asarray(areas, dtype=np.float64), (height, width))
        slides = self._slides_in(row, height)[:, column : column + width]
        for number, codes in enumerate(block.codes):
            self._area[number] += np.bincount(codes.ravel(), minlength=256)[:CODES]
            self._metres[number] += np.bincount(codes.ravel(), weights.ravel(), minlength=256)[:CODES]
            self._slides[number] += np.bincount(codes[slides], minlength=256)[:CODES]
        self._known += int((block.codes[0] != NODATA_CODE).sum())
        for name, unseen in block.unseen.items():
            self._unseen[name] += unseen
        if block.distance is not None:
            writers[APPLICABILITY].write(block.distance, row, column)
            assert self._job.applicability is not None  # noqa: S101  it gave the distances
            with np.errstate(invalid="ignore"):
                self._outside += int((block.distance > self._job.applicability.threshold).sum())

    def _slides_in(self, row: int, height: int) -> NDArray[np.bool_]:
        """Landslides in the rows of a block, which all blocks beside it share."""
        if self._job.slides is None:
            return np.zeros((height, self._job.scene.grid.width), np.bool_)
        if self._mask is None or self._mask[0] != row:
            self._mask = row, self._job.slides.mask(row, row + height)
        return self._mask[1]

    def counts(self) -> MapCounts:
        """What was counted."""
        outside = None if self._job.applicability is None else self._outside
        return MapCounts(self._area, self._metres, self._slides, self._unseen, outside, self._known)
