"""Trend, periodic part and rest of a series on a regular step; they add up to it.

A decomposition of a whole series is for looking at it: its trend at a step rests on readings after that step too. For
a forecast it has to be made anew of the past at every origin; `carried_on` says how such a past goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import RegularSeries, Times, Values
from core.wording import agree

Method = Literal["moving_average", "polynomial", "loess", "stl", "emd", "ceemdan", "vmd"]

METHODS: dict[Method, str] = {
    "moving_average": "Moving average", "polynomial": "Polynomial", "loess": "LOESS", "stl": "STL", "emd": "EMD",
    "ceemdan": "CEEMDAN", "vmd": "VMD",
}  # fmt: skip

MODES: tuple[Method, ...] = ("emd", "ceemdan", "vmd")
"""Ways by modes; see `core.series.modes`."""

MOST_STEPS: dict[Method, int] = {"emd": 20_000, "ceemdan": 5_000, "vmd": 20_000}
"""Steps of a series that is divided into modes."""


LONGEST = 30
"""Steps of a window where there is no season to smooth over."""

ROUNDS = 20
"""How often trend and periodic part are told apart anew, at most."""

FEWEST = 8
"""Known steps of a series that can be decomposed."""

YEARS = 2.0
"""Years of a series from which a periodic part can be told from a trend."""

FEW_YEARS = 5.0
"""Years below which a periodic part is said to hold noise as well."""

Trend = Callable[[Values], Values]
"""From ``(n,)`` values, NaN where unknown, to the ``(n,)`` trend of them, known everywhere."""


@dataclass(frozen=True)
class How:
    """How a trend is found.

    Attributes
    ----------
    method
        ``"moving_average"`` of the known values of a window around each step; ``"polynomial"`` of time;
        ``"loess"``, lines fitted locally (Cleveland 1979, doi:10.1080/01621459.1979.10481038); ``"stl"``, LOESS of
        trend and periodic part in turn (Cleveland et al. 1990, J. Official Statistics 6, 3-73); ``"emd"``,
        ``"ceemdan"`` or ``"vmd"``, modes by their period, see `core.series.modes`.
    degree
        Of the polynomial, 1 to 5.
    window
        Steps of the moving average or of LOESS; 0 for a year, or for a quarter of the series (`LONGEST` steps at most)
        where it is shorter than `YEARS`.
    """

    method: Method = "stl"
    degree: int = 3
    window: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"Unknown decomposition method {str(self.method)[:30]!r}.",
                             remedy=f"Choose one of {', '.join(METHODS)}.")  # fmt: skip
        if not 1 <= self.degree <= 5 or self.window < 0 or self.window in (1, 2):
            raise InputError("The degree or the window of the trend is out of range.",
                             remedy="Choose a degree of 1 to 5 and a window of at least 3 steps (0: default).")


@dataclass(frozen=True)
class Parts:
    """The parts of a series.

    Attributes
    ----------
    times
        ``(n,)`` beginnings of the steps.
    trend, periodic
        ``(n,)`` mm, known at every step; the periodic part is 0 where there is none.
    rest
        ``(n,)`` mm; NaN at steps that were filled. Where it is known the three add up to the displacement.
    window
        Steps that the trend was smoothed over; 0 for a polynomial.
    notes
        What was assumed or left out.
    """

    times: Times
    trend: Values
    periodic: Values
    rest: Values
    window: int
    notes: tuple[str, ...]


def decomposed_series(series: RegularSeries, how: How) -> Parts:
    """Divide a series into trend, periodic part and rest.

    Filled steps count as unknown but for STL and modes, which need a value at each and take what they are filled with.
    Of modes those with a period near a year are the periodic part, slower ones and what sifting leaves the trend, and
    quicker ones the rest; without a season those slower than a usual window are the trend. The periodic part of the
    other methods is the mean of what the trend leaves at each step of the year, at steps shorter than a month smoothed
    over a month; trend and periodic part are told apart in turn until they stay.

    Raises
    ------
    InputError
        When fewer than `FEWEST` steps are known, the window is longer than the series, or STL is asked of a series of
        fewer than `YEARS` years or of steps longer than half a year.
    """
    known = ~series.filled
    count, year = len(series), round(series.steps_per_year)
    if known.sum() < FEWEST:
        steps = agree(int(known.sum()), "step", "steps")
        raise InputError(f"{series.name} has {known.sum()} known {steps}; {FEWEST} are needed for a decomposition.",
                         remedy="Choose a shorter step or another station.")  # fmt: skip
    seasonal = has_season(series)
    if how.window > count:
        raise InputError(f"A window of {how.window:,} steps is longer than the {count:,} steps of {series.name}.",
                         remedy="Choose a shorter window.")  # fmt: skip
    notes = [] if how.method == "stl" else _told_season(series, seasonal)
    window = 0 if how.method in ("polynomial", *MODES) else how.window or usual_window(count, year if seasonal else 0)
    if how.method == "stl":
        trend, periodic = _stl(series, seasonal, notes)
        window = 0
    elif how.method in MODES:
        trend, periodic = _by_modes(series, how.method, seasonal, notes)
    else:
        values = np.where(known, series.displacements, np.nan)
        phase = phases(series) if seasonal else None
        trend, periodic = told_apart(values, trend_by(how, window), phase, month=max(1, round(year / 12)))
    rest = np.where(known, series.displacements - trend - periodic, np.nan)
    gaps = int(series.filled.sum())
    if gaps:
        whole = how.method == "stl" or how.method in MODES
        way = f"filled by linear interpolation for {METHODS[how.method]}" if whole else "left out"
        they, their = agree(gaps, "it is", "they are"), agree(gaps, "its", "their")
        notes.append(
            f"{gaps:,} of {count:,} steps {agree(gaps, 'has', 'have')} no value: {they} {way}, and {their} remainder "
            "is unknown."
        )
    return Parts(series.times, trend, periodic, rest, window, tuple(notes))


def has_season(series: RegularSeries) -> bool:
    """Whether a periodic part can be told from a trend: `YEARS` years, and steps of half a year or shorter."""
    return len(series) >= YEARS * series.steps_per_year >= 2 * YEARS


def phases(series: RegularSeries) -> NDArray[np.int64]:
    """``(n,)`` number of the step of the year, from 0, by the calendar: it does not drift over the years."""
    year = series.times.astype("datetime64[Y]")
    length = (year + 1).astype("datetime64[ns]") - year.astype("datetime64[ns]")
    share = (series.times - year.astype("datetime64[ns]")) / length
    if series.step == "month":
        return np.asarray(series.times.astype("datetime64[M]").astype(np.int64) % 12)
    return np.asarray((share * round(series.steps_per_year)).astype(np.int64))


def usual_window(count: int, year: int) -> int:
    """Steps of a window: a year where there is a season (`year` above 0), else a quarter of the series, at most `LONGEST`."""  # noqa: E501
    return year or max(3, min(LONGEST, count // 4))


def trend_by(how: How, window: int) -> Trend:
    """What finds the trend of values."""
    match how.method:
        case "polynomial":
            return lambda values: polynomial(values, how.degree)
        case "loess":
            return lambda values: loess(values, window)
        case _:
            return lambda values: averaged_over(values, window)


def told_apart(values: Values, trend_of: Trend, phase: NDArray[np.int64] | None, month: int = 1) -> tuple[Values, Values]:  # noqa: E501
    """Trend and periodic part, each found of what the other leaves.

    Parameters
    ----------
    values
        ``(n,)`` mm; NaN where unknown.
    phase
        ``(n,)`` number of the step of the year; None for no periodic part.
    month
        Steps over which the periodic part is smoothed, 1 for none.
    """
    trend, periodic = trend_of(values), np.zeros(len(values))
    if phase is None:
        return trend, periodic
    for _ in range(ROUNDS):
        before = periodic
        periodic = yearly_means(values - trend, phase, month)[phase]
        trend = trend_of(values - periodic)
        if np.abs(periodic - before).max() < 1e-6 * max(1e-3, float(np.ptp(periodic))):
            break
    return trend, periodic


def yearly_means(left: Values, phase: NDArray[np.int64], month: int = 1) -> Values:
    """Mean of each step of the year, their own mean zero; steps of the year without a value are interpolated.

    Parameters
    ----------
    left
        ``(n,)`` mm; NaN where unknown.
    phase
        ``(n,)`` number of the step of the year, from 0.
    month
        Steps over which the means are smoothed, around the turn of the year too.
    """
    known = np.isfinite(left)
    size = int(phase.max()) + 1
    number = np.asarray(np.bincount(phase[known], minlength=size), np.float64)
    total = np.asarray(np.bincount(phase[known], left[known], size), np.float64)
    near, summed = (_around(number, month), _around(total, month)) if month > 1 else (number, total)
    have = np.flatnonzero(near > 0.5)
    means = np.interp(np.arange(size), have, summed[have] / near[have], period=size)
    return np.asarray(means - means.mean())


def _around(values: Values, window: int) -> Values:
    """Sums over a window of a ring."""
    half = window // 2
    ring = np.concatenate([values[len(values) - half :], values, values[:half]])
    total = np.concatenate([[0.0], np.cumsum(ring)])
    return np.asarray(total[2 * half + 1 :] - total[: len(values)])


def averaged_over(values: Values, window: int) -> Values:
    """``(n,)`` means over a window around each step.

    Parameters
    ----------
    values
        ``(n,)``; NaN where unknown.
    window
        Steps; of an even number the first and the last of one more count by half, so that a year of twelve months
        leaves no trace of a season. In gaps over what of it is known; where nothing is, interpolated. Within half a
        window of both ends there is no whole window: there it is a line through the first or the last one.
    """
    half, count = window // 2, len(values)
    known = np.isfinite(values)
    weight = 0.5 if window % 2 == 0 else 1.0
    at = np.arange(count)

    def total(of: Values) -> Values:
        running = np.concatenate([[0.0], np.cumsum(of)])
        inner = running[np.minimum(at + half, count)] - running[np.maximum(at - half + 1, 0)]
        padded = np.pad(of, half)
        return np.asarray(inner + weight * (padded[:count] + padded[2 * half :]))

    number = total(known.astype(np.float64))
    sums = total(np.where(known, values, 0.0))
    have = np.flatnonzero(number > 0.25)
    found = np.interp(at, have, sums[have] / number[have])
    begin, end = at[: min(window, count)], at[-min(window, count) :]
    for ends, near in ((begin[:half], begin), (end[len(end) - half :], end)):
        if known[near].sum() > 2:
            found[ends] = np.polynomial.Polynomial.fit(near[known[near]], values[near[known[near]]], 1)(ends)
    return found


def polynomial(values: Values, degree: int) -> Values:
    """``(n,)`` least-squares polynomial of time through the known values; of a lower degree where these are few."""
    return np.asarray(_curve(values, degree)(np.arange(len(values))))


def loess(values: Values, window: int) -> Values:
    """``(n,)`` lines fitted locally over so many steps; in gaps interpolated."""
    from statsmodels.nonparametric.smoothers_lowess import lowess

    at = np.arange(len(values), dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    share = min(1.0, max(window * len(known) / len(values), 4.0) / len(known))
    found = lowess(values[known], at[known], share, it=0, delta=0.03 * window, return_sorted=False)
    return np.asarray(np.interp(at, known, found))


def _stl(series: RegularSeries, seasonal: bool, notes: list[str]) -> tuple[Values, Values]:
    if not seasonal:
        years = len(series) / series.steps_per_year
        raise InputError(
            f"STL needs {YEARS:g} years of steps of half a year or shorter; {series.name} has {years:.1f} years.",
            "In a shorter series, a season cannot be separated from a trend.", "Choose LOESS.",
        )  # fmt: skip
    year = round(series.steps_per_year)
    drift = abs(year - series.steps_per_year) * len(series) / series.steps_per_year
    if drift > 0.5:
        notes.append(f"STL uses a year of {year:,} steps; the season is off by {drift:.1f} steps at the end.")
    notes += _told_season(series, seasonal)
    return stl(series.displacements, year)


def stl(values: Values, year: int) -> tuple[Values, Values]:
    """Trend and periodic part by STL; each is fitted at every twelfth of a year, and between along a line.

    Parameters
    ----------
    values
        ``(n,)`` mm, all known; two years at least.
    year
        Steps of a year.
    """
    from statsmodels.tsa.seasonal import STL

    apart = max(1, year // 12)
    found = STL(values, period=year, seasonal=13, seasonal_deg=0, trend_jump=apart, low_pass_jump=apart).fit()
    return np.asarray(found.trend, np.float64), np.asarray(found.seasonal, np.float64)


def _by_modes(series: RegularSeries, method: Method, seasonal: bool, notes: list[str]) -> tuple[Values, Values]:
    """Trend and periodic part by the periods of modes."""
    from core.series import modes

    if len(series) > MOST_STEPS[method]:
        raise InputError(
            f"{series.name} has {len(series):,} steps; the limit of {METHODS[method]} is {MOST_STEPS[method]:,}.",
            remedy="Choose a longer step or another method.",
        )  # fmt: skip
    divide = {"emd": modes.emd, "ceemdan": modes.ceemdan, "vmd": modes.vmd}[method]
    year = series.steps_per_year if seasonal else 0.0
    slow = 0.0 if seasonal else float(usual_window(len(series), 0))
    # What variational modes leave is noise; what sifting leaves is the slowest of all.
    found = modes.by_period(divide(series.displacements), year, slow, left_is_slow=method != "vmd")
    finite = [one for one in found.periods if np.isfinite(one)]
    told = ", ".join(f"{one:.0f}" for one in finite)
    number = len(found.periods)
    of = f", with {'a period' if len(finite) == 1 else 'periods'} of about {told} steps" if told else ""
    notes.append(f"{METHODS[method]} gives {number} {agree(number, 'mode', 'modes')}{of}.")
    notes.append(
        f"Modes of {METHODS[method]} change whenever a value is added: use them for inspection, not for forecasts."
    )
    return found.trend, found.periodic


def _told_season(series: RegularSeries, seasonal: bool) -> list[str]:
    years = len(series) / series.steps_per_year
    if not seasonal:
        return [f"{series.name} has {years:.1f} years; in fewer than {YEARS:g} a season cannot be "
                "separated from a trend, so there is no periodic part."]  # fmt: skip
    if years < FEW_YEARS:
        return [f"The periodic part is based on only {years:.1f} years, so it includes some of the noise."]
    return []


def carried_on(past: RegularSeries, how: How, horizon: int, parts: Parts | None = None) -> float:
    """How far the trend and the periodic part of a past move over the steps after its last one, mm.

    A polynomial is carried on as it is, any other trend along a line through what the periodic part leaves of the last
    window (a usual one for STL); the periodic part as it was a year before.

    Parameters
    ----------
    horizon
        Steps after the last one.
    parts
        Of the past, where they are known already.

    Raises
    ------
    InputError
        As `decomposed_series`.
    """
    parts = parts or decomposed_series(past, how)
    count, year = len(past), round(past.steps_per_year)
    seasonal = has_season(past)
    known = ~past.filled
    degree = how.degree
    if how.method != "polynomial":
        window = parts.window or usual_window(count, year if seasonal else 0)
        degree, known = 1, known & (np.arange(count) >= min(count - window, np.flatnonzero(known)[-FEWEST]))
    curve = _curve(np.where(known, past.displacements - parts.periodic, np.nan), degree)
    ahead = float(curve(count - 1 + horizon) - curve(count - 1))
    wave = parts.periodic[-year:]
    return ahead + (float(wave[(horizon - 1) % year] - wave[-1]) if seasonal else 0.0)


def _curve(values: Values, degree: int) -> np.polynomial.Polynomial:
    at = np.flatnonzero(np.isfinite(values))
    return np.polynomial.Polynomial.fit(at, values[at], max(1, min(degree, len(at) // 4)))


def slope_of(values: Values) -> float:
    """Slope of the least-squares line through evenly spaced values, per step."""
    at = np.arange(len(values)) - (len(values) - 1) / 2
    return float(values @ at / (at @ at))
