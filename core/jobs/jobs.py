"""Runs that are computed outside the process of the pages, one after the other for each worker.

::

    jobs = default_jobs()
    run_id = jobs.submit(Order(task, kind, {...}, inputs))   # at once; it is queued
    jobs.cancel(run_id)

How far a run is stands in the store, for every process that looks.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

from core.jobs.remote import PERFORM, perform_here
from core.jobs.sharding import sharding
from core.runs.provenance import this_process

if TYPE_CHECKING:
    from core.jobs.cluster import Cluster
    from core.jobs.dispatch import Dispatcher
    from core.jobs.sharding import Splitter
    from core.runs.records import Order
    from core.runs.store import Store

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the queue; an order or the end of a run makes them sooner."""

GLANCE = 0.1
"""Seconds between two glances at whether a worker has ended what it was given, which cost nothing."""


class Jobs(Protocol):
    """Where pages leave what takes longer than a blink."""

    def submit(self, order: Order) -> str:
        """Queue a run and return its id; never waits for the work."""

    def cancel(self, run_id: str) -> None:
        """Stop a run: at once while it waits, soon while it works."""

    def prepare(self) -> None:
        """Start what computes ahead of the first run, without waiting for it."""

    def ready(self) -> bool:
        """Whether a run could begin without anything being started first."""


class ClusterJobs:
    """Runs computed by the workers of a cluster, in the order that is fair between their owners.

    Makes a thread that looks after the queue; the cluster itself starts when first needed.

    Parameters
    ----------
    store
        Where runs are ordered.
    cluster
        By default the one that the environment names, see `core.jobs.local_cluster.default_cluster`.
    performer
        Function that performs a run, as ``"module:name"``.
    splitter
        Says which runs several workers share; by default `core.jobs.sharding.sharding`.
    """

    def __init__(
        self, store: Store, cluster: Cluster | None = None, *,
        performer: str = PERFORM, splitter: Splitter | None = None,
    ) -> None:  # fmt: skip
        self.store = store
        self._cluster, self._performer, self._splitter = cluster, performer, splitter or sharding(store)
        self._dispatcher: Dispatcher | None = None
        self._submitted: set[str] = set()
        self._wanted = False
        self._wake, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()
        # Registered before distributed is imported, so called after its own farewell; see `close`.
        atexit.register(self.close)

    def submit(self, order: Order) -> str:
        """See `Jobs`."""
        run_id = self.store.order(order)
        self._submitted.add(run_id)
        self._wake.set()
        return run_id

    def cancel(self, run_id: str) -> None:
        """See `Jobs`."""
        self.store.cancel(run_id)
        self._wake.set()

    def prepare(self) -> None:
        """See `Jobs`."""
        self._wanted = True
        self._wake.set()

    def ready(self) -> bool:
        """See `Jobs`."""
        return self._dispatcher is not None and self._dispatcher.up

    def close(self) -> None:
        """End the workers; what they were computing is marked interrupted. Nothing can be computed afterwards."""
        if self._over.is_set():
            return
        atexit.unregister(self.close)
        self._over.set()
        self._wake.set()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        self._dispatcher = dispatcher = self._made()
        while not self._over.is_set():
            self._rest(dispatcher, well=self._once(dispatcher))
        try:
            dispatcher.leave()
        except Exception:
            log.exception("running runs could not be marked as interrupted")

    def _rest(self, dispatcher: Dispatcher, *, well: bool) -> None:
        # Dask's own callbacks would need a pool of threads that is gone when the server ends.
        until = time.monotonic() + EVERY
        while not self._wake.wait(GLANCE) and not (well and dispatcher.landed) and time.monotonic() < until:
            pass
        self._wake.clear()

    def _made(self) -> Dispatcher:
        from core.jobs.dispatch import Dispatcher
        from core.jobs.local_cluster import default_cluster

        cluster = self._cluster or default_cluster()
        return Dispatcher(self.store, cluster, this_process(), self._performer, self._splitter)

    def _once(self, dispatcher: Dispatcher) -> bool:
        while self._submitted:
            dispatcher.submitted.add(self._submitted.pop())
        if self._wanted:
            dispatcher.wanted, self._wanted = True, False
        try:
            dispatcher.tick()
        except Exception:
            # Most likely a database that somebody holds; whatever it was, the queue must go on when it is over.
            log.exception("the queue of runs could not be checked; it is checked again shortly")
            return False
        return True


class InlineJobs:
    """Runs performed at once in the caller's own thread: for tests of pages, and where nothing may be started."""

    def __init__(self, store: Store, performer: str = PERFORM) -> None:
        self.store = store
        self._performer = performer

    def submit(self, order: Order) -> str:
        """See `Jobs`; here the run has ended when this returns."""
        run_id = self.store.order(order)
        perform_here(self.store, run_id, this_process(), self._performer)
        return run_id

    def cancel(self, run_id: str) -> None:
        """See `Jobs`."""
        self.store.cancel(run_id)

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def ready(self) -> bool:
        """Always."""
        return True


override: Jobs | None = None
"""What `default_jobs` gives in its place; set by tests."""

_CHOOSING = threading.Lock()
_default: ClusterJobs | None = None


def default_jobs() -> Jobs:
    """The jobs of this process, on `core.runs.store.default_store`.

    From the first call on, queued runs are taken up and those that another server left behind are marked.
    """
    from core.runs.store import default_store

    global _default
    if override is not None:
        return override
    store = default_store()
    with _CHOOSING:
        if _default is None or _default.store is not store:
            if _default is not None:
                _default.close()
            _default = ClusterJobs(store)
        return _default
