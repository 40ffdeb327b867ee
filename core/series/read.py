"""From a table to a monitored slope: stations, what may drive them, and what was assumed or left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.columns import Columns
from core.series.dates import times_of
from core.series.monitoring import Driver, Monitoring, Quantity, Times
from core.series.numbers import numbers_of
from core.series.places import with_places
from core.series.stations import joined, stations_of
from core.series.units import in_our_unit
from core.wording import agree, count

if TYPE_CHECKING:
    from pandas import DataFrame

def monitoring_of(
    frame: DataFrame, columns: Columns, name: str = "The table", *, now: datetime | None = None
) -> Monitoring:
    """Read a monitored slope from a table.

    Parameters
    ----------
    frame
        As `core.series.table.read_table_untrusted` gives it.
    columns
        Which of its columns are what.
    name
        What users call it.
    now
        The time after which nothing can have been measured; by default the present one.

    Raises
    ------
    QuestionError
        When the unit, or the order of day and month, has to be asked.
    InputError
        When a column is missing or cannot be read, or no station has enough values.
    """
    columns.check(list(map(str, frame.columns)), name)
    notes: list[str] = []
    times, zone = times_of(
        frame[columns.time], columns.time, columns.date_order, notes, frame[columns.clock] if columns.clock else None
    )
    kept = usable_rows(times, now or datetime.now(UTC), notes)
    used = [one for one in dict.fromkeys(columns.named) if one in frame.columns]
    frame = frame[used] if kept.all() else frame.loc[kept, used]  # never the columns that are not asked for
    times = times[kept]
    if not len(frame):
        raise InputError(f"No row of {name} has a readable time.", remedy="Check the time column.")
    stations = with_places(stations_of(frame, times, columns, name, notes), frame, columns, notes)
    drivers = tuple(driver_of(frame, times, quantity, column, notes) for quantity, column in columns.drivers)
    return Monitoring(stations, drivers, tuple(dict.fromkeys(notes)), zone=zone)


def usable_rows(times: Times, now: datetime, notes: list[str]) -> NDArray[np.bool_]:
    """Which rows have a time at which something can have been measured."""
    kept = ~np.isnat(times)
    future = kept & (times > np.datetime64(now.replace(tzinfo=None)) + np.timedelta64(1, "D"))
    if future.any():
        late = int(future.sum())
        notes.append(
            f"{count(late, 'row')} {agree(late, 'lies', 'lie')} in the future (the first: "
            f"{str(times[future].min())[:10]}) and {agree(late, 'was', 'were')} left out."
        )
    return np.asarray(kept & ~future)


def driver_of(frame: DataFrame, times: Times, quantity: Quantity, column: str, notes: list[str]) -> Driver:
    """A column of rain, level or another driver in the unit of `UNITS`; values of one time are joined.

    Raises
    ------
    InputError
        When it cannot be read, or has no value.
    """
    values = in_our_unit(numbers_of(frame[column], column, notes), quantity, column, notes)
    if quantity == "rain" and (values < 0).any():
        below = int((values < 0).sum())
        are, they_count = agree(below, "is", "are"), agree(below, "counts", "count")
        notes.append(f"{count(below, 'value')} of {column} {are} below zero and {they_count} as not measured.")
        values = np.where(values < 0, np.nan, values)
    known = np.isfinite(values)
    if not known.any():
        raise InputError(f"The column {column} has no value.", remedy="Leave it out.")
    at, found = joined(times[known], {column: values[known]}, column, notes)
    return Driver(column, quantity, at, found[column])
