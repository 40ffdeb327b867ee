"""What the tabs of the detection page are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.messages import tr_noop
from ui.task.view import unit

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.runs.store import SceneRecord
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.view import Choice
    from ui.task.reviewing import Reviewing
    from ui.task.selection import Name


@dataclass(frozen=True)
class View:
    """What every tab is given.

    Attributes
    ----------
    record, result
        The scene and its run.
    choice, cell
        What the sliders say; side of the cells in which boxes are counted, in metres, or pixels without a coordinate
        system.
    findings
        Boxes at the sliders' values.
    selected
        Name of the chosen box; None without one, or where the sliders leave it out.
    clicked
        (row, column) of the last click on the scene's grid, or None.
    reviewing
        The review, while its tab is open.
    """

    record: SceneRecord
    result: DetectionResult
    choice: Choice
    cell: float
    findings: Detections
    selected: Name | None
    clicked: tuple[int, int] | None
    reviewing: Reviewing | None = None

    @property
    def unit(self) -> str:
        """Unit of areas."""
        return unit(self.result.grid)

    @property
    def density_title(self) -> str:
        """What the density layer counts."""
        return density_title(self.result)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom of the chosen box in pixels of the scene's grid; None without one."""
        place = (self.findings.names == self.selected).nonzero()[0]
        if not len(place):
            return None
        left, top, right, bottom = self.findings.boxes.corners[place[0]].tolist()
        return left, top, right, bottom


def density_title(result: DetectionResult) -> str:
    """What a density layer counts, with its unit."""
    return tr_noop("Detections per km²") if result.grid.in_metres else tr_noop("Detections per megapixel")


@st.cache_resource(max_entries=16, show_spinner="Merging boxes")
def found(run: str, choice: Choice, _result: DetectionResult) -> Detections:
    """Boxes of a run at a choice.

    Raises
    ------
    LandslideError
        When a file of the run is gone.
    """
    del run  # part of the key
    from core.tasks.detection.findings import find

    return find(_result, choice)


@st.cache_resource(max_entries=8, show_spinner=False)
def counted(run: str, choice: Choice, cell: float, _found: Detections) -> GeoDataFrame:
    """Counts of boxes in the cells of a grid, see `core.tasks.detection.findings.density`."""
    del run, choice  # parts of the key
    from core.tasks.detection.findings import density

    return density(_found, cell)
