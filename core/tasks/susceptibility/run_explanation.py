"""Why a model says what it says: contributions of factors over many cells, to one cell, or on every cell of a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.explain.tabular import Contributions, TableExplainer, deletion
from core.jobs.perform import known_run
from core.raster.folder import write_json
from core.raster.progress import stop_if
from core.raster.scene import Scene
from core.raster.write import writing
from core.runs.kinds import parameters_of
from core.runs.provenance import environment, now
from core.runs.records import Order
from core.runs.result import RunResult
from core.tasks.susceptibility.explainers import ADDITIVE, explainer_for, log_odds, sentence
from core.tasks.susceptibility.findings import cells_table
from core.tasks.susceptibility.index_map import said
from core.tasks.susceptibility.layers import DOMINANT, EFFECTS
from core.tasks.susceptibility.map_findings import read_cell
from core.tasks.susceptibility.map_result import BACKGROUND, FACTORS, SusceptibilityMap
from core.tasks.susceptibility.models import pipeline_of, title_of
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.run_map import fitted_models, parts_of
from core.tasks.susceptibility.sampling import frame_of
from core.tasks.susceptibility.validate import quiet
from core.wording import count, factor_words

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.perform import Job
    from core.raster.grid import Grid
    from core.runs.records import Run
    from core.runs.store import Store

TASK, KIND = "susceptibility", "explanation"

CONTRIBUTIONS, RECORD = "contributions", "explanation"
"""Roles of the contributions by cell (Parquet: see `table_of`), and of what is said of them (JSON)."""

BACKGROUND_CELLS = 1_000
"""Cells of the area that a model is compared with."""

SLOW_CELLS = 20_000
"""Cells of a raster that are explained for a model without a quick way; the raster is coarser then."""

DELETED = 300
"""Cells that faithfulness is measured on."""

BLOCK = 512

Target = Literal["model", "cell", "area"]


@dataclass(frozen=True)
class ExplainRequest:
    """What is to be explained.

    Attributes
    ----------
    model
        Name of a model of the run; of a map one that is mapped.
    target
        ``"model"``: over many cells; ``"cell"``: one cell; ``"area"``: every cell of a map, as rasters.
    row, column
        The cell of a map; of a table its row in the design matrix, and 0.
    cells
        Cells that a model is explained over at most.
    seed
        Of whatever is drawn.
    """

    model: str
    target: Target = "model"
    row: int = -1
    column: int = -1
    cells: int = 2_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 10 <= self.cells <= 20_000:
            raise InputError(f"The number of cells to explain, {self.cells:,}, is out of "
                             "range.", remedy="Choose 10 to 20,000.")


def order_explanation(result: SusceptibilityResult, request: ExplainRequest, *, owner: str = "") -> Order:
    """The order of an explanation of a run.

    Raises
    ------
    InputError
        When the run has no such model, or rasters are asked of a table.
    """
    known = result.mapped if isinstance(result, SusceptibilityMap) else result.models
    if request.model not in known:
        raise InputError(f"{request.model} cannot be explained in this run.", remedy=f"Choose from {', '.join(known)}.")
    if request.target == "area" and not isinstance(result, SusceptibilityMap):
        raise InputError("A table has no map to explain.", remedy="Explain the model or a single cell.")
    return Order(TASK, KIND, parameters_of(request), result.inputs, request.model, (result.id,), owner)


def known_explanation(store: Store, result: SusceptibilityResult, request: ExplainRequest) -> Run | None:
    """The run that answers a request or is to; without one, that which failed last."""
    return known_run(store, result.id, KIND, request)


@dataclass(frozen=True)
class _Subject:
    """A model of a run, ready to be explained."""

    name: str
    estimators: tuple[Any, ...]
    factors: tuple[str, ...]
    background: pd.DataFrame
    explainer: TableExplainer

    @classmethod
    def of(cls, result: SusceptibilityResult, request: ExplainRequest) -> _Subject:
        table = cells_table(result)
        factors, background = list(result.factors), table
        if isinstance(result, SusceptibilityMap):
            import pandas as pd

            estimators = fitted_models(result, request.model)
            background = pd.read_parquet(result.artifact(BACKGROUND)) if BACKGROUND in result.artifacts else table
        else:
            estimators = _refitted(result, table, request.model)
        rng = np.random.default_rng(request.seed)
        chosen = np.sort(rng.permutation(len(background))[:BACKGROUND_CELLS])
        drawn = background.iloc[chosen][factors].reset_index(drop=True)
        explainer = explainer_for(request.model, estimators, factors, drawn, request.seed)
        return cls(request.model, estimators, tuple(factors), drawn, explainer)

    def says(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """What the model says of rows, in the unit of its contributions or one that goes with it."""
        if len(self.estimators) == 1 and self.name in ADDITIVE:
            return log_odds(self.estimators[0], rows)
        return said(self.estimators, rows)


def _refitted(result: SusceptibilityResult, table: pd.DataFrame, name: str) -> tuple[Any, ...]:
    """Estimators of a validation, of which none is kept: fitted on all its cells."""
    from core.tasks.susceptibility.factors import kinds_of
    from core.tasks.susceptibility.folds import strictest

    kinds = kinds_of(result.factors, result.categorical, result.circular)
    seed, slide = int(result.provenance.get("seed", 0)), table["landslide"].to_numpy(bool)
    asked, scheme = result.provenance.get("parameters", {}), strictest(result.schemes)  # type: ignore[arg-type]
    how = {"weights": asked.get("weights", "none"), "monotone": asked.get("monotone", {})}
    with quiet():
        return tuple(
            pipeline_of(one, kinds, seed, result.scores[one][scheme].get("settings"), **how).fit(
                table[list(result.factors)], slide
            )
            for one in parts_of(name, result.models)
        )


def explain(job: Job, request: ExplainRequest) -> RunResult:
    """Do the work of a run of kind ``"explanation"``."""
    job.report(0, 0, "Reading the model")
    from core.runs.kinds import result_class

    parent_run = job.store.run(job.run.parents[0])
    parent = job.parent(result_class(parent_run.task, parent_run.kind))
    if not isinstance(parent, SusceptibilityResult):
        raise InputError("Only runs of susceptibility models can be explained in this way.")
    subject = _Subject.of(parent, request)
    if request.target == "area":
        return _area(job, request, parent, subject)
    rows, labels = _rows(parent, subject, request)
    found = subject.explainer.explain(rows, job.counting("Explaining, step"), job.stopped)
    values = {name: rows[name].iloc[0] for name in subject.factors}
    record: dict[str, Any] = _record(request, subject, found)
    if request.target == "cell":
        notes = (sentence(found, values, title_of(request.model)),)
    else:
        notes = (_overall(found, request.model, len(rows)),)
        record["faithfulness"] = _faithfulness(subject, found, rows)
        record["twin"] = _twin(parent, found, rows)
    write_json({**record, "sentence": notes[0]}, job.folder / "explanation.json")
    table_of(found, rows, labels).to_parquet(job.folder / "contributions.parquet", index=False)
    files = {RECORD: "explanation.json", CONTRIBUTIONS: "contributions.parquet"}
    return _result(job, parent, request, files, record, notes)


def _rows(
    parent: SusceptibilityResult, subject: _Subject, request: ExplainRequest
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The cells that are explained, and their numbers on the grid or rows in the design matrix."""
    import pandas as pd

    factors = list(subject.factors)
    if request.target == "cell":
        if isinstance(parent, SusceptibilityMap):
            reading = read_cell(parent, request.row, request.column)
            if not all(reading.values[name] is not None for name in factors):
                raise InputError("This cell has no value for at least one factor, so the models give no "
                                 "result for it.", remedy=(
                    "Choose another cell."
                ))
            return reading.frame(parent), np.array([request.row * parent.grid.width + request.column])
        table = cells_table(parent)
        if not 0 <= request.row < len(table):
            what = f"The design matrix has no row {request.row:,}."
            raise InputError(what, remedy=f"It has {count(len(table), 'row')}.")
        return table.iloc[[request.row]][factors].reset_index(drop=True), np.array([request.row])
    if isinstance(parent, SusceptibilityMap) and BACKGROUND in parent.artifacts:
        table = pd.read_parquet(parent.artifact(BACKGROUND))
        numbers = table["cell"].to_numpy(np.int64)
    else:
        table = cells_table(parent)
        numbers = np.arange(len(table))
    chosen = np.sort(np.random.default_rng(request.seed + 1).permutation(len(table))[: request.cells])
    return table.iloc[chosen][factors].reset_index(drop=True), numbers[chosen]


