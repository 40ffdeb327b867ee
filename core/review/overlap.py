"""Ground that several outlines of a review cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from core.review.geometry import ground_areas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.review.state import Feature

LEAST = 1e-3
"""Share of the smaller of two outlines below which they touch rather than overlap."""


@dataclass(frozen=True)
class Overlap:
    """A feature that an outline covers in part.

    Attributes
    ----------
    name
        Id of the feature.
    share
        Share of the outline's area that lies in the feature, above 0 and at most 1.
    covered
        Share of the feature's area that the outline covers, likewise.
    """

    name: str
    share: float
    covered: float


def overlaps(features: Sequence[Feature], outline: BaseGeometry, *, false_alarms: bool = False) -> list[Overlap]:
    """The features that an outline overlaps, the largest share of the outline first.

    False alarms are left out: a landslide may well lie where something else was taken for one. A unit whose label is
    wrong is still there.

    Parameters
    ----------
    features
        Those that are looked at, without the one that the outline is of.
    outline
        In the coordinates of the features.
    false_alarms
        Whether the false alarms among them are wanted, and nothing else.
    """
    others = [one for one in features if (one.status == "rejected" and one.label is None) == false_alarms]
    if not others:
        return []
    near = shapely.STRtree([one.outline for one in others]).query(outline, predicate="intersects")
    found = [(others[at], _common(others[at].outline, outline)) for at in near]
    told = [
        Overlap(one.id, min(1.0, area / outline.area), min(1.0, area / one.outline.area)) for one, area in found if area
    ]
    return sorted(told, key=lambda one: (-one.share, one.name))


def doubled_area(features: Sequence[Feature], grid: Grid) -> float:
    """Ground that features cover more than once, as by as much as the sum of their areas exceeds the area together.

    The model's own outlines do not overlap one another, so only those that reviewers drew or changed are looked at.

    Returns
    -------
    m² on the WGS 84 ellipsoid, or as `core.review.geometry.ground_areas` without a coordinate system.
    """
    changed = [at for at, one in enumerate(features) if one.origin != "model"]
    if not changed:
        return 0.0
    outlines = [one.outline for one in features]
    ours, others = shapely.STRtree(outlines).query([outlines[at] for at in changed], predicate="intersects")
    pairs = ((changed[mine], int(other)) for mine, other in zip(ours, others, strict=True))
    over = {at for one, other in pairs if one != other and _common(outlines[one], outlines[other])
            for at in (one, other)}  # fmt: skip
    if not over:
        return 0.0
    involved = [outlines[at] for at in sorted(over)]
    together = ground_areas([shapely.union_all(involved)], grid)
    return float(np.sum(ground_areas(involved, grid)) - together[0])


def _common(one: BaseGeometry, other: BaseGeometry) -> float:
    """Area that two outlines share; 0 where they only touch."""
    area = float(one.intersection(other).area)
    return area if area >= LEAST * min(one.area, other.area) else 0.0
