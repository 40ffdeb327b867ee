"""GeoPackages that strangers made, read by SQLite alone: one table of geometries, nothing that acts or points.

A GeoPackage is a database: views, triggers, virtual tables and generated columns are programs, and `ATTACH` opens other
files. Everything but reading columns of plain tables is therefore denied to the connection itself, and its time and
the size of its values are bounded.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, UnsafeFileError
from core.raster.crs import crs_of_code, crs_of_wkt
from core.raster.vector_limits import Limits, too_many, unreadable

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

APPLICATION_IDS = frozenset({0x47504B47, 0x47503130, 0x47503131})
"""GPKG (1.2 and later), GP10, GP11."""

SECONDS = 60.0
"""Longest time of reading one GeoPackage."""

MAX_VALUE = 256 * 2**20
"""Most bytes of one value."""

AT_ONCE = 10_000
"""Rows that are taken at once."""

UNDEFINED = frozenset({"-1", "0", "99999"})
"""Ids of the systems that stand for none."""

_TABLES = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys")
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})
_FUNCTIONS = frozenset({"count", "substr", "typeof", "length"})


@dataclass(frozen=True)
class Layer:
    """A table of geometries.

    Attributes
    ----------
    table, column
        Its name, and that of the column of geometries.
    crs
        Coordinate system, None where the file says that there is none.
    """

    table: str
    column: str
    crs: pyproj.CRS | None


def read_geopackage(file: Path, limits: Limits) -> tuple[NDArray[np.object_], pyproj.CRS | None]:
    """Geometries of the one layer of a GeoPackage; None where one cannot be read.

    Raises
    ------
    UnsafeFileError
        When it acts or points elsewhere, or holds more than the limits.
    InputError
        When it is damaged, open elsewhere, or does not hold exactly one layer.
    """
    import shapely

    with _opened(file) as connection:
        layer = _layer(connection, file.name)
        blobs: list[bytes | None] = []
        size = 0
        rows = connection.execute(f"SELECT {_quoted(layer.column)} FROM {_quoted(layer.table)}")  # noqa: S608  quoted
        while chunk := rows.fetchmany(AT_ONCE):
            blobs += [_wkb(value) for (value,) in chunk]
            size += sum(len(blob) for blob in blobs[-len(chunk) :] if blob)
            if len(blobs) > limits.features:
                raise too_many(file.name, "features", limits.features)
            if size > limits.vertices * 16:
                raise too_many(file.name, "vertices", limits.vertices)
    return np.asarray(shapely.from_wkb(np.asarray(blobs, dtype=object), on_invalid="ignore")), layer.crs


def first_attributes(
    file: Path, rows: int, columns: int, longest: int = 200
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Names of all attributes of a GeoPackage's layer, and the first rows of the first of them, texts cut short.

    Raises
    ------
    UnsafeFileError, InputError
        As of `read_geopackage`.
    """
    with _opened(file) as connection:
        layer = _layer(connection, file.name)
        names = [name for name in _plain_columns(connection, layer.table) if name != layer.column]
        wanted = ", ".join(
            f"CASE WHEN typeof({_quoted(name)}) IN ('text', 'blob') THEN substr({_quoted(name)}, 1, {longest}) "
            f"ELSE {_quoted(name)} END"
            for name in names[:columns]
        )
        if not wanted:
            return tuple(names), []
        found = connection.execute(f"SELECT {wanted} FROM {_quoted(layer.table)} LIMIT {int(rows)}")  # noqa: S608
        return tuple(names), found.fetchall()


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can read plain columns only, for a bounded time."""
    for beside in ("-wal", "-journal"):
        journal = file.with_name(file.name + beside)
        if journal.is_file() and journal.stat().st_size:
            raise InputError(
                f"{file.name} is open in another program, or was not closed properly.",
                f"The file next to it ({journal.name}) holds changes that have not been written to it yet.",
                "Close it in that program, then choose it again.",
            )
    deadline = time.monotonic() + SECONDS
    try:
        connection = sqlite3.connect(f"file:{_escaped(file)}?mode=ro&immutable=1", uri=True)
    except (sqlite3.Error, ValueError) as error:
        raise unreadable(file.name) from error
    try:
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.execute("PRAGMA trusted_schema=OFF")
        identity = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if identity not in APPLICATION_IDS and not (identity == 0 and 10_000 <= version < 20_000):
            raise UnsafeFileError(
                f"{file.name} is a database, but not a GeoPackage.",
                remedy="Convert it to GeoPackage, for example with QGIS.",
            )
        _check_tables(connection, file.name)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
        yield connection
    except (sqlite3.Error, OverflowError, MemoryError, ValueError) as error:  # also of messages that are no text
        if time.monotonic() > deadline:
            raise UnsafeFileError(
                f"{file.name} takes longer than {SECONDS:.0f} seconds to read.",
                "It would block the server.",
                "Export it again, or clip it to the area of interest.",
            ) from error
        raise unreadable(file.name) from error
    finally:
        connection.close()


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Allow what reading columns of tables needs, and the functions that this module uses."""
    allowed = action in _ALLOWED and (action != sqlite3.SQLITE_FUNCTION or second in _FUNCTIONS)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _check_tables(connection: sqlite3.Connection, name: str) -> None:
    """Refuse a file whose own tables are views or virtual ones."""
    found = dict(connection.execute("SELECT name, type || ' ' || coalesce(sql, '') FROM sqlite_master").fetchall())
    for table in _TABLES:
        kind, _, sql = str(found.get(table, "")).partition(" ")
        if not kind:
            raise InputError(
                f"{name} is an incomplete GeoPackage: it lacks the table {table}.", remedy="Export it again."
            )
        _check_plain(kind, sql, table, name)


