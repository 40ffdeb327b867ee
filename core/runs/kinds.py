"""What kinds of runs there are: those that hold what a model found in a scene, and those that stand on such a one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.tasks.detection.result import DETECTIONS
from core.tasks.mapping.result import MAPPINGS

if TYPE_CHECKING:
    from core.runs.records import Run

FINDINGS: Mapping[str, tuple[str, ...]] = {"mapping": MAPPINGS, "detection": DETECTIONS}
"""By task, the kinds of runs that hold what a model found in a scene: to be opened, read, compared, exported."""


def holds_findings(run: Run) -> bool:
    """Whether a run holds what a model found in a scene, and not what was asked about it, counted or trained."""
    return run.kind in FINDINGS.get(run.task, ())
