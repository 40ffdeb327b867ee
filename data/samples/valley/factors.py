"""What else is known of the valley's ground: bedrock and loose ground, land cover, greenness, rainfall, roads.

Nothing here was used to place the landslides: `valley.landslides` looks at slope, hollows, elevation, aspect and
random clusters alone.
"""

from __future__ import annotations

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from valley.cover import Cover
from valley.noise import FloatArray, fractal, smooth_step
from valley.people import CROPS, Settled
from valley.terrain import Terrain

LITHOLOGY = {1: "granite", 2: "schist", 3: "limestone", 4: "moraine", 5: "alluvium"}
LAND_COVER = {
    1: "coniferous forest", 2: "broad-leaved forest", 3: "shrub", 4: "grassland", 5: "cropland", 6: "bare ground",
    7: "water", 8: "built-up", 9: "clear-cut",
}  # fmt: skip

# Millimetres a year at the valley's floor, and more with each metre of elevation.
RAIN_LOW, RAIN_PER_METRE, RAIN_SPREAD = 980.0, 0.45, 60.0
RAIN_CELLS = 10
"""Cells of the valley along a side of a cell of rainfall."""


def lithology(terrain: Terrain, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Map the rocks: three beds that dip to the south-east and are folded, with loose ground upon them.

    The beds are laid without a look at the surface; moraine lies on gentle ground above the river plain, alluvium on
    the plain.

    Returns
    -------
    numpy.ndarray
        Keys of `LITHOLOGY`, ``(height, width)``.
    """
    shape = terrain.elevation.shape
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]].astype(float)
    folded = 300.0 * fractal(rng, shape, largest=500.0, smallest=20.0, roughness=3.0)
    depth = 0.9 * cols + 1.4 * rows - terrain.elevation / 4.0 + folded
    low, high = np.quantile(depth, (0.36, 0.72))
    rock = np.select([depth < low, depth < high], [3, 2], 1)
    gentle = ndimage.gaussian_filter(terrain.slope, 3.0) + 3.0 * fractal(rng, shape, largest=60.0, smallest=6.0)
    rock = np.where((gentle < 18.0) & (terrain.elevation < 1500.0), 4, rock)
    return np.where(terrain.floor > 0.5, 5, rock).astype(np.uint8)


def land_cover(cover: Cover, settled: Settled) -> NDArray[np.uint8]:
    """Map what covers most of each pixel before the event: keys of `LAND_COVER`, ``(height, width)``."""
    crops = np.stack([settled.parcels[CROPS.index(name)] for name in ("crop", "stubble", "soil")]).sum(axis=0)
    grazed = np.stack([settled.parcels[CROPS.index(name)] for name in ("meadow", "pasture")]).sum(axis=0)
    built = ndimage.gaussian_filter(settled.roofs, 1.0) + settled.road
    classes = np.full(cover.forest.shape, 4, dtype=np.uint8)
    # Later ones lie upon earlier ones, in the order in which they are painted in the images.
    for share, number in (
        (cover.forest, 1), (np.minimum(cover.forest, cover.broadleaf), 2), (cover.shrub, 3), (cover.meadow, 4),
        (cover.scree, 6), (cover.rock, 6), (settled.clearings, 9), (crops, 5), (grazed, 4), (settled.quarry, 6),
        (cover.belt, 6), (cover.water, 7), (2.0 * built, 8),
    ):  # fmt: skip
        classes[share > 0.5] = number
    return classes


def greenness(bands: NDArray[np.generic]) -> FloatArray:
    """Normalized difference vegetation index of red, green, blue and near infrared; ``(height, width)``."""
    red, infrared = bands[0].astype(float), bands[3].astype(float)
    return (infrared - red) / (infrared + red)


def rainfall(elevation: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Mean rainfall in millimetres a year, on cells `RAIN_CELLS` times as large.

    Parameters
    ----------
    elevation
        Metres, without margins.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Rises with the mean elevation of a cell and to the west; the last row and column reach past the valley.
    """
    beyond = [-side % RAIN_CELLS for side in elevation.shape]
    filled = np.pad(elevation, [(0, cells) for cells in beyond], mode="edge")
    height, width = (side // RAIN_CELLS for side in filled.shape)
    mean = filled.reshape(height, RAIN_CELLS, width, RAIN_CELLS).mean(axis=(1, 3))
    west = smooth_step(np.arange(width) / width, 1.0, 0.0)[None, :]
    weather = fractal(rng, (height, width), largest=40.0, smallest=8.0, roughness=3.0)
    return RAIN_LOW + RAIN_PER_METRE * (mean - elevation.min()) + RAIN_SPREAD * (weather + 2.0 * west)


def road_lines(settled: Settled, placed: Affine, bounds: tuple[float, float, float, float]) -> list[shapely.Geometry]:
    """The main road, then each track, in coordinates of `placed` to the decimetre and within bounds."""
    matrix = [placed.a, placed.b, placed.d, placed.e, placed.c, placed.f]
    laid = [shapely.affinity.affine_transform(shapely.LineString(line), matrix) for line in settled.lines]
    return [shapely.set_precision(shapely.clip_by_rect(line, *bounds), 0.1) for line in laid]


def distance_to(lines: list[shapely.Geometry], transform: Affine, shape: tuple[int, int]) -> FloatArray:
    """Metres from the middle of each pixel to the nearest line, ``(height, width)``.

    The lines are taken at points at most a metre apart, so a distance is too long by 0.5 m at most, and by 0.03 m from
    5 m on.
    """
    points = shapely.get_coordinates([shapely.segmentize(line, 1.0) for line in lines])
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    x, y = transform @ (cols.ravel(), rows.ravel())
    return cKDTree(points).query(np.column_stack([x, y]))[0].reshape(shape)


def as_text(classes: dict[int, str]) -> str:
    """Classes for a tag of a file, such as ``"1 granite, 2 schist"``."""
    return ", ".join(f"{number} {name}" for number, name in classes.items())

