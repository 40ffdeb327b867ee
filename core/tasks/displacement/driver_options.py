"""Options of commands for rain, levels and other drivers in a file of their own."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.series.columns import DRIVERS
from core.series.drivers import DriverTable, guess_drivers
from core.series.fixed_rain import HOURLY, RAIN_UNITS, RainLayout
from core.series.heads import read_series_table

NAMES = ("drivers", "drivers_format", "drivers_unit", "drivers_station", "drivers_columns")
"""Options, as a configuration names them."""

FIELDS = ("time", "clock", "date_order", *DRIVERS)
"""What can be said of the columns of a table."""


def add_file(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the file, and those that say how it is read."""
    parser.add_argument("--drivers", type=Path, help="file of rain, levels and other drivers with its own times")
    add_format(parser)


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a file of drivers is read."""
    parser.add_argument(
        "--drivers-format", metavar="FORMAT",
        help=f"table, hourly ({HOURLY.pattern} in {HOURLY.unit}), or a fixed-width layout in these letters: S "
             "station, Y year, M month, D day, H hour, N minute, R rain (table)",
    )  # fmt: skip
    parser.add_argument("--drivers-unit", choices=tuple(RAIN_UNITS), help="unit of the rain in a fixed-width file")
    parser.add_argument("--drivers-station", help="station to read, if a fixed-width file holds several")
    parser.add_argument(
        "--drivers-columns", type=_list, metavar="WHAT=COLUMN,…",
        help=f"columns of a table: {', '.join(FIELDS)} (date_order=dmy, mdy or ymd); recognised automatically if not "
             "given",
    )  # fmt: skip


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def driver_table(path: Path, given: Mapping[str, Any]) -> DriverTable:
    """How a file of drivers is read, from the options of a command.

    Parameters
    ----------
    path
        The file; its columns are guessed where none is named.
    given
        Options by the names of `NAMES`; others are not looked at.

    Raises
    ------
    InputError
        When they do not go together.
    """
    form = str(given.get("drivers_format") or "table")
    if form != "table":
        if given.get("drivers_columns"):
            raise InputError("A fixed-width file has no column names.", remedy="Omit --drivers-columns.")
        pattern, unit = (HOURLY.pattern, HOURLY.unit) if form == "hourly" else (form, "")
        unit = given.get("drivers_unit") or unit
        if not unit:
            raise InputError(
                "The unit of the rain is unknown.", "Thresholds depend on it.",
                f"Give it (--drivers-unit): {', '.join(RAIN_UNITS)}.",
            )  # fmt: skip
        return DriverTable(layout=RainLayout(pattern, unit, given.get("drivers_station") or ""))
    for name in ("drivers_unit", "drivers_station"):
        if given.get(name):
            raise InputError(
                f"--{name.replace('_', '-')} applies to fixed-width files only.",
                remedy="Give the layout (--drivers-format), or omit the option.",
            )  # fmt: skip
    frame = read_series_table(path)
    if frame.shape[1] < 2:
        raise InputError(
            f"{path.name} has a single column.",
            "It may be a fixed-width file of rain, whose layout cannot be detected.",
            "Give the layout (--drivers-format hourly, or letters such as SSYYYYMMDDHHRRR).",
        )  # fmt: skip
    guess = guess_drivers(frame)
    named = _named(given.get("drivers_columns") or ())
    changed: dict[str, Any] = {one: named[one][-1] for one in ("time", "clock", "date_order") if one in named}
    if any(one in named for one in DRIVERS):
        changed |= {one: tuple(named.get(one, ())) for one in DRIVERS}
    return DriverTable(replace(guess.columns, **changed))


def _named(parts: tuple[str, ...]) -> dict[str, list[str]]:
    """Columns by what they are."""
    found: dict[str, list[str]] = {}
    for part in parts:
        what, mark, column = (one.strip() for one in part.partition("="))
        if what not in FIELDS or not mark or not column:
            raise InputError(f"{part[:60]!r} is not a valid driver column.",
                             remedy=f"Write WHAT=COLUMN with {', '.join(FIELDS)}.")  # fmt: skip
        if what == "date_order" and column not in ("dmy", "mdy", "ymd"):
            raise InputError(
                f"{column[:20]!r} is not a valid order of day, month and year.", remedy="Write dmy, mdy or ymd."
            )
        found.setdefault(what, []).append(column)
    return found
