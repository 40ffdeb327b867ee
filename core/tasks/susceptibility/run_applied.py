"""Fitted models of a run applied to another area, of which the same factors are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.jobs.perform import request_of
from core.raster.scene import Scene
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.tasks.susceptibility.area import Area, write_factors
from core.tasks.susceptibility.index_map import MapJob, Mapped
from core.tasks.susceptibility.landslides import InventoryPlan, landslides_of
from core.tasks.susceptibility.map_result import DEM, FACTOR, FACTORS, INVENTORY, SusceptibilityMap
from core.tasks.susceptibility.result import CELLS, SCORES
from core.tasks.susceptibility.run_map import TASK, applicability_of, fitted_models, scene_of, seen_classes
from core.tasks.susceptibility.synthetic import synthetic_notes
from core.wording import agree, count

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.raster.grid import Grid
    from core.runs.records import DatasetRecord

KIND = "susceptibility_elsewhere"

ALIKE = 1.25
"""How many times as wide cells may be without a word on it."""

ELSEWHERE = (
    "The models were fitted and validated on another area: their scores do not show how well they perform here. Rely "
    "on the map only where the terrain is like that of the training cells."
)


@dataclass(frozen=True)
class ApplyRequest:
    """What is asked of fitted models.

    Attributes
    ----------
    inventory
        How an inventory of the area is read, if one is given to count landslides by class.
    """

    inventory: InventoryPlan = InventoryPlan()


def order_of(
    parent: SusceptibilityMap, dem: DatasetRecord | None, factors: Sequence[DatasetRecord],
    inventory: DatasetRecord | None, request: ApplyRequest | None = None, *, owner: str = "", name: str = "",
) -> Order:  # fmt: skip
    """The order of applying the models of a map to other data.

    Raises
    ------
    InputError
        When not as many rasters are given as the models learnt from.
    """
    if parent.kind == KIND:
        raise InputError(
            f"Run {parent.id[:8]} applied models that were fitted in another run.",
            remedy="Give the run in which they were fitted (--run).",
        )
    expected = sum(one.role == FACTOR for one in parent.inputs)
    if len(factors) != expected or (dem is None) != (not parent.input(DEM).dataset_id):
        with_dem = "an elevation model and " if parent.input(DEM).dataset_id else ""
        raise InputError(
            f"The models were trained on {with_dem}{count(expected, 'factor raster')}; {len(factors)} "
            f"{agree(len(factors), 'was', 'were')} given.",
            "Each factor that they use must be available for the other area.",
            "Give the same factors in the same order.",
        )  # fmt: skip
    given = [*([(DEM, dem)] if dem is not None else []), *((FACTOR, one) for one in factors)]
    given += [] if inventory is None else [(INVENTORY, inventory)]
    inputs = tuple(Input(role, one.id, one.name, one.digest) for role, one in given)
    asked = parameters_of(request or ApplyRequest())
    return Order(TASK, KIND, asked, inputs, parent.model, (parent.id,), owner=owner, name=name)


def map_elsewhere(job: Job, request: ApplyRequest) -> SusceptibilityMap:
    """Do the work of a run of kind ``"susceptibility_elsewhere"``."""
    job.report(0, 0, "Reading the models")
    parent = job.parent(SusceptibilityMap)
    asked = request_of(job.store.run(parent.id))
    records = {one.role: job.store.dataset(one.dataset_id) for one in job.run.inputs if one.role != FACTOR}
    rasters = [job.store.dataset(one.dataset_id) for one in job.run.inputs if one.role == FACTOR]
    dem = scene_of(records[DEM]) if DEM in records else None
    area = Area.of(asked.area, dem, [scene_of(one) for one in rasters])
    written = write_factors(area, job.folder / "factors.tif", job.counting("Writing factors, part"), job.stopped)
    scene = Scene.ours(job.folder / "factors.tif", FACTORS)
    inventory = records.get(INVENTORY)
    slides = None
    if inventory is not None:
        slides = landslides_of(inventory.path, inventory.form, request.inventory, scene.grid, inventory.name)
    models = tuple(Mapped(name, fitted_models(parent, name)) for name in parent.mapped)
    likeness = applicability_of(parent)
    work = MapJob(
        scene, parent.bands, parent.factors, parent.kinds, models, slides, seen_classes(parent), likeness
    )
    counts = work.write(job.folder, job.counting("Mapping, part"), job.stopped)
    unseen = [
        f"{count(number, 'cell')} {agree(number, 'has', 'have')} a class of {name} that no training cell has."
        for name, number in counts.unseen.items()
        if number
    ]
    made = {path.stem: path.name for path in job.folder.glob("*.tif")}
    return SusceptibilityMap(
        id=job.run.id, kind=job.run.kind, folder=job.folder, model=parent.model, inputs=job.run.inputs,
        parents=job.run.parents, artifacts={**_shared(parent), **made},
        scores=parent.scores, count=parent.count, landslides=parent.landslides, factors=parent.factors,
        categorical=parent.categorical, circular=parent.circular, grid=scene.grid, bands=parent.bands,
        mapped=parent.mapped, area=counts.area, square_metres=counts.square_metres, hits=counts.landslides,
        ranks=np.empty(0), layers=tuple(one.text() for one in written.reports), unknown=written.unknown,
        limit=parent.limit, outside=None if counts.outside is None else counts.outside / max(counts.known, 1),
        prevalence=None, sampled_share=parent.sampled_share,
        notes=(
            *synthetic_notes((*records.values(), *rasters)), ELSEWHERE, *_other_cells(parent.grid, scene.grid),
            *area.notes, *written.notes, *(() if slides is None else slides.notes), *unseen,
        ),
        provenance={
            **job.times(), "parameters": dict(job.run.parameters), "models_of": parent.id,
            "seed": parent.provenance["seed"], "importance": parent.provenance["importance"], **environment(),
        },
    )  # fmt: skip


def _other_cells(there: Grid, here: Grid) -> tuple[str, ...]:
    """Note on cells of another size than those that models learnt from."""
    learnt, given = there.ground_distance(), here.ground_distance()
    if not learnt or not given or ALIKE > given / learnt > 1 / ALIKE:
        return ()
    return (
        f"The cell size is {given:,.1f} m here, but {learnt:,.1f} m in the training area; slopes and curvatures "
        "depend on it. Resample the elevation model to the same cell size.",
    )


def _shared(parent: SusceptibilityMap) -> dict[str, str]:
    """Files of the run of the models that belong to this one too: the models, their cells and scores."""
    return {
        role: str(parent.folder / file)
        for role, file in parent.artifacts.items()
        if role in (CELLS, SCORES) or role.startswith("model_")
    }
