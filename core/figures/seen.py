"""A map as it was seen on a page, with what a picture needs that is passed on: title, legend, scale, north, credits."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.figures.cartography import coordinate_system, draw_north, draw_scale
from core.raster.files import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from core.plots.colours import Legend
    from core.raster.grid import Grid

GROUND = (233, 232, 236)
"""Colour of a map where no layer lies."""

_DOTS = 100
_HEAD, _LINE, _SIDE, _EDGE = 54, 15, 230, 12
"""Pixels of the page: height of the head, of a line of text, width of the legend, space at edges."""

_POINTS = 72 / _DOTS
"""Points of a pixel of the page."""


@dataclass(frozen=True)
class Drawn:
    """Outlines in pixels of the picture.

    Attributes
    ----------
    shapes
        Rings of each: arrays (corners, 2) of column and row.
    colours, chosen
        Of each, its colour and whether it is highlighted.
    weight, fill, dashed, seam
        Width in pixels of the page, opacity inside, and whether the lines are dashed and have a bright seam.
    """

    shapes: Sequence[Sequence[NDArray[np.float64]]]
    colours: Sequence[str]
    chosen: Sequence[bool]
    weight: float
    fill: float
    dashed: bool
    seam: bool


@dataclass(frozen=True)
class SeenMap:
    """A map and what stands around it.

    Attributes
    ----------
    image
        Its rasters, (height, width, 3).
    grid
        Of the image.
    drawn
        From bottom to top.
    legends
        From top to bottom.
    title, about, credits
        Above it in two lines; and below it, a line or more each.
    scale
        Pixels of the image for one of the page.
    divider, sides
        Share of the width at which a divider stands, and what is on both sides of it.
    system
        What its coordinates and lengths are in, where the grid of the image does not say it.
    """

    image: NDArray[np.uint8]
    grid: Grid
    drawn: tuple[Drawn, ...]
    legends: tuple[Legend, ...]
    title: str
    about: str
    credits: tuple[str, ...]
    scale: int = 1
    divider: float | None = None
    sides: tuple[str, ...] = ()
    system: str = ""


def seen_map(seen: SeenMap) -> Figure:
    """Draw a map as it was seen; saved as it is, the figure has the image's pixels unchanged."""
    from matplotlib.figure import Figure

    height, width = (side / seen.scale for side in seen.image.shape[:2])
    side = _SIDE if seen.legends else 0
    system = "Web Mercator (EPSG:3857)" if seen.grid.crs and seen.grid.crs.to_epsg() == 3857 else ""
    told = (*seen.credits, f"Map: {seen.system or system or coordinate_system(seen.grid)}. Made with SlideLens.")
    lines = [line for text in told for line in textwrap.wrap(one_line(text), max(30, int((width + side) / 6)))]
    foot = _LINE * len(lines) + 2 * _EDGE / 2
    whole = (width + side, height + _HEAD + foot)
    figure = Figure(figsize=(whole[0] / _DOTS, whole[1] / _DOTS), dpi=_DOTS * seen.scale, facecolor="white")
    axes = figure.add_axes((0.0, foot / whole[1], width / whole[0], height / whole[1]))
    _draw(axes, seen)

    def text(x: float, y: float, words: str, **how: Any) -> None:  # noqa: ANN401 - matplotlib's
        # Names of files are shown as they are: a dollar begins no formula.
        figure.text(x / whole[0], 1 - y / whole[1], words, parse_math=False, va="top", **how)

    longest = int(whole[0] / 8)
    text(_EDGE, 10, textwrap.shorten(one_line(seen.title) or "Map", longest), fontsize=11, fontweight="bold")
    text(_EDGE, 32, textwrap.shorten(one_line(seen.about), int(whole[0] / 6)), fontsize=8, color="#444444")
    for place, line in enumerate(lines):
        text(_EDGE, _HEAD + height + _EDGE / 2 + place * _LINE, line, fontsize=7, color="#444444")
    if seen.legends:
        _draw_legends(figure, seen.legends, (width + _EDGE, float(_HEAD)), whole)
    return figure


