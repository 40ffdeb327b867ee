"""Ids beside landslides on a printed map."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
from affine import Affine
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation
from rasterio.crs import CRS
from shapely import box

from core.figures.numbers import LINE, draw_numbers, placed
from core.figures.page import single_map
from core.raster.grid import Grid

FRAME = (0.0, 0.0, 400.0, 300.0)
WIDTH = 30.0


def meets(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])


def label(middle: tuple[float, float]) -> tuple[float, float, float, float]:
    x, y = middle
    return x - WIDTH / 2, y - LINE / 2, x + WIDTH / 2, y + LINE / 2


@pytest.mark.parametrize("corner", [(0, 0), (370, 0), (0, 270), (370, 270), (180, 140)])
def test_a_label_covers_nothing_and_stays_on_the_map(corner: tuple[float, float]) -> None:
    x, y = corner
    named = (x, y, x + 30.0, y + 30.0)
    (middle,) = placed([named], [WIDTH], FRAME)
    left, bottom, right, top = label(middle)
    assert not meets(label(middle), named)
    assert left >= 0
    assert bottom >= 0
    assert right <= 400
    assert top <= 300


def test_labels_of_neighbours_cover_neither_each_other_nor_what_is_taken() -> None:
    named = [(100.0, 100.0, 120.0, 112.0), (124.0, 100.0, 140.0, 112.0), (100.0, 116.0, 140.0, 126.0)]
    taken = [(130.0, 126.0, 200.0, 200.0)]
    labels = [label(one) for one in placed(named, [WIDTH] * 3, FRAME, taken)]
    for place, one in enumerate(labels):
        assert not [other for other in (*labels[place + 1 :], *named, *taken) if meets(one, other)]


@pytest.mark.parametrize("crs", [CRS.from_epsg(32633), None])
def test_ids_stand_beside_what_they_name_on_the_printed_map(crs: CRS | None) -> None:
    place = Affine(10, 0, 500_000, 0, -10, 5_000_000) if crs else Affine.identity()
    grid = Grid(300, 200, place, crs)
    corners = [(40, 50, 80, 90), (250, 10, 290, 40)]
    shapes = []
    for left, top, right, bottom in corners:
        (x0, y0), (x1, y1) = place @ (left, top), place @ (right, bottom)
        shapes.append(box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    polygons = geopandas.GeoDataFrame({"id": ["L1", "L2"]}, geometry=shapes, crs=crs.to_wkt() if crs else None)
    figure, axes = single_map(grid)
    axes.set_xlim(0, 300)
    axes.set_ylim(200, 0)
    draw_numbers(axes, polygons, grid)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = {one.get_text(): one for one in axes.texts if isinstance(one, Annotation)}
    assert set(texts) == {"L1", "L2"}
    for name, (left, top, right, bottom) in zip(("L1", "L2"), corners, strict=True):
        (x0, y0), (x1, y1) = axes.transData.transform([(left, bottom), (right, top)])
        patch = texts[name].get_bbox_patch()
        assert patch is not None
        seen = patch.get_window_extent()
        assert not meets((x0, y0, x1, y1), (seen.x0, seen.y0, seen.x1, seen.y1))
        assert axes.bbox.x0 <= seen.x0
        assert seen.x1 <= axes.bbox.x1
        near = np.hypot((seen.x0 + seen.x1) / 2 - (x0 + x1) / 2, (seen.y0 + seen.y1) / 2 - (y0 + y1) / 2)
        assert near < 0.3 * axes.bbox.width
