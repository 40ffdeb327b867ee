"""Reports of runs on images: the content that all tasks share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.report.make import explanations_of
from core.report.origin import sources_of
from core.report.reviewed import review_of
from core.tasks.imagery.inputs import known_scene
from core.tasks.imagery.result import ImageResult

if TYPE_CHECKING:
    from core.runs.records import Run, SceneRecord
    from core.runs.store import Store


def shared_content(store: Store, run: Run) -> tuple[SceneRecord | None, dict[str, Any]]:
    """The scene of a run, if it is still there, and what `core.report.content.ReportInput` holds for every task."""
    record = known_scene(store, run)
    return record, {
        "task": run.task,
        "kind": run.kind,
        "made": datetime.now(UTC),
        "scene": None if record is None else record.scene,
        "origin": "" if record is None else record.origin,
        "review": review_of(store, run),
        "licences": dict(sources_of(store, run.inputs)),
        "explanations": tuple(store.result(one.id, ImageResult) for one in explanations_of(store, run)),
    }
