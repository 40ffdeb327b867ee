"""Between the map in the browser and a scene's own coordinates.

On the globe the map counts in latitude and longitude (EPSG:4326), beyond ±180° where a scene crosses the antimeridian.
On a plane (see `core.serve.placing`) its latitude is the y and its longitude the x of the scene's own coordinate
system; for a scene without one they are minus the row and the column, counted from the upper left corner of the first
pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.raster.grid import Grid
from core.serve.placing import MERCATOR_LATITUDE, WGS84, extent, map_of, near, own_longitudes, plane_of, transformer

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Bounds = tuple[tuple[float, float], tuple[float, float]]
"""South-west and north-east corner, each latitude and longitude."""

_EQUATOR_PIXEL = 2.0 * math.pi * 6378137.0 / 256.0
_MOST_VERTICES = 60_000


def map_bounds(grid: Grid) -> Bounds:
    """Corners of a grid on the map."""
    if map_of(grid) != "globe":
        left, bottom, right, top = extent(grid, globe=False)
        return (bottom, left), (top, right)
    west, south, east, north = grid.to_wgs84_bounds() or (0.0, 0.0, 0.0, 0.0)
    return (max(south, -MERCATOR_LATITUDE), west), (min(north, MERCATOR_LATITUDE), east)


def native_zoom(grid: Grid) -> int:
    """Zoom from which on tiles show every pixel of a grid.

    On a plane a pixel of zoom 0 is one unit.
    """
    # A tenth of a zoom is 7 % of a pixel: not worth four times the tiles.
    if map_of(grid) != "globe":
        return min(24, max(-16, math.ceil(-math.log2(pixel_side(grid)) - 0.1)))
    around, distance = grid.to_wgs84_bounds(), grid.ground_distance()
    if around is None or distance is None:
        return 0
    latitude = math.radians((around[1] + around[3]) / 2.0)
    zoom = math.log2(_EQUATOR_PIXEL * max(math.cos(latitude), 0.01) / distance)
    return min(24, max(0, math.ceil(zoom - 0.1)))


def pixel_side(grid: Grid) -> float:
    """Units of the plane from pixel to pixel of a grid."""
    return math.sqrt(abs(plane_of(grid).determinant))


def from_map(grid: Grid, latitude: float, longitude: float) -> tuple[float, float]:
    """Point of the map in the scene's coordinates.

    Returns
    -------
    tuple of float
        x and y in the grid's CRS, as `Grid.rowcol` takes them; in pixel space column and row.
    """
    if grid.crs is None:
        return longitude, -latitude
    if map_of(grid) == "plane":
        return longitude, latitude
    x, y = transformer(WGS84, grid.crs).transform(longitude, latitude)
    return float(own_longitudes(grid, x)), float(y)


def to_map(grid: Grid, x: float, y: float) -> tuple[float, float]:
    """Point in the scene's coordinates as latitude and longitude of the map."""
    if grid.crs is None:
        return -y, x
    if map_of(grid) == "plane":
        return y, x
    longitude, latitude = transformer(grid.crs, WGS84).transform(x, y)
    return float(latitude), float(near(longitude, _middle(grid)))


def _middle(grid: Grid) -> float:
    """Longitude of the map around which a grid lies."""
    (_, west), (_, east) = map_bounds(grid)
    return (west + east) / 2


def on_map(grid: Grid, content: Mapping[str, Any]) -> dict[str, Any]:
    """GeoJSON in EPSG:4326 as it lies on the map of a grid.

    Parameters
    ----------
    grid
        Of a scene with a coordinate system; without one nothing is changed.
    content
        A geometry, feature or collection.

    Returns
    -------
    dict
        With longitudes in the turn in which the map shows the grid; on a plane in its coordinates.
    """
    crs, kind = grid.crs, map_of(grid)
    if crs is None or is_as_it_is(grid):
        return dict(content)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        if kind == "globe":
            return np.column_stack([near(points[:, 0], _middle(grid)), points[:, 1]])
        x, y = transformer(WGS84, crs).transform(points[:, 0], points[:, 1])
        return np.column_stack([own_longitudes(grid, x), y])

    return _each(content, moved)


def off_map(grid: Grid, geometry: Mapping[str, Any]) -> dict[str, Any]:
    """A GeoJSON geometry of the map in EPSG:4326, in the turn in which the scene counts; in pixels without a CRS."""
    crs, kind = grid.crs, map_of(grid)
    if crs is None:
        return flip_pixels(geometry)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        if kind == "globe":
            return np.column_stack([own_longitudes(grid, points[:, 0]), points[:, 1]])
        return np.column_stack(transformer(crs, WGS84).transform(points[:, 0], points[:, 1]))

    return dict(geometry) if kind == "globe" and not crs.is_geographic else _each(geometry, moved)


