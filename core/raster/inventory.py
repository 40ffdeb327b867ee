"""An inventory of landslide outlines on a scene's grid."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.crs import accuracy_note, transformed
from core.raster.grid import Grid
from core.raster.review_marks import review_marks
from core.raster.vectors import read_vectors_untrusted
from core.wording import agree, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame

LARGE = 2_000
"""Corners of a polygon from which on it is cut to the window that is read."""

FAR = 1e8
"""Pixels from the corner of a grid beyond which polygons are cut to its surroundings."""

UNKNOWN = 255
"""Where a reference says neither that there is a landslide nor that there is none."""

BEYOND = 1e12
"""Pixels, or units of a coordinate system, beyond which nothing is a place."""


@dataclass(frozen=True)
class Inventory:
    """Outlines of landslides on a scene's grid, drawn window by window.

    Attributes
    ----------
    polygons
        The outlines in columns and rows of the grid, which may therefore lie in any way.
    tree
        Index that finds those which a window meets.
    grid
        The scene's grid.
    notes
        What of the file does not count, and how exactly it lies on the scene.
    unknown
        Outlines of which it is not known whether they are landslides; None where there are none.
    searched
        Whether ground outside all outlines is known to have no landslide; else only that of `rejected` is.
    rejected
        Outlines that are known to be none; None where there are none.
    """

    polygons: NDArray[np.object_]
    tree: Any
    grid: Grid
    notes: tuple[str, ...] = ()
    unknown: Inventory | None = None
    searched: bool = True
    rejected: Inventory | None = None

    @property
    def complete(self) -> bool:
        """Whether it says of all ground whether there is a landslide."""
        return self.searched and self.unknown is None

    @classmethod
    def open(cls, path: str | os.PathLike[str], grid: Grid) -> Inventory:
        """Read a file of outlines onto a grid.

        Of a reviewed inventory (see `core.raster.review_marks`) false alarms are none, and outlines that are not
        reviewed are unknown, as is ground outside all outlines unless the area was searched.

        Parameters
        ----------
        path
            GeoPackage, GeoJSON or zipped Shapefile.
        grid
            The scene's grid.

        Raises
        ------
        UnsafeFileError, InputError, GridError
            As of `core.raster.vectors.read_vectors_untrusted`, `core.raster.review_marks.review_marks` and `of`.
        """
        features, name = read_vectors_untrusted(path), Path(path).name
        marks = review_marks(path, len(features))
        if marks is None:
            return cls.of(features, grid, name)

        def those(which: NDArray[np.bool_]) -> Inventory | None:
            try:
                return cls.of(features[which], grid, name) if which.any() else None
            except GridError:  # they lie beside the grid
                return None

        made = cls.of(features[marks.landslide], grid, name)
        return replace(
            made, notes=(*made.notes, *marks.notes()), unknown=those(marks.unknown), searched=marks.searched,
            rejected=those(~marks.landslide & ~marks.unknown),
        )  # fmt: skip

    @classmethod
    def of(cls, features: GeoDataFrame, grid: Grid, name: str) -> Inventory:
        """Lay features on a grid.

        Parameters
        ----------
        features
            Polygons in any CRS; without CRS x is the column and y the row of a scene without CRS. Features
            of other kinds are left out.
        grid
            The scene's grid.
        name
            What to call the features in errors.

        Raises
        ------
        GridError
            When only one of the two has a CRS, or nothing lies in the scene's neighbourhood.
        InputError
            When there are no polygons.
        """
        import shapely

        polygons, notes = _in_pixels(features, grid, name)
        if len(polygons) == 0:
            kinds = shapely.get_type_id(features.geometry.to_numpy())
            if np.isin(kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)).any():
                raise GridError(
                    f"No polygon of {name} lies within the area of its coordinate system.",
                    "Its coordinates belong to another system than the one named, such as metres labelled as degrees.",
                    "Assign the coordinate system of its coordinates.",
                )
            raise InputError(
                f"{name} holds no polygons.",
                "Points and lines do not show which pixels are landslide.",
                "Use an inventory of landslide outlines.",
            )
        left, top, right, bottom = shapely.total_bounds(polygons)
        if not (left < grid.width and right > 0 and top < grid.height and bottom > 0):
            raise no_overlap(name)
        small = int((shapely.area(polygons) < 1).sum())
        if small:
            it_counts = agree(small, "it counts only if it covers", "they count only if they cover")
            notes += (
                f"{small:,} of the {count(len(polygons), 'polygon')} of {name} {agree(small, 'is', 'are')} smaller "
                f"than a pixel; {it_counts} the centre of one.",
            )
        return cls(polygons, shapely.STRtree(polygons), grid, notes)

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Read a window: 1 in pixels whose centres a polygon covers, else 0, or `UNKNOWN` where that is not known.

        Returns
        -------
        ndarray (height, width) of uint8
        """
        burnt = self._read(window)
        if self.complete:
            return burnt
        unknown = np.full(burnt.shape, not self.searched)
        if self.rejected is not None:
            unknown &= self.rejected.read(window) == 0
        if self.unknown is not None:
            unknown |= self.unknown.read(window) == 1
        burnt[(burnt == 0) & unknown] = UNKNOWN
        return burnt

    def _read(self, window: Window) -> NDArray[np.uint8]:
        import shapely
        from rasterio.features import rasterize

        check_window(window, self.grid)
        row, column = round(window.row_off), round(window.col_off)
        height, width = round(window.height), round(window.width)
        met = self.polygons[self.tree.query(shapely.box(column, row, column + width, row + height))]
        if len(met) == 0:
            return np.zeros((height, width), dtype=np.uint8)
        met = _clipped(met, column, row, width, height)
        if len(met) == 0:
            return np.zeros((height, width), dtype=np.uint8)
        here = Affine.translation(column, row)
        burnt: NDArray[np.uint8] = rasterize(met, out_shape=(height, width), transform=here, dtype="uint8")
        return burnt


