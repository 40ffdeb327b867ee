"""Elements at risk: how much of a road network, and how many buildings or places, lies in which class of a map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import GridError, InputError
from core.learning.metrics import NODATA_CODE
from core.raster.crs import transformed
from core.raster.scene import Scene
from core.tasks.susceptibility.sampling import values_at

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.map_result import SusceptibilityMap

MOST_PIECES = 5_000_000
"""Pieces of lines that are looked up at once."""

UNKNOWN = "unknown"
"""Where the map says nothing: beside it, or where a factor is missing."""


@dataclass(frozen=True)
class AtRisk:
    """Elements by class.

    Attributes
    ----------
    classes
        One row a class, the highest first, then what is unknown: ``class``, ``elements`` (each in the highest class
        that it meets), ``share_of_elements``, and of lines ``length_m`` and ``share_of_length``.
    elements
        The elements in the coordinate system of the map, each with ``class`` and ``class_number`` (the highest that it
        meets; 0 for unknown), and of lines its length in metres in each class.
    kind
        ``"lines"``, ``"areas"`` or ``"points"``.
    """

    classes: pd.DataFrame
    elements: GeoDataFrame
    kind: str


def elements_at_risk(path: Path, result: SusceptibilityMap, classes: Classed, name: str) -> AtRisk:
    """Lay elements on the classes of a map.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON or zipped Shapefile of lines, points or areas. Lines are taken in pieces of at most half a
        cell; points where they are; areas at all cells along their outline and at a point inside.

    Raises
    ------
    LandslideError
        When the file cannot be read, lies elsewhere or nowhere, or is too large.
    """
    import geopandas
    import shapely

    from core.raster.vectors import read_vectors_untrusted

    features = read_vectors_untrusted(path)
    shapes = _placed(features, result.grid, name)
    kind = _kind(shapes, name)
    shapes = shapes[shapely.get_dimensions(shapes) == {"points": 0, "lines": 1, "areas": 2}[kind]]
    at, of, length = _pieces(shapes, kind, result.grid)
    number = _classes_at(at, result, classes)
    count = len(classes.rows) + 1
    highest = np.zeros(len(shapes), np.intp)
    np.maximum.at(highest, of, number)
    metres = np.zeros((len(shapes), count))
    np.add.at(metres, (of, number), length)
    names = [UNKNOWN, *(row.name for row in classes.rows)]
    order = [*range(count - 1, 0, -1), 0]
    import pandas as pd

    elements = np.bincount(highest, minlength=count)
    table = pd.DataFrame({
        "class": [names[one] for one in order], "elements": elements[order],
        "share_of_elements": elements[order] / max(len(shapes), 1),
    })  # fmt: skip
    content: dict[str, object] = {"class": [names[one] for one in highest], "class_number": highest}
    if kind == "lines":
        total = metres.sum(axis=0)
        table["length_m"], table["share_of_length"] = total[order], total[order] / max(total.sum(), 1e-9)
        content |= {f"m_{names[one].replace(' ', '_')}": metres[:, one].round(1) for one in range(count)}
    grid = result.grid
    t = grid.transform
    placed = shapely.transform(shapes, lambda p: np.column_stack(
        [t.a * p[:, 0] + t.b * p[:, 1] + t.c, t.d * p[:, 0] + t.e * p[:, 1] + t.f]
    ))  # fmt: skip
    return AtRisk(table, geopandas.GeoDataFrame(content, geometry=placed, crs=grid.crs), kind)


def _placed(features: GeoDataFrame, grid: Grid, name: str) -> NDArray[np.object_]:
    """Single shapes in columns and rows of a grid; those that do not touch it are left out."""
    import pyproj
    import shapely

    source = features.crs
    if source is None or grid.crs is None:
        raise GridError(f"{name} has no coordinate system.", "Its position on the map is unknown.",
                        "Assign the coordinate system of its coordinates.")  # fmt: skip
    there, inverse = pyproj.CRS.from_wkt(grid.crs.to_wkt()), ~grid.transform

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = transformed(points[:, 0], points[:, 1], source, there, name)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.column_stack([
                inverse.a * x + inverse.b * y + inverse.c, inverse.d * x + inverse.e * y + inverse.f
            ])  # fmt: skip

    given = features.geometry.to_numpy()
    parts = shapely.force_2d(shapely.get_parts(given[~shapely.is_missing(given)]))
    moved = shapely.transform(parts, move)
    bounds = shapely.bounds(moved)
    with np.errstate(invalid="ignore"):
        near = (
            np.isfinite(bounds).all(axis=1) & (bounds[:, 0] < grid.width) & (bounds[:, 2] > 0)
            & (bounds[:, 1] < grid.height) & (bounds[:, 3] > 0)
        )  # fmt: skip
    if not near.any():
        raise GridError(f"{name} does not overlap the map.", "None of it lies within a class.",
                        "Check that both cover the same area.")  # fmt: skip
    kept: NDArray[np.object_] = np.asarray(moved[near])
    return kept


def _kind(shapes: NDArray[np.object_], name: str) -> str:
    """What most of the shapes are."""
    import shapely

    counts = np.bincount(shapely.get_dimensions(shapes).clip(0), minlength=3)
    if not counts.any():
        raise InputError(f"{name} holds no geometries.", remedy="Choose another layer.")
    return ("points", "lines", "areas")[int(counts.argmax())]


def _pieces(
    shapes: NDArray[np.object_], kind: str, grid: Grid
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Places (columns, rows) where classes are looked up, the shape of each, and of lines the metres it stands for."""
    import shapely

    if kind == "points":
        at = shapely.get_coordinates(shapes)
        return at, np.arange(len(shapes)), np.zeros(len(shapes))
    cell = grid.ground_distance() or 1.0
    lines = shapes if kind == "lines" else shapely.boundary(shapes)
    if float(shapely.length(lines).sum()) * 2 > MOST_PIECES:
        raise InputError("There are too many elements for one map.", "They would be split into millions of pieces.",
                         "Clip the layer to the area.")  # fmt: skip
    rings, owner = shapely.get_parts(lines, return_index=True)  # from an outline to a hole in it leads no line
    points, of = shapely.get_coordinates(shapely.segmentize(rings, 0.5), return_index=True)
    same = of[1:] == of[:-1]
    first, second = points[:-1][same], points[1:][same]
    at, belongs = (first + second) / 2, owner[of[1:][same]]
    t = grid.transform
    x, y = second.T - first.T
    metres = np.hypot(t.a * x + t.b * y, t.d * x + t.e * y) * cell / math.sqrt(abs(t.determinant))
    if kind == "lines":
        return at, belongs, metres
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes))
    return np.vstack([at, inside]), np.concatenate([belongs, np.arange(len(shapes))]), np.zeros(len(at) + len(inside))


def _classes_at(at: NDArray[np.float64], result: SusceptibilityMap, classes: Classed) -> NDArray[np.intp]:
    """(places,) number of the class at each, from 1 for the lowest; 0 where the map says nothing."""
    grid = result.grid
    column, row = np.floor(at).astype(np.int64).T
    inside = (column >= 0) & (row >= 0) & (column < grid.width) & (row < grid.height)
    scene = Scene.ours(result.artifact(result.role_of(classes.model)))
    cells, back = np.unique(row[inside] * grid.width + column[inside], return_inverse=True)
    codes = values_at(scene, cells)[:, 0][back.ravel()]
    found = np.zeros(len(at), np.intp)
    known = np.isfinite(codes) & (codes < NODATA_CODE)
    number = np.where(known, np.searchsorted(np.asarray(classes.breaks), codes, side="right") + 1, 0)
    found[inside] = number
    return found
