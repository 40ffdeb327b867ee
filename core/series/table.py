"""Opening tables that strangers made: CSV, TSV, Excel workbooks, dBase tables, time series of MintPy; nothing else.

What a file is, is told by its content. Nothing in it is run: formulas count with the value that was saved beside
them, and text that looks like one stays text.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes, regular_file
from core.series.hdf5 import is_hdf5

if TYPE_CHECKING:
    from pandas import DataFrame

TableSuffix = Literal[".csv", ".tsv", ".xlsx", ".dbf", ".zip", ".h5"]

#: Most columns of a table.
MAX_COLUMNS = 4_096

#: Most rows of a table.
MAX_ROWS = 5_000_000

#: Most cells of a table: eight bytes each once they are read.
MAX_CELLS = 60_000_000

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class TableInfo:
    """What a table holds.

    Attributes
    ----------
    suffix
        By which files of its kind are known: ``".csv"``, ``".tsv"``, ``".xlsx"``, ``".dbf"``, ``".zip"`` for an archive
        that holds one table as text, or ``".h5"`` for a time series of MintPy, of which each pixel is a row.
    columns
        Names of its columns.
    rows
        Number of its rows below the header.
    sheets
        Names of the sheets of a workbook, empty for text.
    """

    suffix: TableSuffix
    columns: tuple[str, ...]
    rows: int
    sheets: tuple[str, ...] = ()


def is_workbook(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an Excel workbook (.xlsx) by its content; other zip archives are not."""
    from core.series.workbook import holds_workbook

    file = regular_file(path)
    return first_bytes(file, 4) == _ZIP and holds_workbook(file)


def is_zipped_table(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an archive with one table as text, and at most its description beside it."""
    from core.series.zipped import table_in

    file = regular_file(path)
    return first_bytes(file, 4) == _ZIP and bool(table_in(file))


def describe_table(path: str | os.PathLike[str], *, sheet: str | None = None) -> TableInfo:
    """Read a table once from beginning to end, in bounded memory, and say what it holds.

    Parameters
    ----------
    path
        CSV, TSV, Excel workbook (.xlsx), dBase table (.dbf) or time series of MintPy (.h5, .he5) on disk, or a zip
        archive with one CSV or TSV.
    sheet
        Name of a sheet of a workbook; the first one that is shown and holds something when None.

    Raises
    ------
    UnsafeFileError
        When the file is of another kind, or claims more than the limits.
    InputError
        When it is missing, empty, damaged or not a table.
    """
    file = regular_file(path)
    if is_zipped_table(file):
        from core.series.zipped import unpacked

        _refuse_sheet(file, sheet)
        with unpacked(file) as table:
            inside = describe_table(table)
        return TableInfo(".zip", inside.columns, inside.rows)
    if is_hdf5(file):
        from core.series.insar import mintpy

        _refuse_sheet(file, sheet)
        return TableInfo(".h5", *mintpy.describe(file, file.name))
    if _is_zip(file):
        from core.series import workbook

        frame, sheets = workbook.read(file, sheet)
        return TableInfo(".xlsx", tuple(frame.columns), len(frame), sheets)
    from core.series import dbase, delimited

    _refuse_sheet(file, sheet)
    if dbase.is_dbase(file):
        return TableInfo(".dbf", *dbase.describe(file))
    layout = delimited.layout_of(file)
    columns, rows = delimited.walk(file, layout)
    return TableInfo(".tsv" if layout.delimiter == "\t" else ".csv", columns, rows)


def read_table_untrusted(
    path: str | os.PathLike[str], *, sheet: str | None = None, rows: int | None = None
) -> DataFrame:
    """Read a table that strangers made.

    Lines above the header, as many instruments write them, are left out: the header is the first line with as many
    fields as most lines have.

    Parameters
    ----------
    path, sheet
        See `describe_table`.
    rows
        Most rows to read; all when None.

    Returns
    -------
    pandas.DataFrame
        One column a column of the table, named as there. Columns without a name and without a value are left out.

    Raises
    ------
    UnsafeFileError, InputError
        See `describe_table`.
    """
    file = regular_file(path)
    if is_zipped_table(file):
        from core.series.zipped import unpacked

        _refuse_sheet(file, sheet)
        with unpacked(file) as table:
            return read_table_untrusted(table, rows=rows)
    if is_hdf5(file):
        from core.series.insar import mintpy

        _refuse_sheet(file, sheet)
        return mintpy.head(file, file.name, rows)
    if _is_zip(file):
        from core.series import workbook

        return workbook.read(file, sheet, rows)[0]
    from core.series import dbase, delimited

    _refuse_sheet(file, sheet)
    if dbase.is_dbase(file):
        return dbase.read(file, rows)
    return delimited.read(file, delimited.layout_of(file), rows)


def _is_zip(file: Path) -> bool:
    head = first_bytes(file, 8)
    if not head:
        raise InputError(f"{file.name} is empty.", remedy="Copy or download it again.")
    if head == _OLD_EXCEL:
        raise UnsafeFileError(
            f"{file.name} is an Excel 97–2003 workbook, which cannot be opened here.",
            "Workbooks of that format can contain macros.",
            "Save it as Excel workbook (.xlsx) or as CSV.",
        )
    return head.startswith(_ZIP)


def _refuse_sheet(file: Path, sheet: str | None) -> None:
    if sheet is not None:
        raise InputError(f"{file.name} has no sheets.", remedy="Leave the sheet out.")


def header_at(widths: Sequence[int]) -> int:
    """Which of the first lines of a table is its header, by the number of fields in each.

    Returns
    -------
    The first line with as many fields as most lines have, or more.
    """
    counted = [width for width in widths if width]
    if not counted:
        return 0
    usual = max(set(counted), key=lambda width: (counted.count(width), width))
    return next(at for at, width in enumerate(widths) if width >= usual)


def check_size(name: str, rows: int, columns: int) -> None:
    """Refuse a table with more rows, columns or cells than are read.

    Raises
    ------
    UnsafeFileError
        When it has.
    """
    for number, most, what in (
        (columns, MAX_COLUMNS, "columns"), (rows, MAX_ROWS, "rows"), (rows * columns, MAX_CELLS, "cells"),
    ):  # fmt: skip
        if number > most:
            raise UnsafeFileError(
                f"{name} holds {number:,} {what}; the limit is {most:,}.",
                "Reading it could exhaust the server's memory.",
                "Reduce it to the rows and columns that you need.",
            )


def damaged_table(name: str, why: str = "") -> InputError:
    """Error for a table that cannot be read."""
    return InputError(
        f"{name} is damaged or is not a table.", why or "Some of its rows cannot be read.", "Export it again, as CSV."
    )


def tidy(frame: DataFrame) -> DataFrame:
    """A table with plain names, without columns that have neither a name nor a value."""
    names = [" ".join(str(name).split()) for name in frame.columns]
    frame = frame.set_axis(names, axis="columns")
    empty = [name.startswith("Unnamed: ") and bool(frame.iloc[:, at].isna().all()) for at, name in enumerate(names)]
    return frame.loc[:, [not one for one in empty]]
