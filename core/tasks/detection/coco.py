"""Boxes of many images in one file, in the format of COCO (https://cocodataset.org/#format-data)."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.errors import InputError, UnsafeFileError
from core.raster.files import regular_file
from core.raster.folder import write_json
from core.raster.foreign_geojson import json_document
from core.raster.vector_limits import LIMITS
from core.tasks.detection.annotations import MOST_CLASSES, Annotations, Settling, Sizes, named, sizes_of
from core.tasks.detection.boxes import Boxes
from core.wording import agree, count

MAX_COCO_BYTES = 200_000_000
"""Most bytes of a COCO file, which becomes many times larger in memory."""

NOWHERE = [math.nan] * 4


def read_coco(
    path: str | os.PathLike[str], images: Sizes | str | os.PathLike[str], classes: Sequence[str] | None = None
) -> Annotations:
    """Read the boxes of images from a COCO file that strangers made.

    Parameters
    ----------
    path
        The JSON file: images, annotations and categories. Boxes are left, top, width, height in pixels.
    images
        The folder of the images, or their height and width by file name. Images are found by the last part of the
        name in the file; no path of the file is followed.
    classes
        Names of the classes, in the order wanted; None: the file's categories, in the order of their numbers. A
        category that is not among them may be listed, but must have no boxes.

    Returns
    -------
    Boxes of every image that the file lists and that is there. A landslide without a box is given that around its
    outline. What is cut or left out is in the notes: images that are missing or not listed, crowds (regions of
    landslides not told apart), boxes that are none, and masks without a box.

    Raises
    ------
    UnsafeFileError
        When the file is too large.
    InputError
        When it is no COCO file, names an image twice, contradicts an image's size or has a box of a category that is
        not known; when none of its images is there, or none of its boxes lies in its image.
    """
    file = regular_file(path)
    document = _document(file)
    sizes = sizes_of(images)
    numbers, known = _classes(document, file.name, classes)
    listed, notes = _images(document, sizes, file.name)
    corners: dict[str, list[list[float]]] = {name: [] for name in listed.values() if name is not None}
    kinds: dict[str, list[int]] = defaultdict(list)
    crowds = strays = masks = around = 0
    for entry in _entries(document, "annotations", file.name):
        number = numbers.get(_whole(entry.get("category_id")))
        if number is None:
            raise InputError(
                f"A box in {file.name} has the unknown category {entry.get('category_id')!r}.",
                "It cannot be assigned to a class.",
                f"List the category in the file under the name of a class; classes are {', '.join(known)}.",
            )
        image = _whole(entry.get("image_id"))
        name = listed.get(image)
        if image not in listed:
            strays += 1
        elif entry.get("iscrowd"):
            crowds += 1
        elif name is not None and not _has_box(entry) and isinstance(entry.get("segmentation"), dict):
            masks += 1
        elif name is not None:
            boxed = _has_box(entry) or not isinstance(entry.get("segmentation"), list)
            place = _corners(entry.get("bbox")) if boxed else _around(entry.get("segmentation"))
            around += not boxed and place is not NOWHERE
            corners[name].append(place)
            kinds[name].append(number)
    settling = Settling(file.name)
    boxes = {
        name: settling.settle(np.array(places, dtype=np.float64).reshape(-1, 4), kinds[name], sizes[name])
        for name, places in corners.items()
    }
    notes += settling.notes()
    if strays:
        belong, they = agree(strays, "belongs to an image", "belong to images"), agree(strays, "it was", "they were")
        notes.append(f"{count(strays, 'box', 'boxes')} {belong} that {file.name} does not list; {they} left out.")
    if around:
        have = agree(around, "has", "have")
        notes.append(
            f"{count(around, 'landslide')} {have} an outline but no box; the bounding box of the outline was used."
        )
    if masks:
        have, they = agree(masks, "has", "have"), agree(masks, "it was", "they were")
        notes.append(f"{count(masks, 'landslide')} {have} a packed mask but no box; {they} left out.")
    if crowds:
        do, were = agree(crowds, "does", "do"), agree(crowds, "was", "were")
        notes.append(
            f"{count(crowds, 'crowd annotation')}, which {do} not separate individual landslides, {were} left out."
        )
    return Annotations(boxes, known, tuple(notes))


def write_coco(
    path: str | os.PathLike[str],
    boxes: Mapping[str, Boxes],
    sizes: Sizes,
    classes: Sequence[str],
    *,
    scores: bool = False,
    info: Mapping[str, Any] | None = None,
) -> None:
    """Write boxes of images as a COCO file.

    Parameters
    ----------
    boxes
        By file name of the image.
    sizes
        Height and width of the same images.
    classes
        Names of the classes; they become categories from 1.
    scores
        Whether to write how sure each box is, which labels have no need of.
    info
        What else to say about the file: its origin.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    listed: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for image, (name, ours) in enumerate(boxes.items(), 1):
        height, width = sizes[name]
        listed.append({"id": image, "file_name": name, "width": width, "height": height})
        columns = (ours.corners.tolist(), ours.scores.tolist(), ours.classes.tolist())
        for (left, top, right, bottom), score, kind in zip(*columns, strict=True):
            box = [left, top, right - left, bottom - top]
            entry = {"id": len(entries) + 1, "image_id": image, "category_id": kind + 1, "bbox": box}
            entries.append(entry | {"area": box[2] * box[3], "iscrowd": 0} | ({"score": score} if scores else {}))
    categories = [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, 1)]
    content = {"info": info or {}, "images": listed, "annotations": entries, "categories": categories}
    write_json(content, Path(path))


