"""Outlines that a reviewer draws, and what is made with them: united, cut, split, merged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from rasterio.warp import transform_geom

from core.errors import InputError
from core.raster.measure import geodesic_perimeters
from core.raster.place_names import place_names
from core.raster.untrusted import READ_ERRORS

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.review.state import Feature

MOST_CORNERS = 20_000
"""Corners of an outline that is drawn."""

DRAWN_PREFIX = "R"
"""Begins the id of what a reviewer drew."""

MEASURED = ("perimeter_m", "perimeter_px")
"""Columns of what a run found that are measured of outlines that a reviewer drew or changed, too."""


def drawn_outline(drawn: Mapping[str, Any], grid: Grid, area: str = "image") -> BaseGeometry:
    """What was drawn on a map, in the coordinates of a run's grid, without what lies beyond the grid.

    Parameters
    ----------
    drawn
        GeoJSON Polygon or MultiPolygon, in EPSG:4326, or without a coordinate system in pixels with x the column and y
        the row.
    area
        What the grid covers, for what is refused.

    Returns
    -------
    Polygon or MultiPolygon, valid; where it crosses itself, the parts that this leaves, without slivers.

    Raises
    ------
    InputError
        When it is no polygon, has more than `MOST_CORNERS` corners, or lies outside.
    """
    try:
        outline = shapely.geometry.shape(dict(drawn))
        corners = shapely.get_coordinates(outline)
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("The drawn shape is not a polygon.", remedy="Draw it again.") from error
    if outline.geom_type not in ("Polygon", "MultiPolygon") or not np.isfinite(corners).all():
        raise InputError("The drawn shape is not a polygon.", remedy="Draw it again.")
    if len(corners) > MOST_CORNERS:
        raise InputError(f"An outline has at most {MOST_CORNERS:,} corners.", remedy="Draw a simpler outline.")
    if grid.is_georeferenced:
        try:
            outline = shapely.geometry.shape(transform_geom("EPSG:4326", grid.crs, shapely.geometry.mapping(outline)))
        except READ_ERRORS as error:
            raise _outside(area) from error
        if not np.isfinite(shapely.get_coordinates(outline)).all():
            raise _outside(area)
    inside = _polygonal(shapely.make_valid(outline).intersection(frame_of(grid)), _outside(area))
    return _without_slivers(inside) if crosses_itself(drawn) else inside


def crosses_itself(drawn: Mapping[str, Any]) -> bool:
    """Whether a polygon of what was drawn on a map crosses its own outline; no for what is no polygon.

    Examples
    --------
    >>> crosses_itself({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]})
    True
    >>> crosses_itself({"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 0]]]})
    False
    """
    try:
        polygons = shapely.get_parts(shapely.geometry.shape(dict(drawn)))
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return not bool(shapely.is_valid(polygons).all())


def _without_slivers(outline: BaseGeometry) -> BaseGeometry:
    """An outline without the parts that are no more than `SLIVER` of it."""
    parts = shapely.get_parts(outline)
    kept = parts[shapely.area(parts) > SLIVER * outline.area]
    return outline if len(kept) == len(parts) else shapely.union_all(kept)


def _outside(area: str) -> InputError:
    return InputError(f"The drawn shape lies outside the {area}.", remedy=f"Draw it on the {area}.")


def frame_of(grid: Grid) -> BaseGeometry:
    """The outline of a grid in its coordinates; columns and rows without a coordinate system."""
    frame = shapely.box(0, 0, grid.width, grid.height)
    if not grid.is_georeferenced:
        return frame
    t = grid.transform
    return shapely.affinity.affine_transform(frame, (t.a, t.b, t.d, t.e, t.c, t.f))


def united(outlines: Sequence[BaseGeometry]) -> BaseGeometry:
    """One outline of several."""
    return _polygonal(shapely.union_all(list(outlines)), InputError("Nothing remains of these outlines."))


def cut(outline: BaseGeometry, by: BaseGeometry) -> BaseGeometry:
    """An outline without the part within another.

    Raises
    ------
    InputError
        When nothing would be left, or the two do not overlap.
    """
    if not do_overlap(outline, by):
        raise InputError("The drawn shape does not overlap the outline.", remedy="Draw over the part to cut off.")
    whole = InputError("Nothing would remain of the outline.", remedy="Draw a smaller shape, or delete the outline.")
    return _polygonal(outline.difference(by), whole)


SLIVER = 1e-3
"""Share of an outline below which a piece that a division leaves is no feature of its own."""


def split(outline: BaseGeometry, by: BaseGeometry) -> tuple[BaseGeometry, ...]:
    """The pieces into which another outline divides one, the largest first.

    A strip across it leaves three. Parts that lay apart before, and slivers, stay with the largest piece on their side.

    Raises
    ------
    InputError
        When nothing of it lies inside the other, or nothing outside.
    """
    error = InputError(
        "The drawn shape does not divide the outline.", remedy="Draw around the part to split off."
    )
    if not do_overlap(outline, by):
        raise error
    before, pieces = list(shapely.get_parts(outline)), []
    for side in (_polygonal(outline.difference(by), error), _polygonal(outline.intersection(by), error)):
        first, *others = sorted(shapely.get_parts(side), key=lambda part: -part.area)
        apart = [
            part for part in others
            if part.area >= SLIVER * outline.area and not any(part.equals(one) for one in before)
        ]  # fmt: skip
        pieces += [shapely.orient_polygons(shapely.union_all([first, *(one for one in others if one not in apart)]))]
        pieces += apart
    return tuple(sorted(pieces, key=lambda part: -part.area))


def do_overlap(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two outlines share ground, rather than touch or lie apart."""
    return bool(one.intersection(other).area > 0)


def _polygonal(shape: BaseGeometry, empty: InputError) -> BaseGeometry:
    """The polygons of a shape alone, which overlays may mix with lines and points."""
    parts = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.geom_type == "Polygon"]
    several = [part for part in shapely.get_parts(shape) if part.geom_type == "MultiPolygon"]
    found = shapely.union_all([*parts, *several])
    if found.is_empty or found.area <= 0:
        raise empty
    return shapely.orient_polygons(found)


MOVED = 8e-7
"""Degrees, or pixels, by which a map moves corners that nobody moved: it writes coordinates with six decimals, which
moves a corner by 7.1e-7 at most."""


def is_same_drawing(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two drawings of a map (see `drawn_outline`) differ by no more than what a map rounds.

    Examples
    --------
    >>> drawn = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    >>> rounded = {"type": "Polygon", "coordinates": [[[1, 0], [1, 1.0000005], [0, 0], [1, 0]]]}
    >>> moved = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1.000001], [0, 0]]]}
    >>> is_same_drawing(drawn, rounded), is_same_drawing(drawn, moved)
    (True, False)
    """
    try:
        shapes = [shapely.geometry.shape(dict(drawing)) for drawing in (one, other)]
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(shapely.hausdorff_distance(shapes[0].boundary, shapes[1].boundary) <= MOVED)


def to_geojson(outline: BaseGeometry) -> dict[str, Any]:
    """An outline as it stands in the log."""
    plain: dict[str, Any] = json.loads(json.dumps(shapely.geometry.mapping(outline)))
    return plain


def parts_of(outline: BaseGeometry) -> list[BaseGeometry]:
    """The separate parts of an outline; of one part itself."""
    return list(getattr(outline, "geoms", (outline,)))


def drawn_id(outline: BaseGeometry, grid: Grid, taken: Sequence[str]) -> str:
    """An id for a drawn outline after the pixel of a point inside, numbered where that is taken."""
    point = outline.representative_point()
    column, row = ~grid.transform @ (point.x, point.y) if grid.is_georeferenced else (point.x, point.y)
    row, column = np.clip(int(row), 0, grid.height - 1), np.clip(int(column), 0, grid.width - 1)
    (name,) = place_names([row * grid.width + column], grid, DRAWN_PREFIX)
    return next_free(str(name), taken)


def next_free(name: str, taken: Sequence[str]) -> str:
    """A name, or the first of ``name-2``, ``name-3`` … that is not taken."""
    known, number, found = set(taken), 1, name
    while found in known:
        number += 1
        found = f"{name}-{number}"
    return found


def ground_areas(outlines: Sequence[BaseGeometry], grid: Grid) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(outlines,) area of each on the WGS 84 ellipsoid in m².

    Without a coordinate system by the stated pixel size, or in square pixels.
    """
    if grid.crs is None:
        pixels = np.asarray(shapely.area(np.asarray(outlines, dtype=object)), dtype=np.float64)
        return pixels * (grid.pixel_size or 1.0) ** 2
    import geopandas
    import pyproj

    geod = pyproj.Geod(ellps="WGS84")
    on_globe = geopandas.GeoSeries(list(outlines), crs=grid.crs.to_wkt()).to_crs(4326)
    return np.array([abs(geod.geometry_area_perimeter(one)[0]) for one in on_globe], dtype=np.float64)


