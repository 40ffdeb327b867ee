"""A newer file of the same stations joined to an older one: what both hold is compared, and differences are said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.errors import InputError
from core.series.monitoring import Driver, Monitoring, Station, Times, Values
from core.series.stations import moved
from core.series.words import signed
from core.wording import agree, count

SAME = 1e-6
"""mm, or units of a driver, up to which two readings are the same."""

STEADY = 0.5
"""How many times its median a difference may scatter (median deviation) to be taken for another zero."""


def appended(older: Monitoring, newer: Monitoring, name: str) -> Monitoring:
    """Join the newer of two files of the same stations to the older one.

    Readings that both hold are compared. Where the newer file counts from another zero, which shows as a difference
    that is the same throughout, it is shifted. Where readings differ otherwise the newer one counts.

    Parameters
    ----------
    name
        What users call the older file.

    Raises
    ------
    InputError
        When they share no station, name different zones, or positions from other beginnings share no time.
    """
    if older.zone != newer.zone:
        raise InputError(
            f"{name} uses the time zone {older.zone or 'none'}, the newer file {newer.zone or 'none'}.",
            "Readings in two time zones would be hours apart.", "Convert both files to one time zone.",
        )  # fmt: skip
    before = {one.name: one for one in older.stations}
    if not any(one.name in before for one in newer.stations):
        raise InputError(f"{name} has none of the stations {', '.join(one.name for one in newer.stations[:10])}.",
                         remedy="Choose an earlier file of the same stations.")  # fmt: skip
    notes: list[str] = []
    stations = []
    for one in newer.stations:
        if one.name in before:
            stations.append(_station(before[one.name], one, name, notes))
        else:
            stations.append(one)
            notes.append(f"{one.name} is not in {name}.")
    gone = [one for one in before if one not in {station.name for station in newer.stations}]
    if gone:
        notes.append(f"Not in the newer file and left out: {', '.join(gone)} of {name}.")
    told = [one for one in older.notes if one not in newer.notes]
    return replace(newer, stations=tuple(stations), drivers=_drivers(older, newer, name, notes),
                   notes=(*newer.notes, *(f"{name}: {one}" for one in told), *notes))  # fmt: skip


def _station(old: Station, new: Station, name: str, notes: list[str]) -> Station:
    if set(old.components) != set(new.components):
        raise InputError(f"{new.name} has other components in {name}.", remedy="Use files with the same columns.")
    first, second = old.components or {"": old.displacements}, new.components or {"": new.displacements}
    _, at_old, at_new = np.intersect1d(old.times, new.times, assume_unique=True, return_indices=True)
    if not len(at_old) and old.components:
        raise InputError(
            f"{new.name} has no reading at the same time in {name} and in the newer file.",
            "Each file measures positions from its own start, so the displacement between them is unknown.",
            "Use files that overlap in time, or displacement instead of positions.",
        )  # fmt: skip
    parts, differing, worst = {}, np.zeros(len(at_old), bool), 0.0
    for what in first:
        shift, left = _compared(first[what][at_old], second[what][at_new])
        if shift:
            notes.append(
                f"{f'{new.name} {what}'.strip()} of the newer file has another zero: {signed(shift, '+.2f')} mm were "
                "subtracted from it."
            )
        differing |= left > SAME
        worst = max(worst, float(left.max(initial=0.0)))
        parts[what] = (first[what], second[what] - shift)
    notes.append(_told(new.name, name, len(at_old), int(differing.sum()), worst, "mm"))
    times, joined = _joined(old.times, new.times, parts)
    if new.components:
        components, displacements = moved(joined)
        return replace(new, times=times, displacements=displacements, components=components)
    return replace(new, times=times, displacements=joined[""])


def _compared(old: Values, new: Values) -> tuple[float, Values]:
    """By how much the newer values lie above the older ones throughout (0 for not at all), and what differs beyond."""
    difference = new - old
    known = difference[np.isfinite(difference)]
    if not known.size:
        return 0.0, np.zeros(len(old))
    middle = float(np.median(known))
    scatter = float(np.median(np.abs(known - middle)))
    shift = middle if abs(middle) > SAME and scatter <= STEADY * abs(middle) and known.size > 1 else 0.0
    return shift, np.nan_to_num(np.abs(difference - shift))


def _told(station: str, name: str, shared: int, differing: int, worst: float, unit: str) -> str:
    if not shared:
        return f"{station} has no reading in common with {name}; both are assumed to start from the same zero."
    are = agree(shared, "is", "are")
    same = f"{count(shared, 'reading')} of {station} {are} in both files"
    if not differing:
        return f"{same} and {are} the same."
    return f"{same}; {differing:,} {agree(differing, 'differs', 'differ')}, by up to {worst:.3g} {unit}; the newer " + (
        "value is used."
    )


def _joined(old: Times, new: Times, parts: Mapping[str, tuple[Values, Values]]) -> tuple[Times, dict[str, Values]]:
    """Both in the order of their times; where both know a value, the newer one."""
    times = np.union1d(old, new)
    found = {}
    for what, (first, second) in parts.items():
        values = np.full(len(times), np.nan)
        values[np.searchsorted(times, old)] = first
        known = np.isfinite(second)
        values[np.searchsorted(times, new[known])] = second[known]
        found[what] = values
    return times, found


def _drivers(older: Monitoring, newer: Monitoring, name: str, notes: list[str]) -> tuple[Driver, ...]:
    before = {one.name: one for one in older.drivers}
    found = []
    for one in newer.drivers:
        if (old := before.get(one.name)) is None:
            found.append(one)
            continue
        _, at_old, at_new = np.intersect1d(old.times, one.times, assume_unique=True, return_indices=True)
        difference = np.nan_to_num(np.abs(one.values[at_new] - old.values[at_old]))
        differing = int((difference > SAME).sum())
        if differing:
            notes.append(_told(one.name, name, len(at_old), differing, float(difference.max()), ""))
        times, joined = _joined(old.times, one.times, {"": (old.values, one.values)})
        found.append(replace(one, times=times, values=joined[""]))
    return tuple(found)
