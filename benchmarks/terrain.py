"""Terrain factors of a made-up elevation model: time, and the most memory that is taken at once.

Run ``python -m benchmarks.terrain``; it prints a table. Each row is a process of its own, and the library that follows
water has been compiled before.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from rasterio.windows import Window

from benchmarks.mapping_memory import in_new_process, peak

SETS = {
    "3 × 3 cells": (
        "elevation", "slope", "aspect", "plan_curvature", "profile_curvature", "tangential_curvature", "tri",
        "roughness", "hillshade",
    ),
    "rings and discs of 300 m": ("tpi", "relief"),
    "flow": ("flow_accumulation", "twi", "spi"),
    "flow and distance to streams": ("flow_accumulation", "twi", "spi", "stream_distance"),
}  # fmt: skip


def derive_all(names: tuple[str, ...], width: int, height: int) -> tuple[float, float, float]:
    """Derive factors of a raster of 10 m cells; returns seconds, MB before and MB at the peak."""
    from affine import Affine
    from rasterio.crs import CRS

    from core.raster.grid import Grid
    from core.raster.terrain_factors import TerrainOptions, derive

    grid = Grid(width, height, Affine(10, 0, 500_000, 0, -10, 5_000_000), CRS.from_epsg(32633))
    for _ in derive(ground, Grid(64, 64, grid.transform, grid.crs), names, TerrainOptions(stream_km2=1e-3)):
        pass
    before, started = peak(), time.perf_counter()
    for _ in derive(ground, grid, names, TerrainOptions()):
        pass
    return time.perf_counter() - started, before, peak()


def ground(window: Window) -> np.ndarray:
    """Elevations of a window: ridges and valleys of several sizes, tilted, with grain; the same however it is cut."""
    rows = np.arange(window.row_off, window.row_off + window.height)[:, None]
    columns = np.arange(window.col_off, window.col_off + window.width)[None, :]
    z = 1500.0 - 0.2 * rows + 0.05 * columns
    for length, high in ((1700, 300.0), (310, 80.0), (47, 15.0), (11, 3.0)):
        z = z + high * np.sin(rows / length * 6.28 + np.cos(columns / length * 4.1)) * np.sin(columns / length * 6.28)
    grain = (rows * 7919 + columns * 104729) % 1009 / 1009
    return z + 0.5 * grain


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, nargs="+", default=(4.0, 10.0), help="sizes of the rasters")
    sizes = parser.parse_args().megapixels
    print("| factors | cells | seconds | MB before | MB at the peak |\n|---|---|---|---|---|")
    for title, names in SETS.items():
        for million in sizes:
            side = round((million * 1e6) ** 0.5)
            seconds, before, highest = in_new_process(derive_all, names, side, side)
            figures = f"{million:g} million | {seconds:.1f} | {before:.0f} | {highest:.0f}"
            print(f"| {title} ({len(names)}) | {figures} |", flush=True)


if __name__ == "__main__":
    main()
