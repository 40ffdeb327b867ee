"""Position files of the Plate Boundary Observatory (UNAVCO, EarthScope): CSV and POS, several stations together.

Both begin with "PBO Station Position Time Series". CSV files hold positions in mm, POS files in metres; both are made
millimetres here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.raster.files import first_bytes, regular_file
from core.series.columns import Columns, Components
from core.series.monitoring import Monitoring, Times, Values
from core.series.read import monitoring_of
from core.series.serials import calendar_times

if TYPE_CHECKING:
    from pandas import DataFrame

FIRST_LINE = b"PBO Station Position Time Series"

MAX_BYTES = 50_000_000

HEADER_LINES = 60

#: Columns of dN, dE and dU in the rows of a POS file.
_POS_PARTS = (15, 16, 17)


@dataclass(frozen=True)
class Positions:
    """Positions of a station.

    Attributes
    ----------
    name
        Its four characters.
    times
        ``(n,)``, ``datetime64[ns]``: days.
    north, east, up
        ``(n,)`` in mm, from the position of reference.
    place
        Longitude and latitude in degrees; None where the file does not say.
    frame
        Frame of reference, such as NAM08.
    title
        Name of the station in words.
    """

    name: str
    times: Times
    north: Values
    east: Values
    up: Values
    place: tuple[float, float] | None = None
    frame: str = ""
    title: str = ""


def is_position_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a position file of the PBO, by its first line."""
    return first_bytes(regular_file(path), 64).lstrip(b"\xef\xbb\xbf").startswith(FIRST_LINE)


def read_positions(path: str | os.PathLike[str]) -> Positions:
    """Read a position file, CSV or POS.

    Raises
    ------
    InputError
        When it is none, too large or damaged.
    """
    file = regular_file(path)
    if not is_position_file(file):
        raise InputError(
            f"{file.name} is not a PBO position file.", f"Those begin with {FIRST_LINE.decode()!r}.",
            "Read it as a table.",
        )  # fmt: skip
    if file.stat().st_size > MAX_BYTES:
        raise InputError(f"{file.name} is larger than {MAX_BYTES / 1e6:.0f} MB.", remedy=
            "Reduce it to the rows that you need.")
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    header = lines[:HEADER_LINES]
    begin = next((at for at, line in enumerate(header) if re.match(r"Date *,|\*YYYYMMDD ", line.strip())), None)
    if begin is None:
        raise InputError(f"{file.name} has no heading row.", remedy="Download it again.")
    rows = [line for line in lines[begin + 1 :] if line.strip()]
    read = _pos_rows if header[begin].lstrip().startswith("*") else _csv_rows
    times, parts = read(rows, file.name)
    if not len(times):
        raise InputError(f"{file.name} has no positions.", remedy="Download it again.")
    text = "\n".join(header[:begin])
    name = _field(text, "4-character ID") or file.name[:4]
    return Positions(
        name, times, *parts, _place(text), _field(text, "Reference Frame"), _field(text, "Station name")
    )  # fmt: skip


def _field(text: str, name: str) -> str:
    found = re.search(rf"(?:^|\. ){re.escape(name)}[ \t]*[,:][ \t]*(.*?)[ \t]*$", text, re.MULTILINE | re.IGNORECASE)
    return found.group(1) if found else ""


