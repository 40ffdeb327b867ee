"""Explanations of a finished run as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.jobs.perform import run_in_process
from core.raster.folder import copy_file
from core.raster.write import atomic_path
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run_explanation import (
    RECORD,
    ExplainRequest,
    explainable,
    order_explanation,
    read_explanation,
)

if TYPE_CHECKING:
    from core.runs.store import Store


def model_to_explain(result: ForecastResult, station: str, model: str = "") -> str:
    """The model that is asked for; else the chosen one, or the best on the training part that can be explained.

    Raises
    ------
    InputError
        When none of the run can be explained.
    """
    if model:
        return model
    known = explainable(result, station)
    if not known:
        raise InputError(
            f"None of the models of {station} uses features, so their forecasts cannot be explained.",
            remedy="Add one of ridge, random_forest, xgboost (--models).",
        )  # fmt: skip
    chosen = str(result.stations[station]["chosen"])
    if chosen in known:
        return chosen
    return min(known, key=lambda one: (error := result.of(station, one, "training_rmse")) != error or error)


def write_explanations(
    store: Store, result: ForecastResult, model: str, event: Sequence[str], folder: Path | None
) -> Iterator[str]:
    """Explain a model at each station of a run, and tell what was found, a sentence at a time.

    Parameters
    ----------
    model
        Its name; empty for that of `model_to_explain`.
    event
        Two days whose rain is taken away; empty for the wettest time.
    folder
        Where ``NN_contributions.csv``, ``.png`` and ``NN_explanation.json`` are written, NN the number of the station;
        None for nowhere.

    Raises
    ------
    LandslideError
        When a station cannot be explained or a file cannot be written.
    """
    from core.tasks.displacement.figure import draw_contributions

    since, until = event or ("", "")
    for number, station in enumerate(result.names):
        request = ExplainRequest(station, model_to_explain(result, station, model), since, until)
        identity = run_in_process(store, order_explanation(result, request))
        made = store.result(identity)
        table, record = read_explanation(made)
        yield from (f"{station}, {request.model}: {one}" for one in made.notes)
        if folder is None:
            continue
        # A name of ours: that of a station comes from a file.
        name = f"{number + 1:02d}"
        with atomic_path(folder / f"{name}_contributions.csv") as aside:
            table.to_csv(aside, index=False)
        copy_file(made.artifact(RECORD), folder / f"{name}_explanation.json")
        figure = draw_contributions(table, [str(one) for one, _ in record["importance"]])
        with atomic_path(folder / f"{name}_contributions.png") as aside:
            figure.savefig(aside, format="png")
