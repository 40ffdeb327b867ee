"""How InSAR points are painted."""

from __future__ import annotations

from collections.abc import Mapping

from core.plots.colours import UNCERTAINTY_RAMP, VELOCITY_RAMP
from core.plots.layers import DotLayer, TileLayer, scaled
from core.tasks.displacement.points_result import (
    ACCELERATION,
    EAST,
    POINTS,
    SEASONALITY,
    SLOPE_VELOCITY,
    UP,
    VELOCITY,
)

SIGNED_RAMP = VELOCITY_RAMP
"""Of velocities and accelerations: red away from the satellite or down, blue towards it or up."""

SLOPE_RAMP = "RdBu_r"
"""Of velocities along the slope, positive downslope: red downslope, blue upslope, which no slope moves."""

RAMPS: Mapping[str, str] = {
    VELOCITY: SIGNED_RAMP, ACCELERATION: SIGNED_RAMP, SEASONALITY: UNCERTAINTY_RAMP, SLOPE_VELOCITY: SLOPE_RAMP,
    EAST: SIGNED_RAMP, UP: SIGNED_RAMP,
}  # fmt: skip

LAYERS: Mapping[str, DotLayer | TileLayer] = {
    **{role: DotLayer((VELOCITY,), POINTS, role, name) for role, name in RAMPS.items() if role not in (EAST, UP)},
    **{role: TileLayer((role,), scaled(RAMPS[role])) for role in (EAST, UP)},
}
"""Every layer that ``/tiles/run`` can paint of such a run, by the name in its address, which gives both ends."""


def ends(role: str, span: float) -> tuple[float, float]:
    """Values at which the colours of a raster end."""
    return (0.0, span) if role == SEASONALITY else (-span, span)
