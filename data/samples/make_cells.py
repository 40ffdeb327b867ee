"""Make the sample table of labelled cells of the synthetic valley.

Run ``python data/samples/make_cells.py`` in the repository, after `make_valley.py`: it writes ``valley_cells.csv``
beside itself, from ``valley_dem.tif`` and ``valley_inventory.gpkg``. The same seed gives the same table.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import rasterio
from rasterio.features import rasterize
from scipy.ndimage import binary_dilation, maximum_filter, minimum_filter

FOLDER = Path(__file__).resolve().parent
SEED, ABSENCES_PER_SLIDE, CELLS_PER_SLIDE, BUFFER = 20261128, 3, 3, 5
"""Cells drawn in each landslide at most, cells without one to each of them, and pixels kept free around landslides."""


def main() -> None:
    """Draw cells and write the table."""
    sys.path.insert(0, str(FOLDER.parents[1]))
    from core.raster.grid import Grid
    from core.raster.terrain import slope_aspect

    rng = np.random.default_rng(SEED)
    with rasterio.open(FOLDER / "valley_dem.tif") as file:
        elevation, grid = file.read(1).astype(float), Grid(file.width, file.height, file.transform, file.crs)
    slope, aspect = slope_aspect(elevation, grid)
    inventory = geopandas.read_file(FOLDER / "valley_inventory.gpkg")
    shapes = [(shape, number) for number, shape in enumerate(inventory.geometry, start=1)]
    number = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, dtype="int32")
    known = np.isfinite(slope)
    slides = np.concatenate([_drawn(np.flatnonzero((number == one) & known), rng) for _, one in shapes])
    free = np.flatnonzero(known & ~binary_dilation(number > 0, iterations=BUFFER))
    others = rng.choice(free, ABSENCES_PER_SLIDE * len(slides) // CELLS_PER_SLIDE, replace=False)
    at = np.concatenate([slides, others])
    row, column = np.unravel_index(at, grid.shape)
    x, y = grid.transform @ (column + 0.5, row + 0.5)
    relief = maximum_filter(elevation, 31) - minimum_filter(elevation, 31)
    turned = np.radians(np.nan_to_num(aspect))
    table = pd.DataFrame({
        "x_epsg32632": np.round(x, 1), "y_epsg32632": np.round(y, 1),
        "landslide": np.repeat(["yes", "no"], [len(slides), len(others)]),
        "slide_id": np.where(number.ravel()[at] > 0, number.ravel()[at], 0),
        "elevation_m": np.round(elevation.ravel()[at], 1), "slope_deg": np.round(slope.ravel()[at], 2),
        "northness": np.round(np.cos(turned).ravel()[at], 3), "eastness": np.round(np.sin(turned).ravel()[at], 3),
        "relief_310m": np.round(relief.ravel()[at], 1),
    })  # fmt: skip
    table.sample(frac=1, random_state=SEED).to_csv(FOLDER / "valley_cells.csv", index=False)


def _drawn(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(pixels, min(len(pixels), CELLS_PER_SLIDE), replace=False)


if __name__ == "__main__":
    main()
