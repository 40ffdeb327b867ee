"""One map on a printed page: how large it is, and what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.figures.cartography import draw_coordinates, draw_north, draw_scale
from core.figures.image import frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch as Handle

    from core.raster.grid import Grid

PRINTED_DOTS_PER_INCH = 200

PAGE_INCHES = 7.0
"""Width of a map that fills a printed page, about 178 mm."""

TALLEST_MAP_INCHES = 8.2
LOWEST_MAP_INCHES = 1.0

FEWEST_LETTERS = 12
"""Of a line of a legend that is wrapped."""

MOST_COLUMNS = 3
"""Entries of a legend beside each other; more would not fit on the page."""

NARROW_MAP_INCHES = 3.0
"""The least width of a picture, below which its legend has no room."""


def single_map(grid: Grid, width: float = PAGE_INCHES, room: float = 0.5) -> tuple[Figure, Axes]:
    """A figure for one map of the grid: as wide as the page, or as tall as fits on it, with room for a legend."""
    from matplotlib.figure import Figure

    aspect = grid.width / grid.height
    height = max(min(width / aspect, TALLEST_MAP_INCHES), LOWEST_MAP_INCHES)
    width = min(width, max(height * aspect + 1.0, NARROW_MAP_INCHES))
    figure = Figure(figsize=(width, height + room), dpi=PRINTED_DOTS_PER_INCH, layout="constrained", facecolor="white")
    return figure, figure.subplots()


def finish_map(figure: Figure, axes: Axes, grid: Grid, handles: list[Handle | Line2D]) -> None:
    """Give a map its frame with coordinates, scale and north, and below it what its colours mean."""
    frame(axes, grid)
    draw_coordinates(axes, grid)
    draw_scale(axes, grid)
    draw_north(axes, grid)
    if handles:
        add_legend(figure, handles)


def add_legend(figure: Figure, handles: list[Handle | Line2D]) -> Legend:
    """A legend below a figure, with as many entries beside each other as fit on it; longer words are wrapped."""
    from textwrap import fill

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]

    def placed(columns: int) -> Legend:
        return figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)

    def fits() -> bool:
        return bool(made.get_window_extent(drawer).width <= figure.bbox.width)

    columns = min(len(handles), MOST_COLUMNS)
    made = placed(columns)
    while not fits() and columns > 1:
        made.remove()
        columns -= 1
        made = placed(columns)
    words = [text.get_text() for text in made.get_texts()]
    letters = max(map(len, words))
    while not fits() and letters > FEWEST_LETTERS:
        letters -= 2
        for text, word in zip(made.get_texts(), words, strict=True):
            text.set_text(fill(word, letters))
    return made
