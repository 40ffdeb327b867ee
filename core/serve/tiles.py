"""Map tiles of 256 pixels, cut from rasters on disk.

A georeferenced raster is warped to Web Mercator tiles by rio-tiler. A raster without a coordinate system is
shown in pixel space: at zoom ``z`` the tile ``(x, y)`` covers the source columns from ``256 x / 2**z`` and
the rows from ``256 y / 2**z`` on, which is how Leaflet's ``CRS.Simple`` asks when latitude is minus the row.
``z`` may be negative.
"""

from __future__ import annotations

import io
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader

from core.errors import BandError, InputError, StorageError
from core.raster.bands import guess_bands
from core.raster.scene import Scene
from core.raster.stretch import Stretch, bridge
from core.raster.untrusted import READ_ERRORS, damaged, open_untrusted
from core.raster.write import PIXEL_SIZE

if TYPE_CHECKING:
    from core.plots.layers import TileLayer

SIZE = 256
"""Width and height of a tile in pixels."""

HIGHEST_ZOOM = 30

MERCATOR = 20_037_508.342789244
"""Metres from the middle of the world of Web Mercator to its edge."""

MOST_VALUES = 200_000_000
"""Most values of a raster that are read for one tile."""

PIXEL_ZOOMS = range(-16, 11)
"""Zooms of pixel space: from 65 536 source pixels a tile pixel to 1/1024."""


@dataclass(frozen=True)
class TileAddress:
    """Where a tile lies: zoom, column and row of the tile grid."""

    z: int
    x: int
    y: int


@dataclass(frozen=True)
class Cut:
    """What a raster holds below one tile.

    Parameters
    ----------
    values
        Shape (bands, 256, 256), in the raster's own type.
    valid
        Shape (256, 256): inside the raster, not nodata, not masked and finite in every band.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_]


def check_address(address: TileAddress, *, georeferenced: bool) -> None:
    """Refuse a tile that no map asks for.

    Raises
    ------
    InputError
        When the zoom is out of range or column or row lie outside the world of that zoom.
    """
    zooms = range(HIGHEST_ZOOM + 1) if georeferenced else PIXEL_ZOOMS
    if address.z not in zooms:
        raise InputError(
            f"Zoom {address.z} is not between {zooms.start} and {zooms.stop - 1}.",
            "Tiles are only cut at zooms that a map can show.",
        )
    last = 2**address.z if georeferenced else 2**31
    if georeferenced and not (0 <= address.x < last and 0 <= address.y < last):
        raise InputError(f"There is no tile {address.x}, {address.y} at zoom {address.z}.")


@contextmanager
def _north_up(dataset: rasterio.DatasetReader) -> Iterator[rasterio.DatasetReader | WarpedVRT]:
    """Rotated and south-up rasters as rio-tiler wants them: their bounds in the usual order."""
    at = dataset.transform
    if at.b == 0 and at.d == 0 and at.a > 0 and at.e < 0:
        yield dataset
        return
    with WarpedVRT(dataset, crs=dataset.crs, add_alpha=dataset.nodata is None) as upright:
        yield upright


def _cut_georeferenced(
    dataset: rasterio.DatasetReader, bands: Sequence[int], address: TileAddress, resampling: str
) -> Cut | None:
    _check_source(dataset, address)
    with _north_up(dataset) as upright, Reader(None, dataset=upright) as reader:
        try:
            # All bands, in the order of the file: of some of them GDAL would warp the raster at full resolution.
            image = reader.tile(
                address.x,
                address.y,
                address.z,
                tilesize=SIZE,
                indexes=list(range(1, dataset.count + 1)),
                resampling_method=resampling,
            )
        except TileOutsideBounds:
            return None
    masked = image.array[[band - 1 for band in bands]]
    return Cut(np.asarray(masked.data), np.asarray(~np.ma.getmaskarray(masked).any(axis=0), bool))


def _check_source(dataset: rasterio.DatasetReader, address: TileAddress) -> None:
    """Refuse a tile for which more of the raster would have to be read than a map can wait for."""
    edge = mercator(dataset)
    tile = 2 * MERCATOR / 2**address.z
    west, north = address.x * tile - MERCATOR, MERCATOR - address.y * tile
    width = min(edge[2], west + tile) - max(edge[0], west)
    height = min(edge[3], north) - max(edge[1], north - tile)
    if width <= 0 or height <= 0:
        return
    share = min(1.0, width * height / max((edge[2] - edge[0]) * (edge[3] - edge[1]), 1e-9))
    pixels = share * dataset.width * dataset.height
    apart = max(1.0, (pixels / SIZE**2) ** 0.5)
    overview = max((factor for factor in dataset.overviews(1) if factor <= apart), default=1)
    if pixels / overview**2 * dataset.count > MOST_VALUES:
        raise InputError(
            f"At zoom {address.z} one tile would show {pixels / 1e6:,.0f} million pixels of the raster.",
            "It has no overviews of that size, so all of them would have to be read.",
            "Zoom in, or add overviews, for example with gdaladdo.",
        )


def mercator(dataset: rasterio.DatasetReader) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a raster in Web Mercator, in metres; the world where they are not known."""
    try:
        left, bottom, right, top = transform_bounds(dataset.crs, "EPSG:3857", *dataset.bounds)
    except READ_ERRORS:
        left = bottom = right = top = math.inf
    if not all(map(math.isfinite, (left, bottom, right, top))):
        return -MERCATOR, -MERCATOR, MERCATOR, MERCATOR
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _cut_pixels(
    dataset: rasterio.DatasetReader, bands: Sequence[int], address: TileAddress, resampling: str, *, ours: bool
) -> Cut | None:
    span = SIZE * 2.0**-address.z
    left, top = address.x * span, address.y * span
    across, down = _pixel_size(dataset) if ours else (1.0, 1.0)
    inside_left, inside_top = max(0.0, left), max(0.0, top)
    inside_right = min(dataset.width * across, left + span)
    inside_bottom = min(dataset.height * down, top + span)
    if inside_right <= inside_left or inside_bottom <= inside_top:
        return None
    seen_width, seen_height = inside_right - inside_left, inside_bottom - inside_top
    window = Window(inside_left / across, inside_top / down, seen_width / across, seen_height / down)
    scale = SIZE / span
    column, row = round((inside_left - left) * scale), round((inside_top - top) * scale)
    width = max(1, min(SIZE - column, round(seen_width * scale)))
    height = max(1, min(SIZE - row, round(seen_height * scale)))
    how = Resampling[resampling]
    indexes = list(bands)
    part = dataset.read(indexes, window=window, out_shape=(len(indexes), height, width), resampling=how)
    seen = dataset.read_masks(indexes, window=window, out_shape=(len(indexes), height, width))
    values = np.zeros((len(indexes), SIZE, SIZE), part.dtype)
    valid = np.zeros((SIZE, SIZE), bool)
    values[:, row : row + height, column : column + width] = part
    valid[row : row + height, column : column + width] = (seen > 0).all(axis=0)
    return Cut(values, valid)


