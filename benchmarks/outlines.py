"""How long outlining the landslides of a large mapping takes, and whether its memory grows with the raster's height.

Run ``python -m benchmarks.outlines``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.mapping_memory import in_new_process, peak
from benchmarks.results import record

REPEATED = 1024
"""Side of the block of noise that is repeated over the raster."""

THRESHOLD = 0.69


def make(path: Path, height: int, width: int) -> None:
    """Write a probability raster of blobs that cover about 3 % of it."""
    import numpy as np
    from affine import Affine
    from rasterio.crs import CRS
    from scipy.ndimage import gaussian_filter

    from core.raster.grid import Grid
    from core.raster.write import writing

    noise = gaussian_filter(np.random.default_rng(0).standard_normal((REPEATED, REPEATED)), 6, mode="wrap")
    block = np.clip(noise / noise.std() * 40 + 100, 0, 254).astype(np.uint8)
    rows = np.tile(block, (1, width // REPEATED + 1))[:, :width]
    grid = Grid(width, height, Affine(10, 0, 400_000, 0, -10, 5_200_000), CRS.from_epsg(32633))
    with writing(path, grid, nodata=255) as writer:
        for top in range(0, height, REPEATED):
            writer.write(rows[: min(REPEATED, height - top)], row_off=top)


def outline(folder: Path, name: str) -> tuple[float, float, float, int]:
    """Outline a raster; returns MB before, MB at the peak, seconds and the number of landslides."""
    import geopandas  # noqa: F401  counted before, as in a worker that has done anything
    import numpy as np
    import pyogrio  # noqa: F401

    from core.raster.scene import Scene
    from core.tasks.mapping.outlines import write_outlines
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.view import Choice

    grid = Scene.open(folder / name).grid
    nothing = np.zeros((2, 255), dtype=np.int64)
    result = MappingResult(
        id="0" * 32, kind="mapping", folder=folder, artifacts={"probability": name}, grid=grid, counts=nothing
    )  # fmt: skip
    before, started = peak(), time.perf_counter()
    totals = write_outlines(result, Choice(THRESHOLD, 1000.0, 2000.0), folder / "landslides.gpkg")
    return before, peak(), time.perf_counter() - started, totals.landslides


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=10_000, help="width of the rasters, pixels")
    parser.add_argument("--heights", type=int, nargs=2, default=(2_000, 10_000), help="their heights, pixels")
    arguments = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for height in arguments.heights:
            file = f"{height}.tif"
            in_new_process(make, folder / file, height, arguments.width)
            before, highest, seconds, landslides = in_new_process(outline, folder, file)
            figures[f"{arguments.width}×{height}"] = (
                f"{landslides:,} landslides in {seconds:.0f} s; {highest:.0f} MB at the peak ({before:.0f} MB before)"
            )
    record(
        "Outlining a large mapping",
        "From a probability raster to a GeoPackage of its landslides, at one threshold, with a minimum area of ten "
        "pixels and holes of twenty filled, in a fresh process each. Memory grows with the number of outlines, not "
        "with the height of the raster.",
        figures,
        ("numpy", "scipy", "shapely", "rasterio", "geopandas", "pyogrio"),
    )


if __name__ == "__main__":
    main()
