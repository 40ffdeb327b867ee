"""What is known of one pixel: its values in the scene, its probability, and what the inventory says."""

from __future__ import annotations

from dataclasses import dataclass

from rasterio.windows import Window

from core.learning.metrics import CODES
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.tasks.mapping.result import PROBABILITY, TRUTH, UNCERTAINTY, MappingResult


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


@dataclass(frozen=True)
class Pixel(Place):
    """One pixel of a map.

    Attributes
    ----------
    probability, uncertainty
        Between 0 and 1; None without data or without such a raster.
    truth
        Whether the inventory has a landslide here; None where unknown.
    """

    probability: float | None
    uncertainty: float | None
    truth: bool | None


def look_up(scene: Scene, grid: Grid, row: int, column: int) -> Place:
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


def inspect(scene: Scene, result: MappingResult, row: int, column: int) -> Pixel:
    """Read one pixel of a map and of the scene that was mapped.

    Raises
    ------
    LandslideError
        When the pixel lies outside, or a raster is gone.
    """
    place = look_up(scene, result.grid, row, column)
    truth = _code(result, TRUTH, row, column)
    probability, uncertainty = (_code(result, role, row, column) for role in (PROBABILITY, UNCERTAINTY))
    return Pixel(
        place.row, place.column, place.x, place.y, place.values,
        None if probability is None else probability / (CODES - 1),
        None if uncertainty is None else uncertainty / (CODES - 1),
        None if truth is None else truth == 1,
    )  # fmt: skip


def _code(result: MappingResult, role: str, row: int, column: int) -> int | None:
    if role not in result.artifacts:
        return None
    with Scene.open(result.artifact(role)).reader() as reader:
        code = int(reader.read((1,), Window(column, row, 1, 1)).values[0, 0, 0])
    return None if code == CODES else code
