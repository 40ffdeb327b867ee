"""A mapping computed by several workers for a caller that waits: the command line, and benchmarks.

The pages leave this to `core.runs.jobs`, which has many runs to look after; here is one, and whoever asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import RunCancelled
from core.runs import files, reasons
from core.runs.provenance import this_process
from core.runs.records import Order, Progress
from core.runs.remote import Call, Settings
from core.runs.split import Split
from core.runs.work import HEARTBEAT_EVERY, Listener

if TYPE_CHECKING:
    from core.runs.cluster import Cluster, Pending
    from core.runs.store import Store

LOOK_EVERY = 0.1


def map_shared(
    store: Store,
    order: Order,
    cluster: Cluster,
    *,
    listen: Listener | None = None,
    begun: Callable[[str], None] | None = None,
) -> str:
    """Have the workers of a cluster compute one mapping together, and return the run's id when it is kept.

    Parameters
    ----------
    order
        As `core.runs.mapping.order_of` gives it; small scenes are shared out as well, in one block.
    cluster
        Started already.
    listen
        Told the windows done, and all.
    begun
        Told the id before the work begins.

    Raises
    ------
    LandslideError
        What ended the run, which then stands as failed or cancelled in the store.
    """
    identity = store.begin(order, server=this_process(), worker=f"{len(cluster.workers())} workers")
    if begun is not None:
        begun(identity)
    split = Split(identity, order.owner, datetime.now(UTC), Call("core.runs.spread:plan", {"run_id": identity}))
    at_work: list[Pending] = []
    try:
        _share(store, split, cluster, at_work, listen)
    except BaseException as error:
        split.drop()
        for pending in at_work:
            pending.forget()
        told = error if isinstance(error, Exception) else RunCancelled("The run was stopped from outside.")
        store.fail(identity, *reasons.of(store.run(identity), told))
        raise
    finally:
        files.remove(store.work_folder(identity))
    return identity


def _share(store: Store, split: Split, cluster: Cluster, at_work: list[Pending], listen: Listener | None) -> None:
    """Give what waits to workers that are free until all is done."""
    settings, last = Settings.here(store), 0.0
    while split.stage != "over":
        if time.monotonic() - last >= HEARTBEAT_EVERY:
            last = time.monotonic()
            if not store.beat(split.run_id):
                raise RunCancelled("The mapping was cancelled.", "Nothing of it was kept.")
        busy = {pending.worker for pending in at_work}
        for worker in cluster.free():
            if split.waiting and worker not in busy:
                at_work.append(cluster.submit(worker, split.take(), settings, 0))
        for pending in [pending for pending in at_work if pending.done()]:
            at_work.remove(pending)
            planning = split.plan is None
            split.ended(pending.result())
            pending.forget()
            if planning and split.plan is not None:
                store.beat(split.run_id, Progress(0, split.plan.steps, split.plan.words))
        if listen is not None and split.plan is not None:
            listen(store.run(split.run_id).progress.done, split.plan.steps)
        cluster.tend()
        time.sleep(LOOK_EVERY)
