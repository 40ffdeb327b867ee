"""Figures of agreement with an inventory: how the scores of a mapping change with the threshold."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.learning.metrics import Confusion, ThresholdCurve
from core.plots.colours import FALSE_POSITIVE, FOUND, REFERENCE
from core.plots.layout import plain_layout

BASELINE = FALSE_POSITIVE
"""The colour index answers with false alarms first of all."""

UNDEFINED = "undefined"


def precision_recall_figure(
    curve: ThresholdCurve, now: Confusion, threshold: float, baseline: Confusion | None = None
) -> go.Figure:
    """Precision against recall at every threshold, the current one marked.

    Parameters
    ----------
    curve
        Scores at the 255 thresholds.
    now
        Confusion at the current threshold.
    threshold
        The current threshold, 0 to 1.
    baseline
        Confusion of the colour index, drawn as a point.

    Returns
    -------
    plotly.graph_objects.Figure
        Both axes run from 0 to 1; transparent, with no text colour of its own, for light and dark pages.
    """
    figure = go.Figure()
    words = f"Model, average precision {number(curve.average_precision)}"
    add_curve(figure, (curve.recall, curve.precision), (curve.thresholds, curve.f1), words)
    add_point(figure, now.precision, now.recall, now.f1, f"At threshold {threshold:.2f}", FOUND)
    if baseline is not None:
        at = baseline.precision, baseline.recall, baseline.f1
        add_point(figure, *at, "Colour index", BASELINE, "diamond")
    figure.update_layout(plain_layout("Recall", "Precision"))
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.04])
    return figure


def threshold_figure(curve: ThresholdCurve, threshold: float, baseline: Confusion | None = None) -> go.Figure:
    """F1, precision and recall against the threshold, the current one as a line.

    Parameters
    ----------
    curve
        Scores at the 255 thresholds.
    threshold
        The current threshold, 0 to 1.
    baseline
        Confusion of the colour index; its F1 is a level line, for it has no probability.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages.
    """
    figure = score_lines(curve.thresholds, (curve.f1, curve.precision, curve.recall), threshold, "Threshold")
    if baseline is not None and not math.isnan(baseline.f1):
        figure.add_scatter(
            x=[0, 1],
            y=[baseline.f1, baseline.f1],
            mode="lines",
            name=f"Colour index, F1 {baseline.f1:.3f}",
            line={"color": BASELINE, "dash": "longdash", "width": 2},
            hovertemplate=f"Colour index<br>F1 {baseline.f1:.3f}<extra></extra>",
        )
    figure.update_layout(plain_layout("Threshold (probability)", "Score"))
    return figure


def score_lines(
    at: ArrayLike, scores: tuple[ArrayLike, ArrayLike, ArrayLike], now: float, word: str, shape: str = "linear"
) -> go.Figure:
    """F1, precision and recall against what is moved by a slider, its current value as a line.

    Parameters
    ----------
    at
        Values of the slider.
    scores
        F1, precision and recall at each.
    now
        Where the slider stands.
    word
        What the slider is called.
    shape
        How points are joined: ``"linear"``, or ``"hv"`` for steps from each to the next.
    """
    figure = go.Figure()
    lines = (("F1", FOUND, "solid", 3), ("Precision", REFERENCE, "dash", 2), ("Recall", REFERENCE, "dot", 2.5))
    for (name, colour, dash, width), values in zip(lines, scores, strict=True):
        figure.add_scatter(
            x=at,
            y=values,
            mode="lines",
            name=name,
            line={"color": colour, "dash": dash, "width": width, "shape": shape},
            hovertemplate=f"{word} %{{x:.2f}}<br>{name} %{{y:.3f}}<extra></extra>",
        )
    figure.add_vline(
        x=now,
        line={"color": FOUND, "width": 1.5},
        annotation={"text": f"selected: {now:.2f}", "yanchor": "bottom"},
        annotation_position="top",
    )
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[0, 1.04])
    return figure


def add_point(
    figure: go.Figure, precision: float, recall: float, f1: float, name: str, colour: str, symbol: str = "circle"
) -> None:
    """Mark a pair of precision and recall; left out where one is undefined."""
    if math.isnan(precision) or math.isnan(recall):
        return
    figure.add_scatter(
        x=[recall],
        y=[precision],
        mode="markers",
        name=f"{name}, F1 {number(f1)}",
        marker={"color": colour, "symbol": symbol, "size": 13, "line": {"width": 1.5, "color": "white"}},
        hovertemplate=f"{name}<br>Precision %{{y:.3f}}<br>Recall %{{x:.3f}}<br>F1 {number(f1)}<extra></extra>",
    )


def add_curve(
    figure: go.Figure,
    curve: tuple[ArrayLike, ArrayLike],
    details: tuple[ArrayLike, ArrayLike],
    name: str,
    *,
    word: str = "Threshold",
    colour: str = REFERENCE,
    dash: str = "solid",
) -> None:
    """Draw precision against recall.

    Parameters
    ----------
    curve
        Recall and precision.
    details
        Value of the slider and F1 at each point.
    word
        What the slider is called.
    """
    figure.add_scatter(
        x=curve[0],
        y=curve[1],
        customdata=np.column_stack(details),
        mode="lines",
        name=name,
        line={"color": colour, "width": 2.5, "dash": dash},
        hovertemplate=(
            f"{word} %{{customdata[0]:.2f}}<br>Precision %{{y:.3f}}<br>Recall %{{x:.3f}}<br>"
            "F1 %{customdata[1]:.3f}<extra></extra>"
        ),
    )


def number(score: float) -> str:
    """A score as figures write it."""
    return UNDEFINED if math.isnan(score) else f"{score:.3f}"
