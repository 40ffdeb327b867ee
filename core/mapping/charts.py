"""Charts of a mapping as pictures that print: sizes of the landslides, and agreement with an inventory.

The pages draw the same with plotly, which needs a script to be seen; a report and a printer want a picture.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from core.figures.charts import GREY, chart, legend_below, plain_numbers
from core.mapping.size_frequency import SizeFrequency, cumulative
from core.plots.colours import FALSE_POSITIVE, FOUND, REFERENCE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.mapping.findings import Scores

BASELINE = FALSE_POSITIVE
"""The colour index answers with false alarms first of all."""

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
    axes.set(xscale="log", yscale="log", xlabel=f"Area ({unit})", ylabel="Landslides at least as large")
    axes.plot(values, counts, "o", color=FOUND, markersize=4, label="Mapped landslides")
    least = sizes.minimum_area_m2
    if sizes.mode != "none" and least is not None:
        at = np.geomspace(least, max(float(values[-1]), least * 1.01), CURVE_POINTS)
        low, high = sizes.exponent_interval or (math.nan, math.nan)
        end = "no limit" if math.isinf(high) else f"{high:.2f}"
        kind = "Inverse gamma" if sizes.mode == "inverse_gamma" else "Tail"
        label = f"{kind}: exponent {sizes.exponent:.2f} (95 %: {low:.2f} to {end})"
        axes.plot(at, sizes.expected_count(at), color=REFERENCE, linewidth=1.8, label=label)
    if least is not None:
        label = f"Smallest mappable area, {least:,.0f} {unit}"
        axes.axvline(least, color=GREY, linestyle="--", linewidth=1, label=label)
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    axes.legend(fontsize=7.5, frameon=False)
    return figure


def precision_recall_chart(scores: Scores, threshold: float) -> Figure:
    """Precision against recall at every threshold, the chosen one marked, beside the colour index."""
    figure, axes = chart(3.4, 3.3)
    curve = scores.curve
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), xlabel="Recall", ylabel="Precision")
    average = curve.average_precision
    label = "Model" if math.isnan(average) else f"Model, average precision {average:.3f}"
    axes.plot(curve.recall, curve.precision, color=REFERENCE, linewidth=1.8, label=label)
    points = [(scores.model, f"At threshold {threshold:.2f}", FOUND, "o")]
    if scores.baseline is not None:
        points.append((scores.baseline, "Colour index", BASELINE, "D"))
    for at, name, colour, marker in points:
        if not (math.isnan(at.precision) or math.isnan(at.recall)):
            axes.plot(
                at.recall, at.precision, marker, color=colour, markeredgecolor="black", markersize=8,
                label=f"{name}, F1 {at.f1:.3f}",
            )  # fmt: skip
    legend_below(axes)
    return figure


def threshold_chart(scores: Scores, threshold: float) -> Figure:
    """F1, precision and recall against the threshold, the chosen one as a line, beside the F1 of the colour index."""
    figure, axes = chart(3.4, 3.3)
    curve = scores.curve
    axes.set(xlim=(0, 1), ylim=(0, 1.04), xlabel="Threshold", ylabel="Score")
    axes.plot(curve.thresholds, curve.f1, color=FOUND, linewidth=2.2, label="F1")
    axes.plot(curve.thresholds, curve.precision, color=REFERENCE, linestyle="--", linewidth=1.3, label="Precision")
    axes.plot(curve.thresholds, curve.recall, color=REFERENCE, linestyle=":", linewidth=1.6, label="Recall")
    if scores.baseline is not None and not math.isnan(scores.baseline.f1):
        label = f"Colour index, F1 {scores.baseline.f1:.3f}"
        axes.axhline(scores.baseline.f1, color=BASELINE, linestyle="-.", linewidth=1.5, label=label)
    axes.axvline(threshold, color="black", linewidth=1, label=f"Chosen, {threshold:.2f}")
    legend_below(axes, columns=2)
    return figure
