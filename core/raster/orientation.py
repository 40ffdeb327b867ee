"""Images that are stored turned or mirrored and say so: read as viewers and labelling tools show them.

Cameras store an image as the sensor saw it, and its orientation as a number from 1 (upright) to 8 (TIFF 6.0, tag 274,
which EXIF took over). GDAL leaves the image as it is stored.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from affine import Affine
from rasterio.crs import CRS
from rasterio.vrt import WarpedVRT

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

TAG = 274

MOST_BYTES = 400_000_000
"""Bytes that an image to be turned may decode to: a turned image is read across its rows, so all of it is kept."""

MOST_ENTRIES = 1_000
"""Entries of a TIFF directory that are looked at."""

WORDS = {
    2: "mirrored", 3: "rotated by 180°", 4: "mirrored upside down", 5: "mirrored and rotated by 90°",
    6: "rotated by 90° to the right", 7: "mirrored and rotated by 270°", 8: "rotated by 90° to the left",
}  # fmt: skip

_GROUND = CRS.from_epsg(3857)
_DOWN = Affine(1, 0, 0, 0, -1, 0)


def orientation_of(dataset: DatasetReader, file: Path) -> int:
    """Orientation from 1 to 8 that an image without coordinates names; 1 where it names none.

    Parameters
    ----------
    dataset
        The image as it is stored.
    file
        Its file, a GeoTIFF, PNG or JPEG.
    """
    if dataset.crs or dataset.transform != Affine.identity() or dataset.gcps[0]:
        return 1  # coordinates are those of the stored image
    if dataset.driver == "JPEG":
        told = dataset.tags().get("EXIF_Orientation", "")
        value = int(told) if told.isdecimal() and len(told) == 1 else 1
    else:
        with file.open("rb") as stream:
            value = _of_png(stream.read(_PNG_HEAD)) if dataset.driver == "PNG" else _of_tiff(stream.read(_TIFF_HEAD))
    return value if value in WORDS else 1


class Upright(WarpedVRT):  # type: ignore[misc]
    """An image as it is shown, in pixels of the turned image; pixels are moved and never interpolated.

    Parameters
    ----------
    dataset
        The image as it is stored, without coordinates.
    orientation
        From 2 to 8.
    """

    def __init__(self, dataset: DatasetReader, orientation: int) -> None:
        self.orientation = orientation
        width, height = dataset.width, dataset.height
        turned = (height, width) if orientation > 4 else (width, height)
        super().__init__(
            dataset, src_crs=_GROUND, crs=_GROUND, src_transform=_DOWN @ placing(orientation, width, height),
            transform=_DOWN, width=turned[0], height=turned[1],
        )  # fmt: skip

    @property
    def crs(self) -> None:
        """An image that is turned has no coordinate system."""
        return

    @property
    def transform(self) -> Affine:
        """Its coordinates are its pixels."""
        return Affine.identity()


def placing(orientation: int, width: int, height: int) -> Affine:
    """Where pixels of a stored image of a size lie in the upright one: column and row to column and row."""
    return {
        2: Affine(-1, 0, width, 0, 1, 0), 3: Affine(-1, 0, width, 0, -1, height), 4: Affine(1, 0, 0, 0, -1, height),
        5: Affine(0, 1, 0, 1, 0, 0), 6: Affine(0, -1, height, 1, 0, 0), 7: Affine(0, -1, height, -1, 0, width),
        8: Affine(0, 1, 0, -1, 0, width),
    }[orientation]  # fmt: skip


_PNG_HEAD, _TIFF_HEAD = 2**20, 2**26
"""Bytes from the start within which the chunk or directory is looked for."""


def _of_png(head: bytes) -> int:
    """Orientation in the ``eXIf`` chunk of a PNG; 1 without one before the pixels."""
    at = 8
    while at + 8 <= len(head):
        length, kind = struct.unpack_from(">I4s", head, at)
        if kind == b"eXIf":
            return _of_tiff(head[at + 8 : at + 8 + length])
        at += length + 12
    return 1


def _of_tiff(content: bytes) -> int:
    """Orientation in the first directory of a TIFF structure of the usual or the big kind; 1 where there is none."""
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    if order is None or len(content) < 16:
        return 1
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    at = struct.unpack_from(f"{order}Q", content, 8)[0] if big else struct.unpack_from(f"{order}I", content, 4)[0]
    count, size, place = ("Q", 20, 12) if big else ("H", 12, 8)
    begin = at + struct.calcsize(count)
    if begin > len(content):
        return 1
    entries = min(struct.unpack_from(order + count, content, at)[0], MOST_ENTRIES)
    for entry in range(begin, min(begin + entries * size, len(content) - size + 1), size):
        tag, kind = struct.unpack_from(f"{order}HH", content, entry)
        if (tag, kind) == (TAG, 3):
            return int(struct.unpack_from(f"{order}H", content, entry + place)[0])
    return 1
