"""Tables of any length as Parquet: written row group by row group, told apart by what they hold.

Only files of our own making are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError
from core.raster.write import atomic_path

if TYPE_CHECKING:
    import pyarrow

Columns = Mapping[str, Any]

ROW_GROUP = 16_384
"""Rows that are gathered before they are written."""

AT_ONCE = 65_536
"""Rows that are read at once for a digest."""


class TableWriter:
    """Takes the rows of a table in parts; made by `writing_table`.

    Parameters
    ----------
    file, schema
        Open Parquet file and its columns.
    """

    def __init__(self, file: Any, schema: pyarrow.Schema) -> None:  # noqa: ANN401  pyarrow has no types
        self._file, self._schema = file, schema
        self._waiting: list[pyarrow.Table] = []
        self._rows = 0

    def add(self, columns: Columns) -> None:
        """Add rows: for each column of the schema as many values."""
        import pyarrow

        part = pyarrow.table({name: columns[name] for name in self._schema.names}, schema=self._schema)
        self._waiting.append(part)
        self._rows += part.num_rows
        if self._rows >= ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered as a row group."""
        import pyarrow

        if self._rows:
            self._file.write_table(pyarrow.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0


@contextmanager
def writing_table(path: Path, schema: pyarrow.Schema) -> Iterator[TableWriter]:
    """Open a table to be written part by part.

    Yields
    ------
    Writer. On any exception nothing half-written remains.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    import pyarrow.parquet

    with atomic_path(path) as aside:
        try:
            with pyarrow.parquet.ParquetWriter(aside, schema, compression="zstd") as file:
                writer = TableWriter(file, schema)
                yield writer
                writer.flush()
        except OSError as error:
            raise StorageError(f"{path.name} could not be written.", str(error),
                "Free up disk space and try again.") from error


def read_columns(path: Path, names: Sequence[str], rows: NDArray[np.integer] | None = None) -> dict[str, NDArray[Any]]:
    """Columns of a table as arrays: all rows, or those of some numbers in their order.

    Raises
    ------
    StorageError
        When the file is gone or damaged, or has no such column.
    """
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path, columns=list(names), memory_map=False)
        if rows is not None:
            table = table.take(pyarrow.array(rows))
        return {name: table[name].to_numpy() for name in names}
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise _unreadable(path) from error


def column_names(path: Path) -> tuple[str, ...]:
    """Names of a table's columns.

    Raises
    ------
    StorageError
        When the file is gone or damaged.
    """
    import pyarrow.parquet

    try:
        return tuple(pyarrow.parquet.read_schema(path).names)
    except (OSError, pyarrow.ArrowException) as error:
        raise _unreadable(path) from error


def rows_digest(path: Path) -> str:
    """SHA-256 of columns and rows in their order, however they were grouped and compressed.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            each = {name: hashlib.sha256() for name in schema.names}
            for batch in file.iter_batches(AT_ONCE):
                for name, column in zip(schema.names, batch.columns, strict=True):
                    _add(each[name], column.to_numpy(zero_copy_only=False))
    except (OSError, pyarrow.ArrowException) as error:
        raise _unreadable(path) from error
    whole = hashlib.sha256(repr([(field.name, str(field.type)) for field in schema]).encode())
    for digest in each.values():
        whole.update(digest.digest())
    return whole.hexdigest()


def _add(digest: hashlib._Hash, values: NDArray[Any]) -> None:
    if values.dtype != object:
        digest.update(np.ascontiguousarray(values).tobytes())
        return
    for value in values:
        content = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(len(content).to_bytes(8, "little") + content)


def _unreadable(path: Path) -> StorageError:
    return StorageError(
        f"{path.name} cannot be read.", "It no longer exists or is damaged.", "Repeat the run."
    )
