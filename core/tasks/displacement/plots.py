"""Charts of a monitored slope and of its forecasts in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from core.plots.colours import CATEGORIES, FALSE_POSITIVE, FOUND, MISSED, NOT_KNOWN, REFERENCE, TRUE_POSITIVE
from core.plots.layout import NEUTRAL, plain_layout
from core.tasks.displacement.forecasters import title_of
from core.tasks.displacement.simple import SIMPLE

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.displacement.result import ForecastResult

MOST_POINTS = 4_000
"""Points of a line that are drawn; of more, the extremes of as many stretches."""

TITLES = {
    "rain": "Rain (mm)", "level": "Level (m)", "groundwater": "Groundwater (m)",
    "discharge": "Discharge (m³/s)", "temperature": "Temperature (°C)", "other": "",
}  # fmt: skip

_COLOURS = {
    "rain": MISSED, "level": REFERENCE, "groundwater": REFERENCE, "discharge": TRUE_POSITIVE,
    "temperature": FALSE_POSITIVE, "other": NOT_KNOWN,
}  # fmt: skip


def station_colours(names: Sequence[str]) -> dict[str, str]:
    """A colour a station, the same in every chart of a run."""
    return {name: CATEGORIES[number % len(CATEGORIES)] for number, name in enumerate(names)}


def series_figure(
    series: pd.DataFrame, drivers: Mapping[str, str], stations: Sequence[str], colours: Mapping[str, str]
) -> go.Figure:
    """Cumulative displacement of stations over what may drive them, one axis of time for all.

    Parameters
    ----------
    series
        As `core.tasks.displacement.result.SERIES` holds it.
    drivers
        What each driver is, by name.
    stations
        Those that are drawn.
    colours
        By station.
    """
    from plotly.subplots import make_subplots

    below = [name for name in drivers if name in series and series[name].notna().any()]
    rows = 1 + len(below)
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.03, row_heights=[3.0, *(1.0 for _ in below)]
    )
    for name in stations:
        ours = series[series["station"] == name]
        _line(figure, name, ours["time"], ours["displacement"].to_numpy(), ours["filled"].to_numpy(bool), colours[name])
    drawn = series.drop_duplicates("time").sort_values("time")
    for number, name in enumerate(below, start=2):
        quantity = drivers[name]
        x, y = thinned(drawn["time"].to_numpy(), drawn[name].to_numpy(float), total=quantity == "rain")
        colour = _COLOURS.get(quantity, NOT_KNOWN)
        hover = f"%{{x|%Y-%m-%d}}: %{{y:.4~g}}<extra>{name}</extra>"
        if quantity == "rain":
            figure.add_bar(x=x, y=y, marker={"color": colour, "line": {"width": 0}}, showlegend=False,
                           hovertemplate=hover, row=number, col=1)  # fmt: skip
        else:
            figure.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 1.5}, showlegend=False,
                               connectgaps=False, hovertemplate=hover, row=number, col=1)  # fmt: skip
    finish(figure, ["Displacement (mm)", *(TITLES.get(drivers[name]) or name for name in below)])
    figure.update_layout(height=330 + 115 * len(below))
    return figure


def _line(figure: go.Figure, name: str, times: Any, values: Any, filled: Any, colour: str) -> None:  # noqa: ANN401
    """A station: known steps as a line, filled gaps dashed and thin."""
    known = np.where(filled, np.nan, values)
    x, y = thinned(times.to_numpy(), known)
    figure.add_scatter(
        x=x, y=y, mode="lines", name=name, legendgroup=name, line={"color": colour, "width": 2}, connectgaps=False,
        hovertemplate=f"%{{x|%Y-%m-%d}}: %{{y:.1f}} mm<extra>{name}</extra>", row=1, col=1,
    )  # fmt: skip
    if filled.any():
        beside = filled.copy()
        beside[1:] |= filled[:-1]
        beside[:-1] |= filled[1:]
        x, y = thinned(times.to_numpy(), np.where(beside, values, np.nan))
        figure.add_scatter(
            x=x, y=y, mode="lines", name=f"{name}, gap", legendgroup=name, showlegend=False, connectgaps=False,
            line={"color": colour, "width": 1, "dash": "dot"}, hovertemplate=(
                "gap, filled by linear interpolation<extra></extra>"
            ),
            row=1, col=1,
        )  # fmt: skip


def forecast_figure(forecasts: pd.DataFrame, series: pd.DataFrame, model: str, simple: str) -> go.Figure:
    """Forecasts of the test part at their targets, with their intervals, over what was measured.

    Above the displacement at the target, below the movement from the origin to the target: errors of the two are the
    same, but only below they can be seen on a slope that has moved far.

    Parameters
    ----------
    forecasts, series
        Of one station, as `core.tasks.displacement.result` says.
    model, simple
        Names of the model, and of the simple forecast that is drawn beside it.
    """
    from plotly.subplots import make_subplots

    level = dict(zip(series["time"], series["displacement"], strict=True))
    ours = forecasts[forecasts["model"] == model].sort_values("target")
    other = forecasts[forecasts["model"] == simple].sort_values("target") if simple != model else None
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[1.0, 1.0])
    for row in (1, 2):
        _forecast_lines(figure, row, ours, other, level, title_of(model), title_of(simple))
    finish(figure, ["Displacement (mm)", "Movement to target (mm)"])
    figure.update_layout(height=560, hovermode="closest")
    return figure


def _forecast_lines(
    figure: go.Figure, row: int, ours: pd.DataFrame, other: pd.DataFrame | None, level: Mapping[Any, float], title: str,
    simple: str,
) -> None:  # fmt: skip
    """One of the two charts of forecasts: the displacement at the target (row 1), or the movement (row 2)."""
    begin = ours["origin"].map(level).to_numpy(float) if row == 1 else np.zeros(len(ours))
    target, at = ours["target"].to_numpy(), {"row": row, "col": 1}
    shown = {"showlegend": row == 1}
    high, low, said = (begin + ours[name].to_numpy() for name in ("high", "low", "forecast"))
    measured = np.where(ours["scored"], begin + ours["measured"].to_numpy(), np.nan)
    known = np.isfinite(high)
    hover = "%{x|%Y-%m-%d}: %{y:.1f} mm"
    figure.add_scatter(x=target[known], y=high[known], mode="lines", line={"width": 0}, hoverinfo="skip",
                       showlegend=False, **at)  # fmt: skip
    figure.add_scatter(x=target[known], y=low[known], mode="lines", line={"width": 0}, fill="tonexty", **shown, **at,
                       fillcolor="rgba(213, 94, 0, 0.22)", name="90 % interval", hoverinfo="skip")  # fmt: skip
    figure.add_scatter(
        x=target, y=measured, mode="lines+markers", name="Measured", line={"color": NEUTRAL, "width": 1}, **shown,
        marker={"color": NEUTRAL, "size": 4}, connectgaps=False, hovertemplate=f"{hover}<extra>measured</extra>", **at,
    )  # fmt: skip
    if other is not None:
        start = other["origin"].map(level).to_numpy(float) if row == 1 else 0.0
        figure.add_scatter(
            x=other["target"], y=start + other["forecast"].to_numpy(), mode="lines", name=simple, **shown,
            line={"color": REFERENCE, "width": 1, "dash": "dot"}, hovertemplate=f"{hover}<extra>{simple}</extra>", **at,
        )  # fmt: skip
    figure.add_scatter(x=target, y=said, mode="lines", name=title, line={"color": FOUND, "width": 2}, **shown,
                       hovertemplate=f"{hover}<extra>{title}</extra>", **at)  # fmt: skip
    if len(said) and np.isfinite(said[-1]) and not np.isfinite(ours["measured"].iloc[-1]):
        reach = high[-1] - said[-1]
        error = None if not np.isfinite(reach) else {"type": "data", "array": [reach], "color": FOUND}
        figure.add_scatter(
            x=target[-1:], y=said[-1:], mode="markers", name="Not yet measured", error_y=error, **shown, **at,
            marker={"color": FOUND, "size": 10, "symbol": "diamond"},
            hovertemplate=f"{hover}<extra>not yet measured</extra>",
        )  # fmt: skip


GROUP_COLOURS = {
    "past movement": FALSE_POSITIVE, "rain": MISSED, "level": REFERENCE, "groundwater": "#7B4173",
    "discharge": TRUE_POSITIVE, "temperature": FOUND, "season": NOT_KNOWN, "other": CATEGORIES[3],
}  # fmt: skip
"""Of groups of features, the same in every chart."""


def contribution_figure(table: pd.DataFrame, groups: Sequence[str]) -> go.Figure:
    """Contributions of groups to forecasts over time, stacked, with the forecasts and what was measured.

    Parameters
    ----------
    table
        As `core.tasks.displacement.run_explanation.CONTRIBUTIONS` holds it.
    groups
        Names of the groups, the most important first.

    Notes
    -----
    Bars stand on zero, which is the mean forecast of the past: what raises a forecast lies above, what lowers it below.
    """
    figure = go.Figure()
    for name in groups:
        figure.add_bar(
            x=table["target"], y=table[f"effect:{name}"], name=name.capitalize(),
            marker={"color": GROUP_COLOURS.get(name, NOT_KNOWN), "line": {"width": 0}},
            hovertemplate=f"%{{x|%Y-%m-%d}}: %{{y:+.2f}} mm<extra>{name}</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=table["target"], y=table["forecast"] - table["base"], mode="lines", name="Forecast",
        line={"color": NEUTRAL, "width": 2}, customdata=table["forecast"],
        hovertemplate="%{x|%Y-%m-%d}: %{customdata:.2f} mm<extra>forecast</extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=table["target"], y=table["measured"] - table["base"], mode="markers", name="Measured",
        marker={"color": NEUTRAL, "size": 5, "symbol": "circle-open"}, customdata=table["measured"],
        hovertemplate="%{x|%Y-%m-%d}: %{customdata:.2f} mm<extra>measured</extra>",
    )  # fmt: skip
    layout = plain_layout("", "mm relative to the mean of the past")
    layout |= {"barmode": "relative", "bargap": 0.05, "height": 420}
    figure.update_layout(layout)
    return figure


def scores_figure(result: ForecastResult, station: str) -> go.Figure:
    """RMSE of all models of a station, simple forecasts in another colour, the chosen one marked."""
    models = sorted(result.models(station), key=lambda one: _last(result.of(station, one, "rmse")))
    chosen = result.stations[station]["chosen"]
    values = [result.of(station, one, "rmse") for one in models]
    figure = go.Figure()
    figure.add_bar(
        x=values, y=[f"{title_of(one)}{' ◆' if one == chosen else ''}" for one in models], orientation="h",
        marker={"color": [REFERENCE if one in SIMPLE else FOUND for one in models]},
        customdata=[[title_of(one), result.of(station, one, "n")] for one in models],
        hovertemplate="%{customdata[0]}: %{x:.2f} mm, %{customdata[1]:.0f} forecasts<extra></extra>",
    )  # fmt: skip
    layout = plain_layout("RMSE on the test set (mm)", "")
    layout["yaxis"] |= {"autorange": "reversed"}
    layout["height"] = 130 + 26 * len(models)
    figure.update_layout(layout)
    return figure


def _last(value: float) -> float:
    return float("inf") if value != value else value


def thinned(x: Any, y: Any, *, total: bool = False) -> tuple[Any, Any]:  # noqa: ANN401  arrays
    """At most `MOST_POINTS` points: the lowest and the highest of each stretch, or its sum."""
    count = len(y)
    if count <= MOST_POINTS:
        return x, y
    size = -(-count // (MOST_POINTS // (1 if total else 2)))
    begins = np.arange(0, count, size)
    if total:
        known = np.isfinite(y)
        sums = np.add.reduceat(np.where(known, y, 0.0), begins)
        return x[begins], np.where(np.logical_or.reduceat(known, begins), sums, np.nan)
    kept: list[int] = []
    for begin in begins:
        part = y[begin : begin + size]
        if np.isfinite(part).any():
            kept += sorted({int(begin + np.nanargmin(part)), int(begin + np.nanargmax(part))})
        else:
            kept.append(int(begin))
    return x[kept], y[kept]


def finish(figure: go.Figure, titles: Sequence[str]) -> None:
    """Layout of charts one above the other, for light and dark pages."""
    layout = plain_layout("", "")
    axis_x, axis_y = layout.pop("xaxis"), layout.pop("yaxis")
    figure.update_layout({**layout, "hovermode": "x unified", "bargap": 0})
    figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(**axis_x)
    for number, title in enumerate(titles, start=1):
        figure.update_yaxes(**{**axis_y, "title": {"text": title}}, row=number, col=1)
