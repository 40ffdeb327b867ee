"""What a raster file says beside its pixels: placement, transparency, nodata; and what of it is not used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from core.errors import InputError, UnsafeFileError
from core.raster.crs import crs_of_wkt
from core.raster.orientation import WORDS, Upright
from core.wording import agree, count

if TYPE_CHECKING:
    from rasterio.io import DatasetReader


def number(value: float | None, otherwise: float) -> float:
    """A scale or an offset of a file; what is none is ignored."""
    if value is None or not math.isfinite(value) or (otherwise == 1.0 and value == 0):
        return otherwise
    return float(value)


def alpha_of(colours: Sequence[str], descriptions: Sequence[str | None]) -> int | None:
    """The band of transparency, unless the file describes it as a band of data."""
    for index, (colour, text) in enumerate(zip(colours, descriptions, strict=True), start=1):
        words = (text or "").lower().strip()
        if colour == "alpha" and (not words or any(word in words for word in ("alpha", "opacity", "transparen"))):
            return index
    return None


def crs_of(dataset: DatasetReader, name: str) -> tuple[CRS | None, float | None, tuple[str, ...]]:
    """Coordinate system of a file, metres of its unit of height, and notes on one that is not used.

    A coordinate system without a transform, or of a building site, places nothing.
    """
    crs = dataset.crs
    points = dataset.gcps[0]
    if not crs:
        are = agree(len(points), "is", "are")
        told = f"{name} is placed by {count(len(points), 'ground control point')}, which {are} not used: rectify it, "
        return None, None, (f"{told}for example with gdalwarp.",) if points else ()
    if dataset.transform == Affine.identity():
        return None, None, (f"{name} names a coordinate system but not the position of its pixels: it is used in "
                            "pixels.",)
    try:
        exact = crs_of_wkt(crs.to_wkt(version="WKT2_2019"), name)
    except UnsafeFileError:
        raise
    except InputError as error:
        return None, None, (f"{name} is used in pixels: {error.what}",)
    if len(exact.axis_info) == 3 and not exact.sub_crs_list:
        # GeoTIFF of the usual edition cannot name a system of three axes: what is written would lose its place.
        return CRS.from_wkt(exact.to_2d().to_wkt()), float(exact.axis_info[2].unit_conversion_factor), ()
    heights = [part for part in exact.sub_crs_list if part.is_vertical]
    unit = float(heights[0].axis_info[0].unit_conversion_factor) if heights and heights[0].axis_info else None
    return crs, unit, ()


def texts_of(
    dataset: DatasetReader, name: str
) -> tuple[tuple[str | None, ...], tuple[str | None, ...], tuple[str, ...]]:
    """Descriptions and units of the bands, and a note where they cannot be read: they have to be in UTF-8."""
    nothing: tuple[str | None, ...] = (None,) * dataset.count
    lost, found = [], []
    for what, of_bands in (("names", "descriptions"), ("units", "units")):
        try:
            found.append(tuple(getattr(dataset, of_bands)))
        except UnicodeDecodeError:
            lost.append(what)
            found.append(nothing)
    told = f"The {' and '.join(lost)} of the bands of {name} are not UTF-8 text and were ignored."
    return found[0], found[1], (told,) if lost else ()


def notes_beside(dataset: DatasetReader, file: Path) -> tuple[str, ...]:
    """Notes on what belongs to a file but is not read."""
    notes = []
    found = [other for other in _companions(file) if other.is_file()]
    if found:
        names = ", ".join(other.name for other in found)
        notes.append(
            f"{names} next to {file.name} {'is' if len(found) == 1 else 'are'} not read: copy the information into "
            "the file, for example with gdal_translate."
        )
    if isinstance(dataset, Upright):
        notes.append(f"{file.name} is stored {WORDS[dataset.orientation]} and was read upright, as its metadata "
                     "requires.")
    pages = len(dataset.subdatasets)
    if pages > 1:
        notes.append(f"{file.name} holds {pages} images; only the first is used.")
    return tuple(notes)


def _companions(file: Path) -> list[Path]:
    world = {".tif": ".tfw", ".tiff": ".tfw", ".jpg": ".jgw", ".jpeg": ".jgw", ".png": ".pgw"}
    names = [f"{file.name}.msk", f"{file.name}.aux.xml", f"{file.stem}.wld", f"{file.stem}.aux"]
    names += [file.stem + world[file.suffix.lower()]] if file.suffix.lower() in world else []
    return [file.with_name(name) for name in names]


def nodata_of(value: float | None, dtype: str) -> float | None:
    """Nodata value, unless the type cannot hold it and so no pixel has it."""
    if value is None or math.isnan(value):
        return None if value is None or np.dtype(dtype).kind != "f" else math.nan
    if np.dtype(dtype).kind == "f":
        # A value beyond the type's reach stands for the last one within.
        largest = float(np.finfo(dtype).max)
        return min(max(float(value), -largest), largest)
    limits = np.iinfo(dtype)
    return float(value) if value == int(value) and limits.min <= value <= limits.max else None
