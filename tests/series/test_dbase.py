"""dBase tables, laid out by hand byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest

from core.errors import InputError, UnsafeFileError
from core.runs.content import recognise
from core.runs.store import Store
from core.series.table import describe_table, read_table_untrusted

FIELDS = (
    ("name", "C", 8), ("slope", "N", 6), ("count", "N", 3), ("when", "D", 8), ("slide", "L", 1), ("memo", "M", 10),
)  # fmt: skip
ROWS = (
    b" " b"Tal     " b"  12.5" b"  4" b"20230515" b"T" b"         1",
    b"*" b"gone    " b"   9.0" b"  4" b"20230515" b"T" b"         1",
    b" " b"        " b"******" b"  7" b"        " b"?" b"          ",
    b" " + "Höhe".encode().ljust(8) + b" 1.5e1" b" -2" b"20230102" b"n" b"          ",
)


def dbf(path: Path, rows: tuple[bytes, ...] = ROWS, fields: tuple[tuple[str, str, int], ...] = FIELDS) -> Path:
    """Write the header that dBase's layout asks for, and the rows."""
    width = 1 + sum(size for *_, size in fields)
    head = struct.pack("<B3sIHH20x", 0x03, b"\x7b\x01\x01", len(rows), 32 + 32 * len(fields) + 1, width)
    described = b"".join(
        name.encode().ljust(11, b"\0") + kind.encode() + bytes(4) + bytes([size]) + bytes(15)
        for name, kind, size in fields
    )
    path.write_bytes(head + described + b"\r" + b"".join(rows) + b"\x1a")
    return path


def test_fields_are_read_by_their_kind_and_deleted_rows_left_out(tmp_path: Path) -> None:
    frame = read_table_untrusted(dbf(tmp_path / "cells.dbf"))

    assert list(frame.columns) == ["name", "slope", "count", "when", "slide"]
    assert frame["name"].tolist() == ["Tal", None, "Höhe"]
    assert np.array_equal(frame["slope"], [12.5, np.nan, 15.0], equal_nan=True)
    assert frame["count"].tolist() == [4, 7, -2]
    assert frame["when"].tolist() == ["2023-05-15", None, "2023-01-02"]
    assert [None if pd.isna(one) else one for one in frame["slide"]] == [True, None, False]
    assert frame.attrs["encoding"] == "utf-8"
    assert len(read_table_untrusted(dbf(tmp_path / "cells.dbf"), rows=1)) == 1


def test_text_that_is_no_utf_8_is_of_windows(tmp_path: Path) -> None:
    path = dbf(tmp_path / "cells.dbf", (b" " + "Höhe".encode("cp1252").ljust(8),), (("name", "C", 8),))

    frame = read_table_untrusted(path)

    assert frame["name"].tolist() == ["Höhe"]
    assert frame.attrs["encoding"] == "cp1252"


def test_it_is_recognised_and_described(tmp_path: Path, quick_store: Store) -> None:
    path = dbf(tmp_path / "cells.dbf")
    info = describe_table(path)

    assert (info.suffix, info.columns, info.rows) == (".dbf", ("name", "slope", "count", "when", "slide"), 3)
    found = recognise(path, "cells.dbf")
    assert (found.form, found.suffix) == ("table", ".dbf")
    kept = quick_store.add_dataset(path, "cells.dbf")
    assert kept.form == "table"
    assert len(read_table_untrusted(kept.path)) == 3


def test_gdal_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "written.dbf"
    values = pd.DataFrame({"slope": [12.25, -3.5], "rock": ["Gneis", "Schiefer"], "count": [4, 5]})
    pyogrio.write_dataframe(values, path, driver="ESRI Shapefile")

    pd.testing.assert_frame_equal(read_table_untrusted(path), values, check_dtype=False)


def test_what_its_header_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = dbf(tmp_path / "cells.dbf")
    whole = path.read_bytes()
    for damaged in (whole[:20], whole[:60], whole[:-30]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            read_table_untrusted(path)
    path.write_bytes(whole[:4] + struct.pack("<I", 4_000_000_000) + whole[8:])
    with pytest.raises(UnsafeFileError, match="rows"):
        read_table_untrusted(path)
    with pytest.raises(InputError, match="kind 'B'"):
        read_table_untrusted(dbf(path, (), (("picture", "B", 10),)))
    with pytest.raises(InputError, match="damaged"):
        read_table_untrusted(dbf(path, (b" abc",), (("number", "N", 3),)))
