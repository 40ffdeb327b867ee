"""Time series of MintPy: ``timeseries.h5``, and the same as HDF-EOS5 (``.he5``).

A cube of dates, rows and columns becomes points: each pixel that is neither masked nor without a value is one. Values
are motion along the line of sight in metres, positive towards the satellite, and are brought to mm.

References
----------
Yunjun, Z., Fattahi, H., Amelung, F. (2019). Small baseline InSAR time series analysis: Unwrapping error correction and
noise reduction. Computers & Geosciences 133, 104331. doi:10.1016/j.cageo.2019.104331
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.hdf5 import open_hdf5_untrusted
from core.series.insar.cube import LINE_OF_SIGHT, Cube, Part, cube_of, parts_of
from core.series.insar.pixels import DEGREES, number_of
from core.series.insar.points import MOST_POINTS, Points

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_VALUES = 400_000_000
"""Values of all points together: four bytes each."""

Floats = NDArray[np.float32]


def points_of_h5(path: str | os.PathLike[str], name: str, *, crs: str = "") -> Points:
    """Read the points of a MintPy time series.

    Parameters
    ----------
    path
        The file; its content decides whether it is one.
    name
        What users call it.
    crs
        Coordinate system of a file that is in metres and does not say of which; empty for that of the file.

    Returns
    -------
    Points
        In mm along the line of sight. The attributes hold ``row`` and ``column`` of each pixel, and where the file has
        them ``temporal_coherence``, ``height`` (m), and the unit vector from the ground to the satellite as
        ``los_east``, ``los_north`` and ``los_up``.

    Raises
    ------
    QuestionError
        When its coordinates are in metres of an unknown system.
    UnsafeFileError
        When it points to other files, or claims more than the limits.
    InputError
        When it is damaged, is no time series, says nowhere where its pixels lie, or has no pixel with a value.
    """
    import pandas as pd

    with open_hdf5_untrusted(path) as contents:
        cube = cube_of(contents, name, crs)
        parts: list[Part] = []
        count = 0
        for part in parts_of(cube):
            count += len(part.rows)
            _check_count(name, count, len(cube.times))
            parts.append(part)
        if not count:
            raise _empty(name)
        rows, columns = (np.concatenate([getattr(one, what) for one in parts]) for what in ("rows", "columns"))
        x, y = (np.concatenate([getattr(one, what) for one in parts]) for what in ("x", "y"))
        layers = {what: np.concatenate([one.layers[what] for one in parts]) for what in parts[0].layers}
        masked = sum(one.left_out for one in parts)
        values = _joined(parts, count, len(cube.times))
        notes = _notes(cube, layers, masked, int(np.isnan(values).sum()))
    attributes = pd.DataFrame({"row": rows, "column": columns, **layers})
    return Points(_ids(rows, columns), x, y, cube.places.crs, cube.times, values, "line of sight", attributes, notes)


def describe(path: str | os.PathLike[str], name: str) -> tuple[tuple[str, ...], int]:
    """Columns of the table of a time series (see `head`), and its points; every value is read once.

    Raises
    ------
    InputError
        See `points_of_h5`; what it would ask is left open here.
    """
    with open_hdf5_untrusted(path) as contents:
        cube = cube_of(contents, name, None)
        count = 0
        for part in parts_of(cube):
            count += len(part.rows)
            _check_count(name, count, len(cube.times))
        if not count:
            raise _empty(name)
        return tuple(str(one) for one in _table(cube, [next(parts_of(cube, rows=1))]).columns), count


def head(path: str | os.PathLike[str], name: str, rows: int | None) -> DataFrame:
    """The first points of a time series as a table: ``pid, longitude, latitude, …``, ``d_YYYYMMDD`` in metres.

    Parameters
    ----------
    rows
        Most points; all when None.

    Raises
    ------
    InputError
        See `points_of_h5`; what it would ask is left open here.
    """
    from core.series.table import check_size

    with open_hdf5_untrusted(path) as contents:
        cube = cube_of(contents, name, None)
        parts: list[Part] = []
        count = 0
        for part in parts_of(cube, rows=rows):
            count += len(part.rows)
            check_size(name, count, len(cube.times))
            parts.append(part)
            if rows is not None and count >= rows:
                break
        if not count:
            raise _empty(name)
        table = _table(cube, parts)
        return table if rows is None else table.iloc[:rows]


def _joined(parts: list[Part], count: int, dates: int) -> Floats:
    """Values of all parts in one array, which lets each of them go."""
    values = np.empty((count, dates), np.float32)
    begin = 0
    while parts:
        part = parts.pop(0)
        values[begin : begin + len(part.rows)] = part.values
        begin += len(part.rows)
    return values


def _ids(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.object_]:
    return np.array([f"r{row}c{column}" for row, column in zip(rows, columns, strict=True)], dtype=object)


def _table(cube: Cube, parts: list[Part]) -> DataFrame:
    import pandas as pd
    from pyproj import Transformer

    rows, columns, x, y = (
        np.concatenate([getattr(one, what) for one in parts]) for what in ("rows", "columns", "x", "y")
    )
    table: dict[str, Any] = {"pid": _ids(rows, columns)}
    if cube.places.crs == DEGREES:
        table |= {"longitude": x, "latitude": y}
    else:
        if cube.places.crs:
            to_degrees = Transformer.from_crs(cube.places.crs, DEGREES, always_xy=True)
            table["longitude"], table["latitude"] = to_degrees.transform(x, y)
        table |= {"x": x, "y": y}
    table |= {what: np.concatenate([one.layers[what] for one in parts]) for what in parts[0].layers}
    values = np.concatenate([one.values for one in parts]) / np.float32(1000)
    dates = [f"d_{str(one)[:10].replace('-', '')}" for one in cube.times]
    return pd.concat([pd.DataFrame(table), pd.DataFrame(values, columns=dates)], axis="columns")


def _notes(cube: Cube, layers: dict[str, Floats], masked: int, unknown: int) -> tuple[str, ...]:
    attribute = cube.contents.attribute
    notes = ["Each pixel of the MintPy time series is a point; values were brought to mm."]
    if masked:
        notes.append(f"{masked:,} pixels without a value (masked, or zero at all dates) or a place were left out.")
    if unknown:
        notes.append(f"{unknown:,} values are not known.")
    place = [number_of(attribute(one)) for one in ("REF_Y", "REF_X")]
    date = attribute("REF_DATE")
    if all(math.isfinite(one) for one in place):
        degrees = [number_of(attribute(one)) for one in ("REF_LON", "REF_LAT")]
        where = f" (longitude {degrees[0]:.5f}, latitude {degrees[1]:.5f})" if all(map(math.isfinite, degrees)) else ""
        notes.append(f"Values are relative to the pixel in row {place[0]:.0f}, column {place[1]:.0f}{where}, which is "
                     "zero by definition.")  # fmt: skip
    if date:
        notes.append(f"Values are relative to {date[:10]}.")
    if LINE_OF_SIGHT[0] in layers:
        constant = [said for what, said in (("incidenceAngle", "angle of incidence"), ("azimuthAngle", "azimuth"))
                    if what not in cube.layers]  # fmt: skip
        if constant:
            notes.append(f"One {' and one '.join(constant)} of the line of sight is taken for all points: the file "
                         "holds none for each pixel.")  # fmt: skip
    return tuple(notes)


def _check_count(name: str, count: int, dates: int) -> None:
    if count > MOST_POINTS or count * dates > MOST_VALUES:
        raise InputError(
            f"{name} holds more than {count - 1:,} points of {dates:,} dates.",
            f"Read are at most {MOST_POINTS:,} points and {MOST_VALUES / 1e6:,.0f} million values.",
            "Cut it to the area, or to fewer pixels (MintPy: subset.py, multilook.py).",
        )  # fmt: skip


def _empty(name: str) -> InputError:
    return InputError(f"{name} has no pixel with a value.", "All pixels are masked, zero or without a place.",
                      "Check how it was masked.")  # fmt: skip
