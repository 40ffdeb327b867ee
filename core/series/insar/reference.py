"""InSAR points relative to a place, or to points, taken to be stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.insar.points import Points
from core.wording import agree, count

MOST_RADIUS = 100_000.0
"""Metres."""

SHOWN = 5
"""Names that are told."""


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
            "The reference is not a valid position and radius.",
            f"Given: longitude {longitude:g}, latitude {latitude:g}, {radius:g} m.",
            f"Give degrees, and a radius of 1 to {MOST_RADIUS:,.0f} m (--reference LON,LAT,RADIUS).",
        )  # fmt: skip
    lon, lat = Transformer.from_crs(points.crs, "EPSG:4326", always_xy=True).transform(points.x, points.y)
    middle = np.full((2, len(points)), [[longitude], [latitude]])
    distance = np.asarray(Geod(ellps="WGS84").inv(middle[0], middle[1], lon, lat)[2])
    within = distance <= radius
    if not within.any():
        raise InputError(
            f"No point lies within {radius:g} m of {longitude:g}, {latitude:g}.",
            f"The nearest is {distance.min():,.0f} m away.", "Choose another position or a larger radius "
                                                             "(--reference).",
        )  # fmt: skip
    return _less_mean(points, within, f"{count(int(within.sum()), 'point')} within {radius:g} m of longitude "
                      f"{longitude:.5f}, latitude {latitude:.5f}")  # fmt: skip


def relative_to_named(points: Points, ids: Sequence[str]) -> Points:
    """Points less the mean series of those that are named.

    Parameters
    ----------
    ids
        Names of points that are taken to be stable.

    Returns
    -------
    Points
        See `relative_to`.

    Raises
    ------
    InputError
        When none is named, or there is no point of a name.
    """
    wanted = set(ids)
    within = np.isin(points.ids.astype(str), sorted(wanted))
    lost = sorted(wanted - set(points.ids[within].astype(str)))
    if lost or not wanted:
        raise InputError(
            f"There is no point {lost[0][:40]!r}." if lost else "No point is named as the reference.",
            remedy="Name points of the table by their IDs.",
        )  # fmt: skip
    named = ", ".join(sorted(wanted)[:SHOWN]) + (" and others" if len(wanted) > SHOWN else "")
    return _less_mean(points, within, f"{count(int(within.sum()), 'named point')} ({named})")


def _less_mean(points: Points, within: NDArray[np.bool_], which: str) -> Points:
    """Points less the mean of some of them at each date."""
    known = np.isfinite(points.values[within])
    count = known.sum(axis=0)
    total = np.where(known, points.values[within], 0).sum(axis=0, dtype=np.float64)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    note = f"All values are relative to the mean of {which}."
    lost = int((count == 0).sum())
    more = (f"On {lost:,} {agree(lost, 'date', 'dates')} no point of the reference is known; "
            f"{agree(lost, 'that date is', 'those dates are')} unknown for all points.",) if lost else ()
    return replace(points, values=points.values - mean, notes=(*points.notes, note, *more))
