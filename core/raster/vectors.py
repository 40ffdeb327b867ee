"""Reading inventories that strangers made: GeoPackage, GeoJSON and zipped Shapefiles, and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import InputError, UnsafeFileError
from core.raster import foreign_geojson, foreign_gpkg, foreign_shapefile
from core.raster.files import first_bytes, regular_file
from core.raster.vector_limits import LIMITS, bounded

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Kind = Literal["gpkg", "zip", "geojson"]


@dataclass(frozen=True)
class Attributes:
    """What the features of a file say beside their places.

    Attributes
    ----------
    names
        Names of all attributes.
    rows
        The first rows of the first of them.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def read_vectors_untrusted(path: str | os.PathLike[str]) -> GeoDataFrame:
    """Read the places of the features of a file that strangers made.

    Parameters
    ----------
    path
        GeoPackage with one layer of geometries, GeoJSON, or a zip archive with one Shapefile, on disk.

    Returns
    -------
    geopandas.GeoDataFrame
        Geometries in the file's CRS (None when it names none), without attributes; None where a feature has none, or
        one that cannot be read.

    Raises
    ------
    UnsafeFileError
        When the file is of another kind, is too large, or could harm the server.
    InputError
        When it is missing, damaged or holds no features.
    """
    from geopandas import GeoDataFrame

    file, kind = _recognised(path)
    if kind == "gpkg":
        shapes, crs = foreign_gpkg.read_geopackage(file, LIMITS)
    elif kind == "zip":
        shapes, crs = foreign_shapefile.read_shapefile(file, LIMITS)
    else:
        shapes, crs = foreign_geojson.read_geojson(file, LIMITS)
    features = GeoDataFrame({}, geometry=shapes, crs=crs)
    if features.empty or features.geometry.isna().all():
        raise InputError(f"{file.name} holds no features with a geometry.", remedy="Choose another file.")
    return features


def first_attributes(path: str | os.PathLike[str], rows: int, columns: int) -> Attributes:
    """Read the first attributes of the first features of a file that strangers made.

    Raises
    ------
    UnsafeFileError, InputError
        As of `read_vectors_untrusted`.
    """
    file, kind = _recognised(path)
    if kind == "gpkg":
        names, found = foreign_gpkg.first_attributes(file, rows, columns)
    elif kind == "zip":
        names, found = foreign_shapefile.first_attributes(file, rows, columns, LIMITS)
    else:
        _, features = foreign_geojson.features_of(file, LIMITS)
        said: list[dict[str, Any]] = [
            one if isinstance(one, dict) else {} for one in (feature.get("properties") for feature in features[:rows])
        ]
        names = tuple(dict.fromkeys(str(name) for one in said for name in one))
        found = [tuple(one.get(name) for name in names[:columns]) for one in said]
    return Attributes(names, tuple(found))


def _recognised(path: str | os.PathLike[str]) -> tuple[Path, Kind]:
    file = regular_file(path)
    head = first_bytes(file, 100)
    if head.startswith(b"SQLite format 3\x00"):
        bounded(file.name, file.stat().st_size, LIMITS.file_bytes)
        return file, "gpkg"
    if head.startswith(b"PK\x03\x04"):
        return file, "zip"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return file, "geojson"
    raise UnsafeFileError(
        f"{file.name} is not a GeoPackage, GeoJSON or zipped Shapefile: its content is of another type or damaged.",
        "Other types of vector layers are not opened, for security reasons.",
        "Choose another file, or export the layer again as GeoPackage, for example with QGIS or ogr2ogr.",
    )
