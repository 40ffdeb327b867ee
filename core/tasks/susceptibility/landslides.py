"""The landslides of an inventory on the grid of an area: which cells they cover, and which of these models learn from.

Everything is found strip by strip, so that memory grows with the landslides and not with the grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from core.errors import GridError, InputError
from core.raster.crs import accuracy_note, crs_of_code, transformed
from core.raster.inventory import Inventory
from core.raster.review_marks import review_marks
from core.wording import agree, count

if TYPE_CHECKING:
    import pyproj
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid
    from core.tasks.susceptibility.groups import GroupLabels

Part = Literal["centroid", "all", "upper"]

UPPER = 1 / 3
"""Share of a landslide's height, from its top, that counts as its upper part."""

STRIP = 512
"""Rows that are looked at together."""

MOST_FEATURES = 500_000

Cells = NDArray[np.int64]
"""Cells of a grid by their number: row times width plus column."""


@dataclass(frozen=True)
class InventoryPlan:
    """How an inventory is read.

    Attributes
    ----------
    part
        Which cells of a polygon models learn from: the one at its centroid (or at a point inside, where the centroid is
        not), all of them, or those of its upper part, where it probably started.
    label
        Column that says of each point or polygon whether it is a landslide; empty where all are. Cells without one are
        then taken from it, and none are drawn.
    positive
        Value of it that stands for a landslide; empty where that is plain.
    x, y, crs, swap_xy
        Of a table: columns of the coordinates, their coordinate system (that of the grid when empty), and whether they
        are taken for each other.
    area, event
        Columns of the area and the event (such as the date) of a landslide, for leaving one of them out at a time; see
        `core.tasks.susceptibility.groups`.
    """

    part: Part = "centroid"
    label: str = ""
    positive: str = ""
    x: str = ""
    y: str = ""
    crs: str = ""
    swap_xy: bool = False
    area: str = ""
    event: str = ""


@dataclass(frozen=True)
class Landslides:
    """Landslides on a grid.

    Attributes
    ----------
    grid
        The grid.
    points
        (points, 2) columns and rows of landslides that are points; none where they are polygons.
    polygons
        Their outlines in columns and rows; None where they are points.
    absences
        (points, 2) columns and rows of places that the inventory says have none; None where it does not.
    notes
        What does not count.
    labels
        Their areas and events; None where none are named.
    """

    grid: Grid
    points: NDArray[np.float64]
    polygons: Inventory | None
    absences: NDArray[np.float64] | None
    notes: tuple[str, ...]
    labels: GroupLabels | None = None

    @property
    def count(self) -> int:
        """Landslides on the grid."""
        return len(self.points) if self.polygons is None else len(self.polygons.polygons)

    def mask(self, first: int, end: int) -> NDArray[np.bool_]:
        """(rows, width) whether a landslide is in each cell of rows `first` to before `end`."""
        from rasterio.windows import Window

        width = self.grid.width
        if self.polygons is not None:
            found = self.polygons.read(Window(0, first, width, end - first)).astype(np.bool_)
        else:
            found = np.zeros((end - first, width), np.bool_)
        at = self._small() if self.polygons is not None else self.points
        column, row = np.floor(at).astype(np.int64).T
        here = (row >= first) & (row < end)
        found[row[here] - first, column[here]] = True
        return found

    def cells(self, part: Part, elevation: ElevationRows | None = None) -> tuple[Cells, NDArray[np.int64]]:
        """Cells that models learn from, and the number of the landslide of each, from 0.

        Parameters
        ----------
        part
            See `InventoryPlan`.
        elevation
            Gives elevations of rows, for the upper part.

        Raises
        ------
        InputError
            When the upper part is asked for without elevations.
        """
        width = self.grid.width
        if self.polygons is None:
            return _cells_at(self.points, width), np.arange(len(self.points))
        if part == "centroid":
            return _cells_at(_inside(self.polygons.polygons), width), np.arange(self.count)
        if part == "upper" and elevation is None:
            raise InputError(
                "Selecting the upper part of a landslide requires an elevation model.",
                remedy="Give one (--dem), or use the centroid or all cells (--part).",
            )
        found = list(self._burnt(elevation if part == "upper" else None))
        cells, numbers, heights = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if part == "upper":
            kept = _upper(numbers, heights, self.count)
            cells, numbers = cells[kept], numbers[kept]
        without = np.setdiff1d(np.arange(self.count), numbers)
        small = _cells_at(_inside(self.polygons.polygons[without]), width)
        return np.concatenate([cells, small]), np.concatenate([numbers, without])

    def _small(self) -> NDArray[np.float64]:
        """A point in each polygon that is smaller than two cells or thinner than one: it may cover no centre of any."""
        import shapely

        assert self.polygons is not None  # noqa: S101  as callers see to
        area = shapely.area(self.polygons.polygons)
        return _inside(self.polygons.polygons[(area < 2) | (2 * area < shapely.length(self.polygons.polygons))])

    def _burnt(
        self, elevation: ElevationRows | None
    ) -> Iterator[tuple[Cells, NDArray[np.int64], NDArray[np.float64]]]:
        """Cells whose centres a polygon covers, its number, and their elevations, strip by strip."""
        import shapely
        from rasterio.features import rasterize

        assert self.polygons is not None  # noqa: S101  as callers see to
        inventory, width = self.polygons, self.grid.width
        nothing = np.empty(0, np.int64)
        yield nothing, nothing, np.empty(0)
        for first in range(0, self.grid.height, STRIP):
            end = min(first + STRIP, self.grid.height)
            met = inventory.tree.query(shapely.box(0, first, width, end))
            if not len(met):
                continue
            shapes = [(inventory.polygons[one], int(one) + 1) for one in sorted(met)]
            burnt = rasterize(
                shapes, out_shape=(end - first, width), transform=Affine.translation(0, first), dtype="int32"
            )
            row, column = np.nonzero(burnt)
            heights = np.zeros(len(row)) if elevation is None else elevation(first, end)[row, column]
            yield (row + first).astype(np.int64) * width + column, burnt[row, column].astype(np.int64) - 1, heights


