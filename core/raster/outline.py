"""Outlining a mask of any height in strips, with the same polygons as if it were outlined at once.

Memory grows with the width of the raster and with the number and length of the outlines, not with its height.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.raster.measure import row_areas
from core.raster.polygon_stitching import corners, moved, whole_of
from core.raster.strip_labelling import (
    EIGHT,
    Mask,
    Numbers,
    Strip,
    Strips,
    crossing_holes,
    filled,
    joined,
    labelled,
    marked,
)
from core.raster.terrain import slope_aspect_at
from core.raster.vectorize import PEAK, outlines_of, table_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

MOST_POLYGONS = 500_000
MOST_CORNERS = 20_000_000
"""More polygons, or more corners of them, than these would take more than about 4 GB."""

Elevation = Callable[[int, int], NDArray[np.float32]]
"""Elevation in metres of the rows from one to before another, (rows, width), NaN where unknown."""


def outline_strips(
    strips: Strips,
    grid: Grid,
    *,
    minimum_area_px: int,
    fill_holes_px: int,
    elevation: Elevation | None = None,
) -> GeoDataFrame:
    """Clean, outline and measure a mask strip by strip.

    Parameters
    ----------
    strips
        The mask; gone through once, or twice to fill holes.
    grid
        The grid of the mask.
    minimum_area_px, fill_holes_px
        As of `core.raster.vectorize.clean_mask`, with eight neighbours.
    elevation
        For slope, relief and aspect; only with a coordinate system.

    Returns
    -------
    GeoDataFrame
        What `core.raster.vectorize.polygons` gives for the cleaned mask, with the column ``mean_code`` in place of
        ``mean_probability``. Means of slope and aspect may differ in their last digits, and in a projection whose
        scale varies by up to a thousandth.

    Raises
    ------
    InputError
        When there are more than `MOST_POLYGONS` polygons or `MOST_CORNERS` corners.
    """
    holes = crossing_holes(strips(), grid.width, fill_holes_px) if fill_holes_px > 0 else None
    outliner = Outliner(grid, minimum_area_px, elevation)
    for number, strip in enumerate(strips()):
        none = np.empty(0, dtype=np.intp)
        outliner.add(strip, filled(strip, fill_holes_px, none if holes is None else holes[number]))
    return outliner.table()


@dataclass(frozen=True)
class Tally:
    """What is summed over the pixels of each patch, and what is the least of them.

    Attributes
    ----------
    sums
        (patches, quantities): pixels, m², codes; with elevation also slope, pixels with slope, east, north and pixels
        with an aspect.
    least
        (patches, quantities): first pixel, peak (see `Outliner._tallied`); with elevation also lowest and minus the
        highest.
    """

    sums: Floats
    least: Floats

    @classmethod
    def together(cls, tallies: list[Tally]) -> Tally:
        """Patches one after the other."""
        return cls(np.concatenate([one.sums for one in tallies]), np.concatenate([one.least for one in tallies]))

    def by(self, group: Numbers, groups: int) -> Tally:
        """The tally of each group of patches."""
        sums = [np.bincount(group, weights=column, minlength=groups) for column in self.sums.T]
        least = np.full((groups, self.least.shape[1]), np.inf)
        np.minimum.at(least, group, self.least)
        return Tally(np.column_stack(sums).astype(np.float64), least)

    def of(self, wanted: Mask) -> Tally:
        """Some of the patches."""
        return Tally(self.sums[wanted], self.least[wanted])


class Outliner:
    """Takes the strips of a cleaned mask from top to bottom, and gives the table of its patches.

    Parameters
    ----------
    grid, minimum_area_px, elevation
        As of `outline_strips`.
    """

    def __init__(self, grid: Grid, minimum_area_px: int, elevation: Elevation | None = None) -> None:
        self.grid, self.minimum, self.elevation = grid, max(1, minimum_area_px), elevation
        self._areas = row_areas(grid) if grid.in_metres else np.ones(grid.height)
        terrain = elevation is not None
        self._none = Tally(np.empty((0, 8 if terrain else 3)), np.empty((0, 4 if terrain else 2)))
        # Patches that reach the last row so far: their tally, their pieces, and which piece is whose.
        self._open = self._none
        self._pieces: Shapes = np.empty(0, dtype=object)
        self._owners = np.empty(0, dtype=np.intp)
        self._above = np.zeros(grid.width, dtype=np.intp)
        self._tallies: list[Tally] = [self._none]
        self._outlines: list[Shapes] = [np.empty(0, dtype=object)]
        self._count = self._corners = 0

    def add(self, strip: Strip, mask: Mask) -> None:
        """Take the next strip, with its holes filled."""
        labels, count = labelled(mask, EIGHT)
        tally = self._tallied(strip, labels, count)
        wanted = marked(labels[0], count) | marked(labels[-1], count) | (tally.sums[:, 0] >= self.minimum)
        number = np.zeros(count + 1, dtype=np.int32)
        number[1:][wanted] = np.arange(1, np.count_nonzero(wanted) + 1)
        kept = number[labels]
        self._check(kept > 0)
        shapes = moved(outlines_of(kept, int(np.count_nonzero(wanted))), strip.top)
        before = len(self._open.sums)
        groups, group = joined(self._above, before, kept[0], len(shapes), corners=True)
        whole = Tally.together([self._open, tally.of(wanted)]).by(group, groups)
        pieces = np.concatenate([self._pieces, shapes])
        owners = group[np.concatenate([self._owners, before + np.arange(len(shapes))])]
        goes_on = np.zeros(groups, dtype=np.bool_)
        last_row, inside = kept[-1], kept[-1] > 0
        below = group[before + last_row[inside].astype(np.intp) - 1]
        if not strip.last:
            goes_on[below] = True
        self._close(whole, pieces, owners, ~goes_on & (whole.sums[:, 0] >= self.minimum))
        renumbered = np.cumsum(goes_on) - 1
        held = goes_on[owners]
        self._open, self._pieces, self._owners = whole.of(goes_on), pieces[held], renumbered[owners[held]]
        self._above = np.zeros(self.grid.width, dtype=np.intp)
        if not strip.last:
            self._above[inside] = renumbered[below] + 1

    def table(self) -> GeoDataFrame:
        """The patches, the largest first; see `outline_strips`."""
        tally, outlines = Tally.together(self._tallies), np.concatenate(self._outlines)
        order = np.argsort(tally.least[:, 0], kind="stable")
        sums, least = tally.sums[order], tally.least[order]
        peak = least[:, 1].astype(np.int64) % (self.grid.height * self.grid.width)
        columns: dict[str, NDArray[Any]] = {PEAK: peak, "area_px": sums[:, 0].astype(np.int64)}
        if self.grid.in_metres:
            columns["area_m2"] = sums[:, 1]
        columns["mean_code"] = sums[:, 2] / sums[:, 0]
        if self.elevation is not None:
            columns |= _terrain(sums[:, 3:], least[:, 2:])
        return table_of(outlines[order], columns, self.grid)

    def _close(self, tally: Tally, pieces: Shapes, owners: Numbers, ended: Mask) -> None:
        """Keep patches to which nothing more can come."""
        self._count += int(np.count_nonzero(ended))
        if self._count > MOST_POLYGONS:
            raise _too_many(f"more than {MOST_POLYGONS:,} landslides")
        theirs = ended[owners]
        self._tallies.append(tally.of(ended))
        self._outlines.append(whole_of(pieces[theirs], (np.cumsum(ended) - 1)[owners[theirs]]))

    def _check(self, mask: Mask) -> None:
        self._corners += corners(mask)
        if self._corners > MOST_CORNERS:
            raise _too_many(f"outlines of more than {MOST_CORNERS / 1e6:,.0f} million corners")

    def _tallied(self, strip: Strip, labels: NDArray[np.int32], count: int) -> Tally:
        at = np.flatnonzero(labels)
        patch = labels.ravel()[at] - 1
        rows, columns = np.divmod(at, self.grid.width)
        first = np.full(count, np.inf)
        first[patch[::-1]] = (at + strip.top * self.grid.width)[::-1]
        # Whole numbers that order pixels by code, the highest first, and then by place: floats hold them up to 2^53.
        lower = np.iinfo(np.uint8).max - strip.codes.ravel()[at].astype(np.int64)
        peak = np.full(count, np.inf)
        pixels = self.grid.height * self.grid.width
        np.minimum.at(peak, patch, (lower * pixels + at + strip.top * self.grid.width).astype(np.float64))
        weights = [np.ones(len(at)), self._areas[strip.top + rows], strip.codes.ravel()[at].astype(np.float64)]
        least = [first, peak]
        if self.elevation is not None:
            heights, east_north = self._ground(strip, rows, columns)
            weights += east_north
            lowest, highest = np.full(count, np.inf), np.full(count, np.inf)
            known = np.isfinite(heights)
            np.minimum.at(lowest, patch[known], heights[known])
            np.minimum.at(highest, patch[known], -heights[known])
            least += [lowest, highest]
        sums = [np.bincount(patch, weights=weight, minlength=count) for weight in weights]
        return Tally(np.column_stack(sums).astype(np.float64), np.column_stack(least))

    def _ground(self, strip: Strip, rows: Numbers, columns: Numbers) -> tuple[Floats, list[Floats]]:
        """Height of pixels, and what is summed of slope and aspect."""
        assert self.elevation is not None  # noqa: S101  the caller asked
        top = max(0, strip.top - 1)
        bottom = min(self.grid.height, strip.top + len(strip.found) + 1)
        dem = self.elevation(top, bottom)
        grid = self.grid.window(Window(0, top, self.grid.width, bottom - top))
        rows = rows + (strip.top - top)
        slope, aspect = slope_aspect_at(dem, grid, rows, columns)
        angle = np.radians(aspect)
        summed = [slope, np.isfinite(slope), np.sin(angle), np.cos(angle), np.isfinite(angle)]
        return dem[rows, columns].astype(np.float64), [np.nan_to_num(one).astype(np.float64) for one in summed]


def _terrain(sums: Floats, least: Floats) -> dict[str, NDArray[Any]]:
    """Mean slope, relief and circular mean aspect, NaN where unknown; as of `core.raster.measure.terrain_of`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        slope, east, north = sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 4], sums[:, 3] / sums[:, 4]
    aspect = np.degrees(np.arctan2(east, north)) % 360.0
    aspect[np.hypot(east, north) < 1e-6] = np.nan
    relief = np.where(np.isfinite(least[:, 0]), -least[:, 1] - least[:, 0], np.nan)
    return {"slope_mean_deg": slope, "relief_m": relief, "aspect_deg": aspect}


def _too_many(what: str) -> InputError:
    return InputError(
        f"There are {what} at this threshold and minimum area.",
        "They would not fit into memory and could not be reviewed.",
        "Raise the threshold or the minimum area, or map a smaller area.",
    )