def table_of(found: Contributions, rows: pd.DataFrame, cells: NDArray[np.int64]) -> pd.DataFrame:
    """Contributions by cell: ``cell``, ``output``, ``value:FACTOR`` and ``effect:FACTOR``."""
    import pandas as pd

    values = {f"value:{name}": rows[name].to_numpy() for name in found.factors}
    effects = {f"effect:{name}": found.values[:, at] for at, name in enumerate(found.factors)}
    return pd.DataFrame({"cell": cells, "output": found.output, **values, **effects})


def read_table(table: pd.DataFrame, record: dict[str, Any]) -> tuple[Contributions, pd.DataFrame]:
    """Contributions and the factors of their cells, from what `table_of` and the record of an explanation hold."""
    import pandas as pd

    factors = tuple(record["factors"])
    values = np.column_stack([table[f"effect:{name}"].to_numpy(np.float64) for name in factors])
    rows = pd.DataFrame({name: table[f"value:{name}"] for name in factors})
    output = table["output"].to_numpy(np.float64)
    return Contributions(factors, values, float(record["base"]), output, record["scale"], record["method"]), rows


def _record(request: ExplainRequest, subject: _Subject, found: Contributions) -> dict[str, Any]:
    return {
        "model": request.model, "target": request.target, "row": request.row, "column": request.column,
        "factors": list(subject.factors), "base": found.base, "scale": found.scale, "method": found.method,
        "error": found.error, "cells": len(found.output), "compared_with": len(subject.background),
        "importance": dict(found.importance()),
    }  # fmt: skip


