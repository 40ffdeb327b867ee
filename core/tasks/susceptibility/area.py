"""The rasters of an area on one grid: terrain factors of an elevation model and the factors that are given.

All of them become one file with a band a factor, written window by window, from which everything else is made: the
cells that models learn from, the map, its explanations, and a look at each factor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.bands import check_bands
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.quantity import HIGHEST, LOWEST, Quantity, elevation_model
from core.raster.resample import Kind
from core.raster.stack import Layer, LayerReport, Stack, stack_grid
from core.raster.terrain_factors import TERRAIN, TerrainOptions, check_terrain, derive
from core.raster.validity import USUAL_FILLS, USUALLY
from core.raster.write import writing
from core.tasks.susceptibility.factors import check_names

if TYPE_CHECKING:
    from rasterio.crs import CRS

    from core.raster.grid import Grid
    from core.raster.scene import Scene
    from core.tasks.susceptibility.factors import Factors

FIRST_TERRAIN = (
    "elevation", "slope", "aspect", "plan_curvature", "profile_curvature", "twi", "tpi",
    "stream_distance",
)  # fmt: skip
"""Terrain factors that are used unless others are named."""

MOST_FACTORS = 60

LARGEST_CLASS = 2**24
"""Number from which on neighbours are the same as float32."""

STEEPEST = 90.0
"""Degrees that no slope exceeds."""

_NAME = re.compile(r"[^\W\d]\w{0,39}")


LARGEST_CELL = 100_000
"""Metres of the side of a cell, at most."""


@dataclass(frozen=True)
class GivenFactor:
    """A factor that is given as a band of a raster.

    Attributes
    ----------
    name
        What it is called, such as ``"lithology"``: letters, digits and underscores.
    input
        Number of the raster among those of the role ``factor``, from 0; -1 for the elevation model's raster.
    kind
        ``"continuous"``, ``"category"`` or ``"aspect"``.
    band
        Band number from 1.
    """

    name: str
    input: int = 0
    kind: Kind = "continuous"
    band: int = 1


@dataclass(frozen=True)
class AreaPlan:
    """Which factors of an area are used, and on which grid.

    Attributes
    ----------
    terrain
        Names of terrain factors of the elevation model.
    options
        How they are computed.
    given
        Factors from rasters.
    dem_band
        Band of the elevation model that holds elevations.
    crs
        Code of the coordinate system of the grid, such as ``"EPSG:32632"``; empty for that of the elevation model, or
        of the first raster without one. Degrees are projected to the local UTM zone.
    cell
        Side of a cell in metres, or units of `crs`; 0 for that of the same raster.
    """

    terrain: tuple[str, ...] = FIRST_TERRAIN
    options: TerrainOptions = field(default_factory=TerrainOptions)
    given: tuple[GivenFactor, ...] = ()
    dem_band: int = 1
    crs: str = ""
    cell: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all factors, in the order of their bands."""
        return (*self.terrain, *(one.name for one in self.given))

    @property
    def kinds(self) -> Factors:
        """Names of all factors by kind."""
        from core.tasks.susceptibility.factors import Factors

        kinds: dict[str, Kind] = {name: TERRAIN[name].kind for name in self.terrain}
        kinds |= {one.name: one.kind for one in self.given}
        return Factors(*(tuple(n for n in self.names if kinds[n] == kind) for kind in
                         ("continuous", "category", "aspect")))  # fmt: skip

    def check(self, *, dem: bool, rasters: int) -> None:
        """Refuse a plan that cannot be carried out with these inputs.

        Raises
        ------
        InputError
            When no factor is named, a name is odd or used twice, or an input is missing.
        """
        if not self.names:
            raise InputError(
                "No factor was chosen.", "Models are trained on factors.", "Choose some (--terrain, --factor)."
            )
        if len(self.names) > MOST_FACTORS:
            raise InputError(f"{len(self.names)} factors exceed the limit of {MOST_FACTORS}.", remedy="Choose fewer.")
        odd = next((one.name for one in self.given if not _NAME.fullmatch(one.name)), None)
        if odd is not None:
            raise InputError(
                f"{odd[:60]!r} is not a valid name for a factor.",
                remedy="Use up to 40 letters, digits and underscores, starting with a letter.",
            )
        check_names(self.names)
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"Two factors are named {twice!r}.", remedy="Give each factor a different name.")
        if self.terrain and not dem:
            raise InputError(
                "Terrain factors need an elevation model.", remedy="Give one (--dem), or choose no terrain factor."
            )
        beyond = next((one for one in self.given if not (-1 if dem else 0) <= one.input < rasters), None)
        if beyond is not None:
            raise InputError(f"The raster of factor {beyond.name} is missing.", remedy="Add it (--factor).")
        if self.cell < 0:
            raise InputError("The cell size is negative.", remedy=(
                "Give it in metres, or 0 for the cell size of the raster."
            ))
        if self.cell > LARGEST_CELL:
            raise InputError(f"Cells of {self.cell:,.0f} m are too large for a susceptibility map.",
                             remedy=f"Choose up to {LARGEST_CELL:,} m, or 0 for the cell size of the "
                                    "raster.")  # fmt: skip


