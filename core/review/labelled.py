"""Labelled rows of a table or of a layer of units, as a task gives them to a reviewer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from pandas import DataFrame

    from core.raster.grid import Grid
    from core.review.units import Changes

SIDE = 1000
"""Cells along the longer side of a grid about places, without the ground around them."""


@dataclass(frozen=True)
class Labelled:
    """Labelled rows of a table, as a task gives them to a reviewer.

    Attributes
    ----------
    table
        A row for each that has a label: ``id``, ``row`` (its row in the table, from 0), ``landslide`` (what the label
        says), ``score`` (0 to 1, what a model says that had not seen the row; NaN where it was not asked).
    named
        Columns of the validated table by which people recognise these rows, in the same order, such as coordinates.
    scored_by
        The model and the way of dividing that the scores are of, in words.
    places
        Outlines or points of the rows, in the order of `table`, in a coordinate system; None where none is known.
        Outlines can be edited.
    source
        The whole table as it was read.
    origin
        Where the table comes from, in words.
    coordinates
        Those columns of `named` that are coordinates.
    inside
        Those columns of `named` that hold longitude and latitude (WGS 84) of a point inside each outline, or None.
    corrected
        Gives the table, or the layer of units, with what a review changed.
    """

    table: DataFrame
    named: DataFrame
    scored_by: str
    places: GeoSeries | None
    source: DataFrame
    origin: str
    coordinates: tuple[str, ...]
    inside: tuple[str, str] | None
    corrected: Callable[[Changes], DataFrame]

    @cached_property
    def left_out(self) -> list[str]:
        """Rows of the table that are not among those that were validated.

        By their id, and where a review made the table by what they are called in it.
        """
        from core.review.units import REVIEW_ID

        there = np.isin(np.arange(len(self.source)), self.table["row"].to_numpy())
        names = self.source[REVIEW_ID].astype(str) if REVIEW_ID in self.source else None
        return [f"R{row}" if names is None else names.iloc[row] for row in np.flatnonzero(~there)]

    @cached_property
    def has_outlines(self) -> bool:
        """Whether the rows are units with outlines."""
        places = self.places
        return places is not None and bool((places.geom_type.isin(("Polygon", "MultiPolygon"))).any())

    @cached_property
    def frame(self) -> Grid:
        """A grid about the outlines of units and as much ground around them, in their coordinate system.

        Raises
        ------
        InputError
            Where the rows have no outlines.
        """
        if self.places is None or not self.has_outlines:
            raise InputError(
                "The rows of this run have no outlines in a known coordinate system.", "Only their labels can be "
                "reviewed, and rows deleted.", "To edit outlines, validate a layer of units.",
            )
        return grid_about(self.places, 1.0)


def grid_about(places: GeoSeries, margin: float, least: float = 0.0) -> Grid:
    """A grid about places, in their coordinate system.

    Parameters
    ----------
    margin
        Ground around them on each side, as a share of the longer side.
    least
        Units of the coordinate system that the longer side has at least.
    """
    from affine import Affine
    from rasterio.crs import CRS

    from core.raster.grid import Grid

    crs = places.crs
    if crs is None:
        raise InputError("The rows have no known coordinate system.", remedy="Name it.")
    left, bottom, right, top = (float(one) for one in places.total_bounds)
    longest = max(right - left, top - bottom)
    around = max((least - longest) / 2, margin * longest)
    left, bottom, right, top = left - around, bottom - around, right + around, top + around
    cell = max(longest, least) / SIDE or 1.0
    size = max(1, math.ceil((right - left) / cell)), max(1, math.ceil((top - bottom) / cell))
    return Grid(*size, Affine(cell, 0, left, 0, -cell, top), CRS.from_wkt(crs.to_wkt()))
