"""Tables in Excel workbooks (.xlsx): zip archives of XML, looked through before anything of them is built."""

from __future__ import annotations

import lzma
import warnings
import zipfile
import zlib
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from core.errors import InputError, UnsafeFileError
from core.series.table import MAX_COLUMNS, check_size, damaged_table, header_at, tidy

if TYPE_CHECKING:
    from pandas import DataFrame

#: Most members of a workbook.
MAX_MEMBERS = 2_000

#: Most bytes of a workbook once it is unpacked, and of each part that is neither a sheet nor its strings.
MAX_UNPACKED = 200_000_000
MAX_OTHER_PART = 16_000_000

#: Most cells and strings of a workbook: each is an object of its own while it is read.
MAX_WORKBOOK_CELLS = 5_000_000

#: Most rows that a sheet of Excel can have.
MAX_SHEET_ROWS = 1_048_576

_SAMPLE = 100
_LARGE_PARTS = frozenset({"worksheet", "sst"})
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
_ZIP_ERRORS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip
_READ_ERRORS = (
    *_ZIP_ERRORS, ParseError, KeyError, TypeError, AttributeError, IndexError, OverflowError,
)  # fmt: skip


def holds_workbook(file: Path) -> bool:
    """Whether a zip archive says that it is a workbook."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {"[Content_Types].xml", "xl/workbook.xml"} <= set(archive.namelist())
    except _ZIP_ERRORS:
        return False


def read(file: Path, sheet: str | None = None, rows: int | None = None) -> tuple[DataFrame, tuple[str, ...]]:
    """Read a sheet of a workbook, and the names of all that are shown.

    Formulas count with the value that was saved beside them; errors count as no value.

    Raises
    ------
    UnsafeFileError
        When the file is another archive, or holds more than the limits or what a workbook has no need of.
    InputError
        When it is damaged, or there is no such sheet.
    """
    import openpyxl

    if not holds_workbook(file):
        raise UnsafeFileError(
            f"{file.name} is an archive, but not an Excel workbook.", remedy="Save the table as .xlsx or CSV."
        )
    try:
        with zipfile.ZipFile(file) as archive:
            _check(archive, file)
        with warnings.catch_warnings(), file.open("rb") as stream:
            warnings.simplefilter("ignore", UserWarning)  # of what openpyxl leaves out: charts, validations
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            shown = [one for one in book.worksheets if one.sheet_state == "visible"]
            names = tuple(str(one.title) for one in shown)
            return _frame(file, _chosen(shown, names, sheet, file.name), rows), names
    except _READ_ERRORS as error:
        raise damaged_table(file.name) from error


def _chosen(shown: list[Any], names: tuple[str, ...], sheet: str | None, name: str) -> list[tuple[Any, ...]]:
    """The rows of the sheet wanted, or of the first that holds something."""
    if sheet is not None and sheet not in names:
        raise InputError(f"{name} has no sheet {sheet!r}.", remedy=f"Its sheets: {', '.join(names) or 'none'}.")
    for one in shown:
        if sheet in (None, one.title):
            rows = _rows(one, name)
            if rows or sheet is not None:
                return rows
    return []


def _rows(sheet: Any, name: str) -> list[tuple[Any, ...]]:  # noqa: ANN401  a sheet of openpyxl
    sheet.reset_dimensions()  # what a sheet says of its size need not be so
    found: list[tuple[Any, ...]] = []
    for at, row in enumerate(sheet.iter_rows(values_only=True)):
        if at >= MAX_SHEET_ROWS:
            raise UnsafeFileError(f"{name} has more rows than a sheet can have.", remedy="Export it again.")
        check_size(name, len(found), len(row))
        if any(value is not None for value in row):
            found.append(tuple(None if isinstance(value, str) and value in _ERRORS else value for value in row))
    return found


def _frame(file: Path, rows: list[tuple[Any, ...]], most: int | None) -> DataFrame:
    import pandas as pd

    if not rows:
        raise InputError(f"{file.name} holds no rows.", remedy="Choose another file.")
    top = header_at([sum(value is not None for value in row) for row in rows[:_SAMPLE]])
    width = max(map(len, rows[top:]))
    check_size(file.name, len(rows), width)
    names = _unique([*rows[top], *[None] * (width - len(rows[top]))])
    end = None if most is None else top + 1 + most
    below = [[*row, *[None] * (width - len(row))] for row in islice(rows, top + 1, end)]
    frame = pd.DataFrame(below, columns=names)
    return tidy(frame.infer_objects())


def _unique(cells: list[Any]) -> list[str]:
    """Names of columns, each once."""
    names: list[str] = []
    for at, cell in enumerate(cells):
        name = f"Unnamed: {at}" if cell is None or not str(cell).strip() else str(cell)
        number, free = 1, name
        while free in names:
            free, number = f"{name}.{number}", number + 1
        names.append(free)
    return names


def _check(archive: zipfile.ZipFile, file: Path) -> None:
    """Refuse an archive that unpacks to more than the limits, or whose XML holds what could harm a reader."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise UnsafeFileError(f"{file.name} holds {len(members):,} parts; the limit is {MAX_MEMBERS:,}.")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise UnsafeFileError(
            f"{file.name} unpacks to {unpacked / 1e6:,.0f} MB; the limit is {MAX_UNPACKED / 1e6:,.0f} MB.",
            "Reading it could exhaust the server's memory.",
            "Save the table as CSV.",
        )
    cells = 0
    for member in members:
        if member.filename.lower().endswith((".xml", ".rels")):
            # Python stops reading a member at the size its header claims, so the sum above is binding.
            with archive.open(member) as stream:
                cells += _Part(file.name, member.file_size).cells(stream)
            if cells > MAX_WORKBOOK_CELLS:
                raise UnsafeFileError(
                    f"{file.name} holds more than {MAX_WORKBOOK_CELLS:,} cells or strings.",
                    "Reading it could exhaust the server's memory.",
                    "Save the table as CSV.",
                )


class _Part:
    """A part of a workbook, looked through without building anything of it."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._depth = 0
        self._found = 0
        self._in_row = 0

    def cells(self, stream: IO[bytes]) -> int:
        """Number of cells or strings in it."""
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            while piece := stream.read(1 << 16):
                parser.Parse(piece, False)
                if self._found > MAX_WORKBOOK_CELLS:
                    break
            else:
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise damaged_table(self._name) from error
        return self._found

    def _doctype(self, *_: object) -> None:
        raise UnsafeFileError(
            f"{self._name} declares entities or a document type, which workbooks do not do.",
            "Reading it could exhaust the server's memory or reach other files on it.",
            "Save the table as CSV.",
        )

    def _start(self, name: str, _: object) -> None:
        local = name.rpartition(":")[2]
        self._depth += 1
        if self._depth == 1 and local not in _LARGE_PARTS and self._size > MAX_OTHER_PART:
            raise UnsafeFileError(
                f"{self._name} holds a part of {self._size / 1e6:,.0f} MB that is not a table.",
                remedy="Save the table as CSV.",
            )
        if self._depth > 64:
            raise damaged_table(self._name)
        if local == "row":
            self._in_row = 0
            self._found += 1
        elif local in ("c", "si"):
            self._found += 1
            self._in_row += local == "c"
            if self._in_row > MAX_COLUMNS:
                check_size(self._name, 1, self._in_row)

    def _end(self, name: str) -> None:
        del name
        self._depth -= 1

