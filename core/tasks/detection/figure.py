"""Figures of a detection that print: boxes by how sure they are, what became of them, how dense they lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.figures.cartography import draw_north, draw_scale
from core.figures.image import (
    WITHOUT_DATA,
    draw_faint_image,
    draw_image,
    frame,
    image_below,
    reduced_shape,
)
from core.figures.judged import Judged, draw_judged
from core.figures.page import PAGE_INCHES, PRINTED_DOTS_PER_INCH, finish_map, single_map
from core.plots.colours import (
    DENSITY_RAMP,
    FALSE_POSITIVE,
    FOUND,
    MISSED,
    NOT_KNOWN,
    PROBABILITY_RAMP,
    REFERENCE,
    TRUE_POSITIVE,
)
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.metrics import LEFT_OUT
from core.tasks.detection.misses import Mistake, worst_mistakes
from core.tasks.detection.pairing import FALSE

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch as Handle

    from core.raster.grid import Grid
    from core.raster.scene import Scene
    from core.tasks.detection.findings import Detections

MOST = 5_000
"""Boxes that are drawn on one map, the surest; more could not be told apart on paper."""

WINDOWS = 6
ACROSS = 3
"""Most windows of a gallery, and how many stand beside each other."""

AROUND = 3.0
"""Side of such a window, in longer sides of the box in its middle."""

LEAST_WINDOW = 48
"""Least side of such a window in pixels, so that something is seen around the smallest box."""

SEEN = 0.05
"""Overlap from which a box is on a landslide at all."""

STEPS = (1, 2, 5)


@dataclass(frozen=True)
class BoxMap:
    """What maps of a detection show: the searched part of the scene, its image and the boxes on it.

    Attributes
    ----------
    grid
        Grid of the part.
    image
        (rows, columns, 4) uint8, reduced; None when the scene is gone.
    boxes
        Boxes found, the surest first, in pixels of `grid`.
    reference_boxes
        Boxes of the reference; None without one.
    matched
        (boxes,) index of the reference's box that each one is, or `FALSE`; None without a reference.
    missed
        Indices of the reference's boxes that nothing found.
    worst
        The largest of those.
    """

    grid: Grid
    image: NDArray[np.uint8] | None
    boxes: Boxes
    reference_boxes: Boxes | None
    matched: NDArray[np.intp] | None
    missed: NDArray[np.intp]
    worst: tuple[Mistake, ...]


def box_map(detections: Detections, scene: Scene | None, part: Window, longest: int) -> BoxMap:
    """Gather what maps show.

    Parameters
    ----------
    scene
        What was searched; None when it is gone.
    part
        The searched part, in pixels of the run's grid.
    longest
        Pixels of the longer side of the image at most.

    Raises
    ------
    StorageError
        When a file of the run is gone.
    """
    grid = detections.result.grid.window(part)
    image = None if scene is None else image_below(scene, grid, reduced_shape(grid, longest))
    reference_boxes, matches = detections.reference_boxes, detections.matches
    matched = None if matches is None else matches.matched[0][: detections.count]
    missed = np.empty(0, np.intp) if matches is None else matches.missed(detections.choice.confidence)[0]
    worst = () if matches is None else worst_mistakes(matches, detections.choice.confidence, WINDOWS).missed
    left, up = -float(part.col_off), -float(part.row_off)
    moved = None if reference_boxes is None else reference_boxes.moved(left, up)
    return BoxMap(grid, image, detections.boxes.moved(left, up), moved, matched, missed, worst)


def draw_boxes(shown: BoxMap, least: float, numbers: GeoDataFrame, judged: Judged | None = None) -> Figure:
    """One large map of the boxes, coloured by confidence, over the pale image; the reference's dashed.

    Parameters
    ----------
    least
        Confidence at which the scale begins: that from which boxes count.
    numbers
        Those whose ``id`` is written beside them, in the coordinates of the grid.
    judged
        What reviewers decided.
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    from core.figures.numbers import draw_numbers

    figure, axes = single_map(shown.grid)
    draw_faint_image(axes, shown.image, shown.grid)
    handles: list[Handle | Line2D] = []
    if shown.reference_boxes is not None and len(shown.reference_boxes):
        _lines(
            axes,
            shown.reference_boxes.take(np.arange(min(len(shown.reference_boxes), MOST))),
            REFERENCE,
            1.2,
            dashed=True,
        )
        handles.append(Line2D([], [], color=REFERENCE, linestyle="--", label="Reference inventory"))
    # Few detectors are ever very sure: on a scale up to 1 all their boxes would look the same.
    most = np.ceil(10 * float(shown.boxes.scores.max(initial=0.0)) - 1e-6) / 10
    norm = Normalize(min(least, 0.95), min(max(most, least + 0.1), 1.0))
    ramp = colormaps[PROBABILITY_RAMP]
    drawn = shown.boxes.take(np.arange(min(len(shown.boxes), MOST)))
    # The surest last, so that they lie on top.
    _lines(axes, drawn.take(np.arange(len(drawn))[::-1]), ramp(norm(drawn.scores[::-1])), _width(drawn))
    handles += [] if judged is None else draw_judged(axes, judged, shown.grid)
    finish_map(figure, axes, shown.grid, handles)
    _bar(figure, axes, ScalarMappable(norm, PROBABILITY_RAMP), "Confidence")
    if len(numbers):
        draw_numbers(axes, numbers, shown.grid)
    return figure


