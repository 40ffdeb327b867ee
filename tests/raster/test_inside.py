"""The point by which a shape is found elsewhere."""

from __future__ import annotations

import geopandas
from shapely.geometry import MultiPolygon, Point, Polygon, box

from core.raster.inside import point_inside, points_inside


def test_of_several_parts_the_point_lies_in_the_largest() -> None:
    wide, large = box(0, 0, 8, 1), box(20, 0, 24, 4)  # a line across is longest in the first
    shapes = geopandas.GeoSeries([MultiPolygon([wide, large]), wide, None, Point(3, 4), Polygon()], crs=32633)

    points = points_inside(shapes)
    assert large.contains(points[0])
    assert wide.contains(points[1])
    assert points[2] is None
    assert points[3] == Point(3, 4)
    assert points[4].is_empty
    assert points.crs == shapes.crs
    assert [point_inside(one) for one in shapes[[0, 1, 3]]] == points[[0, 1, 3]].tolist()
