"""What the tabs of the mapping page are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.task.view import unit

if TYPE_CHECKING:
    from core.runs.store import SceneRecord
    from core.tasks.mapping.findings import Landslides
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.view import Choice
    from ui.task.reviewing import Reviewing
    from ui.task.selection import Name


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
        Name of the chosen polygon; None without one, or where the sliders leave it out.
    clicked
        (row, column) of the last click on the result's grid, or None.
    reviewing
        The review, while its tab is open.
    """

    record: SceneRecord
    result: MappingResult
    choice: Choice
    findings: Landslides | None
    selected: Name | None
    clicked: tuple[int, int] | None
    reviewing: Reviewing | None = None

    @property
    def unit(self) -> str:
        """Unit of areas."""
        return unit(self.result.grid)
