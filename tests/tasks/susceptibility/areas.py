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