@dataclass(frozen=True)
class Area:
    """Rasters of an area, ready to be read on one grid.

    Attributes
    ----------
    plan
        Which factors are used.
    grid
        The grid of all of them, in a projected coordinate system.
    dem
        The elevation model; None without one.
    layers
        The rasters of the given factors.
    notes
        What was assumed or converted.
    """

    plan: AreaPlan
    grid: Grid
    dem: Layer | None
    layers: tuple[Layer, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: AreaPlan, dem: Scene | None, rasters: Sequence[Scene]) -> Area:
        """Lay rasters on one grid.

        Raises
        ------
        LandslideError
            When the plan cannot be carried out, a raster lies nowhere or elsewhere, or the grid is too large.
        """
        plan.check(dem=dem is not None, rasters=len(rasters))
        notes: list[str] = []
        ground = None if dem is None or not plan.terrain else _ground(dem, plan.dem_band, notes)
        given = tuple(
            Layer(one.name, dem if dem is not None and one.input < 0 else rasters[one.input], one.kind, one.band)
            for one in plan.given
        )
        layers = (*(() if ground is None else (ground,)), *given)
        for layer in layers:
            if layer.scene.grid.crs is None:
                raise GridError(
                    f"{layer.scene.name} has no coordinate system.",
                    "It cannot be aligned with the other rasters or with the landslides.", "Georeference it first.",
                )  # fmt: skip
        grid = _grid(plan, layers)
        if ground is not None:
            check_terrain(plan.terrain, grid, plan.options)
            Stack((ground,), grid)  # refuses one that lies elsewhere
        if given:
            Stack(given, grid)
        notes += [note for scene in dict.fromkeys(layer.scene for layer in layers) for note in _of_scene(scene)]
        return cls(plan, grid, ground, given, tuple(dict.fromkeys(notes)))


def _of_scene(scene: Scene) -> Iterator[str]:
    """Notes on a raster but those that usual fills are taken for values, as they are not."""
    told = [f" are {fill:g}, {USUALLY}" for fill in USUAL_FILLS]
    return (note for note in scene.notes if not any(one in note for one in told))


def _ground(dem: Scene, band: int, notes: list[str]) -> Layer:
    """The elevation model as a layer."""
    if band == 1:
        elevation_model(dem)  # refuses colours
    layer = Layer("dem", dem, "continuous", band)
    check_bands(dem, (band,))
    quantity = Quantity.of(dem, "elevation", band)
    notes += [note for note in (quantity.note, quantity.left_out(dem, band)) if note]
    return layer


def _grid(plan: AreaPlan, layers: Sequence[Layer]) -> Grid:
    base = layers[0].scene.grid
    system = _system(plan.crs) if plan.crs else base.crs
    if system is not None and system.is_geographic:
        system = _local_utm(base)
    cell = plan.cell or None
    alone = len({layer.scene.grid for layer in layers}) == 1
    if alone and cell is None and system == base.crs:
        return base
    return stack_grid(layers, "intersection", crs=system, cell=cell)


def _system(code: str) -> CRS:
    from rasterio.crs import CRS

    from core.raster.crs import crs_of_code

    found = crs_of_code(f"EPSG:{code}" if code.isdecimal() else code, "--crs")
    if not found.is_projected:
        raise InputError(f"{code} is not a projected coordinate system.", "Cell sizes are in metres.",
                         "Give one such as EPSG:32632.")  # fmt: skip
    return CRS.from_wkt(found.to_wkt())


