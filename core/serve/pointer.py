"""What a map says of the place under the pointer, worked out in the browser from a few numbers that are sent once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.figures.cartography import coordinate_system
from core.serve.coordinates import map_bounds, pixel_side
from core.serve.placing import WGS84, map_of, mercator_y, near, own_longitudes, transformer

if TYPE_CHECKING:
    from core.raster.grid import Grid

DEGREE = 5
"""Of the polynomial in two variables that stands for a projection."""

CLOSE = 0.25
"""Most pixels by which it may be off within a scene; where it is off by more, degrees alone are shown."""

_METRES_A_DEGREE = 111_320.0
_SEMI_MAJOR, _ECCENTRICITY_SQUARE = 6_378_137.0, 0.006_694_379_990_141_3
"""Of the WGS 84 ellipsoid."""


def pointer(grid: Grid) -> dict[str, Any]:
    """What the map's script needs to say where the pointer is.

    Parameters
    ----------
    grid
        Of the scene.

    Returns
    -------
    dict
        ``digits`` of degrees; ``size``, the columns and rows of a scene without a coordinate system; ``metres`` on
        the ground of one unit of a plane, or of a pixel whose size was stated; ``system``, the name of the scene's
        own coordinate system where its coordinates are told, with their ``systemDigits``, and ``terms``, the
        polynomials that give its x and y from the longitude and the Mercator latitude, both on −1 to 1 over the
        scene; on a plane ``earth``, those that give the geocentric coordinates, in semi-major axes of the WGS 84
        ellipsoid, from x and y on −1 to 1, which are smooth also at a pole; ``note``, why the map is no map of the
        globe.
    """
    kind = map_of(grid)
    if grid.crs is None:
        return {"size": [grid.width, grid.height], **({"metres": grid.pixel_size} if grid.pixel_size else {})}
    distance = grid.ground_distance() or 1.0
    code = grid.crs.to_authority()
    own = {"system": ":".join(code) if code else "own system", "systemDigits": _digits(pixel_side(grid))}
    if kind == "plane":
        told = f"Shown in its own coordinate system, {coordinate_system(grid)}: web maps end at 85° of latitude."
        plane = {**own, "metres": distance / pixel_side(grid), "note": told}
        earth = _earth_terms(grid)
        return plane if earth is None else {**plane, "digits": _digits(distance / _METRES_A_DEGREE), "earth": earth}
    found: dict[str, Any] = {"digits": _digits(distance / _METRES_A_DEGREE)}
    if grid.crs.to_epsg() == WGS84:
        return found
    terms = _terms(grid)
    return found if terms is None else {**found, **own, "terms": terms}


def _digits(step: float) -> int:
    """Decimals that tell neighbouring pixels apart."""
    return max(0, min(7, math.ceil(-math.log10(step) - 0.01)))


def _terms(grid: Grid) -> list[list[float]] | None:
    """Coefficients of x and of y; None where polynomials are not close enough."""
    fitted, tried = _mesh(24, 1.2), _mesh(17, 1.0)
    place, matrix = _own(grid, *fitted), _powers(*fitted)
    if not np.isfinite(place).all():
        return None
    terms = np.linalg.lstsq(matrix, place, rcond=None)[0]
    off = np.hypot(*(_powers(*tried) @ terms - _own(grid, *tried)).T)
    if not np.isfinite(off).all() or off.max() > CLOSE * pixel_side(grid):
        return None
    return [[float(f"{term:.12g}") for term in column] for column in terms.T]


def _earth_terms(grid: Grid) -> list[list[float]] | None:
    """Coefficients of the three geocentric coordinates over a plane; None where polynomials are not close enough."""
    fitted, tried = _mesh(24, 1.2), _mesh(17, 1.0)
    place = _geocentric(grid, *fitted)
    if not np.isfinite(place).all():
        return None
    terms = np.linalg.lstsq(_powers(*fitted), place, rcond=None)[0]
    off = np.linalg.norm(_powers(*tried) @ terms - _geocentric(grid, *tried), axis=1) * _SEMI_MAJOR
    if not np.isfinite(off).all() or off.max() > CLOSE * (grid.ground_distance() or 0.0):
        return None
    return [[float(f"{term:.14g}") for term in column] for column in terms.T]


def _geocentric(grid: Grid, across: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Geocentric coordinates (points, 3) of places of a plane, in semi-major axes."""
    assert grid.crs is not None  # noqa: S101  told by the caller
    (south, west), (north, east) = map_bounds(grid)
    x, y = (west + east) / 2 + across * (east - west) / 2, (south + north) / 2 + up * (north - south) / 2
    longitude, latitude = (np.radians(one) for one in transformer(grid.crs, WGS84).transform(x, y))
    normal = 1 / np.sqrt(1 - _ECCENTRICITY_SQUARE * np.sin(latitude) ** 2)
    flat = normal * np.cos(latitude)
    return np.column_stack([
        flat * np.cos(longitude), flat * np.sin(longitude), normal * (1 - _ECCENTRICITY_SQUARE) * np.sin(latitude)
    ])  # fmt: skip


def _mesh(points: int, reach: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    across, up = np.meshgrid(*[np.linspace(-reach, reach, points)] * 2)
    return across.ravel(), up.ravel()


def _powers(across: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Terms ``across**i * up**j`` with i + j up to `DEGREE`, i before j."""
    return np.column_stack([across**i * up**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)])


def _own(grid: Grid, across: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates in the grid's coordinate system (points, 2)."""
    assert grid.crs is not None  # noqa: S101  told by the caller
    (south, west), (north, east) = map_bounds(grid)
    low, high = mercator_y(south), mercator_y(north)
    longitudes = (west + east) / 2 + across * (east - west) / 2
    latitudes = np.degrees(np.arctan(np.sinh(((low + high) / 2 + up * (high - low) / 2) / 6378137.0)))
    x, y = transformer(WGS84, grid.crs).transform(near(longitudes, 0.0), latitudes)
    return np.column_stack([own_longitudes(grid, np.asarray(x)), y])
