"""Writing results: every file appears whole or not at all.

GDAL reports a full disk late or never: compressed tiles lie in its cache until the dataset is closed, closing
reports nothing, and its COG driver leaves a file cut short without a word. So tiles go to disk through a file
object that remembers every failure, and the finished file is read back before it gets its name.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from core.errors import StorageError
from core.raster.untrusted import GDAL_SETTINGS, READ_ERRORS
from core.wording import count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from rasterio.io import DatasetReader, DatasetWriter

    from core.raster.grid import Grid

#: Edge of the tiles of everything written, in pixels.
TILE = 512

PIXEL_SIZE = "pixel_size"
"""Tag of a coarse raster of an image without coordinates: width and height of its pixels in those of the image."""

_ERRORS: tuple[type[Exception], ...] = (OSError, *READ_ERRORS)

OverviewResampling = Literal["nearest", "average", "bilinear", "mode"]


class RasterWriter:
    """Takes the pixels of a raster in any order; made by `writing`.

    Parameters
    ----------
    name
        What the file will be called.
    dataset
        Open dataset to write to.
    failures
        Errors of the disk met so far, filled by the dataset's file object.
    """

    def __init__(self, name: str, dataset: DatasetWriter, failures: list[OSError]) -> None:
        self._name = name
        self._dataset = dataset
        self._failures = failures

    def write(self, values: NDArray[Any], row_off: int = 0, col_off: int = 0) -> None:
        """Write a block of pixels.

        Parameters
        ----------
        values
            Array of shape (bands, height, width), or (height, width) for one band, of the raster's type.
        row_off, col_off
            Place of its first pixel.

        Raises
        ------
        StorageError
            When the disk does not take it.
        ValueError
            When shape, type or place do not fit the raster.
        """
        dataset = self._dataset
        block = values[np.newaxis] if values.ndim == 2 else values
        if block.ndim != 3 or len(block) != dataset.count:
            raise ValueError(f"values of shape {values.shape} do not fill {count(dataset.count, 'band')}")
        if block.dtype != np.dtype(dataset.dtypes[0]):
            raise ValueError(f"values are {block.dtype}, the raster is {dataset.dtypes[0]}")
        height, width = block.shape[1:]
        if min(row_off, col_off) < 0 or row_off + height > dataset.height or col_off + width > dataset.width:
            raise ValueError(f"block of {height}x{width} at ({row_off}, {col_off}) leaves {dataset.shape}")
        try:
            dataset.write(block, window=Window(col_off, row_off, width, height))
        except _ERRORS as error:
            raise _disk_error(self._name, self._failures[0] if self._failures else error) from error
        if self._failures:
            raise _disk_error(self._name, self._failures[0]) from self._failures[0]


@contextmanager
def writing(
    path: str | os.PathLike[str],
    grid: Grid,
    *,
    bands: int = 1,
    dtype: str = "uint8",
    nodata: float | None = None,
    descriptions: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    overview_resampling: OverviewResampling = "average",
    colours: Mapping[int, tuple[int, int, int, int]] | None = None,
    scale: float | None = None,
    unit: str = "",
) -> Iterator[RasterWriter]:
    """Write a Cloud Optimized GeoTIFF block by block, in constant memory.

    Parameters
    ----------
    path
        Where the file will be; what was there before stays until the new file is whole.
    grid
        Size, placement and coordinate system: south-up, rotated and pixel-space grids too.
    bands, dtype, nodata
        Number of bands, NumPy name of their type and the value for no data. What is never written is nodata
        (0 without one).
    descriptions
        A name for each band.
    tags
        Texts to keep in the file.
    overview_resampling
        How overviews are made: "mode" or "nearest" for classes and masks.
    colours
        Of classes in one band of uint8: red, green, blue and alpha of each value, for other programs to show.
    scale, unit
        What every number is multiplied by to give an amount, and the amount's unit (UCUM; "1" for a share), for other
        programs to show. Here the numbers are read as they are.

    Yields
    ------
    RasterWriter
        On leaving the ``with`` the file is finished and takes its name at once; on any exception nothing
        remains.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": bands, "dtype": dtype,
        "crs": grid.crs, "transform": grid.transform, "nodata": nodata, "tiled": True, "blockxsize": TILE,
        "blockysize": TILE, "compress": "deflate", "zlevel": 1, "sparse_ok": True, "bigtiff": "if_safer",
    }  # fmt: skip
    if bands == 4:
        # GDAL calls the fourth band of an 8-bit file transparency unless told otherwise.
        profile |= {"alpha": "unspecified"}
    with atomic_path(path) as aside, rasterio.Env(**GDAL_SETTINGS):
        tiles = aside.with_name("tiles.tif")
        failures: list[OSError] = []
        try:
            dataset = rasterio.open(os.fspath(tiles), "w", opener=_watched(failures), **profile)
        except _ERRORS as error:
            raise _disk_error(path, failures[0] if failures else error) from error
        with dataset:
            for index, description in enumerate(descriptions, start=1):
                dataset.set_band_description(index, description)
            dataset.update_tags(**(tags or {}))
            if colours:
                dataset.write_colormap(1, dict(colours))
            if scale is not None:
                dataset.scales, dataset.offsets = (scale,) * bands, (0.0,) * bands
            if unit:
                dataset.units = (unit,) * bands
            yield RasterWriter(aside.name, dataset, failures)
        if failures:
            raise _disk_error(path, failures[0]) from failures[0]
        _finish(tiles, aside, path, overview_resampling)
        tiles.unlink()


