"""What the tabs of a susceptibility map are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.susceptibility import results

if TYPE_CHECKING:
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.map_result import SusceptibilityMap


@dataclass(frozen=True)
class MapView(results.Shown):
    """What the tabs are given: the map, what of it is looked at, and the cell that was clicked."""

    result: SusceptibilityMap
    cell: tuple[int, int] | None = None
    classes: Classed | None = None
