"""Outlines of patches that were traced in pieces, put together again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]
Shapes = NDArray[np.object_]


def corners(mask: Mask) -> int:
    """How many corners the outlines of a mask have: where of four pixels an odd number, or two across, is in it."""
    padded = np.pad(mask, 1).view(np.uint8)
    across = padded[:-1, :-1] ^ padded[1:, 1:]
    other = padded[:-1, 1:] ^ padded[1:, :-1]
    turned = (across ^ other) | (~(across | other) & 1 & (padded[:-1, :-1] ^ padded[:-1, 1:]))
    return int(np.count_nonzero(turned))


def moved(shapes: Shapes, down: int) -> Shapes:
    """Shapes so many rows further down."""
    import shapely

    return np.asarray(shapely.transform(shapes, lambda points: points + (0.0, float(down))), dtype=object)


def whole_of(pieces: Shapes, owners: Numbers) -> Shapes:
    """The outline of each owner, 0 to n, from its pieces, which border on each other along whole rows."""
    import shapely

    order = np.argsort(owners, kind="stable")
    pieces, owners = pieces[order], owners[order]
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    several = np.diff(first, append=len(owners)) > 1
    outlines = pieces[first]
    if several.any():
        ends = np.append(first[1:], len(owners))
        joints = [shapely.union_all(pieces[a:b]) for a, b in zip(first[several], ends[several], strict=True)]
        outlines[several] = shapely.normalize(straightened(np.array(joints, dtype=object)))
    return np.asarray(outlines)


def straightened(shapes: Shapes) -> Shapes:
    """Polygons without the corners that are none, because the outline goes straight on there."""
    import shapely

    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inner = np.append(np.diff(ring) == 0, False)  # the last point of a ring is its first
    points, ring = points[inner], ring[inner]
    starts = np.flatnonzero(np.diff(ring, prepend=-1))
    ends = np.append(starts[1:], len(ring)) - 1
    before, after = np.arange(len(ring)) - 1, np.arange(len(ring)) + 1
    before[starts], after[ends] = ends, starts
    towards, away = points - points[before], points[after] - points
    turns = towards[:, 0] * away[:, 1] != towards[:, 1] * away[:, 0]
    rings = shapely.linearrings(points[turns], indices=ring[turns])
    outer = np.diff(part, prepend=-1) > 0
    polygons = shapely.polygons(rings[outer])
    holed = np.unique(part[~outer])
    if len(holed):
        inside = np.searchsorted(holed, part[~outer])
        filled_rings = [rings[~outer][a:b] for a, b in _runs(inside)]
        for number, holes in zip(holed, filled_rings, strict=True):
            polygons[number] = shapely.Polygon(rings[outer][number], holes)
    result = polygons[np.flatnonzero(np.diff(owner, prepend=-1))]
    several = np.bincount(owner) > 1
    many = several[owner]
    if many.any():
        result[several] = shapely.multipolygons(polygons[many], indices=np.unique(owner[many], return_inverse=True)[1])
    return np.asarray(result)


def _runs(sorted_numbers: Numbers) -> list[tuple[int, int]]:
    starts = np.flatnonzero(np.diff(sorted_numbers, prepend=-1))
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(sorted_numbers)], strict=True))
