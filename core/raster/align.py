"""Laying other data on a scene's grid: an inventory as a reference, a second scene, an elevation model."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from core.errors import BandError, GridError, InputError, UnsafeFileError
from core.raster.bands import check_bands
from core.raster.crs import transformed
from core.raster.grid import Grid
from core.raster.inventory import UNKNOWN, Inventory, check_window, no_overlap
from core.raster.scene import Patch, ResamplingName, Scene, SceneReader
from core.raster.untrusted import READ_ERRORS, damaged, open_untrusted, sniff
from core.raster.validity import has_mask, known

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_JPEG_HALF = 127
_STRIP = 256


class ReferenceReader(Protocol):
    """A reference on the grid of a scene."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the file does not count, and what was assumed of it."""

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Read a window of the scene's grid.

        Returns
        -------
        ndarray of uint8 (height, width)
            1 landslide, 0 none, 255 unknown.
        """


class GridReader(Protocol):
    """Another scene on a grid."""

    def read(self, window: Window) -> Patch:
        """Read a window of the grid: values (bands, height, width), and where all bands have data."""


def reference_reader(path: str | os.PathLike[str], grid: Grid, *, patch: bool = False) -> ReferenceReader:
    """Open an inventory, raster or vector, as a reference on a scene's grid.

    Parameters
    ----------
    path
        A GeoTIFF, PNG or JPEG in which every value but 0 is a landslide (in a JPEG every value above 127,
        since its zeros are not exact), or polygons as GeoPackage, GeoJSON or zipped Shapefile; in any CRS.
    grid
        The scene's grid.
    patch
        Whether it is one of many masks of a training set, which may be landslide all over.

    Returns
    -------
    ReferenceReader
        Nothing stays open between reads. A raster is laid on the grid by nearest neighbour and is unknown
        outside itself, in its nodata and where it is transparent; but nodata 0 is "no landslide", which is
        what rasterised inventories mean by it. Of polygons those pixels are landslide whose centres they
        cover, and all others are not: an inventory is taken to be complete.

    Raises
    ------
    InputError
        When a raster says nowhere that there is no landslide: what it leaves open cannot be held against anybody.
    GridError
        When reference and scene do not overlap; when polygons lack a CRS for a scene that has one, or the
        reverse; when a raster and the scene have no CRS in common and differ in size.
    InputError
        When the file cannot be read or holds no polygons.

    Notes
    -----
    Polygons without CRS belong to scenes without: x is the column and y the row, from the upper left corner.
    """
    try:
        driver = sniff(path)
    except UnsafeFileError:
        return Inventory.open(path, grid)
    scene = Scene.open(path)
    if scene.nodata == 0:
        scene = replace(scene, nodata=None)
    placed = scene.grid.is_georeferenced and grid.is_georeferenced
    if placed:
        _check_overlap(scene, grid)
    elif scene.grid.shape != grid.shape:
        raise _other_size(scene, grid)
    reference = _RasterReference(scene, grid, placed, _JPEG_HALF if driver == "JPEG" else 0)
    if not patch and not _says_none(scene, reference):
        raise InputError(
            f"{scene.name} has no value for ground without landslides.",
            "All marked pixels are landslide and the rest is unknown, so false alarms cannot be counted.",
            "Write 0 for ground without landslides and any other value for landslides.",
        )
    return reference


@contextmanager
def scene_on_grid(
    scene: Scene, grid: Grid, *, bands: Sequence[int], resampling: ResamplingName = "nearest"
) -> Iterator[GridReader]:
    """Open a scene for reading on another grid.

    Parameters
    ----------
    scene
        The scene wanted.
    grid
        The grid to read it on.
    bands
        Band numbers from 1.
    resampling
        How values between pixel centres are made. Invalid pixels take no part.

    Yields
    ------
    GridReader
        For the thread that opened it. Outside the scene pixels are invalid.

    Raises
    ------
    GridError
        When the two do not overlap, only one has a CRS, or both have none and differ in size.
    BandError
        When a band is not in the scene.
    """
    wanted = check_bands(scene, bands)
    if scene.grid.is_georeferenced != grid.is_georeferenced:
        raise GridError(
            f"{scene.name} {'has' if scene.grid.is_georeferenced else 'lacks'} a coordinate system, unlike the image "
            "that it should be aligned with.",
            "Its position on that image is unknown.",
            "Use two georeferenced rasters, or two of the same size without coordinate systems.",
        )
    if not grid.is_georeferenced and scene.grid.shape != grid.shape:
        raise _other_size(scene, grid)
    if same_pixels(scene.grid, grid):
        with scene.reader() as reader:
            yield _SameGrid(reader, wanted)
        return
    _check_overlap(scene, grid)
    with open_untrusted(scene.path, overviews=False) as dataset, ExitStack() as stack:
        turns = _turns(scene.grid, grid)
        readers = [_warped(scene, dataset, grid, wanted, resampling, stack, by) for by in turns]
        yield readers[0] if len(readers) == 1 else _Turned(tuple(readers))


@dataclass(frozen=True)
class _SameGrid:
    reader: SceneReader
    bands: tuple[int, ...]

    def read(self, window: Window) -> Patch:
        return self.reader.read(self.bands, window)


@dataclass(frozen=True)
class _Warped:
    """A scene behind virtual rasters on the grid.

    Attributes
    ----------
    values
        The values, resampled as asked for.
    nearest
        The nearest pixels, which decide on validity: interpolation must not let data grow into nodata.
    alpha
        Raster and band that are 0 outside the scene and its mask, where the nodata value does not tell.
    """

    scene: Scene
    grid: Grid
    bands: tuple[int, ...]
    values: WarpedVRT
    nearest: WarpedVRT
    alpha: tuple[WarpedVRT, int] | None

    def read(self, window: Window) -> Patch:
        check_window(window, self.grid)
        try:
            values = self.values.read(self.bands, window=window)
            valid = self._has_data(values)
            if self.nearest is not self.values:
                valid &= self._has_data(self.nearest.read(self.bands, window=window))
            if self.alpha is not None:
                # The band, not the mask made of it: GDAL knows no mask of floating point.
                raster, band = self.alpha
                valid &= raster.read(band, window=window) > 0
        except READ_ERRORS as error:
            raise damaged(self.scene.name) from error
        return Patch(values, valid)

    def _has_data(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        return np.asarray(known(values, self.scene.nodata).all(axis=0))


@dataclass(frozen=True)
class _Turned:
    """A scene in longitude and latitude at several whole turns around the globe: the first that has data counts."""

    readers: tuple[_Warped, ...]

    def read(self, window: Window) -> Patch:
        first, *others = (reader.read(window) for reader in self.readers)
        values, valid = first.values.copy(), first.valid.copy()
        for other in others:
            more = other.valid & ~valid
            values[:, more] = other.values[:, more]
            valid |= more
        return Patch(values, valid)


def _turns(source: Grid, grid: Grid) -> tuple[float, ...]:
    """By how much a source is moved to the east to lie where it is looked for: whole turns of the globe.

    GDAL looks for a place between −180 and 180°, or in degrees where the grid itself lies; files also count from 0 to
    360°, or reach across 180°.
    """
    if source.crs is None or not source.crs.is_geographic:
        return (0.0,)
    turn = _full_turn(source)
    left, _, right, _ = source.outline().bounds
    spans = [(-turn / 2, turn / 2)]
    if grid.crs is not None and grid.crs.is_geographic:
        west, _, east, _ = grid.outline().bounds
        spans.append((west * turn / _full_turn(grid), east * turn / _full_turn(grid)))
    near = (0, 1, -1, 2, -2)
    found = [by for by in near if any(left + by * turn < high and right + by * turn > low for low, high in spans)]
    return tuple(by * turn for by in found) or (0.0,)


def _full_turn(grid: Grid) -> float:
    """360° in the unit of a grid in longitude and latitude."""
    import pyproj

    return float(2 * math.pi / pyproj.CRS.from_user_input(grid.crs).axis_info[0].unit_conversion_factor)


def _warped(
    scene: Scene,
    dataset: DatasetReader,
    grid: Grid,
    bands: tuple[int, ...],
    resampling: ResamplingName,
    stack: ExitStack,
    turned: float = 0.0,
) -> _Warped:
    colours = [colour.name for colour in dataset.colorinterp]
    own_alpha = colours.index("alpha") + 1 if "alpha" in colours else None
    if own_alpha is not None and (own_alpha in bands or own_alpha != scene.alpha):
        raise BandError(
            f"Band {own_alpha} of {scene.name} is marked as transparency.",
            "Reprojection would blend the other bands by it.",
            f"Mark it as an ordinary band, for example with gdal_edit -colorinterp_{own_alpha} undefined.",
        )

    def on_grid(method: ResamplingName, **how: Any) -> WarpedVRT:  # noqa: ANN401
        size = {"width": grid.width, "height": grid.height}
        place: dict[str, Any] = {"crs": grid.crs, "transform": grid.transform, "resampling": Resampling[method]}
        if turned:
            moved = Affine.translation(turned, 0) @ scene.grid.transform
            place |= {"src_crs": scene.grid.crs, "src_transform": moved}
        if method != "nearest" and np.dtype(scene.dtype).kind != "f":
            # Between whole numbers lie others: in the file's own type a slope would become a staircase.
            place["dtype"] = "float64" if np.dtype(scene.dtype).itemsize > 2 else "float32"
        return stack.enter_context(WarpedVRT(dataset, **place, **size, **how))

    by_alpha: dict[str, Any] = {"src_nodata": None, "add_alpha": own_alpha is None}
    nodata = scene.nodata
    if nodata is None and np.dtype(scene.dtype).kind == "f" and own_alpha is None:
        # NaN is nodata whether or not the file says so; not told, GDAL would spread it.
        nodata = math.nan
    # Without the last, GDAL takes a pixel for data in every band as soon as it is data in one.
    by_value = {"src_nodata": nodata, "nodata": nodata, "UNIFIED_SRC_NODATA": "NO"}
    how = by_alpha if nodata is None else by_value
    nearest = on_grid("nearest", **how)
    values = nearest if resampling == "nearest" else on_grid(resampling, **how)
    alpha = nearest if nodata is None else None
    if alpha is None and (own_alpha or has_mask(dataset)):
        alpha = on_grid("nearest", **by_alpha)
    return _Warped(scene, grid, bands, values, nearest, alpha and (alpha, own_alpha or alpha.count))


@dataclass(frozen=True)
class _RasterReference:
    scene: Scene
    grid: Grid
    placed: bool
    above: int

    @property
    def notes(self) -> tuple[str, ...]:
        """See `ReferenceReader`."""
        return self.scene.notes

    @property
    def bands(self) -> tuple[int, ...]:
        """Bands that mark landslides: all but one of transparency."""
        return tuple(band.index for band in self.scene.bands if band.index != self.scene.alpha) or (1,)

    def read(self, window: Window) -> NDArray[np.uint8]:
        """See `ReferenceReader`."""
        if self.placed:
            with scene_on_grid(self.scene, self.grid, bands=self.bands) as reader:
                return self.coded(reader.read(window))
        with self.scene.reader() as pixels:
            return self.coded(pixels.read(self.bands, window))

    def coded(self, patch: Patch) -> NDArray[np.uint8]:
        """A patch of the file as a reference."""
        values: NDArray[Any] = patch.values
        found = (values > self.above if self.above else values != 0).any(axis=0)
        return np.where(patch.valid, found, UNKNOWN).astype(np.uint8)


def _says_none(scene: Scene, reference: _RasterReference) -> bool:
    """Whether any pixel of a mask is known to be no landslide; most say so in the first rows."""
    with scene.reader() as reader:
        for top in range(0, scene.grid.height, _STRIP):
            window = Window(0, top, scene.grid.width, min(_STRIP, scene.grid.height - top))
            if (reference.coded(reader.read(reference.bands, window)) == 0).any():
                return True
    return False


def same_pixels(one: Grid, other: Grid) -> bool:
    """Whether the pixels of two grids are the same, but for a thousandth of one."""
    if one.shape != other.shape or one.crs != other.crs:
        return False
    if one.crs is None:
        return True
    between = ~other.transform @ one.transform
    corners = [(0, 0), (one.width, 0), (0, one.height)]
    return all(np.allclose(between @ corner, corner, rtol=0, atol=1e-3) for corner in corners)


def _check_overlap(scene: Scene, grid: Grid) -> None:
    import pyproj
    import shapely
    from shapely.affinity import translate

    edge = shapely.segmentize(scene.grid.outline(), max(scene.grid.outline().length / 200, 1e-12))
    x, y = shapely.get_coordinates(edge).T
    source, target = (pyproj.CRS.from_user_input(one.crs) for one in (scene.grid, grid))
    x, y = transformed(x, y, source, target, scene.name)
    reached = np.isfinite(x) & np.isfinite(y)
    footprint = shapely.MultiPoint(np.column_stack([x[reached], y[reached]])).convex_hull
    turn = _full_turn(grid) if target.is_geographic else 0.0
    turns = {0.0, turn, -turn}
    if not any(translate(footprint, by).intersection(grid.outline()).area > 0 for by in turns):
        raise no_overlap(scene.name)


def _other_size(scene: Scene, grid: Grid) -> GridError:
    placed = "one with a coordinate system" if grid.crs is not None else "georeference both"
    return GridError(
        f"{scene.name} has {scene.grid.width} by {scene.grid.height} pixels, the image {grid.width} by {grid.height}.",
        "Without a coordinate system in both, pixels can only be matched one by one.",
        f"Use a raster of the same size, or {placed}.",
    )
