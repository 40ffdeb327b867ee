"""How movement goes with what was measured before it, and with the months of the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import RegularSeries, Values, steps_per_year, unit_of_step
from core.series.windows import averaged, changed, summed
from core.wording import count

FEWEST = 10
"""Pairs that a correlation is made of, at least."""

MOST_LAGS = 400

SHIFTS, FEW_SHIFTS = 399, 20
"""Shifts of a series from which the band of chance is found, at most and at least."""

LONG = 20_000
"""Steps of a series beyond which a quarter of the shifts has to do."""

BAND = 0.95
"""Share of the shifts that stay within the band at all lags."""

KNOWN_SHARE = 0.8
"""Share of the steps of a month that have to be known for its movement to be known."""

_BLOCK = 4_096


@dataclass(frozen=True)
class LagCorrelation:
    """Correlation of the movement of a step with a driver at earlier steps.

    Attributes
    ----------
    lags
        ``(k,)`` steps from the end of the driver's window to the step that moves, from 0.
    correlations
        ``(k,)``; NaN where fewer than `FEWEST` pairs are known or one of the two does not vary.
    counts
        ``(k,)`` pairs.
    chance
        Absolute correlation that `BAND` of the shifted series do not exceed at any lag; NaN where the series is too
        short for `FEW_SHIFTS` shifts.
    shifts
        How many there were.
    what
        What of the driver is compared, such as ``"rain, sum of 3"``.
    """

    lags: NDArray[np.int64]
    correlations: Values
    counts: NDArray[np.int64]
    chance: float
    shifts: int
    what: str

    @property
    def strongest(self) -> int | None:
        """The lag of the largest absolute correlation; None where none is known."""
        if not np.isfinite(self.correlations).any():
            return None
        return int(self.lags[np.nanargmax(np.abs(self.correlations))])


def movements(series: RegularSeries) -> Values:
    """``(n,)`` mm from the step before to each; NaN at the first and where one of the two was filled."""
    return changed(np.where(series.filled, np.nan, series.displacements), 1)


def lag_correlation(
    series: RegularSeries, driver: str, longest: int, window: int = 1, *, ranks: bool = False, less_season: bool = False
) -> LagCorrelation:
    """Correlate the movement of each step with a driver at 0 to `longest` steps before.

    Rain counts as its sum over `window` steps, a level as its change over them, all else as its mean. The band of
    chance is from the series itself: the movement is shifted against the driver around the ends of the series, by more
    steps than any lag, so that both keep their own memory and season. What two series with a season have in common by
    that alone lies within the band. Shifts by nearly the same number of steps are alike: the band is approximate.

    Parameters
    ----------
    driver
        Name of a driver of the series.
    longest, window
        Steps.
    ranks
        Of the values' ranks (Spearman) in place of the values (Pearson).
    less_season
        Of what is left when the mean of each calendar month is taken from both; two years at least.

    Raises
    ------
    InputError
        When there is no such driver, lags or window are out of range, or too little is known.
    """
    if driver not in series.drivers:
        raise InputError(f"{series.name} has no driver {driver!r}.",
                         remedy=f"Drivers: {', '.join(series.drivers) or 'none'}.")  # fmt: skip
    most = min(MOST_LAGS, len(series) // 2)
    if not 0 <= longest <= most or not 1 <= window <= most:
        raise InputError(f"Lags of up to {count(longest, 'step')} and a window of {window:,} cannot be compared.",
                         remedy=f"Choose lags and a window of up to {count(most, 'step')} each.")  # fmt: skip
    x, what = _of(series, driver, window)
    y = movements(series)
    if less_season:
        if len(series) < 2 * series.steps_per_year:
            raise InputError("A series shorter than two years has no season that could be removed.",
                             remedy="Compare the values without removing the season.")  # fmt: skip
        month = series.times.astype("datetime64[M]").astype(np.int64) % 12
        x, y = _less_means(x, month), _less_means(y, month)
    x, y = (_ranked(one) for one in (x, y)) if ranks else (x, y)
    if min(np.isfinite(x).sum(), np.isfinite(y).sum()) < FEWEST:
        raise InputError(f"Fewer than {FEWEST} steps of {driver} or of the displacement of {series.name} are known.",
                         remedy="Choose another driver or a longer step.")  # fmt: skip
    found, counts = _correlations(x, y, longest, np.zeros(1, np.int64))
    away = shifts_of(len(series), longest + window)
    chance = float("nan")
    if len(away) >= FEW_SHIFTS:
        others, _ = _correlations(x, y, longest, away)
        highest = np.where(np.isfinite(others), np.abs(others), 0.0).max(axis=0)
        chance = float(np.quantile(highest, BAND, method="higher"))
    return LagCorrelation(np.arange(longest + 1), found[:, 0], counts[:, 0], chance, len(away), what)


def _of(series: RegularSeries, driver: str, window: int) -> tuple[Values, str]:
    """What of a driver is compared, and how it is called."""
    number, unit = unit_of_step(series.step)
    span = count(window * number, unit)
    match series.quantities[driver]:
        case "rain":
            return summed(series.drivers[driver], window), f"{driver}, sum of {span}"
        case "level" | "groundwater":
            return changed(series.drivers[driver], window), f"{driver}, change in {span}"
        case _:
            return averaged(series.drivers[driver], window), f"{driver}, mean of {span}"


def shifts_of(count: int, least: int) -> NDArray[np.int64]:
    """Steps by which a series is shifted: more than `least` in both directions, evenly apart, none twice."""
    most = SHIFTS if count <= LONG else SHIFTS // 4
    room = np.arange(least + 1, count - least)
    if len(room) <= most:
        return room
    return room[np.linspace(0, len(room) - 1, most).astype(np.int64)]


def _correlations(
    x: Values, y: Values, longest: int, shifts: NDArray[np.int64]
) -> tuple[Values, NDArray[np.int64]]:
    """``(lags, shifts)`` correlations of y at t with x at t - lag, y shifted around the ends, and their pairs."""
    count, lags = len(x), np.arange(longest + 1)[:, None]
    x, y = x - np.nanmean(x), y - np.nanmean(y)
    known_x, known_y = np.isfinite(x), np.isfinite(y)
    x, y = np.where(known_x, x, 0.0), np.where(known_y, y, 0.0)
    n, sx, sy, sxx, syy, sxy = (np.zeros((longest + 1, len(shifts))) for _ in range(6))
    for begin in range(0, count, _BLOCK):
        at = np.arange(begin, min(begin + _BLOCK, count))
        back = at - lags
        there = np.where(back >= 0, known_x[back], False).astype(np.float64)
        value = np.where(back >= 0, x[back], 0.0)
        turned = (at[:, None] + shifts) % count
        here, moved = known_y[turned].astype(np.float64), y[turned]
        n += there @ here
        sx += value @ here
        sxx += value**2 @ here
        sy += there @ moved
        syy += there @ moved**2
        sxy += value @ moved
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (sxx - sx**2 / n) * (syy - sy**2 / n)
        found = (sxy - sx * sy / n) / np.sqrt(spread)
    least = 1e-20 * max(1e-300, float((x**2).sum() * (y**2).sum()))
    usable = (n >= FEWEST) & (spread > least)
    return np.where(usable, np.clip(found, -1, 1), np.nan), np.round(n).astype(np.int64)


def _ranked(values: Values) -> Values:
    """Ranks among the known values; NaN stays."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, nan_policy="omit"), dtype=np.float64)