def _overall(found: Contributions, model: str, cells: int) -> str:
    first = [factor_words(name) for name, _ in found.importance()[:3]]
    return (
        f"{title_of(model)}: over {count(cells, 'cell')}, {', '.join(first[:-1])} and {first[-1]} contribute most."
        if len(first) > 1
        else f"{title_of(model)}: over {count(cells, 'cell')}, {first[0]} contributes most."
    )


def _faithfulness(subject: _Subject, found: Contributions, rows: pd.DataFrame) -> dict[str, Any]:
    """How much more replacing the factors that contribute most changes than replacing any."""
    most = min(DELETED, len(rows))
    curves = deletion(subject.says, rows.iloc[:most], found.values[:most], subject.factors, subject.background)
    return {
        "guided": curves.guided.tolist(), "random": curves.random.tolist(), "guided_area": curves.guided_area,
        "random_area": curves.random_area, "cells": most,
    }  # fmt: skip


def _twin(parent: SusceptibilityResult, found: Contributions, rows: pd.DataFrame) -> dict[str, Any] | None:
    """Rules of a small tree that says nearly what the model says, and how nearly; None for too few cells."""
    from core.explain.twin import FEWEST, twin_of
    from core.tasks.susceptibility.factors import sectors

    if len(rows) < FEWEST:
        return None
    worded = rows.copy()
    for name in parent.circular:
        worded[name] = sectors(rows[name].to_numpy(np.float64))
    twin = twin_of(worded, found.output)
    rules = [{"rule": str(one), "says": one.says, "share": one.share} for one in twin.rules]
    return {"rules": rules, "fidelity": twin.fidelity, "ranks": twin.ranks, "held_back": twin.held_back}


def _area(job: Job, request: ExplainRequest, parent: SusceptibilityResult, subject: _Subject) -> RunResult:
    """Rasters of the contributions of every factor, and of the one that contributes most."""
    if not isinstance(parent, SusceptibilityMap):
        raise InputError("A table has no map to explain.", remedy="Explain the model or a single cell.")
    scene = Scene.ours(parent.artifact(FACTORS))
    grid, step = _explained_grid(scene.grid, quick=subject.explainer.quick)
    worst, first = _write_rasters(job, parent, subject, scene, grid, step)
    notes = [f"Contributions of {count(len(subject.factors), 'factor')} to the output of {title_of(request.model)} for "
             "each cell."]
    if step > 1:
        notes.append(
            f"There is no fast explanation method for this model; only one in {step} cells in each direction was "
            f"explained, at most {SLOW_CELLS:,} cells."
        )
    record = {
        "model": request.model, "target": "area", "factors": list(subject.factors), "step": step, "error": worst,
        **first, "compared_with": len(subject.background),
    }  # fmt: skip
    write_json({**record, "sentence": notes[0]}, job.folder / "explanation.json")
    files = {RECORD: "explanation.json", EFFECTS: "effects.tif", DOMINANT: "dominant.tif"}
    return _result(job, parent, request, files, record, tuple(notes))


