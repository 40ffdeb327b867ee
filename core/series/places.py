"""Where stations stand: columns of latitude and longitude in a table of a monitored slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.series.columns import Columns, Places
from core.series.monitoring import Station
from core.series.numbers import numbers_of

if TYPE_CHECKING:
    from pandas import DataFrame

LATITUDES, LONGITUDES = ("latitude", "lat", "latitud"), ("longitude", "lon", "long", "lng", "longitud")

STANDS = 0.01
"""Degrees within which a station stands still; of places farther apart none is taken."""


def with_places(
    stations: Sequence[Station], frame: DataFrame, columns: Columns, notes: list[str]
) -> tuple[Station, ...]:
    """Stations with the places that their table holds.

    Parameters
    ----------
    stations
        As they were read.
    frame, columns
        Their table; degrees of WGS 84.
    notes
        Receives of which stations the place is not known though there are columns of it.

    Returns
    -------
    tuple
        The stations; a place is the median of a station's rows.

    Raises
    ------
    InputError
        When a column holds no numbers.
    """
    if not columns.places:
        return tuple(stations)
    by_name = {one.station: one for one in columns.places}
    read = {
        name: numbers_of(frame[name], name, notes) for one in columns.places for name in (one.latitude, one.longitude)
    }
    names = frame[columns.station].astype("string").str.strip() if columns.station else None
    found: list[Station] = []
    for station in stations:
        ours = by_name.get(station.name, by_name.get(""))
        rows = np.ones(len(frame), bool)
        if names is not None:
            rows = (names == station.name).fillna(False).to_numpy(bool)
        place = None if ours is None else _place(read[ours.longitude][rows], read[ours.latitude][rows])
        if ours is not None and place is None:
            notes.append(f"The position of {station.name} is unknown: its latitudes and longitudes are not valid.")
        found.append(replace(station, place=place))
    return tuple(found)


def _place(longitudes: np.ndarray, latitudes: np.ndarray) -> tuple[float, float] | None:
    """Longitude and latitude; None where they are not known, no degrees, or of several places."""
    known = np.isfinite(longitudes) & np.isfinite(latitudes)
    if not known.any():
        return None
    x, y = longitudes[known], latitudes[known]
    if np.ptp(x) > STANDS or np.ptp(y) > STANDS:
        return None
    longitude, latitude = float(np.median(x)), float(np.median(y))
    longitude = longitude - 360 if longitude > 180 else longitude
    return (longitude, latitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def guess_places(names: Sequence[str], numbers: Sequence[str], stations: Sequence[str]) -> tuple[Places, ...]:
    """Columns of latitude and longitude by their headings.

    Parameters
    ----------
    names
        Headings in words, in the order of `numbers`: in small letters, without marks.
    numbers
        Columns that hold numbers.
    stations
        Names of the stations, for headings such as ``NAME_latitude``.
    """
    by_heading = dict(zip(names, numbers, strict=True))
    latitude, longitude = (
        next((by_heading[one] for one in known if one in by_heading), "") for known in (LATITUDES, LONGITUDES)
    )
    if latitude and longitude:
        return (Places("", latitude, longitude),)
    return tuple(
        Places(one, f"{one}_latitude", f"{one}_longitude") for one in stations
        if f"{one}_latitude" in numbers and f"{one}_longitude" in numbers
    )
