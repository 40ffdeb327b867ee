"""Scenes and runs whose every pixel is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS

from core.learning.metrics import encode, histogram
from core.raster.grid import Grid
from core.raster.write import write_array
from core.runs.store import SceneRecord, Store
from core.tasks.imagery.inputs import inputs_of
from core.tasks.mapping.result import MappingResult
from tests.factories import keep

HEIGHT, WIDTH = 300, 400
COLOURS = np.array([[200, 40, 40], [40, 200, 40]], np.uint8)
"""Colours of the left and the right half of the scene."""


@dataclass(frozen=True)
class Made:
    """A scene in the store, and a run of it."""

    record: SceneRecord
    run: MappingResult
    probability: NDArray[np.float64]
    reference: NDArray[np.uint8]


def made_grid(*, georeferenced: bool) -> Grid:
    """10 m pixels in UTM zone 33 north, or pixel space."""
    if not georeferenced:
        return Grid(WIDTH, HEIGHT, Affine.identity(), None)
    return Grid(WIDTH, HEIGHT, Affine(10, 0, 500_000, 0, -10, 5_200_000), CRS.from_epsg(32633))


def _image() -> NDArray[np.uint8]:
    image = np.empty((3, HEIGHT, WIDTH), np.uint8)
    image[:, :, : WIDTH // 2] = COLOURS[0][:, None, None]
    image[:, :, WIDTH // 2 :] = COLOURS[1][:, None, None]
    return image


def write_scene(path: Path, *, georeferenced: bool) -> Path:
    """Write the scene: 8-bit RGB, the left half red, the right half green."""
    grid = made_grid(georeferenced=georeferenced)
    if not georeferenced:
        Image.fromarray(np.moveaxis(_image(), 0, -1)).save(path, "PNG")
        return path
    profile = {"driver": "GTiff", "width": WIDTH, "height": HEIGHT, "count": 3, "dtype": "uint8"}
    place = {"crs": grid.crs, "transform": grid.transform, "photometric": "RGB"}
    with rasterio.open(path, "w", **profile, **place) as dataset:
        dataset.write(_image())
    return path


def make_run(store: Store, *, georeferenced: bool) -> Made:
    """Put a scene and a run into a store.

    Probability rises from 0 in the first to 1 in the last column; the first ten rows are nodata. The truth is
    the right half.
    """
    data = store.home.parent / ("ground.tif" if georeferenced else "pixels.png")
    record = store.add_scene(write_scene(data, georeferenced=georeferenced), data.name, synthetic=True)
    grid = record.scene.grid
    probability = np.tile(np.linspace(0.0, 1.0, WIDTH), (HEIGHT, 1))
    probability[:10] = np.nan
    reference = np.zeros((HEIGHT, WIDTH), np.uint8)
    reference[:, WIDTH // 2 :] = 1
    codes = encode(probability)
    folder = store.home.parent / "made"
    folder.mkdir(exist_ok=True)
    write_array(folder / "probability.tif", grid, codes, nodata=255)
    write_array(folder / "truth.tif", grid, reference, nodata=255, overview_resampling="nearest")
    run = MappingResult(
        id="",
        kind="mapping",
        folder=folder,
        inputs=inputs_of(record),
        model="made",
        grid=grid,
        counts=histogram(codes, reference),
        artifacts={"probability": "probability.tif", "truth": "truth.tif"},
        has_reference=True,
    )
    return Made(record, keep(store, run, record.id), probability, reference)
