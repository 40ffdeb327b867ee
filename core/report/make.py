"""The report of a stored run: gathered from the store, written, and kept with the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.runs import files
from core.runs.records import Run, SceneRecord
from core.runs.store import Store

if TYPE_CHECKING:
    from core.report import DetectionInput, MappingInput, ReportInput
    from core.tasks.detection.findings import Choice as BoxChoice
    from core.tasks.mapping.findings import Choice

REPORT = "report"
"""What the report is among the files of its run."""


def make_report(store: Store, run_id: str, choice: Choice | BoxChoice | None = None, address: str = "") -> None:
    """Write the report of a finished run and keep it with the run, in place of an earlier one.

    Parameters
    ----------
    choice
        What was chosen after the run, of its own task; what its page begins with when None.
    address
        Where the run can be opened, to be told in the report.

    Raises
    ------
    LandslideError
        When the run is not done, is of a kind without a report, misses a file, or the disk is full.
    """
    from core.report import write_report

    content = report_input(store, run_id, choice, address)
    # Below the home folder, so that it takes its place by a new name alone.
    with tempfile.TemporaryDirectory(prefix="report-", dir=files.folder(store.home / files.WORK)) as folder:
        path = Path(folder, "report.html")
        write_report(content, path)
        store.add_artifact(run_id, REPORT, path)


def report_input(
    store: Store, run_id: str, choice: Choice | BoxChoice | None = None, address: str = ""
) -> ReportInput:
    """A run with all that its report tells of it.

    Raises
    ------
    InputError
        When the run is unknown, not done, or of a task without reports.
    """
    run = store.run(run_id)
    gather = GATHERED.get(run.task)
    if gather is None:
        raise InputError(f"There is no report of a run of the task {run.task!r}.")
    record = scene_of(store, run)
    content: ReportInput = gather(store, run, record, choice)
    return replace(
        content,
        scene=None if record is None else record.scene,
        origin="" if record is None else record.origin,
        name=run.name,
        note=run.note,
        tags=run.tags,
        address=address,
    )


def _mapping(store: Store, run: Run, record: SceneRecord | None, choice: Choice | None) -> MappingInput:
    from core.report import MappingInput
    from core.tasks.mapping.findings import default_choice
    from core.tasks.mapping.result import MAPPINGS
    from core.tasks.mapping.run_outlines import outlined_before

    result = store.mapping(run.id)
    dem = None if record is None else record.dem
    chosen = choice or default_choice(result, result.threshold)
    outlined = outlined_before(store, result, chosen, terrain=dem is not None) if run.kind in MAPPINGS else None
    return MappingInput(
        run.task, run.kind, result, datetime.now(UTC),
        explanations=tuple(store.mapping(one.id) for one in _explained(store, run)),
        dem=dem, choice=choice if outlined is None else chosen, outlined=outlined,
    )  # fmt: skip


def _detection(store: Store, run: Run, record: SceneRecord | None, choice: BoxChoice | None) -> DetectionInput:
    from core.report import DetectionInput

    del record
    return DetectionInput(
        run.task, run.kind, store.detection(run.id), datetime.now(UTC),
        explanations=tuple(store.detection(one.id) for one in _explained(store, run)), choice=choice,
    )  # fmt: skip


GATHERED: Mapping[str, Callable[[Store, Run, SceneRecord | None, Any], Any]] = {
    "mapping": _mapping,
    "detection": _detection,
}
"""By task, what its own part of a report's content is gathered by."""


def _explained(store: Store, run: Run) -> list[Run]:
    """Finished explanations of a run, the oldest first."""
    return [child for child in store.children(run.id, "explanation")[::-1] if child.status == "done"]


def scene_of(store: Store, run: Run) -> SceneRecord | None:
    """What the run looked at; None when it is no longer there, or another file has taken its place."""
    if not run.scene_id:
        return None
    try:
        record = store.scene_record(run.scene_id)
    except InputError:
        return None
    return record if record.scene.digest == run.scene_digest else None
