"""Time and memory of a map of susceptibility, small and large: from elevation model and points to mapped index.

Run ``python -m benchmarks.susceptibility_map``. Each size is made and mapped in processes of their own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.mapping_memory import in_new_process, peak
from benchmarks.results import record

TARGET = 400
"""MB by which the peaks may differ."""

POINTS = 300


def make(folder: Path, side: int) -> None:
    """Write an elevation model, two further factors and points where the ground is steep."""
    import geopandas
    import numpy as np
    import shapely
    from affine import Affine
    from rasterio.crs import CRS

    from core.raster.grid import Grid
    from core.raster.write import writing

    grid = Grid(side, side, Affine(10, 0, 400_000, 0, -10, 5_200_000), CRS.from_epsg(32633))
    rng = np.random.default_rng(0)
    waves = [(rng.uniform(0.002, 0.05, 2), rng.uniform(0, 6), rng.uniform(5, 60)) for _ in range(12)]
    with (
        writing(folder / f"dem{side}.tif", grid, dtype="float32", nodata=float("nan")) as dem,
        writing(folder / f"rain{side}.tif", grid, dtype="float32", nodata=float("nan")) as rain,
        writing(folder / f"rock{side}.tif", grid, nodata=0) as rock,
    ):
        columns = np.arange(side)
        for row in range(0, side, 512):
            rows = np.arange(row, min(row + 512, side))[:, None]
            parts = (height * np.sin(across * columns + down * rows + turn) for (across, down), turn, height in waves)
            ground = 1000 + sum(parts) + rng.normal(0, 0.3, (len(rows), side))
            dem.write(ground.astype(np.float32), row)
            rain.write((ground * 0.5 + rng.normal(0, 50, ground.shape)).astype(np.float32), row)
            rock.write((1 + (columns // 300 + rows // 300) % 4).astype(np.uint8), row)
    places = 400_000 + rng.uniform(30, 10 * side - 30, POINTS), 5_200_000 - rng.uniform(30, 10 * side - 30, POINTS)
    frame = geopandas.GeoDataFrame(geometry=shapely.points(*places), crs=32633)
    frame.to_file(folder / f"slides{side}.gpkg")


def map_area(folder: Path, side: int, models: tuple[str, ...]) -> tuple[float, float, float]:
    """Map an area; returns MB before, MB at the peak, and seconds."""
    from core.jobs.perform import run_in_process
    from core.runs.store import Store
    from core.tasks.susceptibility.area import FIRST_TERRAIN, AreaPlan, GivenFactor
    from core.tasks.susceptibility.run_map import MapRequest, order_of
    from core.tasks.susceptibility.validate import Plan

    store = Store(folder / f"home{side}")
    dem, rain, rock = (store.add_dataset(folder / f"{name}{side}.tif", name, "raster") for name in
                       ("dem", "rain", "rock"))  # fmt: skip
    slides = store.add_dataset(folder / f"slides{side}.gpkg", "slides", "vector")
    area = AreaPlan(FIRST_TERRAIN, given=(GivenFactor("rain", 0), GivenFactor("rock", 1, "category")))
    request = MapRequest(area, plan=Plan(models, repeats=2), mapped=models)
    before, started = peak(), time.perf_counter()
    run_in_process(store, order_of(request, dem, [rain, rock], slides))
    return before, peak(), time.perf_counter() - started


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=2, default=(1000, 3163), help="sides of the two areas, cells")
    parser.add_argument("--models", nargs="+", default=("logistic_regression",))
    arguments = parser.parse_args()
    figures, peaks = {}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in arguments.sizes:
            in_new_process(make, folder, side)
            before, highest, seconds = in_new_process(map_area, folder, side, tuple(arguments.models))
            peaks.append(highest)
            figures[f"{side**2 / 1e6:.1f} million cells"] = (
                f"{highest:.0f} MB at the peak ({before:.0f} MB before), {seconds:.0f} s"
            )
    difference = peaks[1] - peaks[0]
    record(
        "Susceptibility map",
        "From an elevation model, two further factors and 300 points to the mapped index with its spread over the "
        f"folds: peak resident memory and time, in a fresh process each. Aim: the peaks differ by less than {TARGET} "
        "MB. Factors that need the whole raster (flow accumulation and what follows from it) hold it in memory.",
        {"Models": ", ".join(arguments.models), **figures,
         "Difference": f"{difference:.0f} MB ({'met' if abs(difference) < TARGET else 'missed'})"},
        ("numpy", "rasterio", "scikit-learn"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
