"""Where something lies, as a reader can look it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.raster.inside import points_inside
from core.report.parts import Column

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def places(listed: GeoDataFrame) -> tuple[list[tuple[str, ...]], list[Column]]:
    """A point inside each polygon: in the image's system and in WGS 84, or as row and column; and the heads of them."""
    points = points_inside(listed.geometry)
    crs = listed.crs
    if crs is None:
        columns = [Column("Row", True), Column("Column", True)]
        # The point lies within this pixel, whose number is that of its upper left corner.
        return [(f"{int(y):,}", f"{int(x):,}") for x, y in zip(points.x, points.y, strict=True)], columns
    degrees = points.to_crs(4326)
    both: list[tuple[str, ...]] = [(f"{y:.5f}", f"{x:.5f}") for x, y in zip(degrees.x, degrees.y, strict=True)]
    columns = [Column("Latitude, °", True), Column("Longitude, °", True)]
    if crs == degrees.crs:
        return both, columns
    digits = 5 if crs.is_geographic else 0
    unit = {"metre": "m", "degree": "°"}.get(crs.axis_info[0].unit_name, crs.axis_info[0].unit_name)
    own = [Column(f"x, {unit}", True), Column(f"y, {unit}", True)]
    here = [(f"{x:,.{digits}f}", f"{y:,.{digits}f}") for x, y in zip(points.x, points.y, strict=True)]
    return [(*first, *second) for first, second in zip(here, both, strict=True)], [*own, *columns]
