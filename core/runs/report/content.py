"""What a report is made from: a finished run and what belongs to it, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.mapping.findings import Choice
from core.mapping.outlines import Outlined
from core.mapping.result import MappingResult
from core.raster.scene import Scene


@dataclass(frozen=True)
class ReportInput:
    """A run as it is reported.

    Attributes
    ----------
    task, kind
        Which parts the report has, such as ``"mapping"`` and ``"mapping"``.
    result
        The finished run.
    made
        When the report was made; with a time zone, else taken as UTC.
    scene
        What the run looked at; None when it is no longer there, and pictures do without it.
    dem
        Elevation in metres, for slopes.
    choice
        Threshold and areas; the model's own when None.
    origin
        Where the scene came from, in words.
    explanations
        Runs of kind ``"explanation"`` whose parent is `result`, in the order to be shown.
    name, note, tags
        What users wrote on the run.
    address
        Where the run can be opened, empty when unknown.
    outlined
        Landslides at `choice` of a raster too large to outline at once; None when nobody has had them outlined.
    """

    task: str
    kind: str
    result: MappingResult
    made: datetime
    scene: Scene | None = None
    dem: Path | None = None
    choice: Choice | None = None
    origin: str = ""
    explanations: tuple[MappingResult, ...] = ()
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    address: str = ""
    outlined: Outlined | None = None
