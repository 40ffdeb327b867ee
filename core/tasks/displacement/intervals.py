"""Intervals around forecasts from the errors that a model has made before: conformal prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.series.monitoring import Values
from core.tasks.displacement.problem import Steps

Intervals = Literal["adaptive", "split"]

LEVEL = 0.9
"""Share of the measurements that intervals are to hold."""

RATE = 0.02
"""How fast adaptive intervals follow: the step of Gibbs and Candès."""


def fewest(level: float = LEVEL) -> int:
    """Errors that an interval needs at least: 9 for one of 90 %."""
    return math.ceil(level / (1 - level) - 1e-9)


def half_width(errors: Values, level: float = LEVEL) -> float:
    """Half the width of an interval: the smallest error that is as large as a share `level` of n + 1.

    Parameters
    ----------
    errors
        ``(n,)`` absolute errors, mm.

    Returns
    -------
    float
        NaN where there are too few.

    Notes
    -----
    Split conformal prediction: Lei et al. 2018, doi:10.1080/01621459.2017.1307116.
    """
    known = np.sort(np.abs(errors[np.isfinite(errors)]))
    rank = math.ceil((len(known) + 1) * level - 1e-9)
    if level >= 1 or not 1 <= rank <= len(known):
        return math.nan
    return float(known[rank - 1])


def split_widths(calibration: Values, count: int, level: float = LEVEL) -> Values:
    """``(count,)`` one half width for all forecasts, from the errors of the training part."""
    return np.full(count, half_width(calibration, level))


def adaptive_widths(
    calibration: Values, origins: Steps, errors: Values, horizon: int, level: float = LEVEL
) -> Values:
    """``(n,)`` half widths that grow after misses and shrink after hits.

    Parameters
    ----------
    calibration
        Absolute errors on the training part, mm.
    origins
        ``(n,)``, ascending.
    errors
        ``(n,)`` errors on the test part, mm; NaN where nothing is scored. That of an origin counts from the origin on
        at which its target is known, `horizon` steps later.

    Notes
    -----
    Adaptive conformal inference: Gibbs and Candès 2021, arXiv:2106.00170.
    """
    known = list(np.abs(calibration[np.isfinite(calibration)]))
    miss, widths, done = 1 - level, np.full(len(origins), np.nan), 0
    for at, origin in enumerate(origins):
        while done < at and origins[done] + horizon <= origin:
            if np.isfinite(errors[done]):
                missed = bool(abs(errors[done]) > widths[done]) if np.isfinite(widths[done]) else False
                miss = min(0.5, max(0.001, miss + RATE * ((1 - level) - missed)))
                known.append(abs(float(errors[done])))
            done += 1
        pool = np.asarray(known)
        widths[at] = half_width(pool, 1 - miss)
        if math.isnan(widths[at]) and len(pool) >= fewest(level):
            widths[at] = float(pool.max())
    return widths


@dataclass(frozen=True)
class Coverage:
    """How many measurements intervals held.

    Attributes
    ----------
    share
        Of the scored forecasts with an interval; NaN without any.
    n
        Their number.
    plausible
        Whether the share that was aimed at lies in the 95 % interval of the measured one (Clopper and Pearson 1934);
        None without any.
    """

    share: float
    n: int
    plausible: bool | None


def coverage(errors: Values, widths: Values, level: float = LEVEL) -> Coverage:
    """Count how many measurements lie within intervals; see `Coverage`."""
    from scipy.stats import binomtest

    known: NDArray[np.bool_] = np.isfinite(errors) & np.isfinite(widths)
    n = int(known.sum())
    if not n:
        return Coverage(math.nan, 0, None)
    held = int((np.abs(errors[known]) <= widths[known]).sum())
    low, high = binomtest(held, n).proportion_ci(0.95, method="exact")
    return Coverage(held / n, n, bool(low <= level <= high))
