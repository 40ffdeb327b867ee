"""What a detection says at a choice: boxes, their table, scores, density. No inference; all post-processing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.measure import row_areas
from core.raster.place_names import place_names, repeats
from core.raster.scene import Scene
from core.tasks.detection.boxes import Boxes, areas
from core.tasks.detection.candidates import has_outlines, read_boxes, read_outlines
from core.tasks.detection.merge import Merged, merge
from core.tasks.detection.metrics import LEFT_OUT, Curve, DetectionScores, Matches, curve, match, scores
from core.tasks.detection.pairing import FALSE
from core.tasks.detection.result import CANDIDATES, KNOWN, SEARCHED, DetectionResult
from core.tasks.detection.view import Choice, Merging

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid

MOST = 200_000
"""Candidates that are merged at once, the surest; the rest is left out, and `Detections.left_out` says how many."""

PREFIX = "B"
"""Begins the id of a box."""

MOST_CELLS = 40_000
"""Cells of a density grid."""

MOSTLY_KNOWN = 0.5
"""Share of a box of which the reference has to say something, for it to be a false alarm."""

MOST_SIDE = 4_000
"""Pixels of the longer side at which is looked up where a reference says something."""

TRUE, FALSE_ALARM, NOT_KNOWN = "true", "false", "not known"
"""What becomes of a box beside a reference: it is one of its boxes, or none."""


def default_choice(result: DetectionResult) -> Choice:
    """The model's own confidence and overlap, to two decimals as sliders show them."""
    return Choice(round(result.confidence, 2), round(result.nms_iou, 2))


def area_column(result: DetectionResult) -> str:
    """Column of the table that holds the boxes' areas."""
    return "area_m2" if result.grid.in_metres else "area_px"