def _explained_grid(grid: Grid, *, quick: bool) -> tuple[Grid, int]:
    step = 1
    while not quick and -(-grid.width // step) * -(-grid.height // step) > SLOW_CELLS:
        step += 1
    if step == 1:
        return grid, 1
    from affine import Affine

    from core.raster.grid import Grid as Made

    transform = grid.transform @ Affine.scale(step, step)
    return Made(-(-grid.width // step), -(-grid.height // step), transform, grid.crs), step


def _write_rasters(
    job: Job, parent: SusceptibilityMap, subject: _Subject, scene: Scene, grid: Grid, step: int
) -> tuple[float, dict[str, Any]]:
    """Write the rasters block by block; the largest error of adding up, and base, scale and method."""
    names, bands = subject.factors, tuple(parent.bands.index(name) + 1 for name in subject.factors)
    side = BLOCK if step == 1 else max(grid.shape)
    blocks = [(row, column) for row in range(0, grid.height, side) for column in range(0, grid.width, side)]
    worst, first = 0.0, {}
    with (
        scene.reader() as reader,
        writing(job.folder / "effects.tif", grid, bands=len(names), dtype="float32", nodata=float("nan"),
                descriptions=names) as effects,
        writing(job.folder / "dominant.tif", grid, nodata=255, descriptions=(DOMINANT,),
                tags={"FACTORS": ",".join(names)}, overview_resampling="nearest") as dominant,
    ):  # fmt: skip
        for done, (row, column) in enumerate(blocks):
            stop_if(job.stopped)
            job.report(done, len(blocks), f"Explaining block {done + 1:,} of {len(blocks):,}")
            height, width = min(side, grid.height - row), min(side, grid.width - column)
            values = _sampled(reader, bands, (row, column, height, width), step, scene.grid)
            known = np.asarray(np.isfinite(values).all(axis=0))
            laid = np.full((len(names), height, width), np.nan, np.float32)
            most = np.full((height, width), 255, np.uint8)
            if known.any():
                rows = frame_of(values[:, known].T, names, parent.kinds)
                found = subject.explainer.explain(rows, cancel=job.stopped)
                worst = max(worst, found.error)
                first = {"base": found.base, "scale": found.scale, "method": found.method}
                laid[:, known] = found.values.T.astype(np.float32)
                most[known] = found.dominant()[0].astype(np.uint8)
            effects.write(laid, row, column)
            dominant.write(most, row, column)
    return worst, first


def _sampled(
    reader: Any, bands: Sequence[int], block: tuple[int, int, int, int], step: int, whole: Grid  # noqa: ANN401
) -> NDArray[np.float32]:
    """Values of a block of the coarser grid: of the cell in the middle of each of its cells."""
    row, column, height, width = block
    if step == 1:
        return np.asarray(reader.read(tuple(bands), Window(column, row, width, height)).values, dtype=np.float32)
    found = np.full((len(bands), height, width), np.nan, np.float32)
    for at in range(height):
        line = min((row + at) * step + step // 2, whole.height - 1)
        patch = reader.read(tuple(bands), Window(0, line, whole.width, 1)).values[:, 0]
        columns = np.minimum((column + np.arange(width)) * step + step // 2, whole.width - 1)
        found[:, at] = patch[:, columns]
    return found


def _result(
    job: Job, parent: SusceptibilityResult, request: ExplainRequest, files: dict[str, str], record: dict[str, Any],
    notes: tuple[str, ...],
) -> RunResult:  # fmt: skip
    return RunResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder, artifacts=files, inputs=parent.inputs,
        model=request.model, parents=job.run.parents, notes=notes,
        provenance={"finished": now(), **job.times(), "explained": record, **environment()},
    )  # fmt: skip


def file_of(run: Run, role: str) -> Path:
    """A file of a finished explanation.

    Raises
    ------
    InputError
        When it has none of that role.
    """
    found = run.artifact(role)
    if found is None:
        raise InputError("This explanation has no such file.", remedy="Explain it again.")
    return found.path
