"""Where something lies, so that it can be looked up elsewhere: latitude, longitude and elevation of points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rasterio.windows import Window

from core.errors import GridError
from core.raster.inside import points_inside
from core.raster.quantity import Quantity, QuantityReader, elevation_model

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

MOST = 5_000
"""Points whose elevation is looked up, the first of them."""

LOCATED = ("latitude", "longitude", "elevation_m")
"""Columns of `located`."""


def degrees_of(x: ArrayLike, y: ArrayLike, crs: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # noqa: ANN401
    """Latitudes and longitudes (WGS 84, °) of points in a coordinate system.

    Parameters
    ----------
    x, y
        (points,) each.
    crs
        As pyproj takes it.

    Raises
    ------
    GridError
        When there is no way from it to latitudes and longitudes.
    """
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    try:
        to_degrees = Transformer.from_crs(CRS.from_user_input(crs), CRS.from_epsg(4326), always_xy=True)
    except ProjError as error:
        raise GridError(
            "This coordinate system has no known position on the Earth.",
            "Latitudes and longitudes cannot be calculated."
        ) from error
    longitudes, latitudes = to_degrees.transform(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    return np.asarray(latitudes), np.asarray(longitudes)


def elevations_at(dem: Path, x: ArrayLike, y: ArrayLike, crs: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Elevation in metres of the cell of an elevation model in which each point lies; NaN where unknown.

    Parameters
    ----------
    dem
        Elevation raster in any coordinate system.
    x, y
        (points,) each; of more than `MOST` only the first are looked up.
    crs
        Their coordinate system, as pyproj takes it.

    Raises
    ------
    BandError
        When the raster has more than one band.
    StorageError
        When it is gone.
    """
    from pyproj import CRS, Transformer

    scene = elevation_model(dem)
    x, y = np.atleast_1d(np.asarray(x, dtype=np.float64)), np.atleast_1d(np.asarray(y, dtype=np.float64))
    found = np.full(len(x), np.nan)
    if scene.grid.crs is None:
        return found
    there = CRS.from_wkt(scene.grid.crs.to_wkt())
    xs, ys = Transformer.from_crs(CRS.from_user_input(crs), there, always_xy=True).transform(x[:MOST], y[:MOST])
    with scene.reader() as reader:
        amounts = QuantityReader(reader, Quantity.of(scene, "elevation"))
        for at, (east, north) in enumerate(zip(xs, ys, strict=True)):
            if not (np.isfinite(east) and np.isfinite(north)):
                continue
            row, column = scene.grid.rowcol(float(east), float(north))
            if 0 <= row < scene.grid.height and 0 <= column < scene.grid.width:
                found[at] = amounts.read(Window(column, row, 1, 1))[0, 0]
    return found


def located(frame: GeoDataFrame, dem: Path | None = None) -> GeoDataFrame:
    """Shapes with where they lie: that of a point inside each (its representative point).

    Parameters
    ----------
    frame
        Shapes in a coordinate system; without one it is given back as it is.
    dem
        Elevation raster in any coordinate system.

    Returns
    -------
    GeoDataFrame
        With ``latitude`` and ``longitude`` (WGS 84, °), and with a DEM ``elevation_m``, NaN where unknown.
    """
    if frame.crs is None:
        return frame
    points = points_inside(frame.geometry)
    x, y = points.x.to_numpy(), points.y.to_numpy()
    latitudes, longitudes = degrees_of(x, y, frame.crs)
    placed: GeoDataFrame = frame.assign(latitude=latitudes, longitude=longitudes)
    return placed if dem is None else _with_elevations(placed, dem)


def elevated(frame: GeoDataFrame, dem: Path | None) -> GeoDataFrame:
    """Shapes with the elevation of a point inside each, as `located` gives it.

    Parameters
    ----------
    frame
        Shapes in a coordinate system; without one, without a DEM, or of more than `MOST` shapes it is given back as it
        is: no elevation is told apart from one that is unknown.
    dem
        Elevation raster in any coordinate system.

    Returns
    -------
    GeoDataFrame
        With ``elevation_m``, NaN where unknown, before the shapes.
    """
    if frame.crs is None or dem is None or len(frame) > MOST:
        return frame
    return _with_elevations(frame, dem)


def _with_elevations(frame: GeoDataFrame, dem: Path) -> GeoDataFrame:
    points = points_inside(frame.geometry)
    there = elevations_at(dem, points.x.to_numpy(), points.y.to_numpy(), frame.crs)
    found: GeoDataFrame = frame.assign(elevation_m=there)
    return found


def pasted(x: float, y: float, crs: Any) -> tuple[str, str]:  # noqa: ANN401
    """A place as text that programs take: ``x, y`` in its coordinate system, and ``latitude, longitude`` (WGS 84).

    Digits tell decimetres apart; there is no separator of thousands.

    Examples
    --------
    >>> pasted(437465.04, 5106115.0, "EPSG:32632")
    ('437465.0, 5106115.0', '46.105747, 8.190848')
    """
    from pyproj import CRS

    latitude, longitude = (float(part[0]) for part in degrees_of([x], [y], crs))
    digits = 6 if CRS.from_user_input(crs).is_geographic else 1
    return f"{x:.{digits}f}, {y:.{digits}f}", f"{latitude:.6f}, {longitude:.6f}"
