"""Units and points on a map that prints."""

from __future__ import annotations

import geopandas
import numpy as np
from affine import Affine
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from rasterio.crs import CRS
from shapely.geometry import Point, box

from core.figures.units import Units, draw_units
from core.raster.grid import Grid

GRID = Grid(100, 60, Affine(10, 0, 500_000, 0, -10, 5_200_000), CRS.from_epsg(32633))
INSIDE = box(500_100, 5_199_700, 500_300, 5_199_900)
PLACE = Point(500_500, 5_199_800)


def array(*shapes: object) -> np.ndarray:
    return np.array([*shapes, None], object)[:-1]


def test_each_group_is_drawn_where_it_is_and_has_its_place_in_the_legend() -> None:
    groups = [
        Units("plain", array(INSIDE), "#0072b2"), Units("points", array(PLACE), "#e69f00"),
        Units("nothing", array(), "#000000"), Units("changed", array(INSIDE), "#d55e00", over=True),
    ]  # fmt: skip
    named = geopandas.GeoDataFrame({"id": ["R1", "R2"]}, geometry=[INSIDE, PLACE], crs=32633)
    figure = draw_units(GRID, groups, named)
    (axes,) = figure.axes
    plain, points, changed = (one for one in axes.collections if isinstance(one, PathCollection))

    (path,) = plain.get_paths()
    assert path.get_extents().bounds == (10, 10, 20, 20)
    assert 0 < plain.get_facecolor()[0, 3] < 1
    assert points.get_offsets().tolist() == [[50, 20]]
    assert len(changed.get_facecolor()) == 0
    assert [to_hex(one.get_edgecolor()[0]) for one in (plain, changed)] == ["#0072b2", "#d55e00"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["plain", "points", "changed"]
    assert {text.get_text() for text in axes.texts} >= {"R1", "R2"}


def test_marks_are_smaller_where_there_are_many() -> None:
    nobody = geopandas.GeoDataFrame({"id": []}, geometry=[], crs=32633)
    sizes = []
    for number in (10, 10_000, 100_000):
        (axes,) = draw_units(GRID, [Units("points", array(*[PLACE] * number), "#0072b2")], nobody).axes
        (drawn,) = (one for one in axes.collections if isinstance(one, PathCollection))
        sizes.append(float(drawn.get_sizes()[0]))
    assert sizes[0] > sizes[1] > sizes[2] >= 2