def _document(file: Path) -> dict[str, Any]:
    if file.stat().st_size > MAX_COCO_BYTES:
        raise UnsafeFileError(
            f"{file.name} has {file.stat().st_size / 1e6:,.0f} MB; the limit is {MAX_COCO_BYTES / 1e6:,.0f} MB.",
            "Decoding a larger file could exhaust the server's memory.",
            "Split the file, or leave out the outlines.",
        )
    try:
        limits = replace(LIMITS, geojson_bytes=MAX_COCO_BYTES)
        document = json_document(file, limits, "Split the file, or leave out the outlines.")
    except UnsafeFileError:
        raise
    except InputError as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            raise
        raise InputError(
            f"{file.name} is not valid JSON, or is incomplete.",
            "Its boxes cannot all be read.",
            "Export the file again.",
        ) from error
    if not isinstance(document, dict):
        raise _no_coco(file.name, "it is not an object with images, annotations and categories")
    return document


def _entries(document: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _no_coco(name, f"it has no list named {key}")
    return entries


def _classes(
    document: Mapping[str, Any], name: str, wanted: Sequence[str] | None
) -> tuple[dict[int | None, int], tuple[str, ...]]:
    """Class of each category by its number, and the classes' names."""
    found: dict[int, str] = {}
    for entry in _entries(document, "categories", name):
        number, label = _whole(entry.get("id")), entry.get("name")
        if number is None or not isinstance(label, str) or number in found:
            raise _no_coco(name, f"the category {entry.get('id')!r} has no unique name or number")
        # Some tools list a class twice: as itself, and as the group of classes that it is in.
        found[number] = label
    if not 0 < len(found) <= MOST_CLASSES:
        raise _no_coco(name, f"it lists {len(found):,} categories")
    known = tuple(dict.fromkeys(found[number] for number in sorted(found))) if wanted is None else tuple(wanted)
    return {number: known.index(label) for number, label in found.items() if label in known}, known


def _images(document: Mapping[str, Any], sizes: Sizes, name: str) -> tuple[dict[int | None, str | None], list[str]]:
    """File name of each image by its number, None of those that are missing; and what to say about them."""
    listed: dict[int | None, str | None] = {}
    seen: set[str] = set()
    missing: list[str] = []
    # Some files name images without their endings.
    stems = {stem: names[0] for stem, names in _by_stem(sizes).items() if len(names) == 1}
    for entry in _entries(document, "images", name):
        number, given = _whole(entry.get("id")), entry.get("file_name")
        if number is None or not isinstance(given, str) or number in listed:
            raise _no_coco(name, f"the image {entry.get('id')!r} has no unique file name or number")
        short = PurePosixPath(given.replace("\\", "/")).name
        if short in seen:
            raise InputError(
                f"{name} lists two images named {short}.",
                "Boxes cannot be assigned to one of them by file name.",
                "Rename one of them.",
            )
        seen.add(short)
        short = short if short in sizes else stems.get(short, short)
        listed[number] = short if short in sizes else None
        if short in sizes:
            _check_size(entry, short, sizes[short], name)
        else:
            missing.append(short)
    if seen and len(missing) == len(seen):
        raise InputError(
            f"None of the images listed in {name} ({len(seen):,}) was found, for example {missing[0]}.",
            "Boxes cannot be used without their images.",
            "Choose the folder that holds the images.",
        )
    notes = []
    if missing:
        were = agree(len(missing), "was", "were")
        notes.append(
            f"{count(len(missing), 'image')} listed in {name} {were} not found and {were} left out: {named(missing)}."
        )
    others = sorted(set(sizes) - seen - set(filter(None, listed.values())))
    if others:
        are, were = agree(len(others), "is", "are"), agree(len(others), "was", "were")
        notes.append(f"{count(len(others), 'image')} {are} not listed in {name} and {were} left out: {named(others)}.")
    return listed, notes


def _check_size(entry: Mapping[str, Any], image: str, size: tuple[int, int], name: str) -> None:
    said = entry.get("height") or size[0], entry.get("width") or size[1]
    if said != size:
        raise InputError(
            f"{name} gives {image} a size of {said[1]} × {said[0]} pixels; the image has {size[1]} × {size[0]}.",
            "The boxes would be in the wrong places.",
            "Use the images that were labelled, at their original size.",
        )


def _by_stem(sizes: Sizes) -> dict[str, list[str]]:
    """File names of images by what stands before their endings."""
    found: dict[str, list[str]] = defaultdict(list)
    for image in sizes:
        found[PurePosixPath(image).stem].append(image)
    return found


def _has_box(entry: Mapping[str, Any]) -> bool:
    """Whether an annotation has a box: some tools write an empty one, or one of zeros, beside an outline."""
    box = entry.get("bbox")
    return bool(box) and (not isinstance(box, list) or any(box))


def _around(outline: object) -> list[float]:
    """The box around the polygons of an outline, each a list of x and y in turn."""
    if not isinstance(outline, list) or not outline:
        return NOWHERE
    try:
        parts = [np.array(part, dtype=np.float64).reshape(-1, 2) for part in outline]
        points = np.concatenate(parts)
    except (OverflowError, TypeError, ValueError):
        return NOWHERE
    if not len(points) or not np.isfinite(points).all():
        return NOWHERE
    low, high = points.min(axis=0), points.max(axis=0)
    return [float(low[0]), float(low[1]), float(high[0]), float(high[1])]


def _corners(box: object) -> list[float]:
    if not isinstance(box, list) or len(box) != 4:
        return NOWHERE
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in box):
        return NOWHERE
    try:
        left, top, width, height = (float(number) for number in box)
    except OverflowError:
        return NOWHERE
    return [left, top, left + width, top + height]


def _whole(number: object) -> int | None:
    """A number of an image or a category; some tools write it as text, or as 7.0."""
    if isinstance(number, str) and number.isdecimal() and len(number) < 19:
        return int(number)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _no_coco(name: str, why: str) -> InputError:
    return InputError(f"{name} is not a COCO file: {why}.", remedy="Export the labels as COCO JSON (object detection).")
