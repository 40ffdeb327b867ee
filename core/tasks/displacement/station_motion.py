"""Stations on a map: where each moves, how fast, and its class of velocity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from core.plots.colours import ramp_colours
from core.plots.layout import GRID, NEUTRAL
from core.series.kinematics import CLASSES, class_of
from core.series.monitoring import Times, Values

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.displacement.result import ForecastResult

YEAR = 365.25
METRES = 111_195.0
"""Of a degree of latitude, on a sphere of 6,371 km."""

LONGEST = 0.25
"""Length of the longest arrow, as a part of the greatest distance between stations to the east or north."""

LEAST_SIDE = 100.0
"""Metres of a map of stations that lie closer together."""


@dataclass(frozen=True)
class StationMotion:
    """How a station moved, as a mean over its whole series.

    Attributes
    ----------
    name
        Its name.
    place
        Longitude and latitude, degrees.
    velocity
        mm a year, of the displacement that is forecast.
    east, north
        Its components, mm a year; None where they were not measured.
    """

    name: str
    place: tuple[float, float]
    velocity: float
    east: float | None = None
    north: float | None = None

    @property
    def group(self) -> str:
        """Class of its velocity (Cruden and Varnes 1996)."""
        return class_of(self.velocity / YEAR)


def motions_of(result: ForecastResult, measured: pd.DataFrame) -> tuple[StationMotion, ...]:
    """The stations of a run whose places are known, with their mean velocities.

    Parameters
    ----------
    measured
        As `core.tasks.displacement.result.MEASURED` holds it.

    Returns
    -------
    tuple
        Velocities are slopes of a least-squares line through all readings.
    """
    found: list[StationMotion] = []
    for name, place in (result.places or {}).items():
        ours = measured[measured["station"] == name]
        times = ours["time"].to_numpy("datetime64[ns]")
        slopes = {key: _slope(times, ours[key].to_numpy(np.float64)) if key in ours else None
                  for key in ("displacement", "east", "north")}  # fmt: skip
        velocity = slopes["displacement"]
        if velocity is None:
            continue
        plane = slopes["east"] is not None and slopes["north"] is not None
        found.append(StationMotion(name, place, velocity, *((slopes["east"], slopes["north"]) if plane else ())))
    return tuple(found)


def _slope(times: Times, values: Values) -> float | None:
    """Slope of a line, mm a year; None where fewer than two readings are known."""
    known = np.isfinite(values)
    if int(known.sum()) < 2:
        return None
    years = (times[known] - times[known][0]) / np.timedelta64(1, "D") / YEAR
    return float(np.polyfit(years, values[known], 1)[0])


def station_figure(motions: Sequence[StationMotion], chosen: str = "") -> go.Figure:
    """Stations in metres from their middle, north up, with an arrow as long as each is fast.

    Arrows share a scale; see `LONGEST`. A station whose components were not measured has no arrow.

    Parameters
    ----------
    motions
        One or more.
    chosen
        Name of the station that is ringed.
    """
    x, y = _metres(motions)
    side = max(float(np.ptp(x)), float(np.ptp(y)), LEAST_SIDE)
    speeds = [np.hypot(one.east, one.north) for one in motions if one.east is not None and one.north is not None]
    scale = LONGEST * side / max([*speeds, 1e-9])
    figure = go.Figure()
    names = [name for name, _ in CLASSES]
    colours = dict(zip(names, ramp_colours(np.linspace(0.95, 0.05, len(names)), "viridis"), strict=True))
    for group in names:
        at = [number for number, one in enumerate(motions) if one.group == group]
        if at:
            figure.add_scatter(
                x=x[at], y=y[at], mode="markers+text", name=group, text=[motions[one].name for one in at],
                textposition=[f"{'top' if (motions[one].north or 0.0) < 0 else 'bottom'} center" for one in at],
                hovertext=[_words(motions[one]) for one in at],
                hovertemplate="%{hovertext}<extra></extra>",
                marker={"size": 8, "color": colours[group],
                        "line": {"width": [3 if motions[one].name == chosen else 1 for one in at], "color": NEUTRAL}},
            )  # fmt: skip
    for number, one in enumerate(motions):
        if one.east is not None and one.north is not None:
            figure.add_annotation(
                ax=x[number], ay=y[number], x=x[number] + scale * one.east, y=y[number] + scale * one.north,
                xref="x", yref="y", axref="x", ayref="y", text="", showarrow=True, arrowhead=2, arrowsize=1.2,
                arrowwidth=2.5, arrowcolor=colours[one.group],
            )  # fmt: skip
    axis = {"gridcolor": GRID, "zeroline": False, "tickformat": ",.0f"}
    pad = (0.5 + 1.3 * LONGEST) * side
    figure.update_xaxes(title="East (m)", range=[-pad, pad], **axis)
    figure.update_yaxes(title="North (m)", range=[-pad, pad], scaleanchor="x", scaleratio=1, **axis)
    figure.update_layout(
        height=460, margin={"l": 10, "r": 10, "t": 10, "b": 10}, showlegend=True,
        legend={"title": {"text": "Velocity class"}},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def _metres(motions: Sequence[StationMotion]) -> tuple[Values, Values]:
    """``(n,)`` metres east and north of the middle of the stations; within 1 % over a slope."""
    places = np.array([one.place for one in motions])
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    east = (places[:, 0] - middle[0]) * METRES * np.cos(np.radians(middle[1]))
    return east, (places[:, 1] - middle[1]) * METRES


def _words(one: StationMotion) -> str:
    from html import escape

    said = f"<b>{escape(one.name)}</b><br>{one.velocity:,.1f} mm/year, {one.group}"
    if one.east is not None and one.north is not None:
        said += f"<br>east {one.east:,.1f}, north {one.north:,.1f} mm/year"
    return said
