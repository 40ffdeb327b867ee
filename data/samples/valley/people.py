"""What people left in the valley: parcels, hedges, roads, villages, a quarry, clear-cuts.

Most of it is bare or bright and lies where a colour threshold takes it for a landslide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from valley.noise import FloatArray, fractal, smooth_step
from valley.shapes import coverage, line_to_ribbon
from valley.terrain import MARGIN, Terrain

CROPS = ("meadow", "crop", "stubble", "soil", "pasture")


@dataclass(frozen=True)
class Settled:
    """Cover by people, each 0–1 and ``(height, width)``.

    Attributes
    ----------
    parcels
        One layer for each of `CROPS`, before the event; ``(5, height, width)``.
    parcels_later
        The same some weeks later, when more is harvested and ploughed.
    hedges, road, track, roofs, quarry
        Share of the pixel.
    clearings
        Clear-cuts in the forest.
    lines
        x, y ``(n, 2)`` along the middle of the main road, then of each track, in pixels of the grid with margins.
    """

    parcels: FloatArray
    parcels_later: FloatArray
    hedges: FloatArray
    road: FloatArray
    track: FloatArray
    roofs: FloatArray
    quarry: FloatArray
    clearings: FloatArray
    lines: tuple[FloatArray, ...]


def _parcels(land: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    shape = land.shape
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    turn = 0.5 * fractal(rng, shape, largest=400.0, smallest=150.0, roughness=3.0)
    # Parcels are long and narrow, and their grain turns slowly along the valley.
    across = (-np.sin(turn) * cols + np.cos(turn) * rows) / 5.5
    along = (np.cos(turn) * cols + np.sin(turn) * rows) / 12.0
    places = np.stack([across.ravel(), along.ravel()], axis=1)
    low, high = places.min(axis=0), places.max(axis=0)
    seeds = rng.uniform(low, high, (int(np.prod(high - low)), 2))
    distance, nearest = cKDTree(seeds).query(places, k=2)
    owner = nearest[:, 0].reshape(shape)
    border = (distance[:, 1] - distance[:, 0]).reshape(shape)
    first = rng.choice(5, size=len(seeds), p=[0.30, 0.15, 0.15, 0.15, 0.25])
    later = np.where((first == 1) & (rng.random(len(seeds)) < 0.6), 2, first)
    later = np.where((first == 2) & (rng.random(len(seeds)) < 0.7), 3, later)
    hedged = rng.random(len(seeds))[owner] < 0.45
    hedges = land * hedged * smooth_step(border, 0.22, 0.05)
    layers = [np.stack([land * (crop[owner] == kind) for kind in range(5)]) for crop in (first, later)]
    return layers[0], layers[1], hedges


def _cheapest_path(cost: FloatArray, start: tuple[int, int], end: tuple[int, int]) -> FloatArray:
    # Roads look for gentle ground; every second pixel is fine enough for that.
    coarse = ndimage.zoom(cost, 0.5, order=1)
    height, width = coarse.shape
    index = np.arange(coarse.size).reshape(coarse.shape)
    ends: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    for row, col in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = index[: height - row, max(0, -col) : width - max(0, col)].ravel()
        b = index[row:, max(0, col) : width + min(0, col)].ravel()
        ends.append((a, b, np.hypot(row, col) * (coarse.ravel()[a] + coarse.ravel()[b]) / 2.0))
    first, second, weight = (np.concatenate(part) for part in zip(*ends, strict=True))
    graph = coo_matrix((weight, (first, second)), shape=(coarse.size, coarse.size)).tocsr()
    source = int(index[start[0] // 2, start[1] // 2])
    _, before = dijkstra(graph, directed=False, indices=source, return_predecessors=True)
    path = [int(index[end[0] // 2, end[1] // 2])]
    while path[-1] != source:
        path.append(int(before[path[-1]]))
    rows, cols = np.divmod(np.array(path), width)
    line = np.stack([2.0 * cols + 1.0, 2.0 * rows + 1.0], axis=1)
    return ndimage.gaussian_filter1d(line, 1.2, axis=0, mode="nearest")


def _roads(
    terrain: Terrain, belt: FloatArray, villages: list[tuple[int, int]]
) -> tuple[FloatArray, ...]:
    gentle = ndimage.gaussian_filter(terrain.slope, 1.5)
    cost = 1.0 + (gentle / 9.0) ** 2 + 60.0 * ndimage.gaussian_filter((belt > 0.05).astype(float), 1.5)
    width = terrain.elevation.shape[1]
    ends = []
    for col in (4, width - 5):
        rows = np.nonzero(terrain.floor[:, col] > 0.4)[0]
        ends.append((int(rows[np.argmin(cost[rows, col])]), col))
    main = _cheapest_path(cost, ends[0], ends[1])
    lines = [main]
    for place in villages:
        nearest = main[int(np.argmin(np.hypot(main[:, 0] - place[1], main[:, 1] - place[0])))]
        lines.append(_cheapest_path(cost, (int(nearest[1]), int(nearest[0])), place))
    return tuple(line for line in lines if len(line) > 2)


def _village_places(terrain: Terrain, belt: FloatArray, rng: np.random.Generator) -> list[tuple[int, int]]:
    gentle = smooth_step(ndimage.gaussian_filter(terrain.slope, 4.0), 17.0, 9.0)
    chance = (
        gentle * (ndimage.maximum_filter(belt, 9) < 0.01) * smooth_step(terrain.elevation, 1350.0, 1100.0)
    )
    chance[: MARGIN + 12] = chance[-MARGIN - 12 :] = 0.0
    chance[:, : MARGIN + 12] = chance[:, -MARGIN - 12 :] = 0.0
    places: list[tuple[int, int]] = []
    for cell in rng.choice(chance.size, size=400, p=(chance / chance.sum()).ravel()):
        row, col = divmod(int(cell), chance.shape[1])
        if all(np.hypot(row - r, col - c) > 75.0 for r, c in places):
            places.append((row, col))
        if len(places) == 8:
            break
    return places


def _roofs(places: list[tuple[int, int]], shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    houses: list[BaseGeometry] = []
    for row, col in places:
        count = int(rng.integers(12, 55))
        spread = 1.2 * np.sqrt(count)
        offsets = rng.normal(0.0, spread / 1.6, (count, 2))
        for x, y in offsets:
            angle = rng.uniform(0.0, 180.0)
            size = rng.uniform(0.6, 1.5, 2)
            house = shapely.box(-size[0] / 2, -size[1] / 2, size[0] / 2, size[1] / 2)
            house = shapely.affinity.rotate(house, angle)
            houses.append(shapely.affinity.translate(house, col + x, row + y))
    return coverage(houses, shape)


def _patches(
    chance: FloatArray, count: int, sizes: tuple[float, float], rng: np.random.Generator, *, rough: float
) -> list[BaseGeometry]:
    made: list[BaseGeometry] = []
    for cell in rng.choice(chance.size, size=count, p=(chance / chance.sum()).ravel()):
        row, col = divmod(int(cell), chance.shape[1])
        corners = int(rng.integers(5, 9))
        angles = np.sort(
            rng.uniform(0.0, 2.0 * np.pi, corners) * 0.35 + np.linspace(0.0, 2.0 * np.pi, corners)
        )
        radii = rng.uniform(*sizes) * (1.0 + rough * rng.uniform(-1.0, 1.0, corners))
        points = np.stack(
            [col + radii * np.cos(angles) * rng.uniform(0.8, 1.5), row + radii * np.sin(angles)], axis=1
        )
        made.append(shapely.convex_hull(shapely.multipoints(points)))
    return made


def settle(terrain: Terrain, belt: FloatArray, rng: np.random.Generator) -> Settled:
    """Lay out parcels, roads and villages where the ground allows.

    Parameters
    ----------
    terrain
        The carved valley.
    belt
        0–1: the gravel belt of the river, kept free.
    rng
        Source of randomness.
    """
    shape = terrain.elevation.shape
    gentle = ndimage.gaussian_filter(terrain.slope, 2.5)
    taste = fractal(rng, shape, largest=90.0, smallest=15.0)
    terrace = smooth_step(gentle + 3.0 * taste, 15.0, 12.0) * smooth_step(terrain.elevation, 1250.0, 1150.0)
    floor = smooth_step(gentle + 1.5 * taste, 13.0, 10.0) * terrain.floor
    dry = ndimage.maximum_filter(belt, 3) < 0.02
    land = np.maximum(floor, terrace) * dry
    parcels, later, hedges = _parcels((land > 0.5).astype(float), rng)
    villages = _village_places(terrain, belt, rng)
    lines = _roads(terrain, belt, villages)
    road = line_to_ribbon(lines[0], 0.48)
    track = shapely.union_all([line_to_ribbon(line, 0.3) for line in lines[1:]])
    near_floor = smooth_step(terrain.slope, 18.0, 30.0) * smooth_step(terrain.elevation, 800.0, 680.0)
    near_floor *= ndimage.maximum_filter(terrain.floor, 21) > 0.3
    woods = smooth_step(terrain.slope, 8.0, 16.0) * smooth_step(terrain.slope, 34.0, 28.0) * (land < 0.1)
    woods *= smooth_step(terrain.elevation, 1400.0, 1300.0)
    quarry = coverage(_patches(near_floor + 1e-12, 3, (4.0, 7.5), rng, rough=0.25), shape)
    clearings = coverage(_patches(woods + 1e-12, 70, (2.0, 7.0), rng, rough=0.3), shape)
    return Settled(
        parcels=parcels,
        parcels_later=later,
        hedges=hedges,
        road=coverage([road], shape),
        track=coverage([track], shape),
        roofs=_roofs(villages, shape, rng),
        quarry=quarry * (1.0 - belt),
        clearings=clearings,
        lines=lines,
    )
