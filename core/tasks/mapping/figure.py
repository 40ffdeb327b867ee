"""Figures of a mapping for reports: image, probability and landslides found, with scale, north and origin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.figures.cartography import coordinate_system, draw_north, draw_scale, outlines
from core.figures.image import draw_image, extent_of, frame
from core.figures.judged import Judged, draw_judged
from core.figures.numbers import draw_numbers
from core.figures.page import (
    LOWEST_MAP_INCHES,
    PAGE_INCHES,
    PRINTED_DOTS_PER_INCH,
    TALLEST_MAP_INCHES,
    finish_map,
    single_map,
)
from core.plots.colours import DIVERGING_RAMP, FOUND
from core.raster.scene import Scene
from core.raster.write import atomic_path
from core.tasks.mapping.overviews import Overviews, draw_landslides, draw_outcome, draw_probability, read_overviews

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from core.raster.grid import Grid
    from core.tasks.mapping.findings import Findings

DOTS_PER_INCH = 150
PANEL_INCHES = 4.4
TALLEST_INCHES = 8.0
FEW = 30
"""Outlines up to which they are drawn thick; of more, small ones would hide what lies inside."""

WIDE = 2.4
"""Scenes wider than this many times their height have their panels under one another."""

LONGEST_NAME = 90


def write_figure(findings: Findings, scene: Scene, path: Path) -> None:
    """Draw image, probability and landslides side by side as a PNG.

    Parameters
    ----------
    findings
        Landslides of a run at a threshold.
    scene
        The scene that the run mapped; the run's grid may be a part of it.
    path
        The PNG, which appears whole or not at all.

    Raises
    ------
    StorageError
        When a raster of the run is gone or the disk is full.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw_figure(findings, scene, read_overviews(findings.result, scene))
    FigureCanvasAgg(figure)
    with atomic_path(path) as aside:
        # Without a time in it, equal runs give equal files.
        figure.savefig(aside, format="png", metadata={"Software": "SlideLens", "Creation Time": None})


def draw_figure(findings: Findings, scene: Scene, panels: Overviews) -> Figure:
    """Lay out the three panels with title, scale, north arrow, legend and the line of origin."""
    from matplotlib.figure import Figure

    grid, threshold = findings.result.grid, findings.choice.threshold
    aspect = grid.width / grid.height
    stacked = aspect > WIDE
    width = PANEL_INCHES * (2.2 if stacked else 1.0)
    height = min(width / aspect, TALLEST_INCHES)
    width = max(height * aspect, 2.2)
    rows, columns = (3, 1) if stacked else (1, 3)
    size = (columns * width + 1.2, rows * (height + 0.45) + 1.1)
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")
    image, probability, found = figure.subplots(rows, columns, squeeze=False).ravel()

    draw_image(image, panels.image, grid)
    image.set_title("Image" + (" (synthetic)" if scene.synthetic else ""))
    draw_scale(image, grid)
    draw_north(image, grid)
    draw_probability(figure, probability, panels, grid, threshold)
    probability.set_title(f"Probability of landslide (line: threshold {threshold:.2f})")
    handles = draw_landslides(found, panels, grid, findings.polygons)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01)}
    found.legend(handles=handles, ncols=2, fontsize=8, frameon=False, **below)
    found.set_title(f"Landslides at threshold {threshold:.2f}")
    for axes in (image, probability, found):
        frame(axes, grid)
    # parse_math off: a name such as "a$b$c" is text, never a formula.
    figure.suptitle(_name(findings, scene), fontsize=12, parse_math=False)
    figure.supxlabel(origin(findings, scene), fontsize=7, parse_math=False, linespacing=1.5)
    return figure


def draw_overview(panels: Overviews, grid: Grid, threshold: float, *, synthetic: bool = False) -> Figure:
    """Image and probability beside each other, or under one another for a wide scene; without an image the latter."""
    from matplotlib.figure import Figure

    count = 1 if panels.image is None else 2
    aspect = grid.width / grid.height
    columns = 1 if aspect > WIDE else count
    rows = count // columns
    room = PAGE_INCHES / columns - (0.45 if columns > 1 else 0.9)
    height = max(min(room / aspect, TALLEST_MAP_INCHES / rows - 0.4), LOWEST_MAP_INCHES)
    size = (PAGE_INCHES, rows * (height + 0.4))
    figure = Figure(figsize=size, dpi=PRINTED_DOTS_PER_INCH, layout="constrained", facecolor="white")
    places = list(figure.subplots(rows, columns, squeeze=False).ravel())
    if panels.image is not None:
        draw_image(places[0], panels.image, grid)
        places[0].set_title("Image" + (" (synthetic)" if synthetic else ""), fontsize=9)
    draw_probability(figure, places[-1], panels, grid, threshold)
    places[-1].set_title(f"Probability of landslide (line: threshold {threshold:.2f})", fontsize=9)
    draw_scale(places[0], grid)
    draw_north(places[0], grid)
    for axes in places:
        frame(axes, grid)
    return figure


