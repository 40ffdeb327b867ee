"""The library that follows water over a raster: its first use compiles it, which takes some seconds, then is kept."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from core.errors import InputError, StorageError

if TYPE_CHECKING:
    from types import ModuleType

LIBRARY = "pyflwdir"


@contextmanager
def flow_library() -> Iterator[ModuleType]:
    """Open pyflwdir, told where it may keep what it compiles.

    Raises
    ------
    StorageError
        When it cannot be loaded.
    InputError
        When it fails.
    """
    try:
        keep_compiled(LIBRARY)
        import pyflwdir
        from numba.core.errors import NumbaError
    except (ImportError, RuntimeError, OSError) as error:
        raise StorageError(
            "The library for flow routing (pyflwdir) cannot be loaded.",
            str(error),
            "Install the packages in requirements.txt, and set SLIDELENS_HOME to a folder that can be written to.",
        ) from error
    try:
        yield pyflwdir
    except (NumbaError, ValueError, IndexError, TypeError, RuntimeError, MemoryError) as error:
        raise InputError(
            "Flow over the elevation model could not be calculated.",
            f"{type(error).__name__}: {error}",
            "Choose larger cells, or leave out flow accumulation, wetness, stream power and distance to streams.",
        ) from error


def keep_compiled(library: str) -> Path | None:
    """Give numba a folder of ours to keep what it compiles of a library in, where it cannot write beside its files.

    Returns
    -------
    Path or None
        The folder; None where it needs none, or has been given one.
    """
    spec = importlib.util.find_spec(library)
    if os.environ.get("NUMBA_CACHE_DIR") or spec is None or spec.origin is None:
        return None
    if _writable(Path(spec.origin).parent / "__pycache__"):
        return None
    folder = _folder()
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    loaded: Any = sys.modules.get("numba")
    if loaded is not None:
        loaded.config.CACHE_DIR = str(folder)
    return folder


def _folder() -> Path:
    """Below the home of the program; a folder of this process where that cannot be written to.

    What is kept there is run: it must be a folder that nobody else writes to.
    """
    home = os.environ.get("SLIDELENS_HOME") or platformdirs.user_data_dir("slidelens", appauthor=False)
    folder = Path(home).absolute() / "cache" / "numba"
    if _writable(folder):
        return folder
    return Path(tempfile.mkdtemp(prefix="slidelens-numba-"))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
