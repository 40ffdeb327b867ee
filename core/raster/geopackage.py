"""GeoPackages of our own making: read in part, told apart by what they hold, and dressed for other programs.

Files from elsewhere go through `core.raster.untrusted.read_vectors_untrusted`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.raster.fields import Field

AT_ONCE = 50_000
"""Rows that are read at once for a digest."""

STYLES = "layer_styles"
"""Table in which QGIS looks for the style of a layer."""

_STYLES_TABLE = f"""
CREATE TABLE IF NOT EXISTS {STYLES} (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""

def _extension(name: str, definition: str, *tables: str) -> tuple[str, ...]:
    """Statements that register tables of an extension of the standard; the words are our own."""
    return (
        "CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, "
        "definition TEXT NOT NULL, scope TEXT NOT NULL, "
        "CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))",
        *(
            f"INSERT INTO gpkg_extensions SELECT '{table}', NULL, '{name}', '{definition}', 'read-write' "  # noqa: S608
            f"WHERE NOT EXISTS (SELECT 1 FROM gpkg_extensions WHERE table_name = '{table}')"
            for table in tables
        ),
    )


_METADATA_TABLES = (
    "CREATE TABLE IF NOT EXISTS gpkg_metadata (id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT "
    "NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', "
    "metadata TEXT NOT NULL DEFAULT '')",
    "CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (reference_scope TEXT NOT NULL, table_name TEXT, column_name "
    "TEXT, row_id_value INTEGER, timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), "
    "md_file_id INTEGER NOT NULL, md_parent_id INTEGER, CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES "
    "gpkg_metadata(id), CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id))",
    *_extension("gpkg_metadata", "http://www.geopackage.org/spec120/#extension_metadata",
                "gpkg_metadata", "gpkg_metadata_reference"),
)  # fmt: skip
"""As the GeoPackage standard writes them (annex F.8)."""


_COLUMNS_TABLES = (
    "CREATE TABLE IF NOT EXISTS gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, "
    "title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, "
    "column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name))",
    "CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT "
    "NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT, "
    "CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value))",
    *_extension("gpkg_schema", "http://www.geopackage.org/spec121/#extension_schema",
                "gpkg_data_columns", "gpkg_data_column_constraints"),
)  # fmt: skip
"""As the GeoPackage standard writes them (annex F.9)."""


@dataclass(frozen=True)
class LayerStyle:
    """How a layer is shown: a name, QGIS's own description (QML), and SLD 1.1 for other programs."""

    name: str
    qml: str
    sld: str


def dress(
    path: Path,
    layer: str,
    style: LayerStyle | None = None,
    about: Mapping[str, str] | None = None,
    fields: Mapping[str, Field] | None = None,
) -> None:
    """Put into a GeoPackage how its layer is shown when it is opened, and what it is of.

    Parameters
    ----------
    style
        QGIS finds it in the table ``layer_styles``.
    about
        Texts by name, kept in the tables of metadata that GeoPackage defines, in GDAL's form and in that of QGIS,
        and in the description of the layer.
    fields
        What columns hold, by their names, kept in the table of columns that GeoPackage defines; GDAL and QGIS show it
        as the comment of a column.

    Raises
    ------
    StorageError
        When the file cannot be written.
    """
    with _editing(path) as database:
        if style is not None:
            _add_style(database, layer, style)
        if about:
            _add_metadata(database, layer, about)
        if fields:
            _add_columns(database, layer, fields)


def _add_style(database: sqlite3.Connection, layer: str, style: LayerStyle) -> None:
    database.execute(_STYLES_TABLE)
    database.execute(
        "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)",
        (STYLES, STYLES),
    )
    found = database.execute("SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer,)).fetchone()
    database.execute("DELETE FROM layer_styles WHERE f_table_name = ?", (layer,))
    database.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, ?, ?, ?, ?, 1, ?, '')",
        (layer, found[0] if found else "", style.name, style.qml, style.sld, style.name),
    )


def about_lines(about: Mapping[str, str]) -> list[str]:
    """What a file tells of where it comes from, for people, such as "threshold: 0.5"."""
    return [f"{name.removeprefix('view_').replace('_', ' ')}: {value}" for name, value in about.items()]


