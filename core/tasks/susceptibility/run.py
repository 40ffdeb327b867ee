"""A validation of susceptibility models as a run: what the page, a worker and the command line call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.raster.folder import write_json
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.series.table import read_table_untrusted
from core.tasks.susceptibility.cells import Columns, cells_of
from core.tasks.susceptibility.folds import Scheme
from core.tasks.susceptibility.models import ANCHOR
from core.tasks.susceptibility.result import CELLS, SCORES, TABLE, SusceptibilityResult
from core.tasks.susceptibility.validate import Plan, table_of, validate

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.runs.records import DatasetRecord

TASK = "susceptibility"

SYNTHETIC = "This table is synthetic: made by a script, not measured."


@dataclass(frozen=True)
class Request:
    """What is asked of a table of labelled cells.

    Attributes
    ----------
    columns
        Which of its columns are what.
    models, schemes, folds, repeats, seed
        See `core.tasks.susceptibility.validate.Plan`.
    """

    columns: Columns
    models: tuple[str, ...] = (ANCHOR,)
    schemes: tuple[Scheme, ...] = field(default=("random", "spatial"))
    folds: int = 5
    repeats: int = 20
    seed: int = 0

    @property
    def plan(self) -> Plan:
        """How models are validated."""
        return Plan(self.models, self.schemes, self.folds, self.repeats, self.seed)


def order_of(table: DatasetRecord, request: Request, *, owner: str = "", name: str = "") -> Order:
    """The order of a validation on a table of the store."""
    inputs = (Input(TABLE, table.id, table.name, table.digest),)
    return Order(TASK, "validation", parameters_of(request), inputs, owner=owner, name=name)


def validate_table(job: Job, request: Request) -> SusceptibilityResult:
    """Do the work of a run of kind ``"validation"``."""
    job.report(0, 0, "Reading the table")
    dataset = job.store.dataset(job.run.input(TABLE).dataset_id)
    cells = cells_of(read_table_untrusted(dataset.path), request.columns, dataset.name)
    found = validate(cells, request.plan, job.counting("Fitting model"), job.stopped)
    job.report(0, 0, "Keeping the result")
    scores = {
        model: {scheme: found.scores[scheme][model].to_json() for scheme in found.scores} for model in request.models
    }
    write_json({"models": scores}, job.folder / "scores.json")
    table_of(cells, found).to_parquet(job.folder / "cells.parquet", index=False)
    return SusceptibilityResult(
        id=job.run.id,
        kind=job.run.kind,
        folder=job.folder,
        artifacts={SCORES: "scores.json", CELLS: "cells.parquet"},
        inputs=job.run.inputs,
        scores=scores,
        count=len(cells.landslide),
        landslides=int(cells.landslide.sum()),
        factors=tuple(map(str, cells.factors.columns)),
        categorical=cells.categorical,
        circular=cells.circular,
        notes=(*((SYNTHETIC,) if dataset.synthetic else ()), *cells.notes, *notes_of(request.plan, scores)),
        provenance={**job.times(), "parameters": dict(job.run.parameters), "seed": request.seed, **environment()},
    )


def notes_of(plan: Plan, scores: dict[str, dict[str, dict[str, object]]]) -> tuple[str, ...]:
    """What must be known of the scores."""
    notes = []
    for scheme in plan.schemes:
        skipped = {model: ours[scheme]["folds_skipped"] for model, ours in scores.items()}
        number = max(int(str(one)) for one in skipped.values())
        if number:
            notes.append(f"{number:,} folds of the validation {scheme!r} hold one class alone and were not scored.")
    if plan.repeats > 1 and {"spatial", "blocks"} & set(plan.schemes):
        notes.append(
            "Repeats divide the same cells anew and are not independent: their spread says how much a score depends on "
            "the division, not how sure it is."
        )
    return tuple(notes)
