"""Charts of InSAR points: for the browser, and for print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.plots.colours import CATEGORIES, ramp
from core.plots.layout import NEUTRAL, plain_layout
from core.tasks.displacement.points_layers import RAMPS, ends
from core.tasks.displacement.points_result import RASTERS, VELOCITY, PointsResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

BINS = 60

Times = NDArray[np.datetime64]
Values = NDArray[np.float32]


def points_figure(times: Times, values: Values, rows: pd.DataFrame) -> go.Figure:
    """Series of some points, with the line of their velocity.

    Parameters
    ----------
    times, values
        ``(d,)`` and ``(n, d)`` mm; see `core.tasks.displacement.points_result.values_of`.
    rows
        The same points in the table of points.
    """
    figure = go.Figure()
    years = (times - times[0]) / np.timedelta64(1, "D") / 365.25
    for number, (pid, velocity) in enumerate(zip(rows["pid"], rows["velocity"], strict=True)):
        colour, series = CATEGORIES[number % len(CATEGORIES)], values[number].astype(float)
        figure.add_scatter(
            x=times, y=series, mode="markers", name=f"{pid} ({velocity:+.1f} mm/year)", legendgroup=pid,
            marker={"color": colour, "size": 4}, hovertemplate=f"%{{x|%Y-%m-%d}}: %{{y:.1f}} mm<extra>{pid}</extra>",
        )  # fmt: skip
        if np.isfinite(velocity):
            line = velocity * years
            line = line + np.nanmean(series - line)
            figure.add_scatter(x=times, y=line, mode="lines", legendgroup=pid, showlegend=False, hoverinfo="skip",
                               line={"color": colour, "width": 1.5})  # fmt: skip
    layout = plain_layout("", "Displacement (mm)")
    figure.update_layout({**layout, "height": 360})
    return figure


def histogram(table: pd.DataFrame, span: float) -> go.Figure:
    """How many points move how fast; those beyond the ends of the colours count at the ends."""
    known = table["velocity"].to_numpy(float)
    known = known[np.isfinite(known)].clip(-span, span)
    counts, edges = np.histogram(known, BINS, (-span, span))
    middle = (edges[1:] + edges[:-1]) / 2
    low, high = ends(VELOCITY, span)
    shares = np.rint((middle - low) / (high - low) * 255).astype(int)
    colours = [f"rgb({r}, {g}, {b})" for r, g, b in ramp(RAMPS[VELOCITY])[shares]]
    figure = go.Figure(go.Bar(
        x=middle, y=counts, marker={"color": colours, "line": {"width": 0.5, "color": NEUTRAL}},
        hovertemplate="%{x:.1f} mm/year: %{y:,} points<extra></extra>",
    ))  # fmt: skip
    figure.update_layout({**plain_layout("Velocity (mm/year)", "Points"), "height": 300, "bargap": 0})
    return figure


def draw_velocity(result: PointsResult, table: pd.DataFrame, shown: Sequence[int] = ()) -> Figure:
    """One large map of the velocities for print, with scale, north and coordinates; those that are shown are ringed."""
    from core.figures.page import finish_map, single_map

    figure, axes = single_map(result.grid)
    span = result.spans[VELOCITY]
    low, high = ends(VELOCITY, span)
    transform = ~result.grid.transform
    column, row = transform @ (table["x"].to_numpy(), table["y"].to_numpy())
    size = float(np.clip(60_000 / max(len(table), 1), 0.3, 14.0))
    order = np.argsort(np.abs(table["velocity"].to_numpy()), kind="stable")
    drawn = axes.scatter(
        column[order], row[order], c=table["velocity"].to_numpy()[order], cmap=RAMPS[VELOCITY], vmin=low, vmax=high,
        s=size, linewidths=0, rasterized=True,
    )  # fmt: skip
    if len(shown):
        axes.scatter(column[list(shown)], row[list(shown)], s=60, facecolors="none", edgecolors="black")
    axes.set(xlim=(0, result.grid.width), ylim=(result.grid.height, 0))
    figure.colorbar(drawn, ax=axes, orientation="horizontal", shrink=0.5, pad=0.08, label=RASTERS[VELOCITY],
                    extend="both")  # fmt: skip
    finish_map(figure, axes, result.grid, [])
    return figure


def draw_series(times: Times, values: Values, rows: pd.DataFrame) -> Figure:
    """Series of some points for print."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.0), dpi=150, layout="constrained", facecolor="white")
    axes = figure.subplots()
    for number, (pid, velocity) in enumerate(zip(rows["pid"], rows["velocity"], strict=True)):
        axes.plot(times, values[number], ".", color=CATEGORIES[number % len(CATEGORIES)], markersize=3,
                  label=f"{pid} ({velocity:+.1f} mm/year)")  # fmt: skip
    axes.set_ylabel("Displacement (mm)")
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
