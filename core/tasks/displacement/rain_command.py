"""``python -m core displacement rain``: events of rain against published thresholds, from a file of rain alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from core.raster.folder import plain_values, write_json
from core.series.drivers import read_drivers
from core.series.kinematics import usual_spacing
from core.series.monitoring import Driver
from core.series.rainfall import DRY_HOURS, INCH, THRESHOLDS, RainEvents, antecedent, events_of, exceeded
from core.tasks.displacement.driver_options import NAMES, add_format, driver_table
from core.tasks.displacement.warning import DISCLAIMER
from core.wording import agree, count

ANTECEDENT = "P3 = 3.5 - 0.67 P15 inches: 3-day rain against the rain of the preceding 15 days"
ANTECEDENT_SOURCE = "Chleborad 2000, U.S. Geological Survey, Seattle"

LONGEST_DRY = 24.0 * 60
"""Most hours without rain after which an event can be said to end."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    one = commands.add_parser(
        "rain", description=__doc__, help="rainfall events and antecedent rain against published thresholds, as JSON"
    )
    one.add_argument("table", type=Path, help="table with a rain column, or fixed-width rain file")
    add_format(one)
    one.add_argument("--dry-hours", type=float, default=DRY_HOURS,
                     help=f"number of dry hours that end an event ({DRY_HOURS:.0f})")  # fmt: skip
    one.add_argument("--out", type=Path, help="JSON")
    one.set_defaults(do=_rain)


def _rain(arguments: argparse.Namespace) -> None:
    if not 0 < arguments.dry_hours <= LONGEST_DRY:
        raise InputError(f"A dry period of {arguments.dry_hours:g} hours is out of range.",
                         remedy=f"Choose up to {LONGEST_DRY:.0f} (--dry-hours).")  # fmt: skip
    table = driver_table(arguments.table, {name: getattr(arguments, name, None) for name in NAMES})
    read = read_drivers(arguments.table, table)
    rains = [one for one in read.drivers if one.quantity == "rain"]
    if not rains:
        raise InputError(f"{arguments.table.name} has no rain column.",
                         remedy="Give it (--drivers-columns rain=COLUMN).")  # fmt: skip
    content = {
        "file": arguments.table.name, "unit": "mm", "zone": read.zone,
        "rain": {one.name: found_in(one, arguments.dry_hours) for one in rains},
        "notes": list(read.notes), "disclaimer": DISCLAIMER,
    }  # fmt: skip
    if arguments.out is None:
        print(json.dumps(plain_values(content), indent=1))
        return
    write_json(content, arguments.out)
    for name, found in content["rain"].items():
        for line in sentences(name, found):
            print(line)
    for line in (*read.notes, DISCLAIMER):
        print(line)


def found_in(rain: Driver, dry_hours: float = DRY_HOURS) -> dict[str, Any]:
    """Events of a rain series with the thresholds that each reaches, and the days of much antecedent rain.

    Parameters
    ----------
    rain
        mm of each reading since the one before; NaN where not known, which is not dry: events beside such readings are
        left out and counted, and days without all readings have no antecedent rain.
    dry_hours
        Hours without rain after which an event has ended.

    Returns
    -------
    dict
        For JSON: ``events`` (``begin``, ``end``, ``hours``, ``total`` in mm, ``intensity`` in mm/h, ``reached``),
        ``thresholds``, ``antecedent``, and what the series holds: known
        ``readings``, and how many are ``unknown`` between the first and the last at the usual spacing.

    Raises
    ------
    InputError
        When it is no rain, or has too few readings.
    """
    events = events_of(rain, dry_hours)
    reached = {name: exceeded(events, one) for name, one in THRESHOLDS.items()}
    known = np.isfinite(rain.values)
    spacing = usual_spacing(rain.times)
    expected = int(np.round((rain.times[-1] - rain.times[0]) / np.timedelta64(1, "D") / spacing)) + 1
    return {
        "first": _time(rain.times[0]), "last": _time(rain.times[-1]), "readings": int(known.sum()),
        "unknown": max(0, expected - int(known.sum())), "step_hours": round(spacing * 24, 4),
        "total": float(rain.values[known].sum()), "dry_hours": dry_hours,
        "thresholds": {
            name: {
                "title": one.name, "a": one.a, "b": one.b, "shortest_hours": one.shortest, "longest_hours": one.longest,
                "source": one.source, "events": int(np.isfinite(one.intensity(events.hours)).sum()),
                "reached": int(reached[name].sum()),
            }
            for name, one in THRESHOLDS.items()
        },
        "events": [_event(events, at, [name for name, hit in reached.items() if hit[at]])
                   for at in range(len(events.begins))],
        "left_out": events.unknown, "antecedent": _antecedent(rain),
    }  # fmt: skip


def _event(events: RainEvents, at: int, reached: list[str]) -> dict[str, Any]:
    return {
        "begin": _time(events.begins[at]), "end": _time(events.ends[at]), "hours": float(events.hours[at]),
        "total": round(float(events.totals[at]), 3), "intensity": round(float(events.intensities[at]), 4),
        "reached": reached,
    }  # fmt: skip


def _antecedent(rain: Driver) -> dict[str, Any]:
    found = antecedent(rain)
    limit = 3.5 * INCH - 0.67 * found.before
    return {
        "threshold": ANTECEDENT, "source": ANTECEDENT_SOURCE, "days": len(found.times),
        "unknown": int((~found.known).sum()), "reached": int(found.reached.sum()),
        "days_reached": [
            {"day": str(found.times[at])[:10], "recent": round(float(found.recent[at]), 3),
             "before": round(float(found.before[at]), 3), "excess": round(float(found.recent[at] - limit[at]), 3)}
            for at in np.flatnonzero(found.reached)
        ],
    }  # fmt: skip


def _time(time: np.datetime64) -> str:
    return str(time.astype("datetime64[m]"))


def sentences(name: str, found: dict[str, Any]) -> list[str]:
    """What was found, in words."""
    told = [
        f"{name}: {count(len(found['events']), 'rainfall event')} from {found['first'][:10]} to {found['last'][:10]}, "
        f"{found['total']:,.0f} mm in total."
    ]
    if lost := found["left_out"]:
        adjoin, were = agree(lost, "contains or adjoins", "contain or adjoin"), agree(lost, "was", "were")
        told.append(f"{count(lost, 'event')} {adjoin} missing readings and {were} left out.")
    told += [
        f"{one['title']}: reached by {one['reached']:,} of {count(one['events'], 'event')} of "
        f"{one['shortest_hours']:g} to {one['longest_hours']:g} h."
        for one in found["thresholds"].values()
    ]
    days = found["antecedent"]
    known = days["days"] - days["unknown"]
    told.append(
        f"Antecedent rain ({days['source']}): threshold reached on {days['reached']:,} of {count(known, 'day')} with "
        "complete data."
    )
    if found["step_hours"] >= 24:
        told.append("Readings at intervals of a day or longer smooth out bursts of rain: intensities are means over "
                    "whole days.")
    return told