@dataclass(frozen=True)
class Detections:
    """Boxes of a run at a choice.

    Attributes
    ----------
    result, choice
        The run and what was chosen.
    everything
        Merged boxes of any confidence, at least as large as chosen, the surest first.
    reference_boxes
        Boxes of the reference; None without one.
    members
        (candidates,) which of `everything` a candidate of the file is, or is a part of; -1 for duplicates.
    all_names
        (everything,) id of each: the name of the pixel in the middle of its surest candidate. It does not depend on
        the confidence chosen, and on the merging only where that makes another box of the same landslide.
    left_out
        Candidates that were too many to be merged, the least sure.
    """

    result: DetectionResult
    choice: Choice
    everything: Boxes
    reference_boxes: Boxes | None
    members: NDArray[np.intp]
    all_names: NDArray[np.object_]
    left_out: int = 0

    @property
    def count(self) -> int:
        """How many boxes there are at the chosen confidence."""
        return int(np.searchsorted(-self.everything.scores, -np.float32(self.choice.confidence), side="right"))

    @property
    def boxes(self) -> Boxes:
        """The boxes at the chosen confidence in pixels of the scene's grid, the surest first."""
        return self.everything.take(np.arange(self.count))

    @property
    def names(self) -> NDArray[np.object_]:
        """(boxes,) id of each of `boxes`."""
        return self.all_names[: self.count]

    @cached_property
    def matches(self) -> Matches | None:
        """Which of `everything` is which box of the reference (IoU 0.5); None without a reference.

        A box of which the reference says nothing, on most of its pixels, is `LEFT_OUT` unless it is one of its boxes.
        """
        if self.reference_boxes is None:
            return None
        found = match([self.everything], [self.reference_boxes], limit=None)
        if KNOWN not in self.result.artifacts:
            return found
        matched = found.matched[0].copy()
        shares = shares_of(self.result.artifact(KNOWN), self.everything, self.result.grid)
        matched[(matched == FALSE) & (shares < MOSTLY_KNOWN)] = LEFT_OUT
        return replace(found, matched=(matched,))

    @cached_property
    def curve(self) -> Curve | None:
        """Precision, recall and F1 at every confidence; None without a reference."""
        return None if self.matches is None else curve(self.matches)

    @cached_property
    def scores(self) -> DetectionScores | None:
        """Scores at the chosen confidence, AP over all; None without a reference."""
        if self.reference_boxes is None or self.matches is None:
            return None
        counted = self.everything.take(self.matches.matched[0] != LEFT_OUT)
        return scores([counted], [self.reference_boxes], self.choice.confidence, limit=None)

    @cached_property
    def table(self) -> GeoDataFrame:
        """One row a box, the surest first.

        Columns: ``id`` (see `all_names`), ``score``, ``class``, ``area_m2`` (``area_px`` without a coordinate system),
        ``outcome`` (``"true"``, ``"false"`` or ``"not known"``, with a reference), ``geometry`` in the grid's
        coordinate system (x the column and y the row without one).
        """
        import geopandas

        boxes, result = self.boxes, self.result
        names = np.array([*result.classes, "unknown"], dtype=object)
        columns: dict[str, Any] = {
            "id": self.names,
            "score": boxes.scores.astype(np.float64),
            "class": names[np.minimum(boxes.classes, len(result.classes))],
            area_column(result): ground_areas(boxes, result.grid),
        }
        if self.matches is not None:
            matched = self.matches.matched[0][: len(boxes)]
            columns["outcome"] = np.where(matched >= 0, TRUE, np.where(matched == FALSE, FALSE_ALARM, NOT_KNOWN))
        columns |= result.grid.stated_size
        return geopandas.GeoDataFrame(columns, geometry=polygons(boxes, result.grid), crs=_crs(result.grid))

    @cached_property
    def reference(self) -> GeoDataFrame:
        """Boxes of the reference: ``id`` (from 1), area and ``geometry``. Empty without one."""
        return self._of_reference(np.arange(0 if self.reference_boxes is None else len(self.reference_boxes)))

    @cached_property
    def missed(self) -> GeoDataFrame:
        """Boxes of the reference that none of the boxes is: ``id`` (its number in the reference, from 1), area and
        ``geometry``. Empty without a reference.
        """  # noqa: D205
        empty = np.empty(0, dtype=np.intp)
        return self._of_reference(empty if self.matches is None else self.matches.missed(self.choice.confidence)[0])

    def _of_reference(self, numbers: NDArray[np.intp]) -> GeoDataFrame:
        """Some boxes of the reference, by their indices."""
        import geopandas

        grid = self.result.grid
        boxes = Boxes.none() if self.reference_boxes is None else self.reference_boxes.take(numbers)
        columns = {"id": numbers + 1, area_column(self.result): ground_areas(boxes, grid), **grid.stated_size}
        return geopandas.GeoDataFrame(columns, geometry=polygons(boxes, grid), crs=_crs(grid))

    @cached_property
    def outlines(self) -> GeoDataFrame | None:
        """Outlines of the boxes, of detectors that give any, with ``id`` as in `table`; None of the others."""
        import geopandas
        import shapely

        path = self.result.artifact(CANDIDATES)
        if not has_outlines(path):
            return None
        rows = np.flatnonzero((self.members >= 0) & (self.members < self.count))
        rows = rows[np.argsort(self.members[rows], kind="stable")]
        parts, owner = read_outlines(path, rows), self.members[rows]
        first = np.searchsorted(owner, np.arange(self.count + 1))
        each = [shapely.union_all(parts[a:b]) for a, b in zip(first[:-1], first[1:], strict=True)]
        grid = self.result.grid
        shapes = shapely.orient_polygons(placed(np.array(each, dtype=object), grid))
        frame = geopandas.GeoDataFrame({"id": self.names}, geometry=shapes, crs=_crs(grid))
        return frame[~frame.geometry.is_empty]


def shares_of(path: Path, boxes: Boxes, grid: Grid) -> NDArray[np.float64]:
    """Share of each box where a raster of a run says 1: where the reference is known, or the scene was searched.

    Parameters
    ----------
    path
        The raster, of 0 and 1; beyond it nothing is known. A large one is read at a resolution of `MOST_SIDE` pixels a
        side.
    boxes
        In pixels of the grid.
    """
    state = path.stat()
    sums = _sums(path, (state.st_size, state.st_mtime_ns))
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    scale = np.array([width / grid.width, height / grid.height] * 2)
    left, top, right, bottom = (boxes.corners * scale).T
    whole = (right - left) * (bottom - top)
    left, right = (np.clip(side, 0, width) for side in (left, right))
    top, bottom = (np.clip(side, 0, height) for side in (top, bottom))
    ends = [_sum_to(sums, x, y) for x, y in ((right, bottom), (right, top), (left, bottom), (left, top))]
    inside = ends[0] - ends[1] - ends[2] + ends[3]
    return np.asarray(np.divide(inside, whole, out=np.zeros(len(whole)), where=whole > 0), dtype=np.float64)


