"""When an accelerating slope would fail: inverse velocity and Saito's three points, with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.kinematics import DAY, Velocities, stretches
from core.series.monitoring import Times, Values
from core.wording import agree, count

FEWEST = 5
"""Velocities that a line through their inverses is laid through, at least."""

GATE = 2.0
"""How many standard errors a velocity has to lie above zero for its inverse to mean something (after Carlà et al. 2017,
doi:10.1007/s10346-016-0731-5)."""

SHORT, LONG = 3, 7
"""Stretches of the short and of the long moving average of velocity whose crossing is the onset of acceleration."""

ALPHA = 2.0
"""Exponent of Voight's law: 2 makes the inverse velocity a line (Fukuzono 1985)."""


@dataclass(frozen=True)
class FailureTime:
    """When a slope would fail if it went on as it does.

    Attributes
    ----------
    onset
        Since when it has accelerated, ``datetime64[ns]``; None where it does not.
    velocities
        Of the stretches, mm a day.
    used
        ``(n,)`` which of them the line is laid through.
    time, earliest, latest
        The failure, and the ends of its 95 % interval (Fieller); None where they do not exist. `latest` alone is None
        where the interval has no end.
    slope, intercept
        Of the line of (1/v)^(alpha - 1) over days since `begin`.
    begin
        From when days are counted.
    alpha
        Voight's exponent.
    reason
        Why there is no time; empty where there is one.
    """

    onset: np.datetime64 | None
    velocities: Velocities
    used: NDArray[np.bool_]
    time: np.datetime64 | None
    earliest: np.datetime64 | None
    latest: np.datetime64 | None
    slope: float
    intercept: float
    begin: np.datetime64 | None
    alpha: float
    reason: str


def failure_time(times: Times, values: Values, days: float, alpha: float = ALPHA) -> FailureTime:
    """Fit the inverse velocity since the onset of acceleration.

    Parameters
    ----------
    times, values
        ``(n,)`` ascending, and mm of cumulative displacement; unknown ones are left out. No later reading than those
        that are given counts.
    days
        Length of the stretches of which velocities are made. They do not overlap, and stand at the middle of their
        readings: velocities at the end of a finite difference are too small near the failure.
    alpha
        Voight's exponent; 2 for Fukuzono's line.

    Notes
    -----
    1/v = [A (alpha - 1) (t_f - t)]^(1/(alpha - 1)): Fukuzono 1985; Voight 1988, doi:10.1038/332125a0. The onset is
    where the short moving average of velocity crosses the long one and stays above it (Carlà et al. 2017). A velocity
    within `GATE` standard errors of zero is left out.
    """
    if not 1 < alpha <= 4:
        raise InputError(f"An exponent of {alpha:g} is out of range.", remedy="Choose 1.1 to 4.")
    found = stretches(times, values, days)
    nothing = np.zeros(len(found.values), np.bool_)

    def without(reason: str, onset: np.datetime64 | None = None, used: NDArray[np.bool_] = nothing) -> FailureTime:
        return FailureTime(onset, found, used, None, None, None, math.nan, math.nan, None, alpha, reason)

    if len(found.values) < LONG + 1:
        return without(
            f"{f'Only {len(found.values)}' if len(found.values) else 'No'} "
            f"{agree(len(found.values) or 1, 'velocity', 'velocities')} over {count(days, 'day', form='g')} "
            f"{agree(len(found.values) or 1, 'is', 'are')} known; {LONG + 1} are needed to detect an acceleration."
        )
    first = onset_of(found.values)
    if first is None:
        return without(
            f"The slope is not accelerating: the mean of its last {SHORT} velocities is not above that of its last "
            f"{LONG}, each over {count(days, 'day', form='.3g')}."
        )
    moments = found.times
    onset = np.datetime64(str(moments[first]))
    since = np.arange(len(moments)) >= first
    used = since & (found.values > GATE * found.errors) & (found.values > 0)
    if (clear := int(used.sum())) < FEWEST:
        return without(
            f"The slope accelerates, but only {clear} of {count(int(since.sum()), 'velocity', 'velocities')} since the "
            f"onset {agree(clear, 'exceeds', 'exceed')} the noise; {FEWEST} are needed.", onset, used,
        )  # fmt: skip
    begin = np.datetime64(str(moments[first]))
    t = (moments[used] - begin) / DAY
    u = (1 / found.values[used]) ** (alpha - 1)
    slope, intercept, covariance = _line(t, u)
    reach = _fieller(slope, intercept, covariance, len(t))
    if slope >= 0 or reach is None:
        return without("The slope accelerates, but its inverse velocity does not decrease linearly.", onset, used)
    last = float((times[np.isfinite(values)][-1] - begin) / DAY)
    at = -intercept / slope
    if at <= last:
        return without("The line reaches zero before the last reading, when the slope had not failed.", onset, used)
    low, high = reach

    def moment(days_on: float) -> np.datetime64:
        return np.datetime64(str(begin + np.timedelta64(round(days_on * 86_400), "s")))

    return FailureTime(
        onset, found, used, moment(at), moment(max(low, last)), None if math.isinf(high) else moment(high), slope,
        intercept, begin, alpha, "",
    )  # fmt: skip


