"""Random fields that every part of the valley draws its irregularity from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def fractal(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    largest: float,
    smallest: float = 2.0,
    roughness: float = 2.0,
) -> FloatArray:
    """Make a Gaussian random field with a power-law spectrum.

    Parameters
    ----------
    rng
        Source of randomness.
    shape
        ``(height, width)`` of the field.
    largest, smallest
        Longest and shortest wavelength in pixels; the spectrum is cut outside them.
    roughness
        Exponent of the power spectrum: 2 is rugged, 3 is smooth.

    Returns
    -------
    numpy.ndarray
        Field ``(height, width)`` of mean 0 and standard deviation 1.
    """
    # The field is drawn on a larger canvas, because a Fourier field repeats at its own edges.
    canvas = (shape[0] + shape[0] // 2, shape[1] + shape[1] // 2)
    frequency = np.hypot(np.fft.fftfreq(canvas[0])[:, None], np.fft.rfftfreq(canvas[1])[None, :])
    frequency[0, 0] = np.inf
    amplitude = frequency ** (-roughness / 2.0 - 0.5)
    amplitude *= 1.0 / (1.0 + (1.0 / (largest * frequency)) ** 4)
    amplitude *= np.exp(-((frequency * smallest / 2.0) ** 2))
    amplitude[0, 0] = 0.0
    white = np.fft.rfft2(rng.standard_normal(canvas))
    field = np.fft.irfft2(white * amplitude, s=canvas)[: shape[0], : shape[1]]
    return (field - field.mean()) / field.std()


def ridged(rng: np.random.Generator, shape: tuple[int, int], *, largest: float) -> FloatArray:
    """Make a field in 0–1 whose crests are sharp, like mountain ridges.

    Parameters
    ----------
    rng
        Source of randomness.
    shape
        ``(height, width)``.
    largest
        Longest wavelength in pixels.
    """
    total = np.zeros(shape)
    weight = 1.0
    for octave in range(4):
        wavelength = largest / 2**octave
        layer = 1.0 - np.abs(fractal(rng, shape, largest=wavelength, smallest=wavelength / 3.0)) / 2.5
        total += weight * np.clip(layer, 0.0, 1.0) ** 2
        weight *= 0.45
    return (total - total.min()) / np.ptp(total)


def smooth_step(values: FloatArray, low: float, high: float) -> FloatArray:
    """Rise smoothly from 0 at `low` to 1 at `high` (falls when `high` < `low`)."""
    position = np.clip((values - low) / (high - low), 0.0, 1.0)
    return position * position * (3.0 - 2.0 * position)
