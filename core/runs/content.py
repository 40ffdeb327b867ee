"""What a file of a dataset is, whether it can be read, and a first look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes, regular_file
from core.runs.records import Form
from core.wording import count

if TYPE_CHECKING:
    from pandas import DataFrame

HEAD_ROWS, HEAD_COLUMNS = 20, 50
"""Size of the beginning of a table that a preview shows."""

_RASTERS = {"GTiff": ".tif", "PNG": ".png", "JPEG": ".jpg"}
_TEXTS = frozenset({".csv", ".tsv", ".tab", ".txt"})
_NOUNS = {"raster": "an image", "vector": "a vector layer", "table": "a table"}
_KINDS = {
    "raster": "GeoTIFF, PNG or JPEG",
    "vector": "GeoPackage, GeoJSON or zipped Shapefile",
    "table": "CSV or TSV (also zipped), Excel workbook (.xlsx), dBase table (.dbf) or MintPy time series (.h5, .he5)",
}


@dataclass(frozen=True)
class Recognised:
    """Form of a file, and the suffix by which files of its kind are known."""

    form: Form
    suffix: str


@dataclass(frozen=True)
class Preview:
    """A first look at a dataset.

    Attributes
    ----------
    form
        Its form.
    rows
        Rows of a table, features of a vector layer, height of a raster.
    columns
        Names of columns or attributes; of a raster, its bands.
    head
        The first rows; None for a raster.
    crs
        Name of its coordinate system; empty without one.
    bounds
        West, south, east and north in that system; None for a table.
    geometries
        Types of geometry of a vector layer.
    """

    form: Form
    rows: int
    columns: tuple[str, ...]
    head: DataFrame | None = None
    crs: str = ""
    bounds: tuple[float, float, float, float] | None = None
    geometries: tuple[str, ...] = ()


def recognise(path: Path, name: str, form: Form | None = None) -> Recognised:
    """Tell what a file is by its first bytes, and among texts by its name.

    Parameters
    ----------
    path
        The file.
    name
        Name that it came with.
    form
        What it must be; any form when None.

    Raises
    ------
    UnsafeFileError
        When it is nothing that may be opened.
    InputError
        When it is missing, empty or of another form.
    """
    from core.raster.untrusted import sniff

    if form == "raster":
        return Recognised("raster", _RASTERS[sniff(path)])
    found = _recognised(regular_file(path), PurePath(name).suffix.lower(), form)
    if form is not None and form != found.form:
        raise InputError(
            f"{path.name} is {_NOUNS[found.form]}, not {_NOUNS[form]}.", remedy=f"Choose a {_KINDS[form]}."
        )
    return found


def _recognised(file: Path, suffix: str, form: Form | None) -> Recognised:
    from core.raster.untrusted import sniff
    from core.series.hdf5 import is_hdf5
    from core.series.table import is_workbook, is_zipped_table

    head = first_bytes(file, 100)
    if not head:
        raise InputError(f"{file.name} is empty.", remedy="Copy or download it again.")
    if head.startswith(b"SQLite format 3\x00"):
        return Recognised("vector", ".gpkg")
    if head.startswith(b"PK\x03\x04"):
        if is_workbook(file):
            return Recognised("table", ".xlsx")
        return Recognised("table" if is_zipped_table(file) else "vector", ".zip")
    if is_hdf5(file):
        return Recognised("table", ".h5")
    if suffix == ".dbf" and head[0] in (0x03, 0x83, 0x8B):
        return Recognised("table", ".dbf")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return Recognised("vector", ".geojson")
    try:
        return Recognised("raster", _RASTERS[sniff(file)])
    except UnsafeFileError:
        if form == "table" or suffix in _TEXTS:
            return Recognised("table", ".tsv" if suffix in (".tsv", ".tab") else ".csv")
        raise UnsafeFileError(
            f"{file.name} cannot be opened: it is not one of the supported file types.",
            "Other types of files are not opened, for security reasons.",
            f"Choose a {'; a '.join(_KINDS.values())}.",
        ) from None


def check(path: Path, form: Form) -> None:
    """Read a file once through the reader of its form.

    Raises
    ------
    LandslideError
        When it cannot be read, or could harm the server.
    """
    if form == "raster":
        from core.raster.scene import Scene

        Scene.open(path)
    elif form == "vector":
        from core.raster.untrusted import read_vectors_untrusted

        read_vectors_untrusted(path)
    else:
        from core.series.table import describe_table

        info = describe_table(path)
        if not info.rows:
            raise InputError(
                f"{path.name} has {count(len(info.columns), 'column')} but no rows of data.",
                remedy="Choose a table with data below its headings.",
            )


def preview(path: Path, form: Form) -> Preview:
    """A first look at a file: its size and place, and its first rows.

    Raises
    ------
    LandslideError
        When it cannot be read.
    """
    if form == "raster":
        return _raster(path)
    return _vectors(path) if form == "vector" else _table(path)


def _raster(path: Path) -> Preview:
    from core.raster.scene import Scene

    scene = Scene.open(path)
    names = tuple(band.name or f"band {band.index}" for band in scene.bands)
    grid = scene.grid
    return Preview("raster", grid.height, names, crs=grid.crs.to_string() if grid.crs else "", bounds=grid.bounds)


def _vectors(path: Path) -> Preview:
    import pandas as pd

    from core.raster.vectors import first_attributes, read_vectors_untrusted

    frame, said = read_vectors_untrusted(path), first_attributes(path, HEAD_ROWS, HEAD_COLUMNS)
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    return Preview(
        "vector", len(frame), said.names, pd.DataFrame(said.rows, columns=list(said.names[:HEAD_COLUMNS])),
        "" if frame.crs is None else str(frame.crs.to_string()), (west, south, east, north),
        tuple(sorted(set(frame.geom_type.dropna()))),
    )  # fmt: skip


def _table(path: Path) -> Preview:
    from core.series.table import describe_table, read_table_untrusted

    info = describe_table(path)
    return Preview(
        "table", info.rows, info.columns, read_table_untrusted(path, rows=HEAD_ROWS).iloc[:, :HEAD_COLUMNS]
    )
