"""Opening files that strangers made: the only place where raster and vector readers are called.

GDAL guesses what a file is from its content and follows what it finds there: a VRT named ``.tif`` reads any
file on the server, a sidecar changes what an image means, an overview named in a TIFF's tags may lie on
another host. So the kind is told here by magic bytes, exactly one driver opens the file, nothing beside it is
looked at, and what it claims to hold is bounded before anything is decoded.
"""

from __future__ import annotations

import os
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes, regular_file, resolve_inside
from core.raster.orientation import MOST_BYTES, Upright, orientation_of
from core.raster.vectors import read_vectors_untrusted
from core.wording import count

__all__ = [
    "damaged",
    "open_untrusted",
    "read_vectors_untrusted",
    "regular_file",
    "resolve_inside",
    "sniff",
]

# Images without coordinates are an ordinary case here (pixel space), nothing to warn of.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

Driver = Literal["GTiff", "PNG", "JPEG"]

#: Most bands of a raster.
MAX_BANDS = 64

#: Most pixels of one band of a GeoTIFF, which is read by window: twice 100,000 by 100,000.
MAX_PIXELS = 20_000_000_000

#: Most pixels of a PNG or JPEG, which are decoded from the top whenever a row above is wanted.
MAX_IMAGE_PIXELS = 250_000_000

#: Most pixels of one side: beyond, a file has no more than a line, and each of its blocks takes as long as a whole one.
MAX_SIDE = 1_000_000

#: Most bytes that a PNG or JPEG may decode to.
MAX_IMAGE_BYTES = 1_500_000_000

#: Most bytes that an interlaced PNG may decode to: GDAL decodes all of it again for every 100 MB.
MAX_INTERLACED_BYTES = 200_000_000

#: Most bytes that one block (tile or strip) of a GeoTIFF may decode to: a block is decoded whole.
MAX_BLOCK_BYTES = 512 * 2**20

#: A raster that decodes to more bytes than `FREE_BYTES` may hold at most this many for each byte of its
#: file. Deflate reaches 1,032; beyond lie files that claim a size which they do not fill.
MAX_EXPANSION = 2_000
FREE_BYTES = 2 * 2**30

DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})

#: Settings under which GDAL reads: no sidecars, bounded cache, libjpeg's warnings (data cut short) as errors.
GDAL_SETTINGS: dict[str, str | int] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": 64 * 2**20,
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "TRUE",
}

#: Failures of GDAL when it opens or decodes a file; the last of texts in it, such as names of coordinate systems.
READ_ERRORS: tuple[type[Exception], ...] = (RasterioError, CPLE_BaseError, UnicodeDecodeError)

_MISSING_CODEC = re.compile(r"missing codec (?:of code )?(\w+)|(\S+) compression only supported")

