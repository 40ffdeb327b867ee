"""Small pictures of single boxes, cut out of the scene around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.figures.image import image_below, reduced_shape
from core.plots.colours import rgb
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.figure import near, window_around

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.scene import Scene

SIDE = 320
"""Pixels of the longer side of a picture, at least while pixels of the scene are enlarged."""

Layer = tuple[Boxes, str, int]
"""Boxes in pixels of the scene's grid, their colour, and the width of their lines."""


def cutout(scene: Scene, grid: Grid, corners: NDArray[np.floating], layers: tuple[Layer, ...]) -> NDArray[np.uint8]:
    """The surroundings of a box with boxes drawn on them, (height, width, 3).

    Parameters
    ----------
    scene, grid
        The scene and its grid, in whose pixels boxes are.
    corners
        (4,) left, top, right, bottom of the box in the middle.
    layers
        What is drawn, from bottom to top.

    Raises
    ------
    LandslideError
        When the scene cannot be read.
    """
    window = window_around(np.asarray(corners, dtype=np.float64), grid)
    part = grid.window(window)
    image = image_below(scene, part, reduced_shape(part, SIDE))[..., :3]
    factor = max(1, SIDE // max(image.shape[:2]))
    picture = Image.fromarray(image.repeat(factor, axis=0).repeat(factor, axis=1))
    across, down = picture.width / part.width, picture.height / part.height
    draw = ImageDraw.Draw(picture)
    for boxes, colour, width in layers:
        placed = near(boxes.moved(-float(window.col_off), -float(window.row_off)), part).scaled(across, down)
        for left, top, right, bottom in placed.corners.tolist():
            edge = (left, top, max(right - 1, left), max(bottom - 1, top))
            draw.rectangle(edge, outline=rgb(colour), width=width)
    return np.asarray(picture)
