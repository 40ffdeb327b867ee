"""An explanation as a picture: the image of its window, and over it what raised the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.figures.cartography import draw_north, draw_scale
from core.figures.image import draw_faint_image, draw_image, extent_of, frame, outline
from core.figures.page import PAGE_INCHES, single_map
from core.plots.colours import CAM_RAMP, DIVERGING_RAMP, FOUND

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from core.raster.grid import Grid


def draw_window(image: NDArray[np.uint8] | None, grid: Grid, region: NDArray[np.bool_] | None) -> Figure:
    """The image of an explanation's window, with what was asked about outlined where that is known."""
    figure, axes = single_map(grid, PAGE_INCHES / 2, room=0.6)
    axes.set_anchor("N")
    draw_image(axes, image, grid)
    _outline_target(axes, grid, region)
    draw_scale(axes, grid)
    draw_north(axes, grid)
    frame(axes, grid)
    return figure


def draw_attribution(
    image: NDArray[np.uint8] | None,
    attribution: NDArray[np.float32],
    grid: Grid,
    region: NDArray[np.bool_] | None,
    *,
    signed: bool = False,
) -> Figure:
    """An attribution over the pale image; the stronger it is, the less of the image shows through.

    Parameters
    ----------
    attribution
        (height, width) float32 in [0, 1], or in [−1, 1] when signed; NaN where unknown.
    signed
        Whether places below zero are shown too, as what lowered the score.
    """
    figure, axes = single_map(grid, PAGE_INCHES / 2, room=0.6)
    axes.set_anchor("N")
    draw_faint_image(axes, image, grid)
    opacity = 0.15 + 0.75 * np.abs(np.nan_to_num(attribution))
    colours, lowest = (DIVERGING_RAMP, -1) if signed else (CAM_RAMP, 0)
    shown = axes.imshow(
        attribution, extent=extent_of(grid), cmap=colours, vmin=lowest, vmax=1, alpha=opacity, interpolation="nearest"
    )
    from matplotlib.cm import ScalarMappable

    # A bar of its own: that of the picture would be as see-through as its first pixel.
    scale = ScalarMappable(shown.norm, shown.cmap)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.7, pad=0.02)
    ends = {-1: "lowered it", 0: "none", 1: "raised it"} if signed else {0: "none", 1: "most"}
    bar.set_ticks(list(ends), labels=list(ends.values()), fontsize=8)
    bar.set_label("Effect on the score" if signed else "Raised the score", fontsize=8)
    _outline_target(axes, grid, region)
    frame(axes, grid)
    return figure


def _outline_target(axes: Axes, grid: Grid, region: NDArray[np.bool_] | None) -> None:
    if region is not None and region.any():
        outline(axes, region, grid, "white", 2.4)
        outline(axes, region, grid, FOUND, 1.2)
