"""Options of commands for rain, levels and other drivers in a file of their own."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.series.columns import DRIVERS, Columns
from core.series.drivers import DriverTable, guess_drivers
from core.series.fixed_rain import HOURLY, RAIN_UNITS, RainLayout
from core.series.heads import read_series_table

NAMES = ("drivers", "drivers_format", "drivers_unit", "drivers_station", "drivers_columns")
"""Options, as a configuration names them."""

FIELDS = ("time", "clock", "date_order", *DRIVERS)
"""What can be said of the columns of a table."""


def add_file(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the file, and those that say how it is read."""
    parser.add_argument("--drivers", type=Path, help="file with rain, levels and others, with times of its own")
    add_format(parser)


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a file of drivers is read."""
    parser.add_argument(
        "--drivers-format", metavar="FORMAT",
        help=f"table, hourly ({HOURLY.pattern} in {HOURLY.unit}), or the layout of fixed columns in such letters: S "
        "station, Y year, M month, D day, H hour, N minute, R rain (table)",
    )  # fmt: skip
    parser.add_argument("--drivers-unit", choices=tuple(RAIN_UNITS), help="of rain in fixed columns")
    parser.add_argument("--drivers-station", help="station that is read, where fixed columns hold several")
    parser.add_argument(
        "--drivers-columns", type=_list, metavar="WHAT=COLUMN,…",
        help=f"columns of a table: {', '.join(FIELDS)} (date_order=dmy, mdy or ymd); guessed where none is named",
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
            raise InputError("Fixed columns have no names.", remedy="Leave out --drivers-columns.")
        pattern, unit = (HOURLY.pattern, HOURLY.unit) if form == "hourly" else (form, "")
        unit = given.get("drivers_unit") or unit
        if not unit:
            raise InputError(
                "The unit of the rain is not known.", "Thresholds depend on it.",
                f"Say it (--drivers-unit): {', '.join(RAIN_UNITS)}.",
            )  # fmt: skip
        return DriverTable(layout=RainLayout(pattern, unit, given.get("drivers_station") or ""))
    for name in ("drivers_unit", "drivers_station"):
        if given.get(name):
            raise InputError(
                f"--{name.replace('_', '-')} is for rain in fixed columns.",
                remedy="Name the layout (--drivers-format), or leave it out.",
            )  # fmt: skip
    frame = read_series_table(path)
    if frame.shape[1] < 2:
        raise InputError(
            f"{path.name} has one column.", "It may be rain in fixed columns, whose layout cannot be guessed.",
            "Say it (--drivers-format hourly, or letters such as SSYYYYMMDDHHRRR).",
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
            raise InputError(f"{part[:60]!r} names no column of drivers.",
                             remedy=f"Write WHAT=COLUMN with {', '.join(FIELDS)}.")  # fmt: skip
        if what == "date_order" and column not in ("dmy", "mdy", "ymd"):
            raise InputError(f"{column[:20]!r} is no order of day, month and year.", remedy="Write dmy, mdy or ymd.")
        found.setdefault(what, []).append(column)
    return found


def columns_of(table: DriverTable | None) -> Columns:
    """The drivers of a file as columns; none without one."""
    if table is None:
        return Columns("")
    return table.columns if table.layout is None else Columns("", rain=table.names)
