"""Masks as they were published, as references that any reader understands.

Of the two data sets offered, the RGB edition of Landslide4Sense publishes masks as RGBA, opaque white for
landslide and opaque black for none; the Sichuan set publishes RGB, magenta for landslide and black for none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from core.raster.untrusted import open_untrusted
from core.raster.write import atomic_path


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a published mask.

    Parameters
    ----------
    path
        PNG, JPEG or GeoTIFF of any number of bands.

    Returns
    -------
    numpy.ndarray
        True ``(height, width)`` where any colour is lit. An alpha channel is no colour: it says where the
        mask holds at all, and a transparent pixel is no landslide.

    Raises
    ------
    InputError
        When the file is no image or is damaged.
    """
    with open_untrusted(path) as dataset:
        kinds = dataset.colorinterp
        colours = [band for band, kind in enumerate(kinds, 1) if kind != ColorInterp.alpha]
        lit: NDArray[np.bool_] = (dataset.read(colours) != 0).any(axis=0)
        for band, kind in enumerate(kinds, 1):
            if kind == ColorInterp.alpha:
                lit &= dataset.read(band) != 0
    return lit


def write_reference(mask: Path, target: Path) -> Path:
    """Write a published mask as one band of 0 and 255.

    Parameters
    ----------
    mask
        As published.
    target
        PNG to make, whole or not at all.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    InputError
        When the mask cannot be read.
    StorageError
        When the disk is full.
    """
    from PIL import Image

    values = read_mask(mask).astype(np.uint8) * 255
    with atomic_path(target) as aside:
        Image.fromarray(values).save(aside, format="PNG", optimize=True)
    return target
