"""Forecasts of a monitored slope as a run: what the page, a worker and the command line call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.raster.folder import write_json
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.series.append import appended
from core.series.columns import Columns
from core.series.corrections import Correction, apply_corrections
from core.series.drivers import DriverTable, read_drivers, with_drivers
from core.series.heads import read_series_table
from core.series.monitoring import Monitoring, RegularSeries
from core.series.read import monitoring_of
from core.series.regular import later, regular_of
from core.tasks.displacement.evaluate import Evaluation, Judged, evaluate
from core.tasks.displacement.forecasters import title_of
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.result import DRIVERS, FORECASTS, MEASURED, SCORES, SERIES, ForecastResult

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.perform import Job
    from core.runs.records import DatasetRecord

TASK = "displacement"
KIND = "forecast"

SYNTHETIC = "These series are synthetic: computed by a script, not measured."

EARLIER = "earlier"
"""Role of an earlier file of the same stations."""

TOLD = 3
"""Models whose scores are told while others are still evaluated, the best first."""

MOST_STATIONS = 50
"""Stations that are forecast in one run."""


@dataclass(frozen=True)
class ForecastRequest:
    """What is asked of a monitored slope.

    Attributes
    ----------
    columns
        Which columns of the table are what.
    plan
        Models, horizon and how they are evaluated.
    stations
        Names of those that are forecast; all when empty.
    step
        Length of a step; see `core.series.regular.regular_of`.
    corrections
        What is corrected in the readings, in this order.
    drivers
        How the file of rain, levels and other drivers is read, where there is one.
    """

    columns: Columns
    plan: Plan = field(default_factory=Plan)
    stations: tuple[str, ...] = ()
    step: str = "auto"
    corrections: tuple[Correction, ...] = ()
    drivers: DriverTable | None = None


def order_of(
    series: DatasetRecord, request: ForecastRequest, *, drivers: DatasetRecord | None = None,
    earlier: DatasetRecord | None = None, owner: str = "", name: str = "",
) -> Order:  # fmt: skip
    """The order of a forecast of a table of the store.

    Parameters
    ----------
    drivers
        A file of drivers beside it.
    earlier
        An earlier file of the same stations and columns, which it is joined to.
    """
    given = ((SERIES, series), (DRIVERS, drivers), (EARLIER, earlier))
    inputs = tuple(Input(role, one.id, one.name, one.digest) for role, one in given if one is not None)
    return Order(TASK, KIND, parameters_of(request), inputs, owner=owner, name=name)


def forecast(job: Job, request: ForecastRequest) -> ForecastResult:
    """Do the work of a run of kind ``"forecast"``."""
    from threadpoolctl import threadpool_limits

    job.report(0, 0, "Reading the table")
    dataset = job.store.dataset(job.run.input(SERIES).dataset_id)
    monitoring = monitoring_of(read_series_table(dataset.path), request.columns, dataset.name)
    identity = job.run.input(EARLIER).dataset_id
    if identity:
        earlier = job.store.dataset(identity)
        older = monitoring_of(read_series_table(earlier.path), request.columns, earlier.name)
        monitoring = appended(older, monitoring, earlier.name)
    monitoring = apply_corrections(monitoring, request.corrections)
    monitoring, synthetic = _with_drivers(job, request, monitoring)
    notes = [*([SYNTHETIC] if dataset.synthetic or synthetic else []), *monitoring.notes]
    series = _regular(monitoring, request, notes)
    found: dict[str, Evaluation] = {}
    with threadpool_limits(1):
        for number, one in enumerate(series):
            telling = _Telling(job, one.name, request.plan.all_models, number, len(series))
            try:
                found[one.name] = evaluate(one, request.plan, telling.progress, job.stopped, telling.finished)
            except InputError as error:
                if len(series) == 1:
                    raise
                notes.append(f"{one.name} was left out: {error}")
    if not found:
        raise InputError("No station could be forecast.", " ".join(notes[-3:]), "Choose another step or horizon.")
    job.report(0, 0, "Keeping the result")
    kept = [one for one in series if one.name in found]
    return _result(job, request, monitoring, kept, found, notes)


@dataclass
class _Telling:
    """Tells how far the evaluation of a station is, with the scores that are there already."""

    job: Job
    station: str
    names: tuple[str, ...]
    number: int
    stations: int
    errors: dict[str, float] = field(default_factory=dict)

    def finished(self, name: str, judged: Judged) -> None:
        self.errors[name] = judged.scores.rmse

    def progress(self, done: int, total: int) -> None:
        words = self.station if done >= total else f"{self.station}: {title_of(self.names[done])}"
        best = sorted((error, name) for name, error in self.errors.items() if error == error)[:TOLD]
        if best:
            words += f". RMSE so far: {', '.join(f'{title_of(name)} {error:.2f} mm' for error, name in best)}"
        self.job.report(self.number * total + done, self.stations * total, words)


def _with_drivers(job: Job, request: ForecastRequest, monitoring: Monitoring) -> tuple[Monitoring, bool]:
    """The slope with the drivers of a file of their own, and whether that file is synthetic."""
    identity = job.run.input(DRIVERS).dataset_id
    if bool(identity) != (request.drivers is not None):
        raise InputError(
            "A file of drivers and how it is read go together.",
            "The file is missing." if request.drivers is not None else "How the file is read is not said.",
            "Give both, or neither.",
        )  # fmt: skip
    if request.drivers is None:
        return monitoring, False
    dataset = job.store.dataset(identity)
    others = read_drivers(dataset.path, request.drivers, dataset.name)
    return with_drivers(monitoring, others, dataset.name), dataset.synthetic


def _regular(monitoring: Monitoring, request: ForecastRequest, notes: list[str]) -> list[RegularSeries]:
    """The stations that are asked for, on their steps."""
    names = request.stations or tuple(one.name for one in monitoring.stations)
    if len(names) > MOST_STATIONS:
        raise InputError(
            f"{len(names):,} stations are asked for; {MOST_STATIONS} are forecast at most.",
            remedy="Name those that matter (--stations).",
        )  # fmt: skip
    return [regular_of(monitoring, name, request.step, notes) for name in names]


def _result(
    job: Job, request: ForecastRequest, monitoring: Monitoring, series: Sequence[RegularSeries],
    found: Mapping[str, Evaluation], notes: list[str],
) -> ForecastResult:  # fmt: skip
    stations = {name: one.to_json() for name, one in found.items()}
    write_json({"stations": stations}, job.folder / "scores.json")
    series_table(series).to_parquet(job.folder / "series.parquet", index=False)
    measured_table(monitoring, tuple(found)).to_parquet(job.folder / "measured.parquet", index=False)
    forecast_table(found).to_parquet(job.folder / "forecasts.parquet", index=False)
    places = {one.name: one.place for one in monitoring.stations if one.place is not None and one.name in found}
    return ForecastResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder,
        artifacts={SERIES: "series.parquet", MEASURED: "measured.parquet", FORECASTS: "forecasts.parquet",
                   SCORES: "scores.json"},
        inputs=job.run.inputs, stations=stations, horizon=request.plan.horizon, test_share=request.plan.test_share,
        drivers={one.name: one.quantity for one in monitoring.drivers}, corrections=monitoring.corrections,
        zone=monitoring.zone, places=places, notes=(*dict.fromkeys(notes), *notes_of(request.plan, found)),
        provenance={
            **job.times(), "parameters": dict(job.run.parameters), "seed": request.plan.seed, **environment(),
        },
    )  # fmt: skip


def notes_of(plan: Plan, found: Mapping[str, Evaluation]) -> tuple[str, ...]:
    """What must be known of the scores."""
    notes = []
    for name, one in found.items():
        unscored = int((~one.problem.usable[one.parts.test]).sum())
        if unscored:
            notes.append(
                f"{unscored:,} of {len(one.parts.test):,} forecasts of {name} begin or end in a filled gap and are not "
                "scored."
            )
        notes += [f"{name}: {why}" for why in one.left_out.values()]
        absent = [driver for driver in plan.known_future if driver not in one.problem.series.drivers]
        if absent:
            notes.append(f"{name} has no {', '.join(absent)}.")
    if plan.known_future:
        notes.append(
            f"{', '.join(plan.known_future)}: taken to be known up to the target. In practice that is a plan or a "
            "weather forecast, with errors of its own, which these scores do not hold. Beyond the end of the series "
            "they are not known, and the forecast there takes what is usual of them (the median of the past)."
        )
    return tuple(notes)


def series_table(series: Sequence[RegularSeries]) -> pd.DataFrame:
    """Series on their steps, one below the other."""
    import pandas as pd

    parts = [
        pd.DataFrame({"station": one.name, "time": one.times, "displacement": one.displacements, "filled": one.filled,
                      **one.drivers})
        for one in series
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def measured_table(monitoring: Monitoring, names: Sequence[str]) -> pd.DataFrame:
    """What was measured of some stations, one below the other."""
    import pandas as pd

    parts = [
        pd.DataFrame({"station": one.name, "time": one.times, "displacement": one.displacements, **one.components})
        for one in monitoring.stations if one.name in names
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def forecast_table(found: Mapping[str, Evaluation]) -> pd.DataFrame:
    """All forecasts of the test part, and those beyond the end of the series, whose target is not measured yet."""
    import pandas as pd

    parts: list[pd.DataFrame] = []
    for station, one in found.items():
        problem, times = one.problem, one.problem.series.times
        beyond = later(times, problem.series.step, problem.horizon)[-1:]
        for model, judged in one.models.items():
            origins = judged.walked.origins
            forecasts = np.append(judged.walked.forecast, judged.ahead)
            widths = np.append(judged.widths, judged.ahead_width)
            parts.append(pd.DataFrame({
                "station": station, "model": model, "origin": np.append(times[origins], times[-1:]),
                "target": np.append(times[origins + problem.horizon], beyond), "forecast": forecasts,
                "low": forecasts - widths, "high": forecasts + widths,
                "measured": np.append(problem.increments[origins], np.nan),
                "scored": np.append(problem.usable[origins], False),
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)
