"""Mapping a scene: windows in, a probability raster out, in memory that does not grow with the scene."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError, RunCancelled
from core.learning.augment import inverse_symmetry_array, symmetry_array
from core.learning.metrics import NODATA_CODE, encode, histogram
from core.learning.runtime import Runtime
from core.learning.spec import ModelSpec
from core.mapping.baseline import colour_index, index_codes
from core.mapping.bridge import Bridge
from core.mapping.result import PROBABILITY, TRUTH, UNCERTAINTY
from core.raster.grid import Grid
from core.raster.scene import Scene, SceneReader
from core.raster.windows import STEP, Region, WindowPlan, blend, column_bands, pad_to
from core.raster.write import RasterWriter, writing

if TYPE_CHECKING:
    from core.raster.align import TruthReader

Progress = Callable[[int, int], None]
SYMMETRIES = range(8)


@dataclass(frozen=True)
class Options:
    """What a user chooses about inference.

    Attributes
    ----------
    overlap
        Share of a window that neighbours have in common.
    turned
        Test-time augmentation: mean over the eight turns and mirrors, with their spread as an uncertainty raster.
    batch
        Windows per forward pass; None chooses by window size.
    """

    overlap: float = 0.25
    turned: bool = False
    batch: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= 0.9:
            raise InputError(f"An overlap of {self.overlap:g} is not between 0 and 0.9.")
        if self.batch is not None and not 1 <= self.batch <= 256:
            raise InputError(f"A batch of {self.batch} windows is not between 1 and 256.")


@dataclass(frozen=True)
class Area:
    """The part of a scene to map: a region of its pixels and, within it, which pixels belong to it.

    Attributes
    ----------
    region
        Rectangle of the scene's pixels.
    inside
        For a region of the scene, True where pixels belong to the area; None when all do.
    """

    region: Region
    inside: Callable[[Region], NDArray[np.bool_]] | None = None


class Cancel(Protocol):
    """Asked at each batch; True stops the run."""

    def __call__(self) -> bool:
        """Whether to stop."""


@dataclass
class Counts:
    """What is counted while writing: joint histograms of code and truth, of the model and of the baseline."""

    model: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 255), dtype=np.int64))
    baseline: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 255), dtype=np.int64))


def input_step(spec: ModelSpec) -> int:
    """What sides of a model's input are multiples of: more than 32 where the network reduces its input first."""
    return STEP if spec.upscale >= 1 else round(STEP / spec.upscale)


def never() -> bool:
    """Do not cancel."""
    return False


