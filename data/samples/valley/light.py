"""Sunlight on the slopes, the air in between, and the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from valley.noise import FloatArray, fractal
from valley.terrain import SPACING

# Order of the bands everywhere in the valley.
BANDS = ("red", "green", "blue", "near infrared")
SKY_SHARE = (0.15, 0.165, 0.20, 0.09)
PATH_LIGHT = (45.0, 75.0, 125.0, 18.0)


@dataclass(frozen=True)
class Sun:
    """Where the sun stands: degrees above the horizon, degrees clockwise from north."""

    elevation: float
    azimuth: float


def cast_shadow(elevation: FloatArray, sun: Sun, farthest: int | None = None) -> FloatArray:
    """Find what terrain keeps from the sun.

    Parameters
    ----------
    elevation
        Metres, ``(height, width)``.
    sun
        Position of the sun.
    farthest
        Pixels up to which ground is looked at that may cast a shadow; by default as far as the highest could.

    Returns
    -------
    numpy.ndarray
        0 in full shadow to 1 in full sun, ``(height, width)``.
    """
    azimuth = np.radians(sun.azimuth)
    towards = (-np.cos(azimuth), np.sin(azimuth))
    rise = np.tan(np.radians(sun.elevation)) * SPACING
    highest = np.full(elevation.shape, -np.inf)
    reach = min(int(np.ptp(elevation) / rise) + 1, farthest or elevation.size)
    for step in range(1, reach + 1):
        moved = ndimage.shift(
            elevation, (-towards[0] * step, -towards[1] * step), order=1, mode="constant", cval=-1e6
        )
        highest = np.maximum(highest, moved - rise * step)
    # The sun is a disc and a pixel is wide: the edge of a shadow is soft over a few metres.
    return np.clip(0.5 + (elevation - highest) / 8.0, 0.0, 1.0)


def irradiance(elevation: FloatArray, sun: Sun) -> tuple[FloatArray, FloatArray]:
    """Direct light relative to flat ground, and the share of open sky.

    Parameters
    ----------
    elevation
        Metres, ``(height, width)``.
    sun
        Position of the sun.
    """
    surface = ndimage.gaussian_filter(elevation, 0.7)
    down, across = np.gradient(surface, SPACING)
    upright = 1.0 / np.sqrt(1.0 + down**2 + across**2)
    height, azimuth = np.radians(sun.elevation), np.radians(sun.azimuth)
    # The outward normal is (-dz/dx, -dz/dy, 1); rows grow to the south.
    facing = -across * np.sin(azimuth) + down * np.cos(azimuth)
    cosine = upright * (np.sin(height) + np.cos(height) * facing)
    direct = np.clip(cosine, 0.0, None) / np.sin(height) * cast_shadow(elevation, sun)
    return direct, (1.0 + upright) / 2.0


def illuminate(
    reflectance: FloatArray,
    elevation: FloatArray,
    sun: Sun,
    canopy: FloatArray,
    rng: np.random.Generator,
    haze: float,
) -> FloatArray:
    """Turn reflectance of flat ground into what a satellite sees of the slopes.

    Parameters
    ----------
    reflectance
        Times 10 000, ``(4, height, width)`` in the order of `BANDS`.
    elevation
        Metres, ``(height, width)``.
    sun
        Position of the sun.
    canopy
        0–1: tree cover, whose own shadows soften the contrast between slopes.
    rng
        Source of randomness.
    haze
        Strength of the air's own light: 1 on a clear day.
    """
    direct, sky = irradiance(elevation, sun)
    direct = direct ** (1.0 - 0.18 * canopy)
    drift = fractal(rng, elevation.shape, largest=300.0, smallest=120.0, roughness=3.0)
    depth = np.exp(-(elevation - elevation.min()) / 900.0)
    veil = haze * depth * (1.0 + 0.12 * drift)
    bands = [
        layer * ((1.0 - share) * direct + share * sky) + light * veil
        for layer, share, light in zip(reflectance, SKY_SHARE, PATH_LIGHT, strict=True)
    ]
    return np.stack(bands)


def sense(radiance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Blur by the optics and add the noise of the detector.

    Parameters
    ----------
    radiance
        Times 10 000, ``(4, height, width)``.
    rng
        Source of randomness.
    """
    blurred = ndimage.gaussian_filter(radiance, (0.0, 0.55, 0.55))
    noise = rng.standard_normal(radiance.shape) * (4.0 + 0.005 * blurred)
    return blurred + noise
