"""Where the pixels of a raster time series of MintPy lie."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.columns import QuestionError
from core.series.hdf5 import Array, Contents

DEGREES = "EPSG:4326"

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Coordinates of the pixels of a raster.

    Attributes
    ----------
    crs
        Coordinate system; empty where it is not known.
    first, step
        x and y of the outer corner of the first pixel, and from one pixel to the next; of no meaning where the place
        of each pixel is stored.
    stored
        Longitude and latitude of each pixel, for rasters in the coordinates of the radar.
    """

    crs: str
    first: tuple[float, float] = (0.0, 0.0)
    step: tuple[float, float] = (1.0, 1.0)
    stored: tuple[Array, Array] | None = None

    def window(self, rows: slice, columns: slice) -> tuple[Doubles, Doubles]:
        """Coordinates of the middles of the pixels of a window, each ``(rows, columns)``; NaN where not known."""
        if self.stored is not None:
            x, y = (one.read(rows, columns).astype(np.float64) for one in self.stored)
            lost = ~(np.abs(x) <= 360) | ~(np.abs(y) <= 90) | (x == 0) & (y == 0)
            return np.where(lost, np.nan, (x + 180) % 360 - 180), np.where(lost, np.nan, y)
        across = self.first[0] + (np.arange(columns.start, columns.stop) + 0.5) * self.step[0]
        down = self.first[1] + (np.arange(rows.start, rows.stop) + 0.5) * self.step[1]
        if self.crs == DEGREES:
            across = (across + 180) % 360 - 180
        size = (len(down), len(across))
        return np.broadcast_to(across, size), np.broadcast_to(down[:, None], size)


def places_of(
    contents: Contents, name: str, size: tuple[int, int], crs: str | None,
    longitude: Array | None, latitude: Array | None,
) -> Places:  # fmt: skip
    """Read where pixels lie from the attributes of a file, or from its datasets of longitude and latitude.

    Parameters
    ----------
    size
        Rows and columns.
    crs
        Coordinate system of metres, where the file does not say it; None to leave it open.

    Raises
    ------
    QuestionError
        When coordinates are in metres and `crs` is empty where the file does not say of which system they are.
    InputError
        When the file does not say where its pixels lie, or says what cannot be.
    """
    texts = {one: contents.attribute(one) for one in ("X_FIRST", "Y_FIRST", "X_STEP", "Y_STEP")}
    if not all(texts.values()):
        if longitude is not None and latitude is not None:
            return Places(DEGREES, stored=(longitude, latitude))
        raise InputError(
            f"{name} is in radar coordinates.",
            "It has neither X_FIRST, Y_FIRST, X_STEP and Y_STEP nor datasets of latitude and longitude, so the "
            "position of its pixels is unknown.",
            "Give the geocoded time series (MintPy: geocode.py, or geo/geo_timeseries….h5).",
        )  # fmt: skip
    x, y, dx, dy = (number_of(text) for text in texts.values())
    unit = (contents.attribute("X_UNIT") or "degrees").lower()
    system = DEGREES if unit.startswith("deg") else _metric(contents, name, crs)
    far = 360.0 if system == DEGREES else 1e8
    ends = (x, x + dx * size[1], y, y + dy * size[0])
    if not all(math.isfinite(one) and abs(one) <= far for one in ends) or not dx or not dy or (
        system == DEGREES and max(abs(ends[2]), abs(ends[3])) > 90):  # fmt: skip
        raise InputError(
            f"{name} gives no position on the Earth for its pixels.",
            f"X_FIRST is {texts['X_FIRST'][:20]!r}, Y_FIRST {texts['Y_FIRST'][:20]!r}, X_STEP "
            f"{texts['X_STEP'][:20]!r}, Y_STEP {texts['Y_STEP'][:20]!r}, X_UNIT {unit[:20]!r}.",
            "Give the file as written by MintPy.",
        )  # fmt: skip
    return Places(system, (x, y), (dx, dy))


def number_of(text: str) -> float:
    """A number that an attribute holds as text; NaN where it holds none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _metric(contents: Contents, name: str, crs: str | None) -> str:
    """The coordinate system of metres: that which was given, else that of the file."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    code = number_of(contents.attribute("EPSG").upper().removeprefix("EPSG:"))
    zone = re.fullmatch(r"(\d{1,2})\s*([NS])", contents.attribute("UTM_ZONE").strip().upper())
    if crs:
        found = crs
    elif math.isfinite(code):
        found = f"EPSG:{code:.0f}"
    elif zone is not None and 1 <= int(zone[1]) <= 60:
        found = f"EPSG:{(32600 if zone[2] == 'N' else 32700) + int(zone[1])}"
    elif crs is None:
        return ""
    else:
        raise QuestionError(
            "crs", f"The coordinate system of {name} is unknown.",
            "Its coordinates are in metres, and it has neither EPSG nor UTM_ZONE.",
            "Name the system, such as EPSG:32633 (--crs).",
        )  # fmt: skip
    try:
        known = CRS.from_user_input(found).is_projected
    except CRSError:
        known = False
    if not known:
        raise InputError(f"{found[:40]!r} is not a coordinate system in metres.",
                         remedy="Name the coordinate system of the file, such as EPSG:32633 (--crs).")  # fmt: skip
    return found