def _sum_to(sums: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the raster left of `x` and above `y`, parts of pixels counted as parts."""
    column = np.minimum(x.astype(np.intp), sums.shape[1] - 2)
    row = np.minimum(y.astype(np.intp), sums.shape[0] - 2)
    across, down = x - column, y - row
    above = sums[row, column] * (1 - across) + sums[row, column + 1] * across
    below = sums[row + 1, column] * (1 - across) + sums[row + 1, column + 1] * across
    return np.asarray(above * (1 - down) + below * down, dtype=np.float64)


@lru_cache(maxsize=4)
def _sums(path: Path, state: tuple[int, int]) -> NDArray[np.int64]:
    """Sums of the raster above and left of each corner of its pixels."""
    del state
    scene = Scene.open(path)
    height, width = scene.grid.shape
    step = max(1.0, max(height, width) / MOST_SIDE)
    shape = max(1, round(height / step)), max(1, round(width / step))
    with scene.reader() as reader:
        known = reader.read((1,), out_shape=shape, resampling="nearest").values[0]
    sums = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = known.astype(np.int64).cumsum(axis=0).cumsum(axis=1)
    return sums


def find(result: DetectionResult, choice: Choice) -> Detections:
    """Boxes of a run at a choice, from its stored candidates.

    Raises
    ------
    StorageError
        When its files are gone.
    """
    path = result.artifact(CANDIDATES)
    state = path.stat()
    merged, names, left_out = _merged(
        path, (state.st_size, state.st_mtime_ns), choice.nms_iou, choice.merging, result.join_distance, result.grid
    )
    everything, members = merged.boxes, merged.group
    if choice.minimum_area > 0:
        large = ground_areas(everything, result.grid) >= choice.minimum_area
        places = np.where(large, np.cumsum(large) - 1, -1)
        everything, members, names = everything.take(large), np.append(places, -1)[members], names[large]
    return Detections(result, choice, everything, result.reference(), members, names, left_out)


@lru_cache(maxsize=8)
def _merged(
    path: Path, state: tuple[int, int], iou: float, merging: Merging, join_distance: float, grid: Grid
) -> tuple[Merged, NDArray[np.object_], int]:
    """Merged candidates of a file, kept for the next look: a slider of confidence must act at once."""
    del state
    boxes = read_boxes(path)
    if len(boxes) <= MOST:
        merged = merge(boxes, iou, merging, join_distance)
        return merged, _names(boxes, merged.group, grid), 0
    highest_confidence = np.sort(np.argsort(-boxes.scores, kind="stable")[:MOST])
    merged = merge(boxes.take(highest_confidence), iou, merging, join_distance)
    group = np.full(len(boxes), -1, dtype=np.intp)
    group[highest_confidence] = merged.group
    return Merged(merged.boxes, group), _names(boxes, group, grid), len(boxes) - MOST


def _names(candidates: Boxes, group: NDArray[np.intp], grid: Grid) -> NDArray[np.object_]:
    """Id of each merged box: the place of its surest candidate; all but the first at a pixel are numbered."""
    order = np.argsort(-candidates.scores, kind="stable")
    column, row = ((candidates.corners[order, :2].astype(np.float64) + candidates.corners[order, 2:]) / 2).T
    row = np.clip(row.astype(np.int64), 0, grid.height - 1)
    pixels = row * grid.width + np.clip(column.astype(np.int64), 0, grid.width - 1)
    before = repeats(pixels)
    _, first = np.unique(group[order], return_index=True)
    first = first[group[order][first] >= 0]
    names = place_names(pixels[first], grid, PREFIX)
    numbered = zip(names, before[first], strict=True)
    return np.array([f"{name}-{n + 1}" if n else name for name, n in numbered], dtype=object)


def ground_areas(boxes: Boxes, grid: Grid) -> NDArray[np.float64]:
    """Area of each box in m², by the ground area of a pixel in its middle row; in square pixels without CRS."""
    square = areas(boxes.corners).astype(np.float64)
    if not grid.in_metres:
        return square
    middle = (boxes.corners[:, 1] + boxes.corners[:, 3]) / 2
    return square * row_areas(grid)[np.clip(middle.astype(np.intp), 0, grid.height - 1)]


def polygons(boxes: Boxes, grid: Grid) -> NDArray[np.object_]:
    """Boxes as polygons in the grid's coordinate system, in pixels (x the column, y the row) without one."""
    import shapely

    shapes = np.asarray(shapely.box(*boxes.corners.astype(np.float64).T), dtype=object)
    return np.asarray(shapely.orient_polygons(placed(shapes, grid)), dtype=object)


def middles(boxes: Boxes, grid: Grid) -> NDArray[np.object_]:
    """Middles of boxes as points, placed as `polygons`."""
    import shapely

    at = (boxes.corners[:, :2].astype(np.float64) + boxes.corners[:, 2:]) / 2
    return placed(np.asarray(shapely.points(at), dtype=object), grid)


def placed(shapes: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    """Shapes in pixels of a grid in its coordinate system; as they are without one."""
    import shapely

    if grid.is_georeferenced and len(shapes):
        t = grid.transform

        def place(points: NDArray[np.float64]) -> NDArray[np.float64]:
            x, y = points[:, 0], points[:, 1]
            return np.column_stack([t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f])

        shapes = shapely.transform(shapes, place)
    return np.asarray(shapes, dtype=object)


def _crs(grid: Grid) -> str | None:
    return None if grid.crs is None else grid.crs.to_wkt()


def density(detections: Detections, cell: float) -> GeoDataFrame:
    """Count of boxes, and count per km², in the cells of a grid laid along the scene's rows and columns.

    A box counts in the cell that holds its middle. Cells at the right and lower edge are cut to the scene; areas are
    those of the part that has data and was searched.

    Parameters
    ----------
    cell
        Side of a cell in metres, in pixels for a scene without a coordinate system.

    Returns
    -------
    GeoDataFrame with one row a cell, row by row: ``count``, ``area_km2`` and ``per_km2`` (``area_px`` and ``per_mpx``,
    count per megapixel, without a coordinate system; NaN where nothing was searched), ``geometry``.

    Raises
    ------
    InputError
        When cells are smaller than a pixel or too many.
    """
    import geopandas

    grid = detections.result.grid
    side = cell / (grid.ground_distance() or 1.0) if cell > 0 else 0.0
    if not 1 <= side < math.inf:
        raise InputError(f"Cells of {cell:g} are smaller than a pixel.", remedy="Choose a larger cell size.")
    rows, columns = math.ceil(grid.height / side), math.ceil(grid.width / side)
    if rows * columns > MOST_CELLS:
        raise InputError(
            f"{rows * columns:,} cells exceed the limit of {MOST_CELLS:,}.", remedy=(
                "Choose a larger cell size."
            )
        )
    tops, lefts = np.arange(rows) * side, np.arange(columns) * side
    bottoms, rights = np.minimum(tops + side, grid.height), np.minimum(lefts + side, grid.width)
    corners = detections.boxes.corners
    middle_x, middle_y = (corners[:, 0] + corners[:, 2]) / 2, (corners[:, 1] + corners[:, 3]) / 2
    row = np.clip((middle_y / side).astype(np.intp), 0, rows - 1)
    column = np.clip((middle_x / side).astype(np.intp), 0, columns - 1)
    count = np.bincount(row * columns + column, minlength=rows * columns)
    cells = Boxes.of(
        np.stack(
            [np.tile(lefts, rows), np.repeat(tops, columns), np.tile(rights, rows), np.repeat(bottoms, columns)], axis=1
        )
    )
    ground = ground_areas(cells, grid)
    if SEARCHED in detections.result.artifacts:
        ground = ground * shares_of(detections.result.artifact(SEARCHED), cells, grid)
    per_million = np.divide(count, ground / 1e6, out=np.full(len(count), np.nan), where=ground > 0)
    known = grid.in_metres
    content = {
        "count": count,
        "area_km2" if known else "area_px": ground / 1e6 if known else ground,
        "per_km2" if known else "per_mpx": per_million,
    }
    return geopandas.GeoDataFrame(content, geometry=polygons(cells, grid), crs=_crs(grid))
