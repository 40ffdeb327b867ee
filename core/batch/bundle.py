"""A batch as one zip: the files of each run in a folder of its own, the table as CSV, and the report.

::

    manifest.json
    <batch>_<task>_table_<first 8 digits>.csv
    <batch>_<task>_report_<first 8 digits>.html, .pdf
    <image>_<first 8 digits of the run>/…       as in the zip of that run, without a report of its own
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import core
from core.batch.batches import Batch, exports
from core.batch.report import write_reports
from core.batch.table import Table, View, read_table, write_csv
from core.errors import InputError, LandslideError
from core.raster.progress import ProgressCallback, ignore
from core.report.bundle import as_json, contents, zipped
from core.report.exporting import MANIFEST, PREPARED, drop_oldest, make_whole
from core.report.names import safe

if TYPE_CHECKING:
    from core.runs.store import Store


def file_name(table: Table, what: str, ending: str) -> str:
    """Name under which a file of a batch leaves."""
    task = "" if table.task is None else f"_{table.task.name}"
    return f"{safe(table.batch.title) or 'batch'}{task}_{what}_{table.batch.id[:8]}{ending}"


def bundle_name(store: Store, batch: Batch) -> str:
    """Name of the zip."""
    return file_name(read_table(store, batch, seconds=0), "runs", ".zip")


def report_folder(store: Store, table: Table, address: str = "", asked: str = "") -> Path:
    """Where the report of a batch lies, or would lie: another one for other results.

    Parameters
    ----------
    asked
        What was chosen after the runs, as a text.
    """
    known = [(row.name, row.status, "" if row.run is None else row.run.id) for row in table.rows]
    key = repr((core.__version__, table.batch.name, known, address, asked))
    return exports(store, table.batch) / f"{PREPARED}{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def prepared_report(
    store: Store, table: Table, address: str = "", view: View | None = None, asked: str = "",
    progress: ProgressCallback = ignore,
) -> tuple[Path, Path]:  # fmt: skip
    """The report of a batch, HTML and PDF, made once for the same results.

    Parameters
    ----------
    view, asked
        See `core.batch.report.write_reports`, and the same as a text.

    Raises
    ------
    LandslideError
        See `core.batch.report.write_reports`.
    """
    folder = report_folder(store, table, address, asked)
    if not folder.is_dir():
        make_whole(folder, partial(_write, store, table, view, address, progress))
        drop_oldest(folder.parent)
    return folder / "report.html", folder / "report.pdf"


def _write(
    store: Store, table: Table, view: View | None, address: str, progress: ProgressCallback, folder: Path
) -> None:
    write_reports(store, table, folder, view, address, progress)


def bundle(store: Store, batch: Batch, view: View | None = None) -> Iterator[bytes]:
    """The zip of a batch, piece by piece, while its files are made; what cannot be made is named in its manifest.

    Raises
    ------
    InputError
        When a run is being computed, or none has a result.
    """
    table = read_table(store, batch, view)
    if table.active:
        raise InputError(
            "Runs of this batch are still being processed.", remedy="Wait until they have finished, or cancel them."
        )
    if not any(row.done for row in table.rows):
        raise InputError("No image of this batch has a result.", remedy="Repeat the failed images.")
    return zipped(_entries(store, table, view), _ended(table))


def _ended(table: Table) -> datetime:
    times = [row.run.finished for row in table.rows if row.run is not None and row.run.finished is not None]
    return max([table.batch.created, *times])


def _entries(store: Store, table: Table, view: View | None) -> Iterator[tuple[str, Path | bytes]]:
    left_out: list[dict[str, str]] = []
    runs: list[dict[str, Any]] = []
    yield file_name(table, "table", ".csv"), write_csv(table).encode("utf-8-sig")
    for row in table.rows:
        run = row.run
        about = {"image": row.name, "status": row.status, "run": "" if run is None else run.id, "why": row.why}
        if run is not None and row.done:
            folder = f"{safe(row.name) or 'image'}_{run.id[:8]}"
            runs.append({**about, "folder": folder})
            try:
                chosen = None if view is None else view(store.result(run.id))
                told, files = contents(store, run, chosen, report=False)
            except LandslideError as error:
                left_out.append({"what": f"files of {row.name}", "why": str(error)})
                continue
            yield f"{folder}/{MANIFEST}", as_json(told).encode()
            yield from ((f"{folder}/{name}", content) for name, content in files)
        else:
            runs.append(about)
    yield from _report(store, table, view, left_out)
    batch = table.batch
    made = {"id": batch.id, "name": batch.name, "created": batch.created.isoformat(timespec="milliseconds")}
    about_all = {"format": 1, "slidelens": core.__version__, "batch": made, "runs": runs, "left_out": left_out}
    yield MANIFEST, as_json(about_all).encode()


def _report(
    store: Store, table: Table, view: View | None, left_out: list[dict[str, str]]
) -> Iterator[tuple[str, Path | bytes]]:
    with tempfile.TemporaryDirectory(prefix="slidelens-batch-") as folder:
        try:
            aside = Path(folder)
            files = prepared_report(store, table) if view is None else write_reports(store, table, aside, view)
        except LandslideError as error:
            left_out.append({"what": "report", "why": str(error)})
            return
        for path in files:
            yield file_name(table, "report", path.suffix), path
