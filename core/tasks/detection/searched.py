"""Which part of a scene a detector searched: where there are data and, of a drawn area, within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.plots.colours import NOT_KNOWN
from core.plots.gis_style import class_table
from core.raster.area import Area, area_of, window_of
from core.raster.measure import row_areas
from core.raster.progress import Cancel, never, stop_if
from core.raster.scene import Scene
from core.raster.windows import Region, column_bands
from core.raster.write import writing
from core.tasks.detection.result import SEARCHED, DetectionResult

ROWS = 512
"""Rows that are read at once."""


@dataclass(frozen=True)
class Searched:
    """The searched part of a scene.

    Attributes
    ----------
    artifacts
        Name of its raster by role; empty when all of the scene was searched.
    share
        Share of the scene's pixels.
    area
        Its ground in m²; in pixels without a coordinate system.
    """

    artifacts: dict[str, str]
    share: float
    area: float

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the rest."""
        if not self.artifacts:
            return ()
        return (
            f"{100 * (1 - self.share):.1f} % of the image has no data or was not processed; areas and densities are "
            "of the rest.",
        )

    def to_json(self) -> dict[str, Any]:
        """For the run's provenance."""
        return {"share": self.share, "area": self.area}


def write_searched(
    scene: Scene, bands: Sequence[int], folder: Path, area: Area | None = None, cancel: Cancel = never
) -> Searched:
    """Measure where a scene was searched, and write it as a raster unless that is everywhere.

    Parameters
    ----------
    bands
        Bands of the scene whose data were needed.
    folder
        Where ``searched.tif`` is written: one band, 1 where it was searched, else 0.
    area
        Part of the scene that was searched; all of it when None.

    Raises
    ------
    RunCancelled, StorageError, InputError
        Nothing half-written remains.
    """
    grid = scene.grid
    ground = row_areas(grid)
    whole = Searched({}, 1.0, float(ground.sum() * grid.width))
    with scene.reader() as reader:
        if reader.complete and area is None:
            return whole
        path = folder / f"{SEARCHED}.tif"
        count, square = 0, 0.0
        with writing(path, grid, descriptions=(SEARCHED,), overview_resampling="nearest",
                     colours=class_table(NOT_KNOWN)) as writer:
            for top in range(0, grid.height, ROWS):
                for region in column_bands(Region(top, 0, min(ROWS, grid.height - top), grid.width)):
                    stop_if(cancel)
                    valid = reader.read(tuple(bands), window_of(region)).valid
                    if area is not None:
                        valid = valid & area.holds(region)
                    writer.write(valid[None].astype(np.uint8), region.row, region.column)
                    count += int(valid.sum())
                    square += float(valid.sum(axis=1) @ ground[top : top + region.height])
    if count == grid.width * grid.height:
        path.unlink()
        return whole
    return Searched({SEARCHED: path.name}, count / (grid.width * grid.height), square)


def searched_area(result: DetectionResult) -> float:
    """Ground that a run searched in m²; in pixels without a coordinate system.

    Of runs that did not record it, it is all of the scene, or of the rectangle around what was drawn on it.
    """
    told = result.provenance.get(SEARCHED)
    if told is not None:
        return float(told["area"])
    grid, drawn = result.grid, result.provenance.get("parameters", {}).get("area")
    part = area_of(grid, drawn).region if drawn else Region(0, 0, grid.height, grid.width)
    return float(row_areas(grid)[part.row : part.end_row].sum() * part.width)
