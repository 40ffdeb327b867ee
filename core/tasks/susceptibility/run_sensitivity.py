"""How far a score depends on choices that nobody knows rightly: where absences are drawn, where landslides lie.

References
----------
Steger, S. et al. (2016). The propagation of inventory-based positional errors into statistical landslide susceptibility
models. Natural Hazards and Earth System Sciences 16, 2729-2745. doi:10.5194/nhess-16-2729-2016
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.jobs.perform import request_of
from core.raster.folder import write_json
from core.raster.progress import stop_if
from core.raster.scene import Scene
from core.runs.kinds import parameters_of
from core.runs.provenance import environment, now
from core.runs.records import Order
from core.runs.result import RunResult
from core.tasks.susceptibility.findings import judging_scheme
from core.tasks.susceptibility.map_result import AREAS, FACTOR, FACTORS, INVENTORY, SusceptibilityMap
from core.tasks.susceptibility.models import MONOTONE, title_of
from core.tasks.susceptibility.run_map import cells_of_sample, labelled_landslides, landslide_cells
from core.tasks.susceptibility.sampling import draw
from core.tasks.susceptibility.validate import Plan, validate
from core.wording import count

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.raster.grid import Grid
    from core.tasks.susceptibility.run_map import MapRequest

TASK, KIND = "susceptibility", "sensitivity"

SENSITIVITY = "sensitivity"
"""Role of the scores (JSON): by ``buffer`` and ``jitter``, metres and AUROC of each repeat."""

BUFFERS = (0.0, 50.0, 100.0, 200.0, 400.0, 800.0)
JITTERS = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 120.0)


@dataclass(frozen=True)
class SensitivityRequest:
    """What is tried.

    Attributes
    ----------
    model
        Name of a model of the run, which is fitted anew each time.
    buffers, jitters
        Metres kept from landslides when absences are drawn, and by which landslides are moved in any direction.
    repeats, seed
        Draws of each; draw r uses seed + r.
    """

    model: str
    buffers: tuple[float, ...] = BUFFERS
    jitters: tuple[float, ...] = JITTERS
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.repeats <= 50 or min((*self.buffers, *self.jitters, 0.0)) < 0:
            raise InputError("A value to test is out of range.", remedy=(
                "Choose 1 to 50 repeats, and distances of 0 m or more."
            ))


def order_of(result: SusceptibilityMap, request: SensitivityRequest, *, owner: str = "") -> Order:
    """The order of trying a map's score.

    Raises
    ------
    InputError
        When the run has no such model.
    """
    if request.model not in result.models or request.model == "average":
        raise InputError(
            f"{request.model} is not a single model of this run.", remedy="Choose one of the run's models."
        )
    return Order(TASK, KIND, parameters_of(request), result.inputs, request.model, (result.id,), owner)


def try_choices(job: Job, request: SensitivityRequest) -> RunResult:
    """Do the work of a run of kind ``"sensitivity"``."""
    parent = job.parent(SusceptibilityMap)
    asked: MapRequest = request_of(job.store.run(parent.id))
    scene = Scene.ours(parent.artifact(FACTORS))
    records = {one.role: job.store.dataset(one.dataset_id) for one in parent.inputs if one.role != FACTOR}
    slides = labelled_landslides(asked.inventory, scene.grid, records[INVENTORY], records.get(AREAS))
    cells, number = landslide_cells(asked, scene, slides)
    scheme: Any = judging_scheme(parent)
    buffers = request.buffers if slides.absences is None else ()
    total = (len(buffers) + len(request.jitters)) * request.repeats
    done = 0
    found: dict[str, list[dict[str, Any]]] = {"buffer": [], "jitter": []}

    def auroc(move: Callable[[], NDArray[np.int64]], metres: float | None, repeat: int) -> float | None:
        nonlocal done
        stop_if(job.stopped)
        job.report(done, total, f"Testing {done + 1:,} of {total:,}")
        done += 1
        plan = replace(asked.sampling, seed=request.seed + repeat)
        plan = plan if metres is None else replace(plan, buffer=metres)
        try:
            sample = draw(scene, slides, (move(), number), plan, asked.area.kinds, cancel=job.stopped)
            made = cells_of_sample(asked, scene, slides, sample)
            tried = Plan(
                (request.model,), (scheme,), asked.plan.folds, 1, request.seed + repeat, weights=asked.plan.weights,
                monotone=asked.plan.monotone if request.model == MONOTONE else {},
            )  # fmt: skip
            scored = validate(made, tried, cancel=job.stopped)
        except InputError:
            return None  # such as no ground left to draw from: there is no score for it, and the chart has a gap
        return scored.scores[scheme][request.model].auroc

    for metres in buffers:
        scores = [auroc(lambda: cells, metres, repeat) for repeat in range(request.repeats)]
        found["buffer"].append({"metres": metres, "auroc": scores})
    for metres in request.jitters:
        scores = []
        for repeat in range(request.repeats):
            rng = np.random.default_rng([request.seed, repeat, round(metres * 1000)])
            scores.append(auroc(partial(moved, cells, metres, scene.grid, rng), None, repeat))
        found["jitter"].append({"metres": metres, "auroc": scores})
    write_json({"scheme": scheme, "model": request.model, **found}, job.folder / "sensitivity.json")
    return RunResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder, artifacts={SENSITIVITY: "sensitivity.json"},
        inputs=parent.inputs, model=request.model, parents=job.run.parents,
        notes=(f"{title_of(request.model)}, refitted {count(total, 'time')}: cells without a landslide drawn at other "
               "distances from landslides, and landslides shifted in random directions.",),
        provenance={"finished": now(), **job.times(), "parameters": dict(job.run.parameters), **environment()},
    )  # fmt: skip


def moved(cells: NDArray[np.int64], metres: float, grid: Grid, rng: np.random.Generator) -> NDArray[np.int64]:
    """Cells moved by a distance in a direction drawn for each; what would leave the grid stays at its edge."""
    side = grid.ground_distance() or 1.0
    turn = rng.uniform(0, 2 * np.pi, len(cells))
    row, column = np.divmod(cells, grid.width)
    row = np.clip(np.floor(row + 0.5 + metres / side * np.cos(turn)), 0, grid.height - 1).astype(np.int64)
    column = np.clip(np.floor(column + 0.5 + metres / side * np.sin(turn)), 0, grid.width - 1).astype(np.int64)
    return np.asarray(row * grid.width + column, dtype=np.int64)