def ignore(done: int, total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class Predictor:
    """A model made ready for one scene.

    Attributes
    ----------
    scene, spec, bridge, runtime, options
        What is mapped, by what, brought together how, run by what, and the user's choices.
    """

    scene: Scene
    spec: ModelSpec
    bridge: Bridge
    runtime: Runtime
    options: Options

    @property
    def plan(self) -> WindowPlan:
        """Windows over the whole scene."""
        height, width = self.scene.grid.shape
        return WindowPlan.over(
            height, width, self.spec.tile, self.options.overlap, self.bridge.scale, input_step(self.spec)
        )

    def inputs(self, reader: SceneReader, window: Region) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Normalised values of a window at the network's size, and which scene pixels in it are valid.

        Pixels without data are given the training mean, which is 0 after normalisation, so that they neither enter
        a statistic nor draw an edge of their own colour.

        Returns
        -------
        Values (bands, network_height, network_width) float32 and validity (window_height, window_width), both
        padded by reflection where the window reaches past the scene.
        """
        plan = self.plan
        part = window.intersection(plan.whole)
        patch = reader.read(self.bridge.bands, Window(part.column, part.row, part.width, part.height))
        low, high = self.spec.value_range
        mean = np.asarray(self.spec.mean, dtype=np.float32)[:, None, None]
        deviation = np.asarray(self.spec.deviation, dtype=np.float32)[:, None, None]
        values = self.bridge.values(np.where(patch.valid, patch.values, 0), self.spec)
        values = ((values - low) / (high - low) - mean) / deviation
        values = np.where(patch.valid, values, np.float32(0))
        padded = pad_to(values, window.height, window.width)
        valid = pad_to(patch.valid, window.height, window.width)
        return _resize(padded, plan.network_height, plan.network_width), valid

    def probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability (batch, channels, window_height, window_width): the mean, and with `turned` its spread."""
        plan = self.plan
        if not self.options.turned:
            probability = _sigmoid(self.runtime.logits(batch))
        else:
            square = plan.network_height == plan.network_width
            turns = [w for w in SYMMETRIES if square or w in (0, 2, 4, 6)]
            each = np.stack(
                [inverse_symmetry_array(_sigmoid(self.runtime.logits(symmetry_array(batch, w))), w) for w in turns]
            )
            probability = np.concatenate([each.mean(axis=0), each.std(axis=0)], axis=1)
        return _resize(probability, plan.window_height, plan.window_width)

    @property
    def channels(self) -> int:
        """1, or 2 with the spread of test-time augmentation."""
        return 2 if self.options.turned else 1

    @property
    def batch(self) -> int:
        """Windows per forward pass: a quarter of a million pixels, where CPUs are busy and caches not yet spilled."""
        pixels = self.plan.network_height * self.plan.network_width
        return self.options.batch or max(1, min(32, 262_144 // pixels))

    def strips(
        self, region: Region, progress: Progress = ignore, cancel: Cancel = never
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
            for chosen, values in _ahead(batches, self._read):
                if cancel():
                    raise RunCancelled("The mapping was cancelled.", "Nothing of it was kept.")
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


def _resize(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize the last two axes: area mean when shrinking, bilinear when enlarging."""
    if values.shape[-2:] == (height, width):
        return values
    import torch
    from torch.nn import functional

    tensor = torch.from_numpy(np.ascontiguousarray(values)).reshape(-1, 1, *values.shape[-2:])
    shrinks = height < values.shape[-2]
    resized = functional.interpolate(
        tensor, size=(height, width), mode="bilinear", align_corners=False, antialias=shrinks
    )
    result: NDArray[np.float32] = resized.reshape(*values.shape[:-2], height, width).numpy()
    return result


_Item = tuple[Sequence[Region], NDArray[np.float32]]


def _ahead(
    batches: Sequence[Sequence[Region]], read: Callable[[Sequence[Sequence[Region]]], Iterator[_Item]]
) -> Iterator[_Item]:
    """Read batches in a thread, at most two ahead of the network, and pass on what goes wrong there."""
    ready: queue.Queue[_Item | BaseException | None] = queue.Queue(maxsize=2)
    stop = threading.Event()

    def put(item: _Item | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def produce() -> None:
        try:
            for item in read(batches):
                if not put(item):
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=produce, name="scene-reader", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def write_rasters(
    predictor: Predictor,
    folder: Path,
    area: Area | None = None,
    truth: TruthReader | None = None,
    progress: Progress = ignore,
    cancel: Cancel = never,
) -> tuple[Grid, dict[str, str], Counts]:
    """Map a scene, or an area of it, into Cloud Optimized GeoTIFFs in a folder.

    Parameters
    ----------
    predictor
        The model made ready for the scene.
    folder
        Where ``probability.tif`` and, where asked for, ``uncertainty.tif`` and ``truth.tif`` appear, whole or not.
    area
        Part of the scene; all of it when None.
    truth
        Inventory on the scene's grid.

    Returns
    -------
    Grid of the rasters, file names by role, and what was counted.

    Raises
    ------
    RunCancelled, StorageError, InputError
        Nothing half-written remains.
    """
    scene = predictor.scene
    region = area.region if area else predictor.plan.whole
    grid = scene.grid.window(Window(region.column, region.row, region.width, region.height))
    roles = [PROBABILITY] + ([UNCERTAINTY] if predictor.options.turned else []) + ([TRUTH] if truth else [])
    names = {role: f"{role}.tif" for role in roles}
    sinks: dict[str, RasterWriter] = {}
    counts = Counts()
    with ExitStack() as stack:
        for role in roles:
            sinks[role] = stack.enter_context(
                writing(folder / names[role], grid, dtype="uint8", nodata=NODATA_CODE, descriptions=(role,),
                        tags={"encoding": "probability = value / 254; 255 nodata"} if role != TRUTH
                        else {"encoding": "0 no landslide, 1 landslide, 255 unknown"},
                        overview_resampling="nearest" if role == TRUTH else "average")
            )  # fmt: skip
        reader = stack.enter_context(scene.reader())
        bands = column_bands(region)
        windows = [len(predictor.plan.touching(band)) for band in bands]
        for number, band in enumerate(bands):
            so_far = partial(_shifted, progress, sum(windows[:number]), sum(windows))
            for strip, values in predictor.strips(band, so_far, cancel):
                _write_strip(predictor, strip, values, region, area, truth, reader, sinks, counts)
    return grid, names, counts


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    """Report windows of one band as part of all."""
    progress(before + done, total)


def _write_strip(
    predictor: Predictor,
    strip: Region,
    values: NDArray[np.float32],
    region: Region,
    area: Area | None,
    truth: TruthReader | None,
    reader: SceneReader,
    sinks: dict[str, RasterWriter],
    counts: Counts,
) -> None:
    window = Window(strip.column, strip.row, strip.width, strip.height)
    patch = reader.read(predictor.bridge.bands, window)
    valid = patch.valid if area is None or area.inside is None else patch.valid & area.inside(strip)
    at = (strip.row - region.row, strip.column - region.column)
    codes = [np.where(valid, encode(channel), NODATA_CODE).astype(np.uint8) for channel in values]
    sinks[PROBABILITY].write(codes[0][None], *at)
    if UNCERTAINTY in sinks:
        sinks[UNCERTAINTY].write(codes[1][None], *at)
    real = None
    if truth is not None:
        real = truth.read(window)
        sinks[TRUTH].write(real[None], *at)
        if predictor.spec.bands == ("red", "green", "blue"):
            colours = predictor.bridge.values(np.where(patch.valid, patch.values, 0), predictor.spec)
            index = np.where(valid, index_codes(colour_index(colours)), NODATA_CODE).astype(np.uint8)
            counts.baseline += histogram(index, real)
    counts.model += histogram(codes[0], real)
