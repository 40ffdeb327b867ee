"""Files of a run for other programs, under the names by which they leave."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import core
from core.errors import InputError, StorageError
from core.raster.folder import copy_file, make_folder
from core.raster.write import atomic_path
from core.report.make import REPORT, reported, write_reports
from core.report.names import is_of, named, of_artifact, renamed
from core.review.found import can_be_reviewed, open_review, reviewed_run
from core.review.inventory import export_review
from core.review.label_files import export_labels
from core.review.labels import has_labels, open_labels
from core.review.log import last_number
from core.runs.kinds import find_task, is_primary
from core.runs.result import GridResult

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.store import Store

MANIFEST = "manifest.json"

LARGEST = 16_000_000
"""Pixels of the largest raster from which files are written while a user waits for a zip."""

PREPARED = "zip-"
"""Begins the name of a folder that was prepared for a zip."""

MOST_PREPARED = 8
"""How many of them are kept for a run: each view has its own."""

READ_WITHIN = 600.0
"""Seconds since its last use within which one may still be read."""

DOWNLOADED = ("run", "report", "map")
"""What browsers save under names of the same scheme, which no export makes."""

ENDINGS = (".tif", ".gpkg", ".geojson", ".csv", ".json", ".kml", ".shp.zip", ".png", ".parquet")
"""Endings of the files that exports make."""

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
        made = {renamed(run, path.name): path for path in sorted(aside.iterdir())}
        for name, path in made.items():
            path.replace(out / name)
        for earlier in out.iterdir():
            if earlier.is_file() and earlier.name not in made and _was_exported(run, earlier.name):
                earlier.unlink()


def _was_exported(run: Run, name: str) -> bool:
    """Whether a file is one that an earlier export of a run made: neither what a browser saved nor a user's own."""
    saved = [named(run, what, name[name.find(".") :]) for what in DOWNLOADED]
    return is_of(run, name) and name.endswith(ENDINGS) and name not in saved


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

    def make(folder: Path) -> None:
        exporter.load()(store, run, view, folder)
        for one in run.artifacts:  # they are in the zip already
            (folder / f"{one.role}{one.path.suffix}").unlink(missing_ok=True)

    return _made_once(store, run, ("files", view), make)


def prepared_report(store: Store, run: Run, view: Any) -> dict[str, Path]:  # noqa: ANN401  the task's own
    """The report of a finished run at a view, where the run holds none, by the names under which it leaves.

    Unlike `core.report.make.make_report` it leaves the run as it is: who only saves a run writes nothing on it.

    Raises
    ------
    LandslideError
        When a file is gone, the disk is full, or it cannot be laid out.
    """
    if run.status != "done" or not reported(run) or run.artifact(REPORT) is not None:
        return {}
    edits = last_number(store, run.id)

    def make(folder: Path) -> None:
        for _ in write_reports(store, run.id, view, folder):
            pass

    return _made_once(store, run, ("report", view, edits), make)


def prepared_review(store: Store, run: Run, view: Any) -> dict[str, Path]:  # noqa: ANN401  the task's own
    """Files of the review of a finished run, by the names under which they leave; none where nobody reviewed it.

    Of a run that only adds a reference check they are those of the run that it is derived from.

    Raises
    ------
    LandslideError
        When a file is gone, the disk is full, or the log is of a newer version.
    """
    known = reviewed_run(store, run)
    edits = last_number(store, known.id)
    if run.status != "done" or not edits:
        return {}
    labels = has_labels(known)
    if not labels and not can_be_reviewed(known):
        return {}

    def make(folder: Path) -> None:
        if labels:
            export_labels(open_labels(store, known, view), folder)
        else:
            export_review(open_review(store, known), folder)

    return _made_once(store, run, ("review", view if labels else None, edits), make)


def _made_once(store: Store, run: Run, asked: tuple[Any, ...], make: Callable[[Path], None]) -> dict[str, Path]:
    """Files of a folder that is made when it is first asked for, by the names under which they leave.

    What belongs to the run's data, or stands on the run, may change what is made of it, and is part of what is asked.
    """
    children = sorted(one.id for one in store.children(run.id) if one.status == "done")
    key = repr((core.__version__, asked, _belonging(store, run), children))
    folder = store.home / "exports" / run.id / f"{PREPARED}{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    with _PREPARING:
        if folder.is_dir():
            os.utime(folder)
        else:
            make_whole(folder, make)
        drop_oldest(folder.parent)
    return {renamed(run, path.name): path for path in sorted(folder.iterdir())}


def make_whole(folder: Path, make: Callable[[Path], None]) -> None:
    """Make a folder, which is there when all is in it."""
    make_folder(folder.parent)
    with tempfile.TemporaryDirectory(prefix=".zip-", dir=folder.parent) as made:
        aside = Path(made, folder.name)
        aside.mkdir()
        make(aside)
        try:
            aside.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # another process was not faster
                raise StorageError(f"{folder.name} could not be written.", error.strerror or "") from error


def drop_oldest(folder: Path) -> None:
    """Keep the newest of what was prepared for zips of a run, and what may be read at this moment."""
    known = [(path.stat().st_mtime, path) for path in folder.glob(f"{PREPARED}*")]
    for used, path in sorted(known)[:-MOST_PREPARED]:
        if time.time() - used > READ_WITHIN:
            shutil.rmtree(path, ignore_errors=True)


def _belonging(store: Store, run: Run) -> tuple[str, str]:
    """Digest of the data of a run as they are now, and the elevation model, which a user may choose later."""
    if not run.subject.dataset_id:
        return "", ""
    try:
        record = store.scene_record(run.subject.dataset_id)
    except InputError:
        return "", ""  # no scene, or it is no longer there
    return record.scene.digest, str(record.dem)
