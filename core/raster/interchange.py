"""Shapes in the formats that others ask for: a table with coordinates, a Shapefile and KML.

GeoPackage and GeoJSON are written by `core.raster.features`; they keep more and are the better choice where there is
one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from core.errors import StorageError
from core.raster.fields import Field, fields_table, short_names, write_fields
from core.raster.files import one_line
from core.raster.geopackage import about_lines
from core.raster.inside import points_inside
from core.raster.kml import write_kml
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

_EARLIEST = (1980, 1, 1, 0, 0, 0)


def table_with_places(features: GeoDataFrame) -> DataFrame:
    """The attributes of shapes, and a point inside each as it can be pasted into a GIS or looked up on a map.

    Columns added: ``x`` and ``y`` in the shapes' coordinate system, whose name stands in ``crs``, and ``longitude`` and
    ``latitude`` in WGS 84; in pixel space ``x`` and ``y`` alone, which are column and row of the image.
    """
    import pandas

    inside = points_inside(features.geometry)
    table = pandas.DataFrame(features.drop(columns=features.geometry.name))
    digits = 7 if features.crs is not None and features.crs.is_geographic else 2
    table["x"], table["y"] = inside.x.round(digits).to_numpy(), inside.y.round(digits).to_numpy()
    if features.crs is None:
        return table
    degrees = inside.to_crs(4326)
    authority = features.crs.to_authority()
    table["crs"] = ":".join(authority) if authority else one_line(features.crs.name)
    table["longitude"], table["latitude"] = degrees.x.round(7).to_numpy(), degrees.y.round(7).to_numpy()
    return table


def write_shapefile(
    features: GeoDataFrame, path: Path, layer: str, fields: Mapping[str, Field] | None = None
) -> None:
    """Write shapes as a zipped Shapefile: with ``.prj``, ``.cpg`` (UTF-8) and a table of what its fields mean.

    Names of fields are cut to 10 letters; ``<layer>_fields.csv`` in the zip has the whole ones, see
    `core.raster.fields.fields_table`. In pixel space there is no ``.prj``.

    Parameters
    ----------
    path
        The zip; GIS programs open it as it is when it ends in ``.shp.zip``.
    fields
        As `own` of `core.raster.fields.field_of`.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    names = short_names([str(name) for name in features.columns if name != features.geometry.name])
    kind: dict[str, Any] = {} if len(features) else {"geometry_type": "Polygon"}
    with atomic_path(path) as aside, tempfile.TemporaryDirectory(prefix=".shp-", dir=aside.parent) as made:
        folder = Path(made)
        try:
            features.rename(columns=names).to_file(
                folder / f"{layer}.shp", driver="ESRI Shapefile", engine="pyogrio", index=False, encoding="UTF-8",
                **kind,
            )  # fmt: skip
        except (OSError, RuntimeError, ValueError) as error:
            raise StorageError(f"{path.name} could not be written.", str(error),
                "Free up disk space and try again.") from error
        (folder / f"{layer}_fields.csv").write_text(fields_table(names, fields, names), encoding="utf-8")
        with ZipFile(aside, "w") as archive:
            for one in sorted(folder.iterdir()):
                entry = ZipInfo(one.name, _EARLIEST)
                entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, one.read_bytes())


def write_interchange(
    features: GeoDataFrame,
    folder: Path,
    layer: str,
    title: str,
    colour: str | Mapping[str, str],
    about: Mapping[str, str],
    *,
    table: DataFrame | None = None,
    by: str = "",
    fields: Mapping[str, Field] | None = None,
) -> None:
    """Write ``<layer>.csv``, ``<layer>.shp.zip`` and, where the shapes have coordinates, ``<layer>.kml``.

    ``<layer>_fields.csv`` says what the columns of all of them hold, see `core.raster.fields.fields_table`.

    Parameters
    ----------
    title, colour, about, by
        As for `write_kml`; texts by name.
    table
        What the CSV holds; by default the table of `table_with_places`.
    fields
        As `own` of `core.raster.fields.field_of`.

    Raises
    ------
    StorageError
        When the disk does not take them.
    """
    names = [str(name) for name in features.columns if name != features.geometry.name]
    table = table_with_places(features) if table is None else table
    with atomic_path(folder / f"{layer}.csv") as aside:
        table.to_csv(aside, index=False, lineterminator="\n")
    write_fields(folder / f"{layer}_fields.csv", [str(name) for name in table.columns], fields, short_names(names))
    write_shapefile(features, folder / f"{layer}.shp.zip", layer, fields)
    if features.crs is not None:
        write_kml(features, folder / f"{layer}.kml", title, colour, "; ".join(about_lines(about)), by, fields)