def _draw(axes: Axes, seen: SeenMap) -> None:
    height, width = seen.image.shape[:2]
    axes.imshow(seen.image, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for drawn in seen.drawn:
        _draw_outlines(axes, drawn)
    if seen.divider is not None:
        axes.axvline(seen.divider * width, color="white", linewidth=1.5)
        for words, share, side in zip(seen.sides, (-6, 6), ("right", "left"), strict=False):
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
            axes.text(
                seen.divider * width + share * seen.scale, 8 * seen.scale, words, ha=side, va="top", fontsize=8,
                bbox=box, parse_math=False,
            )  # fmt: skip
    draw_scale(axes, seen.grid)
    draw_north(axes, seen.grid)


def _draw_outlines(axes: Axes, drawn: Drawn) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_rgba
    from matplotlib.path import Path as Outline

    paths = [Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings)) for rings in drawn.shapes]
    if not paths:
        return
    fills = [to_rgba(colour, max(drawn.fill, 0.35) if chosen else drawn.fill)
             for colour, chosen in zip(drawn.colours, drawn.chosen, strict=True)]  # fmt: skip
    style: Any = (0, (5 / drawn.weight, 4 / drawn.weight)) if drawn.dashed else "solid"
    if drawn.seam:
        bright = to_rgba("white", 0.55)
        width = (drawn.weight + 1.8) * _POINTS
        axes.add_collection(PathCollection(paths, facecolors="none", edgecolors=bright, linewidths=width))
    halo = [path for path, chosen in zip(paths, drawn.chosen, strict=True) if chosen]
    if halo:
        axes.add_collection(PathCollection(halo, facecolors="none", edgecolors="white", linewidths=9 * _POINTS))
    axes.add_collection(
        PathCollection(
            paths, facecolors=fills, edgecolors=list(drawn.colours), linewidths=drawn.weight * _POINTS, linestyles=style
        )
    )


def _draw_legends(
    figure: Figure, legends: Sequence[Legend], start: tuple[float, float], whole: tuple[float, float]
) -> None:
    """Write what the colours mean, downwards from a place in pixels of the page, as long as there is room."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    x, y = start[0], start[1] + 4
    room = whole[1] - 20

    def text(x: float, y: float, words: str, **how: Any) -> None:  # noqa: ANN401 - matplotlib's
        figure.text(x / whole[0], 1 - y / whole[1], words, parse_math=False, va="top", **{"fontsize": 8, **how})

    # Those without a title come first: below the titles of others they would seem to belong to them.
    for legend in sorted(legends, key=lambda one: bool(one.title)):
        needed = _LINE * (1 + (2.5 if legend.kind == "ramp" else len(legend.entries)))
        if y + needed > room:
            break
        if legend.title:
            text(x, y, textwrap.shorten(one_line(legend.title), 36), fontweight="bold")
            y += _LINE + 3
        if legend.kind == "ramp":
            width = _SIDE - 2 * _EDGE
            bar = figure.add_axes((x / whole[0], 1 - (y + 12) / whole[1], width / whole[0], 12 / whole[1]))
            ramp = LinearSegmentedColormap.from_list("legend", [entry.colour for entry in legend.entries])
            bar.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=ramp)
            bar.set(xticks=[], yticks=[])
            named = [entry.label for entry in legend.entries if entry.label]
            for place, words in enumerate(named):
                share = place / max(1, len(named) - 1)
                side = "left" if not place else "right" if place == len(named) - 1 else "center"
                text(x + share * width, y + 15, one_line(words), ha=side, fontsize=7)
            y += 2 * _LINE + 8
            continue
        for entry in legend.entries:
            swatch = Rectangle(
                (x / whole[0], 1 - (y + 11) / whole[1]), 12 / whole[0], 11 / whole[1], transform=figure.transFigure,
                facecolor=entry.colour if entry.drawn == "filled" else "white",
                edgecolor=entry.colour if entry.drawn in ("line", "dashed") else "#555555",
                linewidth=1.5 if entry.drawn in ("line", "dashed") else 0.5,
                linestyle="--" if entry.drawn == "dashed" else "-",
                hatch="/////" if entry.drawn == "hatched" else None,
            )  # fmt: skip
            figure.add_artist(swatch)
            text(x + 20, y, textwrap.shorten(one_line(entry.label), 34))
            y += _LINE + 2
        y += 6
