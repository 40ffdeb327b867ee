"""Terrain: noise carved by rivers until valleys branch and drain, then a river plain laid in.

The carving solves the stream-power law dz/dt = U - K A^m S implicitly from the outlet upwards
(Braun and Willett 2013, doi:10.1016/j.geomorph.2012.10.008), with slopes limited by the strength
of the rock and hillslopes smoothed by creep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from valley.flow import Flow, IndexArray, fill_depressions, route
from valley.noise import FloatArray, fractal, ridged, smooth_step

SPACING = 10.0
MARGIN = 48
WIDTH, HEIGHT = 768, 512
AREA_EXPONENT = 0.45
UPLIFT_PER_EROSION = 75.0
INFLOW_M2 = 2.6e8
BASE_LEVEL = 505.0
FLOOR_FILL = 42.0


@dataclass(frozen=True)
class Terrain:
    """The carved surface and what its water does, margins included.

    Attributes
    ----------
    elevation
        Metres, ``(height, width)``.
    area
        Drainage area in m².
    flow
        Steepest-descent routing of `elevation`.
    river
        Rows and columns ``(n, 2)`` of the main river, from inflow to outlet.
    floor
        0–1: how much a cell belongs to the river plain.
    slope
        Degrees.
    """

    elevation: FloatArray
    area: FloatArray
    flow: Flow
    river: FloatArray
    floor: FloatArray
    slope: FloatArray


@dataclass(frozen=True)
class _Bounds:
    inflow: int
    outlets: IndexArray
    levels: FloatArray


def _valley_axis(columns: FloatArray, height: int) -> FloatArray:
    phase = columns / columns.max()
    return height * (0.62 + 0.10 * np.sin(2.0 * np.pi * (phase * 1.15 + 0.1)) - 0.05 * phase)


def _bounds(shape: tuple[int, int]) -> _Bounds:
    height, width = shape
    axis = _valley_axis(np.arange(width, dtype=float), height)
    main = int(axis[0]) * width
    inflow = int(axis[-1]) * width + width - 1
    north = [int(width * 0.30), int(width * 0.83)]
    south = (height - 1) * width + int(width * 0.55)
    outlets = np.array([main, *north, south], dtype=np.int64)
    return _Bounds(inflow, outlets, np.array([BASE_LEVEL, 980.0, 1060.0, 1010.0]))


def _first_surface(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    height, width = shape
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    away = np.abs(rows - _valley_axis(np.arange(width, dtype=float), height)[None, :]) / height
    surface = BASE_LEVEL + 90.0 * columns / width + 900.0 * smooth_step(away, 0.0, 0.45)
    surface += 900.0 * (ridged(rng, shape, largest=width / 3.0) - 0.35) * smooth_step(away, 0.02, 0.25)
    return surface + 90.0 * fractal(rng, shape, largest=width / 6.0) * smooth_step(away, 0.0, 0.1)


def _bend(elevation: FloatArray, rng: np.random.Generator, amount: float, largest: float) -> FloatArray:
    # Carving alone leaves side valleys straight; real ones bend around structures of the rock.
    rows, columns = np.mgrid[0 : elevation.shape[0], 0 : elevation.shape[1]].astype(float)
    shift = [
        amount * fractal(rng, elevation.shape, largest=largest, smallest=largest / 4.0) for _ in range(2)
    ]
    return ndimage.map_coordinates(elevation, [rows + shift[0], columns + shift[1]], order=3, mode="nearest")


def _carve(
    elevation: FloatArray,
    rock: tuple[FloatArray, FloatArray],
    spacing: float,
    steps: int,
    erosion: float,
    rng: np.random.Generator,
) -> FloatArray:
    steepest, erodibility = rock[0].ravel(), rock[1].ravel()
    bounds = _bounds(elevation.shape)
    rain = np.full(elevation.size, spacing**2)
    rain[bounds.inflow] += INFLOW_M2
    creep = 0.10 if spacing > SPACING else 0.09
    for step in range(steps):
        if step % 4 == 0:
            elevation.ravel()[bounds.outlets] = bounds.levels
            elevation = fill_depressions(elevation, bounds.outlets)
        # A little roughness keeps the eight flow directions from showing as straight lines.
        rough = elevation + rng.normal(0.0, 0.02 * spacing, elevation.shape)
        flow = route(
            fill_depressions(rough, bounds.outlets) if step % 4 == 0 else rough, bounds.outlets, spacing
        )
        area = flow.accumulate(rain)
        factor = erosion * erodibility * area**AREA_EXPONENT / flow.distance
        height = elevation.ravel() + UPLIFT_PER_EROSION * erosion
        height[bounds.outlets] = bounds.levels
        for cells in flow.levels[1:]:
            below = height[flow.receiver[cells]]
            carved = (height[cells] + factor[cells] * below) / (1.0 + factor[cells])
            height[cells] = np.minimum(carved, below + steepest[cells] * flow.distance[cells])
        elevation = height.reshape(elevation.shape)
        elevation = elevation + creep * ndimage.laplace(elevation, mode="nearest")
    return elevation


def _enlarge(field: FloatArray, shape: tuple[int, int]) -> FloatArray:
    return ndimage.zoom(
        field, (shape[0] / field.shape[0], shape[1] / field.shape[1]), order=3, mode="nearest"
    )


def _trace(flow: Flow, start: int, width: int) -> FloatArray:
    path = [start]
    while flow.receiver[path[-1]] != path[-1]:
        path.append(int(flow.receiver[path[-1]]))
    return np.stack(np.divmod(np.array(path), width), axis=1).astype(float)


def _lay_floor(
    elevation: FloatArray, river: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    line = ndimage.gaussian_filter1d(river, 14.0, axis=0, mode="nearest")
    rows, columns = np.clip(np.rint(line).astype(int).T, 0, np.array(elevation.shape)[:, None] - 1)
    bed = np.minimum.accumulate(ndimage.gaussian_filter1d(elevation[tuple(river.astype(int).T)], 10.0))
    level = np.full(elevation.shape, np.nan)
    level[rows, columns] = bed
    distance, nearest = ndimage.distance_transform_edt(np.isnan(level), return_indices=True)
    plain = ndimage.gaussian_filter(level[tuple(nearest)], 6.0) + FLOOR_FILL
    plain += 0.012 * distance * SPACING + 1.2 * fractal(rng, elevation.shape, largest=80.0)
    above = elevation - plain
    softness = 9.0
    filled = plain + softness * np.logaddexp(0.0, above / softness)
    floor = smooth_step(filled - plain, 14.0, 4.0) * smooth_step(distance, 75.0, 55.0)
    return np.where(distance < 90, filled, elevation), floor


def make_terrain(rng: np.random.Generator) -> Terrain:
    """Carve the valley from coarse to fine.

    Parameters
    ----------
    rng
        Source of randomness.
    """
    shape = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN)
    hardness = np.clip(0.72 + 0.14 * fractal(rng, shape, largest=160.0, smallest=6.0), 0.38, 1.25)
    erodibility = np.exp(0.6 * fractal(rng, shape, largest=120.0, smallest=10.0, roughness=1.5))
    elevation = _first_surface(rng, (shape[0] // 4, shape[1] // 4))
    for divisor, steps, erosion in ((4, 85, 0.16), (2, 34, 0.10), (1, 18, 0.06)):
        size = (shape[0] // divisor, shape[1] // divisor)
        if elevation.shape != size:
            elevation = _enlarge(elevation, size)
            elevation += 1.5 * divisor * fractal(rng, size, largest=24.0)
            elevation = _bend(elevation, rng, 14.0 / divisor, 120.0 / divisor)
        rock = (_enlarge(hardness, size), _enlarge(erodibility, size))
        elevation = _carve(elevation, rock, SPACING * divisor, steps, erosion, rng)
    bounds = _bounds(shape)
    flow = route(fill_depressions(elevation, bounds.outlets), bounds.outlets, SPACING)
    river = _trace(flow, bounds.inflow, shape[1])
    elevation, floor = _lay_floor(elevation, river, rng)
    elevation += 1.6 * fractal(rng, shape, largest=16.0, smallest=2.5) * (1.0 - 0.85 * floor)
    flow = route(fill_depressions(elevation, bounds.outlets), bounds.outlets, SPACING)
    rain = np.full(elevation.size, SPACING**2)
    rain[bounds.inflow] += INFLOW_M2
    area = flow.accumulate(rain).reshape(shape)
    down, across = np.gradient(ndimage.gaussian_filter(elevation, 0.8), SPACING)
    slope = np.degrees(np.arctan(np.hypot(down, across)))
    return Terrain(elevation, area, flow, river, floor, slope)
