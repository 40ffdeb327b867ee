"""A small area whose factors, landslides and cells are known without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from core.raster.grid import Grid
from core.raster.scene import Scene
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.susceptibility.run_map import MapRequest, order_of
from tests.factories import NORTH_UP, UTM

GRID = Grid(60, 40, NORTH_UP, UTM)
"""60 columns and 40 rows of 10 m."""


def raster(
    folder: Path, name: str, values: NDArray[Any], transform: Affine = NORTH_UP, crs: CRS | None = UTM,
    nodata: float | None = None,
) -> Scene:  # fmt: skip
    """Write a raster of one band."""
    path = folder / f"{name}.tif"
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype=values.dtype, crs=crs,
        transform=transform, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return Scene.open(path, name)


def at(column: float, row: float, grid: Grid = GRID) -> tuple[float, float]:
    """Coordinates of a place in columns and rows."""
    x, y = grid.transform @ (column, row)
    return x, y


def square(column: float, row: float, side: float) -> shapely.Polygon:
    """A square in columns and rows of the grid, in its coordinates."""
    right, below = column + side, row + side
    return shapely.Polygon([at(column, row), at(right, row), at(right, below), at(column, below)])


def inventory(folder: Path, shapes: list[Any], name: str = "slides", crs: Any = UTM, **columns: Any) -> Path:
    """Write shapes as a GeoPackage."""
    path = folder / f"{name}.gpkg"
    geopandas.GeoDataFrame(columns, geometry=shapes, crs=None if crs is None else crs.to_wkt()).to_file(path)
    return path


def steps(grid: Grid = GRID) -> NDArray[np.float32]:
    """The number of each column."""
    return np.broadcast_to(np.arange(grid.width, dtype=np.float32), grid.shape).copy()


def order_of_right_third(store: Store, folder: Path, request: MapRequest) -> Order:
    """A map of 40 landslides that lie in the right third of the grid alone, of the factors ``step`` and ``rock``."""
    rng = np.random.default_rng(5)
    ground = 1000 + 5 * np.sin(np.arange(40) / 4)[:, None] + steps()
    rock = np.where(steps() < 50, 1, 3).astype(np.uint8)
    rock[:3] = 7  # no landslide there, and hardly a cell drawn
    rasters = [raster(folder, "dem", ground.astype(np.float32)), raster(folder, "step", steps()),
               raster(folder, "rock", rock)]  # fmt: skip
    points = [shapely.Point(at(40.5 + int(rng.integers(19)), 4.5 + int(rng.integers(34)))) for _ in range(40)]
    dem, step, rocks = (store.add_dataset(one.path, one.name, "raster") for one in rasters)
    slides = store.add_dataset(inventory(folder, points), "slides", "vector", synthetic=True)
    return order_of(request, dem, [step, rocks], slides)
