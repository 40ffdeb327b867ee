"""Charts of a mapping as pictures that print: sizes of the landslides, and agreement with an inventory.

The pages draw the same with plotly, which needs a script to be seen; a report and a printer want a picture.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from core.figures import charts
from core.figures.charts import GREY, chart, plain_numbers
from core.plots.colours import FOUND, REFERENCE
from core.tasks.mapping.size_frequency import SizeFrequency, cumulative, three_digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.learning.metrics import Confusion
    from core.tasks.mapping.findings import Scores

CURVE_POINTS = 200


def size_chart(areas: ArrayLike, sizes: SizeFrequency, unit: str = "m²") -> Figure:
    """Number of landslides at least as large as each area, on logarithmic axes, with the fitted distribution.

    Parameters
    ----------
    areas
        Areas of all polygons, at least one.
    sizes
        The fit to them; without a fit only the landslides are drawn.
    unit
        ``"m²"``, or ``"px"`` for a scene without a coordinate system.
    """
    figure, axes = chart(6.6, 3.6)
    values, counts = cumulative(areas)
    axes.set(xscale="log", yscale="log", xlabel=f"Area ({unit})", ylabel="Number of landslides of at least this area")
    axes.plot(values, counts, "o", color=FOUND, markersize=4, label="Mapped landslides")
    least = sizes.minimum_area_m2
    if sizes.mode != "none" and least is not None:
        at = np.geomspace(least, max(float(values[-1]), least * 1.01), CURVE_POINTS)
        low, high = sizes.exponent_interval or (math.nan, math.nan)
        end = "no upper limit" if math.isinf(high) else f"{high:.2f}"
        label = f"Inverse gamma fit: tail exponent of the density {sizes.exponent:.2f} (95 %: {low:.2f} to {end})"
        axes.plot(at, sizes.expected_count(at), color=REFERENCE, linewidth=1.8, label=label)
    if least is not None:
        label = f"Smallest area of the fit, {three_digits(least)} {unit}"
        axes.axvline(least, color=GREY, linestyle="--", linewidth=1, label=label)
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    axes.legend(fontsize=7.5, frameon=False)
    return figure


def precision_recall_chart(scores: Scores, threshold: float) -> Figure:
    """Precision against recall at every threshold, the chosen one marked, beside the colour index."""
    curve = scores.curve
    marks = [_mark(scores.model, f"At threshold {threshold:.2f}")]
    if scores.baseline is not None:
        marks.append(replace(_mark(scores.baseline, "Colour index"), colour=charts.BASELINE, shape="D"))
    return charts.precision_recall_chart(curve.precision, curve.recall, curve.average_precision, marks)


def threshold_chart(scores: Scores, threshold: float) -> Figure:
    """F1, precision and recall against the threshold, the chosen one as a line, beside the F1 of the colour index."""
    curve = scores.curve
    level = None if scores.baseline is None else ("Colour index", scores.baseline.f1)
    lines = (curve.f1, curve.precision, curve.recall)
    return charts.threshold_chart(curve.thresholds, lines, threshold, level=level)


def _mark(at: Confusion, name: str) -> charts.Mark:
    return charts.Mark(name, at.precision, at.recall, at.f1)
