"""Which values of a raster are data: nodata by GDAL's own rule, and values that usually stand for none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.enums import MaskFlags

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

USUAL_FILLS = (-9999.0, -32768.0, -32767.0)
"""Values that usually stand for no data."""

LARGEST = 1e30
"""Floats beyond which, to both sides, nothing is measured: they are unknown whether or not a file says so."""

USUALLY = "which usually stands for no data, but the file does not declare it"

SAMPLED = 512
"""Pixels of a side that are looked at for them."""

COLLAR = 0.01
"""Share of the pixels from which a corner of one value is told of."""

FEWEST = 64
"""Pixels that such a corner has at least."""

CLASSES = 32
"""Values up to which a raster is taken for one of classes, in which a corner of one value is ordinary."""

NEAR = {4: 10 * 2.0**-23, 8: 1e-10}
"""Share by which a value may differ from nodata and still be it, by bytes of the type; as in GDAL."""


def known(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Where values are neither nodata nor beyond `LARGEST`; as in GDAL floats that differ by rounding are equal.

    Parameters
    ----------
    values
        Of any shape and type.
    nodata
        The file's; None without one.
    """
    floating = values.dtype.kind == "f"
    valid = np.abs(values) <= LARGEST if floating else np.ones(values.shape, dtype=np.bool_)
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


def fill_notes(
    values: NDArray[Any], valid: NDArray[np.bool_], name: str, nodata: float | None = None
) -> tuple[str, ...]:
    """Notes on values that usually stand for no data, where a file does not say that they do.

    Parameters
    ----------
    values, valid
        (bands, height, width) of a sample of the file.
    name
        What users call it.
    nodata
        The file's; None without one.
    """
    notes = list(_collar_note(values, np.logical_and.reduce(valid, axis=0), name))
    for value in USUAL_FILLS if values.dtype.kind != "u" else ():
        share = float((valid & (values == value)).any(axis=0).mean())
        if share > 0:
            notes.append(
                f"About {100 * share:.1f} % of the pixels of {name} are {value:g}, {USUALLY}: they are treated as "
                "values. If "
                f"they are not, declare nodata, for example with gdal_edit -a_nodata {value:g}."
            )
    beyond = np.zeros(values.shape[1:], dtype=np.bool_)
    if values.dtype.kind == "f":
        beyond = ((np.abs(values) > LARGEST) & np.isfinite(values) & ~_is(values, nodata)).any(axis=0)
    if beyond.any():
        notes.append(f"About {100 * beyond.mean():.1f} % of the pixels of {name} hold values beyond 1e30; they are "
                     "treated "
                     "as nodata.")
    return tuple(notes)


def _is(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Where values are the file's nodata, but for rounding."""
    if nodata is None or math.isnan(nodata):
        return np.zeros(values.shape, dtype=np.bool_)
    return np.asarray(np.isclose(values, nodata, rtol=NEAR.get(values.dtype.itemsize, 1e-10), atol=0))


def _collar_note(values: NDArray[Any], valid: NDArray[np.bool_], name: str) -> tuple[str, ...]:
    """Note on a corner of the raster in which every pixel has one and the same value."""
    from scipy.ndimage import label

    height, width = valid.shape
    if min(height, width) < 2 or _is_mask(values):
        return ()
    found = np.zeros_like(valid)
    told: set[tuple[float, ...]] = set()
    for row, column in ((0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)):
        if not valid[row, column] or found[row, column]:
            continue
        value = values[:, row, column]
        if set(value.tolist()) <= set(USUAL_FILLS):
            continue  # told of by itself
        parts, _ = label(valid & (values == value[:, None, None]).all(axis=0))
        part = parts == parts[row, column]
        if part.sum() >= max(COLLAR * part.size, FEWEST):
            found |= part
            told.add(tuple(value.tolist()))
    if not told:
        return ()
    said = " and ".join(_of_all_bands(value) for value in sorted(told))
    return (
        f"About {100 * found.mean():.1f} % of the pixels of {name}, from its corners inwards, are uniformly {said}, "
        f"{USUALLY}: they are treated as values. If they are not, declare nodata, for example with gdal_edit "
        "-a_nodata, or with nearblack -setmask for a collar.",
    )


def _is_mask(values: NDArray[Any]) -> bool:
    """Whether the bands hold so few values that they show classes and no quantity."""
    return len(np.unique(values)) <= CLASSES


def _of_all_bands(value: tuple[float, ...]) -> str:
    return f"{value[0]:g}" if len(set(value)) == 1 else f"({', '.join(f'{one:g}' for one in value)})"