def is_as_it_is(grid: Grid) -> bool:
    """Whether the map of a grid counts in degrees from −180 to 180, or in pixels, as the outlines of `features` do."""
    if map_of(grid) != "globe":
        return grid.crs is None
    (_, _), (_, east) = map_bounds(grid)
    left, _, right, _ = grid.bounds
    counted = grid.crs is not None and grid.crs.is_geographic
    return east <= 180.0 and not (counted and max(abs(left), abs(right)) > 180.0)


def drawing_on_map(grid: Grid, geometry: Mapping[str, Any]) -> dict[str, Any]:
    """A drawn area, as `drawn_area` gives it, on the map of a grid again."""
    return flip_pixels(geometry) if grid.crs is None else on_map(grid, geometry)


def _each(content: Mapping[str, Any], moved: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> dict[str, Any]:
    """GeoJSON with its points moved, ring by ring."""

    def ring(part: Any) -> Any:  # noqa: ANN401 - GeoJSON nests its coordinates to any depth
        if not part:
            return part
        if isinstance(part[0], int | float):
            return moved(np.array([part[:2]], dtype=np.float64))[0].tolist()
        if isinstance(part[0][0], int | float):
            return moved(np.array([point[:2] for point in part], dtype=np.float64)).tolist()
        return [ring(inner) for inner in part]

    if "features" in content:
        return {**content, "features": [_each(feature, moved) for feature in content["features"]]}
    if "geometry" in content:
        geometry = content["geometry"]
        return {**content, "geometry": geometry and _each(geometry, moved)}
    return {**content, "coordinates": ring(content["coordinates"])}


def flip_pixels(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a GeoJSON geometry of pixel space over: from latitude to row, or back."""

    def turn(part: Any) -> Any:  # noqa: ANN401 - GeoJSON nests its coordinates to any depth
        if part and isinstance(part[0], int | float):
            return [part[0], -part[1]]
        return [turn(inner) for inner in part]

    return {"type": geometry["type"], "coordinates": turn(geometry["coordinates"])}


def drawn_area(grid: Grid, drawings: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Everything drawn on the map as one area.

    Parameters
    ----------
    drawings
        GeoJSON features of the map; only polygons count.

    Returns
    -------
    dict or None
        GeoJSON Polygon or MultiPolygon in EPSG:4326, or in pixel space x column and y row. None when nothing
        is drawn. Longitudes are counted in the turn of the scene's own.
    """
    shapes = [drawing["geometry"] for drawing in drawings if drawing["geometry"]["type"] == "Polygon"]
    if not shapes:
        return None
    area: dict[str, Any] = (
        dict(shapes[0])
        if len(shapes) == 1
        else {"type": "MultiPolygon", "coordinates": [shape["coordinates"] for shape in shapes]}
    )
    return off_map(grid, area)


def features(
    polygons: GeoDataFrame,
    facts: Mapping[str, Sequence[str]],
    *,
    colours: Sequence[str] = (),
    most: int = 3000,
) -> tuple[dict[str, Any], int]:
    """Polygons as GeoJSON for the map.

    Parameters
    ----------
    polygons
        With a column ``id``; CRS of the scene, or None with x the column and y the row. The first ones are
        kept, so sort by what matters.
    facts
        Words to show on each polygon: title to one text a polygon, in the polygons' order.
    colours
        A colour for each polygon; all have their layer's when empty.
    most
        How many polygons a browser is asked to draw.

    Returns
    -------
    tuple
        FeatureCollection in the map's coordinates with properties ``id``, ``facts`` and, where given, ``colour``, and
        how many polygons were left out.
    """
    import shapely
    from geopandas import GeoSeries

    kept = polygons.iloc[:most]
    shapes = kept.geometry.to_numpy()
    if len(shapes) and shapely.get_num_coordinates(shapes).sum() > _MOST_VERTICES:
        # The mask shows every pixel; so many outlines need no corner finer than half of one.
        shapes = shapely.simplify(shapes, _step(shapes) / 2.0)
    if polygons.crs is None:
        shapes = shapely.transform(shapes, lambda points: points * np.array([1.0, -1.0]))
    else:
        shapes = GeoSeries(shapes, crs=polygons.crs).to_crs(WGS84).to_numpy()
    rounded = shapely.transform(shapes, lambda points: np.round(points, 7))
    titles = list(facts)
    collection = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "id": number if isinstance(number, str) else int(number),
                    "facts": [[title, facts[title][place]] for title in titles],
                    **({"colour": colours[place]} if colours else {}),
                },
                "geometry": shapely.geometry.mapping(shape),
            }
            for place, (number, shape) in enumerate(zip(kept["id"], rounded, strict=True))
        ],
    }
    return collection, len(polygons) - len(kept)


def _step(shapes: NDArray[Any]) -> float:
    """Shortest side of the outlines, which is the pixel of the raster they were traced from."""
    import shapely

    points = shapely.get_coordinates(shapely.get_exterior_ring(shapely.get_parts(shapes)[:200]))
    sides = np.hypot(*np.diff(points, axis=0).T)
    return float(sides[sides > 0].min()) if (sides > 0).any() else 0.0
