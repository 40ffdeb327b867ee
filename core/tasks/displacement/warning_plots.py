"""Charts of early warning: velocity with levels, and inverse velocity with the failure time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from core.plots.colours import CATEGORIES, FALSE_POSITIVE, FOUND, OTHER_MODEL, REFERENCE
from core.plots.layout import NEUTRAL, plain_layout
from core.series.alert import NAMES
from core.series.rainfall import THRESHOLDS, exceeded

if TYPE_CHECKING:
    from core.series.rainfall import RainEvents
    from core.tasks.displacement.warning import EarlyWarning

LEVEL_COLOURS = (FALSE_POSITIVE, FOUND, OTHER_MODEL, "#7B4173", "#843C39")
"""Of the levels from the first one up. Green is not among them: no level says that a slope is safe."""


def velocity_figure(found: EarlyWarning) -> go.Figure:
    """Velocities up to each reading, with the levels, and when each was reached."""
    figure = go.Figure()
    figure.add_scatter(
        x=found.velocities.times, y=found.velocities.values, mode="lines", name="Velocity", connectgaps=False,
        line={"color": REFERENCE, "width": 1.5}, hovertemplate="%{x|%Y-%m-%d %H:%M}: %{y:.3~g} mm/day<extra></extra>",
    )  # fmt: skip
    ends = [found.times[0], found.times[-1]]
    for number, level in enumerate(found.levels):
        figure.add_scatter(
            x=ends, y=[level, level], mode="lines", name=f"{NAMES[number + 1].capitalize()}: {level:.3g}",
            line={"color": LEVEL_COLOURS[number], "width": 1.5, "dash": "dash"}, hoverinfo="skip",
        )  # fmt: skip
    raised = [one for one in found.log if one.level]
    if raised:
        figure.add_scatter(
            x=[one.time for one in raised], y=[one.velocity for one in raised], mode="markers", name="Level reached",
            marker={"size": 9, "symbol": "triangle-up", "color": [LEVEL_COLOURS[one.level - 1] for one in raised]},
            customdata=[NAMES[one.level] for one in raised],
            hovertemplate="%{x|%Y-%m-%d %H:%M}: %{customdata}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(plain_layout("", "Velocity (mm/day)"))
    return figure


def rain_figure(events: RainEvents, name: str) -> go.Figure:
    """Mean intensity over duration of each event of rain, and the published thresholds."""
    figure = go.Figure()
    caine = exceeded(events, THRESHOLDS["caine"])
    for title, chosen, colour in (("Below Caine", ~caine, NEUTRAL), ("At or above Caine", caine, FOUND)):
        if not chosen.any():
            continue
        figure.add_scatter(
            x=events.hours[chosen], y=events.intensities[chosen], mode="markers", name=title,
            marker={"color": colour, "size": 6}, customdata=[str(one)[:16] for one in events.begins[chosen]],
            hovertemplate="%{customdata}: %{x:.3~g} h, %{y:.3~g} mm/h<extra></extra>",
        )  # fmt: skip
    for number, one in enumerate(THRESHOLDS.values()):
        hours = np.geomspace(one.shortest, one.longest, 40)
        figure.add_scatter(
            x=hours, y=one.intensity(hours), mode="lines", name=one.name, hoverinfo="skip",
            line={"color": CATEGORIES[number], "width": 1.5, "dash": "dash"},
        )  # fmt: skip
    layout = plain_layout("Event duration (h)", f"Mean intensity of {name} (mm/h)")
    layout["xaxis"] |= {"type": "log"}
    layout["yaxis"] |= {"type": "log"}
    layout["height"] = 430
    figure.update_layout(layout)
    return figure


def inverse_figure(found: EarlyWarning) -> go.Figure:
    """Inverse velocities of stretches, the line through those since the onset, and the failure time with its interval."""  # noqa: E501
    failure = found.failure
    figure = go.Figure()
    above = failure.velocities.values > 0
    inverse = np.where(above, 1 / np.where(above, failure.velocities.values, 1.0), np.nan)
    used = failure.used
    for name, chosen, colour in (("Not used", ~used, NEUTRAL), ("Used", used, FOUND)):
        figure.add_scatter(
            x=failure.velocities.times[chosen], y=inverse[chosen], mode="markers", name=name,
            marker={"color": colour, "size": 6}, hovertemplate="%{x|%Y-%m-%d}: %{y:.3~g} day/mm<extra></extra>",
        )  # fmt: skip
    if failure.time is not None and failure.begin is not None:
        days = np.linspace(0, float((failure.time - failure.begin) / np.timedelta64(1, "s")) / 86_400, 60)
        power = np.maximum(failure.intercept + failure.slope * days, 0.0) ** (1 / (failure.alpha - 1))
        moments = failure.begin + np.round(days * 86_400).astype("timedelta64[s]")
        figure.add_scatter(x=moments, y=power, mode="lines", name="Line", line={"color": FOUND, "width": 2},
                           hoverinfo="skip")  # fmt: skip
        last = failure.latest if failure.latest is not None else moments[-1] + (moments[-1] - moments[0])
        figure.add_vrect(x0=str(failure.earliest), x1=str(last), fillcolor=FOUND, opacity=0.12, line_width=0)
        figure.add_vline(x=str(failure.time), line={"color": FOUND, "dash": "dot"})
    figure.add_vline(x=str(found.day), line={"color": NEUTRAL, "width": 1})
    figure.update_layout(plain_layout("", "Inverse velocity (day/mm)"))
    figure.update_yaxes(rangemode="tozero")
    return figure
