"""The run of kind ``"point_velocity"``: how each of many InSAR points moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.scene import Scene
from core.raster.write import write_array
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.series.insar.geometry import cells_table, east_and_up
from core.series.insar.ground import ground_under
from core.series.insar.motion import Motion, motion_of
from core.series.insar.points import Points
from core.series.insar.read import read_points
from core.series.insar.reference import relative_to
from core.series.insar.slope import along_slope
from core.series.insar.track import line_of_sight, track_of
from core.tasks.displacement.points_grid import grid_over, mean_raster, place, to_degrees
from core.tasks.displacement.points_result import (
    ACCELERATION,
    CELLS,
    COLUMNS,
    EAST,
    FURTHER,
    POINTS,
    RASTERS,
    SEASONALITY,
    SLOPE_VELOCITY,
    UP,
    VALUES,
    VELOCITY,
    PointsResult,
    write_values,
)
from core.tasks.displacement.result import SERIES

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.perform import Job
    from core.runs.records import DatasetRecord

TASK = "displacement"
KIND = "point_velocity"

DEM, OTHER = "dem", "other_orbit"
"""Roles of an elevation model, and of the points of a second orbit."""

MOST_ATTRIBUTES = 60
"""Further columns of the file that are kept."""

SURE = 3.0
"""Standard errors from zero beyond which a point is said to move."""

STEPS_NOTE = (
    "Steps are candidates: noise that goes on from date to date looks like one. Look at the series before a step is "
    "believed."
)


@dataclass(frozen=True)
class PointsRequest:
    """What is asked of a table of InSAR points.

    Attributes
    ----------
    unit
        Of the values; empty for that of the convention of the file.
    crs
        Coordinate system of eastings and northings; empty for that of the convention.
    cell
        Side of the cells of the rasters in metres; 0 for the usual distance of a point to the next one.
    reference
        Longitude and latitude of a place that is taken to be stable, and a radius in metres: the mean series of the
        points within is taken from all. Empty for none.
    """

    unit: Literal["", "mm", "m"] = ""
    crs: str = ""
    cell: float = 0.0
    reference: tuple[float, ...] = ()
    east_up_cell: float = 100.0


def order_of(
    table: DatasetRecord, request: PointsRequest, *, dem: DatasetRecord | None = None,
    other: DatasetRecord | None = None, owner: str = "", name: str = "",
) -> Order:  # fmt: skip
    """The order of a run on a table of the store.

    Parameters
    ----------
    dem
        Elevation model by which motion is brought along the slope.
    other
        Points of the other orbit, with which motion is divided into east and up.
    """
    given = ((SERIES, table), (DEM, dem), (OTHER, other))
    inputs = tuple(Input(role, one.id, one.name, one.digest) for role, one in given if one is not None)
    return Order(TASK, KIND, parameters_of(request), inputs, owner=owner, name=name)


def measure(job: Job, request: PointsRequest) -> PointsResult:
    """Do the work of a run of kind ``"point_velocity"``."""
    job.report(0, 0, "Reading the table")
    dataset = job.store.dataset(job.run.input(SERIES).dataset_id)
    points = points_in(dataset, request)
    motion = motion_of(points, job.counting("Fitting points"), job.stopped)
    x, y, crs = place(points.x, points.y, points.crs)
    grid, notes = grid_over(x, y, crs, request.cell)
    table = table_of(points, motion, x, y)
    further = _Further(job, request, points, motion, dataset.name, (x, y, crs))
    spans = {**further.along_slope(table), **further.east_and_up()}
    job.report(0, 0, "Writing points and rasters")
    table.to_parquet(job.folder / "points.parquet", index=False)
    write_values(str(job.folder / "values.parquet"), points.times, points.values)
    values = {VELOCITY: motion.velocity, ACCELERATION: motion.acceleration, SEASONALITY: motion.seasonality}
    for role, title in RASTERS.items():
        write_array(job.folder / f"{role}.tif", grid, mean_raster(grid, x, y, values[role]), nodata=np.nan,
                    descriptions=(title,))  # fmt: skip
    synthetic = ("These points are synthetic: computed by a script, not measured.",) if dataset.synthetic else ()
    stepped = int((motion.step_at >= 0).sum())
    unfit = int(np.isnan(motion.velocity).sum())
    told = (
        *synthetic, *points.notes, *notes, *further.notes,
        *((f"{unfit:,} points have too few values for a velocity.",) if unfit else ()),
        *((f"{stepped:,} points have a step that stands out of their residual. {STEPS_NOTE}",) if stepped else ()),
    )  # fmt: skip
    days = [str(one)[:10] for one in (points.times[0], points.times[-1])]
    return PointsResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder, inputs=job.run.inputs, grid=grid, count=len(points),
        artifacts={POINTS: "points.parquet", VALUES: "values.parquet", **{role: f"{role}.tif" for role in RASTERS},
                   **further.artifacts},
        dates=len(points.times), first=days[0], last=days[1], direction=points.direction,
        summary=_summary(motion, grid.transform.a), notes=told,
        spans={**{name: _span(one) for name, one in values.items()}, **spans},
        provenance={**job.times(), "parameters": dict(job.run.parameters), **environment()},
    )  # fmt: skip


@dataclass
class _Further:
    """What an elevation model or the points of a second orbit add."""

    job: Job
    request: PointsRequest
    points: Points
    motion: Motion
    name: str
    at: tuple[NDArray[np.float64], NDArray[np.float64], str]
    notes: list[str] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)

    def along_slope(self, table: pd.DataFrame) -> dict[str, float]:
        """Add the velocity along the slope to the table of points; the end of its colours, or nothing."""
        dem = self.job.run.input(DEM).dataset_id
        if not dem:
            return {}
        self.job.report(0, 0, "Reading slopes")
        record = self.job.store.dataset(dem)
        ground = ground_under(Scene.open(record.path, record.name), *self.at)
        los = line_of_sight(self.points, self.name)
        found = along_slope(self.motion.velocity, self.motion.velocity_sd, los, ground.slope, ground.aspect)
        table[SLOPE_VELOCITY], table["slope_velocity_sd"] = found.velocity, found.velocity_sd
        table["slope"], table["aspect"], table["slope_cosine"] = ground.slope, ground.aspect, found.cosine
        self.notes += [*ground.notes, *found.notes]
        return {SLOPE_VELOCITY: _span(found.velocity)}

    def east_and_up(self) -> dict[str, float]:
        """Write cells and rasters of the motion to the east and up; the ends of their colours, or nothing."""
        other = self.job.run.input(OTHER).dataset_id
        if not other:
            return {}
        self.job.report(0, 0, "Reading the other orbit")
        record = self.job.store.dataset(other)
        points = points_in(record, self.request)
        motion = motion_of(points, self.job.counting("Fitting points of the other orbit"), self.job.stopped)
        crs = self.at[2]
        tracks = (track_of(self.points, self.motion, crs, self.name), track_of(points, motion, crs, record.name))
        found = east_and_up(*tracks, self.request.east_up_cell)
        cells_table(found).to_parquet(self.job.folder / "cells.parquet", index=False)
        grid, notes = grid_over(found.x, found.y, crs, found.cell)
        values = {EAST: found.east, UP: found.up}
        for role, one in values.items():
            write_array(self.job.folder / f"{role}.tif", grid, mean_raster(grid, found.x, found.y, one), nodata=np.nan,
                        descriptions=(FURTHER[role],))  # fmt: skip
        self.artifacts |= {CELLS: "cells.parquet", EAST: "east.tif", UP: "up.tif"}
        self.notes += [*found.notes, *notes]
        return {role: _span(one) for role, one in values.items()}


def points_in(dataset: DatasetRecord, request: PointsRequest) -> Points:
    """The points of a dataset, relative to the reference that is asked for.

    Raises
    ------
    LandslideError
        When they cannot be read.
    """
    points = read_points(dataset.path, dataset.name, unit=request.unit, crs=request.crs)
    if not request.reference:
        return points
    if len(request.reference) != 3:
        raise InputError("A reference is a longitude, a latitude and a radius.",
                         remedy="Give all three (--reference LON,LAT,RADIUS).")  # fmt: skip
    return relative_to(points, *request.reference)


def table_of(points: Points, motion: Motion, x: NDArray[np.float64], y: NDArray[np.float64]) -> pd.DataFrame:
    """All points with how they move, and the columns of their file; see `core.tasks.displacement.points_result.POINTS`.

    A column of the file whose name is one of ours is called ``…_file``.
    """
    import pandas as pd

    lon, lat = to_degrees(points.x, points.y, points.crs)
    dates = points.times.astype("datetime64[D]").astype(str)
    step_date = np.where(motion.step_at >= 0, dates[motion.step_at], "")
    ours = pd.DataFrame({
        "pid": points.ids.astype(str), "x": x, "y": y, "longitude": lon, "latitude": lat, "velocity": motion.velocity,
        "velocity_sd": motion.velocity_sd, "acceleration": motion.acceleration,
        "acceleration_sd": motion.acceleration_sd, "seasonality": motion.seasonality, "rmse": motion.rmse,
        "outliers": motion.outliers, "step": motion.step, "step_date": step_date, "known": motion.known,
    })  # fmt: skip
    others = points.attributes.iloc[:, :MOST_ATTRIBUTES]
    taken = {one.lower() for one in COLUMNS}
    others = others.rename(columns={one: f"{one}_file" for one in others.columns if str(one).lower() in taken})
    others = others.drop(columns=[one for one in others.columns if str(one) in ("pid_file", "")])
    texts = {one: others[one].astype(str) for one in others.columns if others[one].dtype == object}
    return pd.concat([ours, others.assign(**texts)], axis=1)


def _summary(motion: Motion, cell: float) -> Mapping[str, Any]:
    known = motion.velocity[np.isfinite(motion.velocity)]
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95]) if known.size else (np.nan,) * 3
    moving = np.abs(motion.velocity) > SURE * motion.velocity_sd
    return {
        "q05": float(low), "q50": float(middle), "q95": float(high), "moving": int(moving.sum()),
        "stepped": int((motion.step_at >= 0).sum()), "cell": float(cell),
    }  # fmt: skip


def _span(values: NDArray[np.float64]) -> float:
    """Value at which the colours of a raster end: a round one near the 98th percentile of all sizes."""
    sizes = np.abs(values[np.isfinite(values)])
    usual = float(np.quantile(sizes, 0.98)) if sizes.size else 1.0
    if usual <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(usual))
    return float(next(power * step for step in (1, 1.5, 2, 3, 5, 7.5, 10) if power * step >= usual * 0.999))
