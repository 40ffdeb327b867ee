"""Coordinates of labelled cells, as a table names them, and in metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE

if TYPE_CHECKING:
    import pandas as pd
    from pyproj import CRS

    from core.tasks.susceptibility.cells import Columns


@dataclass(frozen=True)
class Coordinates:
    """Coordinates of the rows of a table.

    Attributes
    ----------
    places
        (rows, 2) x and y; NaN where a row has none.
    crs
        Their coordinate system; None where nobody named it.
    degrees
        Whether they are longitude and latitude, by the system or else by their values.
    """

    places: NDArray[np.float64]
    crs: CRS | None
    degrees: bool

    @property
    def known_crs(self) -> CRS | None:
        """The coordinate system, WGS 84 for degrees of which nobody named it; None where it is not known."""
        from pyproj import CRS

        return CRS.from_epsg(4326) if self.crs is None and self.degrees else self.crs


def coordinates_of(table: pd.DataFrame, columns: Columns, name: str) -> Coordinates | None:
    """Coordinates of the rows as they are in a table; None where it names none.

    Raises
    ------
    InputError
        When no row has any, they are swapped beyond doubt, or the coordinate system is not known.
    """
    import pandas as pd

    if not columns.x:
        return None
    named = (columns.y, columns.x) if columns.swap_xy else (columns.x, columns.y)
    places = np.stack([pd.to_numeric(table[one], errors="coerce").to_numpy(np.float64) for one in named], axis=1)
    there = places[np.isfinite(places).all(axis=1)]
    if not len(there):
        raise InputError(f"No row of {name} has numeric coordinates in both columns.", remedy="Check --x and --y.")
    crs = _system(columns.crs)
    degrees = crs.is_geographic if crs is not None else bool((np.abs(there) <= [360.0, 180.0]).all())
    _check_order(there, columns, degrees=degrees)
    return Coordinates(places, crs, degrees)


def places_in_metres(table: pd.DataFrame, columns: Columns, name: str, notes: list[str]) -> NDArray[np.float64] | None:
    """Coordinates of the rows in metres, (rows, 2); None where the table names none.

    Parameters
    ----------
    notes
        Is added what was converted or assumed.
    """
    found = coordinates_of(table, columns, name)
    if found is None:
        return None
    places, crs = found.places, found.crs
    if found.degrees:
        metres, code = _projected(places, places[np.isfinite(places).all(axis=1)], crs)
        notes.append(_projected_words(columns, code, assumed=crs is None))
        return metres
    if crs is not None:
        factor = float(crs.axis_info[0].unit_conversion_factor) if crs.axis_info else 1.0
        if factor != 1.0:
            notes.append(f"Coordinates were converted to metres (1 unit = {factor:.7g} m).")
        return places * factor
    notes.append("No coordinate system was given; coordinates are assumed to be in metres.")
    return places


def _system(text: str) -> CRS | None:
    from core.raster.crs import crs_of_code

    if not text:
        return None
    crs = crs_of_code(f"EPSG:{text}" if text.isdecimal() else text, "--crs")
    if not (crs.is_geographic or crs.is_projected):
        raise InputError(f"{text} is not a coordinate system for positions.", remedy="Give one such as EPSG:32717.")
    return crs


def _check_order(places: NDArray[np.float64], columns: Columns, *, degrees: bool) -> None:
    """Refuse coordinates whose order is wrong beyond doubt."""
    first, second = np.abs(places[:, 0]).max(), np.abs(places[:, 1]).max()
    swapped = second > 90 >= first if degrees else first > 1_000_000 and 100_000 < second < 900_000
    if swapped:
        kind = "latitude beyond 90°" if degrees else "northing below 900 km and an easting above 1,000 km"
        raise InputError(
            f"{columns.x} and {columns.y} seem to be swapped: they contain a {kind}.",
            "Distances and folds would be wrong.",
            "Swap them (--swap-xy), or name the columns the other way round.",
        )
    if degrees and second > 90:
        raise InputError(f"{columns.y} contains latitudes beyond 90°.", remedy="Check the columns and --crs.")


def _projected(
    places: NDArray[np.float64], there: NDArray[np.float64], crs: CRS | None
) -> tuple[NDArray[np.float64], int]:
    """Longitude and latitude in the UTM zone at their middle, and the EPSG code of that."""
    import pyproj

    longitude, latitude = (float(one) for one in np.median(there, axis=0))
    zone = int(((longitude + 180) % 360) // 6) + 1
    code = (32600 if latitude >= 0 else 32700) + zone
    transformer = pyproj.Transformer.from_crs(crs or 4326, code, always_xy=True)
    x, y = transformer.transform(places[:, 0], places[:, 1])
    return np.stack([x, y], axis=1), code


def _projected_words(columns: Columns, code: int, *, assumed: bool) -> str:
    """What was done with coordinates in degrees; those of a point inside each unit of a layer were added by us."""
    if (columns.x, columns.y) == (LONGITUDE, LATITUDE):
        return (
            f"Distances between units are those between the points inside them, in the local UTM zone (EPSG:{code})."
        )
    found = "assumed to be WGS 84, based on their values" if assumed else "named"
    return f"Coordinates are in degrees ({found}) and were projected to the local UTM zone (EPSG:{code})."