class ElevationRows:
    """Elevations of whole rows of a raster of factors.

    Parameters
    ----------
    path
        The raster.
    band
        Its band of elevations, from 1.
    """

    def __init__(self, path: Path, band: int) -> None:
        self._path, self._band = path, band

    def __call__(self, first: int, end: int) -> NDArray[np.float64]:
        """(rows, width) elevations, NaN where unknown."""
        from rasterio.windows import Window

        from core.raster.scene import Scene

        scene = Scene.ours(self._path)
        with scene.reader() as reader:
            patch = reader.read((self._band,), Window(0, first, scene.grid.width, end - first))
        return np.where(patch.valid, patch.values[0], np.nan).astype(np.float64)


def _upper(numbers: NDArray[np.int64], heights: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Which cells lie in the upper part of their landslide."""
    known = np.isfinite(heights)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, numbers[known], heights[known])
    np.maximum.at(high, numbers[known], heights[known])
    with np.errstate(invalid="ignore"):
        return np.asarray(known & (heights >= (high - UPPER * (high - low))[numbers]))


def _inside(polygons: NDArray[np.object_]) -> NDArray[np.float64]:
    """(polygons, 2) the centroid of each, or a point inside where the centroid is not."""
    import shapely

    centre = shapely.centroid(polygons)
    outside = ~shapely.contains(polygons, centre)
    centre[outside] = shapely.point_on_surface(polygons[outside])
    return np.asarray(shapely.get_coordinates(centre), dtype=np.float64).reshape(-1, 2)


def _cells_at(at: NDArray[np.float64], width: int) -> Cells:
    column, row = np.floor(at).astype(np.int64).T
    return np.asarray(row * width + column, dtype=np.int64)


def landslides_of(path: Path, form: str, plan: InventoryPlan, grid: Grid, name: str) -> Landslides:
    """Lay an inventory on a grid.

    Parameters
    ----------
    path, form
        GeoPackage, GeoJSON or zipped Shapefile (``"vector"``), or a table with coordinates (``"table"``).
    name
        What users call it.

    Raises
    ------
    LandslideError
        When it cannot be read, lies elsewhere, or its label or coordinates are unclear.
    """
    if form == "table":
        places, labels, notes = _table(path, plan, grid, name)
        return _points(places, labels, grid, name, notes)
    features, labels, notes = _vectors(path, plan, name)
    kinds = features.geom_type.fillna("")
    if kinds.isin(("Polygon", "MultiPolygon")).any():
        return _polygons(features, labels, grid, name, notes)
    points = features[kinds.isin(("Point", "MultiPoint"))]
    if points.empty:
        raise InputError(
            f"{name} holds neither points nor polygons.", "Lines do not define the position of a landslide.",
            "Use an inventory of points or outlines.",
        )  # fmt: skip
    labels = None if labels is None else labels[points.index.to_numpy()]
    exploded = points.geometry.explode(index_parts=False)
    if labels is not None:
        labels = labels[np.searchsorted(points.index.to_numpy(), exploded.index.to_numpy())]
    places = np.column_stack([exploded.x.to_numpy(float), exploded.y.to_numpy(float)])
    left = len(features) - len(points)
    others = f"{count(left, 'other feature')} {agree(left, 'was', 'were')} left out"
    notes += [f"Only the points of {name} were used; {others}."] if left else []
    return _points(on_grid(places, features.crs, grid, name, notes), labels, grid, name, notes)


def _vectors(
    path: Path, plan: InventoryPlan, name: str
) -> tuple[GeoDataFrame, NDArray[np.bool_] | None, list[str]]:
    """Features of a file, whether each is a landslide (None where all are), and what was left out.

    Of a reviewed inventory without a label, those are taken that the review accepts as landslides.
    """
    import pandas as pd

    from core.raster.vectors import first_attributes, read_vectors_untrusted
    from core.tasks.susceptibility.cells import Columns, labels_of

    features = read_vectors_untrusted(path)
    if len(features) > MOST_FEATURES:
        raise InputError(f"{name} has {len(features):,} features; the limit is {MOST_FEATURES:,}.",
                         remedy="Clip it to the area.")  # fmt: skip
    if not plan.label:
        marks = review_marks(path, len(features))
        if marks is None:
            return features, None, []
        left = int((~marks.landslide).sum())
        were = agree(left, "was", "were")
        told = f"{count(left, 'outline')} of {name} {were} left out: false alarms by its review, or not reviewed."
        return features[marks.landslide].reset_index(drop=True), None, [told] if left else []
    said = first_attributes(path, len(features), 4096)
    if plan.label not in said.names:
        raise InputError(f"{name} has no column {plan.label!r}.", remedy=f"Its columns are {', '.join(said.names)}.")
    column = [row[said.names.index(plan.label)] for row in said.rows]
    labels, known = labels_of(pd.Series(column, dtype=object), Columns(plan.label, (), positive=plan.positive), name)
    kept = np.flatnonzero(known)
    return features.iloc[kept].reset_index(drop=True), labels[kept], []


def _polygons(
    features: GeoDataFrame, labels: NDArray[np.bool_] | None, grid: Grid, name: str, notes: list[str]
) -> Landslides:
    absences = None
    if labels is not None:
        others = Inventory.of(features[~labels], grid, name) if (~labels).any() else None
        absences = np.empty((0, 2)) if others is None else _inside(others.polygons)
        features = features[labels]
        if features.empty:
            raise InputError(f"No feature of {name} is a landslide.", remedy="Check the label column.")
    inventory, over = _on_the_grid(Inventory.of(features, grid, name), name)
    if over:
        notes.append(f"{count(over, 'landslide')} of {name} extending beyond the grid; only the part on the grid was "
                     "used.")
    inside = _within(_inside(inventory.polygons), grid)
    if not inside.all():
        notes.append(f"{count(int((~inside).sum()), 'landslide')} of {name} outside the grid: left out.")
        import shapely

        kept = inventory.polygons[inside]
        if not len(kept):
            raise _elsewhere(name)
        inventory = Inventory(kept, shapely.STRtree(kept), grid, inventory.notes)
    if absences is not None:
        absences = absences[_within(absences, grid)]
    return Landslides(grid, np.empty((0, 2)), inventory, absences, (*inventory.notes, *notes))


def _on_the_grid(inventory: Inventory, name: str) -> tuple[Inventory, int]:
    """Polygons cut to the grid where their centre lies beside it, and how many are: a part on it is a landslide too."""
    import shapely

    grid, polygons = inventory.grid, inventory.polygons.copy()
    beside = np.flatnonzero(~_within(_inside(polygons), grid))
    frame = shapely.box(0, 0, grid.width, grid.height)
    cut = shapely.buffer(shapely.intersection(shapely.make_valid(polygons[beside]), frame), 0)  # outlines alone
    there = shapely.area(cut) > 0
    polygons[beside[there]] = cut[there]
    # Unlike elsewhere, a small one counts: as the cell that it is in.
    notes = tuple(one for one in inventory.notes if "smaller than a pixel" not in one)
    small = int((shapely.area(polygons) < 1).sum())
    if small:
        notes += ((
            f"{count(small, 'landslide')} of {name} smaller than a cell; each is represented by the cell that contains "
            "it."
        ),)
    return Inventory(polygons, shapely.STRtree(polygons), grid, notes), int(there.sum())


def _points(
    places: NDArray[np.float64], labels: NDArray[np.bool_] | None, grid: Grid, name: str, notes: list[str]
) -> Landslides:
    """Points in columns and rows of the grid as landslides."""
    inside = _within(places, grid)
    if not inside.any():
        raise _elsewhere(name)
    if not inside.all():
        lost = int((~inside).sum())
        notes.append(
            f"{lost:,} of the {count(len(places), 'point')} of {name} {agree(lost, 'lies', 'lie')} outside the grid "
            f"and {agree(lost, 'was', 'were')} left out."
        )
    slides = inside if labels is None else inside & labels
    if not slides.any():
        raise InputError(f"No point of {name} on the grid is a landslide.", remedy="Check the label column.")
    absences = None if labels is None else places[inside & ~labels]
    return Landslides(grid, places[slides], None, absences, tuple(notes))


def _table(
    path: Path, plan: InventoryPlan, grid: Grid, name: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None, list[str]]:
    """Points of a table in columns and rows of a grid, whether each is a landslide, and notes."""
    import pandas as pd

    from core.series.table import read_table_untrusted
    from core.tasks.susceptibility.cells import Columns, labels_of

    table = read_table_untrusted(path)
    if not plan.x or not plan.y:
        raise InputError(f"The coordinate columns of {name} are not given.",
                         remedy="Name them (--x and --y).")  # fmt: skip
    for column in (plan.x, plan.y, plan.label):
        if column and column not in table.columns:
            raise InputError(f"{name} has no column {column!r}.",
                             remedy=f"Its columns are {', '.join(map(str, table.columns[:40]))}.")  # fmt: skip
    named = (plan.y, plan.x) if plan.swap_xy else (plan.x, plan.y)
    places = np.column_stack([pd.to_numeric(table[one], errors="coerce").to_numpy(np.float64) for one in named])
    if plan.x == plan.y:
        raise InputError(f"The same column of {name}, {plan.x!r}, is given for both coordinates.",
                         remedy="Name a column for each (--x and --y).")  # fmt: skip
    notes: list[str] = []
    kept = np.isfinite(places).all(axis=1)
    if not kept.any():
        raise InputError(f"No row of {name} has numeric coordinates in both columns.", remedy="Check --x and --y.")
    if not kept.all():
        lost = int((~kept).sum())
        notes.append(f"{count(lost, 'row')} of {name} without coordinates {agree(lost, 'was', 'were')} left out.")
    labels = None
    if plan.label:
        labels, known = labels_of(table[plan.label], Columns(plan.label, (), positive=plan.positive), name)
        if (~known & kept).any():
            lost = int((~known & kept).sum())
            notes.append(f"{count(lost, 'row')} of {name} without a label {agree(lost, 'was', 'were')} left out.")
        kept &= known
        labels = labels[kept]
    source = table_system(plan, places[kept], grid, name, notes)
    return on_grid(places[kept], source, grid, name, notes), labels, notes


def table_system(
    plan: InventoryPlan, places: NDArray[np.float64], grid: Grid, name: str, notes: list[str]
) -> pyproj.CRS:
    """The coordinate system of a table's coordinates: the one named, WGS 84 for what can only be degrees, or the grid's."""  # noqa: E501
    import pyproj

    if plan.crs:
        return crs_of_code(f"EPSG:{plan.crs}" if plan.crs.isdecimal() else plan.crs, "--crs")
    if len(places) and (np.abs(places) <= [360.0, 180.0]).all():
        notes.append(f"Coordinates of {name} are assumed to be degrees (WGS 84), based on their values.")
        return crs_of_code("EPSG:4326", name)
    assert grid.crs is not None  # noqa: S101  as `Area.of` saw to
    notes.append(f"Coordinates of {name} are assumed to be in the coordinate system of the grid.")
    return pyproj.CRS.from_wkt(grid.crs.to_wkt())


def on_grid(
    places: NDArray[np.float64], source: pyproj.CRS | None, grid: Grid, name: str, notes: list[str]
) -> NDArray[np.float64]:
    """Points in columns and rows of a grid.

    Raises
    ------
    GridError
        When they have no coordinate system, or lie on the grid only with their coordinates swapped or mirrored.
    """
    import pyproj

    if source is None or grid.crs is None:
        raise GridError(f"{name} has no coordinate system.", "Its position on the rasters is unknown.",
                        "Assign the coordinate system of its coordinates.")  # fmt: skip
    there = pyproj.CRS.from_wkt(grid.crs.to_wkt())
    found = _moved(places, source, there, grid, name)
    if len(places) and not _within(found, grid).any():
        remedies = {
            "x and y swapped": ("--swap-xy", places[:, ::-1]),
            "the sign of the latitude reversed": ("correct the signs", places * [1, -1]),
            "the sign of the longitude reversed": ("correct the signs", places * [-1, 1]),
            "the other hemisphere's false northing": ("give the UTM zone of the other hemisphere", places + [0, 1e7]),
            "the northern hemisphere's false northing":
            ("give the UTM zone of the other hemisphere", places - [0, 1e7]),
        }
        for what, (remedy, other) in remedies.items():
            if _within(_moved(other, source, there, grid, name), grid).mean() > 0.5:
                raise GridError(
                    f"{name} lies outside the rasters, but would lie on them with {what}.",
                    "The order, signs or coordinate system of its coordinates are probably wrong.",
                    f"If so, correct this: {remedy}.",
                )
    note = accuracy_note(source, there, name, grid.to_wgs84_bounds())
    if note:
        notes.append(note)
    return found


def _moved(
    places: NDArray[np.float64], source: pyproj.CRS, there: pyproj.CRS, grid: Grid, name: str
) -> NDArray[np.float64]:
    x, y = transformed(places[:, 0].astype(float), places[:, 1].astype(float), source, there, name)
    with np.errstate(invalid="ignore", over="ignore"):
        column, row = ~grid.transform @ (x, y)
    return np.column_stack([column, row])


def _within(at: NDArray[Any], grid: Grid) -> NDArray[np.bool_]:
    """Which points in columns and rows lie on a grid."""
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (at[:, 0] >= 0) & (at[:, 0] < grid.width) & (at[:, 1] >= 0) & (at[:, 1] < grid.height)
            & np.isfinite(at).all(axis=1)
        )  # fmt: skip


def _elsewhere(name: str) -> GridError:
    return GridError(
        f"No landslide of {name} lies on the rasters.",
        "They cover different areas, or one of the coordinate systems is wrong.",
        "Check that both cover the same area and have the correct coordinate system.",
    )


def buffer_cells(metres: float, grid: Grid) -> int:
    """Cells that a distance reaches, along their shorter side."""
    t = grid.transform
    shorter = min(math.hypot(t.a, t.d), math.hypot(t.b, t.e)) / math.sqrt(abs(t.determinant))
    return math.ceil(metres / ((grid.ground_distance() or 1.0) * shorter))
