"""Figures of how detections agree with a reference as the confidence changes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.plots.colours import FOUND, OTHER_MODEL, REFERENCE
from core.plots.layout import plain_layout
from core.plots.scores import add_curve, add_point, number, score_lines
from core.tasks.detection.metrics import Curve, Point

POINTS = 1500
"""Points of a curve that are drawn: more are not seen."""


def _kept(curve: Curve) -> NDArray[np.intp]:
    """Which points are drawn: the last of each confidence, thinned out where there are very many."""
    last = np.flatnonzero(np.diff(curve.confidence, append=-np.inf))
    if len(last) <= POINTS:
        return last
    return last[np.unique(np.linspace(0, len(last) - 1, POINTS).round().astype(np.intp))]


def precision_recall_figure(
    curve: Curve, now: Point, average: float, name: str = "", other: tuple[str, Curve, float] | None = None
) -> go.Figure:
    """Precision against recall as boxes are added one by one, the chosen confidence marked.

    Parameters
    ----------
    curve
        Scores at every confidence.
    now
        Scores at the chosen one.
    average
        AP50, the average precision where a box counts as right from an overlap of 0.5.
    name
        What the detector is called where another is drawn beside it.
    other
        Name, curve and AP50 of another detector of the same scene.

    Returns
    -------
    plotly.graph_objects.Figure
        Both axes run from 0 to 1; transparent, with no text colour of its own, for light and dark pages.
    """
    figure = go.Figure()
    _add(figure, curve, f"{f'{name}, ' if name else ''}AP50 {number(average)}", REFERENCE, "solid")
    if other is not None:
        named, theirs, value = other
        _add(figure, theirs, f"{named}, AP50 {number(value)}", OTHER_MODEL, "dash")
    add_point(figure, now.precision, now.recall, now.f1, f"At confidence {now.confidence:.2f}", FOUND)
    figure.update_layout(plain_layout("Recall", "Precision"))
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.04])
    return figure


def _add(figure: go.Figure, curve: Curve, name: str, colour: str, dash: str) -> None:
    which = _kept(curve)
    shown, details = (curve.recall[which], curve.precision[which]), (curve.confidence[which], curve.f1[which])
    add_curve(figure, shown, details, name, word="Confidence", colour=colour, dash=dash)


def confidence_figure(curve: Curve, confidence: float) -> go.Figure:
    """F1, precision and recall against the confidence from which boxes count, the chosen one as a line.

    Parameters
    ----------
    curve
        Scores at every confidence.
    confidence
        The chosen one, 0 to 1.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages.
    """
    which = _kept(curve)
    lines = curve.f1[which], curve.precision[which], curve.recall[which]
    figure = score_lines(curve.confidence[which], lines, confidence, "Confidence", "hv")
    figure.update_layout(plain_layout("Confidence threshold", "Score"))
    return figure
