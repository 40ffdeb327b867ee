"""Files of a run for other programs, under the names by which they leave."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import core
from core.errors import InputError, StorageError
from core.raster.folder import copy_file, make_folder
from core.raster.write import atomic_path
from core.report.names import is_of, of_artifact, renamed
from core.runs.kinds import find_task, is_primary
from core.runs.result import GridResult

if TYPE_CHECKING:
    from core.runs.kinds import Ref
    from core.runs.records import Run
    from core.runs.store import Store

MANIFEST = "manifest.json"

LARGEST = 16_000_000
"""Pixels of the largest raster from which files are made while somebody waits for a zip."""

_PREPARING = threading.Lock()
"""Of two who ask for a zip at once the second waits for the files of the first."""


def export(store: Store, run: Run, view: Any, out: Path) -> None:  # noqa: ANN401  the task's own
    """Write the files of a run into a folder, made when missing; those of an earlier export of it are replaced.

    A run that is derived from another is written as its files are, with a manifest.

    Parameters
    ----------
    view
        What was chosen after the run; what its page begins with when None.

    Raises
    ------
    LandslideError
        When the run has not ended, a file is gone or the disk is full.
    """
    make_folder(out)
    exporter = find_task(run.task).export if is_primary(run) else None
    if exporter is None:
        export_files(store, run, out)
        return
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as aside_folder:
        aside = Path(aside_folder)
        exporter.load()(store, run, view, aside)
        for earlier in out.iterdir():
            if earlier.is_file() and is_of(run, earlier.name):
                earlier.unlink()
        for path in sorted(aside.iterdir()):
            path.replace(out / renamed(run, path.name))


def export_files(store: Store, run: Run, out: Path, *, plain: bool = False) -> None:
    """Copy the files of a run into a folder, with a manifest of all of where they came from.

    Parameters
    ----------
    plain
        Whether they are named by what they are to the run alone, as in a folder that a command makes for one run.
    """
    from core.report.bundle import as_json, manifest

    for one in run.artifacts:
        name = f"{one.role}{one.path.suffix}" if plain else of_artifact(run, one)
        copy_file(store.artifact(run.id, one.role).path, out / name)
    with atomic_path(out / MANIFEST) as aside:
        aside.write_text(as_json(manifest(store, run)), encoding="utf-8")


def prepared(store: Store, run: Run, view: Any) -> dict[str, Path]:  # noqa: ANN401  the task's own
    """Files that a task makes of a finished run beside those that the run holds, by the names under which they leave.

    They are kept among the prepared exports, made once for each view. Of rasters of more than `LARGEST` pixels there
    are none.

    Raises
    ------
    LandslideError
        When a file is gone or the disk is full.
    """
    exporter = find_task(run.task).export if is_primary(run) and run.status == "done" else None
    if exporter is None:
        return {}
    result = store.result(run.id)
    if isinstance(result, GridResult) and result.grid.width * result.grid.height > LARGEST:
        return {}
    asked = repr(("zip", core.__version__, view, _elevation(store, run)))
    folder = store.home / "exports" / run.id / hashlib.sha256(asked.encode()).hexdigest()[:16]
    with _PREPARING:
        if not folder.is_dir():
            _prepare(store, run, exporter, view, folder)
    return {renamed(run, path.name): path for path in sorted(folder.iterdir())}


def _prepare(store: Store, run: Run, exporter: Ref, view: Any, folder: Path) -> None:  # noqa: ANN401
    """Let a task export into a folder, which is there when all is in it."""
    make_folder(folder.parent)
    with tempfile.TemporaryDirectory(prefix=".zip-", dir=folder.parent) as made:
        aside = Path(made, folder.name)
        aside.mkdir()
        exporter.load()(store, run, view, aside)
        for one in run.artifacts:  # they are in the zip already
            (aside / f"{one.role}{one.path.suffix}").unlink(missing_ok=True)
        try:
            aside.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # another process was not faster
                raise StorageError(f"{folder.name} could not be written.", error.strerror or "") from error


def _elevation(store: Store, run: Run) -> str:
    """The elevation model that belongs to the data of a run, which a user may choose later."""
    if not run.subject.dataset_id:
        return ""
    try:
        return str(store.scene_record(run.subject.dataset_id).dem)
    except InputError:
        return ""  # no scene, or it is no longer there
