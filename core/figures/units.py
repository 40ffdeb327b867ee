"""Labelled units or points on one map that prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from core.figures.cartography import outlines
from core.figures.numbers import draw_numbers
from core.figures.page import finish_map, single_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from core.raster.grid import Grid

FILL = 0.3
"""Opacity of the inside of a unit."""

LARGEST, SMALLEST, INK = 36.0, 2.0, 40_000.0
"""Square points of a mark of a point at most and at least, and of all marks of a map together."""


@dataclass(frozen=True)
class Units:
    """Some units that look the same.

    Attributes
    ----------
    words
        What they are, for the legend.
    places
        Their outlines or points, in the coordinates of the grid of the map.
    colour
        Theirs.
    over
        Whether they are drawn over others as dashed lines, with nothing inside.
    """

    words: str
    places: NDArray[np.object_]
    colour: str
    over: bool = False


def draw_units(grid: Grid, groups: Sequence[Units], named: GeoDataFrame) -> Figure:
    """One large map of units, with scale, north, coordinates and legend.

    Parameters
    ----------
    grid
        Of the map, in whose coordinate system all places are.
    groups
        What is drawn, the later over the earlier; an empty one is left out.
    named
        Those whose name is written beside them (column ``id``), the most important first.
    """
    figure, axes = single_map(grid)
    there = [group for group in groups if len(group.places)]
    size = float(np.clip(INK / max(sum(len(group.places) for group in there), 1), SMALLEST, LARGEST))
    handles = [_draw(axes, grid, group, size) for group in there]
    finish_map(figure, axes, grid, list(handles))
    if len(named):
        draw_numbers(axes, named, grid)
    return figure


def _draw(axes: Axes, grid: Grid, group: Units, size: float) -> Line2D:
    """Draw a group; gives its entry in the legend."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D

    are_points = shapely.get_dimensions(group.places) == 0
    points, shapes = group.places[are_points], group.places[~are_points]
    if len(points):
        columns, rows = ~grid.transform @ (shapely.get_x(points), shapely.get_y(points))
        axes.scatter(columns, rows, s=size, c=group.colour, edgecolors="white", linewidths=0.3, rasterized=True)
    if len(shapes):
        inside = "none" if group.over else to_rgba(group.colour, FILL)
        axes.add_collection(PathCollection(
            outlines(shapes, grid), facecolors=inside, edgecolors=group.colour, offsets=None,
            linewidths=1.4 if group.over else 0.7, linestyles="dashed" if group.over else "solid",
        ))  # fmt: skip
    if len(points):
        return Line2D([], [], linestyle="none", marker="o", color=group.colour, label=group.words)
    line = {"linestyle": "dashed" if group.over else "solid", "linewidth": 1.6 if group.over else 4.0}
    return Line2D([], [], color=group.colour, label=group.words, **line)  # type: ignore[arg-type]
