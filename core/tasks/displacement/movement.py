"""How a station moved, without a model: velocity, path, parts, months, what went before, and a fitted trajectory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.series.decomposition import Parts
from core.series.kinematics import CLASSES, Side, Velocities, class_of, usual_spacing, velocities
from core.series.lags import FEWEST, LagCorrelation, SeasonalProfile
from core.series.monitoring import RegularSeries, Times, Values
from core.series.words import signed
from core.tasks.displacement.findings import in_words
from core.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.displacement.result import ForecastResult

READINGS = 10
"""Readings over which a velocity is taken where no days are chosen, and of which a position is the mean."""

SLOW = 0.1
"""mm a day below which velocities are told by the year."""

YEAR = 365.25

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def regular_station(result: ForecastResult, series: pd.DataFrame, station: str) -> RegularSeries:
    """A station of a run on its step, with the drivers of which anything is known.

    Parameters
    ----------
    series
        As `core.tasks.displacement.result.SERIES` holds it.
    """
    own = series[series["station"] == station]
    drivers = {name: own[name].to_numpy(np.float64) for name in result.drivers if name in own}
    known = {name: values for name, values in drivers.items() if np.isfinite(values).sum() >= FEWEST}
    return RegularSeries(
        station, str(result.stations[station]["step"]), own["time"].to_numpy("datetime64[ns]"),
        own["displacement"].to_numpy(np.float64), own["filled"].to_numpy(np.bool_), known,
        {name: result.drivers[name] for name in known},  # type: ignore[misc]
    )  # fmt: skip


@dataclass(frozen=True)
class Motion:
    """Velocity and acceleration of a station.

    Attributes
    ----------
    velocities
        mm a day.
    accelerations
        mm a day²: slopes of lines through the velocities of a window.
    days
        Length of the windows.
    side
        Whether windows lie before each reading or around it.
    """

    velocities: Velocities
    accelerations: Velocities
    days: float
    side: Side

    @property
    def yearly(self) -> bool:
        """Whether velocities are so small that they are told by the year."""
        known = self.velocities.values[np.isfinite(self.velocities.values)]
        return not len(known) or float(np.abs(known).max()) < SLOW


def motion_of(measured: pd.DataFrame, station: str, days: float, side: Side = "centred") -> Motion:
    """Velocity and acceleration of what was measured.

    Parameters
    ----------
    measured
        As `core.tasks.displacement.result.MEASURED` holds it.
    days
        Length of a window; 0 for `READINGS` times the usual spacing.

    Raises
    ------
    InputError
        When fewer than `READINGS` readings are known.
    """
    times, values = readings(measured, station)
    if len(times) < READINGS:
        raise InputError(f"{station} has {count(len(times), 'reading')}.", remedy="Choose another station.")
    days = days or max(READINGS * usual_spacing(times), 1e-3)
    found = velocities(times, values, days, side)
    return Motion(found, velocities(found.times, found.values, days, side), days, side)


def readings(measured: pd.DataFrame, station: str) -> tuple[Times, Values]:
    """Times and mm of the known readings of a station."""
    own = measured[(measured["station"] == station) & measured["displacement"].notna()]
    return own["time"].to_numpy("datetime64[ns]"), own["displacement"].to_numpy(np.float64)


def windows_of(times: Times) -> tuple[float, ...]:
    """Days of windows that may be chosen: 0 for a usual one, and those that hold enough readings and fit in."""
    if len(times) < 2:
        return (0.0,)
    span = float((times[-1] - times[0]) / np.timedelta64(1, "D"))
    spacing = usual_spacing(times)
    return (0.0, *(days for days in (1.0, 7.0, 30.0, 90.0, 365.0) if 4 * spacing <= days <= span / 3))


def motion_sentences(found: Motion) -> tuple[str, ...]:
    """What the velocities say: the last one, the fastest, and the classes over time."""
    speeds, times = found.velocities.values, found.velocities.times
    known = np.flatnonzero(np.isfinite(speeds))
    if not len(known):
        return ("No velocity is known: the windows hold too few readings, or gaps.",)
    last, fastest = int(known[-1]), int(known[np.argmax(np.abs(speeds[known]))])
    span = count(found.days, "day", form=".3g")
    window = f"from the preceding {span}"
    if found.side == "centred":
        window = f"smoothed over the readings of {span} around the day{_covered(found, times[last])}"
    now = float(speeds[last])
    told = [f"{str(times[last])[:10]}: {velocity_text(now)}, {class_of(now)} ({window})."]
    told.append(
        f"Fastest on {str(times[fastest])[:10]}: {velocity_text(float(speeds[fastest]))}, "
        f"{class_of(float(speeds[fastest]))}."
    )
    names = [class_of(float(one)) for one in speeds[known]]
    shares = {name: names.count(name) / len(names) for name, _ in CLASSES if name in names}
    said = ", ".join(
        f"{name} {'under 1 %' if share < 0.01 else f'{100 * share:.0f} %'}" for name, share in shares.items()
    )
    told.append(f"Cruden–Varnes classes of {count(len(names), 'velocity', 'velocities')}: {said}.")
    speeding = found.accelerations.values
    known = np.flatnonzero(np.isfinite(speeding))
    if len(known):
        at = int(known[-1])
        value, error = float(speeding[at]), float(found.accelerations.errors[at])
        scale, unit = (YEAR**2, "mm/year²") if found.yearly else (1.0, "mm/day²")
        form = _decimals(max(error, abs(value) / 1000) * scale)
        told.append(f"{str(found.accelerations.times[at])[:10]}: acceleration {signed(value * scale, f'+{form}')} "
                    f"{unit} (standard error {error * scale:{form}}; underestimated, because the velocities "
                    "overlap).")  # fmt: skip
    return tuple(told)


def _covered(found: Motion, day: np.datetime64) -> str:
    """How much of the window around a day the series covers, where that is not all of it."""
    times, one = found.velocities.times, np.timedelta64(1, "D")
    before, after = float((day - times[0]) / one), float((times[-1] - day) / one)
    covered = min(before, found.days / 2) + min(after, found.days / 2)
    if covered > 0.99 * found.days:
        return ""
    return f", of which the series covers {covered:.3g}; the early warning counts preceding readings alone"


def _decimals(least: float) -> str:
    """Format of a value and its standard error: as many decimals as give the smallest of interest two digits."""
    if not 0 < least < np.inf:
        return ".3g"
    return f".{max(0, min(9, 1 - int(np.floor(np.log10(least)))))}f"


def velocity_text(value: float) -> str:
    """A velocity of mm a day with the unit that suits it."""
    return f"{signed(value * YEAR, '.1f')} mm/year" if abs(value) < SLOW else f"{signed(value, '.2f')} mm/day"


@dataclass(frozen=True)
class Hodograph:
    """Positions of a station in the horizontal.

    Attributes
    ----------
    times, north, east
        ``(n,)`` of the readings that know both, mm.
    smooth_north, smooth_east
        ``(n,)`` means of the readings around each, mm.
    days
        Over how many days.
    moved
        North, east, and up (NaN where it is not measured), mm, from the mean of the first `READINGS` readings to that
        of the last.
    """

    times: Times
    north: Values
    east: Values
    smooth_north: Values
    smooth_east: Values
    days: float
    moved: tuple[float, float, float]


def hodograph_of(measured: pd.DataFrame, station: str, days: float = 0.0) -> Hodograph | None:
    """Where a station went; None where components were not measured.

    Parameters
    ----------
    days
        Over which positions are averaged; 0 for `READINGS` times the usual spacing.
    """
    own = measured[measured["station"] == station]
    if not {"north", "east"} <= set(own.columns):
        return None
    own = own[own["north"].notna() & own["east"].notna()].set_index("time")
    if len(own) < READINGS:
        return None
    times = own.index.to_numpy("datetime64[ns]")
    days = days or max(READINGS * usual_spacing(times), 1e-3)
    smooth = own[["north", "east"]].rolling(f"{round(days * 86_400)}s", center=True).mean()
    ups = own["up"].dropna().to_numpy(np.float64) if "up" in own else np.empty(0)
    north, east = (own[name].to_numpy(np.float64) for name in ("north", "east"))
    parts = [float(one[-READINGS:].mean() - one[:READINGS].mean()) for one in (north, east)]
    up = float(ups[-READINGS:].mean() - ups[:READINGS].mean()) if len(ups) >= READINGS else float("nan")
    return Hodograph(
        times, north, east, smooth["north"].to_numpy(np.float64), smooth["east"].to_numpy(np.float64), days,
        (parts[0], parts[1], up),
    )  # fmt: skip


def hodograph_sentence(path: Hodograph) -> str:
    """How far and in which direction a station went."""
    north, east, up = path.moved
    length = float(np.hypot(north, east))
    azimuth = float(np.degrees(np.arctan2(east, north)) % 360)
    wind = WINDS[round(azimuth / 45) % 8]
    told = f"From the first to the last {READINGS} readings it moved {length:.1f} mm towards {azimuth:.0f}° ({wind})"
    if up == up:
        plunge = float(np.degrees(np.arctan2(abs(up), length)))
        way, side = ("up", "above") if up > 0 else ("down", "below")
        told += f" and {abs(up):.1f} mm {way} ({plunge:.0f}° {side} the horizontal)"
    return f"{told}."


def profile_sentence(found: SeasonalProfile, name: str) -> str:
    """In which months a station moves most and least."""
    known = np.isfinite(found.means)
    most, least = (int(pick(np.where(known, found.means, fill))) for pick, fill in
                   ((np.argmax, -np.inf), (np.argmin, np.inf)))  # fmt: skip
    years = len(np.unique(found.years))
    ends = []
    for at in (most, least):
        moved = signed(float(found.means[at]), ".1f")
        ends.append(f"{MONTHS[at]} ({moved} mm, {count(int(found.counts[at]), 'year')})")
    lead = f"{name} moves most in {ends[0]}, least in {ends[1]}."
    if years > 2:
        return lead
    return f"{lead} The series is too short to separate a season from single events."


def lag_sentence(found: LagCorrelation, step: str) -> str:
    """Which lag is strongest, and whether that is more than chance."""
    at = found.strongest
    if at is None:
        return "No correlation could be calculated: there are too few pairs, or one of the two does not vary."
    value, pairs = float(found.correlations[at]), int(found.counts[at])
    when = f"{in_words(at, step)} before" if at else "up to the same step"
    lead = f"Strongest with {found.what}, {when}: correlation {signed(value, '+.2f')} (n = {pairs:,})"
    if not np.isfinite(found.chance):
        few = count(found.shifts, "shift")
        return f"{lead}. The series is too short to estimate the range expected by chance: only {few}."
    within = "within" if abs(value) <= found.chance else "beyond"
    return (
        f"{lead}, {within} the range expected by chance (±{found.chance:.2f}; 95 % of {found.shifts:,} time-shifted "
        "series stay within it at all lags)."
    )


def parts_table(series: RegularSeries, parts: Parts) -> pd.DataFrame:
    """A decomposition for other programs, a step a row, mm."""
    import pandas as pd

    return pd.DataFrame({
        "time": parts.times, "displacement_mm": np.where(series.filled, np.nan, series.displacements),
        "trend_mm": parts.trend, "periodic_mm": parts.periodic, "rest_mm": parts.rest, "filled": series.filled,
    })  # fmt: skip


def lag_table(found: LagCorrelation) -> pd.DataFrame:
    """Correlations, a lag a row."""
    import pandas as pd

    return pd.DataFrame({"lag_steps": found.lags, "correlation": found.correlations, "pairs": found.counts})


def profile_table(found: SeasonalProfile) -> pd.DataFrame:
    """Movement of the months, mm."""
    import pandas as pd

    return pd.DataFrame({
        "month": MONTHS, "mean_mm": found.means, "standard_deviation_mm": found.spreads, "years": found.counts,
    })  # fmt: skip


def dates_of(text: str) -> tuple[str, ...]:
    """Dates that are written one after the other, separated by commas or spaces."""
    return tuple(one for one in re.split(r"[,;\s]+", text.strip()) if one)


def spans_of(text: str) -> tuple[tuple[str, str], ...]:
    """Spans of dates, such as ``2017-03-01 to 2017-03-09, 2018-01-05``; a single date is a span of its own.

    Raises
    ------
    InputError
        When a span has more than two dates.
    """
    found = []
    for part in re.split(r"[,;\n]+", text):
        dates = [one for one in re.split(r"\s+|to|/|–", part.strip()) if one]
        if not dates:
            continue
        if len(dates) > 2:
            raise InputError(f"{part.strip()[:60]!r} is not a date range.",
                             remedy="Write 2017-03-01 to 2017-03-09; separate several ranges by commas.")  # fmt: skip
        found.append((dates[0], dates[-1]))
    return tuple(found)
