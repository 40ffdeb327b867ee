"""Several rasters by role on one grid: elevation, slope, land cover and the like, read together by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.align import same_pixels
from core.raster.bands import check_bands
from core.raster.grid import Grid
from core.raster.inventory import check_window, no_overlap
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.quantity import Quantity
from core.raster.resample import BLOCK, Kind, Sampler, projector
from core.raster.scene import Scene, SceneReader
from core.raster.stack_grid import bounds_in, stack_grid
from core.raster.windows import Region

__all__ = ["Layer", "LayerReport", "Stack", "StackPatch", "StackReader", "stack_grid"]

Method = Literal["as it is", "nearest", "bilinear", "mean", "circular interpolation", "circular mean"]

WINDOW = 2 * BLOCK
"""Side of the windows that a whole stack is read in."""


@dataclass(frozen=True)
class Layer:
    """A band of a raster in a role.

    Attributes
    ----------
    role
        What it is to the stack, such as ``"slope"``; each only once.
    scene
        The raster.
    kind
        Numbers of all but categories are scaled as their file says; elevations, by role or by the name of the band, are
        in metres. ``"category"`` for classes, which are never mixed; ``"continuous"`` for amounts; ``"aspect"`` for
        directions in degrees from 0 to 360, of which other values are unknown. They go on being counted from the north
        of their own raster, which in another coordinate system may point elsewhere by a few degrees.
    band
        Band number from 1.
    """

    role: str
    scene: Scene
    kind: Kind = "continuous"
    band: int = 1


@dataclass(frozen=True)
class LayerReport:
    """What was done to a layer to lay it on the grid of a stack.

    Attributes
    ----------
    role, name
        Role and name of the layer.
    method
        How its values were made.
    from_cell, to_cell
        Metres on the ground from pixel to pixel before and after; None without coordinate system.
    from_crs, to_crs
        Coordinate systems before and after; empty without one.
    unknown
        Share of the grid's pixels without data, 0 to 1; None until all of it was read.
    """

    role: str
    name: str
    method: Method
    from_cell: float | None
    to_cell: float | None
    from_crs: str
    to_crs: str
    unknown: float | None = None

    @property
    def reprojected(self) -> bool:
        """Whether it came in another coordinate system."""
        return self.from_crs != self.to_crs

    def text(self) -> str:
        """All of it in a sentence."""
        done = ["unchanged" if self.method == "as it is" else f"resampled ({self.method})"]
        if self.method != "as it is" and self.from_cell is not None and self.to_cell is not None:
            done.append(f"from {self.from_cell:.4g} m to {self.to_cell:.4g} m")
        if self.reprojected:
            done.append(f"reprojected from {self.from_crs[:40]} to {self.to_crs[:40]}")
        if self.unknown is not None:
            done.append(f"{100 * self.unknown:.1f} % without data")
        return f"{self.role} ({self.name}): {', '.join(done)}."


@dataclass(frozen=True)
class StackPatch:
    """A window of a stack: values (layers, height, width), NaN where unknown, and where each layer is known."""

    values: NDArray[np.floating]
    valid: NDArray[np.bool_]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Where all layers are known, (height, width)."""
        return np.asarray(self.valid.all(axis=0))


class Stack:
    """Rasters by role on one grid.

    Parameters
    ----------
    layers
        The rasters, in the order of the stack.
    grid
        The grid to read them on; see `stack_grid`.

    Raises
    ------
    InputError
        When there is no layer, or a role occurs twice.
    BandError
        When a band is not in its raster.
    GridError
        When a layer has a coordinate system and the grid has none or the reverse, neither has and their sizes differ,
        or they do not overlap.
    """

    def __init__(self, layers: Sequence[Layer], grid: Grid) -> None:
        self.layers = tuple(layers)
        self.grid = grid
        self.roles = tuple(layer.role for layer in layers)
        if not layers or len(set(self.roles)) < len(layers):
            raise InputError("A stack needs rasters, each in a role of its own.", remedy=
                "Choose one raster for each role.")
        for layer in layers:
            check_bands(layer.scene, (layer.band,))
            _check_place(layer.scene, grid)
        exact = all(np.can_cast(layer.scene.dtype, np.float32) for layer in layers)
        self.dtype = np.dtype(np.float32 if exact else np.float64)

    @contextmanager
    def open(self) -> Iterator[StackReader]:
        """Open all layers, for the thread that opens them."""
        with ExitStack() as files:
            yield StackReader(self, [files.enter_context(layer.scene.reader()) for layer in self.layers])

    def windows(self) -> Iterator[Window]:
        """Windows that cover the grid once, and are quick to read."""
        for row in range(0, self.grid.height, WINDOW):
            for column in range(0, self.grid.width, WINDOW):
                size = min(WINDOW, self.grid.width - column), min(WINDOW, self.grid.height - row)
                yield Window(column, row, *size)

    def report(self, progress: ProgressCallback = ignore, cancel: Cancel = never) -> tuple[LayerReport, ...]:
        """What is done to each layer, with the share that has no data, for which all of it is read once.

        Raises
        ------
        RunCancelled
            When asked to stop.
        """
        windows, unknown = list(self.windows()), np.zeros(len(self.layers))
        with self.open() as reader:
            for done, window in enumerate(windows):
                stop_if(cancel)
                progress(done, len(windows))
                unknown += (~reader.read(window).valid).sum(axis=(1, 2))
        progress(len(windows), len(windows))
        shares = unknown / (self.grid.width * self.grid.height)
        return tuple(
            replace(one, unknown=float(share)) for one, share in zip(self.describe(), shares, strict=True)
        )

    def describe(self) -> tuple[LayerReport, ...]:
        """What is done to each layer, without the share that has no data: nothing is read for it."""
        with self.open() as reader:
            methods = reader.methods
        return tuple(
            LayerReport(
                layer.role, layer.scene.name, method, _cell(layer.scene.grid), _cell(self.grid),
                _name(layer.scene.grid), _name(self.grid),
            )
            for layer, method in zip(self.layers, methods, strict=True)
        )  # fmt: skip


