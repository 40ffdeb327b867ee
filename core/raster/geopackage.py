"""GeoPackages of our own making: read in part, and told apart by what they hold.

Files from elsewhere go through `core.raster.untrusted.read_vectors_untrusted`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

AT_ONCE = 50_000
"""Rows that are read at once for a digest."""


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
        return pyogrio.raw.read(path, skip_features=start, max_features=AT_ONCE)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise _unreadable(path) from error


def _read(path: Path, **what: Any) -> Any:  # noqa: ANN401
    import pyogrio

    try:
        return pyogrio.read_dataframe(path, **what)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> StorageError:
    return StorageError(
        f"{path.name} cannot be read.", "It is no longer there, or was damaged.", "Have it made again."
    )
