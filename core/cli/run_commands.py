"""``python -m core runs …``: runs from the command line and from pages alike."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from core.cli.units import before, octets, words
from core.cli.view_options import add_view_options, chosen_for, view_of, views
from core.errors import InputError
from core.runs.kinds import find_task, is_primary, tasks
from core.wording import count

if TYPE_CHECKING:
    from core.retention.prune import Plan, RemovalCandidate
    from core.runs.kinds import Metric
    from core.runs.records import Run
    from core.runs.store import Store

SHORTEST = 6
"""Digits of an id that must be given at least."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands about runs."""
    commands = parser.add_subparsers(dest="command", required=True)
    _list_arguments(commands.add_parser("list", help="list runs, newest first"))
    show = commands.add_parser("show", help="print the complete record of a run as JSON")
    export = commands.add_parser("export", help="export the files of a run to a folder or a ZIP file")
    report = commands.add_parser("report", help="create the report of a run")
    link = commands.add_parser("link", help="print the addresses of a run: its page, and its tiles for QGIS")
    delete = commands.add_parser("delete", help="delete runs, everything derived from them, and their files")
    for one in (show, export, report, link):
        one.add_argument("id", help=f"id of a run, or its first digits ({SHORTEST} or more)")
    delete.add_argument("id", nargs="+", help=f"ids of runs, or their first digits ({SHORTEST} or more)")
    export.add_argument("--out", type=Path, required=True, help="folder, or FILE.zip for all files with a manifest")
    report.add_argument("--out", type=Path, help="where to copy the report: .html or .pdf")
    report.add_argument("--pdf", action="store_true", help="write the PDF, whatever the file name ends with")
    link.add_argument("--server", default="http://localhost:8501", help="address of the app (http://localhost:8501)")
    for one in (export, report, link):
        add_view_options(one, views())
    for one, do in ((show, _show), (export, _export), (report, _report), (link, _link), (delete, _delete)):
        one.set_defaults(do=do)
    tidying = "delete prepared exports, old runs, unused uploads and orphaned files"
    _prune_arguments(commands.add_parser("prune", help=tidying))


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", default="", help=f"one of {', '.join(tasks())}")
    parser.add_argument("--status", action="append", default=[], help="status such as done or failed; may be given "
                                                                      "several times")
    parser.add_argument("--model", default="")
    parser.add_argument("--tag", default="")
    parser.add_argument("--text", default="", help="text in the name, image, note or start of the id")
    parser.add_argument("--limit", type=int, default=50, help="maximum number of runs (50)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(do=_list)


def _prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", metavar="AGE", help="age such as 30d, 12h, 4w, or date such as 2026-01-31")
    parser.add_argument("--keep", metavar="SIZE", help="maximum size of results, uploads and exports, such as 20GB")
    parser.add_argument("--orphans", action="store_true", help="also delete orphaned files")
    parser.add_argument("--dry-run", action="store_true", help="show what would be deleted, and delete nothing")
    parser.set_defaults(do=_prune)


def _store() -> Store:
    """The store, in which no run is marked as running whose process has ended."""
    from core.retention.prune import settle
    from core.runs.store import default_store

    store = default_store()
    settle(store)
    return store


def find(store: Store, text: str) -> Run:
    """A run by its id or the first digits of it.

    Raises
    ------
    InputError
        When there is none, more than one, or too few digits to tell.
    """
    from core.runs.records import RunFilter

    wanted = text.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},32}}", wanted):
        raise InputError(f"{text!r} is not a run id.", remedy=f"Give {SHORTEST} to 32 digits from 0–9 and a–f.")
    found = [run for run in store.runs(RunFilter(text=wanted)) if run.id.startswith(wanted)]
    if not found:
        raise InputError(f"No run {text} in the store.", remedy="List the runs: python -m core runs list.")
    if len(found) > 1:
        raise InputError(f"{len(found)} runs have an id that starts with {text}.", remedy="Give more digits.")
    return found[0]


def _list(arguments: argparse.Namespace) -> None:
    from core.report.bundle import run_manifest
    from core.runs.records import RunFilter, Status

    if arguments.limit < 1:
        raise InputError("The limit must be 1 or more.")
    unknown = next((status for status in arguments.status if status not in get_args(Status)), None)
    if unknown is not None:
        raise InputError(f"Unknown status {unknown!r}.", remedy=f"Choose from: {', '.join(get_args(Status))}.")
    store = _store()
    found = store.runs(
        RunFilter(
            task=arguments.task, statuses=tuple(arguments.status), model=arguments.model, tag=arguments.tag,
            text=arguments.text, limit=arguments.limit,
        )  # fmt: skip
    )
    if arguments.json:
        print(json.dumps([run_manifest(run) for run in found], indent=1, allow_nan=False))
        return
    scores = [metric.title for metric in _headline()]
    rows = [("ID", "CREATED (UTC)", "STATUS", "TASK", "KIND", "MODEL", *scores, "NAME"), *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))


def _headline() -> list[Metric]:
    """The metrics that a list of runs has a column for: the score that each task names first."""
    found = {metric.name: metric for task in tasks().values() for metric in task.metrics if metric.headline}
    return list(found.values())


