"""The stations of a table: joined where times repeat, relative to a stable one, cumulative, and as a distance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.series.columns import Columns, Components
from core.series.monitoring import Station, Times, Values
from core.series.numbers import numbers_of
from core.series.units import lengths_of, warn_of_mixed_units
from core.wording import agree, count

if TYPE_CHECKING:
    from pandas import DataFrame

FEWEST = 12
"""Known values of a station below which nothing is made of it."""

FIRST_DAYS = 10
"""Known positions whose mean is where a station begins."""

MOST_STATIONS = 2_000

WHOLE = ""
"""Key of displacement that is measured as such, beside ``"north"``, ``"east"`` and ``"up"``."""

Parts = Mapping[str, Values]
"""What was measured of a station: displacement, or its components; each ``(n,)``."""


def stations_of(frame: DataFrame, times: Times, columns: Columns, name: str, notes: list[str]) -> tuple[Station, ...]:
    """The stations of a table.

    Parameters
    ----------
    frame
        Its rows, `times` of which are known.
    columns
        Which of its columns are what.
    name
        What users call the table.
    notes
        Receives what was assumed or left out.

    Raises
    ------
    QuestionError
        When the unit has to be asked.
    InputError
        When a column cannot be read, or no station has enough values.
    """
    units = lengths_of(columns)
    read = {column: numbers_of(frame[column], column, notes) * units[column] for column in _measured(frame, columns)}
    made = [
        _station(one, at, parts, columns, notes) for one, at, parts in _referenced(frame, times, columns, read, notes)
    ]
    kept = [one for one in made if one is not None]
    if not kept:
        raise InputError(
            f"No station of {name} has {FEWEST} known values.",
            f"Fewer values do not show any movement. {' '.join(notes[-2:])}",
            "Check the columns, or add values.",
        )  # fmt: skip
    return tuple(kept)


def _measured(frame: DataFrame, columns: Columns) -> list[str]:
    """Columns of displacement and positions, each once."""
    named = (*columns.displacements, *(name for one in columns.components for name in one.columns), *columns.referenced)
    return [one for one in dict.fromkeys(named) if one in frame.columns]


def _keys(one: str | Components) -> dict[str, str]:
    """Columns by what they hold."""
    if isinstance(one, str):
        return {WHOLE: one}
    return {what: column for what, column in (("north", one.north), ("east", one.east), ("up", one.up)) if column}


def _referenced(
    frame: DataFrame, times: Times, columns: Columns, read: Mapping[str, Values], notes: list[str]
) -> Iterator[tuple[str, Times, Parts]]:
    """Each station with its rows, what is stable taken away."""
    measured: tuple[str | Components, ...] = columns.displacements or columns.components
    if columns.station and columns.named_station not in read and columns.reference is not None:
        yield from _less_station(frame, times, columns, read, notes)
        return
    base = {} if columns.reference is None else {key: read[one] for key, one in _keys(columns.reference).items()}
    if base:
        called = columns.reference if isinstance(columns.reference, str) else ", ".join(columns.referenced)
        notes.append(f"Displacement is relative to {called}, which is assumed to be stable.")
    for one in measured:
        parts = {key: read[column] for key, column in _keys(one).items()}
        if base:
            parts = {key: values - base[key] for key, values in parts.items() if key in base}
        if columns.station:
            yield from _by_station(frame, times, columns.station, parts, notes)
        else:
            yield (one if isinstance(one, str) else one.name), times, parts


def _by_station(
    frame: DataFrame, times: Times, column: str, parts: Parts, notes: list[str]
) -> Iterator[tuple[str, Times, Parts]]:
    """The stations of a table with a row for each station and time."""
    import pandas as pd

    text = frame[column].astype("string").str.strip()
    codes, names = pd.factorize(text.mask(text == ""), sort=True)
    unnamed = int((codes < 0).sum())
    if unnamed:
        notes.append(f"{count(unnamed, 'row')} without a station {agree(unnamed, 'was', 'were')} left out.")
    if len(names) > MOST_STATIONS:
        raise InputError(
            f"{column} names {len(names):,} stations; the limit is {MOST_STATIONS:,}.",
            remedy="Choose another column, or use the command for InSAR points.",
        )  # fmt: skip
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for number, name in enumerate(names):
        at = order[ends[number] : ends[number + 1]]
        yield str(name), times[at], {key: values[at] for key, values in parts.items()}


def _less_station(
    frame: DataFrame, times: Times, columns: Columns, read: Mapping[str, Values], notes: list[str]
) -> Iterator[tuple[str, Times, Parts]]:
    """The stations of a long table but one, which is taken away at the times that both have."""
    one = (columns.displacements or columns.components)[0]
    parts = {key: read[column] for key, column in _keys(one).items()}
    found = {name: (at, values) for name, at, values in _by_station(frame, times, columns.station, parts, notes)}
    stable = columns.named_station
    if stable not in found:
        raise InputError(
            f"There is no station or column {stable!r}.", remedy=f"Stations: {', '.join(list(found)[:20])}."
        )
    at, values = found.pop(stable)
    base_times, base = joined(at, values, stable, notes)
    for name, (mine, ours) in found.items():
        where = np.clip(np.searchsorted(base_times, mine), 0, len(base_times) - 1)
        common = base_times[where] == mine
        yield name, mine, {key: each - np.where(common, base[key][where], np.nan) for key, each in ours.items()}
    notes.append(f"Displacement is relative to {stable}, which is assumed to be stable, at the times that both have.")


def _station(name: str, times: Times, parts: Parts, columns: Columns, notes: list[str]) -> Station | None:
    """A station; None with a note where too few of its values are known."""
    if not columns.station and len(times) > 1 and (np.diff(times) < np.timedelta64(0, "ns")).any():
        notes.append("Rows were not in chronological order and were sorted.")
    times, parts = joined(times, parts, name, notes)
    if columns.increments:
        parts = {key: _summed(values, f"{name} {key}".strip(), notes) for key, values in parts.items()}
    known = int(np.all([np.isfinite(values) for values in parts.values()], axis=0).sum())
    if known < FEWEST:
        notes.append(f"{name} has {count(known, 'known value')} and was left out; {FEWEST} are needed.")
        return None
    components: Parts = {}
    if WHOLE in parts:
        values = parts[WHOLE]
        warn_of_mixed_units(values, name, notes)
    else:
        components, values = moved(parts)
        notes.append(
            f"Displacement is the {'horizontal ' if 'up' not in parts else ''}distance from the mean of the first "
            f"{FIRST_DAYS} known positions; if a station hardly moves, noise makes it larger than zero."
        )
    if np.ptp(values[np.isfinite(values)]) == 0:
        notes.append(f"{name} has the same value throughout: it did not move, or was not read.")
    return Station(name, times, values, components)


def moved(positions: Parts) -> tuple[dict[str, Values], Values]:
    """How far a station has moved from where it began, by component and as a distance.

    Parameters
    ----------
    positions
        Components, each ``(n,)`` in mm and in the order of their times; NaN where unknown.

    Returns
    -------
    tuple
        The components from the mean of the first `FIRST_DAYS` positions of which all are known, and the length of
        their sum, ``(n,)``; NaN where one of them is unknown.
    """
    known = np.flatnonzero(np.all([np.isfinite(values) for values in positions.values()], axis=0))
    first = known[:FIRST_DAYS]
    found = {what: values - (values[first].mean() if first.size else 0.0) for what, values in positions.items()}
    return found, np.asarray(np.sqrt(sum(values**2 for values in found.values())))


def _summed(values: Values, name: str, notes: list[str]) -> Values:
    """Cumulative displacement from increments, unknown where an increment is."""
    unknown = np.isnan(values)
    if unknown.any():
        lost = int(unknown.sum())
        notes.append(
            f"{count(lost, 'increment')} of {name} {agree(lost, 'is', 'are')} unknown: the movement during "
            f"{agree(lost, 'it', 'them')} is missing from the sum from there on."
        )
    return np.where(unknown, np.nan, np.cumsum(np.where(unknown, 0.0, values)))


def joined(times: Times, columns: Parts, name: str, notes: list[str]) -> tuple[Times, dict[str, Values]]:
    """Rows in the order of their times, those of one time joined to their mean.

    Parameters
    ----------
    times
        ``(n,)``, in any order.
    columns
        Each ``(n,)``.
    notes
        Receives how many were joined.

    Returns
    -------
    tuple
        Times that ascend, and the columns for them.
    """
    order = np.argsort(times, kind="stable")
    times = times[order]
    ordered = {key: values[order] for key, values in columns.items()}
    found, inverse = np.unique(times, return_inverse=True)
    if len(found) == len(times):
        return times, ordered
    made, differing = {}, np.zeros(len(found), bool)
    for key, values in ordered.items():
        known = np.isfinite(values)
        number = np.bincount(inverse[known], minlength=len(found))
        total = np.bincount(inverse[known], values[known], len(found))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / number
        far = known & (np.abs(values - mean[inverse]) > 1e-9 * np.maximum(1.0, np.abs(mean[inverse])))
        differing[inverse[far]] = True
        made[key] = mean
    merged, those = len(times) - len(found), ""
    if differing.any():
        some = "" if merged == 1 else f"{int(differing.sum()):,} of them "
        those = f", {some}with differing values, which were averaged"
    notes.append(f"{count(merged, 'repeated time')} of {name} {agree(merged, 'was', 'were')} merged{those}.")
    return found, made