def write_array(
    path: str | os.PathLike[str],
    grid: Grid,
    array: ArrayLike,
    *,
    nodata: float | None = None,
    descriptions: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    overview_resampling: OverviewResampling = "average",
    colours: Mapping[int, tuple[int, int, int, int]] | None = None,
    scale: float | None = None,
    unit: str = "",
) -> Path:
    """Write a whole array as a Cloud Optimized GeoTIFF.

    Parameters
    ----------
    path, grid, nodata, descriptions, tags, overview_resampling, colours, scale, unit
        As for `writing`.
    array
        Shape (bands, height, width), or (height, width) for one band.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    ValueError
        When the array does not have the grid's size.
    """
    values = np.asarray(array)
    if values.ndim not in (2, 3) or values.shape[-2:] != grid.shape:
        raise ValueError(f"array of shape {values.shape} does not fill a grid of {grid.shape}")
    with writing(
        path,
        grid,
        bands=1 if values.ndim == 2 else len(values),
        dtype=values.dtype.name,
        nodata=nodata,
        descriptions=descriptions,
        tags=tags,
        overview_resampling=overview_resampling,
        colours=colours,
        scale=scale,
        unit=unit,
    ) as writer:
        for row in range(0, grid.height, TILE):
            writer.write(values[..., row : row + TILE, :], row_off=row)
    return Path(path)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Lend a path to write a file of any kind to, which becomes `path` when all went well.

    Parameters
    ----------
    path
        Where the file will be. Missing folders are made.

    Yields
    ------
    Path
        A path of the same name in a new, empty folder on the same disk. On leaving the ``with`` the file
        there is flushed to disk and takes the place of `path` at once; on any exception nothing remains.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=target.parent) as folder:
            aside = Path(folder, target.name)
            yield aside
            _flush(aside)
            aside.replace(target)
        _flush(target.parent)
    except OSError as error:
        raise _disk_error(target, error) from error


def _watched(failures: list[OSError]) -> Any:  # noqa: ANN401
    """Make an opener whose files note every failed write in a list.

    An exception raised inside GDAL's callbacks is lost, so none is raised there.
    """

    class WatchedFile(io.FileIO):
        def write(self, data: Any, /) -> int:  # noqa: ANN401
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[super().write(rest) :]
            except OSError as error:
                failures.append(error)
                return 0
            return len(data)

    def opener(path: str, mode: str = "rb", **_: object) -> io.FileIO:
        return WatchedFile(path, mode.replace("b", ""))

    return opener


def _finish(tiles: Path, cog: Path, path: str | os.PathLike[str], resampling: OverviewResampling) -> None:
    """Turn the tiles written aside into a COG and make sure that all of them arrived.

    Deflate's level 3 takes half the time of its usual 6, for files a twentieth larger.
    """
    try:
        rasterio.shutil.copy(
            tiles, cog, driver="COG", compress="DEFLATE", level=3, predictor="YES", blocksize=TILE,
            overview_resampling=resampling, bigtiff="IF_SAFER", num_threads=2,
        )  # fmt: skip
        with rasterio.open(tiles, driver="GTiff") as written, rasterio.open(cog, driver="GTiff") as finished:
            levels = len(finished.overviews(1))
            whole = all(_same(written, finished, window) for _, window in written.block_windows(1))
        for level in range(levels if whole else 0):
            with rasterio.open(cog, driver="GTiff", overview_level=level) as overview:
                whole = whole and _complete(overview)
    except _ERRORS as error:
        raise _disk_error(path, error) from error
    if not whole:
        raise _disk_error(path, None)


def _same(one: DatasetReader, other: DatasetReader, window: Window) -> bool:
    first, second = one.read(window=window), other.read(window=window)
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))


def _complete(dataset: DatasetReader) -> bool:
    """Whether every tile is there and can be decoded."""
    for (row, col), window in dataset.block_windows(1):
        dataset.read(window=window)
        if dataset.block_size(1, row, col) <= 0:
            return False
    return True


def _flush(path: Path) -> None:
    if os.name == "nt":
        # Windows opens no folders, and flushes no file that is open for reading.
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_error(path: str | os.PathLike[str], error: BaseException | None) -> StorageError:
    reason = getattr(error, "strerror", None) or str(error or "part of it was not written")
    return StorageError(
        f"{Path(path).name} could not be written: {reason}.",
        "The incomplete file was removed.",
        "Free up disk space, or check that the folder can be written to, and try again.",
    )
