"""The cube of a MintPy time series: found in its file, checked, and read window by window.

`core.series.insar.mintpy` makes points of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, UnsafeFileError
from core.series.hdf5 import Array, Contents
from core.series.insar.pixels import Places, number_of, places_of
from core.series.insar.points import FEWEST_DATES
from core.series.monitoring import Times
from core.wording import agree, count

MOST_PIXELS = 100_000_000
"""Pixels of a date, masked ones counted."""

MOST_DATES = 4_000

WINDOW_BYTES = 128 * 2**20
"""Bytes that are read at once."""

LARGEST = 1e6
"""mm from which a value is taken for one that is not known, as in tables of points."""

_EOS = "HDFEOS/GRIDS/timeseries/"
_IN_MM = {"m": 1000.0, "meter": 1000.0, "meters": 1000.0, "metre": 1000.0, "metres": 1000.0, "cm": 10.0, "mm": 1.0}
_DATE = re.compile(r"(?P<y>(?:19|20)\d\d)-?(?P<m>\d\d)-?(?P<d>\d\d)(?:T\d{4,6})?")

COLUMNS = {"temporalCoherence": "temporal_coherence", "height": "height"}
"""Datasets that become columns, and how these are called."""

LINE_OF_SIGHT = ("los_east", "los_north", "los_up")

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cube:
    """What a file holds, checked but not read.

    Attributes
    ----------
    contents
        The file.
    cube
        The time series, ``(dates, rows, columns)``.
    times
        Its dates, ascending.
    order
        Place of each of them in the cube.
    scale
        What brings a value to mm.
    places
        Where its pixels lie.
    mask
        Which pixels count; None where all do.
    layers
        Further datasets of rows and columns, by MintPy's names.
    angles
        Degrees of the line of sight that the file gives for all pixels: ``"incidenceAngle"``, ``"azimuthAngle"``.
    """

    contents: Contents
    cube: Array
    times: Times
    order: NDArray[np.intp]
    scale: float
    places: Places
    mask: Array | None
    layers: dict[str, Array]
    angles: dict[str, float]


@dataclass(frozen=True)
class Part:
    """Pixels of a window that are points: rows, columns and places ``(n,)``, mm ``(n, d)``, and further columns."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    x: Doubles
    y: Doubles
    values: Floats
    layers: dict[str, Floats]
    left_out: int


def cube_of(contents: Contents, name: str, crs: str | None) -> Cube:
    """Find the parts of a time series in a file and check them.

    Parameters
    ----------
    crs
        Coordinate system of a file in metres that does not say of which; None to leave it open.

    Raises
    ------
    QuestionError, UnsafeFileError, InputError
        See `core.series.insar.mintpy.points_of_h5`.
    """
    arrays = contents.arrays
    eos = f"{_EOS}observation/displacement"
    cube, before = (arrays["timeseries"], "") if "timeseries" in arrays else (arrays.get(eos), _EOS)
    if cube is None:
        held = ", ".join(sorted(one.rpartition("/")[2] for one in arrays)[:5]) or "nothing"
        raise InputError(
            f"{name} is not a MintPy time series.",
            f"It has no dataset 'timeseries' of dates, rows and columns; it holds {held[:120]}.",
            "Give timeseries.h5 (geocoded: geo_timeseries….h5), or the .he5 that save_hdfeos5.py writes.",
        )  # fmt: skip
    groups = {"observation": "", "quality": "", "geometry": ""} if not before else {
        one: f"{before}{one}/" for one in ("observation", "quality", "geometry")}  # fmt: skip
    _check_cube(cube, name)
    times, order = _times(arrays.get(f"{groups['observation']}date"), cube.shape[0], name)
    size = (cube.shape[1], cube.shape[2])
    found = {
        what: one
        for what, place in (
            ("mask", "quality"), ("temporalCoherence", "quality"), ("height", "geometry"), ("latitude", "geometry"),
            ("longitude", "geometry"), ("incidenceAngle", "geometry"), ("azimuthAngle", "geometry"),
        )
        if (one := arrays.get(f"{groups[place]}{what}")) is not None
        and one.shape == size and one.kind in ("fiub" if what == "mask" else "fiu")
    }  # fmt: skip
    unit = (cube.attribute("Units") or contents.attribute("UNIT") or "m").lower()
    if unit not in _IN_MM:
        raise InputError(f"The values of {name} are in {unit[:40]!r}, not in metres.",
                         remedy="Give the displacement time series, timeseries.h5.")  # fmt: skip
    places = places_of(contents, name, size, crs, found.pop("longitude", None), found.pop("latitude", None))
    return Cube(contents, cube, times, order, _IN_MM[unit], places, found.pop("mask", None), found, _angles(contents))


def _check_cube(cube: Array, name: str) -> None:
    if len(cube.shape) != 3 or cube.kind not in ("f", "i"):
        raise InputError(
            f"The time series in {name} is not a numeric cube.",
            f"Its size is {' × '.join(str(one) for one in cube.shape) or 'none'}, its type {cube.kind or 'unknown'!r}.",
            "Give timeseries.h5 as written by MintPy: dates, rows and columns.",
        )  # fmt: skip
    dates, rows, columns = cube.shape
    if not rows * columns or rows * columns > MOST_PIXELS or dates > MOST_DATES:
        raise UnsafeFileError(
            f"{name} declares {count(dates, 'date')} of {rows:,} by {columns:,} pixels; the limit is {MOST_DATES:,} "
            f"dates of {MOST_PIXELS / 1e6:,.0f} million pixels.", remedy="Clip it to the area (MintPy: subset.py).",
        )  # fmt: skip


