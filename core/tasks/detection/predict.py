"""Detecting in a scene: windows in, candidate boxes out, in memory that does not grow with the scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.learning.inputs import plan_of, read_window, usual_batch
from core.learning.preprocessing import Preprocessing
from core.learning.spec import ModelSpec
from core.raster.area import Area, window_of
from core.raster.prefetch import prefetch
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.scene import Scene, SceneReader
from core.raster.windows import Region, WindowPlan
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.candidates import writing_boxes
from core.tasks.detection.options import Options
from core.tasks.detection.outlines import pack_masks
from core.tasks.detection.runtime import DetectorRuntime, Found

Mask = NDArray[np.bool_]

EDGE = 1 / 64
"""Share of a window's side from its border within which a box counts as cut there: detectors place the edges of what
is cut a little inside."""

KNOWN = 0.5
"""Share of a box's pixels that must be valid."""

REFLECTED = 0.4
"""Share of a box, or of the scene, from which a box that reaches beyond a small scene is of the scene."""

BLOCK = 1024
"""Side of the blocks that are read to see where a reference's boxes lie."""


@dataclass(frozen=True)
class Shown:
    """A window as the network sees it.

    Attributes
    ----------
    window, part
        Where it lies, and the part of it that lies on the scene.
    values
        (bands, network_height, network_width) float32, normalised.
    valid
        (part.height, part.width) which pixels are valid and belong to the searched area.
    """

    window: Region
    part: Region
    values: NDArray[np.float32]
    valid: Mask


@dataclass(frozen=True)
class Portion:
    """What was found in some windows.

    Attributes
    ----------
    boxes
        Candidates in pixels of the scene.
    outlines
        As many masks, packed by `core.tasks.detection.outlines.pack_masks`, of detectors that outline; None of the
        others.
    """

    boxes: Boxes
    outlines: list[bytes] | None = None


@dataclass(frozen=True)
class Predictor:
    """A detector made ready for one scene.

    Attributes
    ----------
    scene, spec, preprocessing, runtime, options
        What is searched, by what, brought together how, run by what, and the user's choices.
    """

    scene: Scene
    spec: ModelSpec
    preprocessing: Preprocessing
    runtime: DetectorRuntime
    options: Options

    @cached_property
    def plan(self) -> WindowPlan:
        """Windows over the whole scene."""
        return plan_of(self.scene, self.spec, self.preprocessing, self.options.overlap)

    @property
    def batch(self) -> int:
        """Windows per forward pass."""
        return self.options.batch or usual_batch(self.plan)

    @property
    def join_distance(self) -> float:
        """Scene pixels between two boxes cut at one border up to which they may be parts of one landslide."""
        return 2 * EDGE * max(self.plan.window_height, self.plan.window_width)

    def windows(self, area: Area | None = None) -> tuple[Region, ...]:
        """Windows that the scene, or an area of it, takes."""
        return self.plan.touching(area.region if area else self.plan.whole)

    def inputs(self, reader: SceneReader, window: Region) -> tuple[NDArray[np.float32], Mask]:
        """Values of a window and which of its pixels are valid, as `core.learning.inputs.read_window`."""
        return read_window(reader, self.spec, self.preprocessing, self.plan, window)

    def candidates(
        self, area: Area | None = None, progress: ProgressCallback = ignore, cancel: Cancel = never
    ) -> Iterator[Portion]:
        """Boxes of the scene, or of an area of it, a batch of windows at a time, row by row of windows.

        Boxes lie within the scene; those whose middle is not valid, or of which less than `KNOWN` is, are left out, and
        windows without a valid pixel are not shown to the network.

        Parameters
        ----------
        progress
            Told of windows done and of all.

        Raises
        ------
        RunCancelled
            When `cancel` says so.
        """
        total = len(self.windows(area))
        for done, shown in prefetch(partial(self._batches, area)):
            stop_if(cancel)
            if shown:
                values = np.stack([one.values for one in shown])
                found = self.runtime.detect(values, self.options.min_confidence, self.options.max_detections)
                yield _together([self.placed(one, each) for one, each in zip(shown, found, strict=True)])
            progress(done, total)

    def shown(self, area: Area | None = None) -> Iterator[Shown | None]:
        """Every window of the scene, or of an area of it, as the network sees it; None in place of one without data."""
        with self.scene.reader() as reader:
            for window in self.windows(area):
                part = window.intersection(self.plan.whole)
                values, valid = self.inputs(reader, window)
                known = valid[: part.height, : part.width]
                if area is not None:
                    known = known & area.holds(part)
                yield Shown(window, part, values, known) if known.any() else None

    def _batches(self, area: Area | None) -> Iterator[tuple[int, list[Shown]]]:
        """Batches of windows that show something, each with how many windows have been read."""
        waiting: list[Shown] = []
        number = 0
        for number, shown in enumerate(self.shown(area), start=1):
            if shown is not None:
                waiting.append(shown)
            # Over land without data there is nothing to wait for, but progress to tell and a wish to stop to hear.
            if len(waiting) in (0, self.batch):
                yield number, waiting
                waiting = []
        if waiting:
            yield number, waiting

    def placed(self, shown: Shown, found: Found) -> Portion:
        """Boxes of a window in pixels of the scene, with where they were cut; those on nodata are left out."""
        plan, window, part = self.plan, shown.window, shown.part
        across, down = plan.window_width / plan.network_width, plan.window_height / plan.network_height
        boxes = Boxes.of(found.corners, found.scores, found.classes).scaled(across, down)
        size = np.array([part.width, part.height], dtype=np.float32)
        corners = np.clip(boxes.corners, 0, np.tile(size, 2))
        kept = np.flatnonzero(np.isfinite(boxes.corners).all(axis=1) & _on_part(boxes.corners, corners, size))
        kept = kept[_on_valid(corners[kept], shown.valid)]
        chosen = Boxes.of(corners[kept], boxes.scores[kept], boxes.classes[kept])
        cut = _cut(chosen, window, plan, (across, down))
        there = Boxes(chosen.corners, chosen.scores, chosen.classes, cut).moved(window.column, window.row)
        if found.masks is None:
            return Portion(there)
        return Portion(there, pack_masks(found.masks, kept.tolist(), (window.column, window.row), (across, down)))