def _place(text: str) -> tuple[float, float] | None:
    """Longitude and latitude of the position of reference: degrees north, then east, from 0 to 360 or −180 to 180."""
    numbers = re.findall(r"[-+]?\d+\.\d+", _field(text, "Reference position") or _field(text, "NEU Reference position"))
    if len(numbers) < 2:
        return None
    latitude, longitude = float(numbers[0]), float(numbers[1])
    longitude = longitude - 360 if longitude > 180 else longitude
    return (longitude, latitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _csv_rows(rows: list[str], name: str) -> tuple[Times, tuple[Values, Values, Values]]:
    """Rows ``2017-01-15, north, east, up, …`` in mm."""
    fields = [[one.strip() for one in row.split(",")] for row in rows]
    dates = [one[0].replace("-", "") for one in fields]
    return _checked(dates, [one[1:4] for one in fields], 1.0, name)


def _pos_rows(rows: list[str], name: str) -> tuple[Times, tuple[Values, Values, Values]]:
    """Rows ``YYYYMMDD HHMMSS JJJJJ.JJJJ X Y Z Sx … NLat Elong Height dN dE dU …``, dN, dE and dU in metres.

    References
    ----------
    GPS Station Position Time Series, file format of the PBO (UNAVCO), version 1.1.0.
    """
    fields = [row.split() for row in rows]
    wanted = [[one[at] if len(one) > at else "" for at in _POS_PARTS] for one in fields]
    return _checked([one[0] for one in fields], wanted, 1000.0, name)


def _checked(
    dates: list[str], values: list[list[str]], factor: float, name: str
) -> tuple[Times, tuple[Values, Values, Values]]:
    try:
        days = np.array([int(one) for one in dates], np.int64)
        found = np.array([[float(text or "nan") for text in one] for one in values], np.float64) * factor
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{name} is damaged: one of its rows holds an invalid date or number.", remedy="Download it again."
        ) from error
    times = calendar_times(days // 10_000, days // 100 % 100, days % 100)
    if found.ndim != 2 or found.shape[1] != 3 or np.isnat(times).any():
        raise InputError(f"{name} is damaged: one of its rows has no date or position.", remedy="Download it again.")
    return times, (found[:, 0], found[:, 1], found[:, 2])


def table_of(stations: Sequence[Positions]) -> DataFrame:
    """Stations side by side: a column ``date``, and for each ``NAME_n_mm``, ``NAME_e_mm`` and ``NAME_u_mm``.

    Days on which a station was not measured hold NaN. Of repeated days the mean is taken.

    Raises
    ------
    InputError
        When two stations have one name.
    """
    import pandas as pd

    names = [one.name for one in stations]
    if not names or len(set(names)) < len(names):
        raise InputError("Two files belong to one station." if names else "No file was chosen.",
                         remedy="Choose one file for each station.")  # fmt: skip
    parts = [
        pd.DataFrame(
            {f"{one.name}_{key}_mm": values for key, values in zip("neu", (one.north, one.east, one.up), strict=True)},
            index=pd.DatetimeIndex(one.times, name="date"),
        ).groupby(level=0).mean()
        for one in stations
    ]  # fmt: skip
    return pd.concat(parts, axis="columns", sort=True).rename_axis("date").reset_index()


def placed_table_of(stations: Sequence[Positions]) -> DataFrame:
    """Stations side by side as `table_of`, with ``NAME_latitude`` and ``NAME_longitude`` of those whose place is known.

    Raises
    ------
    InputError
        When two stations have one name.
    """
    table = table_of(stations)
    for one in stations:
        if one.place is not None:
            table[f"{one.name}_latitude"], table[f"{one.name}_longitude"] = one.place[1], one.place[0]
    return table


def monitoring_of_positions(
    stations: Sequence[Positions], reference: str = "", *, height: bool = False, name: str = "The files"
) -> Monitoring:
    """A monitored slope from position files.

    Parameters
    ----------
    stations
        As `read_positions` gives them.
    reference
        Name of the one that is stable and is subtracted on the days that both have; none when empty.
    height
        Whether height counts in the displacement; otherwise it is the horizontal distance.
    name
        What users call the files.

    Raises
    ------
    InputError
        When there is no such reference, the frames differ, or a station has too few positions.
    """
    known = [one.name for one in stations]
    if reference and reference not in known:
        raise InputError(f"There is no station {reference!r}.", remedy=f"Stations: {', '.join(known)}.")
    frames = sorted({one.frame for one in stations if one.frame})
    if len(frames) > 1:
        raise InputError(
            f"The files are in {len(frames)} reference frames: {', '.join(frames)}.",
                "Their positions move relative to each other.",
            "Choose files in one reference frame.",
        )  # fmt: skip

    def parts(one: str) -> Components:
        return Components(one, f"{one}_n_mm", f"{one}_e_mm", f"{one}_u_mm" if height else "")

    moving = tuple(parts(one) for one in known if one != reference)
    if not moving:
        raise InputError("Only the reference was chosen.", remedy="Choose files of stations on the slope as well.")
    columns = Columns("date", components=moving, reference=parts(reference) if reference else None, unit="mm")
    read = monitoring_of(table_of(stations), columns, name)
    places = {one.name: one.place for one in stations}
    notes = (f"Positions are in the reference frame {frames[0]}.",) if frames else ()
    return replace(
        read, stations=tuple(replace(one, place=places[one.name]) for one in read.stations),
        notes=(*notes, *read.notes),
    )  # fmt: skip
