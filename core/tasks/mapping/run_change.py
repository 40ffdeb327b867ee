"""The difference between two runs as a run of its own, so that the map can show it and nobody computes it twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputError, LandslideError
from core.jobs.perform import Job, run_inline
from core.runs.kinds import parameters_of
from core.runs.queue import finite
from core.runs.records import Order, Run
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.imagery.roles import SCENE
from core.tasks.mapping.difference import write_difference
from core.tasks.mapping.result import CHANGE, MappingResult
from core.tasks.mapping.run import request_for

if TYPE_CHECKING:
    from core.runs.store import Store
    from core.tasks.mapping.run import Request

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


def since_before(store: Store, run: Run) -> Run | None:
    """The newest finished difference between a mapping and that of the scene before the event, asked for alike.

    That is a mapping of all of the earlier scene by the same model with the same settings and the same bands; None
    where there is none, or where the scenes or the settings are not known any more.
    """
    try:
        record = store.dataset(run.input(SCENE).dataset_id)
        before = record.companions.get("before", "")
        known = [one for one in store.children(run.id, KIND) if one.status == "done" and one.parents[1:2] == (run.id,)]
        if not before or not known:
            return None
        mapped, other = (store.scene_record(one).scene for one in (record.id, before))
        asked = request_for(store.result(run.id, MappingResult), mapped, other)
        return next((one for one in known if _answers(store, store.run(one.parents[0]), before, asked)), None)
    except LandslideError:  # an image was removed, or the settings are those of an earlier version
        return None


def _answers(store: Store, earlier: Run, before: str, asked: Request) -> bool:
    """Whether a mapping is of a scene and gives what a request asks for, whichever engine computed it."""
    if earlier.input(SCENE).dataset_id != before or _settings(earlier.parameters) != _settings(parameters_of(asked)):
        return False
    used = (store.provenance(earlier.id).get("bridge") or {}).get("bands")
    return asked.bands is None or used is None or tuple(used) == asked.bands


def _settings(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was asked for of a model but for its bands, which may be found by themselves."""
    return {name: value for name, value in finite(parameters).items() if name not in ("engine", "bands")}


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