def _pixel_size(dataset: rasterio.DatasetReader) -> tuple[float, float]:
    """Width and height of a raster's pixels in those of the image that it lies on: 1, or what a coarse one says."""
    said = re.fullmatch(r"(\d+(?:\.\d+)?) (\d+(?:\.\d+)?)", dataset.tags().get(PIXEL_SIZE, ""))
    across, down = (1.0, 1.0) if said is None else (float(said[1]), float(said[2]))
    return (across, down) if min(across, down) >= 1 else (1.0, 1.0)


def cut(
    path: Path,
    bands: Sequence[int],
    address: TileAddress,
    *,
    georeferenced: bool,
    resampling: Literal["nearest", "bilinear"] = "nearest",
    ours: bool = False,
) -> Cut | None:
    """Read what lies below a tile.

    Parameters
    ----------
    path
        Raster file.
    bands
        Bands to read, counted from 1.
    address
        Tile in Web Mercator, or in pixel space.
    georeferenced
        Whether the raster has a coordinate system.
    resampling
        How values are brought to the tile's pixels.
    ours
        Whether a run wrote the raster: its pixels may be larger than those of the image that it lies on.

    Returns
    -------
    Cut or None
        None when the tile lies outside the raster.

    Raises
    ------
    BandError
        When a band is not in the file.
    InputError
        When no map asks for such a tile.
    """
    check_address(address, georeferenced=georeferenced)
    with open_untrusted(path) as dataset:
        beyond = [band for band in bands if not 1 <= band <= dataset.count]
        if beyond:
            raise BandError(f"Band {beyond[0]} is not in the raster, which has {dataset.count}.")
        try:
            if georeferenced:
                below = _cut_georeferenced(dataset, bands, address, resampling)
            else:
                below = _cut_pixels(dataset, bands, address, resampling, ours=ours)
        except READ_ERRORS as error:
            raise damaged(path.name) from error
    if below is None or not np.issubdtype(below.values.dtype, np.floating):
        return below
    finite = np.isfinite(below.values).all(axis=0)
    return Cut(below.values, below.valid & finite)


