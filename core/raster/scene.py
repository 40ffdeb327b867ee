"""A scene: one raster on disk, described once and read by window."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import MaskFlags, Resampling
from rasterio.windows import Window

from core.errors import GridError, InputError, UnsafeFileError
from core.raster.bands import Band, Role, check_bands, describe_bands, guess_bands
from core.raster.crs import crs_of_wkt
from core.raster.digest import content_digest
from core.raster.grid import Grid
from core.raster.untrusted import READ_ERRORS, damaged, open_untrusted, regular_file

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

__all__ = ["Band", "Patch", "Role", "Scene", "SceneReader", "guess_bands"]

ResamplingName = Literal["nearest", "bilinear", "average"]

USUAL_FILLS = (-9999.0, -32768.0, -32767.0, 3.4e38)
"""Values that usually stand for no data; of the last one, all beyond 1e30 to both sides."""

SAMPLED = 512
"""Pixels of a side that are looked at for them."""

NEAR = {4: 10 * 2.0**-23, 8: 1e-10}
"""Share by which a value may differ from nodata and still be it, by bytes of the type; as in GDAL."""


@dataclass(frozen=True)
class Patch:
    """Values of a window of a scene.

    Parameters
    ----------
    values
        Array of shape (bands, height, width) in the scene's own type. What stands in invalid pixels has no
        meaning and may be NaN.
    valid
        Boolean array of shape (height, width): inside the raster's mask, not nodata and finite in every one
        of the bands.
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """A raster on disk, described but not read.

    Parameters
    ----------
    path
        Absolute path of the file.
    name
        What users call it.
    driver
        "GTiff", "PNG" or "JPEG".
    grid
        Size, placement and coordinate system.
    bands
        Bands in the file's order.
    dtype
        NumPy name of the values' type.
    nodata
        Value that stands for no measurement, if the file names one.
    digest
        SHA-256 over values, validity and grid; independent of the container.
    synthetic
        Whether the data were made up rather than measured.
    licence, citation
        Where the data come from, empty when unknown.
    alpha
        Band that says where the image is transparent, from 1; None without one. A band that the file describes as
        something else is none, whatever its colour.
    vertical_unit
        Metres of one unit of height in the coordinate system; None where it has no heights.
    notes
        What of the file is not used, or was assumed.
    """

    path: Path
    name: str
    driver: str
    grid: Grid
    bands: tuple[Band, ...]
    dtype: str
    nodata: float | None
    digest: str
    synthetic: bool = False
    licence: str = ""
    citation: str = ""
    alpha: int | None = None
    vertical_unit: float | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        synthetic: bool = False,
        licence: str = "",
        citation: str = "",
    ) -> Scene:
        """Describe a raster file.

        The whole file is read once, in constant memory, for its digest; a file opened before in this process
        and unchanged since is not read again.

        Parameters
        ----------
        path
            GeoTIFF, PNG or JPEG on disk, made by anybody.
        name
            What users call it; the file's name without its ending when None.
        synthetic, licence, citation
            Origin of the data.

        Raises
        ------
        UnsafeFileError
            When the file is not an image, or could harm the server.
        InputError
            When it is missing, damaged or cut short.
        GridError
            When its transform is degenerate.
        """
        file = regular_file(path)
        stat = file.stat()
        scene = _described(file, stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return replace(scene, name=name or file.stem, synthetic=synthetic, licence=licence, citation=citation)

    @contextmanager
    def reader(self, *, overviews: bool = False) -> Iterator[SceneReader]:
        """Open the scene for reading.

        Parameters
        ----------
        overviews
            Whether reads at lower resolution may use the overviews in the file: quick and good for display.
            Without them such reads depend on nothing but the pixels that the digest covers.

        Yields
        ------
        SceneReader
            For the thread that opened it only.
        """
        with open_untrusted(self.path, overviews=overviews) as dataset:
            if dataset.shape != self.grid.shape or dataset.count != len(self.bands):
                raise InputError(
                    f"The file of {self.name} has changed since it was opened.",
                    "Results would not belong to the image that was chosen.",
                    "Choose the scene again.",
                )
            yield SceneReader(self, dataset)


class SceneReader:
    """Reads windows of one scene; made by `Scene.reader`.

    Parameters
    ----------
    scene
        The scene.
    dataset
        Its open file.
    """

    def __init__(self, scene: Scene, dataset: DatasetReader) -> None:
        self.scene = scene
        self.block_shape: tuple[int, int] = dataset.block_shapes[0]
        self._dataset = dataset
        self._has_mask = has_mask(dataset)

    def read(
        self,
        bands: Sequence[int],
        window: Window | None = None,
        out_shape: tuple[int, int] | None = None,
        resampling: ResamplingName = "bilinear",
    ) -> Patch:
        """Read a window.

        Parameters
        ----------
        bands
            Band numbers from 1, in the order wanted.
        window
            Part of the raster in pixels, inside its edges; the whole raster when None.
        out_shape
            Height and width wanted, when they differ from the window's.
        resampling
            How values are made for another `out_shape`. Invalid pixels take no part; a pixel of the result
            is valid where the pixel at its centre is.

        Returns
        -------
        Patch
            Values of shape (bands, height, width) in the scene's type, and their validity.

        Raises
        ------
        BandError
            When a band is not in the scene.
        GridError
            When the window reaches past the raster's edges.
        InputError
            When the file is damaged.
        """
        values, valid = self._read(check_bands(self.scene, bands), window, out_shape, resampling)
        return Patch(values, np.logical_and.reduce(valid, axis=0))

    def read_bands(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read all bands of a window with a validity of each: two arrays (bands, height, width)."""
        return self._read(tuple(band.index for band in self.scene.bands), window, None, "nearest")

    def _read(
        self,
        bands: tuple[int, ...],
        window: Window | None,
        out_shape: tuple[int, int] | None,
        resampling: ResamplingName,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        grid = self.scene.grid
        window = window or Window(0, 0, grid.width, grid.height)
        _check_window(window, grid, self.scene.name)
        shape = (len(bands), *(out_shape or (round(window.height), round(window.width))))
        # Whoever asks for an alpha band means its values: GDAL calls the fourth band of any 8-bit file alpha.
        alpha = self.scene.alpha if self.scene.alpha not in bands else None
        resized = shape[1:] != (window.height, window.width)
        where: dict[str, Any] = {"window": window, "out_shape": shape}
        try:
            values = self._dataset.read(bands, resampling=Resampling[resampling], **where)
            valid = known(values, self.scene.nodata)
            if self._has_mask:
                valid &= self._dataset.read_masks(bands, **where) > 0
            if alpha is not None:
                valid &= self._dataset.read([alpha], window=window, out_shape=(1, *shape[1:])) > 0
            if resized and resampling != "nearest":
                # The nearest pixel decides: interpolation must not let data grow into what is unknown.
                valid &= known(self._dataset.read(bands, **where), self.scene.nodata)
        except READ_ERRORS as error:
            raise damaged(self.scene.name) from error
        return values, valid


def known(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Where values are neither nodata nor infinite, by GDAL's own rule: two floats that differ by rounding are equal.

    Parameters
    ----------
    values
        Of any shape and type.
    nodata
        The file's; None without one.
    """
    floating = values.dtype.kind == "f"
    valid = np.isfinite(values) if floating else np.ones(values.shape, dtype=np.bool_)
    if nodata is None or math.isnan(nodata):
        return valid
    if not floating:
        return np.asarray(valid & (values != values.dtype.type(nodata)))
    with np.errstate(over="ignore"):
        value = values.dtype.type(nodata)
    if not np.isfinite(value):
        return valid
    near = NEAR[values.dtype.itemsize] * abs(float(value))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(valid & (np.abs(values - value) > near if near else values != value))


def has_mask(dataset: DatasetReader) -> bool:
    """Whether a file has a mask that is neither nodata nor an alpha band."""
    return any(MaskFlags.per_dataset in band and MaskFlags.alpha not in band for band in dataset.mask_flag_enums)


@lru_cache(maxsize=512)
def _described(file: Path, mtime_ns: int, size: int, inode: int) -> Scene:
    """Describe a file; what else is passed makes a changed file another one."""
    with open_untrusted(file) as dataset:
        dtype = dataset.dtypes[0]
        try:
            colours = [colour.name for colour in dataset.colorinterp]
            descriptions = dataset.descriptions
            bands = describe_bands(descriptions, colours, dtype)
            crs, vertical_unit, notes = _crs_of(dataset, file.name)
            bands = tuple(
                replace(band, scale=_number(scale, 1.0), offset=_number(offset, 0.0), unit=one_line(unit or ""))
                for band, scale, offset, unit in zip(bands, dataset.scales, dataset.offsets, dataset.units, strict=True)
            )
            notes += _beside(dataset, file)
        except READ_ERRORS as error:
            raise damaged(file.name) from error
        scene = Scene(
            path=file,
            name=file.stem,
            driver=dataset.driver,
            grid=Grid(dataset.width, dataset.height, dataset.transform, crs),
            bands=bands,
            dtype=dtype,
            nodata=_nodata_of(dataset.nodata, dtype),
            digest="",
            alpha=_alpha_of(colours, descriptions),
            vertical_unit=vertical_unit,
            notes=notes,
        )
        reader = SceneReader(scene, dataset)
        return replace(scene, digest=content_digest(reader), notes=notes + _fill_notes(reader))


def _fill_notes(reader: SceneReader) -> tuple[str, ...]:
    """Notes on values that usually stand for no data, where a file does not say that they do."""
    scene = reader.scene
    if np.dtype(scene.dtype).kind == "u":
        return ()
    height, width = (min(side, SAMPLED) for side in scene.grid.shape)
    values, valid = reader._read(tuple(band.index for band in scene.bands), None, (height, width), "nearest")
    notes = []
    for value in USUAL_FILLS:
        found = valid & (values == value if abs(value) < 1e30 else np.abs(values.astype(np.float64)) > 1e30)
        share = float(found.any(axis=0).mean())
        if share > 0:
            said = f"{value:g}" if abs(value) < 1e30 else "beyond 1e30"
            notes.append(
                f"About {share:.1%} of the pixels of {scene.name} are {said}, which usually stands for no data, but "
                "the file does not say so: they are taken for values. If they are none, declare it, for example with "
                f"gdal_edit -a_nodata {value:g}."
            )
    return tuple(notes)


def one_line(text: str, longest: int = 40) -> str:
    """Text of a file as one short line without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:longest]


def _number(value: float | None, otherwise: float) -> float:
    """A scale or an offset of a file; what is none is ignored."""
    if value is None or not math.isfinite(value) or (otherwise == 1.0 and value == 0):
        return otherwise
    return float(value)


def _alpha_of(colours: Sequence[str], descriptions: Sequence[str | None]) -> int | None:
    """The band of transparency, unless the file describes it as a band of data."""
    for index, (colour, text) in enumerate(zip(colours, descriptions, strict=True), start=1):
        words = (text or "").lower().strip()
        if colour == "alpha" and (not words or any(word in words for word in ("alpha", "opacity", "transparen"))):
            return index
    return None


def _crs_of(dataset: DatasetReader, name: str) -> tuple[CRS | None, float | None, tuple[str, ...]]:
    """Coordinate system of a file, metres of its unit of height, and notes on one that is not used.

    A coordinate system without a transform, or of a building site, places nothing.
    """
    crs = dataset.crs
    points = dataset.gcps[0]
    if not crs:
        told = f"{name} is placed by {len(points)} ground control points, which are not used: rectify it, for example "
        return None, None, (f"{told}with gdalwarp.",) if points else ()
    if dataset.transform == Affine.identity():
        return None, None, (f"{name} names a coordinate system, but not where its pixels lie: it is used in pixels.",)
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


def _beside(dataset: DatasetReader, file: Path) -> tuple[str, ...]:
    """Notes on what belongs to a file but is not read."""
    notes = []
    found = [other for other in _companions(file) if other.is_file()]
    if found:
        names = ", ".join(other.name for other in found)
        notes.append(
            f"{names} beside {file.name} {'is' if len(found) == 1 else 'are'} not read: put what it says into the "
            "file, for example with gdal_translate."
        )
    pages = len(dataset.subdatasets)
    if pages > 1:
        notes.append(f"{file.name} holds {pages} images; only the first is used.")
    return tuple(notes)


def _companions(file: Path) -> list[Path]:
    world = {".tif": ".tfw", ".tiff": ".tfw", ".jpg": ".jgw", ".jpeg": ".jgw", ".png": ".pgw"}
    names = [f"{file.name}.msk", f"{file.name}.aux.xml", f"{file.stem}.wld", f"{file.stem}.aux"]
    names += [file.stem + world[file.suffix.lower()]] if file.suffix.lower() in world else []
    return [file.with_name(name) for name in names]


def _nodata_of(value: float | None, dtype: str) -> float | None:
    """Nodata value, unless the type cannot hold it and so no pixel has it."""
    if value is None or math.isnan(value):
        return None if value is None or np.dtype(dtype).kind != "f" else math.nan
    if np.dtype(dtype).kind == "f":
        return float(value)
    limits = np.iinfo(dtype)
    return float(value) if value == int(value) and limits.min <= value <= limits.max else None


def _check_window(window: Window, grid: Grid, name: str) -> None:
    slack = 1e-6
    inside = (
        window.col_off >= -slack
        and window.row_off >= -slack
        and window.col_off + window.width <= grid.width + slack
        and window.row_off + window.height <= grid.height + slack
    )
    if not inside or window.width <= 0 or window.height <= 0:
        raise GridError(
            f"The window {window} is empty or reaches past the edges of {name}, which has {grid.width} by "
            f"{grid.height} pixels.",
            remedy="Choose an area inside the scene.",
        )
