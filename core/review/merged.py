"""What the model says of outlines that were merged, from what it says of the parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.state import Feature

SUMMED = ("area_m2", "area_px")
"""Values of parts that add up."""

MEANS = ("mean_probability",)
"""Means over the pixels of each part."""

OVERLAP = 1e-6
"""Share by which areas of parts may differ from that of what they were merged into."""


def merged_values(parts: Sequence[Feature], outline: BaseGeometry) -> dict[str, Any]:
    """Values of a merged outline that follow exactly from those of its parts.

    Areas are summed; means over pixels are weighted by the number of pixels (``area_px``). What does not follow, such
    as relief, is left out.

    Parameters
    ----------
    parts
        Features that were merged.
    outline
        Their union.

    Returns
    -------
    Values by name, as `Feature.values`; empty where a part has another outline than the model's, or parts overlap.
    """
    if not all(part.values for part in parts):
        return {}
    whole = sum(part.outline.area for part in parts)
    if abs(whole - outline.area) > OVERLAP * whole:
        return {}
    summed = {name: sum(part.values[name] for part in parts) for name in SUMMED if _all_have(parts, name)}
    if not summed.get("area_px"):
        return summed
    return summed | {
        name: sum(part.values[name] * part.values["area_px"] for part in parts) / summed["area_px"]
        for name in MEANS
        if _all_have(parts, name)
    }


def _all_have(parts: Sequence[Feature], name: str) -> bool:
    return all(part.values.get(name) is not None for part in parts)
