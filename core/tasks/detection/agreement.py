"""Two detections of one place beside each other: which landslides both found, and which only one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import GridError
from core.tasks.detection.boxes import Boxes, areas
from core.tasks.detection.findings import MOSTLY_KNOWN, Detections, polygons, shares_of
from core.tasks.detection.metrics import match
from core.tasks.detection.result import SEARCHED

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid

SAME = 0.5
"""Intersection over union from which a box of each are of one landslide."""


@dataclass(frozen=True)
class Shared:
    """What two detections have in common.

    Attributes
    ----------
    first, second
        The detections at their choices.
    partner
        (boxes of the second,) index of the first's box of the same landslide, or -1.
    first_seen, second_seen
        (boxes of the first,) and (boxes of the second,): whether the other one searched most of the box's ground.
    """

    first: Detections
    second: Detections
    partner: NDArray[np.intp]
    first_seen: NDArray[np.bool_]
    second_seen: NDArray[np.bool_]

    @cached_property
    def in_first(self) -> NDArray[np.bool_]:
        """(boxes of the first,) whether the second found it as well."""
        found = np.zeros(self.first.count, np.bool_)
        found[self.partner[self.partner >= 0]] = True
        return found

    @property
    def both(self) -> GeoDataFrame:
        """Boxes of both, as the first drew them; columns as of its table."""
        return self.first.table[self.in_first]

    @property
    def only_first(self) -> GeoDataFrame:
        """Boxes of the first alone, where the second searched as well."""
        return self.first.table[~self.in_first & self.first_seen]

    @property
    def only_second(self) -> GeoDataFrame:
        """Boxes of the second alone, where the first searched as well; in the second's coordinate system."""
        return self.second.table[(self.partner < 0) & self.second_seen]

    @property
    def beyond(self) -> int:
        """Boxes of one where the other has no data or did not search: whether both would find them is unknown."""
        first, second = ~self.in_first & ~self.first_seen, (self.partner < 0) & ~self.second_seen
        return int(first.sum() + second.sum())


def shared(first: Detections, second: Detections, iou: float = SAME) -> Shared:
    """Tell which boxes of two detections are of the same landslide: one of each, the second's surest choosing first.

    Raises
    ------
    GridError
        When their scenes cannot lie over each other.
    """
    boxes = carried(second.boxes, second.result.grid, first.result.grid)
    # Of classes of their own, boxes of one place would not meet; what matters here is the place.
    alike = [Boxes.of(one.corners, one.scores) for one in (boxes, first.boxes)]
    partner = match(alike[:1], alike[1:], iou, limit=None).matched[0]
    there = carried(first.boxes, first.result.grid, second.result.grid)
    return Shared(first, second, partner, _searched(there, second), _searched(boxes, first))


def _searched(boxes: Boxes, by: Detections) -> NDArray[np.bool_]:
    """Which boxes, in pixels of a detection's grid, lie mostly where it searched."""
    grid, artifacts = by.result.grid, by.result.artifacts
    if SEARCHED in artifacts:
        return shares_of(by.result.artifact(SEARCHED), boxes, grid) >= MOSTLY_KNOWN
    low, high = np.zeros(2), np.array([grid.width, grid.height])
    inside = np.clip(boxes.corners[:, 2:], low, high) - np.clip(boxes.corners[:, :2], low, high)
    return np.asarray(inside.prod(axis=1) >= MOSTLY_KNOWN * areas(boxes.corners))


def carried(boxes: Boxes, grid: Grid, onto: Grid) -> Boxes:
    """Boxes in pixels of one grid in those of another: upright ones around them where it is turned.

    Raises
    ------
    GridError
        When one has a coordinate system and the other not, when sizes differ in pixel space, or without overlap.
    """
    if grid == onto or (grid.crs is None and onto.crs is None and grid.shape == onto.shape):
        return boxes
    if grid.crs is None or onto.crs is None:
        neither = grid.crs is None and onto.crs is None
        raise GridError(
            "The two images cannot be overlaid.",
            "Without a coordinate system, only images of the same size can be overlaid, pixel by pixel."
            if neither
            else "One has a coordinate system, the other does not.",
            "Choose runs of the same image.",
        )
    import shapely
    from geopandas import GeoSeries

    edge = GeoSeries([grid.outline()], crs=grid.crs.to_wkt()).to_crs(onto.crs.to_wkt()).iloc[0]
    if not edge.intersects(onto.outline()):
        raise GridError("The two images do not overlap.", remedy="Choose runs of the same area.")
    there = GeoSeries(polygons(boxes, grid), crs=grid.crs.to_wkt()).to_crs(onto.crs.to_wkt()).to_numpy()
    pixels = shapely.transform(there, lambda points: np.column_stack(~onto.transform @ points.T))
    return Boxes.of(shapely.bounds(pixels).reshape(-1, 4), boxes.scores, boxes.classes, boxes.cut)
