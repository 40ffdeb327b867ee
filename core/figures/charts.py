"""What charts that print have in common.

The pages draw theirs with plotly, which needs a script to be seen; a report and a printer want a picture.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.figures.page import PRINTED_DOTS_PER_INCH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

GREY = "#666666"


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
