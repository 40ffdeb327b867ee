"""Figures of how faithful an explanation proved."""

from __future__ import annotations

import plotly.graph_objects as go

from core.explain.faithfulness import Curves, confidence
from core.plots.colours import BY_CHANCE, FOUND, REFERENCE
from core.plots.layout import plain_layout


def curves_figure(curves: Curves, noun: str = "box") -> go.Figure:
    """Confidence of a target while what a map calls important is masked, and while only that is visible.

    Parameters
    ----------
    curves
        Of one explanation; the curve at random places is drawn where it was measured.
    noun
        What the confidence is of, in a word.

    Returns
    -------
    plotly.graph_objects.Figure
        Both axes in per cent or confidence from 0 to 1; transparent, for light and dark pages.
    """
    figure = go.Figure()
    lines = (
        ("Highest areas masked", curves.deletion, curves.confidence_deletion, FOUND, "solid"),
        ("Only highest areas visible", curves.insertion, curves.confidence_insertion, REFERENCE, "dash"),
        ("Random areas masked", curves.random, curves.confidence_random, BY_CHANCE, "dot"),
    )
    shares = [100 * share for share in curves.shares]
    for name, scores, area, colour, dash in lines:
        if not scores:
            continue
        figure.add_scatter(
            x=shares,
            y=confidence(scores),
            mode="lines+markers",
            name=f"{name}, area {area:.2f}",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate=f"{name}<br>%{{x:.0f}} % of the image<br>Confidence %{{y:.2f}}<extra></extra>",
        )
    figure.update_layout(plain_layout("Share of the image, %", f"Score of the {noun}"))
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(range=[-0.02, 1.04])
    return figure