def _clipped(
    polygons: NDArray[np.object_], column: int, row: int, width: int, height: int
) -> NDArray[np.object_]:
    """Polygons with the large ones cut to a window and one pixel around it.

    Burning goes through every corner of a polygon, also of its holes, in every window.
    """
    import shapely

    large = shapely.get_num_coordinates(polygons) > LARGE
    if not large.any():
        return polygons
    cut = polygons.copy()
    try:
        cut[large] = shapely.clip_by_rect(polygons[large], column - 1, row - 1, column + width + 1, row + height + 1)
    except shapely.errors.GEOSException:  # of outlines that cross themselves in odd ways: burnt whole, which is slower
        return polygons
    return np.asarray(cut[~shapely.is_empty(cut)])


def _in_pixels(features: GeoDataFrame, grid: Grid, name: str) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Polygons of an inventory in columns and rows of a grid, and what is to be said of how they were made."""
    import pyproj
    import shapely

    source = features.crs
    if (source is None) != (grid.crs is None):
        lacking, having = (name, "the image") if source is None else ("The image", name)
        raise GridError(
            f"{lacking} has no coordinate system, but {having} has one.",
            "The position of the polygons on the image is therefore unknown.",
            "Assign a coordinate system to the one without, or use a mask image of the same size as the image.",
        )
    given = features.geometry.to_numpy()
    parts = shapely.force_2d(shapely.get_parts(shapely.get_parts(given)))
    polygons = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
    found = len(polygons)
    polygons = _finite(polygons)
    notes = _left_out(name, len(given), int(shapely.is_missing(given).sum()), parts, len(polygons))
    if found > len(polygons):
        lost = found - len(polygons)
        were = agree(lost, "was", "were")
        notes += (f"{count(lost, 'polygon')} of {name} with invalid coordinates {were} left out.",)
    if source is None or grid.crs is None:
        return _near(polygons, grid), notes
    there = pyproj.CRS.from_wkt(grid.crs.to_wkt())
    note = accuracy_note(source, there, name, grid.to_wgs84_bounds())
    polygons = _replaced(polygons, lambda at: np.column_stack(transformed(at[:, 0], at[:, 1], source, there, name)))
    if there.is_geographic:
        left, _, right, _ = grid.bounds
        polygons = turned_near(polygons, left, right, 2 * math.pi / there.axis_info[0].unit_conversion_factor)
    inverse = ~grid.transform

    def in_pixels(at: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = at[:, 0], at[:, 1]
        columns = inverse.a * x + inverse.b * y + inverse.c
        return np.column_stack([columns, inverse.d * x + inverse.e * y + inverse.f])

    return _near(_finite(_replaced(polygons, in_pixels)), grid), (*notes, note) if note else notes


def _replaced(
    polygons: NDArray[np.object_], move: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.object_]:
    """Polygons with other coordinates, without those of which a corner has none."""
    import shapely

    if len(polygons) == 0:
        return polygons
    coordinates, of = shapely.get_coordinates(polygons, return_index=True)
    moved = move(coordinates)
    lost = np.zeros(len(polygons), dtype=np.bool_)
    lost[of[~np.isfinite(moved).all(axis=1)]] = True
    return np.asarray(shapely.set_coordinates(polygons[~lost].copy(), moved[~lost[of]]))


def turned_near(
    polygons: NDArray[np.object_], left: float, right: float, turn: float = 360.0
) -> NDArray[np.object_]:
    """Polygons in longitude and latitude, moved by whole turns to where a scene lies.

    Parameters
    ----------
    polygons
        x is the longitude, in any of the turns in which files give it. A polygon wider than half a turn is taken to
        cross the line at which its file begins to count anew.
    left, right
        Longitudes of the scene's edges.
    turn
        A full turn in their unit.

    Returns
    -------
    The same polygons; those that reach past an edge of a scene of more than half a turn once more at its other edge.
    """
    import shapely

    if len(polygons) == 0:
        return polygons
    bounds = shapely.bounds(polygons)
    width = bounds[:, 2] - bounds[:, 0]
    world = turn * (1 - 1e-9)
    cut = np.flatnonzero((width > turn / 2) & (width < world))
    polygons = polygons.copy()
    for one in cut:
        at = shapely.get_coordinates(polygons[one])
        at[:, 0] = at[0, 0] + _wrapped(at[:, 0] - at[0, 0], turn)
        polygons[one] = shapely.set_coordinates(polygons[[one]].copy(), at)[0]
    bounds = shapely.bounds(polygons)
    middle = (bounds[:, 0] + bounds[:, 2]) / 2
    turns = np.where(np.isfinite(middle), np.round(((left + right) / 2 - middle) / turn), 0.0)
    polygons = _moved(polygons, turns * turn)
    # What goes around the globe lies at every turn.
    around = polygons[width >= world]
    if len(around):
        polygons = np.concatenate([polygons, *(_moved(around, np.full(len(around), by)) for by in (-turn, turn))])
    if right - left <= turn / 2:
        return polygons
    bounds = shapely.bounds(polygons)
    before, after = polygons[bounds[:, 0] < left], polygons[bounds[:, 2] > right]
    again = [_moved(before, np.full(len(before), turn)), _moved(after, np.full(len(after), -turn))]
    return np.concatenate([polygons, *again])


def _wrapped(angle: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    return (angle + turn / 2) % turn - turn / 2


def _moved(polygons: NDArray[np.object_], by: NDArray[np.float64]) -> NDArray[np.object_]:
    import shapely

    moves = np.flatnonzero(by)
    if len(moves) == 0:
        return polygons
    coordinates, of = shapely.get_coordinates(polygons[moves], return_index=True)
    coordinates[:, 0] += by[moves][of]
    moved = polygons.copy()
    moved[moves] = shapely.set_coordinates(polygons[moves], coordinates)
    return moved


def _finite(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    """Those that have a place: what lies beyond the reach of the scene's projection has none, nor a part in it."""
    import shapely

    bounds = shapely.bounds(polygons)
    reached: NDArray[np.object_] = polygons[(np.isfinite(bounds) & (np.abs(bounds) < BEYOND)).all(axis=1)]
    return reached


