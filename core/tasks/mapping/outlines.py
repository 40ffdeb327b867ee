"""Landslides of a mapping of any size: outlined in strips, kept in a GeoPackage, and read again in part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from rasterio.windows import Window

from core.learning.metrics import CODES, NODATA_CODE, threshold_code
from core.raster.align import GridReader
from core.raster.geopackage import column_of, first_rows
from core.raster.measure import row_areas
from core.raster.outline import Elevation, outline_strips
from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.quantity import elevation_on_grid
from core.raster.scene import Scene, SceneReader
from core.raster.strip_labelling import Strip, strip_rows
from core.tasks.mapping.export import write_polygons
from core.tasks.mapping.findings import Landslides, area_column, least_pixels
from core.tasks.mapping.result import PROBABILITY, MappingResult
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.raster.grid import Grid

HELD = 10_000
"""Polygons of a finished outlining that are read; of the others only their areas."""


@dataclass(frozen=True)
class Outlined(Landslides):
    """Landslides that were outlined before; `polygons` holds the `HELD` largest.

    Attributes
    ----------
    path
        GeoPackage with all of them.
    """

    path: Path


@dataclass(frozen=True)
class Totals:
    """What an outlining comes to.

    Attributes
    ----------
    landslides
        How many.
    area, largest, scene_area
        Their area together, that of the largest, and that of the valid pixels; m², or px² in pixel space.
    """

    landslides: int
    area: float
    largest: float
    scene_area: float

    @property
    def area_share(self) -> float:
        """Landslide area as a share of the valid area, NaN when nothing is valid."""
        return self.area / self.scene_area if self.scene_area else float("nan")

    def to_json(self) -> dict[str, Any]:
        """As it stands in a run's provenance."""
        return {**asdict(self), "area_share": self.area_share}


def write_outlines(
    result: MappingResult,
    choice: Choice,
    path: Path,
    dem: Path | None = None,
    progress: ProgressCallback = ignore,
    cancel: Cancel = never,
) -> Totals:
    """Outline the landslides of a run at a choice, in memory that does not grow with the height of the raster.

    Parameters
    ----------
    path
        The GeoPackage: polygons as `core.tasks.mapping.findings.find` gives them for a smaller raster.
    dem
        Elevation raster in metres, in any coordinate system; used only for a georeferenced result.

    Raises
    ------
    InputError
        When there are more landslides than can be held.
    RunCancelled
        When asked to stop; nothing remains.
    StorageError
        When the probability raster is gone or the disk is full.
    """
    grid = result.grid
    least, holes = least_pixels(result, choice)
    with ExitStack() as stack:
        strips = _Strips(
            stack.enter_context(Scene.open(result.artifact(PROBABILITY)).reader()),
            grid, threshold_code(choice.threshold), 2 if holes else 1, progress, cancel,
        )  # fmt: skip
        elevation = None
        if dem is not None and grid.is_georeferenced:
            elevation = _elevation(stack.enter_context(elevation_on_grid(dem, grid)), grid)
        found = outline_strips(
            strips.each, grid, minimum_area_px=least, fill_holes_px=holes, elevation=elevation
        )
    column = area_column(result)
    found["mean_code"] /= CODES - 1
    found = found.rename(columns={"mean_code": "mean_probability"})
    stop_if(cancel)
    write_polygons(found, path)
    areas = found[column].to_numpy(dtype=np.float64)
    return Totals(len(found), float(areas.sum()), float(areas.max(initial=0.0)), strips.scene_area)


def read_outlined(result: MappingResult, choice: Choice, path: Path, scene_area: float) -> Outlined:
    """Landslides that `write_outlines` wrote.

    Raises
    ------
    StorageError
        When the file is gone or damaged.
    """
    areas = column_of(path, area_column(result))
    largest = first_rows(path, HELD)
    largest["id"] = largest["id"].astype(str)  # numbers in files of old runs
    return Outlined(result, choice, largest, areas, scene_area, path)


class _Strips:
    """The strips of a probability raster, gone through as often as asked."""

    def __init__(
        self, reader: SceneReader, grid: Grid, code: int, passes: int, progress: ProgressCallback, cancel: Cancel
    ) -> None:
        self.reader, self.grid, self.code, self.progress, self.cancel = reader, grid, code, progress, cancel
        self.tops = range(0, grid.height, strip_rows(grid.width))
        self.done, self.total = 0, passes * len(self.tops)
        self.scene_area = 0.0

    def each(self) -> Iterator[Strip]:
        """From top to bottom."""
        grid = self.grid
        per_row = row_areas(grid) if grid.in_metres else np.ones(grid.height)
        self.scene_area = 0.0
        for top in self.tops:
            stop_if(self.cancel)
            window = Window(0, top, grid.width, min(self.tops.step, grid.height - top))
            codes = self.reader.read((1,), window).values[0].astype(np.uint8)
            valid = codes != NODATA_CODE
            self.scene_area += float(valid.sum(axis=1) @ per_row[top : top + len(codes)])
            yield Strip(top, grid.height, valid & (codes >= self.code), valid, codes)
            self.done += 1
            self.progress(self.done, self.total)


def _elevation(reader: GridReader, grid: Grid) -> Elevation:
    def rows(top: int, end: int) -> NDArray[np.float32]:
        patch = reader.read(Window(0, top, grid.width, end - top))
        return cast("NDArray[np.float32]", np.where(patch.valid, patch.values[0], np.nan).astype(np.float32))

    return rows
