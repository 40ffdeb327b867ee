"""Files of the store, each kept once under the digest of its content.

::

    HOME/files/ab/abcd….tif       what was uploaded, by the digest of its bytes
    HOME/artifacts/ab/abcd….tif   what runs computed, by the digest of values and grid
    HOME/work/<run id>/           where a run writes until it is done
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from core.errors import LandslideError, StorageError

log = logging.getLogger(__name__)

FILES, ARTIFACTS, WORK = "files", "artifacts", "work"
MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".csv": "text/csv; charset=utf-8",
    ".tsv": "text/tab-separated-values; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".dbf": "application/vnd.dbf",
    ".h5": "application/x-hdf5",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
}
CHUNK = 1 << 20


LONGEST_TURN = 120.0
"""Seconds to wait for the lock; it is held for far less, so a holder that exceeds them hangs."""


@contextmanager
def store_lock(home: Path) -> Iterator[None]:
    """Have the files to oneself: to give a file its name and write its row, or to find that none names it.

    Without it a file could be taken for an orphan between its arrival and its row.

    Raises
    ------
    StorageError
        When the folder cannot be written, or another process does not end its turn.
    """
    with file_lock(home / ".files.lock"):
        yield


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Have something to oneself, among all threads and processes that ask for it by the same file.

    Raises
    ------
    StorageError
        When the file cannot be made, or another process does not let go.
    """
    lock = FileLock(path, timeout=LONGEST_TURN)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:  # a timeout is an OSError
        waited = isinstance(error, Timeout)
        raise StorageError(
            f"The store in {path.parent} could not be locked.",
            "Another process holds the lock and does not respond." if waited else str(error),
            "End that process, and try again." if waited else "Check that the folder can be written to.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def folder(path: Path) -> Path:
    """Make a folder.

    Raises
    ------
    StorageError
        When it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"A folder could not be created in {path.parent}.", str(error), "Free up disk space or set SLIDELENS_HOME."
        ) from error
    return path


def spool_upload(content: BinaryIO, home: Path) -> tuple[Path, str]:
    """Copy a stream to a file of no name yet, in pieces, and return it with the SHA-256 of its bytes.

    Raises
    ------
    StorageError
        When the disk does not take it; nothing remains.
    """
    aside = folder(home / FILES) / f".upload-{secrets.token_hex(8)}"
    digest = hashlib.sha256()
    try:
        with aside.open("wb") as file:
            while piece := content.read(CHUNK):
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            "The upload could not be written to disk.", str(error), "Free up disk space and try again."
        ) from error
    return aside, digest.hexdigest()


@contextmanager
def known_as(aside: Path, name: str) -> Iterator[None]:
    """Have errors call an upload as its sender does: it is read under a name of ours."""
    try:
        yield
    except LandslideError as error:
        said = [
            text.replace(aside.name, name).replace(aside.stem, name) for text in (error.what, error.why, error.remedy)
        ]
        raise type(error)(*said) from error


def put(source: Path, root: Path, digest: str, suffix: str) -> tuple[str, bool]:
    """Give a file its lasting name; an equal one that is there is kept.

    `source` stays, as another name of the file or where the disk knows none as another copy, to be removed once a row
    has it: should the row not be written, nothing is lost and it can be tried again. Only where there is no room for
    a copy either, it is moved.

    Returns
    -------
    tuple
        The name, relative to `root`, and whether `source` was moved.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    name = f"{digest[:2]}/{digest}{suffix}"
    target = root / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A file that is being read cannot be replaced on every system.
        if target.is_file() and target.stat().st_size == source.stat().st_size:
            return name, False
        try:
            os.link(source, target)
        except OSError:  # there is a broken one, or the file system knows no two names of a file
            return name, not _copied(source, target)
    except OSError as error:
        raise StorageError(f"{source.name} could not be stored.", str(error),
            "Free up disk space and try again.") from error
    return name, False


def _copied(source: Path, target: Path) -> bool:
    aside = target.with_name(f".writing-{secrets.token_hex(8)}")
    try:
        shutil.copyfile(source, aside)
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        source.replace(target)
        return False
    return True


def drop(root: Path, names: Iterable[str]) -> None:
    """Remove files by their lasting names; one that cannot be removed is left for the next tidying."""
    for name in names:
        try:
            (root / name).unlink(missing_ok=True)
        except OSError:  # on some systems while it is being read
            log.warning("%s could not be removed", root / name, exc_info=True)


def text(content: str) -> str:
    """Words from elsewhere as every database takes them: without the null character and halves of characters."""
    return content.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def content_digest(path: Path) -> str:
    """SHA-256 of what a file holds.

    That is values, validity and grid of a GeoTIFF, rows of a GeoPackage or a Parquet table, and bytes otherwise.
    """
    if path.suffix == ".tif":
        from core.raster.scene import Scene

        return Scene.open(path).digest
    if path.suffix == ".gpkg":
        from core.raster.geopackage import rows_digest

        return rows_digest(path)
    if path.suffix == ".parquet":
        from core.raster import parquet

        return parquet.rows_digest(path)
    return bytes_digest(path)


def bytes_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file; one that was read before and is unchanged since is not read again."""
    stat = path.stat()
    return _bytes_digest(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=512)
def _bytes_digest(path: Path, mtime_ns: int, size: int, inode: int) -> str:
    del mtime_ns, size, inode  # parts of the key
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def remove(path: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    shutil.rmtree(path, ignore_errors=True)
