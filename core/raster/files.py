"""Which paths may be opened at all, whatever lies there."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import InputError, UnsafeFileError


def regular_file(path: str | os.PathLike[str]) -> Path:
    """Return the resolved path of an ordinary file on this machine's disk.

    Raises
    ------
    UnsafeFileError
        For an address, a path of GDAL's virtual file systems, a pipe or a device.
    InputError
        When there is no such file.
    """
    text = os.fspath(path)
    if "://" in text or text.lstrip("/").lower().startswith("vsi") and text.startswith("/"):
        raise UnsafeFileError(
            f"{text} is an address, not a file.",
            "Opening addresses could make the server read files that users must not see.",
            "Download the file and open it from disk.",
        )
    if "\x00" in text:
        raise UnsafeFileError("The file name contains a null character.", remedy="Rename the file.")
    try:
        resolved = Path(text).resolve()
        there, ordinary = resolved.exists(), resolved.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a name that no disk takes
        raise InputError(
            f"There is no file {one_line(Path(text).name, 80)}.",
            "Its path cannot be resolved: it is too long, or its links form a loop.",
            "Check its name and folder.",
        ) from error
    if not there:
        raise InputError(f"There is no file {one_line(resolved.name, 80)}.", remedy="Check its name and folder.")
    if not ordinary:
        raise UnsafeFileError(f"{resolved.name} is not an ordinary file.", remedy="Choose a file on disk.")
    try:
        str(resolved).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"The name of the file {one_line(resolved.name, 80)} is not UTF-8 text.",
            "The raster libraries cannot open it under this name.",
            "Rename the file or its folder.",
        ) from error
    return resolved


def resolve_inside(folder: str | os.PathLike[str], relative: str | os.PathLike[str]) -> Path:
    """Resolve a path that a user gave below a folder that the operator shares.

    Parameters
    ----------
    folder
        The shared folder.
    relative
        Path below it.

    Returns
    -------
    Path
        Absolute path, links followed, of something that exists inside the folder.

    Raises
    ------
    UnsafeFileError
        When the path leads out of the folder, also by a symbolic link.
    InputError
        When nothing is there.
    """
    text = os.fspath(relative)
    root = Path(folder).resolve()
    outside = UnsafeFileError(
        f"{text!r} is not inside the data folder.",
        "Only files that the operator has placed there may be opened.",
        "Give a path inside the data folder, without a leading slash or '..'.",
    )
    if not text or "\x00" in text or "://" in text or Path(text).is_absolute() or ".." in Path(text).parts:
        raise outside
    try:
        resolved = (root / text).resolve()
    except (OSError, RuntimeError) as error:
        raise outside from error
    if not resolved.is_relative_to(root):
        raise outside
    try:
        there = resolved.exists()
    except OSError as error:
        raise outside from error
    if not there:
        raise InputError(f"There is no file {text} in the data folder.", remedy="Check its name.")
    return resolved


def one_line(text: str, longest: int | None = None) -> str:
    """Text from a file or a form as one line, without signs that do not print, which no database or list takes.

    Parameters
    ----------
    longest
        Letters after which it is cut off; None for all of them.
    """
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if longest is None or len(line) <= longest else f"{line[:longest]}…"


def first_bytes(file: Path, length: int) -> bytes:
    """Read the beginning of a file.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(length)
    except OSError as error:
        raise InputError(
            f"{file.name} cannot be read: {error.strerror}.", remedy="Check its permissions."
        ) from error
