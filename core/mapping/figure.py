"""A mapping as one picture for reports: image, probability and landslides found, with scale and origin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import BandError
from core.learning.metrics import decode
from core.mapping.cartography import Extent, coordinate_system, draw_north, draw_scale, outlines
from core.mapping.result import PROBABILITY, TRUTH
from core.plots.colours import FOUND, PROBABILITY_RAMP, REFERENCE
from core.raster.scene import Scene, guess_bands
from core.raster.stretch import bridge
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch as Handle

    from core.mapping.findings import Findings
    from core.raster.grid import Grid

LONGEST_SIDE = 1500
"""Pixels to which every raster is reduced while it is read, so that memory does not grow with the scene."""

DOTS_PER_INCH = 150
PANEL_INCHES = 4.4
TALLEST_INCHES = 8.0
WIDE = 2.4
"""Scenes wider than this many times their height have their panels under one another."""

LONGEST_NAME = 90


@dataclass(frozen=True)
class Panels:
    """What the figure shows, reduced to at most `LONGEST_SIDE` pixels a side.

    Attributes
    ----------
    image
        (rows, columns, 4) uint8, transparent where the scene has no data.
    probability
        (rows, columns) float32 in [0, 1], NaN where unknown.
    truth
        (rows, columns) float32, 1 in the reference, NaN where unknown; None without one.
    """

    image: NDArray[np.uint8]
    probability: NDArray[np.float32]
    truth: NDArray[np.float32] | None


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

    figure = draw_figure(findings, scene, read_panels(findings, scene))
    FigureCanvasAgg(figure)
    with atomic_path(path) as aside:
        # Without a time in it, equal runs give equal files.
        figure.savefig(aside, format="png", metadata={"Software": "SlideLens", "Creation Time": None})


def read_panels(findings: Findings, scene: Scene) -> Panels:
    """Read what the figure shows, reduced while reading."""
    grid = findings.result.grid
    factor = min(1.0, LONGEST_SIDE / max(grid.shape))
    shape = (max(1, round(grid.height * factor)), max(1, round(grid.width * factor)))
    truth = None
    if findings.result.has_truth:
        codes, valid = _reduced(findings.result.artifact(TRUTH), shape)
        truth = np.where(valid, codes, np.nan).astype(np.float32)
    codes, valid = _reduced(findings.result.artifact(PROBABILITY), shape)
    probability = np.where(valid, decode(codes.astype(np.uint8)), np.nan).astype(np.float32)
    return Panels(_image(scene, grid, shape), probability, truth)


def draw_figure(findings: Findings, scene: Scene, panels: Panels) -> Figure:
    """Lay out the three panels with title, scale, north arrow, legend and the line of origin."""
    from matplotlib.figure import Figure

    grid = findings.result.grid
    aspect = grid.width / grid.height
    stacked = aspect > WIDE
    width = PANEL_INCHES * (2.2 if stacked else 1.0)
    height = min(width / aspect, TALLEST_INCHES)
    width = max(height * aspect, 2.2)
    rows, columns = (3, 1) if stacked else (1, 3)
    size = (columns * width + 1.2, rows * (height + 0.45) + 1.1)
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")
    image, probability, found = figure.subplots(rows, columns, squeeze=False).ravel()
    extent: Extent = (0.0, float(grid.width), float(grid.height), 0.0)

    image.imshow(panels.image, extent=extent, interpolation="nearest")
    image.set_title("Image" + (" (synthetic)" if scene.synthetic else ""))
    draw_scale(image, grid)
    draw_north(image, grid)
    _draw_probability(figure, probability, panels, extent, findings.choice.threshold)
    _draw_landslides(found, findings, panels, extent)
    for axes in (image, probability, found):
        axes.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
        axes.set_facecolor("#DDDDDD")
    # parse_math off: a name such as "a$b$c" is text, never a formula.
    figure.suptitle(_name(findings, scene), fontsize=12, parse_math=False)
    figure.supxlabel(origin(findings, scene), fontsize=7, parse_math=False, linespacing=1.5)
    return figure


def origin(findings: Findings, scene: Scene) -> str:
    """Lines that say where the picture comes from: run, model, choice, scene and coordinate system."""
    result, choice = findings.result, findings.choice
    unit = "m²" if result.grid.is_georeferenced else "px"
    count = len(findings.polygons)
    done = str(result.provenance.get("finished", ""))
    chosen = [
        f"Threshold {choice.threshold:.2f}",
        f"minimum area {choice.minimum_area:,.0f} {unit}",
        f"holes filled up to {choice.fill_holes:,.0f} {unit}",
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


def _reduced(path: Path, shape: tuple[int, int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    with Scene.open(path).reader(overviews=True) as reader:
        patch = reader.read((1,), None, shape, "nearest")
    return patch.values[0], patch.valid


def _image(scene: Scene, grid: Grid, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """True colour of the scene below the grid, or its first band in grey."""
    try:
        bands = guess_bands(scene, ("red", "green", "blue"))
    except BandError:
        bands = (1,)
    row, column = scene.grid.rowcol(*grid.xy(0, 0))
    window = Window(column, row, grid.width, grid.height)
    with scene.reader(overviews=True) as reader:
        patch = reader.read(bands, window, shape, "nearest" if shape == grid.shape else "average")
    stretch = bridge(scene, bands)
    values = patch.values if stretch is None else stretch.apply(patch.values, (0.0, 255.0))
    colours = np.clip(np.where(patch.valid, values, 0), 0, 255).astype(np.uint8)
    if len(bands) == 1:
        colours = np.repeat(colours, 3, axis=0)
    opacity = np.where(patch.valid, 255, 0).astype(np.uint8)
    return np.moveaxis(np.concatenate([colours, opacity[None]]), 0, -1)


def _draw_probability(figure: Figure, axes: Axes, panels: Panels, extent: Extent, threshold: float) -> None:
    shown = axes.imshow(
        panels.probability, extent=extent, cmap=PROBABILITY_RAMP, vmin=0, vmax=1, interpolation="nearest"
    )
    axes.set_title("Probability of landslide")
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, pad=0.02)
    bar.ax.axhline(threshold, color=FOUND, linewidth=2)
    bar.ax.set_xlabel(f"line:\n{threshold:.2f}", fontsize=7)


def _draw_landslides(axes: Axes, findings: Findings, panels: Panels, extent: Extent) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = np.repeat(panels.image[..., :3].mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    faint = (grey // 2 + 110).astype(np.uint8)
    axes.imshow(np.dstack([faint, panels.image[..., 3]]), extent=extent, interpolation="nearest")
    grid = findings.result.grid
    paths = outlines(findings.polygons.geometry.to_numpy(), grid)
    axes.add_collection(
        PathCollection(paths, facecolors=f"{FOUND}99", edgecolors=FOUND, linewidths=0.6, offsets=None)
    )
    handles: list[Handle | Line2D] = [Patch(facecolor=f"{FOUND}99", edgecolor=FOUND, label="Landslide found")]
    if panels.truth is not None and (np.nan_to_num(panels.truth) > 0).any():
        rows, columns = panels.truth.shape
        x = (np.arange(columns) + 0.5) * grid.width / columns
        y = (np.arange(rows) + 0.5) * grid.height / rows
        axes.contour(x, y, np.nan_to_num(panels.truth), levels=[0.5], colors=[REFERENCE], linewidths=0.9)
        handles.append(Line2D([], [], color=REFERENCE, label="Reference inventory"))
    axes.set_title(f"Landslides at threshold {findings.choice.threshold:.2f}")
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=2, fontsize=8, frameon=False
    )


def _name(findings: Findings, scene: Scene) -> str:
    name = _one_line(findings.result.scene or scene.name)
    shortened = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"Landslides mapped in {shortened}"


def _one_line(text: str) -> str:
    """Text from a file without line breaks or signs that do not print."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
