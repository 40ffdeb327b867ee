"""Images with their true boxes, read into memory for training: from masks, COCO files or YOLO folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.learning.pairs import SUFFIXES, find_pairs, validation_pairs
from core.learning.splits import fit_and_tune
from core.raster.scene import Scene
from core.tasks.detection.annotations import Annotations
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.labels import boxes_of_mask, minimum_pixels
from core.wording import count

if TYPE_CHECKING:
    from core.learning.config import Data


@dataclass(frozen=True)
class Labelled:
    """An image on disk with its true boxes.

    Attributes
    ----------
    name, image
        Name for reports, and the file.
    mask
        The mask that the boxes are drawn around; None where the labels are boxes alone.
    boxes
        The boxes where there is no mask.
    """

    name: str
    image: Path
    mask: Path | None = None
    boxes: Boxes | None = None


@dataclass(frozen=True)
class Examples:
    """Images of one size with their true boxes.

    Attributes
    ----------
    images
        (count, bands, height, width) in the values of the files, uint8 or float32; 0 where there is no data.
    valid
        (count, height, width): where there is data.
    boxes
        True boxes of each image, in its pixels.
    numbers
        (count, height, width) int16: the number of the box that a pixel belongs to, from 1, 0 outside; None where
        labels are boxes alone.
    names, digests
        Of each image; the content digest marks a scene as seen by a model.
    """

    images: NDArray[np.uint8] | NDArray[np.float32]
    valid: NDArray[np.bool_]
    boxes: tuple[Boxes, ...]
    numbers: NDArray[np.int16] | None
    names: tuple[str, ...]
    digests: tuple[str, ...]

    def take(self, which: NDArray[np.int64]) -> Examples:
        """The chosen images, in the order of `which`."""
        return Examples(
            self.images[which], self.valid[which], tuple(self.boxes[i] for i in which),
            None if self.numbers is None else self.numbers[which], tuple(self.names[i] for i in which),
            tuple(self.digests[i] for i in which),
        )  # fmt: skip


def from_masks(images: Path, masks: Path) -> tuple[Labelled, ...]:
    """Images of a folder with masks of another, paired by number; see `core.learning.pairs.find_pairs`."""
    return tuple(Labelled(pair.image.name, pair.image, pair.mask) for pair in find_pairs(images, masks))


def from_labels(images: Path, labels: Path, classes: Sequence[str]) -> tuple[Labelled, ...]:
    """Images of a folder with boxes of a COCO file or of a folder of YOLO text files.

    Raises
    ------
    InputError
        When there are no images, or the labels cannot be read.
    """
    if not images.is_dir():
        raise InputError(f"Folder {images} does not exist.", remedy="Give a folder of images.")
    files = {path.name: path for path in sorted(images.iterdir()) if path.suffix.lower() in SUFFIXES}
    if not files:
        raise InputError(f"{images} holds no images.", remedy="Give a folder of PNG or TIFF files.")
    known = _annotations(images, labels, classes).boxes
    return tuple(Labelled(name, path, boxes=known[name]) for name, path in files.items() if name in known)


def _annotations(images: Path, labels: Path, classes: Sequence[str]) -> Annotations:
    if labels.is_dir():
        from core.tasks.detection.yolo import read_yolo_folder

        return read_yolo_folder(images, labels, tuple(classes))
    from core.tasks.detection.coco import read_coco

    return read_coco(labels, images, tuple(classes))


def label_notes(data: Data, folder: Path, classes: Sequence[str]) -> tuple[str, ...]:
    """What was cut, left out or taken for granted in the labels that a training description names."""
    parts = {
        "Training": (data.images, data.labels),
        "Tuning": (data.tune_images, data.tune_labels),
        "Validation": (data.validation_images, data.validation_labels),
    }
    return tuple(
        f"{part}: {note}"
        for part, (images, labels) in parts.items()
        if labels
        for note in _annotations(folder / images, folder / labels, classes).notes
    )


def training_images(data: Data, folder: Path, classes: Sequence[str]) -> tuple[Labelled, ...]:
    """What a training description names for fitting and tuning: none of what it keeps out for validation."""
    if data.labels:
        items = from_labels(folder / data.images, folder / data.labels, classes)
    else:
        items = from_masks(folder / data.images, folder / data.masks)
    kept_out = {item.image for item in validation_images(data, folder, classes)}
    return tuple(item for item in items if item.image not in kept_out)


def validation_images(data: Data, folder: Path, classes: Sequence[str]) -> tuple[Labelled, ...]:
    """What a training description keeps out for validation.

    Raises
    ------
    InputError
        When there is none.
    """
    if data.validation_labels:
        return from_labels(folder / data.validation_images, folder / data.validation_labels, classes)
    return tuple(Labelled(pair.image.name, pair.image, pair.mask) for pair in validation_pairs(data, folder))


def read_examples(items: Sequence[Labelled], bands: int, ground_distance: float | None) -> Examples:
    """Read images of one size with their boxes.

    Parameters
    ----------
    bands
        How many bands to read, from the first.
    ground_distance
        Metres per pixel, by which the smallest landslide is chosen; see `core.tasks.detection.labels.minimum_pixels`.

    Raises
    ------
    InputError
        When images differ in size, lack bands, or a mask is of another size than its image.
    """
    images, valid, boxes, numbers, digests = [], [], [], [], []
    smallest = minimum_pixels(ground_distance)
    for item in items:
        scene = Scene.open(item.image)
        if len(scene.bands) < bands:
            raise InputError(f"{item.name} has {count(len(scene.bands), 'band')}; the training requires {bands}.")
        with scene.reader() as reader:
            patch = reader.read(tuple(range(1, bands + 1)))
        held = np.where(patch.valid, patch.values, 0)
        images.append(held.astype(np.uint8 if scene.dtype == "uint8" else np.float32))
        valid.append(np.broadcast_to(patch.valid, held.shape).all(axis=0))
        if item.mask is None:
            boxes.append(item.boxes or Boxes.none())
        else:
            found, numbered = _of_mask(item, scene, smallest)
            boxes.append(found)
            numbers.append(numbered)
        digests.append(scene.digest)
    if len({image.shape for image in images}) > 1:
        raise InputError("The images in the training folder differ in size.", remedy="Cut them into tiles of one size.")
    if not images:
        raise InputError("The training set holds no image.")
    return Examples(
        np.stack(images), np.stack(valid), tuple(boxes), np.stack(numbers) if len(numbers) == len(images) else None,
        tuple(item.name for item in items), tuple(digests),
    )  # fmt: skip


def _of_mask(item: Labelled, scene: Scene, smallest: int) -> tuple[Boxes, NDArray[np.int16]]:
    """Boxes of a mask's components, and which box each pixel belongs to."""
    from core.raster.align import reference_reader

    height, width = scene.grid.shape
    assert item.mask is not None  # noqa: S101  asked only of what has one
    if Scene.open(item.mask).grid.shape != scene.grid.shape:
        raise InputError(f"The mask of {item.name} does not have the size of the image.")
    truth = reference_reader(item.mask, scene.grid, patch=True).read(Window(0, 0, width, height))
    boxes = boxes_of_mask(truth, smallest)
    return boxes, numbered(truth == 1, boxes)


