"""Rain that may set off landslides: events, and published thresholds of intensity, duration and antecedent rain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.kinematics import DAY, usual_spacing
from core.series.monitoring import Driver, Times, Values

DRY_HOURS = 24.0
"""Hours without rain after which an event has ended."""

INCH = 25.4


@dataclass(frozen=True)
class Threshold:
    """A threshold of mean intensity over duration, I = a D^-b, in mm/h and h.

    Attributes
    ----------
    name, source
        For people.
    a, b
        Of the law.
    shortest, longest
        Durations that it holds for, h.
    """

    name: str
    a: float
    b: float
    shortest: float
    longest: float
    source: str

    def intensity(self, hours: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """mm/h from which landslides have been set off; NaN beyond the durations that it holds for."""
        hours = np.asarray(hours, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.a * hours**-self.b
        return np.where((hours >= self.shortest) & (hours <= self.longest), found, np.nan)


THRESHOLDS = {
    "caine": Threshold("Caine 1980, worldwide", 14.82, 0.39, 0.167, 500, "doi:10.1080/04353676.1980.11879996"),
    "guzzetti": Threshold("Guzzetti et al. 2008, worldwide", 2.20, 0.44, 0.1, 1000, "doi:10.1007/s10346-007-0112-1"),
    "innes": Threshold("Innes 1983, worldwide (debris flows)", 4.93, 0.496, 0.1, 100, "Innes 1983: E = 4.93 D^0.504"),
    "jibson": Threshold("Jibson 1989, worldwide", 30.53, 0.57, 0.5, 12, "Jibson 1989"),
    "seattle": Threshold("Seattle (USGS)", 82.73, 1.13, 20, 55, "U.S. Geological Survey, landslides-thresholds"),
}  # fmt: skip
"""By name; laws of cumulated rain E = c D^e are written as I = c D^(e - 1)."""


@dataclass(frozen=True)
class RainEvents:
    """Events of rain.

    Attributes
    ----------
    begins, ends
        ``(n,)`` the first and last readings with rain.
    hours, totals
        ``(n,)`` their duration (a reading stands for the time since the one before), and mm.
    unknown
        How many events hold readings that are not known, or border on such, and were left out: they may have been
        larger.
    """

    begins: Times
    ends: Times
    hours: Values
    totals: Values
    unknown: int

    @property
    def intensities(self) -> Values:
        """``(n,)`` mean intensity, mm/h."""
        return np.asarray(self.totals / self.hours)


def events_of(rain: Driver, dry_hours: float = DRY_HOURS, least: float = 0.2) -> RainEvents:
    """Divide a rain series into events.

    Parameters
    ----------
    rain
        Totals of each reading since the one before, mm.
    dry_hours
        Hours without rain after which an event has ended; at least one reading.
    least
        Rain of a reading below which it counts as dry, mm.

    Raises
    ------
    InputError
        When it is no rain, or has too few readings.
    """
    if rain.quantity != "rain" or len(rain.times) < 2:
        raise InputError(f"{rain.name} is not a rain series.", remedy="Choose a column of rain.")
    spacing = usual_spacing(rain.times) * 24
    hours = rain.times.astype("datetime64[s]").astype(np.int64) / 3600
    known = np.isfinite(rain.values)
    wet = known & (rain.values >= least)
    silent = np.concatenate([[False], np.diff(hours) > 1.5 * spacing])
    begins: list[int] = []
    ends: list[int] = []
    lengths: list[float] = []
    totals: list[float] = []
    unknown = 0
    at = np.flatnonzero(wet)
    if len(at):
        apart = np.flatnonzero(np.diff(hours[at]) > max(dry_hours, spacing) + 1e-6)
        for group in np.split(at, apart + 1):
            first, last = int(group[0]), int(group[-1])
            around = slice(max(0, first - 1), min(len(wet), last + 2))
            if not known[around].all() or silent[max(0, first) : min(len(wet), last + 2)].any():
                unknown += 1
                continue
            begins.append(first)
            ends.append(last)
            lengths.append(float(hours[last] - hours[first]) + spacing)
            totals.append(float(rain.values[first : last + 1].sum()))
    return RainEvents(rain.times[begins], rain.times[ends], np.array(lengths), np.array(totals), unknown)


def exceeded(events: RainEvents, threshold: Threshold) -> NDArray[np.bool_]:
    """``(n,)`` which events reach a threshold; those beyond its durations do not count."""
    limit = threshold.intensity(events.hours)
    return np.asarray(np.isfinite(limit) & (events.intensities >= limit))


@dataclass(frozen=True)
class Antecedent:
    """Recent and antecedent rain of each day.

    Attributes
    ----------
    times
        ``(n,)`` days.
    recent, before
        ``(n,)`` mm of the three days up to each, and of the fifteen days before those; NaN where a day is unknown.
    reached
        ``(n,)`` whether the threshold of Seattle, P3 = 3.5 - 0.67 P15 inches, is reached; False where it is not known.
    known
        ``(n,)`` whether it is known.
    """

    times: Times
    recent: Values
    before: Values
    reached: NDArray[np.bool_]
    known: NDArray[np.bool_]


def antecedent(rain: Driver) -> Antecedent:
    """Rain of three days against that of the fifteen before (Chleborad 2000, U.S. Geological Survey, Seattle).

    Raises
    ------
    InputError
        When it is no rain.
    """
    if rain.quantity != "rain" or len(rain.times) < 2:
        raise InputError(f"{rain.name} is not a rain series.", remedy="Choose a column of rain.")
    day = ((rain.times - rain.times[:1].astype("datetime64[D]")) / DAY).astype(np.int64)
    count = int(day[-1]) + 1
    per_day = max(1.0, np.floor(1 / usual_spacing(rain.times) + 0.01))
    known_readings = np.bincount(day, np.isfinite(rain.values), count)
    total = np.bincount(day, np.nan_to_num(rain.values), count)
    daily = np.where(known_readings >= per_day, total, np.nan)
    recent, before = _last(daily, 3), np.full(count, np.nan)
    fifteen = _last(daily, 15)
    before[3:] = fifteen[:-3]
    known = np.isfinite(recent) & np.isfinite(before)
    with np.errstate(invalid="ignore"):
        reached = known & (recent / INCH >= 3.5 - 0.67 * before / INCH)
    times = (rain.times[:1].astype("datetime64[D]") + np.arange(count)).astype("datetime64[ns]")
    return Antecedent(times, recent, before, reached, known)


def _last(values: Values, days: int) -> Values:
    """``(n,)`` sum of the last days, this one among them; NaN where one is unknown."""
    found = np.full(len(values), np.nan)
    if len(values) >= days:
        found[days - 1 :] = np.lib.stride_tricks.sliding_window_view(values, days).sum(axis=1)
    return found
