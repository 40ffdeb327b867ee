"""Coordinate systems that files of strangers name: told by code or plain WKT, never by a text that names files.

PROJ's grammar can name grid files and pipelines, which PROJ opens when coordinates are transformed. So a text is taken
only where it is the code of an authority, or WKT without extensions, grids and parameter files; and PROJ's network
stays off.
"""

from __future__ import annotations

import math
import re
import warnings
from typing import TYPE_CHECKING

import numpy as np

from core.errors import GridError, InputError, UnsafeFileError

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

MAX_WKT = 20_000
"""Most characters of a coordinate system's text."""

MAX_DEPTH = 40
"""Most brackets within brackets of WKT."""

EARTH_RADIUS = (6_300_000.0, 6_400_000.0)
"""Between these, in metres, lie the semi-major axes of all ellipsoids of the Earth."""

_CODE = re.compile(r"(?:urn:ogc:def:crs:)?(EPSG|OGC|ESRI):(?:[\d.]*:)?(\w{1,12})", re.IGNORECASE)
_FILES = re.compile(
    r"PARAMETERFILE|(?<!nad)GRIDS\b|\+\s*(?!nadgrids\s*=\s*@null)\w*grids\s*=|\+\s*(?:init|file|catalog)\s*=",
    re.IGNORECASE,
)
_ROOTS = re.compile(
    r"(GEOGCS|GEOGCRS|GEOGRAPHICCRS|GEODCRS|GEODETICCRS|PROJCS|PROJCRS|PROJECTEDCRS|COMPD_CS|COMPOUNDCRS|BOUNDCRS)\s*[\[(]",
    re.IGNORECASE,
)
_LOCAL = re.compile(r"(LOCAL_CS|ENGCRS|ENGINEERINGCRS|VERT_CS|VERTCRS|VERTICALCRS|GEOCCS)\s*[\[(]", re.IGNORECASE)


def crs_of_code(text: str, name: str) -> pyproj.CRS:
    """Coordinate system by its code, such as ``EPSG:32717`` or ``urn:ogc:def:crs:OGC:1.3:CRS84``.

    Raises
    ------
    InputError
        When the text is no code, or of no system that is known.
    """
    import pyproj

    found = _CODE.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError("not the code of a coordinate system")
        return usable(pyproj.CRS.from_authority(*found.groups()), name)
    except (ValueError, pyproj.exceptions.CRSError) as error:
        raise _unknown(name) from error


def crs_of_wkt(text: str, name: str) -> pyproj.CRS:
    """Coordinate system by its WKT, of any edition.

    Parameters
    ----------
    text
        As it stands in a ``.prj``, in a GeoPackage or in a GeoTIFF.
    name
        What to call the file in errors.

    Raises
    ------
    UnsafeFileError
        When the text could make PROJ open a file.
    InputError
        When it is no WKT, or of a system without a place on the Earth's surface.
    """
    import pyproj

    text = text.strip().strip("\x00").removeprefix("\ufeff").strip()
    if len(text) > MAX_WKT or _depth(text) > MAX_DEPTH:
        raise _unknown(name)
    if _FILES.search(text):
        raise UnsafeFileError(
            f"The coordinate system of {name} refers to another file.",
            "Following the reference could make the server read files that users must not see.",
            "Save the data with a coordinate system that has an EPSG code.",
        )
    if _LOCAL.match(text):
        raise _local(name)
    if not _ROOTS.match(text):
        raise _unknown(name)
    plain, extended = without_extensions(text)
    try:
        crs = pyproj.CRS.from_wkt(plain)
        code = (crs.to_json_dict().get("id") or {}) if extended else {}
        if extended:
            # Without its extension the text means something else, so its code has to say what is meant.
            crs = pyproj.CRS.from_authority(str(code["authority"]), str(code["code"]))
    except (LookupError, ValueError, RuntimeError, pyproj.exceptions.ProjError) as error:
        raise _unknown(name) from error
    return usable(crs, name)


