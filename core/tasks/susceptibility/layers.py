"""How the rasters of a map of susceptibility are painted."""

from __future__ import annotations

from collections.abc import Mapping

from core.plots.colours import CATEGORIES, FACTOR_RAMP, PROBABILITY_RAMP, SUSCEPTIBILITY, UNCERTAINTY_RAMP
from core.plots.layers import TileLayer, around_zero, classed, diverging, hatched, numbered, scaled, with_ramp
from core.tasks.susceptibility.index_map import APPLICABILITY, DIFFERENCE, MOST_MAPPED, UNCERTAINTY, index_role
from core.tasks.susceptibility.map_result import FACTORS

DOMINANT, EFFECTS = "dominant", "effects"
"""Roles of the rasters of an explanation, and names of their layers: the number of the factor that contributes most in
each cell, and the contribution of each factor, a band each."""

FACTOR, FACTOR_CLASSES = "factor", "factor_classes"
"""Layers of a factor: its values, or its classes; the address names its band."""


def classes_layer(number: int) -> str:
    """Layer of the classes of the model of that number among those that are mapped, from 0."""
    return f"classes_{number + 1}"


LAYERS: Mapping[str, TileLayer] = {
    **{
        index_role(number): TileLayer((index_role(number),), with_ramp(PROBABILITY_RAMP), "bilinear")
        for number in range(MOST_MAPPED)
    },
    **{
        classes_layer(number): TileLayer((index_role(number),), classed(SUSCEPTIBILITY))
        for number in range(MOST_MAPPED)
    },
    UNCERTAINTY: TileLayer((UNCERTAINTY,), with_ramp(UNCERTAINTY_RAMP), "bilinear"),
    DIFFERENCE: TileLayer((DIFFERENCE,), diverging, "bilinear"),
    APPLICABILITY: TileLayer((APPLICABILITY,), hatched),
    FACTOR: TileLayer((FACTORS,), scaled(FACTOR_RAMP)),
    DOMINANT: TileLayer((DOMINANT,), numbered(CATEGORIES)),
    EFFECTS: TileLayer((EFFECTS,), around_zero),
    FACTOR_CLASSES: TileLayer((FACTORS,), numbered(CATEGORIES)),
}
"""Every layer that ``/tiles/run`` can paint of such a run, by the name in its address."""
