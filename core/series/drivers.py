"""Rain, levels and other drivers in a file of their own, and how they are joined to a monitored slope."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.series.columns import DRIVERS, Columns, QuestionError
from core.series.dates import times_of
from core.series.fixed_rain import RainLayout, read_fixed_rain
from core.series.monitoring import Driver, Monitoring, Quantity, Times
from core.series.read import driver_of, usable_rows
from core.wording import count

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class DriverTable:
    """How a file of drivers is read.

    Attributes
    ----------
    columns
        Of a table: the times and the drivers; nothing else of it is used.
    layout
        Of rain in columns of fixed width, which is asked and never guessed; None for a table.
    """

    columns: Columns = Columns("")
    layout: RainLayout | None = None

    @property
    def drivers(self) -> tuple[tuple[Quantity, str], ...]:
        """What each driver is, and its name as the file has it."""
        return (("rain", "rain"),) if self.layout is not None else self.columns.drivers

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the drivers as the file has them."""
        return tuple(name for _, name in self.drivers)


def guess_drivers(frame: DataFrame) -> DriverTable:
    """Guess which columns of a table are times and drivers; what could not be guessed is empty."""
    from core.series.guess import guess_columns

    found = guess_columns(frame)
    drivers: dict[str, Any] = {one: getattr(found, one) for one in DRIVERS}
    return DriverTable(Columns(found.time, date_order=found.date_order, clock=found.clock, **drivers))


def read_drivers(
    path: str | os.PathLike[str], table: DriverTable, name: str = "", *, now: datetime | None = None
) -> Monitoring:
    """Read drivers from a file of their own.

    Parameters
    ----------
    path
        A table as `core.series.heads.read_series_table` reads it, or rain in columns of fixed width.
    table
        How it is read.
    name
        What users call it; the name of the file when empty.
    now
        The time after which nothing can have been measured; by default the present one.

    Returns
    -------
    Monitoring
        Without stations: drivers, notes, and the zone of the times.

    Raises
    ------
    QuestionError
        When the order of day and month has to be asked.
    InputError
        When the file or a column cannot be read.
    """
    from core.series.heads import read_series_table

    named = name or Path(path).name
    if table.layout is None:
        return drivers_of(read_series_table(path), table.columns, named, now=now)
    notes: list[str] = []
    rain = read_fixed_rain(path, table.layout, notes)
    kept = usable_rows(rain.times, now or datetime.now(UTC), notes)
    rain = replace(rain, times=rain.times[kept], values=rain.values[kept])
    return Monitoring((), (rain,), (*notes, _span(rain, named)))


def drivers_of(frame: DataFrame, columns: Columns, name: str, *, now: datetime | None = None) -> Monitoring:
    """Read drivers from a table; see `read_drivers`."""
    _check(columns, list(map(str, frame.columns)), name)
    notes: list[str] = []
    clock = frame[columns.clock] if columns.clock else None
    try:
        times, zone = times_of(frame[columns.time], columns.time, columns.date_order, notes, clock)
    except QuestionError as error:
        raise QuestionError(
            error.asks, f"{name}: {error.what}", error.why, "Name it (--drivers-columns date_order=dmy, mdy or ymd)."
        ) from error
    kept = usable_rows(times, now or datetime.now(UTC), notes)
    if not kept.any():
        raise InputError(f"No row of {name} has a readable time.", remedy="Check the time column.")
    frame, times = frame.loc[kept], times[kept]
    drivers = tuple(driver_of(frame, times, quantity, column, notes) for quantity, column in columns.drivers)
    notes += [_span(one, name) for one in drivers]
    return Monitoring((), drivers, tuple(dict.fromkeys(notes)), zone=zone)


def _check(columns: Columns, known: list[str], name: str) -> None:
    if not columns.time:
        raise InputError(f"It is unclear which column of {name} holds the times.",
                         remedy="Name it (--drivers-columns time=COLUMN).")  # fmt: skip
    if not columns.drivers:
        raise InputError(
            f"It is unclear which columns of {name} hold rain, a level or another driver.",
            f"Its columns: {', '.join(known[:40])}.", "Name one (--drivers-columns rain=COLUMN).",
        )  # fmt: skip
    used = [columns.time, *([columns.clock] if columns.clock else []), *(one for _, one in columns.drivers)]
    for one in used:
        if one not in known:
            raise InputError(f"{name} has no column {one!r}.", remedy=f"Its columns: {', '.join(known[:40])}.")
        if used.count(one) > 1:
            raise InputError(f"The column {one!r} of {name} is named twice.", remedy="Name each column once.")


