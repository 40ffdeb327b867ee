"""What the tabs of the mapping page are given, and how they write an area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.state import Slot

if TYPE_CHECKING:
    from core.mapping.findings import Choice, Landslides
    from core.mapping.result import MappingResult
    from core.runs.store import SceneRecord


NEXT_TAB: Slot[str] = Slot("mapping-next-tab", "")
"""Title of the tab to be open when tabs are shown next, where another page part says so."""


@dataclass(frozen=True)
class View:
    """What every tab is given.

    Attributes
    ----------
    record, result
        The scene and its run.
    findings
        Polygons and areas at the sliders' values; None for a large raster that was not outlined at them yet.
    selected
        Id of the chosen polygon.
    clicked
        (row, column) of the last click on the result's grid, or None.
    """

    record: SceneRecord
    result: MappingResult
    choice: Choice
    findings: Landslides | None
    selected: int | None
    clicked: tuple[int, int] | None

    @property
    def unit(self) -> str:
        """Unit of areas."""
        return "m²" if self.result.grid.is_georeferenced else "px"


def area_text(value: float, georeferenced: bool) -> str:
    """An area as reports write it too."""
    from core.runs.report.words import area

    return area(value, georeferenced=georeferenced)
