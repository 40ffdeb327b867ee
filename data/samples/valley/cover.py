"""What grows and lies on the ground: forest, grass, rock, scree, gravel, water."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from valley.noise import FloatArray, fractal, smooth_step
from valley.shapes import coverage, normals, ribbon, wobble
from valley.terrain import SPACING, Terrain

# Limestone crags on the ridges: few, grey, some as bright as a landslide.
ROCK_SHARE = 0.015


@dataclass(frozen=True)
class Cover:
    """Natural cover, each layer 0–1 and ``(height, width)`` unless said otherwise.

    Attributes
    ----------
    forest, broadleaf
        Share of trees, and share of broad-leaved ones among them.
    shrub, grass, meadow
        Avalanche tracks and gullies; alpine grass; mown meadow on gentle slopes.
    rock, scree, snow
        Bare ground high up.
    belt, water, brook
        Gravel belt of the river, open water in it, stony beds of side streams.
    moist
        Standardised wetness that shifts the green.
    """

    forest: FloatArray
    broadleaf: FloatArray
    shrub: FloatArray
    grass: FloatArray
    meadow: FloatArray
    rock: FloatArray
    scree: FloatArray
    snow: FloatArray
    belt: FloatArray
    water: FloatArray
    brook: FloatArray
    moist: FloatArray


def river_layers(terrain: Terrain, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Shape the gravel belt and the braided threads of water in it.

    Parameters
    ----------
    terrain
        The carved valley.
    rng
        Source of randomness.

    Returns
    -------
    tuple of numpy.ndarray
        Shares 0–1 of gravel belt (water included) and of water, ``(height, width)``.
    """
    shape = terrain.elevation.shape
    centre = ndimage.gaussian_filter1d(terrain.river[:, ::-1] + 0.5, 8.0, axis=0, mode="nearest")
    length = len(centre)
    half = np.clip(3.2 + 1.5 * wobble(rng, length, 28.0) + 0.6 * wobble(rng, length, 5.0), 1.6, 7.0)
    left = np.clip(half * (1.0 + 0.25 * wobble(rng, length, 12.0)), 1.5, None)
    belt = coverage([ribbon(centre, left, half)], shape)
    sideways = normals(centre)
    threads = []
    for width in (1.35, 0.75, 0.5):
        offset = np.clip(0.55 * wobble(rng, length, 16.0), -0.85, 0.85) * half * 0.8
        line = ndimage.gaussian_filter1d(centre + sideways * offset[:, None], 1.5, axis=0, mode="nearest")
        thread = np.clip(width / 2.0 * (1.0 + 0.3 * wobble(rng, length, 10.0)), 0.15, None)
        threads.append(ribbon(line, thread, thread))
    return belt, coverage(threads, shape)


def _brooks(terrain: Terrain, rng: np.random.Generator) -> FloatArray:
    size = np.log10(terrain.area)
    strength = smooth_step(size, 5.0, 6.6) * (size < 8.0)
    gaps = smooth_step(fractal(rng, terrain.elevation.shape, largest=30.0, smallest=4.0), -1.0, 1.0)
    return np.clip(ndimage.gaussian_filter(strength * gaps, 0.35) * 1.1, 0.0, 0.8)


def _top_share(score: FloatArray, share: float) -> FloatArray:
    limit = float(np.quantile(score, 1.0 - share))
    return smooth_step(score, limit - 4.0, limit + 4.0)


def _scree(terrain: Terrain, rock: FloatArray) -> FloatArray:
    # Stones roll down the line of steepest descent and come to rest after some hundred metres.
    stones = rock.ravel().copy()
    for cells in reversed(terrain.flow.levels[1:]):
        np.maximum.at(stones, terrain.flow.receiver[cells], 0.9 * stones[cells])
    spread = ndimage.gaussian_filter(stones.reshape(rock.shape), 0.9)
    return smooth_step(spread, 0.25, 0.55)


def aspect_to_sun(terrain: Terrain) -> FloatArray:
    """How much the ground leans to the south: the sine of its slope, negative to the north."""
    down, across = np.gradient(ndimage.gaussian_filter(terrain.elevation, 3.0), SPACING)
    # South-facing ground rises to the north, that is against growing rows.
    return -down / np.sqrt(1.0 + down**2 + across**2)


def clothe(terrain: Terrain, rng: np.random.Generator) -> Cover:
    """Cover the valley by elevation, aspect, slope and moisture.

    Parameters
    ----------
    terrain
        The carved valley.
    rng
        Source of randomness.
    """
    shape = terrain.elevation.shape
    belt, water = river_layers(terrain, rng)
    sunny = aspect_to_sun(terrain)
    hollow = ndimage.gaussian_filter(terrain.elevation, 8.0) - terrain.elevation
    wetness = np.log10(terrain.area) + hollow / 25.0 - 1.3 * sunny
    moist = (wetness - wetness.mean()) / wetness.std()
    gentle = ndimage.gaussian_filter(terrain.slope, 2.0)
    patchy = fractal(rng, shape, largest=60.0, smallest=3.0)
    stands = fractal(rng, shape, largest=140.0, smallest=8.0)
    treeline = 1560.0 + 60.0 * patchy - 90.0 * sunny + 50.0 * stands
    forest = smooth_step(terrain.elevation - treeline, 50.0, -60.0)
    rock = _top_share(
        terrain.elevation / 7.0 + 0.9 * terrain.slope + 9.0 * patchy + 9.0 * stands + 12.0 * sunny, ROCK_SHARE
    )
    scree = _scree(terrain, rock) * smooth_step(patchy, -1.4, -0.2)
    shrub = smooth_step(hollow + 4.0 * patchy, 10.0, 22.0) * smooth_step(terrain.elevation, 1000.0, 1500.0)
    open_slope = smooth_step(gentle, 26.0, 18.0) * smooth_step(
        patchy + 0.6 * stands + 0.5 * sunny, 0.75, 1.15
    )
    snow = smooth_step(terrain.elevation + 40.0 * patchy - 160.0 * sunny, 1900.0, 1960.0)
    return Cover(
        forest=forest * (1.0 - 0.9 * terrain.floor * smooth_step(patchy, 0.9, 0.2)),
        broadleaf=smooth_step(terrain.elevation + 170.0 * stands - 160.0 * sunny, 1350.0, 800.0),
        shrub=shrub,
        grass=1.0 - forest,
        meadow=np.maximum(open_slope, 0.0),
        rock=rock,
        scree=scree * (1.0 - rock),
        snow=snow,
        belt=belt,
        water=water,
        brook=_brooks(terrain, rng) * (1.0 - belt),
        moist=moist,
    )
