"""Early warning seen from a day: velocities, levels, a failure time and silence, from readings up to that day alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.series.alert import NAMES, Transition, level_at, levels_of, silence, transitions
from core.series.failure_time import FailureTime, failure_time, saito_of
from core.series.kinematics import Velocities, class_of, usual_spacing, velocities
from core.series.monitoring import Driver, Times, Values, steps_per_year
from core.series.rainfall import THRESHOLDS, RainEvents, antecedent, exceeded
from core.series.words import signed
from core.tasks.displacement.acknowledge import Acknowledged, moment
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.displacement.view import Look

READINGS = 10
"""Readings over which a velocity is taken where no days are chosen."""

DISCLAIMER = "For study and review. This is not an alarm system: do not decide on evacuation or access from this view."
"""The line that stands on every view from which a warning could be read."""


@dataclass(frozen=True)
class EarlyWarning:
    """What would have been known at the end of a day.

    Attributes
    ----------
    times, values
        Known readings up to the day, mm.
    day
        The day, ``datetime64[ns]``.
    span
        Days over which a velocity is taken.
    velocities
        Of the readings up to each one.
    levels
        mm a day; empty where there are none.
    log
        When each level was reached and left.
    level
        At the day, from 0 (normal).
    failure
        Failure time by the inverse velocity, and why there is none.
    saito
        Failure time of Saito; None without one.
    silent
        Days since the last reading, where that is unusually long; None otherwise.
    notes
        What was assumed, or could not be done.
    """

    times: Times
    values: Values
    day: np.datetime64
    span: float
    velocities: Velocities
    levels: tuple[float, ...]
    log: tuple[Transition, ...]
    level: int
    failure: FailureTime
    saito: np.datetime64 | None
    silent: float | None
    notes: tuple[str, ...]

    @property
    def now(self) -> float:
        """Velocity at the last reading, mm a day; NaN where it is not known."""
        return float(self.velocities.values[-1]) if len(self.velocities.values) else float("nan")


def warning_of(measured: pd.DataFrame, look: Look) -> EarlyWarning:
    """What would have been known of a station at the end of a day.

    Parameters
    ----------
    measured
        As `core.tasks.displacement.result.MEASURED` holds it.
    look
        Station, day, days of a velocity, levels and quiet period.

    Raises
    ------
    InputError
        When no reading lies before the day.
    """
    own = measured[measured["station"] == look.station]
    times, values = own["time"].to_numpy("datetime64[ns]"), own["displacement"].to_numpy(np.float64)
    kept = np.isfinite(values)
    times, values = times[kept], values[kept]
    end = look.last_day() if look.day else times[-1]
    whole = times
    past = times <= end
    times, values = times[past], values[past]
    if len(times) < READINGS:
        few = f"{count(len(times), 'reading')} {agree(len(times), 'is', 'are')}"
        raise InputError(f"Only {few} available up to that day.", remedy="Choose a later day.")
    span = look.span or max(READINGS * usual_spacing(times), 1e-3)
    found = velocities(times, values, span)
    short = max(span / 2, 1e-3)
    notes = [
        f"Velocities are slopes of a line through the readings of the preceding {_days(span)}; for the "
        f"inverse velocity, of half as many ({_days(short)}), which shows an acceleration sooner."
    ]
    levels = look.given_levels() or _from_quiet(found, whole, look.quiet, notes)
    log = transitions(found, levels) if levels else ()
    failure = failure_time(times, values, short)
    late = None if failure.onset is None else saito_of(times, values, failure.onset)
    return EarlyWarning(
        times, values, np.datetime64(str(end)), span, found, levels, log, level_at(log, end), failure, late,
        silence(times, np.datetime64(str(end))), tuple(notes),
    )  # fmt: skip


def _from_quiet(found: Velocities, whole: Times, share: float, notes: list[str]) -> tuple[float, ...]:
    """Levels from the beginning of the series, which is taken to be quiet."""
    until = whole[0] + (whole[-1] - whole[0]) * (share / 100)
    quiet = found.values[found.times <= until]
    try:
        levels = levels_of(quiet)
    except InputError as error:
        notes.append(f"No alert levels: {error}")
        return ()
    notes.append(
        "The alert levels are 3, 6 and 12 robust standard deviations above the median velocity of the quiet period, "
        f"assumed to be the first {share:g} % of the series, until {str(until)[:10]}."
    )
    if min(levels) <= 0:
        notes.append("A level at or below zero was left out, because the station moves backwards in the quiet period.")
        levels = tuple(one for one in levels if one > 0)
    return levels


def sentences(found: EarlyWarning) -> tuple[str, ...]:
    """What is known on the day, in words."""
    told = []
    if found.now == found.now:
        told.append(
            f"On {str(found.day)[:10]} the velocity was {_velocity(found.now)}, from the preceding "
            f"{_days(found.span)}. Cruden–Varnes class: {class_of(found.now)}. Alert: {NAMES[found.level]}."
        )
    else:
        told.append(f"On {str(found.day)[:10]} the velocity is unknown: there are too few readings in the preceding "
                    "days.")
    failure = found.failure
    if failure.time is not None:
        ends = f"{str(failure.earliest)[:10]} to " + ((
            "no upper limit"
        ) if failure.latest is None else str(failure.latest)[:10])
        told.append(
            "If the acceleration continued as it has since its onset, the inverse velocity would reach zero on "
            f"{str(failure.time)[:10]} (95 % interval {ends})."
        )
    else:
        told.append(failure.reason)
    if found.saito is not None:
        told.append(f"Saito's three-point method gives {str(found.saito)[:10]} as the time of failure.")
    if found.silent is not None:
        told.append(f"The station has sent no reading for {_days(found.silent)}: its present movement is unknown.")
    return tuple(told)


def _velocity(value: float) -> str:
    if abs(value) < 0.1:
        return f"{signed(value * 365.25, '.1f')} mm/year ({signed(value, '.3f')} mm/day)"
    return f"{signed(value, '.2f')} mm/day"


def _days(value: float) -> str:
    return count(value, "day", form=".3g") if value >= 1 else count(value * 24, "hour", form=".2g")


def rain_of(series: pd.DataFrame, look: Look, drivers: Mapping[str, str], step: str) -> Driver | None:
    """The rain of a run up to the day that is looked from; None without any, or with steps longer than a day."""
    name = next((one for one, what in drivers.items() if what == "rain" and one in series), None)
    if name is None or steps_per_year(step) < 365:
        return None
    own = series[series["station"] == look.station]
    times, values = own["time"].to_numpy("datetime64[ns]"), own[name].to_numpy(np.float64)
    past = times <= look.last_day() if look.day else np.ones(len(times), np.bool_)
    return Driver(name, "rain", times[past], values[past])


def rain_sentences(events: RainEvents, rain: Driver) -> tuple[str, ...]:
    """How many events of rain reach the thresholds, and what is not known."""
    names = {key: one.name for key, one in THRESHOLDS.items()}
    reached = {key: int(exceeded(events, one).sum()) for key, one in THRESHOLDS.items()}
    told = [
        f"{count(len(events.totals), 'rainfall event')}: "
        + ", ".join(f"{number:,} {agree(number, 'reaches', 'reach')} {names[key]}" for key, number in reached.items())
        + "."
    ]
    if lost := events.unknown:
        adjoin, are = agree(lost, "adjoins", "adjoin"), agree(lost, "is", "are")
        told.append(f"{count(lost, 'event')} {adjoin} missing readings and {are} not counted, because "
                    f"{agree(lost, 'it', 'they')} may be larger.")
    found = antecedent(rain)
    told.append(
        f"The Seattle threshold of antecedent rain was reached on {int(found.reached.sum()):,} of "
        f"{count(int(found.known.sum()), 'day')} with complete data."
    )
    told.append("The thresholds were derived in other regions; whether they apply here is unknown.")
    return tuple(told)


def log_table(found: EarlyWarning, said: Mapping[tuple[str, int], Acknowledged] | None = None) -> pd.DataFrame:
    """The log of levels, one transition a row, with who acknowledged it; empty where nobody did."""
    import pandas as pd

    known = said or {}
    return pd.DataFrame({
        "time": [one.time for one in found.log], "level": [NAMES[one.level] for one in found.log],
        "velocity_mm_per_day": [one.velocity for one in found.log],
        "acknowledged": [
            known[key].line if (key := (moment(one), one.level)) in known else "" for one in found.log
        ],
    })  # fmt: skip
