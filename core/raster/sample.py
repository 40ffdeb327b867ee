"""One pixel of a scene and its values."""

from __future__ import annotations

from dataclasses import dataclass

from rasterio.windows import Window

from core.raster.grid import Grid
from core.raster.scene import Scene


@dataclass(frozen=True)
class Place:
    """One pixel of a run's grid, and what the scene holds there.

    Attributes
    ----------
    row, column
        Place on the run's grid, from 0.
    x, y
        Centre in the scene's coordinate system; column and row in pixel space.
    values
        Value of each band of the scene by name; None where it has no data.
    """

    row: int
    column: int
    x: float
    y: float
    values: dict[str, float | None]


def sample_pixel(scene: Scene, grid: Grid, row: int, column: int) -> Place:
    """Read one pixel of a scene.

    Parameters
    ----------
    grid
        Grid on which row and column count: the scene's own, or that of a part of it.

    Raises
    ------
    LandslideError
        When the pixel lies outside, or the scene is gone.
    """
    x, y = grid.xy(row, column)
    scene_row, scene_column = scene.grid.rowcol(x, y)
    with scene.reader() as reader:
        values, valid = reader.read_bands(Window(scene_column, scene_row, 1, 1))
    names = [band.name or f"band {band.index}" for band in scene.bands]
    found = {
        name: float(value) if good else None
        for name, value, good in zip(names, values[:, 0, 0], valid[:, 0, 0], strict=True)
    }
    return Place(row, column, x, y, found)
