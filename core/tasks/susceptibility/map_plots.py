"""Charts of a map of susceptibility: classes, and how many landslides lie in how much of the area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from core.plots.colours import FOUND, REFERENCE
from core.plots.layout import NEUTRAL, plain_layout

if TYPE_CHECKING:
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.rates import RateCurve

RATE_COLOURS = (REFERENCE, FOUND)


def class_figure(classes: Classed) -> go.Figure:
    """Share of the area and of the landslides in each class, the highest on top.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages.
    """
    figure = go.Figure()
    names = [row.name.capitalize() for row in classes.rows]
    figure.add_bar(
        y=names, x=[row.share for row in classes.rows], name="Area", orientation="h", marker={"color": NEUTRAL},
        hovertemplate="%{y}: %{x:.1%} of the area<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        y=names, x=[row.share_of_hits for row in classes.rows], name="Landslide cells (colour of the class)",
        orientation="h", marker={"color": list(classes.colours), "line": {"color": NEUTRAL, "width": 1}},
        hovertemplate="%{y}: %{x:.1%} of the landslide cells<extra></extra>",
    )  # fmt: skip
    layout = plain_layout("Share of the total", "")
    layout["barmode"] = "group"
    layout["height"] = 330
    layout["legend"] = {**layout["legend"], "y": -0.3}
    figure.update_layout(layout)
    figure.update_xaxes(tickformat=".0%")
    return figure


def rate_figure(curves: Mapping[str, RateCurve]) -> go.Figure:
    """Share of the landslides over share of the area, the highest index first.

    Parameters
    ----------
    curves
        By name, the success rate before the prediction rate; the area under each (AUC) stands behind its name.
    """
    figure = go.Figure()
    for (name, curve), colour in zip(curves.items(), RATE_COLOURS, strict=False):
        figure.add_scatter(
            x=curve.area, y=curve.hits, mode="lines", name=f"{name} (AUC {curve.under:.3f})",
            line={"color": colour, "width": 2.5},
            hovertemplate="%{x:.0%} of the area holds %{y:.0%} of the landslides<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="Chance", line={"color": NEUTRAL, "dash": "dot", "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(plain_layout("Share of the area, highest index first", "Share of the landslides"))
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.01], tickformat=".0%")
    return figure


def sensitivity_figure(rows: Sequence[Mapping[str, Any]], title: str, scale: str) -> go.Figure:
    """AUROC over a distance: the mean of the repeats, and each of them.

    Parameters
    ----------
    rows
        ``metres`` and ``auroc`` of each repeat, None where there is none.
    title
        Of the distance.
    scale
        Name of the model.
    """
    figure = go.Figure()
    known = [(row["metres"], [one for one in row["auroc"] if one is not None]) for row in rows]
    figure.add_scatter(
        x=[metres for metres, scores in known for _ in scores], y=[one for _, scores in known for one in scores],
        mode="markers", name="Single samples", marker={"color": NEUTRAL, "size": 6},
        hovertemplate="%{x} m: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[metres for metres, scores in known if scores],
        y=[sum(scores) / len(scores) for _, scores in known if scores], mode="lines+markers", name=f"Mean, {scale}",
        line={"color": REFERENCE, "width": 2.5}, hovertemplate="%{x} m: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    layout = plain_layout(title, "AUROC")
    layout["height"] = 300
    figure.update_layout(layout)
    return figure
