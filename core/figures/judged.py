"""What reviewers decided, as marks over a map that prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from core.figures.cartography import outlines
from core.plots.colours import TRUE_POSITIVE
from core.raster.inside import point_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid

WRONG = "#000000"


@dataclass(frozen=True)
class Judged:
    """Outlines in the coordinates of a grid (columns and rows without a coordinate system), by what was decided.

    Attributes
    ----------
    correct
        Accepted as landslides by the review, with the model's outline or a corrected one.
    wrong
        False alarms, and what was deleted.
    added
        Landslides that a reviewer drew because the model had missed them.
    """

    correct: Sequence[BaseGeometry] = ()
    wrong: Sequence[BaseGeometry] = ()
    added: Sequence[BaseGeometry] = ()


def draw_judged(axes: Axes, judged: Judged, grid: Grid) -> list[Line2D]:
    """Mark each reviewed outline around a point inside it, and draw the outlines that were added.

    Marks are hollow, or small outlines could not be seen below them.

    Returns
    -------
    Handles for a legend, of the kinds that occur.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D

    if judged.added:
        paths = outlines(np.array(list(judged.added), dtype=object), grid)
        for colour, width in (("white", 2.6), (TRUE_POSITIVE, 1.4)):
            axes.add_collection(
                PathCollection(paths, facecolors="none", edgecolors=colour, linewidths=width, offsets=None, zorder=4)
            )
    handles = []
    for which, sign, colour, words in (
        (judged.correct, "o", TRUE_POSITIVE, "Reviewed: correct, or outline corrected, split or merged"),
        (judged.wrong, "x", WRONG, "Reviewed: false alarm or deleted"),
        (judged.added, "D", TRUE_POSITIVE, "Added by a reviewer"),
    ):
        if not which:
            continue
        look: dict[str, Any] = {"marker": sign, "linestyle": "none", "markersize": 8, "markerfacecolor": "none"}
        places = _places(which, grid)
        axes.plot(*places, zorder=5, markeredgecolor="white", markeredgewidth=3.2, **look)
        look |= {"markeredgecolor": colour, "markeredgewidth": 1.6}
        axes.plot(*places, zorder=6, **look)
        handles.append(Line2D([], [], label=words, **look))
    return handles


def _places(shapes: Sequence[BaseGeometry], grid: Grid) -> tuple[list[float], list[float]]:
    """Columns and rows of a point inside each outline, of several parts inside the largest."""
    placement = ~grid.transform if grid.is_georeferenced else Affine.identity()
    places = [placement @ (point.x, point.y) for point in map(point_inside, shapes)]
    return [place[0] for place in places], [place[1] for place in places]
