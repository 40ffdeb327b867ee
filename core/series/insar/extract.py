"""Reading a MintPy time series in a process of its own: ``python -m core.series.insar.extract``.

The library that reads HDF5 can be brought to crash, or to go on without end, by a file made for it. So no other process
ever opens one: this reads the points and leaves them as plain numbers in a folder, where `core.series.insar.mintpy`
takes them from.
"""

from __future__ import annotations

import json
import math
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, LandslideError, StorageError, UnsafeFileError
from core.series.hdf5 import open_hdf5_untrusted
from core.series.insar.cube import LINE_OF_SIGHT, Cube, cube_of, parts_of
from core.series.insar.pixels import number_of
from core.series.insar.points import MOST_POINTS
from core.wording import agree, count

MOST_VALUES = 400_000_000
"""Values of all points together: four bytes each."""

MEMORY = 6 * 2**30
"""Bytes of address space of the process."""

ANSWER = "answer.json"


@dataclass(frozen=True)
class Question:
    """What is wanted of a file.

    Attributes
    ----------
    path, name
        The file, and what users call it.
    crs
        Coordinate system of a file in metres that does not say of which; None to leave it open.
    rows
        Points that are enough; None for all.
    values
        Whether their values are wanted, or their number alone.
    """

    path: str
    name: str
    crs: str | None = None
    rows: int | None = None
    values: bool = True


def extract(question: Question, folder: Path) -> dict[str, Any]:
    """Read the points and write them into a folder.

    Parameters
    ----------
    folder
        Where ``rows`` and ``columns`` (int64), ``x`` and ``y`` (float64), ``values`` (float32, the dates of a point
        together) and further columns (float32) are written, a file each.

    Returns
    -------
    dict
        ``crs``, ``dates``, ``count``, ``layers`` (names of further columns) and ``notes``.

    Raises
    ------
    LandslideError
        See `core.series.insar.mintpy.points_of_h5`.
    """
    with open_hdf5_untrusted(question.path, question.name) as contents, ExitStack() as open_files:
        cube = cube_of(contents, question.name, question.crs)
        files: dict[str, Any] = {}

        def write(name: str, values: NDArray[np.generic]) -> None:
            if name not in files:
                files[name] = open_files.enter_context((folder / name).open("wb"))
            values.tofile(files[name])

        count, masked, unknown, layers = 0, 0, 0, list[str]()
        for part in parts_of(cube, question.rows):
            count, masked = count + len(part.rows), masked + part.left_out
            _check_count(question.name, count, len(cube.times))
            layers = list(part.layers)
            if not question.values:
                continue
            unknown += int(np.isnan(part.values).sum())
            write("rows", part.rows.astype(np.int64))
            write("columns", part.columns.astype(np.int64))
            write("x", part.x)
            write("y", part.y)
            write("values", part.values)
            for name, layer in part.layers.items():
                write(name, layer)
            if question.rows is not None and count >= question.rows:
                break
        if not count:
            raise InputError(f"{question.name} has no pixel with a value.",
                             "All pixels are masked, zero or without a position.", "Check the mask.")  # fmt: skip
        return {
            "crs": cube.places.crs, "dates": [str(one)[:10] for one in cube.times], "count": count, "layers": layers,
            "notes": _notes(cube, layers, masked, unknown),
        }  # fmt: skip


def _check_count(name: str, count: int, dates: int) -> None:
    if count > MOST_POINTS or count * dates > MOST_VALUES:
        raise InputError(
            f"{name} holds too many points: at least {count:,} of {dates:,} dates.",
            f"The limit is {MOST_POINTS:,} points and {MOST_VALUES / 1e6:,.0f} million values.",
            "Clip it to the area, or reduce the number of pixels (MintPy: subset.py, multilook.py).",
        )  # fmt: skip


def _notes(cube: Cube, layers: list[str], masked: int, unknown: int) -> list[str]:
    attribute = cube.contents.attribute
    notes = ["Each pixel of the MintPy time series is a point; values were converted to mm."]
    if masked:
        notes.append(
            f"{count(masked, 'pixel')} without a value (masked, or zero at all dates) or a position "
            f"{agree(masked, 'was', 'were')} left out."
        )
    if unknown:
        notes.append(f"{count(unknown, 'value')} {agree(unknown, 'is', 'are')} unknown.")
    place = [number_of(attribute(one)) for one in ("REF_Y", "REF_X")]
    if all(math.isfinite(one) for one in place):
        degrees = [number_of(attribute(one)) for one in ("REF_LON", "REF_LAT")]
        where = f" (longitude {degrees[0]:.5f}, latitude {degrees[1]:.5f})" if all(map(math.isfinite, degrees)) else ""
        notes.append(f"Values are relative to the pixel in row {place[0]:.0f}, column {place[1]:.0f}{where}, which is "
                     "zero by definition.")  # fmt: skip
    if attribute("REF_DATE"):
        notes.append(f"Values are relative to {attribute('REF_DATE')[:10]}.")
    constant = [said for what, said in (("incidenceAngle", "incidence angle"), ("azimuthAngle", "azimuth"))
                if what not in cube.layers]  # fmt: skip
    if LINE_OF_SIGHT[0] in layers and constant:
        notes.append(f"The same {' and the same '.join(constant)} of the line of sight is used for all "
                     "points: the file holds none for each pixel.")  # fmt: skip
    return notes


def answer(question: Question, folder: Path) -> None:
    """Extract, and write what came of it as JSON: the points' description, or what is wrong with the file."""
    try:
        said = extract(question, folder)
    except LandslideError as error:
        said = _refusal(error)
    except MemoryError:
        said = _refusal(UnsafeFileError(f"{question.name} needs more memory than is allowed for a file.",
                                        remedy="Save it again in blocks of about 1 MB (h5repack)."))  # fmt: skip
    except OSError as error:
        said = _refusal(StorageError(f"The points of {question.name} cannot be written: {error.strerror}.",
                                     remedy="Free up disk space for temporary files."))  # fmt: skip
    (folder / ANSWER).write_text(json.dumps(said), encoding="utf-8")


def _refusal(error: LandslideError) -> dict[str, Any]:
    return {"error": type(error).__name__, "what": error.what, "why": error.why, "remedy": error.remedy,
            "asks": getattr(error, "asks", "")}  # fmt: skip


def arguments(question: Question, folder: Path, seconds: float) -> list[str]:
    """Arguments of the process; `seconds` of processor time end it, should nobody else."""
    return [json.dumps(asdict(question)), str(folder), f"{seconds:.0f}"]


def _main() -> None:
    try:
        import resource
    except ImportError:  # there is no such limit on Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]), int(sys.argv[3])))
    answer(Question(**json.loads(sys.argv[1])), Path(sys.argv[2]))


if __name__ == "__main__":
    _main()
