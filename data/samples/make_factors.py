"""Make the factor rasters and the roads of the synthetic sample valley.

Run ``python data/samples/make_factors.py`` after `make_valley.py`: it writes ``valley_lithology.tif``,
``valley_land_cover.tif``, ``valley_ndvi.tif``, ``valley_rainfall.tif``, ``valley_roads.gpkg`` and
``valley_road_distance.tif`` beside itself. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from make_valley import SEED, Valley, build
from rasterio.transform import array_bounds
from valley.factors import (
    LAND_COVER,
    LITHOLOGY,
    RAIN_CELLS,
    as_text,
    distance_to,
    greenness,
    land_cover,
    lithology,
    rainfall,
    road_lines,
)
from valley.files import CRS, NODATA, TRANSFORM, crop, write_raster
from valley.terrain import HEIGHT, MARGIN, WIDTH

NOTE = "Synthetic: computed by data/samples/make_factors.py, no real place. CC0-1.0"
STREAM = 3
"""Number of the random stream, after those of the two dates and of the velocity map."""


def write_ground(valley: Valley, rng: np.random.Generator, folder: Path, tags: dict[str, str]) -> None:
    """Write lithology and land cover."""
    for name, classes, values in (
        ("lithology", LITHOLOGY, lithology(valley.terrain, rng)),
        ("land_cover", LAND_COVER, land_cover(valley.cover, valley.settled)),
    ):
        write_raster(
            folder / f"valley_{name}.tif", crop(values)[None], (name.replace("_", " "),), 0,
            tags | {"CLASSES": as_text(classes)}, overviews="mode",
        )  # fmt: skip


def write_climate(rng: np.random.Generator, folder: Path, tags: dict[str, str]) -> None:
    """Write greenness before the event and rainfall, from the images and elevations that ship."""
    with rasterio.open(folder / "valley_before.tif") as file:
        index = np.rint(greenness(file.read()) * 128.0) / 128.0
    write_raster(folder / "valley_ndvi.tif", index.astype(np.float32)[None], ("NDVI",), NODATA, tags)
    with rasterio.open(folder / "valley_dem.tif") as file:
        rain = np.rint(rainfall(file.read(1).astype(float), rng)).astype(np.float32)
    write_raster(
        folder / "valley_rainfall.tif", rain[None], ("rainfall",), NODATA, tags,
        transform=TRANSFORM @ Affine.scale(RAIN_CELLS), unit="mm/year",
    )  # fmt: skip


def write_roads(valley: Valley, folder: Path, tags: dict[str, str]) -> None:
    """Write the roads and the distance to them."""
    bounds = array_bounds(HEIGHT, WIDTH, TRANSFORM)
    lines = road_lines(valley.settled, TRANSFORM @ Affine.translation(-MARGIN, -MARGIN), bounds)
    table = gpd.GeoDataFrame(
        {
            "id": np.arange(1, len(lines) + 1),
            "class": ["main road", *["track"] * (len(lines) - 1)],
            "length_m": np.round(shapely.length(lines), 1),
            "origin": "synthetic",
        },
        geometry=lines,
        crs=CRS,
    )
    (folder / "valley_roads.gpkg").unlink(missing_ok=True)
    table.to_file(folder / "valley_roads.gpkg", layer="roads", driver="GPKG")
    metres = np.rint(distance_to(lines, TRANSFORM, (HEIGHT, WIDTH))).astype(np.uint16)
    write_raster(
        folder / "valley_road_distance.tif", metres[None], ("distance to roads",), np.iinfo(np.uint16).max, tags,
        unit="m",
    )  # fmt: skip


def write_factors(valley: Valley, folder: Path) -> None:
    """Write the six files into a folder that holds the image before the event and the elevations."""
    rng, tags = np.random.default_rng([SEED, STREAM]), {"NOTE": NOTE, "SEED": str(SEED)}
    write_ground(valley, rng, folder, tags)
    write_climate(rng, folder, tags)
    write_roads(valley, folder, tags)


def main() -> None:
    """Build the valley again and write the six files."""
    parser = argparse.ArgumentParser(description="Make the factors of the synthetic sample valley.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    write_factors(build(SEED), parser.parse_args().out)


if __name__ == "__main__":
    main()