class StackReader:
    """Reads windows of a stack; made by `Stack.open`."""

    def __init__(self, stack: Stack, readers: Sequence[SceneReader]) -> None:
        self._stack = stack
        self._amounts = [_amounts(layer) for layer in stack.layers]
        self._sources: list[tuple[SceneReader, Sampler | None]] = [
            (reader, None if same_pixels(layer.scene.grid, stack.grid) else
             Sampler(reader, layer.band, layer.kind, stack.grid))
            for layer, reader in zip(stack.layers, readers, strict=True)
        ]  # fmt: skip

    @property
    def methods(self) -> tuple[Method, ...]:
        """How the values of each layer are made."""
        return tuple(_method(sampler) for _, sampler in self._sources)

    def read(self, window: Window) -> StackPatch:
        """Read a window of the grid.

        Returns
        -------
        StackPatch
            Of the type of `Stack.dtype`. A layer is unknown outside its raster and where its nearest pixel is; of an
            area mean, where less than half of the area is known.

        Raises
        ------
        GridError
            When the window reaches past the grid.
        InputError
            When a file is damaged.
        """
        check_window(window, self._stack.grid)
        region = Region(round(window.row_off), round(window.col_off), round(window.height), round(window.width))
        shape = (len(self._sources), region.height, region.width)
        values, valid = np.full(shape, np.nan, self._stack.dtype), np.zeros(shape, np.bool_)
        for at, (layer, (reader, sampler)) in enumerate(zip(self._stack.layers, self._sources, strict=True)):
            factor, offset = self._amounts[at]
            if sampler is not None:
                values[at], valid[at] = sampler.read(region)
                values[at] = values[at] * factor + offset
                continue
            patch = reader.read((layer.band,), window)
            known = patch.valid
            if layer.kind == "aspect":
                known = known & (patch.values[0] >= 0) & (patch.values[0] <= 360)
            values[at][known], valid[at] = patch.values[0][known], known
            values[at] = values[at] * factor + offset
        return StackPatch(values, valid)


def _amounts(layer: Layer) -> tuple[float, float]:
    """What the numbers of a layer are multiplied by, and what is added: its scale, and its unit for elevations."""
    band = layer.scene.bands[layer.band - 1]
    if layer.kind == "category":
        return 1.0, 0.0
    if band.role == "elevation" or layer.role in ("dem", "elevation"):
        quantity = Quantity.of(layer.scene, "elevation", layer.band)
        return quantity.factor, quantity.offset
    return band.scale, band.offset


def _check_place(scene: Scene, grid: Grid) -> None:
    if scene.grid.crs is None and grid.crs is None and scene.grid.shape != grid.shape:
        raise GridError(
            f"{scene.name} has {scene.grid.width} by {scene.grid.height} pixels, the stack {grid.width} by "
            f"{grid.height}.",
            "Without coordinate systems, pixels can only be matched one by one.",
            "Use rasters of the same size, or georeference them.",
        )
    projector(grid, scene.grid)  # refuses a grid with a coordinate system for a raster without
    if grid.crs is not None:
        west, south, east, north = bounds_in(scene, grid.crs)
        left, bottom, right, top = grid.bounds
        if not (west < right and left < east and south < top and bottom < north):
            raise no_overlap(scene.name)


def _method(sampler: Sampler | None) -> Method:
    if sampler is None:
        return "as it is"
    if sampler.kind == "category":
        return "nearest"
    several = sampler.samples != (1, 1)
    if sampler.kind == "aspect":
        return "circular mean" if several else "circular interpolation"
    return "mean" if several else "bilinear"


def _cell(grid: Grid) -> float | None:
    return grid.ground_distance()


def _name(grid: Grid) -> str:
    if grid.crs is None:
        return ""
    authority = grid.crs.to_authority()
    return ":".join(authority) if authority else str(grid.crs.to_string())
