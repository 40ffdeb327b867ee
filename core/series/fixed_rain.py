"""Rain in columns of fixed width without marks between them, as weather services keep it: the layout is asked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.files import regular_file
from core.series.columns import QuestionError
from core.series.monitoring import Driver, Times, Values
from core.series.serials import calendar_times
from core.series.stations import joined
from core.wording import agree, count

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MAX_BYTES = 200_000_000

RAIN_UNITS = {"mm": 1.0, "0.1 mm": 0.1, "0.01 in": 0.254, "0.1 in": 2.54, "in": 25.4, "cm": 10.0}
"""Millimetres in the units that such files have."""

_LETTERS = {"S": "station", "Y": "year", "M": "month", "D": "day", "H": "hour", "N": "minute", "R": "rain"}

LARGEST_SHARE = 0.1
"""Share of the rows that may not follow the layout."""


@dataclass(frozen=True)
class RainLayout:
    """How rows of fixed width are written.

    Attributes
    ----------
    pattern
        A letter for each place: S station, Y year, M month, D day, H hour, N minute, R rain, and a point for what is
        left out; such as ``SSYYYYMMDDHHRRR``. The rain may run on beyond the pattern, where it ends with R.
    unit
        One of `RAIN_UNITS`.
    station
        Station that is read, where the rows name several; all rows when empty.
    """

    pattern: str
    unit: str
    station: str = ""

    def __post_init__(self) -> None:
        if not self.pattern:
            raise QuestionError(
                "pattern", "The layout of the rows is unknown.",
                "Without separators, years, hours and rain cannot be told apart.",
                "Give a letter for each character position, such as SSYYYYMMDDHHRRR.",
            )  # fmt: skip
        if not self.unit:
            raise QuestionError(
                "unit", "The unit of the rain is unknown.", "Thresholds depend on the unit.",
                f"Choose {', '.join(RAIN_UNITS)}.",
            )  # fmt: skip
        if self.unit not in RAIN_UNITS:
            raise InputError(f"{self.unit[:20]!r} is not a unit of rain.", remedy=f"Choose {', '.join(RAIN_UNITS)}.")
        runs = re.findall(r"([SYMDHN.R])\1*", self.pattern)
        letters = [one for one in runs if one != "."]
        strange = re.sub(r"[SYMDHNR.]", "", self.pattern)
        if strange or len(set(letters)) < len(letters) or not {"Y", "M", "D", "R"} <= set(letters):
            raise InputError(
                f"{self.pattern[:40]!r} is not a valid row layout.",
                "Year, month, day and rain must each occur once, in adjacent characters.",
                "Give a letter for each character position, such as SSYYYYMMDDHHRRR.",
            )  # fmt: skip

    @property
    def expression(self) -> str:
        """A regular expression with a group for each field."""
        made = ""
        for run in re.finditer(r"([SYMDHN.R])\1*", self.pattern):
            letter, size = run.group(1), len(run.group())
            last = run.end() == len(self.pattern)
            if letter == ".":
                made += f".{{{size}}}"
            elif letter == "R" and last:
                made += rf"(?P<rain>[ \d.+-]{{{size},{size + 3}}})"
            else:
                made += f"(?P<{_LETTERS[letter]}>.{{{size}}})"
        return rf"^{made}\s*$"


HOURLY = RainLayout("SSYYYYMMDDHHRRR", "0.01 in")
"""Hourly rain of the U.S. National Weather Service, as the programs of landslides-thresholds read it."""


def read_fixed_rain(
    path: str | os.PathLike[str], layout: RainLayout, notes: list[str], name: str = "rain"
) -> Driver:
    """Read rain in columns of fixed width.

    Parameters
    ----------
    path
        Text, a row a reading.
    layout
        How the rows are written.
    notes
        Receives what was left out, with its number.
    name
        Of the driver.

    Returns
    -------
    Driver
        Rain in mm at the times of the rows, which mark the end of what fell; hours 24 are the next midnight. Rain below
        zero, or of nines alone, was not measured.

    Raises
    ------
    InputError
        When the file is no text of such rows, or names several stations and none is chosen.
    """
    import pandas as pd

    file = regular_file(path)
    if file.stat().st_size > MAX_BYTES:
        raise InputError(f"{file.name} is larger than {MAX_BYTES / 1e6:.0f} MB.", remedy=
            "Reduce it to the rows that you need.")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is not a text file.", remedy="Choose another file.") from error
    rows = pd.Series([line for line in lines if line.strip()], dtype="string")
    parts = rows.str.extract(layout.expression)
    times = _times(parts)
    wrong = np.isnat(times)
    strays = int(wrong.sum())
    do = agree(strays, "does", "do")
    if not len(rows) or strays > LARGEST_SHARE * len(rows):
        raise InputError(
            f"{strays:,} of {count(len(rows), 'row')} of {file.name} {do} not match the layout {layout.pattern}.",
            f"The first is {str(rows[wrong].iloc[0])[:40]!r}." if len(rows) else "",
            "Choose another layout.",
        )  # fmt: skip
    if wrong.any():
        were = agree(strays, "was", "were")
        notes.append(f"{count(strays, 'row')} of {file.name} {do} not match the layout and {were} left out.")
    chosen = ~wrong & _of_station(parts, layout, file.name)
    values = _rain(parts["rain"], RAIN_UNITS[layout.unit])
    unknown = int(np.isnan(values[chosen]).sum())
    if unknown:
        notes.append(f"{count(unknown, 'reading')} of {name} {agree(unknown, 'is', 'are')} unknown.")
    at, found = joined(times[chosen], {name: values[chosen]}, name, notes)
    if not np.isfinite(found[name]).any():
        raise InputError(f"{file.name} holds no known rain values.", remedy="Choose another layout or file.")
    return Driver(name, "rain", at, found[name])


def _number(text: Series[str]) -> Values:
    import pandas as pd

    return pd.to_numeric(text.str.strip(), errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _times(parts: DataFrame) -> Times:
    hours = _number(parts["hour"]) if "hour" in parts else 0.0
    minutes = _number(parts["minute"]) if "minute" in parts else 0.0
    return calendar_times(
        _number(parts["year"]), _number(parts["month"]), _number(parts["day"]), hours * 3600.0 + minutes * 60.0
    )


def _of_station(parts: DataFrame, layout: RainLayout, name: str) -> NDArray[np.bool_]:
    """Which rows are of the station wanted."""
    if "station" not in parts:
        return np.ones(len(parts["rain"]), bool)
    text = parts["station"].str.strip().fillna("")
    known = sorted(set(text) - {""})
    if layout.station:
        if layout.station not in known:
            raise InputError(f"{name} has no station {layout.station!r}.", remedy=
                f"Its stations: {', '.join(known[:20])}.")
        return (text == layout.station).to_numpy(bool)
    if len(known) > 1:
        raise InputError(
            f"{name} holds {len(known)} stations: {', '.join(known[:20])}.",
                "Their rain cannot be combined into one series.",
            "Choose one station.",
        )  # fmt: skip
    return np.ones(len(text), bool)


def _rain(text: Series[str], factor: float) -> Values:
    """Rain in mm; NaN where it is below zero, nines alone, or nothing."""
    values = _number(text)
    nines = text.str.strip().str.fullmatch(r"9{3,}").fillna(False).to_numpy(bool)
    with np.errstate(invalid="ignore"):
        return np.where((values < 0) | nines, np.nan, values * factor)
