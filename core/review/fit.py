"""How units lie together once a review has changed their outlines: ground of several units, and of none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from core.review.geometry import ground_areas
from core.review.overlap import LEAST, doubled_area

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.review.state import Feature, Review


@dataclass(frozen=True)
class Fit:
    """Ground that units with other outlines share or leave, in m² on the WGS 84 ellipsoid.

    Attributes
    ----------
    overlap
        How much the areas of the units together exceed the ground that they cover.
    gap
        Ground that a unit of the layer covered and that none covers now. That of deleted units is left out.
    """

    overlap: float = 0.0
    gap: float = 0.0

    @property
    def words(self) -> tuple[str, ...]:
        """What applies of both, in a sentence each."""
        both = (
            (self.overlap, "Outlines overlap since they were changed: {area:,.0f} m² are part of more than one unit."),
            (self.gap, "{area:,.0f} m² that were part of a unit of the layer are part of none since outlines were "
                       "changed; deleted units are not counted."),
        )  # fmt: skip
        return tuple(text.format(area=area) for area, text in both if round(area))


def fit_of(found: Mapping[str, Feature], review: Review, grid: Grid) -> Fit:
    """How the units lie together after a review.

    Parameters
    ----------
    found
        The rows of the layer before any edit.
    grid
        In whose coordinates the outlines are.
    """
    units = [one for one in review.features.values() if one.is_polygon]
    now = {one.id: one for one in units}
    changed = [
        one.outline for name, one in found.items()
        if one.is_polygon and name not in review.deleted and (name not in now or now[name].origin != "model")
    ]  # fmt: skip
    if not changed and all(one.origin == "model" for one in units):
        return Fit()
    covering = [one.outline for one in (*units, *review.deleted.values()) if one.is_polygon]
    tree = shapely.STRtree(covering)
    left = []
    for before in changed:
        near = [covering[at] for at in tree.query(before, predicate="intersects")]
        rest = before.difference(shapely.union_all(near))
        if rest.area >= LEAST * before.area:
            left.append(rest)
    gap = float(ground_areas([shapely.union_all(left)], grid)[0]) if left else 0.0
    return Fit(doubled_area(units, grid), gap)
