"""Make the synthetic sample valley that ships with SlideLens.

Run ``python data/samples/make_valley.py``: it writes ``valley_before.tif``, ``valley_after.tif``,
``valley_dem.tif``, ``valley_inventory.gpkg``, ``valley_velocity.tif`` and ``valley_moving.gpkg`` beside itself. The
same seed gives the same valley.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from valley.cover import Cover, clothe
from valley.files import (
    NODATA,
    crop,
    to_elevation,
    to_reflectance,
    to_velocity,
    write_inventory,
    write_moving,
    write_raster,
)
from valley.landslides import Landslide, draw_areas, make_landslides
from valley.light import BANDS, Sun, illuminate, sense
from valley.noise import FloatArray
from valley.paint import MATCHED, Colour, Texture, make_texture, paint
from valley.people import Settled, settle
from valley.terrain import Terrain, make_terrain
from valley.velocity import ASCENDING, Sight, VelocityMap, make_velocity

SEED = 20240917
SLIDE_COUNT = 80
SCAR_COUNT = 34
BEFORE = Sun(elevation=47.0, azimuth=158.0)
AFTER = Sun(elevation=42.0, azimuth=164.0)


@dataclass(frozen=True)
class Valley:
    """Everything that stays the same between the two dates, and the event between them."""

    terrain: Terrain
    cover: Cover
    settled: Settled
    texture: Texture
    scars: tuple[Landslide, ...]
    slides: tuple[Landslide, ...]


def build(seed: int) -> Valley:
    """Build the valley; each part has a random stream of its own, so that one can be tuned alone."""
    streams = [np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(6)]
    terrain = make_terrain(streams[0])
    cover = clothe(terrain, streams[1])
    settled = settle(terrain, cover.belt, streams[2])
    texture = make_texture(streams[3], terrain.elevation.shape)
    slides = make_landslides(terrain, draw_areas(streams[4], SLIDE_COUNT), streams[4], rock=cover.rock)
    taken = tuple(slide.outline for slide in slides)
    old_areas = draw_areas(streams[5], SCAR_COUNT)
    scars = make_landslides(terrain, old_areas, streams[5], rock=cover.rock, avoid=taken)
    return Valley(terrain, cover, settled, texture, scars, slides)


def observe(valley: Valley, seed: int, *, later: bool, palette: dict[str, Colour] | None = None) -> FloatArray:
    """See the valley from above, in the colours of the season or others: ``(4, height, width)`` with margins."""
    rng = np.random.default_rng([seed, int(later)])
    slides = valley.slides if later else ()
    ground = paint(valley.cover, valley.settled, valley.texture, valley.scars, slides, rng, later=later,
                   palette=palette)  # fmt: skip
    sun, haze = (AFTER, 1.0) if later else (BEFORE, 1.25)
    canopy = valley.cover.forest * (ground[3] / np.maximum(ground[0], 1.0) > 4.0)
    seen = illuminate(ground, valley.terrain.elevation, sun, canopy, rng, haze)
    return sense(seen, rng)


def survey(valley: Valley, seed: int, sight: Sight = ASCENDING) -> VelocityMap:
    """See how fast the ground moves along a line of sight, over some years that include the event."""
    rng = np.random.default_rng([seed, 2])
    return make_velocity(valley.terrain, valley.cover, valley.settled, valley.slides, rng, sight=sight)


def write_survey(valley: Valley, seed: int, folder: Path) -> None:
    """Write the velocity map and the moving areas that it can show."""
    seen = survey(valley, seed)
    shown = tuple(area for area in seen.areas if area.shows)
    tags = {"SEED": str(seed), "INCIDENCE": str(ASCENDING.incidence), "HEADING": str(ASCENDING.heading)}
    tags |= {"UNITS": "mm/year", "SIGN": "negative away from the satellite"}
    tags |= {"MOVING_AREAS": str(len(seen.areas)), "MOVING_AREAS_THAT_SHOW": str(len(shown))}
    write_raster(folder / "valley_velocity.tif", crop(to_velocity(seen.velocity)[None]), ("velocity",), NODATA, tags)
    write_moving(folder / "valley_moving.gpkg", shown)


def main() -> None:
    """Write the six files of the valley."""
    parser = argparse.ArgumentParser(description="Make the synthetic sample valley.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    valley = build(arguments.seed)
    dates = (("valley_before", False, BEFORE, None), ("valley_after", True, AFTER, MATCHED))
    for name, later, sun, palette in dates:
        tags = {"SEED": str(arguments.seed)}
        tags |= {"SUN_ELEVATION": str(sun.elevation), "SUN_AZIMUTH": str(sun.azimuth)}
        bands = to_reflectance(observe(valley, arguments.seed, later=later, palette=palette))
        write_raster(arguments.out / f"{name}.tif", crop(bands), BANDS, 0, tags)
    height = to_elevation(valley.terrain.elevation)[None]
    write_raster(
        arguments.out / "valley_dem.tif", crop(height), ("elevation",), NODATA, {"SEED": str(arguments.seed)}
    )
    write_inventory(arguments.out / "valley_inventory.gpkg", valley.slides)
    write_survey(valley, arguments.seed, arguments.out)


if __name__ == "__main__":
    main()
