"""A home folder as one zip without a trace of the machine it was made on, and unpacked again at any place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

FOLDER = Path(__file__).resolve().parent
ZIP, EXPECTED = FOLDER / "store_0002.zip", FOLDER / "expected.json"
REVISION = "0002"
DATABASE = "slidelens.sqlite"

ROOT = "/slidelens"
"""Stands for the folder that holds ``home`` and ``data`` wherever an absolute path was written."""

MADE = datetime(2024, 5, 1, tzinfo=UTC)
"""When files of an unpacked store were last written to, for all that goes by age."""

LEFT_OUT = ("cache/onnx", "training", "work")
PATHS = ("file", "truth", "dem")
"""Columns of scenes that hold absolute paths of files that are used in place."""


def pack(home: Path, data: Path, repository: Path) -> None:
    """Write a home folder and the files used in place into `ZIP`.

    Parameters
    ----------
    home
        Its database must be closed.
    data
        Folder of files used in place, beside the home folder; only rasters and inventories are taken.
    repository
        Folder of the program, whose path stands in tracebacks.
    """
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, DATABASE)
        shutil.copyfile(home / DATABASE, database)
        for suffix in ("-wal", "-shm"):
            if (aside := home / f"{DATABASE}{suffix}").is_file():
                shutil.copyfile(aside, database.with_name(aside.name))
        places = {str(home.parent): ROOT, str(repository): f"{ROOT}/app"}
        places |= dict.fromkeys((sys.prefix, str(Path(sys.prefix).resolve())), f"{ROOT}/python")
        places |= {str(Path(os.__file__).resolve().parent): f"{ROOT}/python/lib"}
        _replace(database, places)
        files = {f"home/{DATABASE}": database}
        for path in sorted(home.rglob("*")):
            name = path.relative_to(home).as_posix()
            if path.is_file() and not name.startswith((*LEFT_OUT, ".", DATABASE)):
                files[f"home/{name}"] = path
        files |= {path.relative_to(home.parent).as_posix(): path for path in sorted(data.iterdir())}
        with ZipFile(ZIP, "w", ZIP_DEFLATED, compresslevel=9) as archive:
            for name, path in files.items():
                entry = ZipInfo(name, MADE.timetuple()[:6])
                entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, path.read_bytes())


def _replace(database: Path, places: dict[str, str]) -> None:
    """Replace absolute paths in all text of a database, the longest first, and fold its journal in."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for column in columns:
                for place in sorted(places, key=len, reverse=True):
                    connection.execute(
                        f"UPDATE {table} SET {column} = replace({column}, ?, ?) "  # noqa: S608
                        f"WHERE typeof({column}) = 'text' AND instr({column}, ?)",
                        (place, places[place], place),
                    )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("VACUUM")


def unpack(folder: Path) -> Path:
    """Unpack the store into a folder and return its home; its rows name the files where they now are."""
    folder = folder.resolve()
    with ZipFile(ZIP) as archive:
        archive.extractall(folder)
    with closing(sqlite3.connect(folder / "home" / DATABASE)) as connection:
        for row in connection.execute(f"SELECT id, {', '.join(PATHS)} FROM scenes").fetchall():  # noqa: S608
            placed = [_placed(name, folder) for name in row[1:]]
            connection.execute("UPDATE scenes SET file = ?, truth = ?, dem = ? WHERE id = ?", (*placed, row[0]))
        connection.commit()
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, (MADE.timestamp(), MADE.timestamp()))
    return folder / "home"


def _placed(name: str, folder: Path) -> str:
    return str(folder / name.removeprefix(f"{ROOT}/")) if name.startswith(f"{ROOT}/") else name

