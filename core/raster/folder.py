"""Folders that results are taken away in, and plain values in them as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import StorageError
from core.raster.write import atomic_path


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write plain values; NaN and infinity, which JSON lacks, become null."""
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(plain_values(content), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def plain_values(value: Any) -> Any:  # noqa: ANN401  JSON is of any type
    """Plain values, arrays' numbers included, as JSON can hold them."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def make_folder(folder: Path) -> None:
    """Make the folder for an export, so that one that cannot be written is known before the long part.

    Raises
    ------
    StorageError
        When it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".probe").touch()
        (folder / ".probe").unlink()
    except OSError as error:
        raise StorageError(f"{folder} cannot be written to.", error.strerror or "", "Choose another folder.") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all.

    Raises
    ------
    StorageError
        When it is gone or the disk does not take it.
    """
    try:
        with atomic_path(target) as aside:
            shutil.copyfile(source, aside)
    except OSError as error:
        raise StorageError(f"{target.name} could not be written.", str(error),
            "Free up disk space and try again.") from error
