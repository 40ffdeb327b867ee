"""The part of a scene that a user drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
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


BOX_STEPS = 65
"""Corners of each side of a box in degrees."""

SMALL = 1_000_000
"""Pixels of an area's rectangle up to which it is looked at whether any of them lies inside."""


def box_area(grid: Grid, west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A box as a drawn area, as `area_of` takes it.

    Parameters
    ----------
    west, south, east, north
        Degrees (EPSG:4326), west greater than east across the antimeridian; without a coordinate system the first and
        last column and row, as lines between pixels, the rows in any order.

    Raises
    ------
    InputError
        When the box has no area, is not finite or reaches beyond the poles.
    """
    west, south, east, north = float(west), float(south), float(east), float(north)
    placed = grid.is_georeferenced
    if placed and west > east:
        east += 360.0
    low, high = (south, north) if placed else sorted((south, north))
    empty = west >= east or low >= high or (placed and east - west > 360.0)
    if empty or not np.isfinite([west, south, east, north]).all():
        raise InputError(
            f"The area {west:g} {south:g} {east:g} {north:g} is empty.",
            remedy="Give west, south, east and north in degrees, or columns and rows for an image without a "
                   "coordinate system.",
        )
    if placed and max(abs(low), abs(high)) > 90.0:
        raise InputError(
            f"The area {west:g} {south:g} {east:g} {north:g} extends beyond the poles.",
            remedy="Give west, south, east and north in degrees (EPSG:4326).",
        )
    # A parallel is curved in most projections: sides of many short pieces follow it.
    steps = np.linspace(0.0, 1.0, BOX_STEPS if placed else 2)[:-1]
    across, up = west + (east - west) * steps, low + (high - low) * steps
    still = np.ones_like(steps)
    columns = np.concatenate([across, east * still, (west + east) - across, west * still])
    rows = np.concatenate([low * still, up, high * still, (low + high) - up])
    if grid.crs is not None and grid.crs.is_geographic:
        left, _, right, _ = grid.bounds
        columns = columns - 360.0 * np.round(((west + east) / 2 - (left + right) / 2) / 360.0)
    ring = [[float(x), float(y)] for x, y in zip(columns, rows, strict=True)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def file_area(grid: Grid, path: Path) -> dict[str, Any]:
    """The polygons of a file as a drawn area, as `area_of` takes it.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON or zipped Shapefile, made by anybody. For an image without CRS its coordinates are columns
        and rows, and it has no CRS either.

    Raises
    ------
    LandslideError
        When it cannot be read or may harm, holds no polygon, or has a coordinate system where the image has none.
    """
    from core.raster.crs import transformed
    from core.raster.inventory import turned_near
    from core.raster.vectors import read_vectors_untrusted

    features = read_vectors_untrusted(path)
    if (features.crs is None) != (grid.crs is None):
        lacking, having = (path.name, "the image") if features.crs is None else ("The image", path.name)
        raise GridError(
            f"{lacking} has no coordinate system, but {having} has one.",
            "The position of the area on the image is therefore unknown.",
            "Assign a coordinate system to the one without, or give the area in columns and rows.",
        )
    parts = shapely.get_parts(shapely.get_parts(features.geometry.to_numpy()))
    polygons = shapely.force_2d(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
    if not len(polygons):
        raise InputError(f"{path.name} holds no polygon.", remedy="Choose a file with the outline of the area.")
    if features.crs is not None:
        source, there = features.crs, type(features.crs)(4326)

        def on_the_globe(at: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack(transformed(at[:, 0], at[:, 1], source, there, path.name))

        polygons = shapely.transform(polygons, on_the_globe)
    if grid.crs is not None and grid.crs.is_geographic:
        left, _, right, _ = grid.bounds
        polygons = turned_near(polygons, left, right, 360.0)
    united: dict[str, Any] = shapely.geometry.mapping(shapely.union_all(shapely.make_valid(polygons)))
    return united


def size_of(grid: Grid, drawn: Mapping[str, Any]) -> tuple[float, float]:
    """How much of a grid a drawn area takes.

    Returns
    -------
    float, float
        Ground in m², or pixels where their size is not known, and the share of the grid's.

    Raises
    ------
    InputError, GridError
        As `area_of`.
    """
    clipped = _clipped(grid, _outline(grid, drawn))
    _, top, _, bottom = clipped.bounds
    rows = slice(int(top), max(int(top) + 1, int(np.ceil(bottom))))
    ground = clipped.area * float(np.mean(grid.pixel_areas(rows)))
    return ground, ground / (float(np.mean(grid.pixel_areas())) * grid.width * grid.height)


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
    outline = _outline(grid, drawn)
    clipped = _clipped(grid, outline)
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


def _outline(grid: Grid, drawn: Mapping[str, Any]) -> BaseGeometry:
    """What was drawn, in columns and rows of a grid."""
    try:
        outline = shapely.geometry.shape(dict(drawn))
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("The drawn area is not a polygon.", str(error), "Draw it again.") from error
    polygonal = outline.geom_type in ("Polygon", "MultiPolygon")
    if not polygonal or not np.isfinite(shapely.get_coordinates(outline)).all():
        raise InputError("The drawn area is not a polygon.", "It encloses no pixels.", "Draw it again.")
    return shapely.make_valid(_in_pixels(outline, grid) if grid.is_georeferenced else outline)


def _clipped(grid: Grid, outline: BaseGeometry) -> BaseGeometry:
    """The part of an outline that lies on a grid."""
    clipped = outline.intersection(shapely.box(0, 0, grid.width, grid.height))
    if clipped.is_empty or clipped.area <= 0:
        raise _outside()
    return clipped


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