def onset_of(velocity: Values) -> int | None:
    """Where the short moving average of velocity crosses the long one for good.

    Returns
    -------
    int or None
        Number of the velocity; None where the short one is not above the long one at the end.
    """
    n = len(velocity)
    running = np.concatenate([[0.0], np.cumsum(velocity)])

    def mean(size: int) -> Values:
        at = np.arange(1, n + 1)
        begin = np.maximum(0, at - size)
        return np.asarray((running[at] - running[begin]) / (at - begin))

    above = mean(SHORT) > mean(LONG)
    if not above[-1]:
        return None
    below = np.flatnonzero(~above)
    return int(below[-1]) + 1 if len(below) else 0


def _line(t: Values, u: Values) -> tuple[float, float, NDArray[np.float64]]:
    """Least-squares line: slope, intercept, and their covariance (slope first)."""
    design = np.column_stack([t, np.ones(len(t))])
    inverse = np.linalg.inv(design.T @ design)
    slope, intercept = inverse @ design.T @ u
    rest = u - design @ np.array([slope, intercept])
    variance = float(rest @ rest) / max(len(t) - 2, 1)
    return float(slope), float(intercept), np.asarray(inverse * variance)


def _fieller(
    slope: float, intercept: float, covariance: NDArray[np.float64], n: int
) -> tuple[float, float] | None:
    """Ends of the 95 % interval of -intercept/slope; None where the slope may be zero or rise.

    Fieller 1954, doi:10.1111/j.2517-6161.1954.tb00159.x.
    """
    from scipy.stats import t as student

    q = float(student.ppf(0.975, max(n - 2, 1))) ** 2
    a = slope**2 - q * covariance[0, 0]
    b = slope * intercept - q * covariance[0, 1]
    c = intercept**2 - q * covariance[1, 1]
    inner = b * b - a * c
    if a <= 0 or slope >= 0:
        return None
    root = math.sqrt(max(0.0, inner))
    ends = sorted(((-b - root) / a, (-b + root) / a))
    return ends[0], ends[1]


def saito(first: float, second: float, third: float) -> float:
    """Failure time of Saito 1965 from three times between which the slope moved as far each.

    Returns
    -------
    float
        In the unit of the times; NaN where the second stretch was not shorter than the first.
    """
    whole, half = second - first, (third - first) / 2
    return first + whole**2 / 2 / (whole - half) if whole > half else math.nan


def saito_of(times: Times, values: Values, onset: np.datetime64) -> np.datetime64 | None:
    """Saito's failure time of the movement since the onset of acceleration; None where it does not exist.

    The middle one of the three times is where the slope had moved half as far, between readings along a line.
    """
    known = np.isfinite(values) & (times >= onset)
    if int(known.sum()) < FEWEST:
        return None
    t, x = (times[known] - onset) / DAY, np.maximum.accumulate(values[known])
    if not x[-1] > x[0]:
        return None
    middle = float(np.interp((x[0] + x[-1]) / 2, x, t))
    days = saito(float(t[0]), middle, float(t[-1]))
    if math.isnan(days) or days <= t[-1]:
        return None
    return np.datetime64(str(onset + np.timedelta64(round(days * 86_400), "s")))