def png(image: NDArray[np.uint8]) -> bytes:
    """Bytes of a PNG from red, green, blue, alpha of shape (height, width, 4)."""
    buffer = io.BytesIO()
    Image.fromarray(image, "RGBA").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


@lru_cache(maxsize=1)
def empty_png() -> bytes:
    """Tile where a raster has nothing to show: wholly transparent."""
    return png(np.zeros((SIZE, SIZE, 4), np.uint8))


_stretches: dict[tuple[str, tuple[int, ...]], Stretch | None] = {}
_stretch_locks: defaultdict[tuple[str, tuple[int, ...]], Lock] = defaultdict(Lock)


def display_stretch(scene: Scene, bands: tuple[int, ...]) -> Stretch | None:
    """Stretch that shows a scene, computed once a scene and choice of bands; None when it already is 8 bit.

    A map asks for many tiles at once: the lock lets one of them read the scene while the others of it wait.
    """
    key = (scene.digest, bands)
    with _stretch_locks[key]:
        if key not in _stretches:
            _stretches[key] = bridge(scene, bands)
        return _stretches[key]


def natural_bands(scene: Scene) -> tuple[int, ...]:
    """Bands that show a scene in natural colour; the first three where it does not say, or one as grey."""
    if len(scene.bands) < 3:
        return (1,)
    try:
        return guess_bands(scene, ("red", "green", "blue"))
    except BandError:
        return (1, 2, 3)


def scene_tile(scene: Scene, bands: tuple[int, ...], address: TileAddress) -> bytes:
    """PNG of a scene in natural or false colour.

    Parameters
    ----------
    scene
        Scene to show.
    bands
        Three bands for red, green and blue, or one for grey; counted from 1.
    address
        Tile in Web Mercator, or in pixel space for a scene without a coordinate system.
    """
    if len(bands) not in (1, 3):
        raise BandError(f"{len(bands)} bands were chosen to be shown.", remedy="Choose one band or three.")
    below = cut(scene.path, bands, address, georeferenced=scene.grid.is_georeferenced, resampling="bilinear")
    if below is None or not below.valid.any():
        return empty_png()
    stretch = display_stretch(scene, bands)
    shown = below.values.astype(np.float32) if stretch is None else stretch.apply(below.values, (0.0, 255.0))
    colours = np.clip(np.nan_to_num(shown), 0.0, 255.0).astype(np.uint8)
    image = np.empty((SIZE, SIZE, 4), np.uint8)
    image[..., :3] = np.moveaxis(colours, 0, -1)
    image[..., 3] = np.where(below.valid, 255, 0)
    return png(image)


def run_tile(
    identity: str,
    layers: Mapping[str, TileLayer],
    files: Mapping[str, Path],
    layer: str,
    address: TileAddress,
    threshold: float,
) -> bytes:
    """PNG of a layer of a run.

    Parameters
    ----------
    identity
        Id of the run.
    layers
        How the rasters of such runs are painted, by the name of the layer.
    files
        Files of the run by role.
    layer
        Name of the layer to paint.
    address
        Tile in Web Mercator, or in pixel space.
    threshold
        Probability in [0, 1] from which a pixel counts as landslide; used by layers that show classes.

    Raises
    ------
    InputError
        When there is no such layer, or the run does not hold what it needs.
    StorageError
        When a file of the run is gone.
    """
    painter = layers.get(layer)
    if painter is None:
        known = ", ".join(layers) or "none for runs of this task"
        raise InputError(f"There is no map layer “{layer[:40]}”.", remedy=f"Layers are {known}.")
    # Roles have one name for every task, and of some tasks they are tables.
    missing = [name for name in painter.artifacts if name not in files or files[name].suffix != ".tif"]
    if missing:
        raise InputError(f"This run has no {missing[0]} raster, so the layer {layer} cannot be shown.")
    lost = [name for name in painter.artifacts if not files[name].is_file()]
    if lost:
        raise StorageError(f"The {lost[0]} file of run {identity[:8]} is no longer on disk.", remedy="Run it again.")
    cuts = [
        cut(
            files[name], [1], address, georeferenced=is_georeferenced(files[name]), resampling=painter.resampling,
            ours=True,
        )
        for name in painter.artifacts
    ]  # fmt: skip
    below = [part for part in cuts if part is not None]
    if len(below) < len(cuts):
        return empty_png()
    valid = np.logical_and.reduce([part.valid for part in below])
    if not valid.any():
        return empty_png()
    return png(painter.paint([part.values[0] for part in below], valid, threshold))


@lru_cache(maxsize=512)
def is_georeferenced(path: Path) -> bool:
    """Whether a raster of the store, which never changes, has a coordinate system."""
    with open_untrusted(path) as dataset:
        return dataset.crs is not None
