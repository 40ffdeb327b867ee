"""Where water goes: depressions filled, steepest-descent receivers, drainage area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from valley.noise import FloatArray

IndexArray = NDArray[np.int64]
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@dataclass(frozen=True)
class Flow:
    """Steepest-descent routing on a grid.

    Attributes
    ----------
    receiver
        Flat index of the cell below each cell; an outlet receives itself.
    distance
        Metres from each cell to its receiver.
    levels
        Flat indices grouped by the number of steps to the outlet, from 0 upstream.
    """

    receiver: IndexArray
    distance: FloatArray
    levels: tuple[IndexArray, ...]

    def accumulate(self, source: FloatArray) -> FloatArray:
        """Sum `source` (flat, one value a cell) over everything upstream of each cell."""
        total = source.copy()
        for cells in reversed(self.levels[1:]):
            np.add.at(total, self.receiver[cells], total[cells])
        return total


def _edges(shape: tuple[int, int]) -> tuple[IndexArray, IndexArray]:
    index = np.arange(shape[0] * shape[1], dtype=np.int64).reshape(shape)
    pairs = [
        (index[:, :-1], index[:, 1:]),
        (index[:-1], index[1:]),
        (index[:-1, :-1], index[1:, 1:]),
        (index[:-1, 1:], index[1:, :-1]),
    ]
    first = np.concatenate([a.ravel() for a, _ in pairs])
    second = np.concatenate([b.ravel() for _, b in pairs])
    return first, second


def fill_depressions(elevation: FloatArray, outlets: IndexArray) -> FloatArray:
    """Raise every closed depression to its spill level, with a slight fall towards it.

    The spill path of every cell is its path in the minimum spanning tree of the grid, whose edges
    weigh as much as the higher of their two ends.

    Parameters
    ----------
    elevation
        Metres, ``(height, width)``.
    outlets
        Flat indices of the cells where water leaves the grid.
    """
    flat = elevation.ravel()
    first, second = _edges(elevation.shape)
    root = flat.size
    weight = np.maximum(flat[first], flat[second]) - flat.min() + 1.0
    first = np.concatenate([first, outlets])
    second = np.concatenate([second, np.full(outlets.size, root)])
    weight = np.concatenate([weight, np.full(outlets.size, 0.5)])
    graph = coo_matrix((weight, (first, second)), shape=(root + 1, root + 1)).tocsr()
    tree = minimum_spanning_tree(graph)
    order, before = breadth_first_order(tree, root, directed=False)
    rank = np.zeros(root + 1, dtype=np.int64)
    filled = np.append(flat, -np.inf)
    filled[root] = flat[outlets].min() - 1.0
    for cells in _by_depth(order, before, rank):
        filled[cells] = np.maximum(filled[cells], filled[before[cells]] + 1e-3)
    return filled[:root].reshape(elevation.shape)


def _by_depth(order: IndexArray, before: IndexArray, rank: IndexArray) -> list[IndexArray]:
    # A breadth-first order lists whole generations one after the other, so a generation ends where
    # the first child of its first member begins.
    position = np.empty(rank.size, dtype=np.int64)
    position[order] = np.arange(order.size)
    parent_position = position[before[order[1:]]]
    generations: list[IndexArray] = []
    start, size = 1, order.size
    while start < size:
        stop = 1 + int(np.searchsorted(parent_position, start, side="left"))
        stop = max(stop, start + 1)
        generations.append(order[start:stop])
        start = stop
    return generations


def route(elevation: FloatArray, outlets: IndexArray, spacing: float) -> Flow:
    """Send every cell to its steepest lower neighbour (D8).

    Parameters
    ----------
    elevation
        Metres without closed depressions, ``(height, width)``.
    outlets
        Flat indices of the cells that keep their water.
    spacing
        Metres between cell centres.
    """
    height, width = elevation.shape
    padded = np.pad(elevation, 1, constant_values=np.inf)
    best = np.zeros(elevation.shape)
    receiver = np.arange(elevation.size, dtype=np.int64).reshape(elevation.shape)
    distance = np.full(elevation.shape, spacing)
    for row, col in NEIGHBOURS:
        step = spacing * float(np.hypot(row, col))
        fall = (elevation - padded[1 + row : 1 + row + height, 1 + col : 1 + col + width]) / step
        better = fall > best
        best[better] = fall[better]
        target = np.arange(elevation.size, dtype=np.int64).reshape(elevation.shape) + row * width + col
        receiver[better] = target[better]
        distance[better] = step
    flat = receiver.ravel()
    flat[outlets] = outlets
    return Flow(flat, distance.ravel(), _levels(flat))


def _levels(receiver: IndexArray) -> tuple[IndexArray, ...]:
    # Pointer doubling: after k rounds `jump` is 2**k steps downstream.
    depth = (receiver != np.arange(receiver.size)).astype(np.int64)
    jump = receiver.copy()
    while True:
        added = depth[jump]
        if not added.any():
            break
        depth += added
        jump = jump[jump]
    order = np.argsort(depth, kind="stable")
    bounds = np.searchsorted(depth[order], np.arange(1, int(depth.max()) + 1))
    return tuple(np.split(order, bounds))
