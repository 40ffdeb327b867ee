"""What every task's tabs are given at least, the view that an address names, and how areas are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import streamlit as st

from ui import resources
from ui.messages import tr

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.runs.records import Run
    from core.runs.result import RunResult
    from core.runs.store import SceneRecord
    from core.tasks.imagery.result import ImageResult


class View(Protocol):
    """What the shared tabs need to know."""

    @property
    def record(self) -> SceneRecord:
        """The scene."""

    @property
    def result(self) -> ImageResult:
        """Its run."""


def area_text(value: float, georeferenced: bool) -> str:
    """An area as reports write it too."""
    from core.report.words import area

    return area(value, georeferenced=georeferenced)


def single_area_text(value: float, georeferenced: bool) -> str:
    """The area of one landslide or box; sums, which no table lists, are written by `area_text`."""
    from core.wording import single_area

    return single_area(value, georeferenced=georeferenced)


def unit(grid: Grid) -> str:
    """Unit of areas on a grid."""
    return "m²" if grid.in_metres else "px"


def whole_of(result: RunResult) -> str:
    """What shares of a run are shares of: the scene, or the part of it that was drawn."""
    drawn = (result.provenance.get("parameters") or {}).get("area")
    return tr("the drawn area") if drawn else tr("the image")


def view_from_address(run: Run) -> Any:  # noqa: ANN401  the view of the run's task
    """The post-processing that the page's address names, else what the run's page begins with; None without any.

    Raises
    ------
    InputError
        When a value is no number, out of range or unknown.
    """
    from core.report.addresses import view_of_query

    return view_of_query(run, resources.store().result(run.id), st.query_params)
