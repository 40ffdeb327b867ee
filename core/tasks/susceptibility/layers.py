"""How the rasters of a map of susceptibility are painted."""

from __future__ import annotations

from collections.abc import Mapping

from core.plots.colours import PROBABILITY_RAMP, UNCERTAINTY_RAMP
from core.plots.layers import TileLayer, diverging, with_ramp
from core.tasks.susceptibility.index_map import DIFFERENCE, MOST_MAPPED, UNCERTAINTY, index_role

LAYERS: Mapping[str, TileLayer] = {
    **{
        index_role(number): TileLayer((index_role(number),), with_ramp(PROBABILITY_RAMP), "bilinear")
        for number in range(MOST_MAPPED)
    },
    UNCERTAINTY: TileLayer((UNCERTAINTY,), with_ramp(UNCERTAINTY_RAMP), "bilinear"),
    DIFFERENCE: TileLayer((DIFFERENCE,), diverging, "bilinear"),
}
"""Every layer that ``/tiles/run`` can paint of such a run, by the name in its address."""
