"""The shape of the ground as an image: hillshade, slope and position on the slope in three 8-bit bands.

What a detector is given of a digital elevation model. Elevation itself differs from place to place by more than any
landslide is high; its derivatives are alike everywhere, so what was learnt in one valley can be used in another.

References
----------
Weiss, A. D. (2001). Topographic position and landforms analysis. Poster, ESRI User Conference, San Diego: elevation
less the mean of the neighbourhood.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.raster.progress import Cancel, ProgressCallback, ignore, never, stop_if
from core.raster.quantity import Quantity, QuantityReader, elevation_model
from core.raster.terrain import hillshade, slope_aspect
from core.raster.write import writing

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.scene import Scene

RELIEF_BANDS = ("hillshade", "slope", "position")
"""Hillshade 1–255 is the cosine 0–1 under a lamp in the north-west, 45° high; slope 1–255 is 0–90°; position 1–255 is
−63.5 to 63.5 m above the mean of the neighbourhood, 128 level with it. 0 is nodata."""

NEIGHBOURHOOD = 150.0
"""Metres to each side over which the mean elevation is taken."""

STEP = 0.5
"""Metres that one step of position stands for."""

BLOCK = 1024


def relief_image(dem: NDArray[Any], grid: Grid) -> NDArray[np.uint8]:
    """Hillshade, slope and position of a DEM.

    Parameters
    ----------
    dem
        Elevation in metres, shape (height, width). NaN is nodata.
    grid
        Its grid, in any CRS.

    Returns
    -------
    ndarray of uint8 (3, height, width)
        `RELIEF_BANDS`. 0 on the outermost rows and columns and next to nodata, where there is no slope.

    Raises
    ------
    GridError
        Without a CRS, since elevation and distance then have no common unit.
    """
    shade = hillshade(dem, grid)
    slope, _ = slope_aspect(dem, grid)
    position = dem - _neighbourhood(dem, _radius(grid))
    coded = np.stack([1.0 + 254.0 * shade, 1.0 + 254.0 / 90.0 * slope, 128.0 + position / STEP])
    valid = np.isfinite(coded).all(axis=0)
    return np.where(valid, np.clip(np.rint(np.where(valid, coded, 0.0)), 1, 255), 0).astype(np.uint8)


def write_relief(
    dem: Scene, path: str | os.PathLike[str], progress: ProgressCallback = ignore, cancel: Cancel = never
) -> Path:
    """Write hillshade, slope and position of an elevation model of any size, block by block.

    Parameters
    ----------
    dem
        One band of elevations in metres.
    path
        GeoTIFF to make.

    Raises
    ------
    BandError
        When the raster has several bands.
    GridError
        When it has no CRS.
    StorageError
        When the disk is full.
    RunCancelled
        When asked to stop.
    """
    elevation_model(dem)
    height, width = dem.grid.shape
    margin = _radius(dem.grid) + 1
    blocks = [(top, left) for top in range(0, height, BLOCK) for left in range(0, width, BLOCK)]
    tags = {"SOURCE":
        f"hillshade, slope and topographic position of {dem.name}"} | ({"NOTE": "Synthetic"} if dem.synthetic else {})
    with (
        dem.reader() as pixels,
        writing(path, dem.grid, bands=3, nodata=0, descriptions=RELIEF_BANDS, tags=tags) as writer,
    ):
        metres = QuantityReader(pixels, Quantity.of(dem, "elevation"))
        for done, (top, left) in enumerate(blocks):
            stop_if(cancel)
            progress(done, len(blocks))
            first, begin = max(0, top - margin), max(0, left - margin)
            end, last = min(height, top + BLOCK + margin), min(width, left + BLOCK + margin)
            window = Window(begin, first, last - begin, end - first)
            image = relief_image(metres.read(window), dem.grid.window(window))
            rows = slice(top - first, min(top + BLOCK, height) - first)
            columns = slice(left - begin, min(left + BLOCK, width) - begin)
            writer.write(image[:, rows, columns], top, left)
    progress(len(blocks), len(blocks))
    return Path(path)


def _radius(grid: Grid) -> int:
    """Pixels to each side that are the neighbourhood: at least 1, at most 64."""
    distance = grid.ground_distance() or NEIGHBOURHOOD
    return int(np.clip(round(NEIGHBOURHOOD / distance), 1, 64))


def _neighbourhood(dem: NDArray[Any], radius: int) -> NDArray[np.float64]:
    """Mean of the elevations around each pixel; nodata, and what lies outside, takes no part."""
    from scipy import ndimage

    known = np.isfinite(dem)
    side = 2 * radius + 1
    total = ndimage.uniform_filter(np.where(known, dem, 0.0).astype(np.float64), side, mode="constant")
    share = ndimage.uniform_filter(known.astype(np.float64), side, mode="constant")
    mean: NDArray[np.float64] = np.divide(total, share, out=np.full(dem.shape, np.nan), where=share > 1e-9)
    return mean
