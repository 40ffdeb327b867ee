"""A table in a zip archive beside its description, as data services hand them out."""

from __future__ import annotations

import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from core.errors import InputError, UnsafeFileError

MOST_MEMBERS = 50

MOST_BYTES = 500_000_000
"""Bytes of the table once it is unpacked."""

MOST_TIMES = 200
"""How many times larger than packed a table may be."""

BESIDE = frozenset({".xml", ".txt", ".pdf", ".html", ".json", ".md"})
"""Endings of what may lie beside the table; it is not read."""

ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError,
          ValueError, NotImplementedError)  # fmt: skip


def table_in(file: Path) -> str:
    """Name of the one table (.csv or .tsv) in an archive; empty where it holds none, several, or anything else."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except ERRORS:
        return ""
    if len(infos) > MOST_MEMBERS:
        return ""
    names = [one.filename for one in infos if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    tables = [one for one in names if PurePosixPath(one).suffix.lower() in (".csv", ".tsv")]
    others = {PurePosixPath(one).suffix.lower() for one in names if one not in tables}
    return tables[0] if len(tables) == 1 and others <= BESIDE else ""


@contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """The table of an archive as a file of its own, removed afterwards.

    Raises
    ------
    UnsafeFileError
        When it is larger than it may be.
    InputError
        When the archive is damaged or encrypted.
    """
    name = table_in(file)
    with tempfile.TemporaryDirectory(prefix="slidelens-table-") as folder:
        path = Path(folder) / f"table{PurePosixPath(name).suffix.lower()}"  # no name of the archive reaches the disk
        try:
            with zipfile.ZipFile(file) as archive:
                info = archive.getinfo(name)
                if info.file_size > min(MOST_BYTES, MOST_TIMES * max(info.compress_size, 1_000)):
                    raise UnsafeFileError(
                        f"The table in {file.name} holds {info.file_size / 1e6:,.0f} MB when unpacked.",
                        "Reading it could exhaust the server's memory.",
                            "Unpack it and reduce it to the rows and columns that you need.",
                    )  # fmt: skip
                with archive.open(info) as packed, path.open("wb") as out:
                    shutil.copyfileobj(_Bounded(packed, info.file_size), out, 1 << 20)
        except ERRORS as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{file.name} is damaged or encrypted.", remedy="Download it again.") from error
        yield path


class _Bounded:
    """Reads no more bytes than an archive says that it holds."""

    def __init__(self, stream: object, size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, count: int = -1) -> bytes:
        wanted = self._left + 1 if count < 0 else min(count, self._left + 1)
        found: bytes = self._stream.read(wanted)  # type: ignore[attr-defined]
        self._left -= len(found)
        if self._left < 0:
            raise ValueError("more than the archive declares")
        return found
