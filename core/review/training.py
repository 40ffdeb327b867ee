"""A finished review as training data: patches of the scene with masks, as `python -m core … train` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.align import same_pixels
from core.raster.bands import guess_bands
from core.raster.folder import make_folder, write_json
from core.raster.stretch import USUAL_PERCENTILES, Stretch, scene_stretch
from core.raster.write import write_array
from core.review.inventory import UNKNOWN, reference_mask, summary

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.review.found import Opened

TILE = 256
"""Pixels of a side of a patch, where nothing else is asked."""

LEAST_KNOWN = 0.5
"""Share of a patch of which the review says something, for it to be written."""


def write_training(opened: Opened, folder: Path, *, tile: int = TILE) -> dict[str, Any]:
    """Write patches of the image that a run looked at, and masks of what its review says.

    Masks hold 1 landslide, 0 none and 255 unknown: features that were not reviewed, ground without data, and, unless
    the area was searched for missed landslides, ground that no reviewed feature covers.

    Parameters
    ----------
    folder
        Gets ``images/patch_1.tif``, ``masks/patch_1.tif`` and so on, and ``training.json``.
    tile
        Pixels of a side; patches at the right and lower edge that are smaller are left out.

    Returns
    -------
    What ``training.json`` holds: how many patches were written and left out, and the share of pixels that are known.

    Raises
    ------
    GridError
        When the run looked at a part of the image.
    InputError
        When the image is no longer there, no patch can be written, or the raster is too large.
    """
    if not 32 <= tile <= 2048:
        raise InputError(f"Patches of {tile} pixels cannot be used for training.", remedy="Choose 32 to 2,048 pixels.")
    grid, scene = opened.found.grid, opened.found.image()
    if scene is None:
        raise InputError(
            "The image of this run is missing or has changed.", remedy="Run the model on it again."
        )
    if grid.shape != scene.grid.shape or not same_pixels(grid, scene.grid):
        raise GridError(
            "This run covers only a part of the image.", "Patches are cut from whole images.",
            "Run the model on the whole image and review that run.",
        )  # fmt: skip
    mask, bands = reference_mask(opened), guess_bands(scene, ("red", "green", "blue"))
    stretch = None if scene.dtype == "uint8" else scene_stretch(scene, bands, USUAL_PERCENTILES)
    for name in ("images", "masks"):
        make_folder(folder / name)
    written = left_out = known = 0
    with scene.reader() as reader:
        for row in range(0, grid.height - tile + 1, tile):
            for column in range(0, grid.width - tile + 1, tile):
                window = Window(column, row, tile, tile)
                patch, part = reader.read(bands, window), mask[row : row + tile, column : column + tile].copy()
                part[~patch.valid] = UNKNOWN
                said = int(np.count_nonzero(part != UNKNOWN))
                if said < LEAST_KNOWN * part.size:
                    left_out += 1
                    continue
                written, known = written + 1, known + said
                _write(folder, written, grid.window(window), _eight_bit(patch.values, stretch), part)
    if not written:
        raise InputError(
            f"The review covers too little for a single patch of {tile} pixels.",
            f"A patch needs at least {100 * LEAST_KNOWN:.0f} % known pixels and must lie entirely within the image.",
            "Review more, confirm that the area was searched, or choose smaller patches (--tile).",
        )
    content = {
        **summary(opened), "scene": scene.name, "tile": tile, "patches": written, "left_out": left_out,
        "known_share": known / (written * tile * tile),
        "stretched": None if stretch is None else {"low": stretch.low, "high": stretch.high},
    }  # fmt: skip
    write_json(content, folder / "training.json")
    return content


def _eight_bit(values: NDArray[Any], stretch: Stretch | None) -> NDArray[np.uint8]:
    if stretch is None:
        return values.astype(np.uint8)
    return np.rint(np.nan_to_num(stretch.apply(values, (0.0, 255.0)))).astype(np.uint8)


def _write(folder: Path, number: int, grid: Grid, image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    write_array(folder / "images" / f"patch_{number}.tif", grid, image, descriptions=("red", "green", "blue"))
    write_array(
        folder / "masks" / f"patch_{number}.tif", grid, mask[None], nodata=UNKNOWN, descriptions=("landslide",),
        overview_resampling="nearest",
    )  # fmt: skip
