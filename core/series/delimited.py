"""Tables as text: fields apart by commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes
from core.series.table import check_size, damaged_table, header_at, tidy

if TYPE_CHECKING:
    from pandas import DataFrame
    from pandas.io.parsers.readers import TextFileReader

#: Most bytes of a table as text.
MAX_TEXT_BYTES = 500_000_000

#: Most characters of a line.
MAX_LINE = 1_000_000

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 400
CHUNK = 1 << 20
STEP = 50_000
"""Rows that are read at a time when a table is looked through."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f]")
_DECIMAL_COMMA = re.compile(r"(?:^|;)\s*-?\d+,\d+\s*(?:;|$)")
_DECIMAL_POINT = re.compile(r"(?:^|;)\s*-?\d+\.\d+\s*(?:;|$)")


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    encoding
        Of its text.
    delimiter, decimal
        What stands between fields, and before decimals.
    above
        Number of lines above the header.
    """

    encoding: str
    delimiter: str
    decimal: str
    above: int


def layout_of(file: Path) -> Layout:
    """Look through a text once, in bounded memory, and find how its table is written.

    Raises
    ------
    UnsafeFileError
        When it is too large, or holds what no text does.
    InputError
        When there is no table in it.
    """
    size = file.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise UnsafeFileError(
            f"{file.name} holds {size / 1e6:,.0f} MB; the limit is {MAX_TEXT_BYTES / 1e6:,.0f} MB.",
            "Reading it could exhaust the server's memory.",
            "Reduce it to the rows and columns that you need.",
        )
    encoding, lines = _scan(file)
    sample = _sample(file, encoding)
    if not sample or sample[0].lstrip().startswith("<"):
        raise damaged_table(file.name, "It holds no table rows." if not sample else "It is a web page or XML.")
    delimiter, widths = _delimiter(sample, file.name)
    above = header_at(widths)
    check_size(file.name, lines, max(widths))
    decimal = "," if delimiter == ";" and _decimal_comma(sample[above:]) else "."
    return Layout(encoding, delimiter, decimal, above)


def _scan(file: Path) -> tuple[str, int]:
    """Encoding of a text and the number of its lines, once it is known to be text in lines of bearable length."""
    head = first_bytes(file, 4)
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            return encoding, _count_lines(file, encoding)
        except UnicodeDecodeError:
            continue
    raise damaged_table(file.name, "It is not text in a known encoding.")


def _count_lines(file: Path, encoding: str) -> int:
    lines, length = 0, 0
    with file.open(encoding=encoding, newline="") as stream:
        while chunk := stream.read(CHUNK):
            if _CONTROL.search(chunk):
                raise UnsafeFileError(
                    f"{file.name} is not a CSV, TSV or Excel table.",
                    "It holds control characters, which text files do not have.",
                    "Export the table again, as CSV.",
                )
            parts = re.split(r"\r\n|\n|\r", chunk)
            lines += len(parts) - 1
            longest = max(length + len(parts[0]), *(len(part) for part in parts[1:]), 0)
            length = len(parts[-1]) + (length if len(parts) == 1 else 0)
            if max(longest, length) > MAX_LINE:
                raise UnsafeFileError(
                    f"{file.name} holds a line of more than {MAX_LINE:,} characters.",
                    "Tables do not have such lines, and reading them could exhaust the server's memory.",
                    "Export the table again.",
                )
    return lines + (length > 0)


def _sample(file: Path, encoding: str) -> list[str]:
    with file.open(encoding=encoding, newline=None) as stream:
        lines = [line.rstrip("\n") for line in islice(stream, SAMPLE_LINES)]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _delimiter(sample: list[str], name: str) -> tuple[str, list[int]]:
    """What stands between fields: with it most lines have equally many, and as many as possible."""
    found: dict[str, tuple[tuple[float, int], list[int]]] = {}
    for delimiter in DELIMITERS:
        try:
            rows = list(csv.reader(sample, delimiter=delimiter, skipinitialspace=True))
        except csv.Error as error:
            raise damaged_table(name, f"{str(error).capitalize()}.") from error
        widths = [len(row) for row in rows]
        several = Counter(width for width in widths if width > 1)
        if several:
            width, times = max(several.items(), key=lambda one: (one[1], one[0]))
            found[delimiter] = ((times / len(widths), width), widths)
    if not found:
        return ",", [1 if line.strip() else 0 for line in sample]
    best = max(found, key=lambda one: found[one][0])
    return best, found[best][1]


def _decimal_comma(lines: list[str]) -> bool:
    return any(map(_DECIMAL_COMMA.search, lines)) and not any(map(_DECIMAL_POINT.search, lines))


def read(file: Path, layout: Layout, rows: int | None = None) -> DataFrame:
    """Read a table.

    Raises
    ------
    InputError
        When its rows cannot be read.
    """
    with file.open("rb") as stream:
        return tidy(_guarded(file.name, lambda: _pandas(stream, layout, nrows=rows)))


def walk(file: Path, layout: Layout) -> tuple[tuple[str, ...], int]:
    """Read a table piece by piece; names of its columns and number of its rows.

    Raises
    ------
    InputError
        When its rows cannot be read.
    """
    with file.open("rb") as stream:
        pieces = _pieces(file.name, _guarded(file.name, lambda: _pandas(stream, layout, chunksize=STEP)))
        first = next(pieces, None)
        if first is None:
            return tuple(read(file, layout, 0).columns), 0
        return tuple(tidy(first).columns), len(first) + sum(map(len, pieces))


def _pieces(name: str, reader: TextFileReader) -> Iterator[DataFrame]:
    while (piece := _guarded(name, lambda: next(reader, None))) is not None:
        yield piece


def _pandas(stream: Any, layout: Layout, **how: Any) -> Any:  # noqa: ANN401  a frame or a reader of frames
    import pandas as pd

    return pd.read_csv(
        stream, sep=layout.delimiter, decimal=layout.decimal, encoding=layout.encoding, skiprows=layout.above,
        skipinitialspace=True, index_col=False, low_memory=False, skip_blank_lines=True, compression=None, **how,
    )  # fmt: skip


def _guarded(name: str, ask: Any) -> Any:  # noqa: ANN401  whatever is asked for
    import warnings

    from pandas.errors import EmptyDataError, ParserError, ParserWarning

    try:
        with warnings.catch_warnings():
            # Fields beyond those of the header are an error here, not something to be cut off.
            warnings.simplefilter("error", ParserWarning)
            return ask()
    except (ParserError, EmptyDataError, ParserWarning, UnicodeDecodeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise damaged_table(name, " ".join(str(error).split())[:200].rstrip(".") + ".") from error