def draw_outcome(shown: BoxMap) -> Figure:
    """One large map of which boxes are in the reference, which are not, and which of the reference were missed."""
    from matplotlib.lines import Line2D

    figure, axes = single_map(shown.grid)
    draw_faint_image(axes, shown.image, shown.grid)
    handles: list[Handle | Line2D] = []
    for boxes, colour, dashed, words in outcomes(shown):
        _lines(axes, boxes.take(np.arange(min(len(boxes), MOST))), colour, _width(shown.boxes), dashed=dashed)
        label = f"{words} ({len(boxes):,})"
        handles.append(Line2D([], [], color=colour, linestyle="--" if dashed else "-", label=label))
    finish_map(figure, axes, shown.grid, handles)
    return figure


def outcomes(shown: BoxMap) -> tuple[tuple[Boxes, str, bool, str], ...]:
    """Boxes, colour, whether dashed, and words of each thing that can become of a box beside a reference."""
    false = np.zeros(len(shown.boxes), np.bool_) if shown.matched is None else shown.matched == FALSE
    unknown = np.zeros(len(shown.boxes), np.bool_) if shown.matched is None else shown.matched == LEFT_OUT
    right = ~false & ~unknown
    missed = Boxes.none() if shown.reference_boxes is None else shown.reference_boxes.take(shown.missed)
    return (
        (missed, MISSED, True, "Missed"),
        (shown.boxes.take(false), FALSE_POSITIVE, False, "False alarm"),
        (shown.boxes.take(right), TRUE_POSITIVE, False, "Correct"),
        *(((shown.boxes.take(unknown), NOT_KNOWN, False, "Not covered by the reference"),) if unknown.any() else ()),
    )


def cell_side(grid: Grid) -> float:
    """Side of the cells of a density map in metres (in pixels without CRS): 1, 2 or 5 times a power of ten.

    About a dozen of them lie along the longer side, and none is smaller than 16 pixels.
    """
    distance = grid.ground_distance() or 1.0
    wanted = max(max(grid.shape) / 12, 16) * distance
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next((step * power for step in STEPS if step * power >= wanted * (1 - 1e-9)), 10 * power))


