"""Charts of a detection as pictures that print: precision against recall, and the scores at every confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.figures import charts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.tasks.detection.metrics import Curve, DetectionScores


def precision_recall_chart(curve: Curve, scores: DetectionScores) -> Figure:
    """Precision against recall as the surest boxes are joined by less sure ones, the chosen confidence marked."""
    name = f"At confidence {scores.confidence:.2f}"
    mark = charts.Mark(name, scores.precision, scores.recall, scores.f1)
    return charts.precision_recall_chart(curve.precision, curve.recall, scores.ap50, [mark])


def confidence_chart(curve: Curve, confidence: float) -> Figure:
    """F1, precision and recall against the confidence, the chosen one as a line."""
    at, lines = curve.confidence, (curve.f1, curve.precision, curve.recall)
    last = np.flatnonzero(np.diff(at, append=-np.inf))  # boxes of one score come together or not at all
    f1, precision, recall = (line[last] for line in lines)
    return charts.threshold_chart(at[last], (f1, precision, recall), confidence, name="Confidence")