def _add_metadata(database: sqlite3.Connection, layer: str, about: Mapping[str, str]) -> None:
    for statement in _METADATA_TABLES:
        database.execute(statement)
    title = about.get("content", layer)
    database.execute(
        "UPDATE gpkg_contents SET description = ? WHERE table_name = ?",
        ("; ".join(about_lines(about)), layer),
    )
    items = "".join(f'<MDI key="{escape(name)}">{escape(value)}</MDI>' for name, value in about.items())
    lines = "\n".join(about_lines(about))
    for_gdal = f"<GDALMultiDomainMetadata><Metadata>{items}</Metadata></GDALMultiDomainMetadata>"
    for_qgis = (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.28.0"><type>dataset</type><title>{escape(title)}</title>'
        f"<abstract>{escape(lines)}</abstract><license>{escape(about.get('licence', ''))}</license></qgis>"
    )
    for standard, content in (("http://gdal.org", for_gdal), ("http://mrcc.com/qgis.dtd", for_qgis)):
        row = database.execute(
            "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
            "VALUES ('dataset', ?, 'text/xml', ?)",
            (standard, content),
        ).lastrowid
        database.execute(
            "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, md_file_id) VALUES ('table', ?, ?)",
            (layer, row),
        )


def _add_columns(database: sqlite3.Connection, layer: str, fields: Mapping[str, Field]) -> None:
    for statement in _COLUMNS_TABLES:
        database.execute(statement)
    database.executemany(
        "INSERT OR REPLACE INTO gpkg_data_columns (table_name, column_name, name, title, description) "
        "VALUES (?, ?, ?, ?, ?)",
        [(layer, name, name, one.named, one.described) for name, one in fields.items()],
    )


@contextmanager
def _editing(path: Path) -> Iterator[sqlite3.Connection]:
    """A GeoPackage of ours as a database, all of whose changes are kept or none."""
    try:
        with closing(sqlite3.connect(path)) as database, database:
            yield database
    except sqlite3.Error as error:
        message = f"{path.name} could not be written."
        raise StorageError(message, str(error), "Free up disk space and try again.") from error


def first_rows(path: Path, most: int) -> GeoDataFrame:
    """The first rows of the one layer of a GeoPackage, with their geometries.

    A layer has one type of geometry, so that polygons among multipolygons are written as such of one part; they come
    back as what they were.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    import shapely

    frame: GeoDataFrame = _read(path, max_features=most)
    shapes = frame.geometry.to_numpy().copy()
    single = shapely.get_num_geometries(shapes) == 1
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return frame.set_geometry(shapes, crs=frame.crs)


def column_of(path: Path, name: str) -> NDArray[np.float64]:
    """One column of numbers, of all rows.

    Raises
    ------
    StorageError
        When it cannot be read, or has no such column.
    """
    table = _read(path, columns=[name], read_geometry=False)
    if name not in table:
        raise _unreadable(path)
    return np.asarray(table[name], dtype=np.float64)


def rows_digest(path: Path) -> str:
    """SHA-256 of coordinate system, columns and rows in their order; a GeoPackage itself holds the time of writing.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    digest, start = hashlib.sha256(), 0
    while True:
        meta, _, shapes, columns = _raw(path, start)
        if start == 0:
            digest.update(repr([meta["crs"], meta["geometry_type"], list(meta["fields"])]).encode())
        for values in (shapes, *columns):
            _add(digest, values)
        if shapes is None or len(shapes) < AT_ONCE:
            return digest.hexdigest()
        start += AT_ONCE


def _add(digest: hashlib._Hash, values: NDArray[Any] | None) -> None:
    if values is None:
        return
    if values.dtype != object:
        digest.update(np.ascontiguousarray(values).tobytes())
        return
    for value in values:
        content = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(len(content).to_bytes(8, "little") + content)


def _raw(path: Path, start: int) -> Any:  # noqa: ANN401  as pyogrio gives it
    import pyogrio

    try:
        return pyogrio.raw.read(path, layer=_layer(path), skip_features=start, max_features=AT_ONCE)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise _unreadable(path) from error


def _read(path: Path, **what: Any) -> Any:  # noqa: ANN401
    import pyogrio

    try:
        return pyogrio.read_dataframe(path, layer=_layer(path), **what)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise _unreadable(path) from error


def _layer(path: Path) -> str:
    """Name of the one layer with shapes, beside which its style may lie."""
    import pyogrio

    return next(str(name) for name, geometry in pyogrio.list_layers(path) if geometry is not None)


def _unreadable(path: Path) -> StorageError:
    return StorageError(
        f"{path.name} cannot be read.", "It no longer exists or is damaged.", "Export it again."
    )
