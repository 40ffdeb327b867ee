"""From a mask of landslide pixels to measured polygons, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.measure import Patches, geodesic_perimeters, row_areas, terrain_of
from core.raster.place_names import place_names
from core.raster.strip_labelling import EIGHT, FOUR

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

PEAK = "peak"
"""Name among measured quantities of the pixel after which a patch is named."""


def clean_mask(
    mask: Mask,
    *,
    minimum_area_px: int,
    fill_holes_px: int,
    connectivity: Literal[4, 8] = 8,
    valid: Mask | None = None,
) -> Mask:
    """Fill small holes, then drop small patches.

    Parameters
    ----------
    mask
        True where a landslide was found, shape (height, width).
    minimum_area_px
        Patches of fewer pixels are dropped, after their holes were filled; 0 or 1 keeps all.
    fill_holes_px
        Holes of at most this many pixels are filled; 0 fills none. A gap that reaches the edge of the mask,
        or holds a pixel without data, is no hole.
    connectivity
        Whether pixels that touch only at a corner are one patch (8) or two (4). Holes are joined the other
        way, so that no line of a patch can both be crossed and stay whole.
    valid
        Where the scene has data, shape (height, width); nothing is ever found where it has none.

    Returns
    -------
    ndarray of bool (height, width)
        A new mask.
    """
    from scipy import ndimage

    patch, hole = (EIGHT, FOUR) if connectivity == 8 else (FOUR, EIGHT)
    cleaned = mask.copy() if valid is None else mask & valid
    if fill_holes_px > 0:
        labels, count = ndimage.label(~cleaned, structure=hole)
        fill = np.bincount(labels.ravel(), minlength=count + 1) <= fill_holes_px
        for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            fill[edge] = False
        if valid is not None:
            fill[labels[~valid]] = False
        fill[0] = False
        cleaned |= fill[labels]
    if minimum_area_px > 1:
        labels, count = ndimage.label(cleaned, structure=patch)
        keep = np.bincount(labels.ravel(), minlength=count + 1) >= minimum_area_px
        keep[0] = False
        cleaned = keep[labels]
    return cleaned


def polygons(
    mask: Mask, grid: Grid, probability: NDArray[Any] | None = None, dem: NDArray[Any] | None = None
) -> GeoDataFrame:
    """Outline and measure every patch of a mask.

    Pixels that touch, also at a corner, belong to one polygon: landslides that touch are merged, so their
    number is a lower bound and the largest areas may be those of several.

    Parameters
    ----------
    mask
        True where a landslide was found, shape (height, width).
    grid
        The grid of the mask, in any CRS or none, also south-up or rotated.
    probability
        Probability per pixel, shape (height, width); NaN is left out of the means.
    dem
        Elevation in metres on the same grid; NaN is left out.

    Returns
    -------
    GeoDataFrame
        One row per patch, the largest first, in the CRS of the grid. Columns: ``id`` (text: the name of the place of
        its peak, see `peaks`), ``area_px``, ``area_m2``, ``perimeter_m``, ``mean_probability`` where probability is
        given, ``slope_mean_deg``, ``relief_m`` (highest minus lowest) and ``aspect_deg`` (circular mean, clockwise
        from north) where a DEM is given, ``geometry`` (Polygon, or MultiPolygon of parts that touch at corners).
        Without CRS coordinates are pixels (x = column, y = row). There ``area_m2`` and ``perimeter_m`` follow from the
        stated pixel size, which stands in ``pixel_size_m``; without one ``perimeter_px`` replaces ``perimeter_m``, and
        there is no ``area_m2``.

    Raises
    ------
    InputError
        When an array has another shape than the grid.
    GridError
        When a DEM is given without CRS.

    Notes
    -----
    The area is the sum of the ground areas of the pixels (`Grid.pixel_areas`: measured on the ellipsoid, for
    geographic and projected CRS alike), so that polygons add up to the area of the mask. The perimeter is
    geodesic and follows the pixels' edges, holes included: for a smooth outline it is up to 4/π too long.
    """
    from scipy import ndimage

    for name, array in (("mask", mask), ("probability", probability), ("elevation model", dem)):
        if array is not None and array.shape != grid.shape:
            raise InputError(f"The {name} has the shape {array.shape}, its grid {grid.shape}.")
    labels, count = ndimage.label(mask, structure=EIGHT)
    at = np.flatnonzero(labels)
    patches = Patches(labels.ravel()[at], at, count)
    columns: dict[str, NDArray[Any]] = {PEAK: peaks(patches, probability), "area_px": patches.sizes}
    if grid.in_metres:
        columns["area_m2"] = patches.total(row_areas(grid)[at // grid.width])
    if probability is not None:
        columns["mean_probability"] = patches.mean(probability.ravel()[at])
    if dem is not None:
        columns |= terrain_of(patches, dem, grid)
    return table_of(outlines_of(labels, count), columns, grid)


def peaks(patches: Patches, probability: NDArray[Any] | None) -> NDArray[np.int64]:
    """Flat index of the pixel after which each patch is named.

    It is the pixel of the highest probability, of several the first, row by row; the first of all where no probability
    is known. A lower threshold makes a patch grow around its peak, so that it keeps its name; of patches that become
    one, that with the higher peak gives the name.
    """
    values = np.zeros(len(patches.at)) if probability is None else probability.ravel()[patches.at].astype(np.float64)
    values = np.where(np.isfinite(values), values, -np.inf)
    highest = np.full(patches.count, -np.inf)
    np.maximum.at(highest, patches.patch, values)
    there = np.flatnonzero(values == highest[patches.patch])[::-1]
    peak = np.empty(patches.count, dtype=np.int64)
    peak[patches.patch[there]] = patches.at[there]
    return peak


def rasterise(outlines: GeoDataFrame, grid: Grid) -> Mask:
    """Mark the pixels whose centres lie in one of the polygons.

    Parameters
    ----------
    outlines
        Polygons as made by `polygons`; those in another CRS than the grid's are reprojected.
    grid
        The grid wanted.

    Returns
    -------
    ndarray of bool (height, width)
        ``rasterise(polygons(mask, grid), grid)`` is ``mask``.
    """
    from rasterio.features import rasterize

    if outlines.crs is not None and grid.crs is not None:
        outlines = outlines.to_crs(grid.crs)
    geometries = _affine(outlines.geometry.to_numpy(), ~_placement(grid))
    if len(geometries) == 0:
        return np.zeros(grid.shape, dtype=np.bool_)
    burnt: NDArray[np.uint8] = rasterize(geometries, out_shape=grid.shape, dtype="uint8")
    return burnt.astype(np.bool_)


def _placement(grid: Grid) -> Affine:
    """Map from (column, row) to the polygons' coordinates, which are pixels where there is no CRS."""
    return grid.transform if grid.crs is not None else Affine.identity()


