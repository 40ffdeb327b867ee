"""The report of a stored run: gathered from the store, written, and kept with the run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.report.pdf import write_pdf
from core.report.state import state_of
from core.report.write import parts_of, write_report
from core.runs import files
from core.runs.kinds import is_explanation, kind_of

if TYPE_CHECKING:
    from core.report.content import ReportInput, ReportKind
    from core.runs.records import Run
    from core.runs.store import Store

REPORT = "report"
"""Role of the report among the artifacts of its run."""

REPORT_PDF = "report_pdf"
"""Role of the same report as a PDF."""


def make_report(store: Store, run_id: str, view: Any = None, address: str = "") -> None:  # noqa: ANN401  of its task
    """Write the report of a finished run, as HTML and PDF, and keep both with the run in place of earlier ones.

    Parameters
    ----------
    view
        What was chosen after the run, as its task declares it; what its page begins with when None.
    address
        Where the run can be opened, to be told in the report.

    Raises
    ------
    LandslideError
        When the run is not done, is of a kind without a report, misses a file, or the disk is full.
    """
    # Below the home folder, so that it takes its place by a new name alone.
    with tempfile.TemporaryDirectory(prefix="report-", dir=files.folder(store.home / files.WORK)) as folder:
        for role, path in write_reports(store, run_id, view, Path(folder), address):
            store.add_artifact(run_id, role, path)


def write_reports(
    store: Store, run_id: str, view: Any, folder: Path, address: str = ""  # noqa: ANN401  of its task
) -> Iterator[tuple[str, Path]]:
    """Write the report of a finished run into a folder, as HTML and then as PDF; see `make_report`.

    Yields
    ------
    Role of each file and where it lies, once it is written: what fails in the second does not cost the first.
    """
    run = store.run(run_id)
    kind, content, state = report_kind(run), report_input(store, run_id, view, address), state_of(store, run, view)
    parts = parts_of(content, kind)
    page, pdf = folder / "report.html", folder / "report.pdf"
    write_report(content, kind, page, parts, state)
    yield REPORT, page
    write_pdf(content, kind, pdf, parts)
    yield REPORT_PDF, pdf


def reported(run: Run) -> bool:
    """Whether there is a report of such a run."""
    kind = kind_of(run)
    return kind is not None and kind.report is not None


def report_kind(run: Run) -> ReportKind:
    """How a run is reported.

    Raises
    ------
    InputError
        When there is no report of such a run.
    """
    kind = kind_of(run)
    if kind is None or kind.report is None:
        raise InputError(
            f"Runs of the kind {run.kind!r} have no report.",
            "Only the run that they are derived from has one.",
            "Open that run and create the report there.",
        )
    found: ReportKind = kind.report.load()
    return found


def report_input(
    store: Store, run_id: str, view: Any = None, address: str = ""  # noqa: ANN401  of its task
) -> ReportInput:
    """A run with all content of its report.

    Raises
    ------
    InputError
        When the run is unknown, not done, or of a kind without a report.
    """
    run = store.run(run_id)
    content = report_kind(run).gather(store, run, view)
    return replace(content, name=run.name, note=run.note, tags=run.tags, address=address)


def explanations_of(store: Store, run: Run) -> list[Run]:
    """Finished explanations of a run, the oldest first; of the same one with and without curves, the former alone."""
    done = [child for child in store.children(run.id)[::-1] if child.status == "done" and is_explanation(child)]
    kept: dict[str, Run] = {}
    for one in sorted(done, key=lambda child: not child.parameters.get("curves")):
        asked = {name: value for name, value in one.parameters.items() if name != "curves"}
        kept.setdefault(json.dumps(asked, sort_keys=True) if "curves" in one.parameters else one.id, one)
    return [one for one in done if one in kept.values()]
