"""Boxes of images in a folder of text files, one for each image, as YOLO is trained from.

A line is a landslide: its class, and the centre, width and height of its box as shares of the image's width and
height; or its class and the corners of its outline, x and y in turn. What stands after the four numbers, as a
confidence does in predictions, is not read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from core.errors import InputError, UnsafeFileError
from core.raster.files import regular_file
from core.raster.write import atomic_path
from core.tasks.detection.annotations import MOST_CLASSES, Annotations, Settling, Sizes, named, sizes_of
from core.tasks.detection.boxes import Boxes
from core.wording import agree, count

MAX_LABEL_BYTES = 20_000_000
"""Most bytes of the labels of one image."""

LIST_OF_CLASSES = "classes.txt"
"""Names of the classes beside the labels, a line each; no labels of an image."""


def read_yolo_folder(
    images: Sizes | str | os.PathLike[str], labels: str | os.PathLike[str], classes: Sequence[str] = ("landslide",)
) -> Annotations:
    """Read the boxes of images from a folder of labels that strangers made.

    Parameters
    ----------
    images
        The folder of the images, or their height and width by file name.
    labels
        The folder of the labels: ``17.txt`` for ``17.png``. An empty file says that there is no landslide in the image,
        and so does, as YOLO takes it, none at all; that is said in the notes.
    classes
        Names of the classes, by their numbers from 0.

    Raises
    ------
    UnsafeFileError
        When a file is too large.
    InputError
        When a folder is missing, no image has labels, a line is none of a box, a class is unknown, or none of the boxes
        lies in its image.
    """
    sizes = sizes_of(images)
    folder = Path(labels)
    if not folder.is_dir():
        raise InputError(f"Folder {folder.name} does not exist.", remedy="Give the folder that holds the labels.")
    if len(classes) > MOST_CLASSES:
        raise InputError(f"{len(classes):,} class names exceed the limit of {MOST_CLASSES:,}.", remedy=(
            "Name only the classes that are used."
        ))
    stems = _stems(sizes)
    files = {path.stem: path for path in sorted(folder.glob("*.txt")) if path.name != LIST_OF_CLASSES}
    missing = sorted(name for stem, name in stems.items() if stem not in files)
    if len(missing) == len(stems):
        raise InputError(
            f"{folder.name} holds no labels for the {agree(len(stems), 'image', f'{len(stems):,} images')}.",
            "At least one label file is needed; an empty file means that an image has no landslides.",
            f"Name the label files like the images: {PurePosixPath(missing[0]).stem}.txt for {missing[0]}.",
        )
    settling = Settling(folder.name)
    boxes = {}
    for stem, name in stems.items():
        lines = _lines(files[stem], classes) if stem in files else []
        height, width = sizes[name]
        corners = np.array([corners for _, corners in lines], dtype=np.float64).reshape(-1, 4)
        corners *= (width, height, width, height)
        boxes[name] = settling.settle(corners, [kind for kind, _ in lines], sizes[name])
    notes = settling.notes()
    if missing:
        have, those_count = agree(len(missing), "has", "have"), agree(len(missing), "counts", "count")
        notes.append(
            f"{count(len(missing), 'image')} {have} no label file and {those_count} as without landslides: "
            f"{named(missing)}."
        )
    strays = [path.name for stem, path in files.items() if stem not in stems]
    if strays:
        belong, were = agree(len(strays), "belongs", "belong"), agree(len(strays), "was", "were")
        notes.append(f"{count(len(strays), 'label file')} {belong} to no image and {were} left out: {named(strays)}.")
    return Annotations(boxes, tuple(classes), tuple(notes))


def write_yolo(folder: str | os.PathLike[str], boxes: Mapping[str, Boxes], sizes: Sizes) -> None:
    """Write a file of labels for each image; an empty one for an image without landslides.

    Parameters
    ----------
    folder
        Where the labels go; made when missing.
    boxes
        By file name of the image.
    sizes
        Height and width of the same images.

    Raises
    ------
    InputError
        When two images differ only in the ending of their names.
    StorageError
        When the disk is full or the folder cannot be written.
    """
    for stem, name in _stems(boxes).items():
        height, width = sizes[name]
        ours = boxes[name]
        corners = ours.corners.astype(np.float64) / (width, height, width, height)
        places = np.hstack([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]])
        lines = [
            f"{kind} " + " ".join(f"{share:.9g}" for share in place)
            for kind, place in zip(ours.classes.tolist(), places.tolist(), strict=True)
        ]
        with atomic_path(Path(folder, f"{stem}.txt")) as aside:
            aside.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _stems(names: Mapping[str, object]) -> dict[str, str]:
    """File names of images by what their labels are called."""
    stems: dict[str, str] = {}
    for name in names:
        stem = PurePosixPath(name).stem
        if stem in stems:
            raise InputError(
                f"The label files of {stems[stem]} and {name} would both be named {stem}.txt.",
                "They could not be assigned to one image.",
                "Rename one of the images.",
            )
        stems[stem] = name
    return stems


def _lines(path: Path, classes: Sequence[str]) -> list[tuple[int, list[float]]]:
    """Class and corners, as shares of the image, of each line of a file."""
    file = regular_file(path)
    if file.stat().st_size > MAX_LABEL_BYTES:
        raise UnsafeFileError(
            f"{path.name} has {file.stat().st_size / 1e6:,.0f} MB; the limit is {MAX_LABEL_BYTES / 1e6:,.0f} MB.",
            "A larger label file could exhaust the server's memory.",
            "Cut the image into parts.",
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} is not a text file.", remedy="Export the labels again.") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words:
            found.append(_box(words, f"Line {number} of {path.name}", classes))
    return found


def _box(words: list[str], where: str, classes: Sequence[str]) -> tuple[int, list[float]]:
    try:
        kind, *shares = (float(word) for word in words)
    except ValueError as error:
        raise _no_line(where) from error
    outline = len(shares) >= 6 and len(shares) % 2 == 0
    if not outline and len(shares) not in (4, 5):
        raise _no_line(where)
    if kind not in range(len(classes)):
        known = f"the classes are 0 to {len(classes) - 1}" if len(classes) > 1 else "the only class is 0"
        raise InputError(
            f"{where} has the class {words[0]}; {known} ({', '.join(classes)}).",
            "The object cannot be assigned to a class.",
            "Classes are counted from 0; name all classes that were used for labelling.",
        )
    if outline:
        # Not by min and max, which pass over what is no number.
        points = np.array(shares).reshape(-1, 2)
        return int(kind), [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]
    x, y, width, height = shares[:4]
    return int(kind), [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def _no_line(where: str) -> InputError:
    return InputError(
        f"{where} is not a class followed by the four numbers of a box or the corners of an outline.",
        "The label cannot be read.",
        "Export the labels in YOLO format again.",
    )
