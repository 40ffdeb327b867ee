"""The difference between two runs as a run of its own, so that the map can show it and nobody computes it twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputError, LandslideError
from core.jobs.perform import Job, run_inline
from core.runs.kinds import request_from
from core.runs.records import Order, Run
from core.tasks.imagery.request import request_for as request_for_scene
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.imagery.roles import SCENE
from core.tasks.mapping.difference import write_difference
from core.tasks.mapping.result import CHANGE, MappingResult
from core.tasks.mapping.run import TASK

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

    That is a mapping of all of the earlier scene by the same model with the same settings and the same bands: those of
    the same names, or of the same numbers where the names or the scenes are not known. None where there is none.
    """
    try:
        before = store.dataset(run.input(SCENE).dataset_id).companions.get("before", "")
    except LandslideError:  # the image was removed
        return None
    if not before:
        return None
    children = store.children(run.id, KIND)
    known = [one for one in children if one.status == "done" and one.parents[1:2] == (run.id,)]
    earlier = {one.id: store.run(one.parents[0]) for one in known}
    known = [one for one in known if earlier[one.id].input(SCENE).dataset_id == before]
    if not known:
        return None
    wanted = _wanted(store, run, before)
    return next((one for one in known if wanted is not None and _asked(store, earlier[one.id]) == wanted), None)


Asked = tuple["Request", tuple[int, ...]]
"""What decides about the probabilities of a mapping: its request without bands, engine and batch, and the bands."""


def _wanted(store: Store, run: Run, before: str) -> Asked | None:
    """What would be asked of the scene before the event; None where it is not known what was asked of a run."""
    asked, used = _request(run), _used(store, run)
    if asked is None or used is None:
        return None
    try:
        mapped, other = (store.scene_record(one).scene for one in (run.input(SCENE).dataset_id, before))
        asked = request_for_scene(asked, used, mapped, other)
    except LandslideError:  # a scene is not there at the moment
        asked = replace(asked, area=None)
    return _bare(asked), asked.bands or used


def _asked(store: Store, run: Run) -> Asked | None:
    asked, used = _request(run), _used(store, run)
    return None if asked is None or used is None else (_bare(asked), used)


def _request(run: Run) -> Request | None:
    try:
        asked: Request = request_from(run.task, TASK, run.parameters)
    except InputError:  # of another version
        return None
    return asked


def _used(store: Store, run: Run) -> tuple[int, ...] | None:
    bands = (store.provenance(run.id).get("bridge") or {}).get("bands")
    return None if bands is None else tuple(bands)


def _bare(request: Request) -> Request:
    return replace(request, bands=None, engine="auto", options=replace(request.options, batch=None))


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