def without_extensions(text: str) -> tuple[str, bool]:
    """WKT without its ``EXTENSION[…]`` nodes, which hold PROJ strings; and whether there were any."""
    plain, extended = [], False
    at = 0
    while found := re.compile(r",?\s*EXTENSION\s*([\[(])", re.IGNORECASE).search(text, at):
        plain.append(text[at : found.start()])
        at, depth, quoted, extended = found.end(), 1, False, True
        while at < len(text) and depth:
            letter = text[at]
            quoted ^= letter == '"'
            if not quoted:
                depth += (letter in "[(") - (letter in "])")
            at += 1
    plain.append(text[at:])
    return "".join(plain), extended


def usable(crs: pyproj.CRS, name: str) -> pyproj.CRS:
    """A system that places things on the Earth's surface.

    Raises
    ------
    InputError
        When it is local, vertical, geocentric or of another celestial body.
    """
    flat = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    if not (flat.is_geographic or flat.is_projected):
        raise _local(name)
    ellipsoid = crs.ellipsoid
    if ellipsoid is not None and not EARTH_RADIUS[0] < ellipsoid.semi_major_metre < EARTH_RADIUS[1]:
        raise InputError(
            f"The coordinate system of {name} ({crs.name}) is not of the Earth.",
            "Positions and areas are measured on the Earth's ellipsoid.",
            "Use data of the Earth, or remove the coordinate system to work in pixels.",
        )
    return crs


def transformed(
    x: NDArray[np.float64], y: NDArray[np.float64], source: pyproj.CRS, target: pyproj.CRS, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points in another coordinate system; infinite where they have no place in it.

    Raises
    ------
    GridError
        When there is no way from one system to the other.
    """
    import pyproj

    try:
        found = pyproj.Transformer.from_crs(source, target, always_xy=True)
        there = found.transform(x, y)
    except (RuntimeError, ValueError, pyproj.exceptions.ProjError) as error:
        raise GridError(
            f"The coordinates of {name} cannot be reprojected to the coordinate system of the image.",
            f"No transformation is known from {source.name} to {target.name}.",
            "Reproject the data to the image's coordinate system in a GIS.",
        ) from error
    return np.asarray(there[0], dtype=np.float64), np.asarray(there[1], dtype=np.float64)


def accuracy_note(
    source: pyproj.CRS, target: pyproj.CRS, name: str, bounds: tuple[float, float, float, float] | None
) -> str:
    """What is known of the accuracy of the way from one datum to the other; empty where it is good to a metre.

    Parameters
    ----------
    bounds
        West, south, east and north of the scene in degrees: the best way depends on the place.
    """
    import pyproj
    from pyproj.transformer import AreaOfInterest, TransformerGroup

    try:
        area = None if bounds is None else AreaOfInterest(*bounds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of grids that are not installed: the note tells the accuracy
            ways = TransformerGroup(source, target, always_xy=True, area_of_interest=area).transformers
    except (RuntimeError, ValueError, pyproj.exceptions.ProjError):
        return ""  # `transformed` says that there is none
    if not ways:
        return ""
    accuracy = float(ways[0].accuracy or 0)
    if "ballpark" in ways[0].description.lower():
        return (
            f"{name} is in {source.name}, the image in {target.name}: no exact way between their datums is installed, "
            "so positions may be off by up to several hundred metres."
        )
    if math.isfinite(accuracy) and accuracy > 1:
        return f"{name} was reprojected from {source.name} to {target.name} with an accuracy of {accuracy:g} m."
    return ""


def _depth(text: str) -> int:
    deepest = depth = 0
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        deepest = max(deepest, depth)
    return deepest


def _unknown(name: str) -> InputError:
    return InputError(
        f"The coordinate system named in {name} is unknown.",
        "Without it, the position of the data is unknown.",
        "Save the data in longitude and latitude (WGS 84), or in a system with an EPSG code.",
    )


def _local(name: str) -> InputError:
    return InputError(
        f"The coordinate system named in {name} has no position on the Earth's surface.",
        "It is a local, vertical or geocentric system, or its code is unknown here.",
        "Save the data in a geographic or projected coordinate system.",
    )