def feature_areas(features: Sequence[Feature], grid: Grid) -> list[float]:
    """Area of each feature in m², or in square pixels without a size of pixels.

    The model's own outlines keep the area that is shown of them everywhere else, which is counted in pixels; merged
    ones have the sum of their parts. That of all others is measured, see `ground_areas`.
    """
    column = "area_m2" if grid.in_metres else "area_px"
    measured = ground_areas([one.outline for one in features], grid)
    known = [one.values.get(column) for one in features]
    return [float(own if area is None else area) for area, own in zip(known, measured, strict=True)]


def ground_perimeters(outlines: Sequence[BaseGeometry], grid: Grid) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(outlines,) length of all rings of each, as `core.raster.vectorize.polygons` measures those of the model.

    Geodesic in metres; without a coordinate system by the stated pixel size, or in sides of a pixel.
    """
    shapes = np.asarray(outlines, dtype=object)
    if grid.crs is not None:
        return geodesic_perimeters(shapes, grid)
    return np.asarray(shapely.length(shapes), dtype=np.float64) * (grid.pixel_size or 1.0)


def to_draw(outline: BaseGeometry, grid: Grid, most: int) -> dict[str, Any]:
    """An outline as a drawing on a map, simplified until it has few corners.

    Parameters
    ----------
    outline
        In the coordinates of the grid; columns and rows without a coordinate system.
    most
        Corners at most, where the shape allows it.

    Returns
    -------
    GeoJSON as `drawn_outline` takes it.
    """
    step = float(np.sqrt(abs(grid.transform.determinant))) if grid.is_georeferenced else 1.0
    simple, tolerance = outline, step / 2
    while shapely.get_num_coordinates(simple) > most and tolerance < 1000 * step:
        simple, tolerance = outline.simplify(tolerance), 1.5 * tolerance
    shape = shapely.geometry.mapping(simple)
    return dict(transform_geom(grid.crs, "EPSG:4326", shape)) if grid.is_georeferenced else to_geojson(simple)
