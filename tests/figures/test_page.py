"""What stands around a map on a printed page."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from rasterio.crs import CRS

from core.figures.page import finish_map, single_map
from core.raster.grid import Grid

WORDS = ("Landslide", "Reference inventory", "Reviewed: correct, or outline corrected, split or merged",
         "Reviewed: false alarm or deleted", "Reviewed: added, because the model missed it")  # fmt: skip


@pytest.mark.parametrize("shape", [(768, 512), (120, 900), (100, 2000)])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_legend_is_never_wider_than_its_page(count: int, shape: tuple[int, int]) -> None:
    grid = Grid(*shape, Affine(10, 0, 500_000, 0, -10, 5_200_000), CRS.from_epsg(32633))
    figure, axes = single_map(grid)
    axes.imshow(np.zeros((2, 2)))
    finish_map(figure, axes, grid, [Line2D([], [], label=word) for word in WORDS[:count]])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    (legend,) = figure.legends
    box = legend.get_window_extent(canvas.get_renderer())  # type: ignore[no-untyped-call]
    assert box.y0 >= 0
    assert len(legend.get_texts()) == count
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    if shape == (768, 512) and count == 3:
        assert box.height < figure.bbox.height / 10, "words that fit stand beside each other"
