"""Boxes around the polygons of an inventory, in pixels of a scene."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.raster.grid import Grid
from core.raster.inventory import Inventory
from core.tasks.detection.boxes import Boxes

if TYPE_CHECKING:
    from shapely import Polygon

MOST_BOXES = 500_000
"""More boxes on one image than this are refused: nobody could look at them, nor tell them apart."""

LARGE = 5_000
"""Corners of an outline from which on nobody looks whether it crosses itself."""

TANGLED = 100
"""Corners of an outline that crosses itself from which on it is taken in pixels: the ways in which it may do so grow
with the square of them, and untangling them with more than that."""

BURNT = 16_000_000
"""Most pixels that such an outline is burnt into."""

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
    return boxes_of_inventory(Inventory.open(path, grid), minimum)


def boxes_of_inventory(inventory: Inventory, minimum: float = 0.0) -> Boxes:
    """Boxes around the outlines of an inventory; see `boxes_of_vectors`."""
    import shapely

    grid = inventory.grid
    near = np.sort(inventory.tree.query(shapely.box(0, 0, grid.width, grid.height)))
    check_count(len(near))
    outlines = inventory.polygons[near]
    # The two halves of an outline that crosses itself count against each other.
    # Looking for crossings, and untangling them, takes minutes where there are thousands.
    corners_of = shapely.get_num_coordinates(outlines)
    large = corners_of > LARGE
    crossed = np.zeros(len(outlines), dtype=np.bool_)
    crossed[~large] = ~shapely.is_valid(outlines[~large])
    tangled = crossed & (corners_of > TANGLED)
    outlines[crossed & ~tangled] = shapely.make_valid(outlines[crossed & ~tangled])
    # Cut the outline, not its box: of a bent landslide much less may lie in the scene than of the box around it.
    inside = np.full(len(outlines), shapely.Polygon(), dtype=object)
    inside[~tangled] = shapely.clip_by_rect(outlines[~tangled], 0, 0, grid.width, grid.height)
    area = shapely.area(inside)
    for one in np.flatnonzero(tangled | (large & (area < minimum))):
        inside[one], area[one] = _burnt(outlines[one], grid)
    corners = shapely.bounds(inside).astype(np.float32)
    # What only touches the edge from outside has no side; what is gone has none that is a number.
    sized = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    return Boxes.of(corners[sized & (area >= max(minimum, NOTHING))])


def _burnt(outline: Polygon, grid: Grid) -> tuple[Polygon, float]:
    """Box and number of the pixels of an outline that may cross itself often."""
    import shapely
    from affine import Affine
    from rasterio.features import rasterize

    left, top, right, bottom = (float(edge) for edge in shapely.bounds(outline))
    column, row = max(0, int(left)), max(0, int(top))
    width, height = min(grid.width, int(right) + 1) - column, min(grid.height, int(bottom) + 1) - row
    if width < 1 or height < 1:
        return shapely.Polygon(), 0.0
    step = max(1.0, (width * height / BURNT) ** 0.5)
    shape = max(1, int(height / step)), max(1, int(width / step))
    across, down = width / shape[1], height / shape[0]
    place = Affine.translation(column, row) @ Affine.scale(across, down)
    rows, columns = np.nonzero(rasterize([outline], out_shape=shape, transform=place, dtype="uint8"))
    if not len(rows):
        return shapely.Polygon(), 0.0
    box = shapely.box(
        column + columns.min() * across, row + rows.min() * down,
        column + (columns.max() + 1) * across, row + (rows.max() + 1) * down,
    )  # fmt: skip
    return box, len(rows) * across * down


def check_count(count: int) -> None:
    """Refuse more boxes on one image than anybody can use."""
    if count > MOST_BOXES:
        raise InputError(
            f"One image has {count:,} landslides or more; the limit is {MOST_BOXES:,}.",
            "More would not fit into memory and could not be reviewed.",
            "Check the mask: noise and textures can produce such numbers. Otherwise use a part of the image.",
        )
