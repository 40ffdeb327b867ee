"""InSAR points relative to a place that is taken to be stable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.errors import InputError
from core.series.insar.points import Points

MOST_RADIUS = 100_000.0
"""Metres."""


def relative_to(points: Points, longitude: float, latitude: float, radius: float) -> Points:
    """Points less the mean series of those within a circle.

    Parameters
    ----------
    longitude, latitude
        Middle of the circle, degrees (WGS 84).
    radius
        Metres on the ellipsoid.

    Returns
    -------
    Points
        A date at which no point of the circle is known is unknown for all.

    Raises
    ------
    InputError
        When the place is none, or no point lies within.
    """
    from pyproj import Geod, Transformer

    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90 and 0 < radius <= MOST_RADIUS):
        raise InputError(
            "The reference is no place with a radius.",
            f"Asked for are longitude {longitude:g}, latitude {latitude:g}, {radius:g} m.",
            f"Give degrees, and 1 to {MOST_RADIUS:,.0f} m (--reference LON,LAT,RADIUS).",
        )  # fmt: skip
    lon, lat = Transformer.from_crs(points.crs, "EPSG:4326", always_xy=True).transform(points.x, points.y)
    middle = np.full((2, len(points)), [[longitude], [latitude]])
    distance = np.asarray(Geod(ellps="WGS84").inv(middle[0], middle[1], lon, lat)[2])
    within = distance <= radius
    if not within.any():
        raise InputError(
            f"No point lies within {radius:g} m of {longitude:g}, {latitude:g}.",
            f"The nearest is {distance.min():,.0f} m away.", "Choose another place or a larger radius (--reference).",
        )  # fmt: skip
    known = np.isfinite(points.values[within])
    count = known.sum(axis=0)
    total = np.where(known, points.values[within], 0).sum(axis=0, dtype=np.float64)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    note = (
        f"All values are relative to the mean of {int(within.sum()):,} points within {radius:g} m of longitude "
        f"{longitude:.5f}, latitude {latitude:.5f}."
    )
    lost = int((count == 0).sum())
    more = (f"At {lost:,} dates no point of the reference is known; those dates are left unknown.",) if lost else ()
    return replace(points, values=points.values - mean, notes=(*points.notes, note, *more))
