"""A scene: one raster on disk, described once and read by window."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rasterio.enums import Resampling
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.bands import Band, Role, check_bands, describe_bands, guess_bands
from core.raster.digest import content_digest
from core.raster.files import one_line
from core.raster.grid import Grid
from core.raster.metadata import alpha_of, crs_of, nodata_of, notes_beside, number, texts_of
from core.raster.untrusted import READ_ERRORS, damaged, open_untrusted, regular_file, sniff
from core.raster.validity import SAMPLED, fill_notes, has_mask, known

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

__all__ = ["Band", "Patch", "Role", "Scene", "SceneReader", "guess_bands"]

ResamplingName = Literal["nearest", "bilinear", "average"]

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
    state
        Time of change in nanoseconds, size and inode of the file when it was described: a file that is replaced or
        written to afterwards is another image.
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
    state: tuple[int, int, int] | None = field(default=None, compare=False, repr=False)

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
        scene = _described(file, *_state_of(file))
        return replace(scene, name=name or file.stem, synthetic=synthetic, licence=licence, citation=citation)

    @classmethod
    def ours(cls, path: Path, name: str = "") -> Scene:
        """Describe a raster that was written here and never changes, without reading all of it.

        Its path stands for its digest.
        """
        with open_untrusted(path) as dataset:
            dtype, colours = dataset.dtypes[0], [colour.name for colour in dataset.colorinterp]
            grid = Grid(dataset.width, dataset.height, dataset.transform, dataset.crs)
            bands, nodata = describe_bands(dataset.descriptions, colours, dtype), nodata_of(dataset.nodata, dtype)
            return cls(path, name or path.stem, dataset.driver, grid, bands, dtype, nodata, digest=str(path))

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
            self.check_unchanged()
            yield SceneReader(self, dataset)
            self.check_unchanged()

    def check_unchanged(self) -> None:
        """Refuse a file that was replaced or written to since the scene was opened.

        Raises
        ------
        InputError
            When it was.
        """
        if self.state is not None and _state_of(self.path) != self.state:
            raise InputError(
                f"The file of {self.name} has changed since it was opened.",
                "Results would not belong to the file that was chosen.",
                "Choose the file again.",
            )


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
        self.overviews: tuple[int, ...] = tuple(dataset.overviews(1))
        self.file_bytes = scene.path.stat().st_size
        self._dataset = dataset
        self._has_mask = has_mask(dataset)

    @property
    def complete(self) -> bool:
        """Whether nothing in the file can make a pixel unknown: neither nodata, mask, transparency nor NaN."""
        scene = self.scene
        return not self._has_mask and scene.nodata is None and scene.alpha is None and np.dtype(scene.dtype).kind != "f"

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

    def is_unwritten(self, window: Window) -> bool:
        """Whether a GeoTIFF holds nothing for a window: no block of it was written, so its pixels are alike."""
        if self._has_mask or self.scene.driver != "GTiff":
            return False
        rows, cols = self.block_shape
        down = range(int(window.row_off) // rows, (int(window.row_off + window.height) - 1) // rows + 1)
        across = range(int(window.col_off) // cols, (int(window.col_off + window.width) - 1) // cols + 1)
        return not any(
            self._dataset.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band.index)
            for band in self.scene.bands for y in down for x in across
        )  # fmt: skip

    def sample(self) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read all bands thinned out to at most `SAMPLED` pixels a side, as `read_bands` does."""
        height, width = (min(side, SAMPLED) for side in self.scene.grid.shape)
        return self._read(tuple(band.index for band in self.scene.bands), None, (height, width), "nearest")

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


def _state_of(file: Path) -> tuple[int, int, int]:
    stat = regular_file(file).stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


@lru_cache(maxsize=512)
def _described(file: Path, mtime_ns: int, size: int, inode: int) -> Scene:
    """Describe a file; what else is passed makes a changed file another one."""
    with open_untrusted(file) as dataset:
        dtype = dataset.dtypes[0]
        try:
            colours = [colour.name for colour in dataset.colorinterp]
            descriptions, units, unread = texts_of(dataset, file.name)
            bands = describe_bands(descriptions, colours, dtype)
            crs, vertical_unit, notes = crs_of(dataset, file.name)
            bands = tuple(
                replace(band, scale=number(scale, 1.0), offset=number(offset, 0.0), unit=one_line(unit or "", 40))
                for band, scale, offset, unit in zip(bands, dataset.scales, dataset.offsets, units, strict=True)
            )
            notes += (*notes_beside(dataset, file), *unread)
        except READ_ERRORS as error:
            raise damaged(file.name) from error
        scene = Scene(
            path=file,
            name=file.stem,
            driver=sniff(file),
            grid=Grid(dataset.width, dataset.height, dataset.transform, crs),
            bands=bands,
            dtype=dtype,
            nodata=nodata_of(dataset.nodata, dtype),
            digest="",
            alpha=alpha_of(colours, descriptions),
            vertical_unit=vertical_unit,
            notes=notes,
            state=(mtime_ns, size, inode),
        )
        reader = SceneReader(scene, dataset)
        fills = fill_notes(*reader.sample(), scene.name, scene.nodata)
        scene = replace(scene, digest=content_digest(reader), notes=notes + fills)
        scene.check_unchanged()
        return scene


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
            f"The window {window} is empty or extends beyond the edges of {name}, which has {grid.width} by "
            f"{grid.height} pixels.",
            remedy="Choose an area inside the image.",
        )
