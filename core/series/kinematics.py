"""Velocity and acceleration of a station, and the classes that velocities are known by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import Times, Values

Side = Literal["past", "centred"]

FEWEST = 3
"""Readings that a velocity is made of, at least."""

LONGEST_GAP = 5.0
"""How many times the usual spacing readings of one window may lie apart."""

DAY = np.timedelta64(1, "D")

CLASSES: tuple[tuple[str, float], ...] = (
    ("extremely slow", 16 / 365.25),
    ("very slow", 1_600 / 365.25),
    ("slow", 13_000 / 30.44),
    ("moderate", 1_800 * 24.0),
    ("rapid", 3_000 * 60 * 24.0),
    ("very rapid", 5_000 * 86_400.0),
    ("extremely rapid", float("inf")),
)
"""Names of velocities and up to which each reaches, mm a day: 16 mm/year, 1.6 m/year, 13 m/month, 1.8 m/hour,
3 m/minute, 5 m/s (Cruden and Varnes 1996)."""


@dataclass(frozen=True)
class Velocities:
    """Velocities of a station.

    Attributes
    ----------
    times
        ``(n,)`` of the last reading of each window (past), or of its middle (centred).
    values, errors
        ``(n,)`` mm a day, and their standard errors; NaN where a window has too few readings or a gap.
    """

    times: Times
    values: Values
    errors: Values


def class_of(velocity: float) -> str:
    """Class of a velocity in mm a day by Cruden and Varnes 1996; its sign does not count."""
    return next(name for name, most in CLASSES if abs(velocity) < most or most == float("inf"))


def usual_spacing(times: Times) -> float:
    """Median spacing of times, days; NaN for fewer than two."""
    return float(np.median(np.diff(times) / DAY)) if len(times) > 1 else float("nan")


def velocities(times: Times, values: Values, days: float, side: Side = "past") -> Velocities:
    """Slope of a least-squares line through the readings of a moving window.

    Parameters
    ----------
    times, values
        ``(n,)`` ascending, and mm; unknown values (NaN) are left out.
    days
        Length of the window. A window that holds readings further apart than `LONGEST_GAP` times the usual spacing, or
        fewer than `FEWEST`, gives no velocity.
    side
        ``"past"``: of the readings up to each one, so that no later reading counts; ``"centred"``: around each one.

    Raises
    ------
    InputError
        When the window has no length.
    """
    if not days > 0:
        raise InputError("A velocity requires a window of several days.", remedy="Choose a longer window.")
    known = np.isfinite(values)
    times, x = times[known], values[known]
    if len(x) < FEWEST:
        empty = np.empty(0)
        return Velocities(times[:0], empty, empty)
    t = (times - times[0]) / DAY
    half = days / 2
    low, high = (t - days, t) if side == "past" else (t - half, t + half)
    first = np.searchsorted(t, low - 1e-9, side="left")
    last = np.searchsorted(t, high + 1e-9, side="right")
    slope, error = _lines(t, x, first, last)
    spacing = usual_spacing(times)
    long_gap = np.concatenate([[0], np.cumsum(np.diff(t) > LONGEST_GAP * spacing)])
    crossed = long_gap[last - 1] > long_gap[first]
    # A window that the series does not fill at least by half says little of its length.
    short = (t[last - 1] - t[first]) < days / 2 - 1e-9
    unknown = crossed | short
    return Velocities(times, np.where(unknown, np.nan, slope), np.where(unknown, np.nan, error))


def _lines(
    t: Values, x: Values, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[Values, Values]:
    """Slope of the line through each stretch of readings and its standard error, from running sums."""
    t0, x0 = t - t.mean(), x - x.mean()

    def total(of: Values) -> Values:
        running = np.concatenate([[0.0], np.cumsum(of)])
        return np.asarray(running[last] - running[first])

    n = (last - first).astype(np.float64)
    st, sx, stt, stx, sxx = (total(one) for one in (t0, x0, t0 * t0, t0 * x0, x0 * x0))
    with np.errstate(invalid="ignore", divide="ignore"):
        spread, shared, height = stt - st * st / n, stx - st * sx / n, sxx - sx * sx / n
        slope = shared / spread
        rest = np.maximum(0.0, height - slope * shared) / np.maximum(n - 2, 1)
        error = np.sqrt(rest / spread)
    usable = (n >= FEWEST) & (spread > 1e-9)
    return np.where(usable, slope, np.nan), np.where(usable, error, np.nan)


def stretches(times: Times, values: Values, days: float) -> Velocities:
    """Velocities of stretches that do not overlap, counted back from the last reading, at their middles.

    Parameters
    ----------
    times, values, days
        As of `velocities`.

    Returns
    -------
    Velocities
        Only of stretches with `FEWEST` readings or more, without a long gap. Their errors do not depend on each other.
    """
    known = np.isfinite(values)
    times, x = times[known], values[known]
    if len(x) < FEWEST:
        return Velocities(times[:0], np.empty(0), np.empty(0))
    t = (times - times[0]) / DAY
    number = np.floor((t[-1] - t) / days + 1e-9).astype(np.int64)
    spacing = usual_spacing(times)
    made: list[tuple[float, float, float]] = []
    for one in range(int(number.max()), -1, -1):
        at = np.flatnonzero(number == one)
        if len(at) < FEWEST or np.diff(t[at]).max(initial=0.0) > LONGEST_GAP * spacing:
            continue
        slope, error = _lines(t[at], x[at], np.array([0]), np.array([len(at)]))
        if np.isfinite(slope[0]):
            made.append((float(t[at].mean()), float(slope[0]), float(error[0])))
    middle, slope, error = (np.array(one) for one in zip(*made, strict=True)) if made else (np.empty(0),) * 3
    moments = times[:1] + np.round(middle * 86_400).astype("timedelta64[s]")
    return Velocities(moments.astype("datetime64[ns]"), slope, error)
