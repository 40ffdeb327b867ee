"""Modes of a series: empirical mode decomposition, the same with added noise, and variational mode decomposition.

The modes of each way add up to the series; what variational modes leave is a mode of its own. None of the three has an
out-of-sample form: a mode of the past changes as soon as a value is added.

References
----------
Huang, N. E., et al. (1998). The empirical mode decomposition and the Hilbert spectrum for nonlinear and non-stationary
time series analysis. Proceedings of the Royal Society A 454, 903-995. doi:10.1098/rspa.1998.0193
Torres, M. E., et al. (2011). A complete ensemble empirical mode decomposition with adaptive noise. IEEE ICASSP,
4144-4147. doi:10.1109/ICASSP.2011.5947265
Dragomiretskiy, K., Zosso, D. (2014). Variational mode decomposition. IEEE Transactions on Signal Processing 62,
531-544. doi:10.1109/TSP.2013.2288675
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.series.monitoring import Values

NEAR_A_YEAR = (2 / 3, 3 / 2)
"""Years between which the period of a mode lies to count for the periodic part."""

Modes = NDArray[np.float64]

MOST_MODES = 12
"""Modes that are sifted out, at most, beside what is left."""

SIFTS, SIFTED = 50, 0.05
"""Rounds of sifting of a mode, and the share of its energy that the last one may still take away."""

TRIALS, NOISE = 20, 0.05
"""Series with noise whose first modes are averaged, and the size of the noise in standard deviations of the series."""

VARIATIONAL, PENALTY, ROUNDS, CLOSE = 6, 2000.0, 500, 1e-7
"""Variational modes, weight of their bandwidth, rounds at most, and the change from which on they have converged."""


def emd(values: Values) -> Modes:
    """Empirical mode decomposition.

    Parameters
    ----------
    values
        ``(n,)``, all known.

    Returns
    -------
    ndarray
        ``(modes + 1, n)``: from the quickest mode to the slowest, and last what is left.
    """
    found: list[Values] = []
    left = values.astype(np.float64)
    while len(found) < MOST_MODES:
        mode = _first_mode(left)
        if mode is None:
            break
        found.append(mode)
        left = left - mode
    return np.vstack([*found, left])


def _extremes(values: Values) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Steps of the maxima and the minima; of a level top the first one."""
    steps = np.diff(values)
    moving = np.flatnonzero(steps)
    if len(moving) < 2:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    signs = np.sign(steps[moving])
    turn = np.flatnonzero(signs[:-1] != signs[1:])
    at = moving[turn] + 1
    return at[signs[turn] > 0], at[signs[turn] < 0]


def _first_mode(values: Values) -> Values | None:
    """The quickest mode; None where fewer than three extremes are left."""
    if sum(map(len, _extremes(values))) < 3:
        return None
    mode = values
    for _ in range(SIFTS):
        high, low = _extremes(mode)
        if len(high) + len(low) < 3 or not len(high) or not len(low):
            break
        mean = (_envelope(mode, high) + _envelope(mode, low)) / 2
        energy = float((mode**2).sum())
        mode = mode - mean
        if energy == 0 or float((mean**2).sum()) < SIFTED**2 * energy:
            break
    return mode


def _envelope(values: Values, at: NDArray[np.intp]) -> Values:
    """A cubic spline through extremes, which are mirrored at both ends of the series."""
    from scipy.interpolate import CubicSpline, PchipInterpolator

    count = len(values)
    begin, end = at[:2][::-1], at[-2:][::-1]
    x = np.concatenate([-begin, at, 2 * (count - 1) - end]).astype(np.float64)
    y = np.concatenate([values[begin], values[at], values[end]])
    x, first = np.unique(x, return_index=True)
    y = y[first]
    steps = np.arange(count, dtype=np.float64)
    if len(x) < 2:
        return np.full(count, y[0])
    made = CubicSpline(x, y, bc_type="natural") if len(x) > 3 else PchipInterpolator(x, y)
    return np.asarray(made(steps), np.float64)


