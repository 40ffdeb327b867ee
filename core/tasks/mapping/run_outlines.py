"""The landslides of a large mapping at a choice as a run of its own: found again by whoever asks for the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from core.learning.metrics import threshold_code
from core.runs.records import ACTIVE, Order, Run
from core.tasks.imagery.inputs import scene_today
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.imagery.roles import SCENE
from core.tasks.mapping.findings import LARGEST, least_pixels
from core.tasks.mapping.outlines import Outlined, read_outlined, write_outlines
from core.tasks.mapping.result import LANDSLIDES, MappingResult
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.runs.store import Store

KIND: Final = "outlines"
FILE = "landslides.gpkg"


def order_outlines(result: MappingResult, choice: Choice, *, terrain: bool, owner: str = "") -> Order:
    """The order of the landslides of a run at a choice.

    Parameters
    ----------
    terrain
        Whether the scene has an elevation model, for slope, relief and aspect of a georeferenced run.
    """
    parameters = {**asdict(choice), "terrain": terrain and result.grid.is_georeferenced}
    return Order("mapping", KIND, parameters, result.inputs, result.model, (result.id,), owner)


def known_outlines(store: Store, result: MappingResult, choice: Choice, *, terrain: bool) -> Run | None:
    """The run that holds the landslides of a run at a choice; without one, that which works on it or failed last.

    Choices that come to the same pixels are the same, and slopes do no harm where none are asked for. A run that was
    counted against an inventory has the landslides of the one that it stands on.
    """
    wanted, same = _effect(result, choice), []
    terrain = terrain and result.grid.is_georeferenced
    for identity in (result.id, *(result.parents if result.kind == "scored" else ())):
        for run in store.children(identity, KIND):
            if run.parameters["terrain"] >= terrain and _effect(result, _choice(run)) == wanted:
                same.append(run)
    for statuses in (("done",), ACTIVE):
        if (found := next((run for run in same if run.status in statuses), None)) is not None:
            return found
    return next((run for run in same if run.status != "cancelled"), None)


def _choice(run: Run) -> Choice:
    values = run.parameters
    return Choice(values["threshold"], values["minimum_area"], values["fill_holes"])


def _effect(result: MappingResult, choice: Choice) -> tuple[int, ...]:
    """What a choice comes to: lowest code, smallest landslide and largest hole in pixels."""
    return threshold_code(choice.threshold), *least_pixels(result, choice)


def outlined(store: Store, result: MappingResult, run: Run, choice: Choice) -> Outlined:
    """The landslides that a finished run, found by `known_outlines`, holds.

    Raises
    ------
    StorageError
        When its file is gone or damaged.
    """
    told = store.provenance(run.id)["outlines"]
    return read_outlined(result, choice, store.artifact(run.id, LANDSLIDES).path, float(told["scene_area"]))


def outlined_before(store: Store, result: MappingResult, choice: Choice, *, terrain: bool) -> Outlined | None:
    """The landslides of a run too large to outline at once, if a run of their own holds them at a choice."""
    if result.grid.width * result.grid.height <= LARGEST:
        return None
    run = known_outlines(store, result, choice, terrain=terrain)
    stored = None if run is None or run.status != "done" else run.artifact(LANDSLIDES)
    if run is None or stored is None or not stored.path.is_file():
        return None
    return outlined(store, result, run, choice)


@dataclass(frozen=True)
class OutlinesRequest(Choice):
    """A choice at which the landslides of a large mapping are outlined.

    Attributes
    ----------
    terrain
        Whether slope, relief and aspect of each are taken from the scene's elevation.
    """

    terrain: bool = False


def compute_outlines(job: Job, request: OutlinesRequest) -> ImageResult:
    """Do the work of a run of kind ``"outlines"``."""
    result, choice = job.parent(MappingResult), _choice(job.run)
    dem = scene_today(job.store, job.run).dem if request.terrain and job.run.input(SCENE).dataset_id else None

    def report(done: int, total: int) -> None:
        words = f"Outlining strip {done:,} of {total:,}" if done < total else "Writing the landslides"
        job.report(done, total, words)

    totals = write_outlines(result, choice, job.folder / FILE, dem, report, job.stopped)
    numbers = {
        "landslides": float(totals.landslides), "area": totals.area, "area_share": totals.area_share,
        "largest": totals.largest,
    }  # fmt: skip
    return derived(job, result, {LANDSLIDES: FILE}, {"outlines": totals.to_json()}, numbers=numbers)