def _local_utm(grid: Grid) -> CRS:
    """The UTM zone at the middle of a grid in degrees."""
    from rasterio.crs import CRS

    around = grid.to_wgs84_bounds()
    if around is None:
        raise GridError("The raster has no coordinate system.")
    west, south, east, north = around
    zone = int((((west + east) / 2 + 180) % 360) // 6) + 1
    return CRS.from_epsg((32600 if south + north >= 0 else 32700) + zone)


@dataclass(frozen=True)
class WrittenFactors:
    """What became of the factors of an area.

    Attributes
    ----------
    reports
        What was done to each raster.
    unknown
        Share of the grid without data, by factor.
    complete
        Share of the grid where all factors are known.
    notes
        What must be known of them.
    """

    reports: tuple[LayerReport, ...]
    unknown: dict[str, float]
    complete: float
    notes: tuple[str, ...]


def write_factors(
    area: Area, path: Path, progress: ProgressCallback = ignore, cancel: Cancel = never
) -> WrittenFactors:
    """Write all factors of an area as one raster, a band each, window by window.

    Parameters
    ----------
    path
        GeoTIFF of float32 to make; NaN is unknown, classes are whole numbers, and directions -1 on flat ground.

    Raises
    ------
    LandslideError
        When a raster cannot be read, no cell has all factors, or the disk is full.
    RunCancelled
        When asked to stop.
    """
    names, grid = area.plan.names, area.grid
    missing, complete = np.zeros(len(names), np.int64), 0
    steep = np.zeros(len(names), np.int64)
    fills = [dict.fromkeys(USUAL_FILLS, 0) for _ in area.layers]
    count = grid.width * grid.height
    tags = {"SOURCE": "factors of landslide susceptibility"}
    with writing(
        path, grid, bands=len(names), dtype="float32", nodata=float("nan"), descriptions=names, tags=tags,
        overview_resampling="nearest",
    ) as writer:  # fmt: skip
        for window, values in _windows(area, fills, progress, cancel):
            known = np.isfinite(values)
            missing += (~known).sum(axis=(1, 2))
            with np.errstate(invalid="ignore"):
                steep += (values > STEEPEST).sum(axis=(1, 2))
            complete += int(known.all(axis=0).sum())
            writer.write(values, round(window.row_off), round(window.col_off))
    if not complete:
        worst = names[int(missing.argmax())]
        raise InputError(
            "No cell has values for all factors.",
            f"The factor with the most missing values is {worst} ({100 * missing.max() / count:.0f} % of the grid).",
            "Leave a factor out, or choose rasters that overlap.",
        )
    unknown = {name: float(one) / count for name, one in zip(names, missing, strict=True)}
    notes = (*_told(area, fills, count), *_no_degrees(area, steep, count))
    return WrittenFactors(_reports(area, unknown), unknown, complete / count, notes)


def _windows(
    area: Area, fills: list[dict[float, int]], progress: ProgressCallback, cancel: Cancel
) -> Iterator[tuple[Window, NDArray[np.float32]]]:
    """Windows that cover the grid once, with the values of all factors."""
    if area.dem is None:
        stack = Stack(area.layers, area.grid)
        windows = list(stack.windows())
        with stack.open() as reader:
            for done, window in enumerate(windows):
                stop_if(cancel)
                progress(done, len(windows))
                yield window, _cleaned(reader.read(window).values.astype(np.float32), area, fills)
        progress(len(windows), len(windows))
        return
    ground = Stack((area.dem,), area.grid)
    with ground.open() as elevations:

        def read(window: Window) -> NDArray[np.float64]:
            found: NDArray[np.float64] = elevations.read(window).values[0].astype(np.float64)
            found[~((found >= LOWEST) & (found <= HIGHEST))] = np.nan
            return found

        derived = derive(read, area.grid, area.plan.terrain, area.plan.options, progress, cancel)
        if not area.layers:
            yield from derived
            return
        with Stack(area.layers, area.grid).open() as reader:
            for window, values in derived:
                given = _cleaned(reader.read(window).values.astype(np.float32), area, fills)
                yield window, np.concatenate([values, given])


def _cleaned(
    values: NDArray[np.float32], area: Area, fills: list[dict[float, int]]
) -> NDArray[np.float32]:
    """Values of the given factors, without those that usually stand for no data."""
    for at, layer in enumerate(area.layers):
        if layer.kind == "category" and (np.abs(values[at]) >= LARGEST_CLASS).any():
            raise InputError(
                f"{layer.role} ({layer.scene.name}) holds class numbers of {LARGEST_CLASS:,} or more.",
                "Numbers this large cannot be stored exactly.", "Renumber the classes.",
            )  # fmt: skip
        for fill in USUAL_FILLS:
            found = values[at] == np.float32(fill)
            if found.any():
                fills[at][fill] += int(found.sum())
                values[at][found] = np.nan
    return values


def _no_degrees(area: Area, steep: NDArray[np.int64], count: int) -> tuple[str, ...]:
    """Notes on given slopes that are no degrees."""
    beyond = dict(zip(area.plan.names, steep, strict=True))
    return tuple(
        f"{layer.role} ({layer.scene.name}) is steeper than {STEEPEST:.0f}° in {100 * beyond[layer.role] / count:.1f} "
        "% of the "
        "grid, so it is probably in per cent, or not a slope. Models use its values unchanged; limits in degrees do "
        "not apply to it."
        for layer in area.layers
        if "slope" in layer.role.lower() and beyond[layer.role]
    )


def _told(area: Area, fills: list[dict[float, int]], count: int) -> tuple[str, ...]:
    notes = [
        f"{100 * number / count:.1f} % of {layer.role} ({layer.scene.name}) is {fill:g}, which usually stands for no "
        "data: "
        "treated as unknown."
        for layer, found in zip(area.layers, fills, strict=True)
        for fill, number in found.items()
        if number
    ]
    return tuple(notes)


def _reports(area: Area, unknown: dict[str, float]) -> tuple[LayerReport, ...]:
    from dataclasses import replace

    found: list[LayerReport] = []
    if area.dem is not None:
        found += Stack((area.dem,), area.grid).describe()
    if area.layers:
        found += [
            replace(one, unknown=unknown[one.role]) for one in Stack(area.layers, area.grid).describe()
        ]
    return tuple(found)