def with_drivers(monitoring: Monitoring, others: Monitoring, name: str) -> Monitoring:
    """Join drivers of a file of their own to a monitored slope.

    Nothing is filled in: in a step without readings a driver is unknown, and unknown rain is not dry.

    Parameters
    ----------
    others
        As `read_drivers` gives it.
    name
        What users call that file.

    Returns
    -------
    Monitoring
        With the drivers of both; a driver whose name is taken has that of its file added.

    Raises
    ------
    InputError
        When the two name different zones, or a driver has no reading in the time in which the slope was measured.
    """
    zone, told = _one_zone(monitoring.zone, others.zone, name)
    first, last = _measured(monitoring)
    drivers = list(monitoring.drivers)
    names = names_beside([one.name for one in drivers], [one.name for one in others.drivers], name)
    for one, free in zip(others.drivers, names, strict=True):
        known = one.times[np.isfinite(one.values)]
        inside = int(((known >= first) & (known <= last + np.timedelta64(1, "D"))).sum())
        if not inside:
            raise InputError(
                f"{one.name} of {name} has values {_days(known)}; the slope was measured {_words(first, last)}.",
                "The periods do not overlap, so they cannot be related.",
                "Choose a file that covers the same period.",
            )  # fmt: skip
        drivers.append(replace(one, name=free))
        if known[0] > first + np.timedelta64(1, "D") or known[-1] < last - np.timedelta64(1, "D"):
            told.append(f"{drivers[-1].name} has values {_days(known)} only; before and after it is unknown, not zero.")
    return replace(
        monitoring, drivers=tuple(drivers), zone=zone,
        notes=tuple(dict.fromkeys((*monitoring.notes, *others.notes, *told))),
    )  # fmt: skip


def _one_zone(ours: str, theirs: str, name: str) -> tuple[str, list[str]]:
    if ours and theirs and _plain(ours) != _plain(theirs):
        raise InputError(
            f"Times of the slope are in the time zone {ours}, those of {name} in {theirs}.",
            "Rain would be assigned to the wrong hours.", "Convert both to one time zone.",
        )  # fmt: skip
    if bool(ours) != bool(theirs):
        which = name if theirs else "the slope"
        told = [f"Only the times of {which} name a time zone ({ours or theirs}); the others are assumed to be in the "
                "same."]
        return ours or theirs, told
    return ours, []


def _plain(zone: str) -> str:
    return "UTC" if zone.replace(":", "") in ("+0000", "-0000", "+00", "-00") else zone.replace(":", "")


def _measured(monitoring: Monitoring) -> tuple[np.datetime64, np.datetime64]:
    """The first and last times at which a station was measured."""
    parts = [one.times[np.isfinite(one.displacements)] for one in monitoring.stations]
    known = [part for part in parts if len(part)]
    if not known:
        raise InputError("No station has a known value.", remedy="Check the columns of the series.")
    return min(part[0] for part in known), max(part[-1] for part in known)


def names_beside(taken: Sequence[str], names: Sequence[str], file: str) -> tuple[str, ...]:
    """Names of the drivers of a file beside others: as they are, or with the name of the file where they are taken."""
    found: list[str] = []
    for name in names:
        whole, number = name, 1
        while whole in (*taken, *found):
            whole = f"{name} ({file}{f' {number}' if number > 1 else ''})"
            number += 1
        found.append(whole)
    return tuple(found)


def _span(driver: Driver, name: str) -> str:
    known = driver.times[np.isfinite(driver.values)]
    return f"{driver.name} of {name}: {count(len(known), 'known reading')} {_days(known)}."


def _days(times: Times) -> str:
    return _words(times[0], times[-1]) if len(times) else "at no time"


def _words(first: np.datetime64, last: np.datetime64) -> str:
    return f"from {str(first)[:10]} to {str(last)[:10]}"