def _row(run: Run) -> tuple[str, ...]:
    status = f"{run.status} {100 * run.progress.share:.0f} %" if run.status == "running" else run.status
    scores = (metric.text(run.metrics.get(metric.name)) for metric in _headline())
    name = f"{run.title}  [{', '.join(run.tags)}]" if run.tags else run.title
    return (
        run.id[:8], f"{run.created:%Y-%m-%d %H:%M}", status, run.task, run.kind, run.model or "–", *scores,
        f"{name} (pinned)" if run.pinned else name,
    )  # fmt: skip


def _show(arguments: argparse.Namespace) -> None:
    from core.report.bundle import as_json, manifest

    store = _store()
    print(as_json(manifest(store, find(store, arguments.id))), end="")


def _export(arguments: argparse.Namespace) -> None:
    from core.raster.write import atomic_path
    from core.report.bundle import bundle
    from core.report.exporting import export

    store = _store()
    run, out = find(store, arguments.id), arguments.out
    view = _view(store, run, arguments)
    if out.suffix.lower() == ".zip":
        pieces = bundle(store, run.id, view)
        with atomic_path(out) as aside, aside.open("wb") as file:
            file.writelines(pieces)
    else:
        export(store, run, view, out)
    print(out)


def _report(arguments: argparse.Namespace) -> None:
    from core.raster.write import atomic_path
    from core.report.make import REPORT, REPORT_PDF, make_report

    store = _store()
    run = find(store, arguments.id)
    make_report(store, run.id, _view(store, run, arguments))
    pdf = arguments.pdf or (arguments.out is not None and arguments.out.suffix.lower() == ".pdf")
    path = store.artifact(run.id, REPORT_PDF if pdf else REPORT).path
    if arguments.out is not None:
        with atomic_path(arguments.out) as aside:
            shutil.copyfile(path, aside)
    print(arguments.out or path)


def _link(arguments: argparse.Namespace) -> None:
    from core.report.addresses import page_address, query_of, tile_addresses

    store = _store()
    run, server = find(store, arguments.id), arguments.server.rstrip("/")
    if not is_primary(run) or run.status != "done":
        raise InputError("Only finished results have a page and tiles.", remedy=
            "List the runs: python -m core runs list.")
    result, view = store.result(run.id), _view(store, run, arguments)
    print(page_address(run, server, query_of(view)))
    for address in tile_addresses(run, result, server, getattr(view, "threshold", None)).values():
        print(address)


def _view(store: Store, run: Run, arguments: argparse.Namespace) -> Any:  # noqa: ANN401  the task's own
    """What was chosen for a run, and where nothing was, what its page begins with; None when nothing was chosen."""
    declared = find_task(run.task).view if chosen_for(run.task, run.id, arguments) else None
    return None if declared is None else view_of(declared.load(), store.result(run.id), arguments)


def _delete(arguments: argparse.Namespace) -> None:
    store = _store()
    found = {run.id: run for run in [find(store, text) for text in arguments.id]}
    # The youngest first, so that none has gone with another by its turn.
    gone = sum(store.delete(run.id) for run in sorted(found.values(), key=lambda run: run.created, reverse=True))
    print(f"{count(gone, 'run')} deleted")


def _prune(arguments: argparse.Namespace) -> None:
    from core.retention.prune import missing, orphans, plan, prune, remove_orphans, storage

    if not (arguments.older_than or arguments.keep or arguments.orphans):
        raise InputError("Nothing to delete was specified.", remedy="Give --older-than, --keep, --orphans, or several "
                                                                "of them.")
    older = before(arguments.older_than) if arguments.older_than else None
    quota = octets(arguments.keep) if arguments.keep else None
    store, would = _store(), " would be" if arguments.dry_run else ""
    if older is not None or quota is not None:
        planned = plan(store, older_than=older, quota=quota)
        _print_plan(planned)
        removed = None if arguments.dry_run else prune(store, planned)
        runs = len(planned.runs) if removed is None else removed.runs
        uploads = len(planned.uploads) if removed is None else removed.uploads
        exports = len(planned.exports) if removed is None else removed.exports
        counted = f"{count(runs, 'run')}, {count(uploads, 'upload')} and {count(exports, 'prepared export')}"
        print(f"{counted}{would} deleted")
        if planned.beyond:
            print(f"{words(planned.beyond)} over the quota: everything that remains is pinned, active or in use")
    if arguments.orphans:
        lost = orphans(store)
        gone = lost if arguments.dry_run else remove_orphans(store, lost)
        for one in gone:
            print(f"{one.kind:<8}  {words(one.size):>9}  {one.path}")
        print(f"{count(len(gone), 'orphaned file')}{would} deleted, {words(sum(one.size for one in gone))}")
        for broken in missing(store):
            print(f"damaged: the {broken.role} file of {broken.owner} {broken.id[:8]} ({broken.title}) is missing "
                  "from the disk")
    room = storage(store)
    print(f"{words(room.kept)} stored, {words(room.used)} used in total, {words(room.free)} free on the disk")


def _print_plan(planned: Plan) -> None:
    for kind, leaving in (("export", planned.exports), ("run", planned.runs), ("upload", planned.uploads)):
        for one in leaving:
            print(_leaving(kind, one))


def _leaving(kind: str, one: RemovalCandidate) -> str:
    return f"{kind:<6}  {one.id[:8]}  {one.created:%Y-%m-%d}  {words(one.freed):>9}  {one.title}"
