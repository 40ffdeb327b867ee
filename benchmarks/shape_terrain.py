"""How long it takes to measure the ground within reviewed outlines, on the grid of the elevations and on a finer one.

Run ``python -m benchmarks.shape_terrain [OUTLINES]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window
from shapely.geometry import box

from benchmarks.results import record
from benchmarks.terrain import ground
from core.raster.scene import Scene
from core.raster.shape_terrain import terrain_within

SIDE = 3000
"""Cells of 10 m along each side of the elevation model."""


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outlines", type=int, nargs="?", default=1000)
    outlines = parser.parse_args().outlines
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder) / "dem.tif", outlines)
    record(
        "Ground within outlines",
        f"Slope, relief and aspect within {outlines:,} outlines of 200 × 200 m, as for the files of a reviewed "
        f"inventory; elevation model of {SIDE:,} × {SIDE:,} cells of 10 m.",
        figures, ("rasterio", "shapely"),
    )  # fmt: skip


def measured(dem: Path, outlines: int) -> dict[str, str]:
    """Seconds by the grid on which slopes are measured."""
    place = Affine(10, 0, 500_000, 0, -10, 5_200_000)
    with rasterio.open(
        dem, "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="float32", crs=32633, transform=place
    ) as file:
        file.write(ground(Window(0, 0, SIDE, SIDE)).astype(np.float32), 1)
    corners = np.random.default_rng(0).uniform(0, 10 * SIDE - 200, (outlines, 2))
    shapes = [box(500_000 + x, 5_199_800 - y, 500_200 + x, 5_200_000 - y) for x, y in corners]
    own = Scene.open(dem).grid
    made = {}
    for title, grid in (("Grid of the elevations", own), ("Grid of 5 m", own.resized(2 * SIDE, 2 * SIDE))):
        began = time.perf_counter()
        terrain_within(shapes, dem, grid)
        made[title] = f"{time.perf_counter() - began:.2f} s"
    return made


if __name__ == "__main__":
    main()
