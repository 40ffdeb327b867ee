"""Time series of MintPy with known content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

DATES = ["20200101", "20200113", "20200125", "20200206", "20200218", "20200301", "20200313"]
GRID = {"X_FIRST": "13.0", "Y_FIRST": "38.5", "X_STEP": "0.01", "Y_STEP": "-0.02", "X_UNIT": "degrees", "UNIT": "m"}


def cube() -> np.ndarray:
    """``(7, 3, 4)`` metres: each pixel moves by (row + 1) mm a date, times the sign of its column; the last column was
    masked, and the pixel in the first row and column is not known at the third date."""
    steps = np.arange(len(DATES), dtype=np.float32)[:, None, None]
    rate = np.array([1, 2, 3], np.float32)[:, None] * np.array([1, -1, 1, 0], np.float32)
    made = (steps * rate / 1000).astype(np.float32)
    made[2, 0, 0] = np.nan
    return made


def write(path: Path, values: np.ndarray | None = None, *, attributes: dict[str, Any] | None = None,
          dates: list[str] | None = None, **settings: Any) -> Path:  # fmt: skip
    """A ``timeseries.h5``; `settings` are of `h5py.Group.create_dataset`."""
    with h5py.File(path, "w") as file:
        file.create_dataset("timeseries", data=cube() if values is None else values, **settings)
        file.create_dataset("date", data=np.array(DATES if dates is None else dates, dtype=np.bytes_))
        for name, value in (GRID if attributes is None else attributes).items():
            file.attrs[name] = value
    return path


def write_eos(path: Path, *, attributes: dict[str, Any] | None = None) -> Path:
    """The same as HDF-EOS5, with quality and geometry: an ascending orbit, seen from the west under 40 degrees."""
    size = cube().shape[1:]
    place = "HDFEOS/GRIDS/timeseries"
    with h5py.File(path, "w") as file:
        series = file.create_dataset(f"{place}/observation/displacement", data=cube(), chunks=True, compression="lzf")
        series.attrs["Units"] = "meters"
        file.create_dataset(f"{place}/observation/date", data=np.array(DATES, dtype=np.bytes_), compression="lzf")
        mask = np.ones(size, np.bool_)
        mask[1] = False
        file.create_dataset(f"{place}/quality/mask", data=mask, compression="lzf")
        coherence = np.arange(12, dtype=np.float32).reshape(size) / 16
        file.create_dataset(f"{place}/quality/temporalCoherence", data=coherence, compression="lzf")
        file.create_dataset(f"{place}/geometry/incidenceAngle", data=np.full(size, 40, np.float32), compression="lzf")
        file.create_dataset(f"{place}/geometry/azimuthAngle", data=np.full(size, 90, np.float32), compression="lzf")
        for name, value in (GRID if attributes is None else attributes).items():
            file.attrs[name] = value
    return path