def outlines_of(labels: NDArray[np.int32], count: int) -> NDArray[np.object_]:
    """Outline of each label from 1 to `count` in pixel coordinates, in normal form, by label."""
    import shapely
    from rasterio.features import shapes

    if count == 0:
        return np.empty(0, dtype=object)
    # Traced with four neighbours, then joined: a ring through a corner shared by two pixels would cross
    # itself there, parts of a MultiPolygon may touch.
    traced = [
        (shapely.geometry.shape(shape), int(label) - 1)
        for shape, label in shapes(labels, mask=labels > 0, connectivity=4)
    ]
    parts = np.array([part for part, _ in traced], dtype=object)
    owners = np.array([owner for _, owner in traced])
    order = np.argsort(owners, kind="stable")
    parts, owners = parts[order], owners[order]
    first = np.searchsorted(owners, np.arange(count))
    outlines = parts[first]
    several = np.bincount(owners, minlength=count) > 1
    joined = several[owners]
    outlines[several] = shapely.multipolygons(
        parts[joined], indices=np.unique(owners[joined], return_inverse=True)[1]
    )
    return np.asarray(shapely.normalize(outlines))


def _affine(geometries: NDArray[np.object_], transform: Affine) -> NDArray[np.object_]:
    import shapely

    def place(points: Floats) -> Floats:
        x, y = points[:, 0], points[:, 1]
        t = transform
        return np.column_stack([t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f])

    return np.asarray(shapely.transform(geometries, place), dtype=object)


def table_of(outlines: NDArray[np.object_], columns: dict[str, NDArray[Any]], grid: Grid) -> GeoDataFrame:
    """Outlines in pixel coordinates, ordered by their first pixel, and what was measured as `polygons` gives them.

    The column `PEAK` of what was measured, flat indices of pixels, becomes their names.
    """
    import geopandas
    import shapely

    placed = _affine(outlines, _placement(grid))
    lengths = shapely.length(outlines) if grid.crs is None else geodesic_perimeters(placed, grid)
    measured = {"area_px": columns["area_px"]}
    if grid.in_metres:
        measured |= {"area_m2": columns["area_m2"], "perimeter_m": lengths * (grid.pixel_size or 1.0)}
    else:
        measured["perimeter_px"] = lengths
    order = np.argsort(-measured["area_m2" if grid.in_metres else "area_px"], kind="stable")
    content: dict[str, NDArray[Any]] = {"id": place_names(columns[PEAK][order], grid)}
    content |= {name: values[order] for name, values in (measured | columns).items() if name != PEAK}
    content |= {name: np.full(len(order), size) for name, size in grid.stated_size.items()}
    crs = None if grid.crs is None else grid.crs.to_wkt()
    return geopandas.GeoDataFrame(content, geometry=shapely.orient_polygons(placed[order]), crs=crs)
