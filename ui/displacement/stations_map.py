"""The stations of a slope where they stand, with arrows as long as they are fast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from ui.displacement.warning_tab import measured_of_run
from ui.messages import tr

if TYPE_CHECKING:
    from core.tasks.displacement.result import ForecastResult


def show(result: ForecastResult, station: str) -> None:
    """Show the stations whose places are known; nothing where none is.

    Parameters
    ----------
    station
        The one that is looked at; it is ringed.
    """
    if not result.places:
        return
    from core.tasks.displacement.station_motion import motions_of, station_figure

    motions = motions_of(result, measured_of_run(result.id, result))
    if not motions:
        return
    st.plotly_chart(
        station_figure(motions, station), key=f"stations-{result.id}-{station}",
        config={"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]},
    )  # fmt: skip
    moving = [one for one in motions if one.east is not None and one.north is not None]
    fastest = max((math.hypot(one.east or 0.0, one.north or 0.0) for one in moving), default=0.0)
    still = len(motions) - len(moving)
    arrows = tr(" Arrows: mean horizontal velocity over the whole series, the longest {fastest:,.0f} mm/year.").format(
        fastest=fastest
    )
    without = tr(" {still} without an arrow: north and east were not measured.").format(still=still) if still else ""
    st.caption(
        tr("Positions of the stations, north up.{arrows}{without} Colours: velocity class after "
        "Cruden and Varnes (1996).").format(arrows=arrows if moving else '', without=without)
    )
