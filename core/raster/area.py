"""The part of a scene that a user drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.warp import transform_geom
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from core.errors import GridError, InputError
from core.raster.grid import Grid
from core.raster.untrusted import READ_ERRORS
from core.raster.windows import Region


@dataclass(frozen=True)
class Area:
    """The part of a scene to work on: a region of its pixels and, within it, which pixels belong to it.

    Attributes
    ----------
    region
        Rectangle of the scene's pixels.
    inside
        For a region of the scene, True where pixels belong to the area; None when all do.
    """

    region: Region
    inside: Callable[[Region], NDArray[np.bool_]] | None = None

    def holds(self, region: Region) -> NDArray[np.bool_]:
        """(height, width) which pixels of a region of the scene belong to the area."""
        rows, columns = region.row + np.arange(region.height), region.column + np.arange(region.width)
        ours = self.region
        within = (rows >= ours.row) & (rows < ours.end_row)
        across = (columns >= ours.column) & (columns < ours.end_column)
        belongs = within[:, None] & across[None, :]
        return belongs if self.inside is None else belongs & self.inside(region)


SMALL = 1_000_000
"""Pixels of an area's rectangle up to which it is looked at whether any of them lies inside."""


def area_of(grid: Grid, drawn: Mapping[str, Any]) -> Area:
    """Pixels of a grid whose centres lie in a drawn polygon.

    On a grid without a coordinate system the region is the whole grid and only `Area.inside` narrows it: a part of such
    an image has no place of its own, neither on the map nor beside a mask of the whole.

    Parameters
    ----------
    grid
        The scene's grid.
    drawn
        GeoJSON Polygon or MultiPolygon, in EPSG:4326, or in pixel space with x the column and y the row.

    Raises
    ------
    InputError
        When it is no polygon.
    GridError
        When it covers no pixel of the scene.
    """
    try:
        outline = shapely.geometry.shape(dict(drawn))
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("The drawn area is not a polygon.", str(error), "Draw it again.") from error
    polygonal = outline.geom_type in ("Polygon", "MultiPolygon")
    if not polygonal or not np.isfinite(shapely.get_coordinates(outline)).all():
        raise InputError("The drawn area is not a polygon.", "It encloses no pixels.", "Draw it again.")
    outline = shapely.make_valid(_in_pixels(outline, grid) if grid.is_georeferenced else outline)
    clipped = outline.intersection(shapely.box(0, 0, grid.width, grid.height))
    if clipped.is_empty or clipped.area <= 0:
        raise _outside()
    left, top, right, bottom = clipped.bounds
    row, column = int(np.floor(top)), int(np.floor(left))
    height = min(grid.height, int(np.ceil(bottom))) - row
    width = min(grid.width, int(np.ceil(right))) - column
    shapely.prepare(outline)

    def inside(region: Region) -> NDArray[np.bool_]:
        columns, rows = np.meshgrid(
            region.column + np.arange(region.width) + 0.5, region.row + np.arange(region.height) + 0.5
        )
        return np.asarray(shapely.contains_xy(outline, columns, rows), dtype=np.bool_)

    region = Region(row, column, height, width)
    if height * width <= SMALL and not inside(region).any():
        raise GridError(
            "The drawn area contains no pixel centre.", remedy="Draw a larger area, or delete it."
        )
    return Area(region if grid.is_georeferenced else Region(0, 0, grid.height, grid.width), inside)


def _in_pixels(outline: BaseGeometry, grid: Grid) -> BaseGeometry:
    """A polygon in degrees in columns and rows of the grid."""
    try:
        placed = shapely.geometry.shape(transform_geom("EPSG:4326", grid.crs, shapely.geometry.mapping(outline)))
    except READ_ERRORS as error:
        raise _outside() from error
    if not np.isfinite(shapely.get_coordinates(placed)).all():
        raise _outside()
    return shapely.affinity.affine_transform(placed, _matrix(~grid.transform))


def _outside() -> GridError:
    return GridError("The drawn area lies outside the image.", remedy="Draw it on the image, or delete it.")


def _matrix(place: Affine) -> tuple[float, float, float, float, float, float]:
    return place.a, place.b, place.d, place.e, place.c, place.f


def window_of(region: Region) -> Window:
    """A region as rasterio's window."""
    return Window(region.column, region.row, region.width, region.height)
