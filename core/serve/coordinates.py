"""Between the map in the browser and a scene's own coordinates.

The map counts in latitude and longitude (EPSG:4326). A scene without a coordinate system is shown in pixel
space, where latitude is minus the row and longitude the column, counted from the upper left corner of the
first pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.raster.grid import Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Bounds = tuple[tuple[float, float], tuple[float, float]]
"""South-west and north-east corner, each latitude and longitude."""

WGS84 = 4326
_EQUATOR_PIXEL = 2.0 * math.pi * 6378137.0 / 256.0
_MOST_VERTICES = 60_000


def map_bounds(grid: Grid) -> Bounds:
    """Corners of a grid on the map."""
    around = grid.to_wgs84_bounds()
    if around is None:
        return (-float(grid.height), 0.0), (0.0, float(grid.width))
    west, south, east, north = around
    return (south, west), (north, east)


def native_zoom(grid: Grid) -> int:
    """Zoom from which on tiles show every pixel of a grid.

    In pixel space that is zoom 0, where a tile's pixel is the scene's.
    """
    around = grid.to_wgs84_bounds()
    distance = grid.ground_distance()
    if around is None or distance is None:
        return 0
    latitude = math.radians((around[1] + around[3]) / 2.0)
    zoom = math.log2(_EQUATOR_PIXEL * max(math.cos(latitude), 0.01) / distance)
    # A tenth of a zoom is 7 % of a pixel: not worth four times the tiles.
    return min(24, max(0, math.ceil(zoom - 0.1)))


def from_map(grid: Grid, latitude: float, longitude: float) -> tuple[float, float]:
    """Point of the map in the scene's coordinates.

    Returns
    -------
    tuple of float
        x and y in the grid's CRS, as `Grid.rowcol` takes them; in pixel space column and row.
    """
    if grid.crs is None:
        return longitude, -latitude
    from pyproj import Transformer

    x, y = Transformer.from_crs(WGS84, grid.crs, always_xy=True).transform(longitude, latitude)
    return float(x), float(y)


def to_map(grid: Grid, x: float, y: float) -> tuple[float, float]:
    """Point in the scene's coordinates as latitude and longitude of the map."""
    if grid.crs is None:
        return -y, x
    from pyproj import Transformer

    longitude, latitude = Transformer.from_crs(grid.crs, WGS84, always_xy=True).transform(x, y)
    return float(latitude), float(longitude)


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
        is drawn.
    """
    shapes = [drawing["geometry"] for drawing in drawings if drawing["geometry"]["type"] == "Polygon"]
    if not shapes:
        return None
    area: dict[str, Any] = (
        dict(shapes[0])
        if len(shapes) == 1
        else {"type": "MultiPolygon", "coordinates": [shape["coordinates"] for shape in shapes]}
    )
    return area if grid.is_georeferenced else flip_pixels(area)


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
                    "id": int(number),
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