def ceemdan(values: Values, trials: int = TRIALS, noise: float = NOISE, seed: int = 0) -> Modes:
    """Complete ensemble empirical mode decomposition with adaptive noise.

    Parameters
    ----------
    values
        ``(n,)``, all known.
    trials, noise
        See `TRIALS`.

    Returns
    -------
    ndarray
        As of `emd`; how many modes there are depends on the series.
    """
    random = np.random.default_rng(seed)
    spread = float(np.std(values)) or 1.0
    noises = [emd(random.standard_normal(len(values))) for _ in range(trials)]
    found: list[Values] = []
    left = values.astype(np.float64)
    while len(found) < MOST_MODES and sum(map(len, _extremes(left))) >= 3:
        size = noise * (spread if not found else float(np.std(left)))
        number = len(found)
        modes = []
        for one in noises:
            added = _scaled(one, number, size)
            first = _first_mode(left + added)
            modes.append(left + added if first is None else first)
        mode = np.mean(modes, axis=0)
        found.append(mode)
        left = left - mode
    return np.vstack([*found, left])


def _scaled(noise: Modes, number: int, size: float) -> Values:
    """White noise first, then its modes; all with the same size."""
    part = noise.sum(axis=0) if number == 0 else noise[min(number - 1, len(noise) - 1)]
    spread = float(np.std(part))
    return np.asarray(part * (size / spread) if spread > 0 else part, np.float64)


def vmd(values: Values, modes: int = VARIATIONAL, penalty: float = PENALTY) -> Modes:
    """Variational mode decomposition, the series mirrored at both ends.

    Parameters
    ----------
    values
        ``(n,)``, all known.
    modes
        How many; the first one is about the frequency 0.
    penalty
        Weight of the bandwidth of a mode.

    Returns
    -------
    ndarray
        ``(modes + 1, n)``: from the slowest to the quickest, and last what they leave.
    """
    count = len(values)
    middle = float(values.mean())
    half = count // 2
    mirrored = np.concatenate([values[:half][::-1], values, values[count - (half + count % 2) :][::-1]]) - middle
    total = len(mirrored)
    spectrum = np.fft.rfft(mirrored)
    frequency = np.fft.rfftfreq(total)
    found = np.zeros((modes, len(frequency)), np.complex128)
    centre = 0.5 * np.arange(modes) / modes
    for _ in range(ROUNDS):
        before = found.copy()
        for one in range(modes):
            others = found.sum(axis=0) - found[one]
            found[one] = (spectrum - others) / (1 + 2 * penalty * (frequency - centre[one]) ** 2)
            power = np.abs(found[one]) ** 2
            if one and power.sum() > 0:
                centre[one] = float((frequency * power).sum() / power.sum())
        change = float((np.abs(found - before) ** 2).sum() / max(float((np.abs(before) ** 2).sum()), 1e-30))
        if change < CLOSE:
            break
    order = np.argsort(centre, kind="stable")
    parts = np.fft.irfft(found[order], total, axis=1)[:, half : half + count]
    parts[0] += middle
    return np.vstack([parts, values - parts.sum(axis=0)])


def period_of(mode: Values) -> float:
    """Usual period of a mode in steps, by how often it crosses its mean; infinite where it crosses once or never."""
    signs = np.sign(mode - mode.mean())
    signs = signs[signs != 0]
    crossings = int((signs[:-1] != signs[1:]).sum())
    return 2 * len(mode) / crossings if crossings > 1 else float("inf")


@dataclass(frozen=True)
class Grouped:
    """Modes by their period: the slow ones and those near a year, both ``(n,)``, and the period of each mode."""

    trend: Values
    periodic: Values
    periods: tuple[float, ...]


def by_period(modes: Modes, year: float, slow: float, *, left_is_slow: bool) -> Grouped:
    """Divide modes into trend, periodic part and the rest.

    Parameters
    ----------
    modes
        As of `emd` or `vmd`: the last one is what the others leave.
    year
        Steps of a year; 0 for no periodic part.
    slow
        Steps of a period beyond which a mode is of the trend where there is no periodic part.
    left_is_slow
        Whether what is left belongs to the trend; else to the rest.
    """
    periods = tuple(period_of(one) for one in modes[:-1])
    low, high = (NEAR_A_YEAR[0] * year, NEAR_A_YEAR[1] * year) if year else (slow, slow)
    trend = modes[-1].copy() if left_is_slow else np.zeros(modes.shape[1])
    periodic = np.zeros(modes.shape[1])
    for one, period in zip(modes, periods, strict=False):
        if period > high:
            trend += one
        elif year and period >= low:
            periodic += one
    return Grouped(trend, periodic, periods)
