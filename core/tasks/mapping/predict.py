"""Mapping a scene: windows in, a probability raster out, in memory that does not grow with the scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.learning.augment import inverse_symmetry_array, symmetry_array
from core.learning.inputs import plan_of, read_window, resized, usual_batch
from core.learning.metrics import NODATA_CODE, encode, histogram, nothing_counted
from core.learning.preprocessing import Preprocessing
from core.learning.runtime import Runtime
from core.learning.spec import ModelSpec
from core.raster.area import Area, window_of
from core.raster.grid import Grid
from core.raster.prefetch import prefetch
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.scene import Patch, Scene, SceneReader
from core.raster.windows import Region, WindowPlan, blend
from core.raster.write import RasterWriter
from core.tasks.mapping.baseline import colour_index, index_codes
from core.tasks.mapping.blocks import Counts, blocks, file_names, grid_of, rasters
from core.tasks.mapping.options import Options
from core.tasks.mapping.result import PROBABILITY, TRUTH, UNCERTAINTY

if TYPE_CHECKING:
    from core.raster.align import ReferenceReader

SYMMETRIES = range(8)


@dataclass(frozen=True)
class Predictor:
    """A model made ready for one scene.

    Attributes
    ----------
    scene, spec, preprocessing, runtime, options
        What is mapped, by what, brought together how, run by what, and the user's choices.
    """

    scene: Scene
    spec: ModelSpec
    preprocessing: Preprocessing
    runtime: Runtime
    options: Options

    @property
    def plan(self) -> WindowPlan:
        """Windows over the whole scene."""
        return plan_of(self.scene, self.spec, self.preprocessing, self.options.overlap)

    def inputs(self, reader: SceneReader, window: Region) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Values of a window and which of its pixels are valid, as `core.learning.inputs.read_window`."""
        return read_window(reader, self.spec, self.preprocessing, self.plan, window)

    def probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability (batch, channels, window_height, window_width): the mean, and when augmented its spread."""
        plan = self.plan
        if not self.options.test_time_augmentation:
            probability = _sigmoid(self.runtime.logits(batch))
        else:
            square = plan.network_height == plan.network_width
            turns = [w for w in SYMMETRIES if square or w in (0, 2, 4, 6)]
            each = np.stack(
                [inverse_symmetry_array(_sigmoid(self.runtime.logits(symmetry_array(batch, w))), w) for w in turns]
            )
            probability = np.concatenate([each.mean(axis=0), each.std(axis=0)], axis=1)
        return resized(probability, plan.window_height, plan.window_width)

    def blocks(self, area: Area | None = None) -> tuple[Region, ...]:
        """Blocks in which the scene, or an area of it, is computed, whoever computes them."""
        return blocks(self.plan, area.region if area else self.plan.whole)

    def windows(self, block: Region) -> int:
        """Windows that a block takes, for progress."""
        return len(self.plan.touching(block))

    @property
    def channels(self) -> int:
        """1, or 2 with the spread of test-time augmentation."""
        return 2 if self.options.test_time_augmentation else 1

    @property
    def batch(self) -> int:
        """Windows per forward pass."""
        return self.options.batch or usual_batch(self.plan)

    def strips(
        self, region: Region, progress: ProgressCallback = ignore, cancel: Cancel = never
    ) -> Iterator[tuple[Region, NDArray[np.float32]]]:
        """Finished strips of a region from top to bottom: values (channels, height, width), not yet masked.

        Raises
        ------
        RunCancelled
            When `cancel` says so.
        """
        windows = self.plan.touching(region)
        batches = [windows[start : start + self.batch] for start in range(0, len(windows), self.batch)]

        def predictions() -> Iterator[tuple[Region, NDArray[np.float32]]]:
            done = 0
            for chosen, values in prefetch(partial(self._read, batches)):
                stop_if(cancel)
                yield from zip(chosen, self.probabilities(values), strict=True)
                done += len(chosen)
                progress(done, len(windows))

        yield from blend(self.plan, region, predictions(), self.channels)

    def _read(self, batches: Sequence[Sequence[Region]]) -> Iterator[tuple[Sequence[Region], NDArray[np.float32]]]:
        with self.scene.reader() as reader:
            for windows in batches:
                yield windows, np.stack([self.inputs(reader, window)[0] for window in windows])


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)


def roles(predictor: Predictor, reference: ReferenceReader | None = None) -> tuple[str, ...]:
    """Roles of the rasters that a mapping writes."""
    return (
        PROBABILITY,
        *([UNCERTAINTY] if predictor.options.test_time_augmentation else []),
        *([TRUTH] if reference else []),
    )


def write_rasters(
    predictor: Predictor,
    folder: Path,
    area: Area | None = None,
    reference: ReferenceReader | None = None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> tuple[Grid, dict[str, str], Counts]:
    """Map a scene, or an area of it, into Cloud Optimized GeoTIFFs in a folder.

    `core.tasks.mapping.block_files` does the same in many processes, with the same outcome.

    Parameters
    ----------
    predictor
        The model made ready for the scene.
    folder
        Where ``probability.tif`` and, where asked for, ``uncertainty.tif`` and ``truth.tif`` appear, whole or not.
    area
        Part of the scene; all of it when None.
    reference
        Inventory on the scene's grid.

    Returns
    -------
    Grid of the rasters, file names by role, and what was counted.

    Raises
    ------
    RunCancelled, StorageError, InputError
        Nothing half-written remains.
    """
    region = area.region if area else predictor.plan.whole
    grid, names, counts = grid_of(predictor.scene.grid, region), file_names(roles(predictor, reference)), Counts()
    chosen = predictor.blocks(area)
    windows = [predictor.windows(block) for block in chosen]
    with rasters(folder, names, grid) as sinks:
        for number, block in enumerate(chosen):
            so_far = partial(_shifted, progress, sum(windows[:number]), sum(windows))
            counts.add(write_block(predictor, block, sinks, region, area, reference, so_far, cancel))
    return grid, names, counts


def _shifted(progress: ProgressCallback, before: int, total: int, done: int, _: int) -> None:
    """Report windows of one block as part of all."""
    progress(before + done, total)


def write_block(
    predictor: Predictor,
    block: Region,
    sinks: Mapping[str, RasterWriter],
    written: Region,
    area: Area | None = None,
    reference: ReferenceReader | None = None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> Counts:
    """Compute one block and write it.

    Parameters
    ----------
    block
        Part of the scene.
    sinks, written
        Writers by role, and the region of the scene that their rasters show.
    area, reference, progress, cancel
        As for `write_rasters`; progress is that of the block.

    Returns
    -------
    What was counted in the block.
    """
    counts = Counts()
    with predictor.scene.reader() as reader:
        for strip, values in predictor.strips(block, progress, cancel):
            patch = reader.read(predictor.preprocessing.bands, window_of(strip))
            valid = patch.valid if area is None or area.inside is None else patch.valid & area.inside(strip)
            at = (strip.row - written.row, strip.column - written.column)
            codes = [np.where(valid, encode(channel), NODATA_CODE).astype(np.uint8) for channel in values]
            for role, channel in zip((PROBABILITY, UNCERTAINTY), codes, strict=False):
                sinks[role].write(channel[None], *at)
            real = None
            if reference is not None:
                real = reference.read(window_of(strip))
                sinks[TRUTH].write(real[None], *at)
                counts.baseline += _baseline(predictor, patch, valid, real)
            counts.model += histogram(codes[0], real)
    return counts


def _baseline(
    predictor: Predictor, patch: Patch, valid: NDArray[np.bool_], real: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Joint histogram of the colour index and the reference; nothing where the model does not see three colours."""
    if predictor.spec.bands != ("red", "green", "blue"):
        return nothing_counted()
    colours = predictor.preprocessing.values(np.where(patch.valid, patch.values, 0), predictor.spec)
    return histogram(np.where(valid, index_codes(colour_index(colours)), NODATA_CODE).astype(np.uint8), real)
