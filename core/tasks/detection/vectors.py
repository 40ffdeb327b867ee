"""Boxes around the polygons of an inventory, in pixels of a scene."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.raster.grid import Grid
from core.raster.inventory import Inventory
from core.raster.vectors import read_vectors_untrusted
from core.tasks.detection.boxes import Boxes

MOST_BOXES = 500_000
"""More boxes on one image than this are refused: nobody could look at them, nor tell them apart."""

NOTHING = 1e-6
"""Pixels of a polygon that is a line in truth, its corners being rounded."""


def boxes_of_vectors(path: str | os.PathLike[str], grid: Grid, minimum: float = 0.0) -> Boxes:
    """Boxes around the polygons of a file that strangers made.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON or zipped Shapefile of polygons, which may be boxes themselves; in any coordinate system,
        or without one in columns and rows of a scene without. Each part of a polygon in parts is one landslide.
    grid
        The scene's grid.
    minimum
        Polygons of which fewer pixels lie in the scene are left out.

    Returns
    -------
    The boxes of what lies in the scene: what reaches past its edges is cut there.

    Raises
    ------
    GridError
        When only one of the two has a coordinate system, or nothing lies in the scene.
    InputError
        When the file cannot be read, holds no polygons, or more than `MOST_BOXES`.
    """
    return boxes_of_inventory(Inventory.of(read_vectors_untrusted(path), grid, Path(path).name), minimum)


def boxes_of_inventory(inventory: Inventory, minimum: float = 0.0) -> Boxes:
    """Boxes around the outlines of an inventory; see `boxes_of_vectors`."""
    import shapely

    grid = inventory.grid
    near = np.sort(inventory.tree.query(shapely.box(0, 0, grid.width, grid.height)))
    check_count(len(near))
    outlines = inventory.polygons[near]
    # The two halves of an outline that crosses itself count against each other.
    crossed = ~shapely.is_valid(outlines)
    outlines[crossed] = shapely.make_valid(outlines[crossed])
    # Cut the outline, not its box: of a bent landslide much less may lie in the scene than of the box around it.
    inside = shapely.clip_by_rect(outlines, 0, 0, grid.width, grid.height)
    corners = shapely.bounds(inside).astype(np.float32)
    # What only touches the edge from outside has no side; what is gone has none that is a number.
    sized = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    return Boxes.of(corners[sized & (shapely.area(inside) >= max(minimum, NOTHING))])


def check_count(count: int) -> None:
    """Refuse more boxes on one image than anybody can use."""
    if count > MOST_BOXES:
        raise InputError(
            f"There are {count:,} landslides or more on one image; at most {MOST_BOXES:,} are taken.",
            "They would not fit into memory, and nobody could look at them.",
            "Check the mask: noise and textures give so many. Else use a part of the scene.",
        )