def _times(dates: Array | None, count: int, name: str) -> tuple[Times, NDArray[np.intp]]:
    """Dates in ascending order, and the place of each in the file."""
    if dates is None or dates.shape != (count,) or dates.kind not in ("S", "O", "i", "u"):
        needed = f"A dataset 'date' of {count:,} {agree(count, 'date', 'dates')} is needed."
        raise InputError(f"{name} does not give its dates.", needed,
                         "Give the file as written by MintPy.")  # fmt: skip
    if count < FEWEST_DATES:
        raise InputError(f"{name} has {count} {agree(count, 'date', 'dates')}; {FEWEST_DATES} are needed.",
                         remedy="Give a longer time series.")  # fmt: skip
    found = []
    for text in dates.texts():
        match = _DATE.fullmatch(text)
        try:
            found.append(np.datetime64(f"{match['y']}-{match['m']}-{match['d']}", "ns") if match else None)
        except ValueError:
            found.append(None)
        if found[-1] is None:
            raise InputError(f"{text[:20]!r} in {name} is not a date.", remedy="Dates must be written as YYYYMMDD.")
    times = np.array(found, dtype="datetime64[ns]")
    order = np.argsort(times, kind="stable")
    if len(np.unique(times)) != count:
        raise InputError(f"{name} holds a date twice.", remedy="Remove one of the two.")
    return times[order], order


def parts_of(cube: Cube, rows: int | None = None) -> Iterator[Part]:
    """Points of the cube, window by window.

    Parameters
    ----------
    rows
        Points that are wanted: windows are no larger than is needed for them; None for all.
    """
    turned = not np.array_equal(cube.order, np.arange(len(cube.order)))
    for row, column in _windows(cube.cube, rows):
        # A copy in which the dates of a pixel lie together.
        values = np.moveaxis(cube.cube.read(slice(None), row, column), 0, -1).astype(np.float32, order="C")
        with np.errstate(over="ignore", invalid="ignore"):
            values *= np.float32(cube.scale)
            values[~(np.abs(values) < LARGEST)] = np.nan
        x, y = cube.places.window(row, column)
        # A pixel that is zero at all dates was masked; at the reference date all are zero.
        known = (np.isfinite(values) & (values != 0)).any(axis=-1) & np.isfinite(x) & np.isfinite(y)
        if cube.mask is not None:
            known &= cube.mask.read(row, column).astype(bool)
        at = np.nonzero(known)
        found = values[at]
        yield Part(
            at[0] + row.start, at[1] + column.start, x[at], y[at], found[:, cube.order] if turned else found,
            _columns(cube, row, column, at), int(known.size - len(found)),
        )  # fmt: skip


def _windows(cube: Array, wanted: int | None) -> Iterator[tuple[slice, slice]]:
    """Windows of rows and columns that keep to the blocks in which a cube is stored, where these are not too large."""
    dates, height, width = cube.shape
    most = max(1, WINDOW_BYTES // (dates * max(cube.itemsize, 4)))
    if wanted is not None:
        most = min(most, max(4 * wanted, 65_536))
    high, wide = (1, width) if cube.chunks is None else (min(cube.chunks[1], height), min(cube.chunks[2], width))
    if high * wide > most:  # a block is decoded several times
        wide = min(wide, most)
        high = max(1, most // wide)
    across = min(width, max(1, most // (high * wide)) * wide)
    down = max(1, most // (across * high)) * high
    for top in range(0, height, down):
        for left in range(0, width, across):
            yield slice(top, min(top + down, height)), slice(left, min(left + across, width))


def _columns(cube: Cube, row: slice, column: slice, at: tuple[NDArray[np.intp], ...]) -> dict[str, Floats]:
    """Further columns of the points of a window, by the names of our tables.

    The angles become the unit vector from the ground to the satellite. MintPy's angle of azimuth is that of the same
    vector, from north, anti-clockwise; where only the heading of the satellite is known, it follows from that and from
    the side to which it looks.
    """
    layers: dict[str, Floats] = {}
    with np.errstate(over="ignore"):
        for what, layer in cube.layers.items():
            layers[what] = layer.read(row, column).astype(np.float32)[at]
    found = {ours: layers[theirs] for theirs, ours in COLUMNS.items() if theirs in layers}
    angles = [layers.get(what, cube.angles.get(what)) for what in ("incidenceAngle", "azimuthAngle")]
    if angles[0] is None or angles[1] is None:
        return found
    steep, turn = (np.radians(np.broadcast_to(np.asarray(one, np.float64), at[0].shape)) for one in angles)
    steep = np.where((steep > 0) & (steep < np.pi / 2), steep, np.nan)
    vector = (-np.sin(steep) * np.sin(turn), np.sin(steep) * np.cos(turn), np.cos(steep))
    return found | {what: one.astype(np.float32) for what, one in zip(LINE_OF_SIGHT, vector, strict=True)}


def _angles(contents: Contents) -> dict[str, float]:
    """Degrees that a file gives for all of its pixels."""
    incidence = number_of(contents.attribute("CENTER_INCIDENCE_ANGLE"))
    heading = number_of(contents.attribute("HEADING"))
    side = number_of(contents.attribute("ANTENNA_SIDE") or "-1")
    found = {"incidenceAngle": incidence, "azimuthAngle": -(heading + 90 * (1 if side > 0 else -1))}
    return {what: one for what, one in found.items() if math.isfinite(one)}
