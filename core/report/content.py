"""What a report is made from: a finished run and what belongs to it, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rasterio.windows import Window

from core.raster.area import area_of, window_of
from core.report.words import one_line

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.scene import Scene
    from core.tasks.detection.findings import Choice as BoxChoice
    from core.tasks.detection.result import DetectionResult
    from core.tasks.mapping.findings import Choice
    from core.tasks.mapping.outlines import Outlined
    from core.tasks.mapping.result import MappingResult


class Reported(Protocol):
    """What the result of every task has."""

    @property
    def id(self) -> str:
        """32 hexadecimal digits."""

    @property
    def scene(self) -> str:
        """Name of what was looked at."""

    @property
    def scene_digest(self) -> str:
        """Digest of its content."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def grid(self) -> Grid:
        """The scene's grid, or that of its drawn part."""

    @property
    def has_truth(self) -> bool:
        """Whether there is a reference to count against."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where all of it came from."""

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the runs it stands on."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user must see."""

    def artifact(self, role: str) -> Path:
        """Path of a file of the run."""


@dataclass(frozen=True)
class ReportInput:
    """A run as it is reported, whatever its task.

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
    origin
        Where the scene came from, in words.
    explanations
        Runs of kind ``"explanation"`` whose parent is `result`, in the order to be shown.
    name, note, tags
        What users wrote on the run.
    address
        Where the run can be opened, empty when unknown.
    """

    task: str
    kind: str
    result: Reported
    made: datetime
    scene: Scene | None = None
    origin: str = ""
    explanations: tuple[Reported, ...] = ()
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    address: str = ""

    @property
    def looked_at(self) -> Grid:
        """Grid of the part of the image that the run looked at."""
        return self.result.grid

    @property
    def scene_name(self) -> str:
        """Name of the image, on one line."""
        known = self.result.scene or (self.scene.name if self.scene else "")
        return one_line(known) or "an image without a name"


@dataclass(frozen=True)
class MappingInput(ReportInput):
    """A mapping, or what stands on one, as it is reported.

    Attributes
    ----------
    dem
        Elevation in metres, for slopes.
    choice
        Threshold and areas; the model's own when None.
    outlined
        Landslides at `choice` of a raster too large to outline at once; None when nobody has had them outlined.
    """

    result: MappingResult
    dem: Path | None = None
    choice: Choice | None = None
    outlined: Outlined | None = None


@dataclass(frozen=True)
class DetectionInput(ReportInput):
    """A detection as it is reported.

    Attributes
    ----------
    choice
        Confidence and how boxes are merged; the model's own when None.
    """

    result: DetectionResult
    choice: BoxChoice | None = None

    @property
    def searched(self) -> Window:
        """The rectangle around what was searched, in pixels of the run's grid: all of it, or around a drawn part."""
        grid, drawn = self.result.grid, (self.result.provenance.get("parameters") or {}).get("area")
        return window_of(area_of(grid, drawn).region) if drawn else Window(0, 0, grid.width, grid.height)

    @property
    def looked_at(self) -> Grid:
        """Grid of that rectangle."""
        return self.result.grid.window(self.searched)