def draw_map(
    panels: Overviews, grid: Grid, found: GeoDataFrame | float, numbered: int = 10, judged: Judged | None = None
) -> Figure:
    """One large map of the landslides found, with scale, north and coordinates at its frame.

    Parameters
    ----------
    found
        Polygons, the largest first, or for a raster too large for them the threshold.
    numbered
        How many of the polygons have their number written beside them.
    judged
        What reviewers decided.
    """
    figure, axes = single_map(grid)
    handles = draw_landslides(axes, panels, grid, found)
    handles += [] if judged is None else draw_judged(axes, judged, grid)
    finish_map(figure, axes, grid, handles)
    if not isinstance(found, float) and len(found):
        draw_numbers(axes, found.head(numbered), grid)
    return figure


def draw_before_and_after(
    earlier: NDArray[np.uint8] | None, later: NDArray[np.uint8] | None, grid: Grid, new: GeoDataFrame
) -> Figure:
    """The images before and after beside each other, or under one another where they are wide, each with what is new.

    Parameters
    ----------
    earlier, later
        (rows, columns, 4) uint8 on the same grid; None where an image is no longer there.
    new
        Polygons of the new landslides.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    aspect = grid.width / grid.height
    columns = 1 if aspect > WIDE else 2
    rows = 2 // columns
    height = max(min((PAGE_INCHES / columns - 0.1) / aspect, TALLEST_MAP_INCHES / rows - 0.6), LOWEST_MAP_INCHES)
    size = (PAGE_INCHES, rows * (height + 0.3) + 0.3)
    figure = Figure(figsize=size, dpi=PRINTED_DOTS_PER_INCH, layout="constrained", facecolor="white")
    places = list(figure.subplots(rows, columns, squeeze=False).ravel())
    paths, thin = outlines(new.geometry.to_numpy(), grid), 0.5 if len(new) > FEW else 1.0
    for axes, image, title in zip(places, (earlier, later), ("Earlier image", "Image of this report"), strict=True):
        draw_image(axes, image, grid)
        for colour, width in (("white", 2.2 * thin), (FOUND, 1.2 * thin)):
            axes.add_collection(
                PathCollection(paths, facecolors="none", edgecolors=colour, linewidths=width, offsets=None)
            )
        axes.set_title(title if image is not None else f"{title} (not available)", fontsize=9)
        frame(axes, grid)
    draw_scale(places[0], grid)
    draw_north(places[0], grid)
    if len(new):
        handles = [Line2D([], [], color=FOUND, label="New landslide")]
        figure.legend(handles=handles, loc="outside lower center", fontsize=8, frameon=False)
    return figure


def draw_agreement(panels: Overviews, grid: Grid, threshold: float) -> Figure:
    """One large map of where a mapping agrees with its reference."""
    figure, axes = single_map(grid)
    handles = draw_outcome(axes, panels, grid, threshold)
    finish_map(figure, axes, grid, handles)
    return figure


def draw_change(grid: Grid, change: NDArray[np.float32]) -> Figure:
    """One large map of how much higher or lower the probability of one mapping is than another's, white where equal.

    Parameters
    ----------
    change
        (rows, columns) float32, probability of the second minus that of the first, NaN where unknown.
    """
    figure, axes = single_map(grid)
    shown = axes.imshow(
        change, extent=extent_of(grid), cmap=DIVERGING_RAMP, vmin=-1, vmax=1, interpolation="nearest"
    )
    bar = figure.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
    bar.set_label("Difference in probability", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    finish_map(figure, axes, grid, [])
    return figure


def origin(findings: Findings, scene: Scene) -> str:
    """Lines that say where the picture comes from: run, model, choice, scene and coordinate system."""
    result, choice = findings.result, findings.choice
    unit = "m²" if result.grid.in_metres else "px"
    count = findings.count
    done = str(result.provenance.get("finished", ""))
    chosen = [
        f"Threshold {choice.threshold:.2f}",
        f"minimum area {choice.minimum_area:,.0f} {unit}",
        f"holes filled up to {choice.fill_holes:,.0f} {unit}" if choice.fill_holes else "holes not filled",
        f"{count:,} landslide{'' if count == 1 else 's'}, {findings.areas.sum():,.0f} {unit}",
    ]
    made = [
        f"SlideLens run {result.id[:8]}",
        f"model {result.model}",
        f"scene {result.scene_digest[:12]}",
        done,
    ]
    credit = scene.citation or scene.licence
    source = [coordinate_system(result.grid), f"Image: {credit}" if credit else ""]
    lines = (" · ".join(_one_line(part) for part in parts if part) for parts in (chosen, made, source))
    return "\n".join(lines)


def _name(findings: Findings, scene: Scene) -> str:
    name = _one_line(findings.result.scene or scene.name)
    shortened = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"Landslides mapped in {shortened}"


def _one_line(text: str) -> str:
    """Text from a file without line breaks or signs that do not print."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
