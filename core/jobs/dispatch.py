"""Takes runs from the queue in the store to the workers, and sees that none is running for ever.

The rows of the database are the queue: what is asked for survives the server. Everything here happens in one
thread, one `Dispatcher.tick` after the other.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection

from core.errors import InputError
from core.jobs.assignment import LOST_AFTER, Assignment
from core.jobs.cluster import Cluster, ClusterError
from core.jobs.fair_share import Candidate, fairest
from core.jobs.heartbeat import Heartbeat, HeartbeatMonitor
from core.jobs.perform import HEARTBEAT_EVERY
from core.jobs.remote import PERFORM, Call, Settings
from core.jobs.sharding import Plan, Split, Splitter, whole
from core.runs import failures, files, processes
from core.runs.failures import WorkerLost
from core.runs.records import SILENT_AFTER, Failure, Progress, Run, Status
from core.runs.store import Store
from core.wording import count

log = logging.getLogger(__name__)

ORPHANED_AFTER = 6.0
"""The same when its server is known to be gone; its workers go with it, so two heartbeats are proof enough."""

OBEY_WITHIN = 20.0
"""Seconds for a run that was told to stop, before its worker is ended."""

OBEY_BEFORE_STEPS = 2.0
"""The same before its first step: a worker that loads libraries or a model hears nothing, and nothing would be lost."""

OVERTIME = 15.0
"""Seconds beyond its limit; a worker minds the limit itself, so one that is still at work then hangs."""

TRY_AGAIN_AFTER = 60.0
"""Seconds before a cluster that did not start is tried for the sake of runs that were not ordered here."""

WHOLE, PART = 10, 0
"""Priorities for Dask, where several servers share one cluster."""


REMEMBERED = 1000
"""Owners of whom it is known when they last had their turn."""


class Dispatcher:
    """The queue's clerk.

    Parameters
    ----------
    store
        Where runs are ordered.
    cluster
        Where they are computed; started when first needed.
    server
        Identity of this process.
    performer
        Function that performs a run, as ``"module:name"``.
    splitter
        Says which runs several workers share.
    """

    def __init__(
        self, store: Store, cluster: Cluster, server: str, performer: str = PERFORM, splitter: Splitter = whole
    ) -> None:
        self.store, self.cluster, self.server = store, cluster, server
        self.performer, self.splitter = performer, splitter
        self.up = False
        self.wanted = False
        self.submitted: set[str] = set()
        self._settings = Settings.here(store)
        self._watch = HeartbeatMonitor()
        self._flights: list[Assignment] = []
        self._splits: dict[str, Split] = {}
        self._tried: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._starts = 0
        self._adopted: set[str] | None = None
        self._again = 0.0

    def tick(self) -> None:
        """Look at everything once: what has ended, what is silent, what comes next."""
        if self.up:
            self._tend()
        self._collect()
        active = self.store.active()
        if self._adopted is None:
            self._adopted = {run.id for run in active if run.status == "queued"}
        self._forget({run.id for run in active})
        seen, gap = self._watch.look(active)
        for run in active:
            if run.id in seen:
                self._mind(run, seen[run.id])
        self._mind_flights({run.id for run in active}, gap)
        self._hand_out(active)

    @property
    def landed(self) -> bool:
        """Whether something has ended that was not looked at yet."""
        return any(assignment.pending.done() for assignment in self._flights)

    def leave(self) -> None:
        """The server stops: what ends with it is marked so, and its workers end."""
        whole_runs = set() if self.cluster.lasting else {assignment.run_id for assignment in self._flights}
        try:
            for run_id in whole_runs | set(self._splits):
                self._interrupt(run_id)
        finally:
            self._flights, self._splits = [], {}
            self.up = False
            self.cluster.close()

    def _interrupt(self, run_id: str) -> None:
        try:
            run = self._find(run_id)
            if run is not None and run.status == "running":
                self.store.fail(run_id, failures.interrupted(), "interrupted")
        except Exception:
            # Whoever looks at the queue next finds it silent and without a server, and marks it then.
            log.exception("run %s could not be marked interrupted", run_id)

    def _forget(self, active: Collection[str]) -> None:
        """Let go of what is known of runs that have ended."""
        self.submitted.intersection_update(active)
        self._adopted = (self._adopted or set()).intersection(active)
        self._tried = Counter({run_id: times for run_id, times in self._tried.items() if run_id in active})

    # What has ended

    def _tend(self) -> None:
        try:
            self.cluster.tend()
        except ClusterError as error:
            log.warning("%s It is restarted when it is needed.", error)
            for assignment in list(self._flights):
                self._settle(assignment, WorkerLost(str(error)))
            self.cluster.close()
            self.up = False

    def _collect(self) -> None:
        for assignment in [assignment for assignment in self._flights if assignment.pending.done()]:
            try:
                outcome: object = assignment.pending.result()
            except Exception as error:
                outcome = error
            self._settle(assignment, outcome)

    def _settle(self, assignment: Assignment, outcome: object) -> None:
        """Write down what came of it; it is only then forgotten, so that a locked database loses nothing."""
        run, error = self._find(assignment.run_id), outcome if isinstance(outcome, Exception) else None
        if assignment.split is not None:
            self._settle_part(assignment.split, run, outcome)
        elif run is not None and run.status == "queued" and self._tried[run.id] < 2:
            log.warning("run %s was not started by its worker: %s", run.id, error or "it did not claim it")
        else:
            if run is not None and run.active and (run.status == "queued" or run.server == self.server):
                self._fail(run, error or LookupError("the worker returned without having ended the run"))
            self._tried.pop(assignment.run_id, None)
        self._flights.remove(assignment)
        assignment.pending.forget()

    def _settle_part(self, split: Split, run: Run | None, outcome: object) -> None:
        if run is None or not run.active:
            split.drop()
        elif isinstance(outcome, Exception):
            self._fail(run, outcome)
            split.drop()
        if split.stage == "plan" and isinstance(outcome, Plan):
            # Before it is counted as ended: should the database not answer, all of this is done once more.
            self.store.beat(split.run_id, Progress(0, outcome.steps, outcome.words))
        try:
            split.ended(outcome)
        except TypeError as error:
            split.drop()
            self._fail(self.store.run(split.run_id), error)
        if split.stage == "over" and not split.working:
            self._splits.pop(split.run_id, None)
            if run is not None and run.active:
                self._fail(run, LookupError("the last step returned without having ended the run"))
            # Parts that were still at work when the run ended may have written once more.
            files.remove(self.store.work_folder(split.run_id))

    def _fail(self, run: Run, error: Exception) -> None:
        self.store.fail(run.id, *failures.from_exception(run, error))

    # What is under way

    def _mind(self, run: Run, seen: Heartbeat) -> None:
        split = self._splits.get(run.id)
        if split is not None and seen.silent >= HEARTBEAT_EVERY and not run.cancelling:
            self.store.beat(run.id)
        if split is not None and run.cancelling:
            split.drop()
        ours = run.server == self.server
        alive = ours or processes.is_alive(run.server)
        idle = run.cancelling and split is not None and not split.working
        patience = OBEY_WITHIN if run.progress.total else OBEY_BEFORE_STEPS
        if idle or (seen.stopping > patience and (ours or alive is False)):
            self._give_up(run, failures.cancelled(), "cancelled")
        elif seen.at_work > run.time_limit + OVERTIME:
            self._give_up(run, failures.overtime(run.time_limit), "failed")
        elif seen.silent > (ORPHANED_AFTER if alive is False else SILENT_AFTER):
            failure = failures.silent(run.worker) if alive else failures.interrupted()
            self._give_up(run, failure, "failed" if alive else "interrupted")

    def _give_up(self, run: Run, failure: Failure, status: Status) -> None:
        # First the row, then the worker: whoever hears of the worker's end finds the reason written down.
        self.store.fail(run.id, failure, status)
        split = self._splits.get(run.id)
        if split is not None:
            split.drop()
            if not split.working:
                del self._splits[run.id]
        for assignment in self._flights:
            if assignment.run_id == run.id:
                self.cluster.stop(assignment.pending.worker)

    def _mind_flights(self, active: set[str], gap: float) -> None:
        there = set(self.cluster.workers()) if self.up and self._flights else set()
        for assignment in list(self._flights):
            assignment.look(there, active, gap)
            if assignment.orphaned_for > LOST_AFTER and not assignment.pending.done():
                self._settle(assignment, WorkerLost("The worker no longer exists."))
            elif assignment.unwanted > OBEY_WITHIN:
                log.warning("run %s has ended but its worker is still running, and is stopped", assignment.run_id)
                self.cluster.stop(assignment.pending.worker)
                assignment.unwanted = 0.0

    # What comes next

    def _hand_out(self, active: list[Run]) -> None:
        flying = {assignment.run_id for assignment in self._flights}
        waiting = {run.id: run for run in active if run.status == "queued" and run.id not in flying}
        if not (waiting or self.wanted or any(split.waiting for split in self._splits.values())):
            return
        if not self._started(list(waiting.values())):
            return
        # What other servers have running counts for its owner as well.
        elsewhere = [run.owner for run in active if run.status == "running" and run.server != self.server]
        taken = {assignment.pending.worker for assignment in self._flights}
        for worker in [worker for worker in self.cluster.free() if worker not in taken]:
            candidates = [Candidate(run.id, run.owner, run.created) for run in waiting.values()]
            shared = [one for one in self._splits.values() if one.waiting]
            candidates += [Candidate(one.run_id, one.owner, one.created, True) for one in shared]
            if not candidates:
                return
            running = Counter([*elsewhere, *(assignment.owner for assignment in self._flights)])
            self._give(worker, fairest(candidates, running, self._last), waiting)

    def _give(self, worker: str, chosen: Candidate, waiting: dict[str, Run]) -> None:
        split = self._splits.get(chosen.run_id) if chosen.part else self._split(waiting[chosen.run_id])
        waiting.pop(chosen.run_id, None)
        self._starts += 1
        self._last.pop(chosen.owner, None)  # so that the first is always the one of longest ago
        self._last[chosen.owner] = self._starts
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        if split is not None:
            call = split.take()
        else:
            self._tried[chosen.run_id] += 1
            arguments = {"run_id": chosen.run_id, "server": self.server, "function": self.performer}
            call = Call("core.jobs.remote:perform_here", arguments)
        try:
            pending = self.cluster.submit(worker, call, self._settings, PART if chosen.part else WHOLE)
        except Exception:
            if split is not None:
                split.put_back(call)
            raise
        self._flights.append(Assignment(chosen.run_id, chosen.owner, pending, split))

    def _split(self, run: Run) -> Split | None:
        workers = len(self.cluster.workers())
        try:
            planned = self.splitter(run, workers)
        except Exception:
            # Whatever is wrong with it, the worker that tries to do it whole will say it in the run's row.
            log.exception("run %s cannot be split between workers", run.id)
            return None
        if planned is None or not self.store.claim(run.id, server=self.server, worker=count(workers, "worker")):
            return None
        self._splits[run.id] = Split(run.id, run.owner, run.created, planned)
        return self._splits[run.id]

    def _started(self, waiting: list[Run]) -> bool:
        ours = [run for run in waiting if run.id in self.submitted | (self._adopted or set())]
        if self.up:
            return True
        if not (ours or self.wanted) and time.monotonic() < self._again:
            return False
        self.wanted = False
        try:
            self.cluster.start()
        except Exception as error:
            log.exception("runs cannot be processed")
            self._again = time.monotonic() + TRY_AGAIN_AFTER
            for run in ours:
                # Those that were ordered from another server may be computed there.
                self._fail(run, error)
            for split in list(self._splits.values()):
                self._strand(split, error)
            return False
        self.up = True
        return True

    def _strand(self, split: Split, error: Exception) -> None:
        """A run that waits for workers which do not come must not wait until its limit."""
        if not split.working:
            run = self._find(split.run_id)
            if run is not None:
                self._fail(run, error)
            split.drop()
            del self._splits[split.run_id]

    def _find(self, run_id: str) -> Run | None:
        try:
            return self.store.run(run_id)
        except InputError:
            return None  # removed meanwhile