def _together(portions: Sequence[Portion]) -> Portion:
    outlines = [one.outlines for one in portions if one.outlines is not None]
    boxes = Boxes.joined([one.boxes for one in portions])
    return Portion(boxes, [each for some in outlines for each in some] if outlines else None)


def _on_part(corners: NDArray[np.float32], clipped: NDArray[np.float32], size: NDArray[np.float32]) -> Mask:
    """Which boxes are of the scene, and not of what is reflected beyond it where it is smaller than a window.

    What touches the edge of the scene grows together with its reflection: about half of that lies on the scene, or in a
    scene that is much smaller than the window at least half of the scene.
    """
    sides, inside = corners[:, 2:] - corners[:, :2], clipped[:, 2:] - clipped[:, :2]
    enough = (inside > 0) & ((inside >= REFLECTED * sides) | (inside >= REFLECTED * size))
    return np.asarray(enough.all(axis=1))


def _on_valid(corners: NDArray[np.float32], valid: Mask) -> Mask:
    """Which boxes have a valid middle and are valid for the most part."""
    if valid.all():
        return np.ones(len(corners), dtype=np.bool_)
    height, width = valid.shape
    total = np.zeros((height + 1, width + 1), dtype=np.int64)
    total[1:, 1:] = valid.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    left, top = np.floor(corners[:, :2]).astype(np.intp).T
    right, bottom = np.ceil(corners[:, 2:]).astype(np.intp).T
    known = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    middle_x = np.minimum((corners[:, 0] + corners[:, 2]) / 2, width - 1).astype(np.intp)
    middle_y = np.minimum((corners[:, 1] + corners[:, 3]) / 2, height - 1).astype(np.intp)
    enough: Mask = (known >= KNOWN * (right - left) * (bottom - top)) & valid[middle_y, middle_x]
    return enough


def _cut(boxes: Boxes, window: Region, plan: WindowPlan, pixel: tuple[float, float]) -> Mask:
    """(count, 4) which edges of boxes, in pixels of their window, lie where it ended within the scene.

    Parameters
    ----------
    pixel
        Size of the network's pixel in those of the window, across and down.
    """
    size = np.array([window.width, window.height], dtype=np.float32)
    sides = boxes.corners[:, 2:] - boxes.corners[:, :2]
    # Of small boxes less, or every one near a border would count as cut.
    near = np.clip(sides / 4, np.array(pixel, dtype=np.float32), np.maximum(pixel, EDGE * size))
    low, high = boxes.corners[:, :2] <= near, boxes.corners[:, 2:] >= size - near
    inner_low = np.array([window.column > 0, window.row > 0])
    inner_high = np.array([window.end_column < plan.width, window.end_row < plan.height])
    return np.concatenate([low & inner_low, high & inner_high], axis=1)


def write_candidates(
    predictor: Predictor,
    path: Path,
    area: Area | None = None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> int:
    """Search a scene, or an area of it, and write all candidates to a Parquet file; return how many.

    Raises
    ------
    RunCancelled, StorageError, InputError
        Nothing half-written remains.
    """
    with writing_boxes(path, outlines=predictor.runtime.has_masks) as writer:
        for portion in predictor.candidates(area, progress, cancel):
            writer.add(portion.boxes, portion.outlines)
        return writer.count


def on_scene(boxes: Boxes, scene: Scene, bands: Sequence[int], area: Area | None = None) -> Mask:
    """Which boxes have their middle where a scene has data and, of an area, within it.

    Only those blocks of the scene are read that hold a middle.

    Parameters
    ----------
    boxes
        In pixels of the scene: those of a reference.
    """
    height, width = scene.grid.shape
    middles = ((boxes.corners[:, :2] + boxes.corners[:, 2:]) / 2).astype(np.intp)
    columns, rows = np.clip(middles, 0, [width - 1, height - 1]).T
    block = rows // BLOCK * (width // BLOCK + 1) + columns // BLOCK
    kept = np.zeros(len(boxes), dtype=np.bool_)
    with scene.reader() as reader:
        for number in np.unique(block):
            here = np.flatnonzero(block == number)
            row, column = rows[here[0]] // BLOCK * BLOCK, columns[here[0]] // BLOCK * BLOCK
            region = Region(int(row), int(column), min(BLOCK, height - int(row)), min(BLOCK, width - int(column)))
            valid = reader.read(tuple(bands), window_of(region)).valid
            if area is not None:
                valid = valid & area.holds(region)
            kept[here] = valid[rows[here] - row, columns[here] - column]
    return kept
