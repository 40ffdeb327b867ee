"""Small pictures by which images are chosen."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.figures.image import image_below, reduced, reduced_shape
from core.plots.colours import REFERENCE
from core.raster.scene import Scene

LONGEST = 240
"""Pixels of the longer side."""


@dataclass(frozen=True)
class Preview:
    """A small picture of an image.

    Attributes
    ----------
    picture
        WebP, `LONGEST` pixels at most on a side; the edges of reference landslides are drawn on it.
    share
        Share of the reference's pixels that are landslide, 0 to 1.
    """

    picture: bytes
    share: float


def preview(image: Path, reference: Path) -> Preview:
    """Return a small picture of an image as the map shows it.

    Parameters
    ----------
    image
        Any raster that can be a scene; bands of more than 8 bits are stretched as on the map.
    reference
        One band of the same size, above 0 where there is a landslide.

    Raises
    ------
    InputError
        When a file is damaged or no image.
    """
    from PIL import Image

    scene = Scene.open(image)
    shape = reduced_shape(scene.grid, LONGEST)
    colours = image_below(scene, scene.grid, shape)
    values, valid = reduced(reference, shape)
    truth = (values > 0) & valid
    colours[_edge(truth)] = (*(int(REFERENCE[at : at + 2], 16) for at in (1, 3, 5)), 255)
    file = io.BytesIO()
    Image.fromarray(colours, "RGBA").save(file, "WEBP", quality=80)
    return Preview(file.getvalue(), float(truth.mean()))


def _edge(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Pixels of a mask (rows, columns) that have a neighbour outside it, above, below, left or right."""
    padded = np.pad(mask, 1, constant_values=True)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner
