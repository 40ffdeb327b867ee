"""Where labelled rows are: in metres, with a grid about them for a map that is seen or printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.review.labelled import grid_about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoSeries

    from core.raster.grid import Grid
    from core.review.labels import OpenedLabels
    from core.review.state import Feature

MARGIN = 0.05
"""Ground around places on each side of a map, as a share of the longer side."""

SMALLEST = 200.0
"""Metres that a map shows at least."""

WIDEST, HIGHEST, DEGREE = 6.0, 84.0, 111_000.0
"""Degrees of longitude that one zone of UTM shows well, latitude at which these zones end, and metres of a degree."""


def for_map(places: GeoSeries | None) -> tuple[GeoSeries, Grid] | None:
    """Places as a map shows them, and a grid about them; None where there are none, or no coordinate system is known.

    Parameters
    ----------
    places
        Outlines or points in a coordinate system; None of what has no place.

    Returns
    -------
    The places in metres, or in degrees where they cover more than a zone of UTM.
    """
    crs = None if places is None else places.crs
    if places is None or crs is None or places.isna().all():
        return None
    west, south, east, north = places.total_bounds
    least = SMALLEST
    if crs.is_geographic and east - west < WIDEST and max(abs(south), abs(north)) < HIGHEST:
        places = places.to_crs(places.estimate_utm_crs())
    elif crs.is_geographic:
        least = SMALLEST / DEGREE
    return places, grid_about(places, MARGIN, least)


def places_of(opened: OpenedLabels, features: Sequence[Feature], originals: GeoSeries) -> GeoSeries:
    """Where rows are as they are after the review, in their order; None of those without a place.

    Parameters
    ----------
    originals
        Places of all rows before it, as `for_map` gives them; what a reviewer drew follows in their coordinates.
    """
    import geopandas

    places, ours = originals.to_numpy(), [one.outline for one in features if one.origin != "model"]
    theirs = None if opened.labelled.places is None else opened.labelled.places.crs
    assert originals.crs is not None  # noqa: S101  a map has a coordinate system
    moved = iter(geopandas.GeoSeries(ours, crs=theirs).to_crs(originals.crs) if ours else ())
    there = [places[opened.positions[one.id]] if one.origin == "model" else next(moved) for one in features]
    return geopandas.GeoSeries(there, crs=originals.crs)
