"""A reference inventory as outlines, for showing beside what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.raster.align import reference_reader
from core.raster.grid import Grid
from core.raster.inventory import Inventory

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def reference_outlines(path: Path, grid: Grid) -> GeoDataFrame | None:
    """Outlines of a vector inventory in a grid's coordinates, numbered from 1; None for a raster inventory.

    Raises
    ------
    GridError
        When it does not overlap the grid, or only one of the two has a coordinate system.
    InputError
        When it cannot be read or holds no polygons.
    """
    import geopandas
    import shapely
    from shapely.affinity import affine_transform

    inventory = reference_reader(path, grid)
    if not isinstance(inventory, Inventory):
        return None
    outlines = list(inventory.polygons[inventory.tree.query(shapely.box(0, 0, grid.width, grid.height))])
    if grid.is_georeferenced:
        place = grid.transform
        matrix = (place.a, place.b, place.d, place.e, place.c, place.f)
        outlines = [affine_transform(outline, matrix) for outline in outlines]
    crs = grid.crs.to_wkt() if grid.crs is not None else None
    return geopandas.GeoDataFrame({"id": np.arange(1, len(outlines) + 1)}, geometry=outlines, crs=crs)