def draw_density(shown: BoxMap, cells: NDArray[np.float64], rate: NDArray[np.float64], unit: str) -> Figure:
    """One large map of how many boxes lie in each cell, coloured by their number per area.

    Parameters
    ----------
    cells
        (cells, 5) left, top, right, bottom in pixels of the map's grid, and how many boxes have their middle in it.
    rate
        (cells,) number per area, in `unit`.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import Normalize

    figure, axes = single_map(shown.grid)
    draw_faint_image(axes, shown.image, shown.grid)
    some = cells[:, 4] > 0
    # One box in a sliver of a cell at the edge must not darken all others.
    sizes = (cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1])
    counted = some & (sizes >= sizes.max() / 2)
    norm = Normalize(0, float(rate[counted if counted.any() else some].max(initial=0.0)) or 1.0)
    painted = ScalarMappable(norm, DENSITY_RAMP)
    faces = painted.to_rgba(rate[some], alpha=0.75)
    axes.add_collection(PolyCollection(_rings(cells[some, :4]), facecolors=faces, edgecolors="white", linewidths=0.5))
    if len(cells) <= 600:
        for (left, top, right, bottom, count), height in zip(cells[some], norm(rate[some]), strict=True):
            axes.text(
                (left + right) / 2, (top + bottom) / 2, f"{count:.0f}", ha="center", va="center", fontsize=7,
                color="black" if height > 0.6 else "white",
            )  # fmt: skip
    finish_map(figure, axes, shown.grid, [])
    _bar(figure, axes, painted, f"Detections {unit}")
    return figure


def draw_surest(shown: BoxMap, scene: Scene, names: Iterable[str]) -> Figure:
    """The surest boxes, each in a window of the image around it: vermillion, those of the reference dashed blue.

    Parameters
    ----------
    names
        Ids of the boxes, the surest first.
    """
    scores = shown.boxes.scores[:WINDOWS]
    titles = [f"{name}, confidence {score:.2f}" for name, score in zip(names, scores, strict=False)]
    return _gallery(shown, scene, shown.boxes.take(np.arange(len(titles))), FOUND, titles)


def draw_missed(shown: BoxMap, scene: Scene | None) -> Figure:
    """The largest boxes of the reference that nothing found, each in a window of the image around it.

    Found boxes are vermillion, other boxes of the reference dashed blue, the missed one sky blue.
    """
    numbers = np.array([one.index for one in shown.worst], dtype=np.intp)
    boxes = Boxes.none() if shown.reference_boxes is None else shown.reference_boxes.take(numbers)
    titles = [
        f"No. {one.index + 1}: " + (f"best overlap {one.overlap:.2f}" if one.overlap >= SEEN else "no box overlaps it")
        for one in shown.worst
    ]
    return _gallery(shown, scene, boxes, MISSED, titles)


def _gallery(shown: BoxMap, scene: Scene | None, boxes: Boxes, colour: str, titles: Sequence[str]) -> Figure:
    """A window of the image around each box, which is drawn in a colour over all others."""
    from matplotlib.figure import Figure

    rows, columns = -(-len(boxes) // ACROSS), min(ACROSS, len(boxes))
    side = PAGE_INCHES / ACROSS
    size = (columns * side, rows * (side + 0.25))
    figure = Figure(figsize=size, dpi=PRINTED_DOTS_PER_INCH, layout="constrained", facecolor="white")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for number, axes in enumerate(places):
        if number < len(boxes):
            _draw_window(axes, shown, scene, boxes.take(np.array([number])), colour)
            axes.set_title(titles[number], fontsize=8)
        else:
            axes.set_visible(False)
    return figure


def _draw_window(axes: Axes, shown: BoxMap, scene: Scene | None, box: Boxes, colour: str) -> None:
    window = window_around(box.corners[0].astype(np.float64), shown.grid)
    grid = shown.grid.window(window)
    moved = (-float(window.col_off), -float(window.row_off))
    image = None if scene is None else image_below(scene, grid, reduced_shape(grid, 300))
    draw_image(axes, image, grid)
    if shown.reference_boxes is not None:
        _lines(axes, near(shown.reference_boxes.moved(*moved), grid), REFERENCE, 1.6, dashed=True)
    _lines(axes, near(shown.boxes.moved(*moved), grid), FOUND, 1.2)
    _lines(axes, box.moved(*moved), colour, 2.2)
    frame(axes, grid)
    draw_scale(axes, grid)
    draw_north(axes, grid)


def window_around(corners: NDArray[np.float64], grid: Grid) -> Window:
    """A square window with a box in its middle, moved into the grid where it can be."""
    left, top, right, bottom = corners
    side = round(min(max(AROUND * max(right - left, bottom - top), LEAST_WINDOW), max(grid.shape)))
    width, height = min(side, grid.width), min(side, grid.height)
    column = int(np.clip((left + right) / 2 - width / 2, 0, grid.width - width))
    row = int(np.clip((top + bottom) / 2 - height / 2, 0, grid.height - height))
    return Window(column, row, width, height)


def near(boxes: Boxes, grid: Grid) -> Boxes:
    """Those boxes that reach into a grid, in whose pixels they are; of very many the first."""
    left, top, right, bottom = boxes.corners.T
    near = boxes.take((right > 0) & (bottom > 0) & (left < grid.width) & (top < grid.height))
    return near.take(np.arange(min(len(near), MOST)))


def _width(boxes: Boxes) -> float:
    """Width of lines: thin where there are many."""
    return 1.6 if len(boxes) <= 200 else 1.0 if len(boxes) <= 1_000 else 0.6


def _lines(axes: Axes, boxes: Boxes, colours: Any, width: float, *, dashed: bool = False) -> None:  # noqa: ANN401
    """Draw the edges of boxes, with a dark rim so that they are seen on bright ground and on dark."""
    from matplotlib.collections import PolyCollection

    if not len(boxes):
        return
    rings = _rings(boxes.corners)
    style: Any = (0, (3, 2)) if dashed else "solid"
    rim: dict[str, Any] = {"facecolors": "none", "linestyles": style}
    if not dashed:
        axes.add_collection(PolyCollection(rings, edgecolors="black", linewidths=width + 1.0, **rim))
    axes.add_collection(PolyCollection(rings, edgecolors=colours, linewidths=width, **rim))


def _rings(corners: NDArray[Any]) -> list[NDArray[np.float64]]:
    """For each box the corners (4, 2) of its ring."""
    left, top, right, bottom = np.asarray(corners, dtype=np.float64).T
    pairs = ((left, top), (right, top), (right, bottom), (left, bottom))
    return list(np.stack([np.stack(pair, axis=1) for pair in pairs], axis=1))


def _bar(figure: Figure, axes: Axes, painted: Any, label: str) -> None:  # noqa: ANN401  matplotlib leaves it untyped
    bar = figure.colorbar(painted, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.ax.set_facecolor(WITHOUT_DATA)


