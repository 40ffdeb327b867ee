"""Tables of dBase III and IV (.dbf), as geographic information systems write them: fields of a fixed width, as text.

The layout is that of Esri's Shapefile Technical Description (1998) and of dBase's own. Nothing beside the file is
opened: a memo file or a code page that it points to is not followed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.files import first_bytes

if TYPE_CHECKING:
    from pandas import DataFrame

_VERSIONS = b"\x03\x83\x8b"
"""First byte: dBase III or IV without a memo file, III with one, IV with one."""

_DELETED = b"*"
_HEADER, _FIELD = 32, 32
_END = 0x0D
_MEMO = "M"
_KINDS = frozenset("CNFDL" + _MEMO)


@dataclass(frozen=True)
class _Field:
    name: bytes
    kind: str
    width: int


@dataclass(frozen=True)
class _Layout:
    """How a file is laid out: its fields, the bytes before the first record, bytes of a record, and records."""

    fields: tuple[_Field, ...]
    start: int
    width: int
    rows: int


def is_dbase(file: Path) -> bool:
    """Whether a file is a dBase table by its suffix and its first byte."""
    return file.suffix.lower() == ".dbf" and first_bytes(file, 1) in tuple(bytes([one]) for one in _VERSIONS)


def describe(file: Path) -> tuple[tuple[str, ...], int]:
    """Names of the columns, and the number of rows that are not marked as deleted.

    Raises
    ------
    UnsafeFileError, InputError
        As of `read`.
    """
    frame = read(file)
    return tuple(frame.columns), len(frame)


def read(file: Path, rows: int | None = None) -> DataFrame:
    """Read a dBase table.

    Parameters
    ----------
    rows
        Most rows to read; all when None.

    Returns
    -------
    pandas.DataFrame
        A column a field: float64 of numbers (whole ones int64 where all are known), True or False of logicals, text
        of the others, dates as YYYY-MM-DD. What is blank, or filled with asterisks, is missing. Rows marked as deleted
        and memo fields are left out. ``attrs["encoding"]`` says how text was read: ``"utf-8"``, else ``"cp1252"``.

    Raises
    ------
    UnsafeFileError
        When it claims more than the limits.
    InputError
        When it is damaged, or has fields of later kinds.
    """
    import pandas as pd

    from core.series.table import tidy

    layout = _layout(file)
    record = np.dtype([("deleted", "S1"), *((f"f{at}", f"S{one.width}") for at, one in enumerate(layout.fields))])
    with file.open("rb") as opened:
        opened.seek(layout.start)
        records = np.frombuffer(opened.read(layout.rows * layout.width), dtype=record)
    records = records[records["deleted"] != _DELETED][:rows]
    kept = [(one, records[f"f{at}"]) for at, one in enumerate(layout.fields) if one.kind != _MEMO]
    texts = [values for one, values in kept if one.kind == "C"]
    encoding = "utf-8" if _all_utf8([one.name for one, _ in kept], texts) else "cp1252"
    columns: list[Any] = [pd.Series(_values(one.kind, values, encoding, file.name)) for one, values in kept]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    frame.columns = pd.Index([one.name.decode(encoding, "replace") for one, _ in kept])
    frame = tidy(frame)
    frame.attrs["encoding"] = encoding
    return frame


def _layout(file: Path) -> _Layout:
    from core.series.table import check_size, damaged_table

    size = file.stat().st_size
    head = first_bytes(file, _HEADER)
    if len(head) < _HEADER:
        raise damaged_table(file.name)
    rows, start, width = struct.unpack("<IHH", head[4:12])
    described = first_bytes(file, start)[_HEADER:]
    fields: list[_Field] = []
    for at in range(0, len(described), _FIELD):
        part = described[at : at + _FIELD]
        if part[0] == _END:
            break
        if len(part) < _FIELD:
            raise damaged_table(file.name)
        fields.append(_Field(part[:11].split(b"\x00")[0].strip(), chr(part[11]), part[16]))
    later = [one for one in fields if one.kind not in _KINDS]
    if later:
        raise InputError(f"{file.name} has a field of the kind {later[0].kind!r}, which dBase III and IV do not have.",
                         remedy="Export it again, as CSV.")  # fmt: skip
    check_size(file.name, rows, len(fields))
    fits = width == 1 + sum(one.width for one in fields) and start + rows * width <= size
    if not fields or not fits or any(one.width == 0 for one in fields):
        raise damaged_table(file.name, "Its length differs from the one in its header.")
    return _Layout(tuple(fields), start, width, rows)


def _all_utf8(names: list[bytes], columns: list[NDArray[np.bytes_]]) -> bool:
    try:
        for name in names:
            name.decode("utf-8")
        for values in columns:
            for one in np.unique(values):
                one.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _values(kind: str, values: NDArray[np.bytes_], encoding: str, name: str) -> Any:  # noqa: ANN401
    """The values of a field."""
    import pandas as pd

    from core.series.table import damaged_table

    text = pd.Series([one.decode(encoding, "replace").strip(" \x00") for one in values.tolist()], dtype=object)
    text = text.where((text != "") & ~text.str.fullmatch(r"\*+").fillna(False).astype(bool), None)
    if kind == "C":
        return text
    if kind == "L":
        known = {"T": True, "t": True, "Y": True, "y": True, "F": False, "f": False, "N": False, "n": False}
        return text.map(known)
    if kind == "D":
        return text.where(text.isna(), text.str[:4] + "-" + text.str[4:6] + "-" + text.str[6:8])
    try:
        return pd.to_numeric(text)
    except (ValueError, TypeError) as error:
        raise damaged_table(name, "A number field holds a value that is not a number.") from error
