"""Time series of MintPy: ``timeseries.h5``, and the same as HDF-EOS5 (``.he5``).

A cube of dates, rows and columns becomes points: each pixel that is neither masked nor without a value is one. Values
are motion along the line of sight in metres, positive towards the satellite, and are brought to mm.

References
----------
Yunjun, Z., Fattahi, H., Amelung, F. (2019). Small baseline InSAR time series analysis: Unwrapping error correction and
noise reduction. Computers & Geosciences 133, 104331. doi:10.1016/j.cageo.2019.104331
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, LandslideError, StorageError, UnsafeFileError
from core.raster.files import regular_file
from core.series.columns import QuestionError
from core.series.insar.extract import ANSWER, Question, arguments
from core.series.insar.pixels import DEGREES
from core.series.insar.points import Points

if TYPE_CHECKING:
    from pandas import DataFrame

LONGEST = 60.0
"""Seconds that reading a file may take, beside those for its size."""

BYTES_A_SECOND = 5e6

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "PROJ_DATA", "PROJ_LIB")
"""Variables of the environment that the process gets: no address or password of the store is among them."""


@dataclass(frozen=True)
class _Answer:
    """What the process found, and the folder in which it left the numbers."""

    folder: Path
    crs: str
    times: NDArray[np.datetime64]
    count: int
    layers: tuple[str, ...]
    notes: tuple[str, ...]

    def numbers(self, name: str, dtype: type[np.generic], columns: int = 1) -> NDArray[Any]:
        found = np.fromfile(self.folder / name, dtype, self.count * columns)
        return found if columns == 1 else found.reshape(self.count, columns)


def points_of_h5(path: str | os.PathLike[str], name: str, *, crs: str = "") -> Points:
    """Read the points of a MintPy time series.

    Parameters
    ----------
    path
        The file; its content decides whether it is one.
    name
        What users call it.
    crs
        Coordinate system of a file that is in metres and does not say of which; empty for that of the file.

    Returns
    -------
    Points
        In mm along the line of sight. The attributes hold ``row`` and ``column`` of each pixel, and where the file has
        them ``temporal_coherence``, ``height`` (m), and the unit vector from the ground to the satellite as
        ``los_east``, ``los_north`` and ``los_up``.

    Raises
    ------
    QuestionError
        When its coordinates are in metres of an unknown system.
    UnsafeFileError
        When it points to other files, claims more than the limits, or makes the library that reads it fail.
    InputError
        When it is damaged, is no time series, says nowhere where its pixels lie, or has no pixel with a value.
    """
    import pandas as pd

    with _asked(path, Question("", name, crs)) as found:
        rows, columns = found.numbers("rows", np.int64), found.numbers("columns", np.int64)
        layers = {one: found.numbers(one, np.float32) for one in found.layers}
        return Points(
            _ids(rows, columns), found.numbers("x", np.float64), found.numbers("y", np.float64), found.crs, found.times,
            found.numbers("values", np.float32, len(found.times)), "line of sight",
            pd.DataFrame({"row": rows, "column": columns, **layers}), found.notes,
        )  # fmt: skip


def describe(path: str | os.PathLike[str], name: str) -> tuple[tuple[str, ...], int]:
    """Columns of the table of a time series (see `head`), and its points; every value is read once.

    Raises
    ------
    InputError
        See `points_of_h5`; what it would ask is left open here.
    """
    with _asked(path, Question("", name, values=False)) as found:
        places = () if not found.crs else ("longitude", "latitude")
        places = places if found.crs == DEGREES else (*places, "x", "y")
        return ("pid", *places, *found.layers, *_dates(found)), found.count


def head(path: str | os.PathLike[str], name: str, rows: int | None) -> DataFrame:
    """The first points of a time series as a table: ``pid, longitude, latitude, …``, ``d_YYYYMMDD`` in metres.

    Parameters
    ----------
    rows
        Most points; all when None.

    Raises
    ------
    InputError
        See `points_of_h5`; what it would ask is left open here.
    UnsafeFileError
        When the table would hold more than a table may.
    """
    import pandas as pd
    from pyproj import Transformer

    from core.series.table import check_size

    with _asked(path, Question("", name, rows=rows)) as found:
        check_size(name, found.count, len(found.times))
        table: dict[str, Any] = {"pid": _ids(found.numbers("rows", np.int64), found.numbers("columns", np.int64))}
        x, y = found.numbers("x", np.float64), found.numbers("y", np.float64)
        if found.crs == DEGREES:
            table |= {"longitude": x, "latitude": y}
        else:
            if found.crs:
                to_degrees = Transformer.from_crs(found.crs, DEGREES, always_xy=True)
                table["longitude"], table["latitude"] = to_degrees.transform(x, y)
            table |= {"x": x, "y": y}
        table |= {one: found.numbers(one, np.float32) for one in found.layers}
        values = found.numbers("values", np.float32, len(found.times)) / np.float32(1000)
        dates = pd.DataFrame(values, columns=_dates(found))
        return pd.concat([pd.DataFrame(table), dates], axis="columns").iloc[:rows]


def _ids(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.object_]:
    return np.array([f"r{row}c{column}" for row, column in zip(rows, columns, strict=True)], dtype=object)


def _dates(found: _Answer) -> list[str]:
    return [f"d_{str(one)[:10].replace('-', '')}" for one in found.times]


@contextmanager
def _asked(path: str | os.PathLike[str], question: Question) -> Iterator[_Answer]:
    """Have a file read by a process of its own; its numbers are there inside the ``with``."""
    file = regular_file(path)
    with tempfile.TemporaryDirectory(prefix="slidelens-h5-") as place:
        folder = Path(place)
        read_apart(Question(str(file), question.name, question.crs, question.rows, question.values), folder)
        said = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
        if "error" in said:
            raise _error(said)
        times = np.array(said["dates"], dtype="datetime64[ns]")
        yield _Answer(folder, said["crs"], times, said["count"], tuple(said["layers"]), tuple(said["notes"]))


def _error(said: dict[str, str]) -> LandslideError:
    if said["error"] == QuestionError.__name__:
        return QuestionError(said["asks"], said["what"], said["why"], said["remedy"])
    kinds = {one.__name__: one for one in (UnsafeFileError, StorageError)}
    return kinds.get(said["error"], InputError)(said["what"], said["why"], said["remedy"])


def read_apart(question: Question, folder: Path) -> None:
    """Run `core.series.insar.extract` in a process of its own.

    Raises
    ------
    UnsafeFileError
        When the process crashes, or does not end in time.
    """
    longest = LONGEST + Path(question.path).stat().st_size / BYTES_A_SECOND
    paths = [str(Path(__file__).resolve().parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    variables |= {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(  # noqa: S603  our own program, with paths of our own
            [sys.executable, "-m", "core.series.insar.extract", *arguments(question, folder, longest)], env=variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=longest, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise _failed(question.name, f"It was not read within {longest:,.0f} seconds.") from error
    if ended.returncode == -getattr(signal, "SIGXCPU", 0) < 0:
        raise _failed(question.name, f"It was not read within {longest:,.0f} seconds.")
    if ended.returncode < 0:
        raise _failed(question.name, "The HDF5 library crashes on it.")
    if ended.returncode:
        raise RuntimeError(f"reading {question.name} failed: {ended.stderr.decode('utf-8', 'replace')[-4_000:]}")


def _failed(name: str, why: str) -> UnsafeFileError:
    return UnsafeFileError(f"{name} is damaged or malicious.", why, "Copy or download it again.")
