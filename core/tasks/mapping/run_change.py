"""The difference between two runs as a run of its own, so that the map can show it and nobody computes it twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputError
from core.jobs.perform import Job, run_inline
from core.runs.records import Order, Run
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.imagery.roles import SCENE
from core.tasks.mapping.difference import write_difference
from core.tasks.mapping.result import CHANGE, MappingResult

if TYPE_CHECKING:
    from core.runs.store import Store

KIND: Final = "change"
FILE = "change.tif"


def order_difference(first: MappingResult, second: MappingResult, *, owner: str = "") -> Order:
    """The order of the difference of two runs, second minus first.

    Raises
    ------
    InputError
        When both are the same run.
    """
    if first.id == second.id:
        raise InputError("A run cannot be compared with itself.", remedy="Choose two different runs.")
    parents = (first.id, second.id)
    return Order("mapping", KIND, {"runs": list(parents)}, second.inputs, second.model, parents, owner)


def known_difference(store: Store, first: str, second: str) -> Run | None:
    """The run that holds the difference of two runs, or computes it now; None where there is neither."""
    known = _of(store, first, second)
    done = [run for run in known if run.status == "done" and said(store, run)]
    return next(iter(done), None) or next((run for run in known if run.active), None)


def lost_difference(store: Store, first: str, second: str) -> Run | None:
    """The last run that was to compute the difference of two runs, where it failed or was interrupted; else None."""
    last = next(iter(_of(store, first, second)), None)
    return last if last is not None and last.status in ("failed", "interrupted") else None


def since_before(store: Store, run: Run, before: str) -> Run | None:
    """The newest finished difference between a run and a mapping, by the same model, of the scene before the event.

    Parameters
    ----------
    run
        The later mapping.
    before
        Id of the scene of the same place before the event; without one there is no difference.
    """
    if not before:
        return None
    known = (one for one in store.children(run.id, KIND) if one.status == "done" and one.parents[1:2] == (run.id,))
    for one in known:
        earlier = store.run(one.parents[0])
        if earlier.input(SCENE).dataset_id == before and earlier.model == run.model:
            return one
    return None


def _of(store: Store, first: str, second: str) -> list[Run]:
    """Runs of the difference of two runs, the newest first."""
    return [run for run in store.children(second, KIND) if run.parents == (first, second)]


def said(store: Store, run: Run) -> Mapping[str, Any] | None:
    """What a finished run says of the difference in numbers, None where it holds the raster only."""
    found = store.provenance(run.id).get("difference")
    return found if isinstance(found, Mapping) else None


def compute_difference(job: Job, request: object) -> ImageResult:
    """Do the work of a run of kind ``"change"``: the second parent's probability minus the first one's."""
    del request
    first, second = (job.parent(MappingResult, position) for position in (0, 1))
    found = write_difference(first, second, job.folder / FILE, job.counting("Comparing block"), job.stopped)
    return derived(job, second, {CHANGE: FILE}, {"difference": found.to_json()}, notes=found.notes)


def difference_here(store: Store, first: MappingResult, second: MappingResult) -> str:
    """Compute and keep the difference of two small runs at once, and return the run's id."""
    return run_inline(store, order_difference(first, second))
