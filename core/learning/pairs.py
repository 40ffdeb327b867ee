"""Folders of images and their masks, paired by the number in their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.wording import agree, count

if TYPE_CHECKING:
    from core.learning.config import Data

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})


@dataclass(frozen=True)
class Pair:
    """An image and the mask of its landslides."""

    number: int
    image: Path
    mask: Path


def _numbered(folder: Path) -> dict[int, Path]:
    if not folder.is_dir():
        raise InputError(f"Folder {folder} does not exist.", remedy="Give a folder of images.")
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        numbers = re.findall(r"\d+", path.stem)
        if path.suffix.lower() not in SUFFIXES or not numbers:
            continue
        number = int(numbers[-1])
        if number in found:
            raise InputError(
                f"{path.name} and {found[number].name} in {folder} have the same number.",
                "Images and masks are matched by the last number in their file names.",
                "Rename one of them.",
            )
        found[number] = path
    return found


def find_pairs(images: Path, masks: Path) -> tuple[Pair, ...]:
    """Pairs of two folders, ordered by number.

    Parameters
    ----------
    images, masks
        Folders of PNG, JPEG or GeoTIFF files; the last number in a name says which belong together.

    Raises
    ------
    InputError
        When a folder is missing, two names share a number, an image has no mask, or nothing matches.
    """
    pictures, labels = _numbered(images), _numbered(masks)
    missing = sorted(set(pictures) - set(labels))
    if missing:
        raise InputError(
            f"{count(len(missing), 'image')} in {images} {agree(len(missing), 'has', 'have')} no mask in {masks}; the "
            f"first is {pictures[missing[0]].name}.",
            "An image without a mask cannot be used for scoring or training.",
            "Add the mask (all zero if there is no landslide), or move the image out of the folder.",
        )
    if not pictures:
        raise InputError(f"{images} holds no image with a number in its file name.", remedy=
            "Give a folder of PNG or TIFF files.")
    return tuple(Pair(number, pictures[number], labels[number]) for number in sorted(pictures))


def validation_pairs(data: Data, folder: Path) -> tuple[Pair, ...]:
    """Pairs that neither fit nor choose anything.

    Raises
    ------
    InputError
        When there are none.
    """
    if data.validation_images:
        return find_pairs(folder / data.validation_images, folder / data.validation_masks)
    pairs = find_pairs(folder / data.images, folder / data.masks)
    validation = tuple(pair for pair in pairs if pair.number in data.validation_numbers)
    if not validation:
        raise InputError("The training description names no validation pairs.",
            "Name at least one; models are scored on them.")
    return validation


@dataclass(frozen=True)
class PairArrays:
    """Pairs of one size, read into memory for training.

    Attributes
    ----------
    images
        (count, bands, height, width) uint8.
    truth
        (count, 1, height, width) uint8: 0, 1, or 255 where unknown.
    digests
        Content digest of each image, in the same order: what marks a scene as seen by a model.
    """

    images: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    digests: tuple[str, ...]

    def take(self, indices: NDArray[np.int64]) -> PairArrays:
        """The chosen pairs, in the order of `indices`."""
        return PairArrays(self.images[indices], self.truth[indices], tuple(self.digests[i] for i in indices))


def read_pairs(pairs: tuple[Pair, ...]) -> PairArrays:
    """Read pairs of 8-bit three-band images of one size into memory.

    Raises
    ------
    InputError
        When images differ in size or are not 8-bit RGB.
    """
    from core.raster.align import reference_reader
    from core.raster.scene import Scene

    images, truth, digests = [], [], []
    for pair in pairs:
        scene, mask = Scene.open(pair.image), Scene.open(pair.mask)
        if scene.dtype != "uint8" or len(scene.bands) < 3 or mask.grid.shape != scene.grid.shape:
            raise InputError(
                f"{pair.image.name} and its mask are not an 8-bit RGB image and a mask of the same size.",
                "Training requires 8-bit RGB images.",
            )
        with scene.reader() as reader:
            images.append(reader.read((1, 2, 3)).values.astype(np.uint8))
        # Read as scoring reads it: a JPEG's fuzz is no landslide, what is transparent is unknown.
        height, width = scene.grid.shape
        truth.append(reference_reader(pair.mask, scene.grid, patch=True).read(Window(0, 0, width, height))[None])
        digests.append(scene.digest)
    if len({image.shape for image in images}) > 1:
        raise InputError("The images in the training folder differ in size.", remedy="Cut them into tiles of one size.")
    return PairArrays(np.stack(images), np.stack(truth), tuple(digests))
