"""Figures of agreement with an inventory: how the scores of a mapping change with the threshold."""

from __future__ import annotations

import math

import plotly.graph_objects as go

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
    figure.add_scatter(
        x=curve.recall,
        y=curve.precision,
        customdata=list(zip(curve.thresholds, curve.f1, strict=True)),
        mode="lines",
        name=f"Model, average precision {_number(curve.average_precision)}",
        line={"color": REFERENCE, "width": 2.5},
        hovertemplate=(
            "Threshold %{customdata[0]:.2f}<br>Precision %{y:.3f}<br>Recall %{x:.3f}<br>"
            "F1 %{customdata[1]:.3f}<extra></extra>"
        ),
    )
    _add_point(figure, now, f"At threshold {threshold:.2f}", FOUND, "circle")
    if baseline is not None:
        _add_point(figure, baseline, "Colour index", BASELINE, "diamond")
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
    figure = go.Figure()
    lines = (("F1", curve.f1, FOUND, "solid", 3), ("Precision", curve.precision, REFERENCE, "dash", 1.5),
             ("Recall", curve.recall, REFERENCE, "dot", 1.5))  # fmt: skip
    for name, values, colour, dash, width in lines:
        figure.add_scatter(
            x=curve.thresholds,
            y=values,
            mode="lines",
            name=name,
            line={"color": colour, "dash": dash, "width": width},
            hovertemplate=f"Threshold %{{x:.2f}}<br>{name} %{{y:.3f}}<extra></extra>",
        )
    if baseline is not None and not math.isnan(baseline.f1):
        figure.add_scatter(
            x=[0, 1],
            y=[baseline.f1, baseline.f1],
            mode="lines",
            name=f"Colour index, F1 {baseline.f1:.3f}",
            line={"color": BASELINE, "dash": "longdash", "width": 2},
            hovertemplate=f"Colour index<br>F1 {baseline.f1:.3f}<extra></extra>",
        )
    figure.add_vline(
        x=threshold,
        line={"color": FOUND, "width": 1.5},
        annotation={"text": f"now {threshold:.2f}", "yanchor": "bottom"},
        annotation_position="top",
    )
    figure.update_layout(plain_layout("Threshold (probability)", "Score"))
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[0, 1.04])
    return figure


def _add_point(figure: go.Figure, at: Confusion, name: str, colour: str, symbol: str) -> None:
    """Mark one confusion; left out where precision or recall is undefined."""
    if math.isnan(at.precision) or math.isnan(at.recall):
        return
    f1 = _number(at.f1)
    figure.add_scatter(
        x=[at.recall],
        y=[at.precision],
        mode="markers",
        name=f"{name}, F1 {f1}",
        marker={"color": colour, "symbol": symbol, "size": 13, "line": {"width": 1.5, "color": "white"}},
        hovertemplate=f"{name}<br>Precision %{{y:.3f}}<br>Recall %{{x:.3f}}<br>F1 {f1}<extra></extra>",
    )


def _number(score: float) -> str:
    return UNDEFINED if math.isnan(score) else f"{score:.3f}"
