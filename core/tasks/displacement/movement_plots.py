"""Charts of how a station moved: velocity, path, parts, months, lags, trajectory, and the lesson on decomposition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from core.plots.colours import BY_CHANCE, CATEGORIES, FALSE_POSITIVE, FOUND, MISSED, PROBABILITY_RAMP, REFERENCE
from core.plots.layout import NEUTRAL, plain_layout
from core.series.kinematics import CLASSES, DAY, LONGEST_GAP, usual_spacing
from core.tasks.displacement.movement import MONTHS, YEAR
from core.tasks.displacement.plots import MOST_POINTS, finish, thinned
from core.wording import count

if TYPE_CHECKING:
    from core.series.decomposition import Parts
    from core.series.lags import LagCorrelation, SeasonalProfile
    from core.series.monitoring import RegularSeries, Times, Values
    from core.series.trajectory import Trajectory
    from core.tasks.displacement.lesson import Lesson
    from core.tasks.displacement.movement import Hodograph, Motion

BAND = "rgba(0, 114, 178, 0.2)"
"""Of what is within an error of `REFERENCE`."""


def _rows(count: int, heights: list[float] | None = None) -> go.Figure:
    """Charts one above the other over one axis of time."""
    from plotly.subplots import make_subplots

    return make_subplots(rows=count, cols=1, shared_xaxes=True, vertical_spacing=0.04, row_heights=heights)


def _line(figure: go.Figure, x: Any, y: Any, name: str, colour: str, row: int, *, unit: str = "mm", **more: Any) -> None:  # noqa: ANN401, E501
    x, y = thinned(x, y)
    figure.add_scatter(
        x=x, y=y, mode="lines", name=name, connectgaps=False, row=row, col=1, line={"color": colour, "width": 1.7},
        hovertemplate=f"%{{y:.3~f}} {unit}<extra>{name}</extra>", **more,
    )  # fmt: skip


def _broken(times: Times, values: Values) -> tuple[Times, Values]:
    """Times and values with an unknown one in each long gap, so that no line is drawn across it."""
    if len(times) < 2:
        return times, values
    gaps = np.flatnonzero(np.diff(times) / DAY > LONGEST_GAP * usual_spacing(times))
    middle = times[gaps] + (times[gaps + 1] - times[gaps]) // 2
    return np.insert(times, gaps + 1, middle), np.insert(values, gaps + 1, np.nan)


def _around(times: Times, values: Values, errors: Values) -> tuple[list[Any], list[Any]]:
    """Outlines of the area within an error of the values, one a stretch without a gap."""
    step = max(1, len(times) // MOST_POINTS)
    times, both = _broken(times[::step], values[::step] + 1j * errors[::step])
    known = np.isfinite(both)
    x: list[Any] = []
    y: list[Any] = []
    for part in np.split(np.arange(len(times)), np.flatnonzero(np.diff(known)) + 1):
        if not len(part) or not known[part[0]]:
            continue
        x += [*times[part], *times[part[::-1]], None]
        y += [*(both.real + both.imag)[part], *(both.real - both.imag)[part[::-1]], None]
    return x, y


def motion_figure(found: Motion) -> go.Figure:
    """Velocity with its standard error and the limits of the Cruden–Varnes classes, and acceleration below."""
    scale, unit = (YEAR, "mm/year") if found.yearly else (1.0, "mm/day")
    figure = _rows(2, [1.6, 1.0])
    own = found.velocities
    x, y = _around(own.times, own.values * scale, own.errors * scale)
    figure.add_scatter(x=x, y=y, mode="lines", line={"width": 0}, fill="toself", fillcolor=BAND, hoverinfo="skip",
                       name="± standard error", row=1, col=1)  # fmt: skip
    _line(figure, *_broken(own.times, own.values * scale), "Velocity", REFERENCE, 1, unit=unit)
    known = np.abs(own.values[np.isfinite(own.values)])
    highest = float(known.max()) if len(known) else 0.0
    for (_, limit), (name, _) in zip(CLASSES, CLASSES[1:], strict=False):
        if limit <= 1.15 * highest:
            figure.add_hline(
                y=limit * scale, line={"color": NEUTRAL, "width": 1, "dash": "dash"}, row=1, col=1,
                annotation={"text": f"{name} from here", "font": {"size": 11}, "xanchor": "left", "x": 0.01},
            )  # fmt: skip
    speeding = found.accelerations
    factor, twice = (YEAR**2, "mm/year²") if found.yearly else (1.0, "mm/day²")
    _line(figure, *_broken(speeding.times, speeding.values * factor), "Acceleration", FOUND, 2, unit=twice)
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1}, row=2, col=1)
    finish(figure, [f"Velocity ({unit})", f"Acceleration ({twice})"])
    figure.update_layout(height=520)
    return figure


def parts_figure(series: RegularSeries, parts: Parts) -> go.Figure:
    """What was measured with its trend, and below it the periodic part, if there is one, and the rest."""
    seasonal = bool(parts.periodic.any())
    figure = _rows(2 + seasonal, [1.8, *[1.0] * (1 + seasonal)])
    known = np.where(series.filled, np.nan, series.displacements)
    _line(figure, series.times, known, "Measured", NEUTRAL, 1)
    _line(figure, parts.times, parts.trend, "Trend", FOUND, 1)
    if seasonal:
        _line(figure, parts.times, parts.periodic, "Periodic", REFERENCE, 2)
    _line(figure, parts.times, parts.rest, "Rest", FALSE_POSITIVE, 2 + seasonal)
    finish(figure, ["Displacement (mm)", *(["Periodic (mm)"] if seasonal else []), "Rest (mm)"])
    figure.update_layout(height=440 + 160 * seasonal)
    return figure


def lesson_figure(series: RegularSeries, found: Lesson) -> go.Figure:
    """The trend of the whole series and the one that was known at each origin, and how far they are apart."""
    figure = _rows(2, [1.6, 1.0])
    shown = series.times >= found.times[0]
    known = np.where(series.filled, np.nan, series.displacements)
    _line(figure, series.times[shown], known[shown], "Measured", NEUTRAL, 1)
    for values, name, colour in ((found.whole, "Trend from the whole series (uses later values)", FOUND),
                                 (found.known, "Trend known at the time", REFERENCE)):  # fmt: skip
        figure.add_scatter(x=found.times, y=values, mode="lines+markers", name=name, row=1, col=1,
                           line={"color": colour, "width": 1.7}, marker={"color": colour, "size": 5},
                           hovertemplate=f"%{{y:.2f}} mm<extra>{name}</extra>")  # fmt: skip
    figure.add_bar(x=found.times, y=found.whole - found.known, name="Difference", row=2, col=1, showlegend=False,
                   marker={"color": FALSE_POSITIVE, "line": {"width": 0}},
                   hovertemplate="%{y:+.2f} mm<extra>difference</extra>")  # fmt: skip
    finish(figure, ["Displacement (mm)", "Difference (mm)"])
    figure.update_layout(height=470)
    return figure


def profile_figure(found: SeasonalProfile) -> go.Figure:
    """Mean movement of each month, its spread over the years, and each year as a dot."""
    figure = go.Figure()
    spreads = np.where(np.isfinite(found.spreads), found.spreads, 0.0)
    figure.add_bar(
        x=MONTHS, y=found.means, name="Mean", marker={"color": MISSED, "line": {"width": 0}}, customdata=found.counts,
        error_y={"type": "data", "array": spreads, "color": NEUTRAL, "thickness": 1.5},
        hovertemplate="%{x}: mean %{y:.2f} mm of %{customdata} years<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[MONTHS[one - 1] for one in found.months], y=found.moved, mode="markers", name="Individual years",
        marker={"color": NEUTRAL, "size": 5, "symbol": "circle-open"}, customdata=found.years,
        hovertemplate="%{x} %{customdata}: %{y:.2f} mm<extra></extra>",
    )  # fmt: skip
    figure.update_layout(plain_layout("", "Monthly movement (mm)"))
    figure.update_xaxes(categoryorder="array", categoryarray=MONTHS)
    return figure


def lag_figure(found: LagCorrelation, unit: str) -> go.Figure:
    """Correlation at each lag over the band of chance.

    Parameters
    ----------
    unit
        What a step is, such as ``"days"``.
    """
    figure = go.Figure()
    beyond = np.abs(found.correlations) > found.chance
    for name, chosen, colour in (((
        "Beyond the chance range"
    ), beyond, FOUND), ("Within the chance range", ~beyond, BY_CHANCE)):
        if not np.isfinite(found.correlations[chosen]).any():
            continue
        name = name if np.isfinite(found.chance) else "Correlation"
        figure.add_bar(
            x=found.lags[chosen], y=found.correlations[chosen], name=name, customdata=found.counts[chosen],
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="lag %{x}: %{y:+.3f}, n = %{customdata:,}<extra></extra>",
        )  # fmt: skip
    if np.isfinite(found.chance):
        figure.add_hrect(y0=-found.chance, y1=found.chance, fillcolor=BY_CHANCE, opacity=0.16, line_width=0)
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1})
    figure.update_layout({**plain_layout(f"Lag ({unit})", "Correlation"), "bargap": 0.25})
    return figure


def hodograph_figure(path: Hodograph) -> go.Figure:
    """North over east, by time from dark to bright, equal lengths in both directions."""
    figure = go.Figure()
    step = max(1, len(path.times) // MOST_POINTS)
    at = slice(None, None, step)
    days = (path.times[at] - path.times[0]) / np.timedelta64(1, "D")
    dates = [str(one)[:10] for one in path.times[at]]
    ends = [0.0, float(days[-1])]
    figure.add_scatter(
        x=path.east[at], y=path.north[at], mode="markers", name="Readings", customdata=dates, showlegend=False,
        marker={"color": days, "colorscale": PROBABILITY_RAMP, "size": 5, "opacity": 0.7,
                "colorbar": {"tickvals": ends, "ticktext": [dates[0], dates[-1]], "thickness": 12, "title": ""}},
        hovertemplate="%{customdata}: %{x:.1f} mm east, %{y:.1f} mm north<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(x=path.smooth_east[at], y=path.smooth_north[at], mode="lines", hoverinfo="skip",
                       name=f"Mean over {count(path.days, 'day', form='.3g')}",
                       line={"color": FOUND, "width": 2})  # fmt: skip
    figure.add_scatter(x=path.smooth_east[-1:], y=path.smooth_north[-1:], mode="markers", name="End", hoverinfo="skip",
                       marker={"color": FOUND, "size": 11, "symbol": "diamond"})  # fmt: skip
    figure.update_layout({**plain_layout("East (mm)", "North (mm)"), "height": 520})
    figure.update_yaxes(scaleanchor="x", scaleratio=1)
    return figure


def trajectory_figure(found: Trajectory) -> go.Figure:
    """What was measured with the fitted trajectory, and below what it leaves."""
    figure = _rows(2, [1.8, 1.0])
    left = found.values - found.fitted
    for name, chosen, colour, symbol in (("Measured", found.used, NEUTRAL, "circle"),
                                         ("Excluded", ~found.used, CATEGORIES[3], "x")):  # fmt: skip
        if not chosen.any():
            continue
        for row, values in ((1, found.values), (2, left)):
            x, y = thinned(found.times[chosen], values[chosen])
            figure.add_scatter(
                x=x, y=y, mode="markers", name=name, showlegend=row == 1, legendgroup=name, row=row, col=1,
                marker={"color": colour, "size": 4, "symbol": symbol},
                hovertemplate=f"%{{y:.2f}} mm<extra>{name.lower()}</extra>",
            )  # fmt: skip
    _line(figure, found.times, found.fitted, "Trajectory", FOUND, 1)
    figure.add_hline(y=0, line={"color": FOUND, "width": 1}, row=2, col=1)
    finish(figure, ["Displacement (mm)", "Residual (mm)"])
    figure.update_layout(height=520)
    return figure
