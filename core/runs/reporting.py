"""The report of a stored run: gathered from the store, written, and kept with the run."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.runs import files
from core.runs.records import Run, SceneRecord
from core.runs.store import Store

if TYPE_CHECKING:
    from core.mapping.findings import Choice
    from core.runs.report import ReportInput

REPORT = "report"
"""What the report is among the files of its run."""


def make_report(store: Store, run_id: str, choice: Choice | None = None, address: str = "") -> None:
    """Write the report of a finished run and keep it with the run, in place of an earlier one.

    Parameters
    ----------
    choice
        Threshold and areas; the model's threshold and the smallest mappable area when None.
    address
        Where the run can be opened, to be told in the report.

    Raises
    ------
    LandslideError
        When the run is not done, is of a kind without a report, misses a file, or the disk is full.
    """
    from core.runs.report import write_report

    content = report_input(store, run_id, choice, address)
    # Below the home folder, so that it takes its place by a new name alone.
    with tempfile.TemporaryDirectory(prefix="report-", dir=files.folder(store.home / files.WORK)) as folder:
        path = Path(folder, "report.html")
        write_report(content, path)
        store.add_artifact(run_id, REPORT, path)


def report_input(store: Store, run_id: str, choice: Choice | None = None, address: str = "") -> ReportInput:
    """A run with all that its report tells of it.

    Raises
    ------
    InputError
        When the run is unknown or not done.
    """
    from core.mapping.findings import default_choice
    from core.mapping.result import MAPPINGS
    from core.runs.outlines import outlined_before
    from core.runs.report import ReportInput

    run, result = store.run(run_id), store.mapping(run_id)
    explained = [child for child in store.children(run_id, "explanation")[::-1] if child.status == "done"]
    record = scene_of(store, run)
    dem = None if record is None else record.dem
    chosen = choice or default_choice(result, result.threshold)
    outlined = outlined_before(store, result, chosen, terrain=dem is not None) if run.kind in MAPPINGS else None
    return ReportInput(
        task=run.task,
        kind=run.kind,
        result=result,
        made=datetime.now(UTC),
        scene=None if record is None else record.scene,
        dem=dem,
        choice=choice if outlined is None else chosen,
        origin="" if record is None else record.origin,
        explanations=tuple(store.mapping(child.id) for child in explained),
        name=run.name,
        note=run.note,
        tags=run.tags,
        address=address,
        outlined=outlined,
    )


def scene_of(store: Store, run: Run) -> SceneRecord | None:
    """What the run looked at; None when it is no longer there, or another file has taken its place."""
    if not run.scene_id:
        return None
    try:
        record = store.scene_record(run.scene_id)
    except InputError:
        return None
    return record if record.scene.digest == run.scene_digest else None
