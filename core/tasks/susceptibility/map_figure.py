"""Figures of a map of susceptibility for print: its classes with landslides, scale, north and coordinates; curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.figures.cartography import outlines
from core.figures.charts import chart, legend_below
from core.figures.image import extent_of, reduced, reduced_shape
from core.figures.page import finish_map, single_map
from core.learning.metrics import NODATA_CODE
from core.plots.colours import FOUND, REFERENCE, rgb
from core.wording import factor_words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from core.learning.roc import RocCurve
    from core.raster.grid import Grid

UNLIKE = "Unlike all training cells"
"""What hatching says."""

MOST_OUTLINES = 3_000
"""Landslides that are drawn; of more, the first."""


def draw_classes(
    index: Path, grid: Grid, breaks: Sequence[int], classes: Mapping[str, str], slides: GeoDataFrame | None,
    unlike: Path | None = None, limit: float = 0.0,
) -> Figure:  # fmt: skip
    """One large map of the classes, with the landslides outlined.

    Parameters
    ----------
    index
        Raster of codes.
    breaks
        First code of each class but the lowest, ascending.
    classes
        Colour ``#RRGGBB`` by name, the lowest class first.
    slides
        Outlines in the coordinates of the grid; None for none.
    unlike, limit
        Raster of the dissimilarity index, and the limit beyond which the map is hatched; None for none.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure, axes = single_map(grid)
    handles: list[Patch | Line2D] = [Patch(facecolor=colour, label=name) for name, colour in classes.items()]
    codes, valid = reduced(index, reduced_shape(grid))
    number = np.searchsorted(np.asarray(breaks), codes, side="right")
    table = np.array([(*rgb(colour), 255) for colour in classes.values()] + [(0, 0, 0, 0)], np.uint8)
    known = valid & (codes != NODATA_CODE)
    axes.imshow(table[np.where(known, number, len(classes))], extent=extent_of(grid), interpolation="nearest")
    if unlike is not None:
        beyond, there = reduced(unlike, reduced_shape(grid))
        outside = np.where(there & (np.nan_to_num(beyond) > limit), 1.0, 0.0)
        if outside.any():
            rows, columns = outside.shape
            x, y = (np.arange(columns) + 0.5) * grid.width / columns, (np.arange(rows) + 0.5) * grid.height / rows
            axes.contourf(x, y, outside, levels=[0.5, 1.5], colors="none", hatches=["/////"])
            handles.append(Patch(facecolor="none", edgecolor="#282828", hatch="/////", label=UNLIKE))
    if slides is not None and len(slides):
        paths = outlines(slides.geometry.to_numpy()[:MOST_OUTLINES], grid)
        for colour, width in (("white", 1.8), (REFERENCE, 0.9)):  # a bright seam, to be seen on every class
            axes.add_collection(
                PathCollection(paths, facecolors="none", edgecolors=colour, linewidths=width, offsets=None)
            )
        handles.append(Line2D([], [], color=REFERENCE, label="Landslides"))
    finish_map(figure, axes, grid, handles)
    return figure


def roc_chart(curves: Mapping[str, RocCurve], front: str) -> Figure:
    """ROC curves by title of the model, one of them in front."""
    figure, axes = chart(3.6, 3.6)
    axes.plot([0, 1], [0, 1], color="#767676", linestyle=":", linewidth=1, label="Chance")
    for name in sorted(curves, key=lambda one: one == front):
        ahead = name == front
        axes.plot(
            curves[name].false_rate, curves[name].true_rate, color=FOUND if ahead else "#999999",
            linewidth=2.0 if ahead else 0.8, label=name if ahead else None,
        )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="False positive rate", ylabel="True positive rate")
    legend_below(axes, columns=2)
    return figure


def rate_chart(curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Figure:
    """Share of the landslides over the share of the area, from the highest index down, by name of the curve."""
    figure, axes = chart(3.6, 3.6)
    axes.plot([0, 1], [0, 1], color="#767676", linestyle=":", linewidth=1, label="Chance")
    for (name, (area, hits)), colour in zip(curves.items(), (REFERENCE, FOUND), strict=False):
        axes.plot(area, hits, color=colour, linewidth=1.8, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="Share of the area", ylabel="Share of the landslides")
    legend_below(axes)
    return figure


def contribution_chart(contributions: Mapping[str, float], scale: str, *, signed: bool = False) -> Figure:
    """The contribution of each factor, the largest on top.

    Parameters
    ----------
    contributions
        Mean sizes over many cells by factor; those of one cell, with their sign, when `signed`.
    scale
        Unit.
    """
    ordered = sorted(contributions.items(), key=lambda one: abs(one[1]))[-15:]
    figure, axes = chart(5.2, 0.6 + 0.24 * len(ordered))
    colours = [FOUND if signed and value > 0 else REFERENCE for _, value in ordered]
    axes.barh([factor_words(name) for name, _ in ordered], [value for _, value in ordered], color=colours)
    if signed:
        axes.axvline(0, color="#767676", linewidth=0.8)
    axes.set_xlabel(f"{'Contribution' if signed else 'Mean absolute contribution'} ({scale})")
    return figure