_MAGIC: tuple[tuple[bytes, Driver], ...] = (
    (b"II*\x00", "GTiff"),
    (b"MM\x00*", "GTiff"),
    (b"II+\x00", "GTiff"),
    (b"MM\x00+", "GTiff"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)

# Metadata in which GDAL looks for names of further files to open.
_POINTING_DOMAINS = frozenset({"OVERVIEWS", "PROXYOVERVIEWREQUEST", "GEOLOCATION"})


def sniff(path: str | os.PathLike[str]) -> Driver:
    """Tell a raster's kind by its first bytes, whatever its name.

    Returns
    -------
    "GTiff", "PNG" or "JPEG"

    Raises
    ------
    UnsafeFileError
        When it is none of these.
    InputError
        When there is no such file, or it is empty.
    """
    file = regular_file(path)
    head = first_bytes(file, 8)
    if not head:
        raise InputError(f"{file.name} is empty.", remedy="Copy or download it again.")
    for magic, driver in _MAGIC:
        if head.startswith(magic):
            return driver
    raise UnsafeFileError(
        f"{file.name} is not a GeoTIFF, PNG or JPEG image: its content is of another type or damaged.",
        "Other types of images are not opened, for security reasons.",
        "Choose another file, or export the image again as GeoTIFF, for example with QGIS or gdal_translate.",
    )


@contextmanager
def open_untrusted(path: str | os.PathLike[str], *, overviews: bool = True) -> Iterator[DatasetReader]:
    """Open a raster that strangers made.

    Parameters
    ----------
    path
        A GeoTIFF, PNG or JPEG file on disk.
    overviews
        Whether reads at a lower resolution may use the overviews in the file. They are quick, but nothing
        ensures that they show the same as the raster: use them for display, not for analysis.

    Yields
    ------
    rasterio.io.DatasetReader
        Upright where an image without coordinates is stored turned and says so. To be used by the thread that opened
        it, inside the ``with``.

    Raises
    ------
    UnsafeFileError
        When the file is of another kind, points to other files, or claims more than the module's limits.
    InputError
        When the file is missing, holds values of an unsuitable type, or is found to be damaged, be it when
        it is read inside the ``with``.
    """
    file = regular_file(path)
    driver = sniff(file)
    with rasterio.Env(**GDAL_SETTINGS), _open(file, driver) as dataset:
        _check_claims(dataset, driver, file)
        try:
            orientation = orientation_of(dataset, file)
            if orientation != 1:
                _check_turned(dataset, file)
                with rasterio.Env(GDAL_CACHEMAX=2 * MOST_BYTES), Upright(dataset, orientation) as upright:
                    yield upright
            elif overviews or driver != "GTiff":
                yield dataset
            else:
                # GDAL hides names and metadata of a dataset opened like this: the claims are checked before.
                with _open(file, driver, OVERVIEW_LEVEL="NONE") as without_overviews:
                    yield without_overviews
        except READ_ERRORS as error:
            raise damaged(file.name) from error


def _open(file: Path, driver: Driver, **options: str) -> DatasetReader:
    try:
        return rasterio.open(file, driver=driver, **options)
    except READ_ERRORS as error:
        codec = _MISSING_CODEC.search(str(error))
        if codec is not None:
            raise InputError(
                f"{file.name} uses a compression that cannot be read here ({codec[1] or codec[2]}).",
                "The file may be intact, but its pixels cannot be decoded.",
                "Save it with another compression, for example gdal_translate -co COMPRESS=DEFLATE IN OUT.",
            ) from error
        raise damaged(file.name) from error


def damaged(name: str) -> InputError:
    """Error for a raster that cannot be decoded."""
    return InputError(
        f"{name} is damaged or truncated.",
        "Some of its pixels cannot be read, so no result would be complete.",
        "Copy or download it again.",
    )


def _check_claims(dataset: DatasetReader, driver: Driver, file: Path) -> None:
    """Refuse a raster that claims more than the limits, or points to other files."""
    pixels, bands = dataset.width * dataset.height, dataset.count
    if not 1 <= bands <= MAX_BANDS:
        raise UnsafeFileError(
            f"{file.name} declares {bands} bands; the limit is 1 to {MAX_BANDS}.",
            remedy="Save the bands that you need to a separate file.",
        )
    unsuitable = sorted(set(dataset.dtypes) - DTYPES)
    if unsuitable:
        raise InputError(
            f"{file.name} holds values of the type {unsuitable[0]}, which cannot be used.",
            remedy="Convert it to 8- or 16-bit integers or 32-bit floating point.",
        )
    itemsize = np.dtype(dataset.dtypes[0]).itemsize
    decoded = pixels * bands * itemsize
    most = MAX_PIXELS if driver == "GTiff" else MAX_IMAGE_PIXELS
    if max(dataset.width, dataset.height) > MAX_SIDE:
        raise _too_large(file, dataset, f"the limit is {MAX_SIDE:,} pixels on one side")
    if pixels > most or (driver != "GTiff" and decoded > MAX_IMAGE_BYTES):
        raise _too_large(file, dataset, f"the limit for such files is {most / 1e6:,.0f} million pixels")
    if decoded > max(FREE_BYTES, MAX_EXPANSION * file.stat().st_size):
        raise _too_large(file, dataset, "the file is far too small to hold so many")
    rows, cols = dataset.block_shapes[0]
    together = bands if dataset.interleaving is Interleaving.pixel else 1
    if driver == "GTiff" and rows * cols * itemsize * together > MAX_BLOCK_BYTES:
        raise _too_large(file, dataset, f"its blocks of {cols:,} by {rows:,} pixels are too large to decode")
    if driver == "PNG":
        stat = file.stat()
        if _check_png(file, stat.st_mtime_ns, stat.st_size) and decoded > MAX_INTERLACED_BYTES:
            raise UnsafeFileError(
                f"{file.name} is an interlaced PNG of {decoded / 1e6:,.0f} million bytes; any part of it can only be "
                "decoded with all the rest.",
                "That would take minutes.",
                "Save it without interlacing, or as a GeoTIFF.",
            )
    pointing = [name for name in dataset.tag_namespaces() if name.upper() in _POINTING_DOMAINS]
    if pointing:
        raise UnsafeFileError(
            f"{file.name} refers to other files in its metadata ({pointing[0]}).",
            "Following the references could make the server read files that users must not see.",
            "Save it without that metadata, for example with gdal_translate -nomd.",
        )


def _check_turned(dataset: DatasetReader, file: Path) -> None:
    if dataset.width * dataset.height * dataset.count * np.dtype(dataset.dtypes[0]).itemsize > MOST_BYTES:
        raise UnsafeFileError(
            f"{file.name} is stored rotated (EXIF orientation) and is too large to be rotated while reading.",
            "Read as stored, it would not match what viewers and labelling tools show.",
            "Save it upright, for example with ImageMagick: magick IN -auto-orient OUT.",
        )


@lru_cache(maxsize=512)
def _check_png(file: Path, mtime_ns: int, size: int) -> bool:
    """Walk a PNG's chunks: GDAL reads a small one that was cut short without a word. Say whether it is interlaced."""
    interlaced = False
    with file.open("rb") as stream:
        stream.seek(8)
        while head := stream.read(8):
            if len(head) < 8:
                break
            length, kind = struct.unpack(">I4s", head)
            if length > size:
                break
            data = stream.read(length)
            check = stream.read(4)
            if len(check) < 4 or struct.unpack(">I", check)[0] != zlib.crc32(kind + data):
                break
            if kind == b"IHDR" and length == 13:
                interlaced = data[12] == 1
            if kind == b"IEND":
                return interlaced
    raise damaged(file.name)


def _too_large(file: Path, dataset: DatasetReader, reason: str) -> UnsafeFileError:
    size = f"{dataset.width:,} by {dataset.height:,} pixels in {count(dataset.count, 'band')}"
    return UnsafeFileError(
        f"{file.name} declares {size}: {reason}.",
        "Decoding it could exhaust the server's memory or time.",
        "Clip it to the area of interest, or save it as a Cloud Optimized GeoTIFF.",
    )