def _check_plain(kind: str, sql: str, table: str, name: str) -> None:
    words = sql.lower().split()
    if kind != "table" or words[:2] != ["create", "table"]:
        what = "virtual table" if words[:2] == ["create", "virtual"] else kind
        raise UnsafeFileError(
            f"{table} of {name} is a {what}, not a table.",
            "Reading it would run code from the file.",
            "Export its layer to a new GeoPackage.",
        )


def _layer(connection: sqlite3.Connection, name: str) -> Layer:
    rows = connection.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'features' LIMIT 1000").fetchall()
    layers = sorted(str(table) for (table,) in rows)
    if not layers:
        raise InputError(f"{name} holds no vector layer.", remedy="Choose another file.")
    if len(layers) > 1:
        raise InputError(
            f"{name} holds {len(layers)} layers: {', '.join(layers[:8])}.",
            "It is unclear which of them to use.",
            "Save the layer that you need to a separate file.",
        )
    table = layers[0]
    connection.set_authorizer(None)
    made = connection.execute("SELECT type, coalesce(sql, '') FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if made is None:
        raise InputError(f"{name} lacks the table of its layer {table}.", remedy="Export it again.")
    _check_plain(str(made[0]), str(made[1]), table, name)
    plain = _plain_columns(connection, table)
    connection.set_authorizer(_authorize)
    found = connection.execute(
        "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?", (table,)
    ).fetchone()
    if found is None or str(found[0]) not in plain:
        raise InputError(f"The layer {table} of {name} has no geometries.", remedy="Choose another file.")
    return Layer(table, str(found[0]), _crs(connection, found[1], name))


def _plain_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Names of the columns that hold what they say, but for the key: a generated one is a program."""
    connection.set_authorizer(None)
    found = connection.execute("SELECT name, hidden, pk FROM pragma_table_xinfo(?)", (table,)).fetchall()
    connection.set_authorizer(_authorize)
    return [str(column) for column, hidden, key in found if not (hidden or key)]


def _crs(connection: sqlite3.Connection, identity: object, name: str) -> pyproj.CRS | None:
    if str(identity) in UNDEFINED:
        return None
    row = connection.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (identity,),
    ).fetchone()
    if row is None:
        raise InputError(
            f"{name} names a coordinate system (srs_id {identity}) without describing it.",
            remedy="Assign a coordinate system and export it again.",
        )
    organization, code, definition = (str(value or "") for value in row)
    if organization.upper() in ("EPSG", "ESRI", "OGC") and code:
        try:
            return crs_of_code(f"{organization}:{code}", name)
        except InputError:
            if not definition:
                raise
    return crs_of_wkt(definition, name)


def _wkb(value: object) -> bytes | None:
    """Well-known binary of a geometry as GeoPackage stores it; None where it is empty or no geometry."""
    if not isinstance(value, bytes) or len(value) < 8 or value[:2] != b"GP":
        return None
    envelope = (value[3] >> 1) & 0b111
    if envelope > 4:
        return None
    return value[8 + (0, 32, 48, 48, 64)[envelope] :] or None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(file: Path) -> str:
    from urllib.parse import quote

    return quote(str(file))


__all__: Sequence[str] = ("first_attributes", "read_geopackage")
