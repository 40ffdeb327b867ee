"""The two kinds of runs: lines fitted to a table, and which of its rows a line leans on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas

from core.errors import InputError
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.runs.result import RunResult
from core.series.table import read_table_untrusted
from tests.toy.result import TABLE, Trend, Trends

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.runs.records import DatasetRecord, Run

NAME, LEVELS = "wells", "levels"


@dataclass(frozen=True)
class Request:
    """What is asked of a table: how many of its last rows to take, all when 0."""

    last: int = 0


@dataclass(frozen=True)
class Question:
    """What is asked of a run of trends: the column to be explained."""

    column: str


def order_trends(table: DatasetRecord, request: Request, *, owner: str = "", name: str = "") -> Order:
    """The order of the trends of a table of the store."""
    inputs = (Input(LEVELS, table.id, table.name, table.digest),)
    return Order(NAME, "trends", parameters_of(request), inputs, owner=owner, name=name)


def order_influence(result: Trends, column: str, *, owner: str = "") -> Order:
    """The order of the influence of each row on the trend of a column."""
    asked = parameters_of(Question(column))
    return Order(NAME, "influence", asked, result.inputs, parents=(result.id,), owner=owner)


def compute_trends(job: Job, request: Request) -> Trends:
    """Fit a line to each column of the table."""
    levels = _levels(job, request.last)
    trends = []
    for column in levels.columns:
        job.report(len(trends), levels.shape[1], f"Column {column}")
        values = levels[column].to_numpy(float)
        trends.append(Trend(str(column), float(values.mean()), _slope(values)))
    pandas.DataFrame([asdict(one) for one in trends]).to_csv(job.folder / "trends.csv", index=False)
    return Trends(**_about(job, {TABLE: "trends.csv"}), trends=tuple(trends))


def compute_influence(job: Job, request: Question) -> RunResult:
    """Fit the line of a column once without each row: by how much it is steeper with the row than without."""
    explained = job.parent(Trends)
    levels = _levels(job, int(job.store.run(explained.id).parameters["last"]))
    if request.column not in levels.columns:
        raise InputError(f"The table has no column {request.column!r}.", remedy=f"Choose of {', '.join(levels)}.")
    values = levels[request.column].to_numpy(float)
    change = [_slope(values) - _slope(values, without=row) for row in range(len(values))]
    table = pandas.DataFrame({"row": range(1, len(values) + 1), "change": change})
    table.to_csv(job.folder / "influence.csv", index=False)
    most = int(np.abs(change).argmax()) + 1
    note = f"Row {most} changes the trend of {request.column} most, by {change[most - 1]:+.3f}."
    return RunResult(**_about(job, {"influence": "influence.csv"}), notes=(note,))


def address_of_influence(run: Run) -> tuple[str, dict[str, str]]:
    """Where an influence is seen: on the page of the run that it explains."""
    return NAME, {"run": run.parents[0], "why": run.id}


def _levels(job: Job, last: int) -> pandas.DataFrame:
    dataset = job.store.dataset(job.run.input(LEVELS).dataset_id)
    levels = read_table_untrusted(dataset.path).select_dtypes("number")
    levels = levels.tail(last) if last else levels
    if len(levels) < 3 or levels.shape[1] == 0:
        raise InputError(f"{dataset.name} has too little to fit a line to.", remedy="Give three rows of numbers.")
    return levels


def _slope(values: np.ndarray, without: int | None = None) -> float:
    rows = np.arange(len(values))
    kept = rows != (-1 if without is None else without)
    return float(np.polyfit(rows[kept], values[kept], 1)[0])


def _about(job: Job, artifacts: dict[str, str]) -> dict[str, Any]:
    run = job.run
    record = {**job.times(), "parameters": dict(run.parameters), **environment()}
    return {
        "id": run.id, "kind": run.kind, "folder": Path(job.folder), "artifacts": artifacts, "inputs": run.inputs,
        "parents": run.parents, "provenance": record,
    }  # fmt: skip
