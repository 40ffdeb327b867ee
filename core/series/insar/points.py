"""Tables of InSAR points: a row a point, a column a date, with place and attributes.

Two conventions are read: that of the European Ground Motion Service (columns ``YYYYMMDD`` in mm; L2a, L2b and L3, in
releases old and new) and that of processors that write ``d_YYYYMMDD`` in metres.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.columns import QuestionError
from core.series.monitoring import Times
from core.wording import agree, count

if TYPE_CHECKING:
    from pandas import DataFrame

Direction = Literal["line of sight", "vertical", "east", ""]

FEWEST_DATES = 6

MOST_POINTS = 3_000_000

_DATE = re.compile(r"^(?P<mark>[dD]_?)?(?P<date>(?:19|20)\d{6})$")
_PLACES = (
    ("longitude", ("longitude", "lon", "pnt_lon", "long", "x_wgs84")), ("latitude", ("latitude", "lat", "pnt_lat")),
    ("easting", ("easting",)), ("northing", ("northing",)), ("x", ("x", "east", "utm_x", "x_coord")),
    ("y", ("y", "north", "utm_y", "y_coord")),
)  # fmt: skip
_IDS = ("pid", "pnt_id", "id", "point_id", "code", "name")

EGMS_GRID = "EPSG:3035"
"""Coordinate system of the eastings and northings of the European Ground Motion Service."""


@dataclass(frozen=True)
class Points:
    """Points and how they moved.

    Attributes
    ----------
    ids
        ``(n,)`` names.
    x, y
        ``(n,)`` coordinates in `crs`.
    crs
        ``"EPSG:4326"`` or another code.
    times
        ``(d,)`` dates, ascending.
    values
        ``(n, d)`` mm, float32; NaN where unknown.
    direction
        Along which it was measured; positive towards the satellite, up or to the east. Empty where the table does not
        say it.
    attributes
        The other columns, as they were read.
    notes
        What was assumed or left out, with its number.
    """

    ids: NDArray[np.object_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    crs: str
    times: Times
    values: NDArray[np.float32]
    direction: Direction
    attributes: DataFrame
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def holds_points(columns: list[str]) -> bool:
    """Whether the columns of a table are those of InSAR points."""
    return len(_dates(columns)) >= FEWEST_DATES


def points_of(frame: DataFrame, name: str, *, unit: str = "", crs: str = "") -> Points:
    """Read points from a table.

    Parameters
    ----------
    frame
        As `core.series.table.read_table_untrusted` gives it.
    name
        What users call it; of EGMS files it says the direction (``_U_``, ``_E_``).
    unit
        ``"mm"`` or ``"m"``; empty for that of the convention.
    crs
        Coordinate system of columns of eastings and northings; empty for that of the convention.

    Raises
    ------
    QuestionError
        When the system of the coordinates is not known.
    InputError
        When it has no dates, no places, or no point with a value.
    """
    columns = [str(one) for one in frame.columns]
    frame = frame.set_axis(columns, axis="columns")
    dates = _dates(columns)
    if len(dates) < FEWEST_DATES:
        raise InputError(
            f"{name} has {count(len(dates), 'date column')}; {FEWEST_DATES} are needed.",
            "A table of InSAR points has a column for each date, such as 20200103 or d_20200103.",
            "Choose another table.",
        )  # fmt: skip
    if len(frame) > MOST_POINTS:
        raise InputError(f"{name} holds {len(frame):,} points; the limit is {MOST_POINTS:,}.",
                         remedy="Clip it to the area.")  # fmt: skip
    notes: list[str] = []
    ordered = sorted(dates, key=dates.__getitem__)
    values = np.column_stack([_numbers(frame, one) for one in ordered])
    metres = unit == "m" or (not unit and any(_DATE.match(one)["mark"] for one in ordered))  # type: ignore[index]
    if metres:
        values = values * np.float32(1000)
        notes.append("Values were converted from metres to mm" + ("." if unit else ", the unit of columns d_YYYYMMDD."))
    x, y, crs = _places(frame, columns, name, crs, notes)
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(values).any(axis=1)
    if not known.all():
        lost = int((~known).sum())
        notes.append(f"{count(lost, 'point')} without a position or a value {agree(lost, 'was', 'were')} left out.")
    if not known.any():
        raise InputError(f"{name} has no point with a position and a value.", remedy="Check its columns.")
    unknown = int(np.isnan(values[known]).sum())
    if unknown:
        notes.append(f"{count(unknown, 'value')} {agree(unknown, 'is', 'are')} unknown.")
    ids = next((one for one in columns if one.lower() in _IDS), "")
    names = frame[ids].astype(str).to_numpy(object) if ids else np.array([str(one + 1) for one in range(len(frame))])
    others = frame.loc[known, [one for one in columns if one not in dates]].reset_index(drop=True)
    times = np.array([dates[one] for one in ordered], dtype="datetime64[ns]")
    return Points(
        names[known].astype(object), x[known], y[known], crs, times, values[known], _direction(columns, name), others,
        tuple(notes),
    )  # fmt: skip


def _dates(columns: list[str]) -> dict[str, np.datetime64]:
    """Columns of dates, and their dates."""
    found: dict[str, np.datetime64] = {}
    for one in columns:
        match = _DATE.match(one)
        if match is None:
            continue
        text = match["date"]
        try:
            found[one] = np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}", "D")
        except ValueError:
            continue
    return found


def _numbers(frame: DataFrame, column: str) -> NDArray[np.float32]:
    import pandas as pd

    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values):
        values = pd.to_numeric(values, errors="coerce")
    found = values.to_numpy(np.float32, na_value=np.nan)
    return np.where(np.isfinite(found) & (np.abs(found) < 1e6), found, np.float32(np.nan))


def _places(
    frame: DataFrame, columns: list[str], name: str, crs: str, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Coordinates of the points and their system: metres where it is known of which, else degrees."""
    lower = {one.lower(): one for one in columns}
    found = {what: next((lower[one] for one in known if one in lower), "") for what, known in _PLACES}
    degrees, metres = (found["longitude"], found["latitude"]), (found["easting"], found["northing"])
    others = (found["x"], found["y"])
    if crs and (all(metres) or all(others)):
        pair = metres if all(metres) else others
    elif all(metres):
        pair, crs = metres, EGMS_GRID
        notes.append(f"Eastings and northings are assumed to be in {EGMS_GRID}, as in EGMS files.")
    elif all(degrees):
        pair, crs = degrees, "EPSG:4326"
    elif all(others):
        raise QuestionError(
            "crs", f"The coordinate system of {' and '.join(others)} is unknown.",
            "The table does not name it.", "Name it, such as EPSG:32633 (--crs).",
        )  # fmt: skip
    else:
        raise InputError(
            f"The position of the points of {name} is unknown.",
            "The table has neither latitude and longitude nor easting and northing.", "Add coordinate columns.",
        )  # fmt: skip
    return _coordinates(frame, pair[0]), _coordinates(frame, pair[1]), crs


def _coordinates(frame: DataFrame, column: str) -> NDArray[np.float64]:
    import pandas as pd

    found = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _direction(columns: list[str], name: str) -> Direction:
    lower = {one.lower() for one in columns}
    if {"los_east", "los_north", "los_up"} <= lower or "incidence_angle" in lower:
        return "line of sight"
    match = re.search(r"L3_.*_([UE])_", name)
    if match is not None:
        return "vertical" if match.group(1) == "U" else "east"
    return "line of sight" if any(one.startswith("pnt_") for one in lower) else ""
