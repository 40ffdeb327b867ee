"""What every task's tabs are given at least, and how an area is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from core.raster.grid import Grid
    from core.runs.store import SceneRecord


class Result(Protocol):
    """What the results of all tasks have."""

    @property
    def id(self) -> str:
        """Id of the run."""

    @property
    def scene_digest(self) -> str:
        """Digest of the scene's content."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def grid(self) -> Grid:
        """Grid of what was computed: the scene's own, or its drawn part."""

    @property
    def has_truth(self) -> bool:
        """Whether it was counted against a reference."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where it came from."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user must see."""

    def artifact(self, role: str) -> Path:
        """A file of the run."""


class View(Protocol):
    """What the shared tabs need to know."""

    @property
    def record(self) -> SceneRecord:
        """The scene."""

    @property
    def result(self) -> Result:
        """Its run."""


def area_text(value: float, georeferenced: bool) -> str:
    """An area as reports write it too."""
    from core.report.words import area

    return area(value, georeferenced=georeferenced)


def unit(grid: Grid) -> str:
    """Unit of areas on a grid."""
    return "m²" if grid.is_georeferenced else "px"
