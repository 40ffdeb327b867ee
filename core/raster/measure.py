"""What is measured of the patches of a mask, for all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.raster.terrain import slope_aspect_at

if TYPE_CHECKING:
    from core.raster.grid import Grid

Floats = NDArray[np.float64]


class Patches:
    """Sums over the pixels of each patch.

    Parameters
    ----------
    labels
        Patch of each landslide pixel, 1 to `count`.
    at
        Flat index of each landslide pixel.
    count
        Number of patches.
    """

    def __init__(self, labels: NDArray[np.intp], at: NDArray[np.intp], count: int) -> None:
        self.patch = labels - 1
        self.at = at
        self.count = count
        self.sizes = np.bincount(self.patch, minlength=count)

    def total(self, values: NDArray[Any]) -> Floats:
        """Sum of the values of each patch's pixels."""
        return np.bincount(self.patch, weights=values, minlength=self.count).astype(np.float64)

    def mean(self, values: NDArray[Any]) -> Floats:
        """Mean of the finite values; NaN for a patch without any."""
        known = np.isfinite(values)
        number = np.bincount(self.patch[known], minlength=self.count)
        total = np.bincount(self.patch[known], weights=values[known], minlength=self.count)
        mean: Floats = np.divide(total, number, out=np.full(self.count, np.nan), where=number > 0)
        return mean

    def span(self, values: NDArray[Any]) -> Floats:
        """Largest minus smallest finite value; NaN for a patch without any."""
        known = np.isfinite(values)
        highest, lowest = np.full(self.count, -np.inf), np.full(self.count, np.inf)
        np.maximum.at(highest, self.patch[known], values[known])
        np.minimum.at(lowest, self.patch[known], values[known])
        return np.where(np.isfinite(highest), highest - lowest, np.nan)


def terrain_of(patches: Patches, dem: NDArray[Any], grid: Grid) -> dict[str, NDArray[Any]]:
    """Mean slope, relief and circular mean aspect of each patch; NaN where the DEM has no data."""
    slope, aspect = slope_aspect_at(dem, grid, *np.unravel_index(patches.at, grid.shape))
    angle = np.radians(aspect)
    east, north = patches.mean(np.sin(angle)), patches.mean(np.cos(angle))
    mean_aspect = np.degrees(np.arctan2(east, north)) % 360.0
    # Directions that cancel each other (a hilltop) have no mean.
    mean_aspect[np.hypot(east, north) < 1e-6] = np.nan
    return {
        "slope_mean_deg": patches.mean(slope),
        "relief_m": patches.span(dem.ravel()[patches.at].astype(np.float64)),
        "aspect_deg": mean_aspect,
    }


def row_areas(grid: Grid) -> Floats:
    """Ground area in m² of a pixel of each row, (height,), rounded so that no sum over pixels of the grid is.

    Sums are then the same in whatever order and in however many parts they are made. What is lost is less than a
    millionth, a tenth of what the areas themselves are good to.
    """
    areas = np.broadcast_to(np.asarray(grid.pixel_areas(None), dtype=np.float64).ravel(), grid.height)
    # A float counts exactly up to 2^53 of the smallest step.
    steps = 52 - int(np.ceil(np.log2(areas.max() * grid.width * grid.height)))
    return np.asarray(np.ldexp(np.rint(np.ldexp(areas, steps)), -steps), dtype=np.float64)


def geodesic_perimeters(placed: NDArray[np.object_], grid: Grid) -> Floats:
    """Geodesic length of all rings of each polygon, in metres."""
    import pyproj
    import shapely

    parts, patch = shapely.get_parts(placed, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if len(points) == 0:
        return np.zeros(len(placed))
    to_degrees = pyproj.Transformer.from_crs(pyproj.CRS.from_user_input(grid.crs), 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(points[:, 0], points[:, 1])
    *_, length = pyproj.Geod(ellps="WGS84").inv(longitude[:-1], latitude[:-1], longitude[1:], latitude[1:])
    same = ring[1:] == ring[:-1]
    total = np.bincount(patch[part[ring[1:][same]]], weights=np.asarray(length)[same], minlength=len(placed))
    return np.asarray(total, dtype=np.float64)
