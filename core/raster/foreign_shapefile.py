"""Zipped Shapefiles that strangers made: outlines and coordinate system, and of attributes the first rows only."""

from __future__ import annotations

import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError, UnsafeFileError
from core.raster.crs import MAX_WKT, crs_of_wkt
from core.raster.files import first_bytes
from core.raster.vector_limits import Limits, bounded, too_many, unreadable

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

# What the zip reader raises for damaged and oddly compressed members.
_ZIP_ERRORS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip
_GEOMETRY = (".shp", ".shx")
_ENCRYPTED = 0x1


def read_shapefile(file: Path, limits: Limits) -> tuple[NDArray[np.object_], pyproj.CRS | None]:
    """Geometries of the one Shapefile of a zip archive; None where one cannot be read.

    Raises
    ------
    UnsafeFileError
        When the archive could harm the server, or holds more than the limits.
    InputError
        When it is damaged or encrypted, or does not hold exactly one Shapefile with its parts.
    """
    import pyogrio
    import shapely

    with _unpacked(file, limits, (*_GEOMETRY, ".prj")) as folder:
        text = _text(folder / "layer.prj")
        (folder / "layer.prj").unlink(missing_ok=True)  # GDAL would look for what it names
        crs = crs_of_wkt(text, file.name) if text else None
        try:
            count = int(pyogrio.read_info(folder / "layer.shp", force_feature_count=True)["features"])
            if count > limits.features:
                raise too_many(file.name, "features", limits.features)
            _, _, blobs, _ = pyogrio.raw.read(folder / "layer.shp", columns=[], force_2d=True)
        except (RuntimeError, ValueError, OSError) as error:
            raise unreadable(file.name) from error
        if blobs is None:
            raise unreadable(file.name)
        return np.asarray(shapely.from_wkb(blobs, on_invalid="ignore")), crs


def first_attributes(
    file: Path, rows: int, columns: int, limits: Limits
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Names of all attributes of a zipped Shapefile, and the first rows of the first of them.

    Raises
    ------
    UnsafeFileError, InputError
        As of `read_shapefile`.
    """
    import pyogrio

    with _unpacked(file, limits, (*_GEOMETRY, ".dbf")) as folder:
        shape = folder / "layer.shp"
        if not (folder / "layer.dbf").exists():
            return (), []
        for encoding in ("UTF-8", "ISO-8859-1"):  # a .cpg is not trusted; every byte is a letter of the second
            try:
                names = tuple(map(str, pyogrio.read_info(shape, encoding=encoding)["fields"]))
                _, _, _, values = pyogrio.raw.read(
                    shape, columns=list(names[:columns]), read_geometry=False, max_features=rows, encoding=encoding
                )
                return names, list(zip(*(list(column) for column in values), strict=True))
            except UnicodeDecodeError:
                continue
            except (RuntimeError, ValueError, OSError) as error:
                raise unreadable(file.name) from error
    raise unreadable(file.name)


@contextmanager
def _unpacked(file: Path, limits: Limits, wanted: tuple[str, ...]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="slidelens-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(file) as archive:
                _unpack(archive, folder, file, limits, wanted)
        except _ZIP_ERRORS as error:
            raise unreadable(file.name) from error
        if first_bytes(folder / "layer.shp", 4) != b"\x00\x00\x27\x0a":
            raise unreadable(file.name)
        yield folder


def _unpack(archive: zipfile.ZipFile, folder: Path, file: Path, limits: Limits, wanted: tuple[str, ...]) -> None:
    """Unpack the parts of the one Shapefile of an archive under names of ours."""
    members = [member for member in archive.infolist() if not _litter(member.filename)]
    if len(members) > limits.members:
        raise too_many(file.name, "files", limits.members)
    for member in members:
        inner = PurePosixPath(member.filename.replace("\\", "/"))
        linked = stat.S_ISLNK(member.external_attr >> 16)
        if inner.is_absolute() or ".." in inner.parts or ":" in member.filename or linked:
            raise UnsafeFileError(
                f"{file.name} holds a path that points outside the archive ({member.filename!r}).",
                "Unpacking it could overwrite files on the server.",
                "Zip the Shapefile's own files again.",
            )
    shapes = [member for member in members if member.filename.lower().endswith(".shp")]
    if len(shapes) != 1:
        raise InputError(
            f"{file.name} holds {len(shapes) or 'no'} Shapefile{'s' * (len(shapes) != 1)}.",
            remedy="Put exactly one Shapefile into the archive.",
        )
    stem = shapes[0].filename[:-4].lower()
    parts = {one.filename[len(stem) :].lower(): one for one in members if one.filename.lower().startswith(stem + ".")}
    if ".shx" not in parts:
        raise InputError(
            f"{file.name} lacks the .shx file of its Shapefile.",
            "The index of its shapes is part of a Shapefile.",
            "Zip the .shp, .shx, .dbf and .prj files together.",
        )
    chosen = {suffix: parts[suffix] for suffix in wanted if suffix in parts}
    if any(member.flag_bits & _ENCRYPTED for member in chosen.values()):
        raise InputError(f"{file.name} is encrypted.", remedy="Zip the files without a password.")
    bounded(file.name, sum(member.file_size for member in chosen.values()), limits.file_bytes)
    for suffix, member in chosen.items():
        # Python stops reading a member at the size its header claims, so the sum above is binding.
        with archive.open(member) as packed, (folder / f"layer{suffix}").open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)


def _litter(name: str) -> bool:
    """Whether a member is what macOS adds to every archive."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("._"))


def _text(file: Path) -> str:
    """Text of a .prj, empty where there is none."""
    if not file.exists():
        return ""
    return first_bytes(file, MAX_WKT + 1).decode("utf-8", errors="replace").strip()
