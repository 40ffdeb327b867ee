"""Make folders to train detectors on, from synthetic valleys other than the one that ships.

Run ``python data/samples/make_training.py --out FOLDER``. It writes, in the shape that training descriptions expect
(``images`` and ``masks`` paired by the number in the name):

- ``velocity/{train,tune,validation}``: patches of line-of-sight velocity, one signed band in mm/year, nodata -9999,
  from an ascending and a descending orbit; masks of the slow-moving landslides that show,
- ``relief/{train,tune,validation}``: patches of hillshade, slope and position on the slope, 8-bit, nodata 0, of the
  ground before the event; masks of the event's landslides,
- ``scenes/valley-SEED``: of each validation valley the whole image after the event, its elevation, its relief and its
  inventory, on which optical and terrain detectors are run to fuse their boxes.

All of a valley lies in one part: patches of one place are alike, and would tell a model what it is asked. No seed is
that of the sample.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import rasterio
from make_valley import SEED, Valley, build, observe, survey
from numpy.typing import NDArray
from rasterio.windows import Window
from rasterio.windows import transform as moved
from valley.files import (
    CRS,
    NODATA,
    NOTE,
    TRANSFORM,
    crop,
    to_elevation,
    to_reflectance,
    to_velocity,
    write_inventory,
    write_raster,
)
from valley.landslides import Landslide
from valley.light import BANDS
from valley.shapes import coverage
from valley.velocity import ASCENDING, Sight

PATCH = 128
TRAIN, TUNE, VALIDATION = (1, 2, 3, 4, 5, 6), (51, 52), (101, 102, 103, 104)
ORBITS = (ASCENDING, Sight(heading=192.0))


def mask_of(slides: tuple[Landslide, ...], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """1 where a landslide covers at least half of a pixel, without margins."""
    return crop(coverage([slide.outline for slide in slides], shape) >= 0.5).astype(np.uint8)


def write_patches(
    folder: Path, first: int, image: NDArray[np.generic], mask: NDArray[np.uint8], nodata: float, names: tuple[str, ...]
) -> None:
    """Cut an image and its mask into patches that do not overlap.

    Parameters
    ----------
    folder
        Gets ``images`` and ``masks``.
    first
        Number of the first patch.
    image
        ``(bands, height, width)``.
    mask
        ``(height, width)``.
    nodata
        Value of the image that means no observation.
    names
        One for each band.
    """
    height, width = mask.shape
    corners = [(row, col) for row in range(0, height - PATCH + 1, PATCH) for col in range(0, width - PATCH + 1, PATCH)]
    for number, (row, col) in enumerate(corners, start=first):
        part = np.s_[row : row + PATCH, col : col + PATCH]
        place = moved(Window(col, row, PATCH, PATCH), TRANSFORM)
        for kind, values, empty in (("image", image[(slice(None), *part)], nodata), ("mask", mask[part][None], None)):
            path = folder / f"{kind}s" / f"{kind}_{number}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            with rasterio.open(
                path, "w", driver="GTiff", width=PATCH, height=PATCH, count=len(values), dtype=values.dtype, crs=CRS,
                transform=place, nodata=empty, compress="deflate",
            ) as target:  # fmt: skip
                target.write(values)
                target.update_tags(NOTE=NOTE)
                if kind == "image":
                    target.descriptions = names


def relief_of(elevation: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Hillshade, slope and position, as SlideLens itself makes them of an elevation model."""
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from rasterio.crs import CRS as System

    from core.raster.grid import Grid
    from core.raster.relief import relief_image

    height, width = elevation.shape
    return relief_image(elevation.astype(np.float64), Grid(width, height, TRANSFORM, System.from_string(CRS)))


def write_scene(folder: Path, valley: Valley, seed: int, relief: NDArray[np.uint8]) -> None:
    """Write image, elevation, relief and inventory of a whole valley."""
    folder.mkdir(parents=True, exist_ok=True)
    tags = {"SEED": str(seed)}
    write_raster(folder / "after.tif", crop(to_reflectance(observe(valley, seed, later=True))), BANDS, 0, tags)
    write_raster(
        folder / "dem.tif", crop(to_elevation(valley.terrain.elevation))[None], ("elevation",), NODATA, tags
    )
    write_raster(folder / "relief.tif", relief, ("hillshade", "slope", "position"), 0, tags)
    write_inventory(folder / "inventory.gpkg", valley.slides)


def make_one(out: Path, part: str, seed: int) -> str:
    """Build one valley and write all that is made of it."""
    valley = build(seed)
    shape = valley.terrain.elevation.shape
    relief = relief_of(crop(to_elevation(valley.terrain.elevation)))
    slides = mask_of(valley.slides, shape)
    write_patches(out / "relief" / part, seed * 1000, relief, slides, 0, ("hillshade", "slope", "position"))
    for orbit, sight in enumerate(ORBITS):
        seen = survey(valley, seed, sight)
        mask = mask_of(tuple(area.slide for area in seen.areas if area.shows), shape)
        velocity = crop(to_velocity(seen.velocity))[None]
        write_patches(out / "velocity" / part, seed * 1000 + 500 * orbit, velocity, mask, NODATA, ("velocity",))
    if part == "validation":
        write_scene(out / "scenes" / f"valley-{seed}", valley, seed, relief)
    return f"{part}: valley {seed}, {len(valley.slides)} landslides"


def main() -> None:
    """Make all parts, several valleys at a time."""
    parser = argparse.ArgumentParser(description="Make folders to train detectors on, from synthetic valleys.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, nargs="*", default=TRAIN, help="seeds of the valleys to fit on")
    parser.add_argument("--tune", type=int, nargs="*", default=TUNE, help="seeds of those that choose the epoch")
    parser.add_argument("--validation", type=int, nargs="*", default=VALIDATION, help="seeds of those kept out")
    parser.add_argument("--jobs", type=int, default=2, help="valleys made at a time")
    arguments = parser.parse_args()
    parts = {"train": arguments.train, "tune": arguments.tune, "validation": arguments.validation}
    seeds = [seed for of in parts.values() for seed in of]
    if SEED in seeds or len(set(seeds)) < len(seeds):
        parser.error("Every valley belongs to one part, and the sample that ships to none.")
    with ProcessPoolExecutor(arguments.jobs) as pool:
        made = [pool.submit(make_one, arguments.out, part, seed) for part, of in parts.items() for seed in of]
        for one in made:
            print(one.result(), flush=True)


if __name__ == "__main__":
    main()
