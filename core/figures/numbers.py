"""Ids beside what they name on a map, placed where they cover little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from core.raster.inside import points_inside

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes

    from core.raster.grid import Grid

Box = tuple[float, float, float, float]
"""Left, bottom, right and top in points, 72 to the inch."""

FONT = 7.0
"""Height of the letters in points."""

LETTER, LINE = 0.76 * FONT, 13.0
"""Width of a letter in bold and height of a label with its frame, in points."""

GAP = 4.0
"""Points between a label and what it names."""

FARTHEST = 45.0
"""Points from the middle of what is named to the edge of its label, however large it is."""

DIRECTIONS = ((1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))

TAKEN = ((0.86, 0.76, 1.0, 1.0), (0.0, 0.0, 0.32, 0.14))
"""Where north arrow and scale bar stand, as shares of the map: left, bottom, right, top."""


def draw_numbers(axes: Axes, polygons: GeoDataFrame, grid: Grid) -> None:
    """Write the id of each polygon beside it, with a line to a point inside; the last thing drawn on a map.

    Parameters
    ----------
    axes
        The map, in the pixels of the grid (x column, y row).
    polygons
        With a column ``id``, the most important first, in the grid's CRS or in pixels (x column, y row).
    grid
        Of the map.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101  a map is drawn on one
    figure.draw_without_rendering()  # a layout moves its parts when it is drawn: before that nothing has its place
    to = ~grid.transform if grid.is_georeferenced else Affine.identity()
    scale = 72.0 / figure.get_dpi()

    def in_pixels(places: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = places.T
        return np.column_stack([to.a * x + to.b * y + to.c, to.d * x + to.e * y + to.f])

    def in_points(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(axes.transData.transform(pixels)) * scale

    named = [str(one) for one in polygons["id"]]
    pixels = in_pixels(shapely.get_coordinates(points_inside(polygons.geometry).to_numpy()))
    inside = in_points(pixels)
    boxes = [_bounds(in_points(in_pixels(shapely.get_coordinates(one.envelope)))) for one in polygons.geometry]
    left, bottom, right, top = (value * scale for value in axes.bbox.extents)
    width, height = right - left, top - bottom
    taken = [(left + a * width, bottom + b * height, left + c * width, bottom + d * height) for a, b, c, d in TAKEN]
    centres = np.asarray(placed(boxes, [len(one) * LETTER + 6 for one in named], (left, bottom, right, top), taken))
    # The most important last, so that its number lies on top where they crowd.
    for place in reversed(range(len(named))):
        axes.annotate(
            named[place], tuple(pixels[place]), tuple(centres[place] - inside[place]), textcoords="offset points",
            ha="center", va="center", fontsize=FONT, fontweight="bold", zorder=6,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "black", "linewidth": 0.8},
            arrowprops={"arrowstyle": "-", "color": "black", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def placed(
    boxes: Sequence[Box], widths: Sequence[float], frame: Box, taken: Sequence[Box] = ()
) -> list[tuple[float, float]]:
    """Where labels stand that cover as little as they can.

    Parameters
    ----------
    boxes
        Of what is named, the most important first, in points.
    widths
        Of the labels.
    frame
        Of the map, which no label should leave.
    taken
        Of what a label should not cover either.

    Returns
    -------
    list of (float, float)
        Middle of each label.
    """
    before: list[Box] = []
    found = []
    for box, width in zip(boxes, widths, strict=True):
        best = min((_cost(one, frame, boxes, [*taken, *before]), place, one)
                   for place, one in enumerate(_around(box, width)))[2]  # fmt: skip
        before.append(best)
        found.append(((best[0] + best[2]) / 2, (best[1] + best[3]) / 2))
    return found


def _around(box: Box, width: float) -> list[Box]:
    """Labels in each direction from a box."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    aside = min((box[2] - box[0]) / 2, FARTHEST) + GAP + width / 2
    above = min((box[3] - box[1]) / 2, FARTHEST) + GAP + LINE / 2
    corner = 0.75  # of a round shape the corners of its box are free
    shares = [(dx * (corner if dy else 1.0), dy * (corner if dx else 1.0)) for dx, dy in DIRECTIONS]
    middles = [(x + dx * aside, y + dy * above) for dx, dy in shares]
    return [(a - width / 2, b - LINE / 2, a + width / 2, b + LINE / 2) for a, b in middles]


def _cost(label: Box, frame: Box, named: Sequence[Box], others: Sequence[Box]) -> float:
    """Square points of what a label covers or leaves the map with, those of other labels counted as more."""
    outside = (label[2] - label[0]) * (label[3] - label[1]) - _shared(label, frame)
    return 10 * outside + 5 * sum(_shared(label, one) for one in others) + sum(_shared(label, one) for one in named)


def _shared(one: Box, other: Box) -> float:
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _bounds(corners: NDArray[np.float64]) -> Box:
    (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(bottom), float(right), float(top)
