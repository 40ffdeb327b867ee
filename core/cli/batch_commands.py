"""``python -m core batches …``: several images worked on alike; also what commands of tasks print and write of one."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.view_options import add_view_options, chosen_for, view_of, views
from core.errors import InputError
from core.runs.kinds import find_task

if TYPE_CHECKING:
    from core.batch.batches import Batch
    from core.batch.table import Table
    from core.runs.store import Store

SHORTEST = 6
"""Digits of an id that must be given at least."""

FILES = (".zip", ".csv", ".html", ".pdf")
"""Endings by which a single file is asked for."""

OUT = "folder for table, report and ZIP file, or one file: .zip, .csv, .html or .pdf"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands about batches."""
    commands = parser.add_subparsers(dest="command", required=True)
    listed = commands.add_parser("list", help="list batches, newest first")
    listed.set_defaults(do=_list)
    show = commands.add_parser("show", help="print the table of a batch")
    export = commands.add_parser("export", help="export table, report and ZIP file of a batch")
    delete = commands.add_parser("delete", help="delete a batch with its runs and everything derived from them")
    for one, do in ((show, _show), (export, _export), (delete, _delete)):
        one.add_argument("id", help=f"id of a batch, or its first digits ({SHORTEST} or more)")
        one.set_defaults(do=do)
    export.add_argument("--out", type=Path, required=True, help=OUT)
    for one in (show, export):
        add_view_options(one, views())


def find_batch(store: Store, text: str) -> Batch:
    """A batch by its id or the first digits of it.

    Raises
    ------
    InputError
        When there is none, more than one, or too few digits to tell.
    """
    from core.batch.batches import latest

    found = [one for one in latest(store) if one.id.startswith(text.lower())]
    if len(text) < SHORTEST or not found:
        raise InputError(f"No batch {text}.", remedy="List the batches: python -m core batches list.")
    if len(found) > 1:
        raise InputError(f"{len(found)} batches have an id that starts with {text}.", remedy="Give more digits.")
    return found[0]


def _store() -> Store:
    from core.retention.prune import settle
    from core.runs.store import default_store

    store = default_store()
    settle(store)
    return store


def _list(arguments: argparse.Namespace) -> None:
    del arguments
    from core.batch.batches import current, latest, runs_of

    store = _store()
    rows: list[tuple[str, ...]] = [("ID", "CREATED (UTC)", "TASK", "DONE", "NAME")]
    for batch in latest(store):
        runs = list(current(batch, runs_of(store, batch)).values())
        done = f"{sum(run.status == 'done' for run in runs)} of {len(batch.datasets) + len(batch.refused)}"
        task = runs[0].task if runs else "–"
        rows.append((batch.id[:8], f"{batch.created:%Y-%m-%d %H:%M}", task, done, batch.title))
    _print(rows)


def _show(arguments: argparse.Namespace) -> None:
    from core.batch.table import read_table

    store = _store()
    batch = find_batch(store, arguments.id)
    print_table(read_table(store, batch, chooser(store, batch, arguments)))


def _export(arguments: argparse.Namespace) -> None:
    store = _store()
    batch = find_batch(store, arguments.id)
    write_out(store, batch, arguments.out, chooser(store, batch, arguments))
    print(arguments.out)


def _delete(arguments: argparse.Namespace) -> None:
    from core.batch.batches import delete
    from core.wording import count

    store = _store()
    print(f"{count(delete(store, find_batch(store, arguments.id)), 'run')} deleted")


def chooser(store: Store, batch: Batch, arguments: argparse.Namespace) -> Callable[[Any], Any] | None:
    """What was chosen of the runs of a batch by options; None when nothing was.

    Raises
    ------
    InputError
        When an option is of another task, or out of range.
    """
    from core.batch.batches import runs_of

    runs = runs_of(store, batch)
    declared = find_task(runs[0].task).view if runs else None
    if declared is None or not chosen_for(runs[0].task, batch.id, arguments):
        return None
    view = declared.load()
    return lambda result: view_of(view, result, arguments)


def print_table(table: Table) -> None:
    """Print a row for each image, totals, and why images have no result."""
    columns = table.columns
    rows = [("IMAGE", "STATUS", "RUN", *(one.title.upper() for one in columns), "WARNINGS")]
    for row in table.rows:
        numbers = (one.text(row.figures.get(one.name)) if row.done else "–" for one in columns)
        run = "–" if row.run is None else row.run.id[:8]
        rows.append((row.name, row.status, run, *numbers, str(len(row.warnings)) if row.done else "–"))
    _print(rows)
    for total in table.totals:
        title = f"{total.figure.title}, total" if total.figure.summed else total.figure.title
        print(f"{title} {total.over}: {total.figure.text(total.value)}")
    if table.assumptions:
        print(table.assumptions)
    for row in table.unfinished:
        print(row.reason)
    for note in table.batch.notes:
        print(note)


def _print(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))


def write_out(store: Store, batch: Batch, out: Path, view: Callable[[Any], Any] | None = None) -> None:
    """Write table, report and zip of a batch into a folder, or that one of them that the ending of a file asks for.

    Raises
    ------
    LandslideError
        When no run has a result, a run is being computed, or the disk is full.
    """
    from core.batch.bundle import file_name
    from core.batch.table import read_table
    from core.raster.folder import make_folder

    table = read_table(store, batch, view)
    if out.suffix.lower() in FILES:
        make_folder(out.parent)
        _write(store, table, view, {out.suffix.lower(): out})
        return
    make_folder(out)
    names = {".csv": "table", ".zip": "runs", ".html": "report", ".pdf": "report"}
    _write(store, table, view, {ending: out / file_name(table, what, ending) for ending, what in names.items()})


def _write(store: Store, table: Table, view: Callable[[Any], Any] | None, wanted: dict[str, Path]) -> None:
    from core.batch.bundle import bundle
    from core.batch.report import write_reports
    from core.batch.table import write_csv
    from core.raster.write import atomic_path

    if ".csv" in wanted:
        with atomic_path(wanted[".csv"]) as aside:
            aside.write_text(write_csv(table), encoding="utf-8-sig")
    if ".zip" in wanted:
        pieces = bundle(store, table.batch, view)
        with atomic_path(wanted[".zip"]) as aside, aside.open("wb") as file:
            file.writelines(pieces)
    if ".html" in wanted or ".pdf" in wanted:
        with tempfile.TemporaryDirectory(prefix="slidelens-batch-") as folder:
            for path in write_reports(store, table, Path(folder), view):
                if path.suffix in wanted:
                    with atomic_path(wanted[path.suffix]) as aside:
                        shutil.copyfile(path, aside)