def numbered(mask: NDArray[np.bool_], boxes: Boxes) -> NDArray[np.int16]:
    """Number of the box, from 1, whose landslide each pixel of a mask belongs to; 0 where there is none."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    number = np.zeros(count + 1, dtype=np.int16)
    places: dict[tuple[int, ...], int] = {
        (part[1].start, part[0].start, part[1].stop, part[0].stop): index
        for index, part in enumerate(ndimage.find_objects(labels), start=1)
    }
    # Two components may share a box, one within the other; the later then has no pixels of its own, and the larger
    # one is what was meant: its pixels are more.
    pixels = np.bincount(labels.ravel(), minlength=count + 1)
    for index, corners in enumerate(boxes.corners.astype(int), start=1):
        at = places.get(tuple(int(value) for value in corners))
        if at is not None and pixels[at]:
            number[at] = index
    held: NDArray[np.int16] = number[labels]
    return held


def divide(
    data: Data, folder: Path, bands: int, ground_distance: float | None, classes: Sequence[str]
) -> tuple[Examples, Examples]:
    """Read the training images: a part to fit and a part to choose, a share of them where none lies apart."""
    items = training_images(data, folder, classes)
    if data.tune_images:
        apart = replace(data, images=data.tune_images, masks=data.tune_masks, labels=data.tune_labels)
        parts = (items, training_images(apart, folder, classes))
        fitted, chosen = (read_examples(part, bands, ground_distance) for part in parts)
        return fitted, chosen
    everything = read_examples(items, bands, ground_distance)
    fitting, tuning = fit_and_tune(len(items), data.tune_share, data.split_seed)
    return everything.take(fitting), everything.take(tuning)
