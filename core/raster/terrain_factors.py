"""Factors derived from elevation models of any size: slope, curvature, wetness and the like, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.raster.curvature import Curvature, curvature_of
from core.raster.elevations import Elevations
from core.raster.ground import cell_areas, middle_steps
from core.raster.hydrology import Streams, check_size, flow_accumulation, stream_power, wetness
from core.raster.neighbourhood import Spans, annulus, disc, relief, roughness, tpi, tri
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.terrain import angles, gradient, shade
from core.raster.terrain_names import FLAT, TERRAIN, TERRAIN_NAMES, TerrainFactor, TerrainOptions, described

if TYPE_CHECKING:
    from core.raster.grid import Grid

__all__ = [
    "FLAT", "TERRAIN", "TERRAIN_NAMES", "TerrainFactor", "TerrainOptions", "check_terrain", "derive", "described",
]  # fmt: skip

Doubles = NDArray[np.float64]
Read = Callable[[Window], Doubles]

BLOCK = 1024
"""Sides of the windows that are derived at once."""

FLOW_BLOCKS = 3
"""Blocks that following the water takes as long as, for each block of the raster: for the progress."""


def check_terrain(names: Sequence[str], grid: Grid, options: TerrainOptions) -> None:
    """Refuse early what could not be derived.

    Raises
    ------
    InputError
        When a name is not known or named twice, or there is none.
    GridError
        Without a CRS; when the raster is too large for what needs all of it, or its cells for a radius.
    """
    if not names:
        raise InputError("No terrain factor was chosen.", remedy=f"Choose from {', '.join(TERRAIN_NAMES)}.")
    factors = [described(name, options) for name in names]
    doubled = next((name for name in names if list(names).count(name) > 1), None)
    if doubled is not None:
        raise InputError(f"The terrain factor {doubled} is named twice.", remedy="Name each once.")
    middle_steps(grid, options.distances)
    if any(factor.whole for factor in factors):
        check_size(grid)
    _neighbourhoods(names, grid, options)


def derive(
    read: Read,
    grid: Grid,
    names: Sequence[str],
    options: TerrainOptions,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> Iterator[tuple[Window, NDArray[np.float32]]]:
    """Derive terrain factors, window by window.

    A value does not depend on how the raster is cut. Factors that need all of the raster hold two float32 arrays of
    its size, and while water is followed about 50 bytes a cell; the others hold no more than some windows.

    Parameters
    ----------
    read
        Gives the elevations (height, width) in metres of a window inside the grid, NaN where unknown. Read twice where
        a factor needs all of the raster.
    grid
        Of the raster, in any CRS.
    names
        Factors, in the order of the bands.
    progress
        Told the steps done and all.

    Yields
    ------
    Window, ndarray of float32 (factors, height, width)
        Windows of at most `BLOCK` cells each way, row by row, that cover the grid once. NaN where unknown.

    Raises
    ------
    InputError, GridError
        As `check_terrain`; when no cell is a stream; when the flow cannot be computed.
    RunCancelled
        When asked to stop.
    """
    check_terrain(names, grid, options)
    windows = [
        Window(left, top, min(BLOCK, grid.width - left), min(BLOCK, grid.height - top))
        for top in range(0, grid.height, BLOCK)
        for left in range(0, grid.width, BLOCK)
    ]
    whole = any(TERRAIN[name].whole for name in names)
    before = len(windows) * (1 + FLOW_BLOCKS) if whole else 0
    total = before + len(windows)
    accumulation, streams = None, None
    if whole:
        dem = np.empty(grid.shape, dtype=np.float32)
        for done, window in enumerate(windows):
            stop_if(cancel)
            progress(done, total)
            dem[window.toslices()] = read(window)
        progress(len(windows), total)
        accumulation = flow_accumulation(dem, grid, options.distances, cancel)
        del dem
        if "stream_distance" in names:
            streams = Streams(accumulation, grid, options.stream_km2, options.distances)
    neighbourhoods = _neighbourhoods(names, grid, options)
    reach = [spans.reach for spans in neighbourhoods.values()]
    margin = max([*reach, *(TERRAIN[name].margin or 0 for name in names)])
    for done, window in enumerate(windows, start=before):
        stop_if(cancel)
        progress(done, total)
        area = None if accumulation is None else accumulation[window.toslices()].astype(np.float64)
        block = _Block(_read(read, grid, window, margin, options), options, neighbourhoods, area, streams, window)
        yield window, block.factors(names)
    progress(total, total)


def _neighbourhoods(names: Sequence[str], grid: Grid, options: TerrainOptions) -> dict[str, Spans]:
    found = {}
    if "tpi" in names:
        found["tpi"] = annulus(grid, options.tpi_inner_m, options.tpi_outer_m, options.distances)
    if "relief" in names:
        found["relief"] = disc(grid, options.relief_radius_m, options.distances)
    return found


def _read(read: Read, grid: Grid, window: Window, margin: int, options: TerrainOptions) -> Elevations:
    """Elevations of a window with a margin, unknown beyond the raster."""
    top, left = window.row_off - margin, window.col_off - margin
    values = np.full((window.height + 2 * margin, window.width + 2 * margin), np.nan)
    first, begin = max(top, 0), max(left, 0)
    end, last = min(top + values.shape[0], grid.height), min(left + values.shape[1], grid.width)
    inside = read(Window(begin, first, last - begin, end - first))
    values[first - top : end - top, begin - left : last - left] = np.where(np.isfinite(inside), inside, np.nan)
    return Elevations(values, grid, window.row_off, window.col_off, margin, options.distances)


@dataclass(frozen=True)
class _Block:
    """Factors of a window; what several of them stand on is computed once, and only when asked for."""

    elevations: Elevations
    options: TerrainOptions
    neighbourhoods: Mapping[str, Spans]
    area: Doubles | None
    streams: Streams | None
    window: Window

    def factors(self, names: Sequence[str]) -> NDArray[np.float32]:
        """(factors, height, width), NaN where unknown."""
        found = np.empty((len(names), *self.elevations.shape), dtype=np.float32)
        for band, name in enumerate(names):
            found[band] = self._factor(name)
        return found

    def _factor(self, name: str) -> NDArray[Any]:
        by_name: Mapping[str, Callable[[], NDArray[Any]]] = {
            "elevation": lambda: self.elevations.neighbour(0, 0),
            "slope": lambda: self.slope_aspect[0],
            "aspect": self._aspect,
            "plan_curvature": lambda: self.curvature.plan,
            "profile_curvature": lambda: self.curvature.profile,
            "tangential_curvature": lambda: self.curvature.tangential,
            "twi": lambda: wetness(self._accumulation, self.slope_aspect[0], self._width),
            "spi": lambda: stream_power(self._accumulation, self.slope_aspect[0], self._width),
            "tpi": lambda: tpi(self.elevations, self.neighbourhoods["tpi"]),
            "tri": lambda: tri(self.elevations),
            "roughness": lambda: roughness(self.elevations),
            "relief": lambda: relief(self.elevations, self.neighbourhoods["relief"]),
            "flow_accumulation": lambda: self._accumulation,
            "stream_distance": self._stream_distance,
            "hillshade": lambda: shade(*self.gradient),
        }
        return by_name[name]()

    @cached_property
    def gradient(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return gradient(self.elevations, self.options.method)

    @cached_property
    def slope_aspect(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return angles(*self.gradient)

    @cached_property
    def curvature(self) -> Curvature:
        return curvature_of(self.elevations, *self.gradient, self.options.method)

    @property
    def _accumulation(self) -> Doubles:
        if self.area is None:
            raise RuntimeError("a factor that needs all of the raster is not declared so")
        return self.area

    @property
    def _width(self) -> Doubles:
        """Width of the cells in metres."""
        of = self.elevations
        return np.sqrt(cell_areas(of.grid, of.rows, of.columns, of.distances))

    def _aspect(self) -> NDArray[Any]:
        slope, aspect = self.slope_aspect
        return np.where(np.isnan(aspect) & np.isfinite(slope), FLAT, aspect)

    def _stream_distance(self) -> NDArray[Any]:
        if self.streams is None:
            raise RuntimeError("streams were not calculated")
        return np.where(np.isfinite(self.elevations.neighbour(0, 0)), self.streams.distance(self.window), np.nan)
