"""A run computed by several workers for a caller that waits: the command line, and benchmarks.

The pages leave this to `core.jobs.jobs`, which has many runs to look after; here is one, and whoever asks for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import LandslideError, RunCancelled
from core.jobs.assignment import LOST_AFTER, Assignment
from core.jobs.heartbeat import LONGEST_GAP
from core.jobs.perform import HEARTBEAT_EVERY
from core.jobs.remote import Call, Settings
from core.jobs.sharding import Split
from core.raster.progress import ProgressCallback
from core.runs import failures, files
from core.runs.failures import WorkerLost
from core.runs.provenance import this_process
from core.runs.records import Order, Progress, Run
from core.wording import count

if TYPE_CHECKING:
    from core.jobs.cluster import Cluster
    from core.runs.store import Store

log = logging.getLogger(__name__)

LOOK_EVERY = 0.1


def run_sharded(
    store: Store,
    order: Order,
    plan: Callable[[str], Call],
    cluster: Cluster,
    *,
    listen: ProgressCallback | None = None,
    begun: Callable[[str], None] | None = None,
) -> str:
    """Have the workers of a cluster compute one run together, and return its id when it is kept.

    Parameters
    ----------
    order
        What is asked.
    plan
        Given the run's id, the call that makes its plan; see `core.jobs.sharding.Plan`.
    cluster
        Started already.
    listen
        Told the windows done, and all.
    begun
        Told the id before the work begins.

    Raises
    ------
    LandslideError
        What ended the run, which then stands as failed or cancelled in the store: also when it is over its time, or
        a worker that had a part of it is gone.
    """
    identity = store.begin(order, server=this_process(), worker=count(len(cluster.workers()), "worker"))
    split = Split(identity, order.owner, datetime.now(UTC), plan(identity))
    at_work: list[Assignment] = []
    try:
        if begun is not None:
            begun(identity)
        _share(store, split, cluster, at_work, listen)
    except BaseException as error:
        split.drop()
        _end(store, identity, error)
        for assignment in at_work:
            assignment.pending.forget()
        raise
    finally:
        files.remove(store.work_folder(identity))
    return identity


def _end(store: Store, identity: str, error: BaseException) -> None:
    """Write down what ended the run, before anything else can go wrong."""
    try:
        if isinstance(error, Exception):
            store.fail(identity, *failures.from_exception(store.run(identity), error))
        else:
            store.fail(identity, failures.stopped(error), "cancelled")
    except LandslideError:
        # Whoever called hears what was wrong with the run; that the store was not told is for the log.
        log.exception("the end of run %s could not be recorded", identity)


def _share(
    store: Store, split: Split, cluster: Cluster, at_work: list[Assignment], listen: ProgressCallback | None
) -> None:
    """Give what waits to workers that are free until all is done."""
    settings, limit = Settings.here(store), store.run(split.run_id).time_limit
    began = now = time.monotonic()
    told = float("-inf")
    while split.stage != "over":
        before, now = now, time.monotonic()
        if now - began > limit:
            raise failures.error(failures.overtime(limit))
        if now - told >= HEARTBEAT_EVERY:
            told = now
            if not store.beat(split.run_id) and _is_cancelled(store.run(split.run_id)):
                raise RunCancelled("The run was cancelled.", "No results were saved.")
        cluster.tend()
        _look(split, cluster, at_work, min(now - before, LONGEST_GAP))
        _land(store, split, at_work)
        taken = {assignment.pending.worker for assignment in at_work}
        for worker in [worker for worker in cluster.free() if worker not in taken]:
            if split.waiting:
                pending = cluster.submit(worker, split.take(), settings, 0)
                at_work.append(Assignment(split.run_id, split.owner, pending, split))
        if listen is not None and split.plan is not None:
            listen(store.run(split.run_id).progress.done, split.plan.steps)
        time.sleep(LOOK_EVERY)


def _is_cancelled(run: Run) -> bool:
    """Whether somebody ended a run that takes no heartbeat any more: a worker may also just have done its last step."""
    return run.cancelling or run.status in ("cancelled", "interrupted")


def _look(split: Split, cluster: Cluster, at_work: list[Assignment], gap: float) -> None:
    """What was given to one worker waits for that one: when it does not come back, nor does the run."""
    workers = cluster.workers()
    for assignment in at_work:
        assignment.look(workers, (split.run_id,), gap)
        if assignment.orphaned_for > LOST_AFTER and not assignment.pending.done():
            raise WorkerLost("The worker processing this run stopped.")


def _land(store: Store, split: Split, at_work: list[Assignment]) -> None:
    for assignment in [assignment for assignment in at_work if assignment.pending.done()]:
        at_work.remove(assignment)
        planning = split.plan is None
        split.ended(assignment.pending.result())
        assignment.pending.forget()
        if planning and split.plan is not None:
            store.beat(split.run_id, Progress(0, split.plan.steps, split.plan.words))
