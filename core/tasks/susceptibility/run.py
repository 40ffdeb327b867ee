"""A validation of susceptibility models as a run: what the page, a worker and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

from core.raster.folder import write_json
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.series.table import read_table_untrusted
from core.tasks.susceptibility.cells import Columns, cells_of
from core.tasks.susceptibility.folds import Scheme
from core.tasks.susceptibility.models import ANCHOR, CALIBRATED, UNWEIGHTED, Weights, title_of
from core.tasks.susceptibility.result import CELLS, SCORES, TABLE, SusceptibilityResult
from core.tasks.susceptibility.tuning import Tuning
from core.tasks.susceptibility.validate import LEAST_LEARNT, Plan, table_of, validate

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.runs.records import DatasetRecord

TASK = "susceptibility"

SYNTHETIC = "This table is synthetic: made by a script, not measured."

CP1252 = "cp1252"
"""Encoding of a table of dBase whose text is no UTF-8; see `core.series.dbase`."""

CODE_PAGE = "The table's text is no UTF-8 and was read as Windows-1252: check names with accents or other scripts."


@dataclass(frozen=True)
class Request:
    """What is asked of a table of labelled cells.

    Attributes
    ----------
    columns
        Which of its columns are what.
    models, schemes, folds, repeats, seed, tuning, trials, weights, monotone
        See `core.tasks.susceptibility.validate.Plan`.
    """

    columns: Columns
    models: tuple[str, ...] = (ANCHOR,)
    schemes: tuple[Scheme, ...] = field(default=("random", "spatial"))
    folds: int = 5
    repeats: int = 20
    seed: int = 0
    tuning: Tuning = "none"
    trials: int = 15
    weights: Weights = "none"
    monotone: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Columns, plan: Plan) -> Self:
        """A plan for a table."""
        return cls(columns, **{one.name: getattr(plan, one.name) for one in fields(plan)})

    @property
    def plan(self) -> Plan:
        """How models are validated."""
        return Plan(**{one.name: getattr(self, one.name) for one in fields(Plan)})


def order_of(table: DatasetRecord, request: Request, *, owner: str = "", name: str = "") -> Order:
    """The order of a validation on a table of the store."""
    inputs = (Input(TABLE, table.id, table.name, table.digest),)
    return Order(TASK, "validation", parameters_of(request), inputs, owner=owner, name=name)


def validate_table(job: Job, request: Request) -> SusceptibilityResult:
    """Do the work of a run of kind ``"validation"``."""
    job.report(0, 0, "Reading the table")
    dataset = job.store.dataset(job.run.input(TABLE).dataset_id)
    table = read_table_untrusted(dataset.path)
    cells = cells_of(table, request.columns, dataset.name)
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
        notes=(
            *((SYNTHETIC,) if dataset.synthetic else ()),
            *((CODE_PAGE,) if table.attrs.get("encoding") == CP1252 else ()),
            *cells.notes, *notes_of(request.plan, scores),
        ),
        provenance={**job.times(), "parameters": dict(job.run.parameters), "seed": request.seed, **environment()},
    )


def notes_of(plan: Plan, scores: dict[str, dict[str, dict[str, object]]]) -> tuple[str, ...]:
    """What must be known of the scores."""
    notes = []
    for scheme in plan.schemes:
        skipped = {model: ours[scheme]["folds_skipped"] for model, ours in scores.items()}
        number = max(int(str(one)) for one in skipped.values())
        if number:
            notes.append(f"{number:,} folds of the validation {scheme!r} hold one class alone, or leave fewer than "
                         f"{LEAST_LEARNT} cells of a class to learn from, and were not scored.")
    if plan.repeats > 1 and {"spatial", "blocks"} & set(plan.schemes):
        notes.append(
            "Repeats divide the same cells anew and are not independent: their spread says how much a score depends on "
            "the division, not how sure it is."
        )
    if plan.tuning != "none":
        notes.append(
            f"Settings were chosen for each fold by three inner folds of the other cells ({plan.tuning} search, at "
            f"most {plan.trials:,} trials), so scores hold for models with tuned settings."
        )
    if plan.weights == "balanced":
        notes.append("Both classes weighed the same, as if as many cells had a landslide as not.")
        notes += [f"{title_of(one)} takes no weights: it learnt from the cells as they are."
                  for one in plan.models if one in UNWEIGHTED]  # fmt: skip
        notes += [f"{title_of(one)}: its border heeds the weights, its probabilities are of the cells as they are."
                  for one in plan.models if one in CALIBRATED]  # fmt: skip
    return tuple(notes)
