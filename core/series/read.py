"""From a table to a monitored slope: stations, what may drive them, and what was assumed or left out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.columns import MM_PER, Columns, Components, QuestionError
from core.series.dates import times_of
from core.series.monitoring import UNITS, Driver, Monitoring, Quantity, Station, Times, Values
from core.series.numbers import numbers_of

if TYPE_CHECKING:
    from pandas import DataFrame

FEWEST = 12
"""Known values of a station below which nothing is made of it."""

FIRST_DAYS = 10
"""Known positions whose mean is where a station begins."""

MOST_STATIONS = 2_000

_IN_HEADING = re.compile(r"(?:[_ (\[]|^)(mm|cm|m)(?:[)\] _]|$)", re.IGNORECASE)

FACTORS: dict[Quantity, tuple[tuple[str, float], ...]] = {
    "rain": ((r"inch|(?:[_ (\[])in(?:[)\] _]|$)", 25.4), (r"(?:[_ (\[])cm(?:[)\] _]|$)", 10.0)),
    "level": ((r"(?:[_ (\[])(?:ft|feet)(?:[)\] _]|$)", 0.3048), (r"(?:[_ (\[])cm(?:[)\] _]|$)", 0.01),
              (r"(?:[_ (\[])mm(?:[)\] _]|$)", 0.001)),
    "discharge": ((r"cfs|ft3|ft³", 0.028316846592), (r"(?:[_ (\[])l/s", 0.001)),
}  # fmt: skip
"""By quantity, what in a heading says that it is in another unit, and what it is multiplied by."""


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
    kept = _usable(times, now or datetime.now(UTC), notes)
    frame, times = frame.loc[kept], times[kept]
    if not len(frame):
        raise InputError(f"No row of {name} has a time that can be read.", remedy="Check the column of the times.")
    if len(times) > 1 and (np.diff(times) < np.timedelta64(0, "ns")).any() and not columns.station:
        notes.append("Rows were not in the order of their times and were sorted.")
    stations = _stations(frame, times, columns, name, notes)
    drivers = tuple(_driver(frame, times, quantity, column, notes) for quantity, column in columns.drivers)
    return Monitoring(stations, drivers, tuple(dict.fromkeys(notes)), zone=zone)


def _usable(times: Times, now: datetime, notes: list[str]) -> NDArray[np.bool_]:
    """Which rows have a time at which something can have been measured."""
    kept = ~np.isnat(times)
    future = kept & (times > np.datetime64(now.replace(tzinfo=None)) + np.timedelta64(1, "D"))
    if future.any():
        notes.append(
            f"{int(future.sum()):,} rows lie in the future (the first: {str(times[future].min())[:10]}) and were left "
            "out."
        )
    return np.asarray(kept & ~future)


def _stations(
    frame: DataFrame, times: Times, columns: Columns, name: str, notes: list[str]
) -> tuple[Station, ...]:
    unit = _unit(columns)
    if columns.station:
        made = list(_long(frame, times, columns, unit, notes))
    elif columns.components:
        reference = _positions(frame, columns.reference, unit, notes) if columns.reference is not None else None
        made = [
            _from_components(one.name, times, _positions(frame, one, unit, notes), reference, notes)
            for one in columns.components
        ]
    else:
        base = None
        if isinstance(columns.reference, str):
            base = _cumulative(numbers_of(frame[columns.reference], columns.reference, notes) * unit, columns, "", [])
        made = []
        for column in columns.displacements:
            values = _cumulative(numbers_of(frame[column], column, notes) * unit, columns, column, notes)
            made.append(_station(column, times, values if base is None else values - base, {}, notes))
    if isinstance(columns.reference, str):
        notes.append(f"Displacement is relative to {columns.reference}, which is taken to be stable.")
    kept = [one for one in made if one is not None]
    if not kept:
        raise InputError(
            f"No station of {name} has {FEWEST} known values.", "With fewer nothing can be said of its movement.",
            "Check the columns, or add values.",
        )  # fmt: skip
    return tuple(kept)


def _unit(columns: Columns) -> float:
    """Millimetres in the unit of the displacement.

    Raises
    ------
    QuestionError
        When neither the choice nor the headings say it.
    """
    if columns.unit:
        return MM_PER[columns.unit]
    headings = columns.displacements or tuple(name for one in columns.components for name in one.columns)
    found = {match.group(1).lower() if (match := _IN_HEADING.search(one)) else "" for one in headings}
    if len(found) == 1 and "" not in found:
        return MM_PER[found.pop()]
    raise QuestionError(
        "unit", f"The unit of {headings[0]} is not known.", "Velocities and thresholds depend on it.",
        "Say it (--unit mm, cm or m).",
    )  # fmt: skip


def _long(frame: DataFrame, times: Times, columns: Columns, unit: float, notes: list[str]) -> Any:  # noqa: ANN401
    """The stations of a table with a row for each station and time."""
    text = frame[columns.station].astype("string").str.strip().fillna("")
    unnamed = int((text == "").sum())
    if unnamed:
        notes.append(f"{unnamed:,} rows without a station were left out.")
    names = sorted(set(text) - {""})
    if len(names) > MOST_STATIONS:
        raise InputError(
            f"{columns.station} names {len(names):,} stations; {MOST_STATIONS:,} are read at most.",
            remedy="Choose another column, or use the command for InSAR points.",
        )  # fmt: skip
    for one in names:
        at = (text == one).to_numpy(bool)
        part = frame.loc[at]
        if columns.components:
            positions = _positions(part, columns.components[0], unit, notes)
            yield _from_components(one, times[at], positions, None, notes)
        else:
            column = columns.displacements[0]
            order = np.argsort(times[at], kind="stable")
            values = numbers_of(part[column], column, notes)[order] * unit
            yield _station(one, times[at][order], _cumulative(values, columns, one, notes), {}, notes)


def _positions(frame: DataFrame, columns: Components | str | None, unit: float, notes: list[str]) -> dict[str, Values]:
    assert isinstance(columns, Components)  # noqa: S101  as `Columns.check` saw to
    named = {"north": columns.north, "east": columns.east, "up": columns.up}
    return {what: numbers_of(frame[column], column, notes) * unit for what, column in named.items() if column}


def _from_components(
    name: str, times: Times, positions: dict[str, Values], reference: dict[str, Values] | None, notes: list[str]
) -> Station | None:
    """A station whose displacement is its distance from where it began, in the plane where height does not count."""
    if reference is not None:
        positions = {what: values - reference[what] for what, values in positions.items() if what in reference}
        notes.append("Displacement is relative to the reference, which is taken to be stable.")
    order = np.argsort(times, kind="stable")
    known = np.flatnonzero(np.all([np.isfinite(values[order]) for values in positions.values()], axis=0))
    if len(known) < FEWEST:
        notes.append(f"{name} has {len(known):,} known positions and was left out; {FEWEST} are needed.")
        return None
    first = order[known[:FIRST_DAYS]]
    moved = {what: values - values[first].mean() for what, values in positions.items()}
    distance = np.sqrt(sum(values**2 for values in moved.values()))
    notes.append(
        f"Displacement is the {'horizontal ' if 'up' not in moved else ''}distance from the mean of the first "
        f"{FIRST_DAYS} known positions; where a station hardly moves, noise makes it larger than zero."
    )
    return _station(name, times, np.asarray(distance), moved, notes)


def _cumulative(values: Values, columns: Columns, name: str, notes: list[str]) -> Values:
    """Cumulative displacement of a column that may hold increments."""
    if not columns.increments:
        return values
    unknown = np.isnan(values)
    if unknown.any() and name:
        notes.append(
            f"{int(unknown.sum()):,} increments of {name} are not known: what moved then is not in the sum, which is a "
            "lower bound from there on."
        )
    return np.where(unknown, np.nan, np.cumsum(np.where(unknown, 0.0, values)))


def _station(
    name: str, times: Times, values: Values, components: dict[str, Values], notes: list[str]
) -> Station | None:
    times, (values, *parts) = joined(times, (values, *components.values()), name, notes)
    known = np.isfinite(values)
    if int(known.sum()) < FEWEST:
        notes.append(f"{name} has {int(known.sum()):,} known values and was left out; {FEWEST} are needed.")
        return None
    if np.ptp(values[known]) == 0:
        notes.append(f"{name} has the same value throughout: it did not move, or was not read.")
    return Station(name, times, values, dict(zip(components, parts, strict=True)))


def joined(
    times: Times, columns: tuple[Values, ...], name: str, notes: list[str]
) -> tuple[Times, tuple[Values, ...]]:
    """Rows in the order of their times, those of one time joined to their mean.

    Parameters
    ----------
    times
        ``(n,)``, in any order.
    columns
        Each ``(n,)``.

    Returns
    -------
    tuple
        Times that ascend, and the columns for them.
    """
    order = np.argsort(times, kind="stable")
    times = times[order]
    found, inverse = np.unique(times, return_inverse=True)
    sorted_columns = tuple(values[order] for values in columns)
    if len(found) == len(times):
        return times, sorted_columns
    made, differing = [], 0
    for values in sorted_columns:
        known = np.isfinite(values)
        count = np.bincount(inverse[known], minlength=len(found))
        total = np.bincount(inverse[known], values[known], len(found))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / count
        far = np.abs(np.where(known, values - mean[inverse], 0.0)) > 1e-9 * np.maximum(1.0, np.abs(mean[inverse]))
        differing = max(differing, len(set(inverse[far].tolist())))
        made.append(mean)
    repeated = len(times) - len(found)
    differ = f", {differing:,} of them with differing values, of which the mean is taken" if differing else ""
    notes.append(f"{repeated:,} repeated times of {name} were joined{differ}.")
    return found, tuple(made)


def _driver(frame: DataFrame, times: Times, quantity: Quantity, column: str, notes: list[str]) -> Driver:
    values = numbers_of(frame[column], column, notes)
    for pattern, factor in FACTORS.get(quantity, ()):
        if re.search(pattern, column, re.IGNORECASE):
            values = values * factor
            notes.append(f"{column} was brought to {UNITS[quantity]} (times {factor:g}), by its heading.")
            break
    if quantity == "rain" and (values < 0).any():
        notes.append(f"{int((values < 0).sum()):,} values of {column} are below zero and count as not measured.")
        values = np.where(values < 0, np.nan, values)
    known = np.isfinite(values)
    if not known.any():
        raise InputError(f"The column {column} has no value.", remedy="Leave it out.")
    at, (joined_values,) = joined(times[known], (values[known],), column, notes)
    return Driver(column, quantity, at, joined_values)
