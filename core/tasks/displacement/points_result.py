"""What a run on InSAR points leaves: how each point moves, its series, and rasters of the mean per cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError
from core.runs.result import GridResult

if TYPE_CHECKING:
    import pandas as pd

POINTS, VALUES = "points", "values"
"""Roles of the table of points (Parquet, a row a point: `COLUMNS`, then those of the file) and of their series
(Parquet: a row a point in the same order, a column a date, mm)."""

VELOCITY, ACCELERATION, SEASONALITY = "velocity", "acceleration", "seasonality"
"""Roles of the rasters, and names of their layers: means of the points of each cell, NaN without any."""

SLOPE_VELOCITY, EAST, UP = "slope_velocity", "east", "up"
"""Names of further layers: a column of the table of points, where an elevation model was given, and rasters of the
motion to the east and up, where points of a second orbit were. `CELLS` is the role of the cells of those (Parquet)."""

CELLS = "cells"

FURTHER: Mapping[str, str] = {
    SLOPE_VELOCITY: "Velocity along the slope (mm/year)", EAST: "Velocity to the east (mm/year)",
    UP: "Velocity upwards (mm/year)",
}  # fmt: skip

RASTERS: Mapping[str, str] = {
    VELOCITY: "Velocity (mm/year)", ACCELERATION: "Acceleration (mm/year²)", SEASONALITY: "Annual amplitude (mm)",
}  # fmt: skip

COLUMNS = ("pid", "x", "y", "longitude", "latitude", "velocity", "velocity_sd", "acceleration", "acceleration_sd",
           "seasonality", "rmse", "outliers", "step", "step_date", "known")  # fmt: skip
"""mm, mm a year and mm a year²; x and y in the CRS of the grid; ``step`` in mm and its date where one stands out."""

AT_ONCE = 4_096
"""Points of a row group of the file of series: so many are read to see one."""


@dataclass(frozen=True, kw_only=True)
class PointsResult(GridResult):
    """How InSAR points move.

    Attributes
    ----------
    count
        Points.
    dates
        How many dates; of the first to the last in `first` and `last`, as YYYY-MM-DD.
    direction
        Along which it was measured; empty where the file does not say it.
    summary
        Quantiles of the velocity (``q05``, ``q50``, ``q95``) in mm a year, ``moving`` (points whose velocity is more
        than three standard errors from zero), ``stepped`` (points with a step that stands out), ``cell`` in metres.
    spans
        By layer, the value at which its colours end.
    """

    count: int
    dates: int
    first: str
    last: str
    direction: str
    summary: Mapping[str, float]
    spans: Mapping[str, float]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that it can show, the velocity first."""
        return tuple(one for one in (*RASTERS, *FURTHER) if one in self.spans)

    def metrics(self) -> dict[str, float]:
        """See `RunResult`."""
        return {"points": float(self.count), "velocity50": float(self.summary["q50"])}

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {
            **super().to_json(), "count": self.count, "dates": self.dates, "first": self.first, "last": self.last,
            "direction": self.direction, "summary": dict(self.summary), "spans": dict(self.spans),
        }  # fmt: skip

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **super()._fields(content), "count": int(content["count"]), "dates": int(content["dates"]),
            "first": content["first"], "last": content["last"], "direction": content["direction"],
            "summary": content["summary"], "spans": content["spans"],
        }  # fmt: skip


def points_table(result: PointsResult) -> pd.DataFrame:
    """All points; see `POINTS`.

    Raises
    ------
    StorageError
        When they are gone.
    """
    return _table(result, POINTS)


def cells_of(result: PointsResult) -> pd.DataFrame:
    """Cells with their motion to the east and up; see `core.series.insar.geometry.cells_table`.

    Raises
    ------
    StorageError
        When there are none.
    """
    return _table(result, CELLS)


def _table(result: PointsResult, role: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(result.artifact(role))
    except (OSError, ValueError) as error:
        raise StorageError(f"The {role} of run {result.id[:8]} cannot be read.", str(error), (
            "Repeat the run."
        )) from error


def values_of(result: PointsResult, rows: Sequence[int]) -> tuple[NDArray[np.datetime64], NDArray[np.float32]]:
    """Dates ``(d,)`` and series ``(n, d)`` in mm of some points, by their row in the table of points.

    Raises
    ------
    StorageError
        When they are gone.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(result.artifact(VALUES))
        times = np.array(file.schema_arrow.names, dtype="datetime64[D]")
        groups: dict[int, Any] = {}
        found = np.empty((len(rows), len(times)), np.float32)
        for at, row in enumerate(rows):
            group, within = divmod(int(row), AT_ONCE)
            if group not in groups:
                groups[group] = file.read_row_group(group)
            found[at] = [column[within].as_py() for column in groups[group].columns]
    except (OSError, ValueError, IndexError, pyarrow.ArrowException) as error:
        raise StorageError(f"The series of run {result.id[:8]} cannot be read.", str(error), (
            "Repeat the run."
        )) from error
    return times, found


def write_values(path: str, times: NDArray[np.datetime64], values: NDArray[np.float32]) -> None:
    """Write series ``(n, d)`` so that few are read quickly."""
    import pyarrow
    import pyarrow.parquet as parquet

    names = [str(one) for one in times.astype("datetime64[D]")]
    table = pyarrow.table({name: np.ascontiguousarray(values[:, at]) for at, name in enumerate(names)})
    parquet.write_table(table, path, row_group_size=AT_ONCE)
