"""Runs that stand on a mapping or a detection: an explanation, a difference, outlines. What they have from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from core.raster.grid import Grid
from core.runs.provenance import environment, now
from core.tasks.detection.result import DETECTIONS, DetectionResult
from core.tasks.detection.result import Kind as DetectionKind
from core.tasks.mapping.result import MAPPINGS, Kind, MappingResult


def check_mapping(result: MappingResult) -> None:
    """Refuse what holds no probability of landslide.

    Raises
    ------
    InputError
        When the run is no mapping.
    """
    if result.kind not in MAPPINGS:
        raise InputError(
            f"The run {result.id[:8]} is no mapping but of kind {result.kind}.", remedy="Choose a mapping."
        )


def check_detection(result: DetectionResult) -> None:
    """Refuse what holds no boxes.

    Raises
    ------
    InputError
        When the run is no detection.
    """
    if result.kind not in DETECTIONS:
        raise InputError(
            f"The run {result.id[:8]} is no detection but of kind {result.kind}.", remedy="Choose a detection."
        )


def standing_on(
    parent: MappingResult,
    kind: Kind,
    identity: str,
    folder: Path,
    artifacts: Mapping[str, str],
    told: Mapping[str, Any],
    *,
    grid: Grid | None = None,
    parents: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> MappingResult:
    """The result of a run of some kind that stands on a mapping.

    Parameters
    ----------
    parent
        The mapping, whose scene and model it is about.
    identity, folder, artifacts
        Its id, and its files by role in the folder it was written into.
    told
        What its provenance says beside scene, model, versions, machine and time.
    grid, parents
        Where they are not the mapping's own grid and the mapping alone.
    """
    return MappingResult(
        id=identity,
        folder=folder,
        scene=parent.scene,
        scene_digest=parent.scene_digest,
        scene_id=parent.scene_id,
        model=parent.model,
        grid=grid or parent.grid,
        counts=np.zeros((2, 255), dtype=np.int64),
        artifacts=artifacts,
        provenance=_told(parent, told),
        notes=notes,
        kind=kind,
        parents=parents or (parent.id,),
    )


def standing_on_boxes(
    parent: DetectionResult,
    kind: DetectionKind,
    identity: str,
    folder: Path,
    artifacts: Mapping[str, str],
    told: Mapping[str, Any],
    *,
    grid: Grid | None = None,
    parents: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    numbers: Mapping[str, float] | None = None,
    model: str = "",
) -> DetectionResult:
    """The result of a run of some kind that stands on a detection.

    Parameters
    ----------
    parent
        The detection, whose scene it is about.
    identity, folder, artifacts, told
        As for `standing_on`; a ``"model"`` that is told is taken for the detection's own.
    grid, parents, model
        Where they are not the detection's own grid, the detection alone and its own model.
    numbers
        Numbers by which runs are compared.
    """
    return DetectionResult(
        id=identity,
        folder=folder,
        scene=parent.scene,
        scene_digest=parent.scene_digest,
        scene_id=parent.scene_id,
        model=model or parent.model,
        grid=grid or parent.grid,
        artifacts=artifacts,
        classes=parent.classes,
        numbers=numbers or {},
        provenance=_told(parent, told),
        notes=notes,
        kind=kind,
        parents=parents or (parent.id,),
    )


def _told(parent: MappingResult | DetectionResult, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a run says of itself, and what it has from the one that it stands on."""
    known = {name: dict(parent.provenance[name]) for name in ("scene", "model") if name in parent.provenance}
    return {"finished": now(), **known, **told, **environment()}
