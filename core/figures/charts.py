"""What charts that print have in common.

The pages draw theirs with plotly, which needs a script to be seen; a report and a printer want a picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.figures.page import PRINTED_DOTS_PER_INCH
from core.plots.colours import FALSE_POSITIVE, FOUND, REFERENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

GREY = "#666666"

BASELINE = FALSE_POSITIVE
"""What a model stands beside answers with false alarms first of all."""


@dataclass(frozen=True)
class Mark:
    """One pair of precision and recall on a curve or beside it; one that is undefined is not drawn."""

    name: str
    precision: float
    recall: float
    f1: float
    colour: str = FOUND
    shape: str = "o"


def precision_recall_chart(
    precision: ArrayLike, recall: ArrayLike, average: float, marks: Sequence[Mark]
) -> Figure:
    """Precision against recall, with its average precision and the pairs that are to be seen."""
    figure, axes = chart(3.4, 3.3)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), xlabel="Recall", ylabel="Precision")
    label = "Model" if math.isnan(average) else f"Model, average precision {average:.3f}"
    axes.plot(recall, precision, color=REFERENCE, linewidth=1.8, label=label)
    for mark in marks:
        if not (math.isnan(mark.precision) or math.isnan(mark.recall)):
            axes.plot(
                mark.recall, mark.precision, mark.shape, color=mark.colour, markeredgecolor="black", markersize=8,
                label=f"{mark.name}, F1 {mark.f1:.3f}",
            )  # fmt: skip
    legend_below(axes)
    return figure


def threshold_chart(
    at: ArrayLike,
    scores: tuple[ArrayLike, ArrayLike, ArrayLike],
    chosen: float,
    *,
    name: str = "Threshold",
    level: tuple[str, float] | None = None,
) -> Figure:
    """F1, precision and recall (in this order) at every threshold, the chosen one as a line.

    Parameters
    ----------
    level
        Name and F1 of what has no threshold, drawn as a level line unless undefined.
    """
    figure, axes = chart(3.4, 3.3)
    axes.set(xlim=(0, 1), ylim=(0, 1.04), xlabel=name, ylabel="Score")
    f1, precision, recall = scores
    axes.plot(at, f1, color=FOUND, linewidth=2.2, label="F1")
    axes.plot(at, precision, color=REFERENCE, linestyle="--", linewidth=1.3, label="Precision")
    axes.plot(at, recall, color=REFERENCE, linestyle=":", linewidth=1.6, label="Recall")
    if level is not None and not math.isnan(level[1]):
        axes.axhline(level[1], color=BASELINE, linestyle="-.", linewidth=1.5, label=f"{level[0]}, F1 {level[1]:.3f}")
    axes.axvline(chosen, color="black", linewidth=1, label=f"Selected, {chosen:.2f}")
    legend_below(axes, columns=2)
    return figure


def chart(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty chart of so many inches, with a quiet grid."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=PRINTED_DOTS_PER_INCH, layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def legend_below(axes: Axes, columns: int = 1) -> None:
    """Say below a chart what its lines are."""
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=columns, fontsize=7.5, frameon=False, handlelength=2.4
    )


def plain_numbers(axis: Axis) -> None:
    """Numbers as people write them, not as powers of ten; between decades only 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0,)))
    low, high = axis.get_view_interval()
    few = math.log10(max(high, 1e-9) / max(low, 1e-9)) < 1.7
    axis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
    plain = FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axis.set_major_formatter(plain)
    axis.set_minor_formatter(plain if few else NullFormatter())
