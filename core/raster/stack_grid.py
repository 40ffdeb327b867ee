"""A grid for several rasters: of one of them, or of the ground that all or any of them cover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import calculate_default_transform

from core.errors import GridError, InputError
from core.raster.grid import Grid
from core.raster.untrusted import MAX_PIXELS

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.raster.stack import Layer


def stack_grid(
    layers: Sequence[Layer], extent: str = "intersection", *, crs: CRS | None = None, cell: float | None = None
) -> Grid:
    """A grid for a stack.

    Parameters
    ----------
    layers
        The rasters; the first one decides what is not said.
    extent
        ``"intersection"`` or ``"union"`` of all layers, or the role of the layer whose extent it is.
    crs
        Coordinate system; that of the layer named by `extent`, else of the first, when None.
    cell
        Side of a pixel in units of the coordinate system; that of the same layer when None.

    Returns
    -------
    Grid
        The very grid of the layer named by `extent` where neither `crs` nor `cell` is given; else north-up, its pixels
        in step with those of that layer or the first where system and side are the same.

    Raises
    ------
    InputError
        When no layer has the role.
    GridError
        When the layers do not overlap, some have a coordinate system and others none, or the grid would be too large.
    """
    chosen = next((layer for layer in layers if layer.role == extent), None)
    if chosen is None and (extent not in ("intersection", "union") or not layers):
        raise InputError(f"The stack has no layer {extent!r}.", remedy=
            "Choose the extent of one of its layers.")
    base = (chosen or layers[0]).scene.grid
    if len({layer.scene.grid.is_georeferenced for layer in layers}) > 1:
        raise GridError(
            "Some rasters of the stack have a coordinate system and others have none.",
            "Their positions relative to each other are unknown.", "Georeference all of them.",
        )  # fmt: skip
    if base.crs is None or (chosen is not None and cell is None and crs in (None, base.crs)):
        return base
    system = crs or base.crs
    width, height = (cell, cell) if cell else _default_cell(base, system)
    if not (math.isfinite(width) and width > 0):
        raise GridError("The pixel size must be a positive number.", remedy="Enter another value.")
    west, south, east, north = _extent([chosen] if chosen else layers, extent, system)
    left, top = _origin(base, system, (width, height), (west, north))
    # Half a thousandth of a pixel is rounding, not another pixel.
    start_column, end_column = math.floor((west - left) / width + 5e-4), math.ceil((east - left) / width - 5e-4)
    start_row, end_row = math.floor((top - north) / height + 5e-4), math.ceil((top - south) / height - 5e-4)
    columns, rows = max(1, end_column - start_column), max(1, end_row - start_row)
    if columns * rows > MAX_PIXELS:
        raise GridError(
            f"The grid would have {columns:,} by {rows:,} pixels.", "That exceeds the size limit of a raster.",
            "Choose larger pixels or a smaller extent.",
        )  # fmt: skip
    transform = Affine(width, 0, left + start_column * width, 0, -height, top - start_row * height)
    return Grid(columns, rows, transform, system)


def _extent(layers: Sequence[Layer], extent: str, system: CRS) -> tuple[float, float, float, float]:
    found = np.array([bounds_in(layer.scene, system) for layer in layers])
    lowest, highest = (np.min, np.max) if extent == "union" else (np.max, np.min)
    west, south = (float(lowest(found[:, at])) for at in (0, 1))
    east, north = (float(highest(found[:, at])) for at in (2, 3))
    if not (west < east and south < north):
        raise GridError(
            "The rasters of the stack have no area in common.",
            remedy="Choose rasters of the same area, or the union of their extents.",
        )
    return west, south, east, north


def bounds_in(scene: Scene, system: CRS) -> tuple[float, float, float, float]:
    """West, south, east and north of a raster in a coordinate system."""
    import pyproj
    import shapely

    edge = scene.grid.outline().exterior
    x, y = shapely.get_coordinates(shapely.segmentize(edge, edge.length / 200)).T
    if scene.grid.crs != system:
        own, wanted = (pyproj.CRS.from_user_input(one) for one in (scene.grid.crs, system))
        x, y = pyproj.Transformer.from_crs(own, wanted, always_xy=True).transform(x, y)
    reached = np.isfinite(x) & np.isfinite(y)
    if not reached.any():
        raise GridError(
            f"{scene.name} lies outside the area of the chosen coordinate system.", remedy="Choose another system."
        )
    return float(x[reached].min()), float(y[reached].min()), float(x[reached].max()), float(y[reached].max())


def _default_cell(base: Grid, system: CRS) -> tuple[float, float]:
    t = base.transform
    if base.crs == system:
        return (abs(t.a), abs(t.e)) if t.b == t.d == 0 else (math.hypot(t.a, t.d), math.hypot(t.b, t.e))
    placed, _, _ = calculate_default_transform(base.crs, system, base.width, base.height, *base.bounds)
    return abs(placed.a), abs(placed.e)


def _origin(
    base: Grid, system: CRS, cell: tuple[float, float], corner: tuple[float, float]
) -> tuple[float, float]:
    """Where pixels are counted from: a corner of the base's where they can be kept in step, else of the extent."""
    t = base.transform
    if base.crs == system and t.b == t.d == 0 and np.allclose(cell, (abs(t.a), abs(t.e)), rtol=1e-9, atol=0):
        return t.c, t.f
    return corner
