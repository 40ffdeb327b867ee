"""Series on a regular step: one value a day, a week or a month, with gaps marked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.monitoring import (
    Driver,
    Monitoring,
    RegularSeries,
    Station,
    Times,
    Values,
    steps_per_year,
    unit_of_step,
)
from core.wording import agree

MOST_STEPS = 2_000_000

KNOWN_SHARE = 0.8
"""Share of the readings of a step that have to be known for its rain to be known."""

_HOURS = (1, 2, 3, 4, 6, 8, 12)
_DAYS = (1, 2, 3, 5, 6, 7, 10, 12, 14, 15)


def step_of(times: Times) -> str:
    """The regular step that is nearest to the usual spacing of times.

    Parameters
    ----------
    times
        ``(n,)``, ascending; two or more.

    Raises
    ------
    InputError
        When there are fewer.
    """
    if len(times) < 2:
        raise InputError("The time step cannot be derived from a single time.", remedy="Name the step (--step).")
    days = float(np.median(np.diff(times) / np.timedelta64(1, "s"))) / 86_400
    if days > 25:
        return "month"
    if days < 0.75:
        hours = min(_HOURS, key=lambda one: abs(one - days * 24))
        return f"{hours}h"
    nearest = min(_DAYS, key=lambda one: abs(one - days))
    return "D" if nearest == 1 else f"{nearest}D"


def regular_of(
    monitoring: Monitoring, station: str, step: str = "auto", notes: list[str] | None = None
) -> RegularSeries:
    """Put a station and the drivers on a regular step.

    Several values in a step give their mean; rain gives the sum of a step. Gaps between known displacements are filled
    along a line and marked. A driver is unknown (NaN) in a step without values, and rain also in one of whose readings
    fewer than `KNOWN_SHARE` are known: a sum of the others would be too small.

    Parameters
    ----------
    step
        ``"auto"`` for that of the station's usual spacing, else see `core.series.monitoring.RegularSeries`.
    notes
        Receives what was filled, with its number; may be left out.

    Raises
    ------
    InputError
        When the step is not known, or there would be too many or too few steps.
    """
    told = [] if notes is None else notes
    one = monitoring.station(station)
    known = np.isfinite(one.displacements)
    times, values = one.times[known], one.displacements[known]
    chosen = step_of(times) if step == "auto" else step
    steps_per_year(chosen)  # refuses what is no step
    first = _origin(times, chosen)
    number = _numbers(times, chosen, first)
    count = int(number[-1]) + 1
    if count > MOST_STEPS:
        raise InputError(
            f"{station} would have {_steps_told(count, chosen)}; the limit is {MOST_STEPS:,}.",
            remedy="Choose a longer step (--step).",
        )  # fmt: skip
    filled_in = np.bincount(number, minlength=count)
    have = filled_in > 0
    if int(have.sum()) < 3:
        raise InputError(f"{station} has {_steps_told(int(have.sum()), chosen)}.",
                         "That is too few for a series.", "Choose a shorter step (--step).")  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(number, values, count) / filled_in
    at = np.arange(count)
    found = np.interp(at, at[have], mean[have])
    told.append(_told(one, chosen, count, int((~have).sum())))
    begins = _begins(first, chosen, count)
    drivers = {driver.name: on_step(driver, chosen, first, count, told) for driver in monitoring.drivers}
    for driver in monitoring.drivers:
        unknown = int(np.isnan(drivers[driver.name]).sum())
        if unknown:
            told.append(f"{driver.name} is unknown in {unknown:,} of {count:,} steps of {station}.")
    quantities = {driver.name: driver.quantity for driver in monitoring.drivers}
    return RegularSeries(station, chosen, begins, found, ~have, drivers, quantities)


def on_step(driver: Driver, step: str, first: Times, count: int, notes: list[str] | None = None) -> Values:
    """``(count,)`` values of a driver on steps from `first`, ``(1,)``, on; NaN where unknown.

    `notes` receives of how many steps of rain a part is unknown.
    """
    known = np.isfinite(driver.values)
    times, values = driver.times[known], driver.values[known]
    if not len(times):
        return np.full(count, np.nan)
    number = _numbers(times, step, first)
    here = (number >= 0) & (number < count)
    readings = np.bincount(number[here], minlength=count)
    total = np.bincount(number[here], values[here], count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / readings
    if driver.quantity != "rain":
        return np.where(readings > 0, mean, np.nan)
    expected = _expected(times, step, first, count)
    partly = int(((readings > 0) & (readings < expected)).sum())
    if partly and notes is not None:
        notes.append(
            f"{driver.name} has fewer readings than usual in {partly:,} of {count:,} steps: with at least "
            f"{100 * KNOWN_SHARE:.0f} % of them, the missing ones count as dry; with fewer, the step is unknown."
        )
    return np.where(readings >= KNOWN_SHARE * expected, total, np.nan)


def _expected(times: Times, step: str, first: Times, count: int) -> NDArray[np.float64]:
    """Readings that each step would have at the usual spacing, at least one."""
    if len(times) < 2:
        return np.ones(count)
    usual = float(np.median(np.diff(times) / np.timedelta64(1, "s")))
    edges = _begins(first, step, count + 1)
    lengths = np.diff(edges) / np.timedelta64(1, "s")
    return np.asarray(np.maximum(1.0, np.floor(lengths / max(usual, 1.0) + 0.01)))


def _origin(times: Times, step: str) -> Times:
    """``(1,)`` the beginning of the first step."""
    return times[:1].astype(f"datetime64[{'M' if step == 'month' else 'D'}]").astype("datetime64[ns]")


def _numbers(times: Times, step: str, first: Times) -> NDArray[np.int64]:
    """Number of the step of each time, from 0."""
    if step == "month":
        return np.asarray(times.astype("datetime64[M]") - first.astype("datetime64[M]")).astype(np.int64)
    return np.asarray(np.floor((times - first) / _length(step)), dtype=np.int64)


def _length(step: str) -> np.timedelta64:
    return np.timedelta64(int(step[:-1] or "1") * (24 if step[-1] == "D" else 1), "h")


def _begins(first: Times, step: str, count: int) -> Times:
    if step == "month":
        return np.asarray(first.astype("datetime64[M]") + np.arange(count)).astype("datetime64[ns]")
    return np.asarray(first + np.arange(count) * _length(step)).astype("datetime64[ns]")


def later(times: Times, step: str, steps: int) -> Times:
    """Beginnings of the steps that follow the last of `times`, as many as asked."""
    if step == "month":
        return np.asarray(times[-1:].astype("datetime64[M]") + np.arange(1, steps + 1)).astype("datetime64[ns]")
    return np.asarray(times[-1:] + np.arange(1, steps + 1) * _length(step)).astype("datetime64[ns]")


def _told(one: Station, step: str, count: int, gaps: int) -> str:
    filled = (
        f" {gaps:,} of them ({100 * gaps / count:.0f} %) {agree(gaps, 'has', 'have')} no value: "
        f"{agree(gaps, 'it is', 'they are')} interpolated linearly and not used for scores." if gaps else ""
    )  # fmt: skip
    return f"{one.name}: {_steps_told(count, step)}.{filled}"


def _steps_told(count: int, step: str) -> str:
    """How many steps of which length, such as ``"144 monthly steps"`` or ``"52 steps of 7 days"``."""
    number, unit = unit_of_step(step)
    steps = agree(count, "step", "steps")
    if number != 1:
        return f"{count:,} {steps} of {number} {unit}s"
    every = {"month": "monthly", "day": "daily", "hour": "hourly"}[unit]
    return f"{count:,} {every} {steps}"
