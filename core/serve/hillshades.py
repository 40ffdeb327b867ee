"""The shape of the ground below a rectangle of the map: light and shade, slope, aspect (Horn 1981).

See `core.raster.terrain` for the formulae. What is shown is computed from the elevations at about the resolution that
is shown: seen from afar slopes are gentler than those of the file's own pixels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import BandError
from core.plots.colours import ASPECT_RAMP, SLOPE_RAMP, STEEPEST, ramp
from core.raster.elevations import Elevations
from core.raster.quantity import Quantity, elevation_model
from core.raster.scene import Patch, Scene
from core.raster.terrain import angles, gradient, shade
from core.serve.background import Deadline, Shared
from core.serve.cuts import Piece, piece_of, sampled
from core.serve.placing import View, parts

Terrain = Literal["hillshade", "slope", "aspect"]
"""What can be shown of the ground."""

TERRAIN: tuple[Terrain, ...] = get_args(Terrain)

_GRADIENTS = Shared(16)


def paint_terrain(
    dem: Scene, kind: Terrain, view: View, deadline: Deadline, band: int | None = None
) -> NDArray[np.uint8] | None:
    """Picture of the shape of the ground; None when the elevation model lies outside the view.

    It is computed of the pixels of the elevation model that are below the view, with those around them, at about the
    resolution that is shown.

    Parameters
    ----------
    dem
        Elevations in any unit that the file names, with a coordinate system.
    kind
        Light and shade in grey; slope from 0 to `STEEPEST` degrees and above; or aspect, the downhill direction in
        degrees clockwise from grid north, in colours that end where they begin.
    view
        Rectangle of its map.
    deadline
        When it has to be there.
    band
        Band of the elevations, from 1; None where there is only one.

    Returns
    -------
    ndarray of uint8 (height, width, 4) or None
        Clear where the slope is not known, and where the ground is flat and has no aspect.

    Raises
    ------
    BandError
        When no band is named and the raster has several, or when there is no such band.
    GridError
        When it has no coordinate system.
    Unfinished
        When it is not there in time.
    """
    chosen = _band_of(dem, band)
    image = np.zeros((view.height, view.width, 4), np.uint8)
    for part in parts(dem.grid, view):
        ground = piece_of(dem, (chosen,), part, deadline, "average")
        if ground is None:
            continue
        whole = (ground.window.height, ground.window.width) == dem.grid.shape
        work = partial(_rising, dem, ground, chosen)
        rising = _GRADIENTS.get((dem.digest, chosen, ground.valid.shape), work, deadline) if whole else work()
        values, valid = sampled(rising, part, "bilinear")
        colours, known = _painted(kind, *values.astype(np.float64))
        height, width = valid.shape
        shown = image[part.row : part.row + height, part.column : part.column + width]
        known &= valid
        shown[known, :3] = colours[known]
        shown[known, 3] = 255
    return image if image[..., 3].any() else None


def _band_of(dem: Scene, band: int | None) -> int:
    if band is None:
        elevation_model(dem)
        return 1
    if band > len(dem.bands):
        raise BandError(f"{dem.name} has no band {band}.", remedy=f"Choose a band from 1 to {len(dem.bands)}.")
    return band


def _painted(
    kind: Terrain, east: NDArray[np.float64], north: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Colours (height, width, 3) of ground that rises by `east` and `north` per metre, and where there are any."""
    known = np.isfinite(east) & np.isfinite(north)
    if kind == "hillshade":
        grey = np.rint(np.nan_to_num(shade(east, north)) * 255.0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1), known
    slope, aspect = angles(east, north)
    if kind == "slope":
        shares = np.clip(np.nan_to_num(slope) / STEEPEST, 0.0, 1.0)
        return ramp(SLOPE_RAMP)[np.rint(shares * 255.0).astype(np.uint8)], known
    faces = np.isfinite(aspect)
    return ramp(ASPECT_RAMP)[(np.nan_to_num(aspect) / 360.0 * 255.0).astype(np.uint8)], known & faces


def _rising(dem: Scene, ground: Piece, band: int) -> Piece:
    """Rise to the east and to the north per metre of a piece of an elevation model."""
    patch = Quantity.of(dem, "elevation", band).patch(Patch(ground.values, ground.valid))
    height, width = ground.valid.shape
    grid = dem.grid.window(ground.window).resized(width, height)
    rises = np.stack(gradient(Elevations.of(patch.values[0], grid, patch.valid))).astype(np.float32)
    known = np.asarray(np.isfinite(rises).all(axis=0))
    return replace(ground, values=np.where(known, rises, 0.0), valid=known)
