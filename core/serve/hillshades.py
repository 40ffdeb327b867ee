"""The shape of the ground below a rectangle of the map, as light and shade (Horn 1981; see `core.raster.terrain`)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.raster.quantity import Quantity, elevation_model
from core.raster.scene import Patch, Scene
from core.raster.terrain import hillshade
from core.serve.background import Deadline, Shared
from core.serve.cuts import Piece, piece_of, sampled
from core.serve.placing import View, parts

_SHADES = Shared(16)


def paint_hillshade(dem: Scene, view: View, deadline: Deadline) -> NDArray[np.uint8] | None:
    """Picture of the shade of an elevation model; None when it lies outside the view.

    It is computed of the pixels of the elevation model that are below the view, with those around them, at about the
    resolution that is shown.

    Parameters
    ----------
    dem
        One band of elevations, in any unit that its file names, with a coordinate system.
    view
        Rectangle of its map.
    deadline
        When it has to be there.

    Returns
    -------
    ndarray of uint8 (height, width, 4) or None
        Grey; clear where the slope is not known.

    Raises
    ------
    BandError
        When the raster has several bands.
    GridError
        When it has no coordinate system.
    Unfinished
        When it is not there in time.
    """
    elevation_model(dem)
    image = np.zeros((view.height, view.width, 4), np.uint8)
    for part in parts(dem.grid, view):
        ground = piece_of(dem, (1,), part, deadline, "average")
        if ground is None:
            continue
        whole = (ground.window.height, ground.window.width) == dem.grid.shape
        work = partial(_shaded, dem, ground)
        shades = _SHADES.get((dem.digest, ground.valid.shape), work, deadline) if whole else work()
        values, valid = sampled(shades, part, "bilinear")
        height, width = valid.shape
        shown = image[part.row : part.row + height, part.column : part.column + width]
        shown[valid, :3] = np.rint(values[0][valid] * 255.0).astype(np.uint8)[:, None]
        shown[valid, 3] = 255
    return image if image[..., 3].any() else None


def _shaded(dem: Scene, ground: Piece) -> Piece:
    """Shade 0 to 1 of a piece of an elevation model."""
    patch = Quantity.of(dem, "elevation").patch(Patch(ground.values, ground.valid))
    height, width = ground.valid.shape
    grid = dem.grid.window(ground.window).resized(width, height)
    shade = hillshade(patch.values[0], grid, valid=patch.valid).astype(np.float32)
    known = np.isfinite(shade)
    return replace(ground, values=np.where(known, shade, 0.0)[None], valid=known)