def _less_means(values: Values, month: NDArray[np.int64]) -> Values:
    """Values less the mean of their calendar month."""
    known = np.isfinite(values)
    number = np.bincount(month[known], minlength=12)
    total = np.bincount(month[known], values[known], 12)
    with np.errstate(invalid="ignore"):
        return np.asarray(values - (total / number)[month])


@dataclass(frozen=True)
class SeasonalProfile:
    """Movement of the months of the year.

    Attributes
    ----------
    years, months, moved
        ``(k,)`` of each calendar month whose movement is known: its year, its month (1 to 12) and mm.
    means, spreads
        ``(12,)`` mm: mean over the years, and sample standard deviation; NaN where there is none (one year for a
        spread).
    counts
        ``(12,)`` years.
    """

    years: NDArray[np.int64]
    months: NDArray[np.int64]
    moved: Values
    means: Values
    spreads: Values
    counts: NDArray[np.int64]


def seasonal_profile(series: RegularSeries) -> SeasonalProfile:
    """Mean movement of each calendar month over the years.

    The movement of a month is the mean of its known steps times the number of steps it has; it is known where
    `KNOWN_SHARE` of them are. A step counts for the month in which it ends.

    Raises
    ------
    InputError
        When a step is longer than a month, or no month is known.
    """
    if steps_per_year(series.step) < 12:
        raise InputError("Steps longer than a month have no monthly profile.", remedy="Choose a shorter step.")
    step = movements(series)
    month = series.times.astype("datetime64[M]")
    begins, number = np.unique(month, return_inverse=True)
    known = np.isfinite(step)
    have = np.bincount(number[known], minlength=len(begins))
    expected = np.ones(len(begins))
    if series.step != "month":
        days = ((begins + 1).astype("datetime64[D]") - begins.astype("datetime64[D]")).astype(np.float64)
        expected = days * series.steps_per_year / 365.25
    enough = have >= KNOWN_SHARE * np.maximum(1, np.floor(expected))
    if not enough.any():
        raise InputError(f"{series.name} has no month with enough known values.", remedy="Choose another station.")
    total = np.bincount(number[known], step[known], len(begins))
    moved = (total[enough] / have[enough]) * expected[enough]
    since = begins[enough].astype(np.int64)
    of_year = since % 12
    counts = np.bincount(of_year, minlength=12)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(of_year, moved, 12) / counts
        squares = np.bincount(of_year, (moved - means[of_year]) ** 2, 12)
        spreads = np.where(counts > 1, np.sqrt(squares / (counts - 1)), np.nan)
    return SeasonalProfile(since // 12 + 1970, of_year + 1, moved, means, spreads, counts)
