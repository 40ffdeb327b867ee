"""GeoJSON that strangers made, read without GDAL: that takes a file of this look for one of half a dozen formats.

One of them is a pipeline of commands to be run on any file of the server.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, UnsafeFileError
from core.raster.crs import crs_of_code
from core.raster.vector_limits import Limits, bounded, too_many, unreadable

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)

# What Python makes of JSON, in bytes: an object, a list, and one more value of either.
_OBJECT, _LIST, _VALUE = 240, 96, 64


def read_geojson(file: Path, limits: Limits) -> tuple[NDArray[np.object_], pyproj.CRS | None]:
    """Geometries of a GeoJSON document; None where a feature has none.

    Raises
    ------
    UnsafeFileError
        When it is another document, or larger than the limits.
    InputError
        When it is damaged or holds no features.
    """
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    document, features = features_of(file, limits)
    shapes = np.empty(len(features), dtype=object)
    vertices = 0
    try:
        for number, feature in enumerate(features):
            geometry = feature.get("geometry")
            if geometry is None:
                continue
            if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
                raise unreadable(file.name)
            made = shape(geometry)
            vertices += _vertices(made)
            if vertices > limits.vertices:
                raise too_many(file.name, "vertices", limits.vertices)
            shapes[number] = made
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, ShapelyError) as error:
        raise unreadable(file.name) from error
    return shapes, _crs(document, shapes, file.name)


def features_of(file: Path, limits: Limits) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The document and its features, once it is known to fit into memory.

    Raises
    ------
    UnsafeFileError, InputError
        As of `read_geojson`.
    """
    document = json_document(file, limits)
    if not isinstance(document, dict):
        raise unreadable(file.name)
    kind = document.get("type")
    features: object
    if kind == "FeatureCollection":
        features = document.get("features")
    elif kind == "Feature":
        features = [document]
    elif isinstance(kind, str) and kind in GEOMETRIES:
        features = [{"type": "Feature", "properties": {}, "geometry": document}]
    else:
        raise UnsafeFileError(
            f"{file.name} is not GeoJSON: its type is {str(kind)[:40]!r}.",
            "Other JSON documents are not opened, for security reasons.",
            "Export a FeatureCollection.",
        )
    if not isinstance(features, list) or not features:
        raise InputError(f"{file.name} holds no features.", remedy="Choose another file.")
    if len(features) > limits.features:
        raise too_many(file.name, "features", limits.features)
    if not all(isinstance(feature, dict) for feature in features):
        raise unreadable(file.name)
    return document, features


def json_document(
    file: Path, limits: Limits, remedy: str = "Clip it to the area of interest, or save it as GeoPackage."
) -> Any:  # noqa: ANN401
    """A JSON document of a stranger, once it is known to fit into memory.

    Parameters
    ----------
    remedy
        What helps where it does not.

    Raises
    ------
    UnsafeFileError
        When it is larger than the limits, or would be in memory.
    InputError
        When it is damaged, or no text in UTF-8.
    """
    bounded(file.name, file.stat().st_size, limits.geojson_bytes)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise unreadable(file.name) from error
    memory = _OBJECT * content.count(b"{") + _LIST * content.count(b"[") + _VALUE * content.count(b",") + len(content)
    if memory > limits.json_memory:
        raise UnsafeFileError(
            f"{file.name} holds more values than fit into memory.",
            f"They would take about {memory / 1e9:.0f} GB; the limit is {limits.json_memory / 1e9:.1f} GB.",
            remedy,
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file.name} is not UTF-8 text.",
            "JSON must be UTF-8; otherwise its characters cannot be read.",
            "Save it again in UTF-8.",
        ) from error
    del content
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unreadable(file.name) from error


def _vertices(geometry: Any) -> int:  # noqa: ANN401
    import shapely

    return int(shapely.get_num_coordinates(geometry))


def _crs(document: dict[str, Any], shapes: NDArray[np.object_], name: str) -> pyproj.CRS | None:
    """CRS of a GeoJSON document: WGS 84 unless it carries the "crs" member of the 2008 edition."""
    import pyproj
    import shapely

    if "crs" not in document:
        bounds = shapely.bounds(shapes[shapes != None])  # noqa: E711  of an array
        bounds = bounds[np.isfinite(bounds).all(axis=1)]
        if len(bounds) and (np.abs(bounds[:, [0, 2]]).max() > 360 or np.abs(bounds[:, [1, 3]]).max() > 90):
            raise InputError(
                f"The coordinates of {name} are not longitude and latitude.",
                "GeoJSON without a coordinate system is in degrees, WGS 84.",
                "Export it in WGS 84 (EPSG:4326), or as GeoPackage with its coordinate system.",
            )
        return pyproj.CRS.from_epsg(4326)
    if document["crs"] is None:
        return None
    try:
        return crs_of_code(str(document["crs"]["properties"]["name"]), name)
    except (LookupError, TypeError) as error:
        raise InputError(
            f"The coordinate system named in {name} is unknown.",
            remedy="Save it in longitude and latitude (WGS 84).",
        ) from error
