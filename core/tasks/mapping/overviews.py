"""The panels of which figures of a mapping are made: image, probability, landslides, agreement with an inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.figures.cartography import outlines
from core.figures.image import LONGEST_SIDE, draw_faint_image, extent_of, image_below, outline, reduced, reduced_shape
from core.learning.metrics import decode, threshold_code
from core.plots.colours import FALSE_POSITIVE, FOUND, MISSED, PROBABILITY_RAMP, REFERENCE, TRUE_POSITIVE, rgb
from core.raster.scene import Scene
from core.tasks.mapping.result import PROBABILITY, TRUTH

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch as Handle

    from core.raster.grid import Grid
    from core.tasks.mapping.result import MappingResult

FOUND_OPACITY = 0.6


@dataclass(frozen=True)
class Overviews:
    """What figures of one run show, reduced to at most `LONGEST_SIDE` pixels a side.

    Attributes
    ----------
    image
        (rows, columns, 4) uint8, transparent where the scene has no data; None without a scene.
    probability
        (rows, columns) float32 in [0, 1], NaN where unknown.
    reference
        (rows, columns) float32, 1 in the reference, NaN where unknown; None without one.
    """

    image: NDArray[np.uint8] | None
    probability: NDArray[np.float32]
    reference: NDArray[np.float32] | None

    def found(self, threshold: float) -> NDArray[np.bool_]:
        """(rows, columns) bool: what reaches a threshold, without minimum area and hole filling."""
        # Compared as codes, as everywhere: a float32 probability of 0.5 may stand a hair below 0.5.
        codes = np.rint(np.nan_to_num(self.probability) * 254)
        found: NDArray[np.bool_] = ~np.isnan(self.probability) & (codes >= threshold_code(threshold))
        return found


def read_overviews(result: MappingResult, scene: Scene | None, longest: int = LONGEST_SIDE) -> Overviews:
    """Read what figures of a run show, reduced while reading.

    Parameters
    ----------
    scene
        The scene that the run mapped; the run's grid may be a part of it. None when it is gone.
    longest
        Pixels of the longer side at most.

    Raises
    ------
    StorageError
        When a raster of the run is gone.
    """
    grid = result.grid
    shape = reduced_shape(grid, longest)
    reference = None
    if result.has_reference:
        codes, valid = reduced(result.artifact(TRUTH), shape)
        reference = np.where(valid, codes, np.nan).astype(np.float32)
    codes, valid = reduced(result.artifact(PROBABILITY), shape)
    probability = np.where(valid, decode(codes.astype(np.uint8)), np.nan).astype(np.float32)
    return Overviews(None if scene is None else image_below(scene, grid, shape), probability, reference)


def draw_probability(figure: Figure, axes: Axes, panels: Overviews, grid: Grid, threshold: float) -> None:
    """Draw the probability, with a bar on which the threshold is marked."""
    shown = axes.imshow(
        panels.probability, extent=extent_of(grid), cmap=PROBABILITY_RAMP, vmin=0, vmax=1, interpolation="nearest"
    )
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, pad=0.02)
    bar.ax.axhline(threshold, color="white", linewidth=4)
    bar.ax.axhline(threshold, color=FOUND, linewidth=2.5)
    bar.ax.tick_params(labelsize=8)


def draw_landslides(
    axes: Axes, panels: Overviews, grid: Grid, found: GeoDataFrame | float
) -> list[Handle | Line2D]:
    """Draw the landslides found, and the reference where there is one, over the pale image.

    Parameters
    ----------
    found
        Polygons of the landslides, or for a raster too large for them the threshold.

    Returns
    -------
    Handles for a legend.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    draw_faint_image(axes, panels.image, grid)
    if isinstance(found, float):
        _draw_mask(axes, panels.found(found), grid, FOUND)
    else:
        paths = outlines(found.geometry.to_numpy(), grid)
        face = f"{FOUND}{round(255 * FOUND_OPACITY):02X}"
        axes.add_collection(PathCollection(paths, facecolors=face, edgecolors=FOUND, linewidths=0.6, offsets=None))
    handles: list[Handle | Line2D] = [Patch(facecolor=f"{FOUND}99", edgecolor=FOUND, label="Mapped by the model")]
    if panels.reference is not None and (np.nan_to_num(panels.reference) > 0).any():
        outline(axes, np.nan_to_num(panels.reference) > 0, grid, REFERENCE)
        handles.append(Line2D([], [], color=REFERENCE, label="Reference inventory"))
    return handles


def draw_outcome(axes: Axes, panels: Overviews, grid: Grid, threshold: float) -> list[Handle | Line2D]:
    """Draw where the map agrees with the reference, is false, or missed it, pixel by pixel at the threshold.

    Returns
    -------
    Handles for a legend.
    """
    from matplotlib.patches import Patch

    draw_faint_image(axes, panels.image, grid)
    found = panels.found(threshold)
    reference = np.full(found.shape, np.nan) if panels.reference is None else panels.reference
    kinds = (
        (found & (reference == 1), TRUE_POSITIVE, "Correct"),
        (found & (reference == 0), FALSE_POSITIVE, "False alarm"),
        (~found & (reference == 1) & ~np.isnan(panels.probability), MISSED, "Missed"),
    )
    for where, colour, _ in kinds:
        _draw_mask(axes, where, grid, colour, opacity=1.0)
    return [Patch(facecolor=colour, label=label) for _, colour, label in kinds]


def _draw_mask(
    axes: Axes, mask: NDArray[np.bool_], grid: Grid, colour: str, opacity: float = FOUND_OPACITY
) -> None:
    picture = np.zeros((*mask.shape, 4), dtype=np.uint8)
    picture[mask] = (*rgb(colour), round(255 * opacity))
    axes.imshow(picture, extent=extent_of(grid), interpolation="nearest")
