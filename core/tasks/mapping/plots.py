"""The figure of how many landslides have which size."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.plots.colours import FOUND, REFERENCE
from core.plots.layout import NEUTRAL, plain_layout
from core.tasks.mapping.size_frequency import SizeFrequency, cumulative, three_digits

CURVE_POINTS = 200


def size_frequency_figure(areas: ArrayLike, sizes: SizeFrequency, *, unit: str = "m²") -> go.Figure:
    """Number of landslides at least as large as each area, on logarithmic axes, with the fitted distribution.

    Parameters
    ----------
    areas
        Areas of all polygons.
    sizes
        The fit to them; without a fit only the landslides are drawn.
    unit
        Unit of the areas: ``"m²"``, or ``"px"`` for a scene without a coordinate system.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages. Empty of points when there
        are no landslides.
    """
    values, counts = cumulative(areas)
    figure = go.Figure()
    figure.add_scatter(
        x=values,
        y=counts,
        mode="markers",
        name="Mapped landslides",
        marker={"color": FOUND, "size": 7},
        hovertemplate=f"%{{y:,}} landslides of at least %{{x:,.0f}} {unit}<extra></extra>",
    )
    if sizes.mode != "none" and sizes.minimum_area_m2 is not None and len(values):
        _add_fit(figure, sizes, sizes.minimum_area_m2, float(values[-1]), unit)
    if sizes.minimum_area_m2 is not None and len(values):
        figure.add_scatter(
            x=[sizes.minimum_area_m2] * 2,
            y=[1, int(counts[0])],
            mode="lines",
            name=f"Smallest area of the fit, {three_digits(sizes.minimum_area_m2)} {unit}",
            line={"color": NEUTRAL, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
        )
    figure.update_layout(plain_layout(f"Area ({unit})", "Number of landslides of at least this area"))
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    return figure


def mark_area(figure: go.Figure, areas: ArrayLike, area: float, name: str) -> go.Figure:
    """The figure with one landslide marked.

    Parameters
    ----------
    figure
        As `size_frequency_figure` gives it; it stays as it is.
    areas
        Areas of all polygons.
    area
        That of the landslide.
    name
        What it is called.
    """
    marked = go.Figure(figure)
    values, counts = cumulative(areas)
    at = int(np.argmin(np.abs(values - area)))
    marked.add_scatter(
        x=[values[at]], y=[counts[at]], mode="markers", name=f"Selected: {name}", hoverinfo="skip",
        marker={"color": "rgba(0,0,0,0)", "size": 15, "line": {"color": NEUTRAL, "width": 3}},
    )  # fmt: skip
    return marked


def _add_fit(figure: go.Figure, sizes: SizeFrequency, smallest: float, largest: float, unit: str) -> None:
    areas = np.geomspace(smallest, max(largest, smallest * 1.01), CURVE_POINTS)
    low, high = sizes.exponent_interval or (np.nan, np.nan)
    figure.add_scatter(
        x=areas,
        y=sizes.expected_count(areas),
        mode="lines",
        name=f"Inverse gamma fit: tail exponent {sizes.exponent:.2f} (95 %: {low:.2f}–{_end(high)})",
        line={"color": REFERENCE, "width": 2.5},
        hovertemplate=f"Fit: %{{y:.3g}} landslides of at least %{{x:,.0f}} {unit}<extra></extra>",
    )
    if sizes.rollover_m2 is not None and sizes.rollover_m2 <= largest:
        figure.add_scatter(
            x=[sizes.rollover_m2],
            y=sizes.expected_count([sizes.rollover_m2]),
            mode="markers",
            name=f"Most frequent area, {sizes.rollover_m2:,.0f} {unit}",
            marker={"color": REFERENCE, "symbol": "diamond", "size": 12},
            hovertemplate=f"Most frequent area %{{x:,.0f}} {unit}<extra></extra>",
        )


def _end(limit: float) -> str:
    return "no upper limit" if np.isinf(limit) else f"{limit:.2f}"