def _near(polygons: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    """Polygons in pixels, those that reach very far cut to the grid and its surroundings: burning counts in 32 bits."""
    import shapely

    far = (np.abs(shapely.bounds(polygons)) > FAR).any(axis=1)
    if not far.any():
        return polygons
    near = polygons.copy()
    edge = -grid.width, -grid.height, 2 * grid.width, 2 * grid.height
    parts = [shapely.get_parts(shapely.clip_by_rect(shapely.make_valid(one), *edge)) for one in polygons[far]]
    cut = np.concatenate([part[shapely.get_type_id(part) == shapely.GeometryType.POLYGON] for part in parts])
    return np.concatenate([near[~far], cut[~shapely.is_empty(cut)]])


def _left_out(name: str, features: int, empty: int, parts: NDArray[np.object_], polygons: int) -> tuple[str, ...]:
    """Notes on what of a file is no outline."""
    import shapely

    notes = []
    kinds = shapely.get_type_id(parts)
    others = {"point": 0, "line": 0, "other shape": 0}
    for kind, number in zip(*np.unique(kinds[kinds >= 0], return_counts=True), strict=True):
        if kind == shapely.GeometryType.POINT:
            others["point"] += int(number)
        elif kind in (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING):
            others["line"] += int(number)
        elif kind != shapely.GeometryType.POLYGON:
            others["other shape"] += int(number)
    left = " and ".join(count(number, what) for what, number in others.items() if number)
    if left:
        notes.append(
            f"Only the {count(polygons, 'polygon')} of {name} {agree(polygons, 'is', 'are')} used; {left} "
            f"{agree(sum(others.values()), 'was', 'were')} left out."
        )
    if empty:
        notes.append(
            f"{empty:,} of the {count(features, 'feature')} of {name} {agree(empty, 'has', 'have')} no readable shape "
            f"and {agree(empty, 'was', 'were')} left out."
        )
    return tuple(notes)


def check_window(window: Window, grid: Grid) -> None:
    """Refuse a window that is empty or reaches past the edges of a grid."""
    inside = (
        window.col_off >= 0
        and window.row_off >= 0
        and window.col_off + window.width <= grid.width
        and window.row_off + window.height <= grid.height
    )
    if not inside or window.width < 1 or window.height < 1:
        raise GridError(f"The window {window} is empty or extends beyond the edges of the image.")


def no_overlap(name: str) -> GridError:
    """Error for data that lie elsewhere than the scene."""
    return GridError(
        f"{name} does not overlap the image.",
        "There is nothing to compare.",
        "Check that both show the same area and that their coordinate systems are correct.",
    )
