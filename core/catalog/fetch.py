"""Fetching published files: by HTTPS or from a local mirror, never used unless their SHA-256 is right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, LandslideError, StorageError
from core.raster.files import resolve_inside
from core.raster.write import atomic_path

MIRROR_VARIABLE = "SLIDELENS_DATA_MIRROR"
TIMEOUT_SECONDS = 30
PIECE_BYTES = 1 << 16

Progress = Callable[[int, int], None]


class FetchError(LandslideError):
    """A published file could not be had."""


class NoNetworkError(FetchError):
    """The address could not be reached, or refused."""


class DigestError(FetchError):
    """What came is not the published file; it was removed."""


class MirrorError(FetchError):
    """The local mirror does not hold the file."""


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes
    ----------
    address
        HTTPS, pinned to a commit.
    mirror_path
        Where the file lies in a mirror and in the cache, relative, with forward slashes.
    sha256
        Digest of its bytes, in hexadecimal.
    size_bytes
        Its size.
    """

    address: str
    mirror_path: str
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """Its file name."""
        return self.mirror_path.rsplit("/", 1)[-1]


def open_data_folder() -> Path:
    """Return the cache: ``open_data`` under ``SLIDELENS_HOME``."""
    from core.runs.store import home_folder

    return home_folder() / "open_data"


def at_hand(wanted: Sequence[RemoteFile], folder: Path | None = None) -> bool | None:
    """Whether files can be had: True from the cache or a mirror, False where a mirror lacks one, else not known.

    Nothing is asked of the network, and digests are checked only when the files are fetched.

    Parameters
    ----------
    folder
        The cache; `open_data_folder` by default.
    """
    cache, mirror = folder or open_data_folder(), os.environ.get(MIRROR_VARIABLE)
    lacking = [file for file in wanted if not _place(cache, file.mirror_path).is_file()]
    if not lacking:
        return True
    return all((Path(mirror) / file.mirror_path).is_file() for file in lacking) if mirror else None


def fetch_file(file: RemoteFile, folder: Path, progress: Progress | None = None) -> Path:
    """Fetch one file into a cache folder, unless it is there already.

    When ``SLIDELENS_DATA_MIRROR`` names a folder, the file is copied from there and the network is not used.

    Parameters
    ----------
    file
        What to fetch.
    folder
        The cache; made when missing.
    progress
        Called with bytes done and bytes in all. What it raises stops the fetching, and nothing remains.

    Returns
    -------
    Path
        The file in the cache, its digest checked.

    Raises
    ------
    NoNetworkError, DigestError, MirrorError
        When the file cannot be had as published.
    StorageError
        When the cache cannot be written.
    """
    target = _place(folder, file.mirror_path)
    report = progress or _silent
    if not (target.is_file() and sha256_of(target) == file.sha256):
        # A damaged file must not stay behind under a name that promises its content.
        target.unlink(missing_ok=True)
        mirror = os.environ.get(MIRROR_VARIABLE)
        if mirror:
            _copy(file, Path(mirror), target, report)
        else:
            _download(file, target, report)
    report(file.size_bytes, file.size_bytes)
    return target


def fetch_files(wanted: Sequence[RemoteFile], folder: Path, progress: Progress | None = None) -> dict[str, Path]:
    """Fetch several files as `fetch_file` does, and return them by name; progress counts over all of them."""
    total, done, found = sum(one.size_bytes for one in wanted), 0, {}
    for one in wanted:
        def report(part: int, _: int, before: int = done) -> None:
            if progress is not None:
                progress(before + part, total)

        found[one.name] = fetch_file(one, folder, report)
        done += one.size_bytes
    return found


def sha256_of(path: Path) -> str:
    """Digest a file without holding it in memory.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be read.", str(error), "Check the disk and its permissions."
        ) from error


def _silent(done: int, total: int) -> None:
    """Report nothing."""


def _place(folder: Path, relative: str) -> Path:
    parts = relative.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or "\x00" in part for part in parts):
        raise InputError(
            f"{relative!r} is not a path inside the folder.", "Such a path could lead to any file on the server."
        )
    return folder.joinpath(*parts)


def _copy(file: RemoteFile, mirror: Path, target: Path, report: Progress) -> None:
    try:
        source = resolve_inside(mirror, file.mirror_path)
    except InputError as error:
        raise MirrorError(
            f"The mirror {mirror} does not hold {file.mirror_path}.",
            f"{MIRROR_VARIABLE} is set, so nothing is downloaded from the network.",
            "Add the file under that path, or unset the variable to download it from its publisher.",
        ) from error
    with atomic_path(target) as aside:
        with source.open("rb") as stream, aside.open("wb") as copy:
            done = 0
            while piece := stream.read(PIECE_BYTES):
                copy.write(piece)
                done += len(piece)
                report(min(done, file.size_bytes), file.size_bytes)
        if sha256_of(aside) != file.sha256:
            raise _other_file(file, f"the mirror {mirror}")


class _Meter:
    """What pooch calls a progress bar: counts, and stops what is longer than was published."""

    def __init__(self, file: RemoteFile, report: Progress) -> None:
        self.total = 0
        self._file = file
        self._report = report
        self._done = 0

    def update(self, count: int) -> None:
        """Count `count` more bytes; the last piece is counted whole even when it is shorter."""
        self._done += count
        if self._done > self._file.size_bytes + PIECE_BYTES:
            raise _other_file(self._file, self._file.address)
        self._report(min(self._done, self._file.size_bytes), self._file.size_bytes)

    def reset(self) -> None:
        """Begin again at nothing."""
        self._done = 0

    def close(self) -> None:
        """Finish; there is nothing to close."""


def _download(file: RemoteFile, target: Path, report: Progress) -> None:
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(
        progressbar=_Meter(file, report), chunk_size=PIECE_BYTES, timeout=TIMEOUT_SECONDS
    )
    try:
        pooch.retrieve(
            file.address,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=downloader,
        )
    except requests.RequestException as error:
        raise NoNetworkError(
            f"{file.name} could not be downloaded from {file.address}.",
            f"Error: {type(error).__name__}.",
            f"Check the connection and try again, or set {MIRROR_VARIABLE} to a folder that holds the files.",
        ) from error
    except ValueError as error:
        raise _other_file(file, file.address) from error
    except OSError as error:
        raise StorageError(
            f"{file.name} could not be written to {target.parent}.", str(error), "Free up disk space and try again."
        ) from error


def _other_file(file: RemoteFile, origin: str) -> DigestError:
    return DigestError(
        f"{file.name} from {origin} is not the published file: its SHA-256 differs.",
        "The file may be damaged or altered; it was removed and not used.",
        "Try again later; if the problem persists, report it.",
    )
