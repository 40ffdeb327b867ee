"""Reading inventories that strangers made: GeoPackage, GeoJSON and zipped Shapefiles, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes, regular_file

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

#: Most bytes of a GeoPackage, and of a Shapefile once it is unpacked.
MAX_VECTOR_BYTES = 1_000_000_000

#: Most bytes of a GeoJSON file, which becomes many times larger in memory.
MAX_GEOJSON_BYTES = 200_000_000

#: Most features of an inventory.
MAX_FEATURES = 1_000_000

#: Most members of a zip archive.
MAX_ZIP_MEMBERS = 64

# What the zip reader raises for damaged, encrypted and oddly compressed members.
_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError)
_CRS_NAME = re.compile(r"(?:urn:ogc:def:crs:)?(EPSG|OGC|ESRI):(?:[\d.]*:)?(\w{1,12})", re.IGNORECASE)
_SHAPEFILE_PARTS = frozenset({".shp", ".shx", ".dbf", ".prj", ".cpg"})
_GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)


def read_vectors_untrusted(path: str | os.PathLike[str]) -> GeoDataFrame:
    """Read the features of a file that strangers made.

    Parameters
    ----------
    path
        GeoPackage with one layer of geometries, GeoJSON, or a zip archive with one Shapefile, on disk.

    Returns
    -------
    geopandas.GeoDataFrame
        Features in the file's CRS (None when it names none).

    Raises
    ------
    UnsafeFileError
        When the file is of another kind, is too large, or could harm the server.
    InputError
        When it is missing, damaged or holds no features.
    """
    file = regular_file(path)
    head = first_bytes(file, 100)
    if head.startswith(b"SQLite format 3\x00"):
        features = _read_geopackage(file)
    elif head.startswith(b"PK\x03\x04"):
        features = _read_shapefile(file)
    elif head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        features = _read_geojson(file)
    else:
        raise UnsafeFileError(
            f"{file.name} is not a GeoPackage, GeoJSON or zipped Shapefile, whatever its name says.",
            "Other kinds of files may point to further files on the server, so they are not opened.",
            "Convert it to GeoPackage first, for example with ogr2ogr or QGIS.",
        )
    if features.empty or features.geometry.isna().all():
        raise InputError(f"{file.name} holds no features with a geometry.", remedy="Choose another file.")
    return features


def _read_geopackage(file: Path) -> GeoDataFrame:
    _bounded(file, file.stat().st_size, MAX_VECTOR_BYTES)
    with tempfile.TemporaryDirectory(prefix="slidelens-") as folder:
        # A copy under our name has no journal beside it that could change what it holds.
        copy = Path(folder, "layer.gpkg")
        shutil.copyfile(file, copy)
        layers = _geopackage_layers(copy, file.name)
        if not layers:
            raise InputError(f"{file.name} holds no layer of features.", remedy="Choose another file.")
        if len(layers) > 1:
            raise InputError(
                f"{file.name} holds {len(layers)} layers: {', '.join(layers[:8])}.",
                "Which of them is meant cannot be told.",
                "Save the layer you need to a file of its own.",
            )
        return _read_with_gdal(copy, file.name, layers[0])


def _geopackage_layers(copy: Path, name: str) -> list[str]:
    """Names of the feature tables of a GeoPackage, once it is known to hold nothing that acts or points."""
    try:
        connection = sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            if connection.execute("PRAGMA application_id").fetchone()[0] not in (0x47504B47, 0x47503130):
                raise UnsafeFileError(
                    f"{name} is a database, but no GeoPackage.",
                    remedy="Convert it to GeoPackage, for example with QGIS.",
                )
            objects = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
            layers = connection.execute(
                "SELECT table_name FROM gpkg_contents WHERE data_type = 'features' ORDER BY table_name"
            ).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _unreadable(name) from error
    for kind, table, sql in objects:
        words = str(sql).lower().split()
        if words[:2] == ["create", "virtual"] and "rtree" not in str(sql).lower().partition("using")[2][:8]:
            raise UnsafeFileError(f"{name} holds a virtual table ({table}).", remedy="Export it again.")
        if kind == "view" and any(table == layer for (layer,) in layers):
            raise UnsafeFileError(f"The layer {table} of {name} is a view.", remedy="Export it as a table.")
    return [str(layer) for (layer,) in layers]


def _read_shapefile(file: Path) -> GeoDataFrame:
    with tempfile.TemporaryDirectory(prefix="slidelens-") as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                _unpack_shapefile(archive, Path(folder), file)
        except _ZIP_ERRORS as error:
            raise _unreadable(file.name) from error
        shape = Path(folder, "layer.shp")
        if first_bytes(shape, 4) != b"\x00\x00\x27\x0a":
            raise _unreadable(file.name)
        return _read_with_gdal(shape, file.name, None)


def _unpack_shapefile(archive: zipfile.ZipFile, folder: Path, file: Path) -> None:
    """Unpack the parts of the one Shapefile of an archive under names of ours."""
    members = archive.infolist()
    if len(members) > MAX_ZIP_MEMBERS:
        raise UnsafeFileError(f"{file.name} holds {len(members)} files, more than {MAX_ZIP_MEMBERS}.")
    for member in members:
        inner = PurePosixPath(member.filename.replace("\\", "/"))
        linked = stat.S_ISLNK(member.external_attr >> 16)
        if inner.is_absolute() or ".." in inner.parts or ":" in member.filename or linked:
            raise UnsafeFileError(
                f"{file.name} holds a member that points outside the archive ({member.filename!r}).",
                "Unpacking it could overwrite files on the server.",
                "Zip the Shapefile's own files again.",
            )
    shapes = [m for m in members if m.filename.lower().endswith(".shp")]
    if len(shapes) != 1:
        raise InputError(
            f"{file.name} holds {len(shapes)} Shapefiles.",
            remedy="Put exactly one Shapefile into the archive.",
        )
    stem = shapes[0].filename[:-4].lower()
    parts = {m.filename[len(stem) :].lower(): m for m in members if m.filename.lower().startswith(stem + ".")}
    parts = {suffix: member for suffix, member in parts.items() if suffix in _SHAPEFILE_PARTS}
    _bounded(file, sum(member.file_size for member in parts.values()), MAX_VECTOR_BYTES)
    for suffix, member in parts.items():
        # Python stops reading a member at the size its header claims, so the sum above is binding.
        with archive.open(member) as packed, (folder / f"layer{suffix}").open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)


def _read_geojson(file: Path) -> GeoDataFrame:
    """Read GeoJSON without GDAL, which takes a file of this look for one of half a dozen formats.

    One of them is a pipeline of commands to be run on any file of the server.
    """
    _bounded(file, file.stat().st_size, MAX_GEOJSON_BYTES)
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _unreadable(file.name) from error
    if not isinstance(document, dict):
        raise _unreadable(file.name)
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
    elif kind == "Feature":
        features = [document]
    elif kind in _GEOMETRIES:
        features = [{"type": "Feature", "properties": {}, "geometry": document}]
    else:
        raise UnsafeFileError(
            f"{file.name} is not GeoJSON: its type is {kind!r}.",
            "Other documents of this look may point to further files on the server.",
            "Export a FeatureCollection.",
        )
    return _features(features, _geojson_crs(document, file.name), file.name)


def _features(features: Any, crs: Any, name: str) -> GeoDataFrame:  # noqa: ANN401
    from geopandas import GeoDataFrame
    from shapely.errors import ShapelyError

    if not isinstance(features, list) or not features:
        raise InputError(f"{name} holds no features.", remedy="Choose another file.")
    if len(features) > MAX_FEATURES:
        raise _too_many(name, len(features))
    try:
        plain = [
            {
                "type": "Feature",
                "properties": dict(feature.get("properties") or {}),
                "geometry": feature.get("geometry"),
            }
            for feature in features
        ]
        return GeoDataFrame.from_features(plain, crs=crs)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError, ShapelyError) as error:
        raise _unreadable(name) from error


def _geojson_crs(document: dict[str, Any], name: str) -> Any:  # noqa: ANN401
    """CRS of a GeoJSON document: WGS 84 unless it carries the "crs" member of the 2008 edition."""
    import pyproj

    if "crs" not in document:
        return pyproj.CRS.from_epsg(4326)
    if document["crs"] is None:
        return None
    try:
        # Authority codes only: the full grammar of coordinate systems can name files.
        name_of_crs = _CRS_NAME.fullmatch(str(document["crs"]["properties"]["name"]))
        if name_of_crs is None:
            raise ValueError("not the code of a coordinate system")
        return pyproj.CRS.from_authority(*name_of_crs.groups())
    except (LookupError, TypeError, ValueError, pyproj.exceptions.CRSError) as error:
        raise InputError(
            f"The coordinate system that {name} names is not known.",
            remedy="Save it in longitude and latitude (WGS 84).",
        ) from error


def _read_with_gdal(copy: Path, name: str, layer: str | None) -> GeoDataFrame:
    import pyogrio
    from geopandas import GeoDataFrame
    from pyogrio.errors import DataSourceError, FieldError, GeometryError
    from shapely.errors import ShapelyError

    try:
        count = int(pyogrio.read_info(copy, layer=layer, force_feature_count=True)["features"])
        if count > MAX_FEATURES:
            raise _too_many(name, count)
        frame = pyogrio.read_dataframe(copy, layer=layer, on_invalid="warn")
    except (DataSourceError, FieldError, GeometryError, ShapelyError) as error:
        raise _unreadable(name) from error
    if not isinstance(frame, GeoDataFrame):
        raise InputError(f"{name} holds a table without geometries.", remedy="Choose another file.")
    return frame


def _bounded(file: Path, size: int, most: int) -> None:
    if size > most:
        raise UnsafeFileError(
            f"{file.name} holds {size / 1e6:,.0f} MB; at most {most / 1e6:,.0f} MB are read.",
            "Decoding it could exhaust the server's memory.",
            "Cut it to the area of interest.",
        )


def _too_many(name: str, count: int) -> UnsafeFileError:
    return UnsafeFileError(
        f"{name} holds {count:,} features; at most {MAX_FEATURES:,} are read.",
        remedy="Cut it to the area of interest.",
    )


def _unreadable(name: str) -> InputError:
    return InputError(
        f"{name} is damaged or was cut short.",
        "Its features cannot all be read.",
        "Export it again, as GeoPackage if you can choose.",
    )
