"""Tables as Parquet: whole or not at all, and the same digest for the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pytest

from core.errors import StorageError
from core.raster.parquet import ROW_GROUP, column_names, read_columns, rows_digest, writing_table

SCHEMA = pyarrow.schema([("number", pyarrow.int32()), ("shape", pyarrow.binary())])


def write(path: Path, *parts: range) -> Path:
    with writing_table(path, SCHEMA) as table:
        for part in parts:
            table.add({"number": np.array(part, np.int32), "shape": [str(number).encode() for number in part]})
    return path


def test_rows_come_back_in_their_order_all_or_some(tmp_path: Path) -> None:
    path = write(tmp_path / "table.parquet", range(3), range(3, 7))

    assert column_names(path) == ("number", "shape")
    assert read_columns(path, ("number",))["number"].tolist() == list(range(7))
    assert read_columns(path, ("shape",), np.array([5, 1]))["shape"].tolist() == [b"5", b"1"]


def test_rows_are_written_in_groups_so_that_memory_does_not_grow(tmp_path: Path) -> None:
    path = write(tmp_path / "table.parquet", *(range(start, start + 1000) for start in range(0, 3 * ROW_GROUP, 1000)))

    file = pyarrow.parquet.ParquetFile(path)
    sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert len(sizes) >= 3
    assert max(sizes) < ROW_GROUP + 1000


def test_the_digest_is_of_rows_and_not_of_how_they_were_grouped(tmp_path: Path) -> None:
    many = 2 * ROW_GROUP + 5
    one = write(tmp_path / "one.parquet", range(many))
    two = write(tmp_path / "two.parquet", *(range(start, min(start + 700, many)) for start in range(0, many, 700)))

    assert rows_digest(one) == rows_digest(two)
    assert one.read_bytes() != two.read_bytes()


def test_the_digest_tells_rows_their_order_and_columns_apart(tmp_path: Path) -> None:
    other = pyarrow.schema([("amount", pyarrow.int32()), ("shape", pyarrow.binary())])
    with writing_table(tmp_path / "named.parquet", other) as table:
        table.add({"amount": np.arange(3, dtype=np.int32), "shape": [b"0", b"1", b"2"]})
    paths = [
        write(tmp_path / "one.parquet", range(3)),
        write(tmp_path / "more.parquet", range(4)),
        write(tmp_path / "turned.parquet", range(2, -1, -1)),
        write(tmp_path / "none.parquet"),
        tmp_path / "named.parquet",
    ]

    assert len({rows_digest(path) for path in paths}) == len(paths)


def test_nothing_half_written_remains(tmp_path: Path) -> None:
    def half(folder: Path) -> None:
        with writing_table(folder / "table.parquet", SCHEMA) as table:
            table.add({"number": np.arange(2, dtype=np.int32), "shape": [b"a", b"b"]})
            raise MemoryError

    with pytest.raises(MemoryError):
        half(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no table", b"PAR1" + bytes(40) + b"PAR1"])
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(content)

    for read in (rows_digest, column_names, lambda file: read_columns(file, ("number",))):
        with pytest.raises(StorageError, match="cannot be read"):
            read(path)


def test_a_column_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read_columns(write(tmp_path / "table.parquet", range(2)), ("colour",))
