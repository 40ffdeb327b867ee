"""Charts of a monitored slope and of its forecasts for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.figures.charts import legend_below
from core.plots.colours import CATEGORIES, FOUND, MISSED, NOT_KNOWN, REFERENCE
from core.series.alert import NAMES as LEVELS
from core.tasks.displacement.forecasters import title_of
from core.tasks.displacement.plots import GROUP_COLOURS, TITLES
from core.tasks.displacement.warning_plots import LEVEL_COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from core.tasks.displacement.warning import EarlyWarning

MOST_STATIONS = 12
"""Stations of a chart; of more, the first."""

DOTS = 150
"""Dots per inch."""


def draw_series(series: pd.DataFrame, drivers: Mapping[str, str], stations: Sequence[str]) -> Figure:
    """Cumulative displacement over what may drive it, gaps dotted.

    Parameters
    ----------
    series
        As `core.tasks.displacement.result.SERIES` holds it.
    drivers
        What each driver is, by name.
    """
    from matplotlib.figure import Figure

    below = [name for name in drivers if name in series and series[name].notna().any()]
    figure = Figure(figsize=(7.2, 3.2 + 1.1 * len(below)), dpi=DOTS, layout="constrained", facecolor="white")
    grid = figure.subplots(1 + len(below), 1, sharex=True, squeeze=False, height_ratios=[3, *(1 for _ in below)])
    top: Axes = grid[0, 0]
    for number, name in enumerate(list(stations)[:MOST_STATIONS]):
        ours = series[series["station"] == name]
        colour = CATEGORIES[number % len(CATEGORIES)]
        values, filled = ours["displacement"].to_numpy(float), ours["filled"].to_numpy(bool)
        top.plot(ours["time"], values, color=colour, linewidth=0.7, linestyle=":")
        top.plot(ours["time"], np.where(filled, np.nan, values), color=colour, linewidth=1.4, label=name)
    _plain(top, "Displacement (mm)")
    top.legend(fontsize=7, frameon=False, ncols=4, loc="upper left")
    drawn = series.drop_duplicates("time").sort_values("time")
    for row, name in enumerate(below, start=1):
        axes: Axes = grid[row, 0]
        quantity = drivers[name]
        if quantity == "rain":
            axes.fill_between(drawn["time"], 0, drawn[name].fillna(0), step="post", color=MISSED, linewidth=0)
        else:
            axes.plot(drawn["time"], drawn[name], color=REFERENCE, linewidth=1)
        _plain(axes, TITLES.get(quantity) or name)
    return figure


def draw_forecast(forecasts: pd.DataFrame, series: pd.DataFrame, station: str, model: str, simple: str) -> Figure:
    """Forecasts of the test part at their targets over what was measured, with their intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6), dpi=DOTS, layout="constrained", facecolor="white")
    axes = figure.subplots()
    own = series[series["station"] == station]
    level = dict(zip(own["time"], own["displacement"], strict=True))
    ours = forecasts[(forecasts["station"] == station) & (forecasts["model"] == model)].sort_values("target")
    begin = ours["origin"].map(level).to_numpy(float)
    axes.fill_between(ours["target"], begin + ours["low"], begin + ours["high"], color=FOUND, alpha=0.2, linewidth=0,
                      label="90 % interval")  # fmt: skip
    measured = np.where(own["filled"], np.nan, own["displacement"])
    shown = (own["time"] >= ours["target"].min()).to_numpy()
    axes.plot(own["time"][shown], measured[shown], ".-", color=NOT_KNOWN, markersize=2.5, linewidth=0.6,
              label="Measured")  # fmt: skip
    if simple != model:
        other = forecasts[(forecasts["station"] == station) & (forecasts["model"] == simple)].sort_values("target")
        axes.plot(other["target"], other["origin"].map(level).to_numpy(float) + other["forecast"], ":", color=REFERENCE,
                  linewidth=1, label=title_of(simple))  # fmt: skip
    axes.plot(ours["target"], begin + ours["forecast"], color=FOUND, linewidth=1.4, label=title_of(model))
    _plain(axes, "Displacement (mm)")
    legend_below(axes, 4)
    return figure


def draw_contributions(table: pd.DataFrame, groups: Sequence[str]) -> Figure:
    """Contributions of groups to forecasts over time, stacked about the mean forecast of the past, with what came.

    Parameters
    ----------
    table
        As `core.tasks.displacement.run_explanation.CONTRIBUTIONS` holds it.
    groups
        Names of the groups, the most important first.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.4), dpi=DOTS, layout="constrained", facecolor="white")
    axes = figure.subplots()
    times = table["target"].to_numpy()
    width = np.median(np.diff(times)) * 0.95 if len(times) > 1 else np.timedelta64(1, "D")
    above, below = np.zeros(len(table)), np.zeros(len(table))
    for name in groups:
        effect = table[f"effect:{name}"].to_numpy(float)
        begin = np.where(effect > 0, above, below)
        axes.bar(times, effect, width=width, bottom=begin, color=GROUP_COLOURS.get(name, NOT_KNOWN), linewidth=0,
                 label=name.capitalize())  # fmt: skip
        above, below = above + np.maximum(effect, 0), below + np.minimum(effect, 0)
    axes.plot(times, table["forecast"] - table["base"], color="black", linewidth=1.1, label="Forecast")
    axes.plot(times, table["measured"] - table["base"], "o", color="black", markersize=2.5, markerfacecolor="none",
              markeredgewidth=0.6, label="Measured")  # fmt: skip
    _plain(axes, "mm relative to the mean of the past")
    legend_below(axes, 4)
    return figure


def draw_warning(found: EarlyWarning) -> Figure:
    """Velocities with their levels, and inverse velocities with the failure time, as known on the day."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.2), dpi=DOTS, layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    left.plot(found.velocities.times, found.velocities.values, color=REFERENCE, linewidth=1, label="Velocity")
    for number, level in enumerate(found.levels):
        left.axhline(level, color=LEVEL_COLOURS[number], linestyle="--", linewidth=1,
                     label=f"{LEVELS[number + 1].capitalize()}: {level:.3g}")  # fmt: skip
    _plain(left, "Velocity (mm/day)")
    legend_below(left, 2)
    failure = found.failure
    above = failure.velocities.values > 0
    inverse = np.where(above, 1 / np.where(above, failure.velocities.values, 1.0), np.nan)
    for name, chosen, colour in (("Not used", ~failure.used, NOT_KNOWN), ("Used", failure.used, FOUND)):
        right.plot(failure.velocities.times[chosen], inverse[chosen], ".", color=colour, markersize=3, label=name)
    if failure.time is not None:
        last = failure.latest if failure.latest is not None else found.velocities.times[-1]
        right.axvspan(failure.earliest, max(last, failure.time), color=FOUND, alpha=0.15, linewidth=0)
        right.axvline(failure.time, color=FOUND, linestyle=":", linewidth=1.2, label="Failure time, 95 % interval")
    _plain(right, "Inverse velocity (day/mm)")
    right.set_ylim(bottom=0)
    legend_below(right, 2)
    for axes in (left, right):
        axes.tick_params(axis="x", rotation=30)
    return figure


def _plain(axes: Axes, title: str) -> None:
    axes.set_ylabel(title, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
