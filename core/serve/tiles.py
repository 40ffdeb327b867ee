"""Map tiles of 256 pixels, and larger pictures of the same layers, cut from rasters on disk.

On the globe tiles are those of Web Mercator. On a plane, that of a raster's own coordinate system or of its pixels, the
tile ``(x, y)`` at zoom ``z`` reaches from ``256 x / 2**z`` to the right and from ``-256 y / 2**z`` downwards, which is
how Leaflet's ``CRS.Simple`` asks. There ``z`` may be negative.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import BandError, InputError, StorageError
from core.plots.layers import DotLayer
from core.raster.bands import guess_bands
from core.raster.scene import Scene
from core.serve.background import Deadline, Shared
from core.serve.cuts import Stored, cut, stored
from core.serve.dots import PaintedDots
from core.serve.looks import Look
from core.serve.placing import MERCATOR, View, map_of

if TYPE_CHECKING:
    from core.plots.layers import TileLayer
    from core.plots.painting import Painting
    from core.raster.stretch import Stretch
    from core.runs.store import Store
    from core.serve.layers import Layer

RGBA = NDArray[np.uint8]

SIZE = 256
"""Width and height of a tile in pixels."""

HIGHEST_ZOOM = 30

USUAL = Look()
"""How a scene is shown until its viewer chooses."""

PLANE_ZOOMS = range(-20, HIGHEST_ZOOM + 1)
"""Zooms of a plane: from a million units a pixel, of a raster in metres, to 1e-9, of one in degrees."""


@dataclass(frozen=True)
class TileAddress:
    """Where a tile lies: zoom, column and row of the tile grid."""

    z: int
    x: int
    y: int


def check_address(address: TileAddress, *, globe: bool) -> None:
    """Refuse a tile that no map asks for.

    Raises
    ------
    InputError
        When the zoom is out of range or column or row lie outside the world of that zoom.
    """
    zooms = range(HIGHEST_ZOOM + 1) if globe else PLANE_ZOOMS
    if address.z not in zooms:
        raise InputError(
            f"Zoom {address.z} is not between {zooms.start} and {zooms.stop - 1}.",
            "Tiles exist only at the zoom levels of a web map.",
        )
    last = 2**address.z
    if globe and not (0 <= address.x < last and 0 <= address.y < last):
        raise InputError(f"No tile {address.x}, {address.y} at zoom {address.z}.")


def view_of(address: TileAddress, *, globe: bool) -> View:
    """The rectangle of the map that a tile shows.

    Raises
    ------
    InputError
        When no map asks for such a tile.
    """
    check_address(address, globe=globe)
    if globe:
        side = 2 * MERCATOR / 2**address.z
        left, top = address.x * side - MERCATOR, MERCATOR - address.y * side
    else:
        side = SIZE * 2.0**-address.z
        left, top = address.x * side, -address.y * side
    return View(left, top - side, left + side, top, SIZE, SIZE, globe)


def png(image: NDArray[np.uint8]) -> bytes:
    """Bytes of a PNG from red, green, blue, alpha of shape (height, width, 4)."""
    buffer = io.BytesIO()
    Image.fromarray(image, "RGBA").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


@lru_cache(maxsize=1)
def empty_png() -> bytes:
    """Tile where a raster has nothing to show: wholly transparent."""
    return png(np.zeros((SIZE, SIZE, 4), np.uint8))


_SCENES = Shared(512)
_STRETCHES = Shared(512)


def scene_of(store: Store, identity: str, deadline: Deadline) -> Scene:
    """A raster of the store, which is described once, as all of it is read for its digest.

    Raises
    ------
    InputError
        When there is none.
    Unfinished
        When it is not described in time.
    """
    path = store.dataset(identity).path
    if not path.is_file():
        return store.scene_record(identity).scene  # says what is wrong
    stat = path.stat()
    key = (store.home, identity, stat.st_mtime_ns, stat.st_size)
    return _SCENES.get(key, lambda: store.scene_record(identity).scene, deadline)


def display_stretch(
    scene: Scene, bands: tuple[int, ...], deadline: Deadline, look: Look = USUAL
) -> Stretch | None:
    """Stretch that shows a scene, computed once a scene, choice of bands and look; None for 8 bit as it is.

    Raises
    ------
    Unfinished
        When it is not known in time: all of the scene is read for it.
    """
    if look.ends is not None:
        return look.stretch(scene, bands)
    return _STRETCHES.get((scene.digest, bands, look.percentiles), partial(look.stretch, scene, bands), deadline)


def natural_bands(scene: Scene) -> tuple[int, ...]:
    """Bands that show a scene in natural colour; the first three where it does not say, or one as grey."""
    if len(scene.bands) < 3:
        return (1,)
    try:
        return guess_bands(scene, ("red", "green", "blue"))
    except BandError:
        return (1, 2, 3)


def paint_scene(
    scene: Scene, bands: tuple[int, ...], view: View, deadline: Deadline, look: Look = USUAL
) -> RGBA | None:
    """Picture of a scene in natural or false colour; None when it lies outside the view.

    Parameters
    ----------
    scene
        Scene to show.
    bands
        Three bands for red, green and blue, or one for grey; counted from 1.
    view
        Rectangle of the scene's map.
    deadline
        When it has to be there.
    look
        How values become colours.

    Raises
    ------
    BandError
        When there is no such band.
    Unfinished
        When it is not there in time.
    """
    if len(bands) not in (1, 3):
        raise BandError(f"{len(bands)} bands were chosen for display.", remedy="Choose one band or three.")
    below = cut(scene, bands, view, "bilinear", deadline)
    if below is None or not below.valid.any():
        return None
    image = np.empty((view.height, view.width, 4), np.uint8)
    image[..., :3] = look.paint(below.values, display_stretch(scene, bands, deadline, look))
    image[..., 3] = np.where(below.valid, 255, 0)
    return image


@dataclass(frozen=True)
class RunLayer:
    """A layer of a run, ready to be painted.

    Attributes
    ----------
    painter
        How it is painted.
    rasters
        The rasters that it is painted from.
    painting
        What the address chooses of how it is painted.
    """

    painter: TileLayer
    rasters: tuple[Stored, ...]
    painting: Painting

    def paint(self, view: View, deadline: Deadline) -> RGBA | None:
        """Picture of the layer; None when it shows nothing in the view.

        Raises
        ------
        Unfinished
            When it is not there in time.
        """
        cuts = [raster.cut(view, self.painter.resampling, deadline, self.painting.band) for raster in self.rasters]
        below = [part for part in cuts if part is not None]
        if len(below) < len(cuts):
            return None
        valid = np.logical_and.reduce([part.valid for part in below])
        if not valid.any():
            return None
        return self.painter.paint([part.values[0] for part in below], valid, self.painting)


def layer_of_run(
    identity: str, layers: Mapping[str, TileLayer | DotLayer], files: Mapping[str, Path], layer: str, painting: Painting
) -> RunLayer | PaintedDots:
    """Find a layer of a run.

    Parameters
    ----------
    identity
        Id of the run.
    layers
        How the rasters and points of such runs are painted, by the name of the layer.
    files
        Files of the run by role.
    layer, painting
        Name of the layer to paint, and what the address chooses of it.

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
        raise InputError(f"There is no map layer “{layer[:40]}”.", remedy=f"Available layers: {known}.")
    # Roles have one name for every task, and of some tasks they are tables.
    missing = [name for name in painter.artifacts if name not in files or files[name].suffix != ".tif"]
    if missing:
        raise InputError(f"This run has no {missing[0]} raster, so the layer {layer} cannot be shown.")
    tables = (painter.table,) if isinstance(painter, DotLayer) else ()
    absent = [name for name in tables if name not in files or files[name].suffix != ".parquet"]
    if absent:
        raise InputError(f"This run has no {absent[0]} table, so the layer {layer} cannot be shown.")
    needed = (*painter.artifacts, *tables)
    lost = [name for name in needed if not files[name].is_file()]
    if lost:
        what = f"The {lost[0]} file of run {identity[:8]} is no longer on disk."
        raise StorageError(what, remedy="Repeat the run.")
    rasters = tuple(stored(files[name]) for name in painter.artifacts)
    if isinstance(painter, DotLayer):
        return PaintedDots(painter, rasters, painting, files[painter.table])
    return RunLayer(painter, rasters, painting)


def tile(layer: Layer, store: Store, address: TileAddress) -> bytes:
    """PNG of a layer below a tile; clear where it shows nothing.

    Raises
    ------
    LandslideError
        When it cannot be painted.
    Unfinished
        When it is not there in time.
    """
    deadline = Deadline()
    grid, paint = layer.painter(store, deadline)
    image = paint(view_of(address, globe=map_of(grid) == "globe"), deadline)
    return empty_png() if image is None else png(image)
