"""A point inside a shape, by which it is found elsewhere: of several parts inside the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from shapely.geometry import Point
    from shapely.geometry.base import BaseGeometry


def point_inside(shape: BaseGeometry) -> Point:
    """A point inside a shape.

    Examples
    --------
    >>> from shapely.geometry import MultiPolygon, box
    >>> point_inside(MultiPolygon([box(0, 0, 4, 1), box(10, 0, 13, 3)])).x
    11.5
    """
    return _largest(shape).representative_point()


def points_inside(shapes: GeoSeries) -> GeoSeries:
    """A point inside each of some shapes, in their order and coordinate system; None where a shape is."""
    import geopandas

    parts = shapes.to_numpy().copy()
    for at in np.flatnonzero(shapely.get_num_geometries(parts) > 1):
        parts[at] = _largest(parts[at])
    return geopandas.GeoSeries(shapely.point_on_surface(parts), index=shapes.index, crs=shapes.crs)


def _largest(shape: BaseGeometry) -> BaseGeometry:
    """The largest part of a shape by area, the first of points and lines; a shape of one part as it is."""
    return max(getattr(shape, "geoms", (shape,)), key=lambda part: part.area, default=shape)
