"""Slope and aspect of the ground under InSAR points, from an elevation model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.terrain import slope_aspect_at
from core.wording import agree, count

if TYPE_CHECKING:
    from core.raster.scene import Scene

BLOCK = 1_024
"""Pixels of a side of the blocks in which the elevation model is read."""

STEP = 10.0
"""Metres to grid north by which its direction is told."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """The ground under points; each ``(n,)``.

    Attributes
    ----------
    slope
        Degrees from the horizontal; NaN outside the elevation model and beside its unknown cells.
    aspect
        Direction downhill, degrees clockwise from true north; NaN also on flat ground. By as much as the projection of
        the model does not keep angles it is off: half a degree in EPSG:3035.
    notes
        What was assumed or left out, with its number.
    """

    slope: Doubles
    aspect: Doubles
    notes: tuple[str, ...]


def ground_under(dem: Scene, x: Doubles, y: Doubles, crs: str) -> Ground:
    """Slope and aspect of the cell of an elevation model under each point, by the method of Horn (1981).

    Parameters
    ----------
    dem
        Elevations in metres, one band.
    x, y
        ``(n,)`` places of the points in `crs`.

    Raises
    ------
    InputError
        When the model has several bands or no coordinate system, or no point lies on it.
    """
    from pyproj import Transformer

    if len(dem.bands) != 1 or dem.grid.crs is None:
        raise InputError(
            f"{dem.name} is not an elevation model.", "An elevation model has one band of elevations and a coordinate "
                                                  "system.",
            "Choose another raster.",
        )  # fmt: skip
    system = dem.grid.crs.to_wkt()
    across, down = (np.asarray(one) for one in Transformer.from_crs(crs, system, always_xy=True).transform(x, y))
    inverse = ~dem.grid.transform
    with np.errstate(invalid="ignore"):
        column = np.floor(inverse.a * across + inverse.b * down + inverse.c)
        row = np.floor(inverse.d * across + inverse.e * down + inverse.f)
        inside = (column >= 0) & (column < dem.grid.width) & (row >= 0) & (row < dem.grid.height)
    if not inside.any():
        raise InputError(f"No point lies on {dem.name}.", remedy="Choose an elevation model of the same area.")
    slope, aspect = np.full(len(x), np.nan), np.full(len(x), np.nan)
    on = np.flatnonzero(inside)
    slope[on], aspect[on] = _at(dem, row[on].astype(np.intp), column[on].astype(np.intp))
    aspect[on] = (aspect[on] + _grid_north(system, across[on], down[on])) % 360
    distance = dem.grid.ground_distance()
    notes = [f"Slope and aspect are from {dem.name}" + (f", with cells of {distance:.3g} m." if distance else ".")]
    lost = int(np.isnan(slope).sum())
    if lost:
        notes.append(
            f"{count(lost, 'point')} {agree(lost, 'lies', 'lie')} outside {dem.name}, at its edge, or next to cells "
            "without an elevation."
        )
    return Ground(slope, aspect, tuple(notes))


def _at(dem: Scene, row: NDArray[np.intp], column: NDArray[np.intp]) -> tuple[Doubles, Doubles]:
    """Slope and aspect from grid north of some cells, block by block."""
    from rasterio.windows import Window

    slope, aspect = np.full(len(row), np.nan), np.full(len(row), np.nan)
    blocks = (row // BLOCK) * (dem.grid.width // BLOCK + 1) + column // BLOCK
    order = np.argsort(blocks, kind="stable")
    with dem.reader() as reader:
        for at in np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1):
            top, left = max(int(row[at].min()) - 1, 0), max(int(column[at].min()) - 1, 0)
            bottom = min(int(row[at].max()) + 2, dem.grid.height)
            right = min(int(column[at].max()) + 2, dem.grid.width)
            window = Window(left, top, right - left, bottom - top)
            values, valid = reader.read_bands(window)
            heights = np.where(valid[0], values[0].astype(np.float64), np.nan)
            found = slope_aspect_at(heights, dem.grid.window(window), row[at] - top, column[at] - left)
            slope[at], aspect[at] = found
    return slope, aspect


def _grid_north(system: str, x: Doubles, y: Doubles) -> Doubles:
    """Direction of grid north at some places, degrees clockwise from true north."""
    from pyproj import CRS, Geod, Transformer

    known = CRS.from_wkt(system)
    if known.is_geographic:
        return np.zeros(len(x))
    step = STEP / known.axis_info[0].unit_conversion_factor
    to_degrees = Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    here, there = to_degrees.transform(x, y), to_degrees.transform(x, y + step)
    return np.asarray(Geod(ellps="WGS84").inv(*here, *there)[0], np.float64)
