"""Figures of how faithful an explanation proved."""

from __future__ import annotations

import plotly.graph_objects as go

from core.explain.faithfulness import Curves, confidence
from core.plots.colours import FOUND, REFERENCE
from core.plots.layout import plain_layout


def curves_figure(curves: Curves) -> go.Figure:
    """Confidence of a box while what a map calls important is taken away, and while only that is there.

    Parameters
    ----------
    curves
        Of one explanation.

    Returns
    -------
    plotly.graph_objects.Figure
        Both axes in per cent or confidence from 0 to 1; transparent, for light and dark pages.
    """
    figure = go.Figure()
    lines = (
        ("Taken away, the highest first", curves.deletion, curves.confidence_deletion, FOUND, "solid"),
        ("Only the highest there", curves.insertion, curves.confidence_insertion, REFERENCE, "dash"),
    )
    shares = [100 * share for share in curves.shares]
    for name, scores, area, colour, dash in lines:
        figure.add_scatter(
            x=shares,
            y=confidence(scores),
            mode="lines+markers",
            name=f"{name}, area {area:.2f}",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate=f"{name}<br>%{{x:.0f}} % of the image<br>Confidence %{{y:.2f}}<extra></extra>",
        )
    figure.update_layout(plain_layout("Share of the image, %", "Confidence of the box"))
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(range=[-0.02, 1.04])
    return figure
