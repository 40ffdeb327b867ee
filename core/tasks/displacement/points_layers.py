"""How InSAR points are painted."""

from __future__ import annotations

from collections.abc import Mapping

from core.plots.colours import UNCERTAINTY_RAMP
from core.plots.layers import DotLayer
from core.tasks.displacement.points_result import ACCELERATION, POINTS, SEASONALITY, VELOCITY

SIGNED_RAMP = "RdBu"
"""Of velocities and accelerations: red away from the satellite or down, blue towards it or up."""

RAMPS: Mapping[str, str] = {
    VELOCITY: SIGNED_RAMP, ACCELERATION: SIGNED_RAMP, SEASONALITY: UNCERTAINTY_RAMP,
}  # fmt: skip

LAYERS: Mapping[str, DotLayer] = {role: DotLayer((role,), POINTS, role, name) for role, name in RAMPS.items()}
"""Every layer that ``/tiles/run`` can paint of such a run, by the name in its address, which gives both ends."""


def ends(role: str, span: float) -> tuple[float, float]:
    """Values at which the colours of a raster end."""
    return (0.0, span) if role == SEASONALITY else (-span, span)
