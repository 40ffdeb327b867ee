"""Computing a run, in whatever process: with a heartbeat while it works, and an end that is always recorded.

A worker calls `perform`. `run_in_process` does an order to its end in this process, as the command line needs it;
`run_inline` does something short while a page waits, and leaves nothing when it fails.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import LandslideError, ModelError, RunCancelled, StorageError
from core.raster.progress import ProgressCallback, stoppable
from core.runs import failures, files
from core.runs.kinds import kind_of, request_from
from core.runs.provenance import now, this_process
from core.runs.records import Failure, Order, Progress, Run, Status
from core.runs.result import RunResult

if TYPE_CHECKING:
    from core.runs.store import Store

log = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between two looks of the pulse: progress is written at most twice a second."""

HEARTBEAT_EVERY = 1.0
"""Seconds between heartbeats of a run without new progress, at which it also learns whether to stop."""

PATIENCE = (1.0, 4.0, 15.0)
"""Seconds between tries to keep a result that the disk or the database does not take: it may have cost hours."""

Stop = Callable[[], bool]
R = TypeVar("R", bound=RunResult)


class Job:
    """A run that is being computed: what it works on, its progress out, and the wish to stop in.

    A thread of its own talks to the store, so that work neither waits for the database nor has to come back often.

    Parameters
    ----------
    store, run
        Where the heartbeat is written, and whose.
    listen, stop
        Somebody else in this process who is told of progress, and may ask to stop.

    Attributes
    ----------
    store, run
        As given.
    folder
        Folder of the run's own that its files are written into; made when first asked for.
    """

    def __init__(
        self, store: Store, run: Run, listen: ProgressCallback | None = None, stop: Stop | None = None
    ) -> None:
        self.store, self.run = store, run
        self._listen, self._stop = listen, stop
        self._progress, self._written = Progress(), Progress()
        self._began = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._ended, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{run.id[:8]}", daemon=True)

    @property
    def folder(self) -> Path:
        """See the class."""
        return files.folder(self.store.work_folder(self.run.id))

    @property
    def started(self) -> datetime:
        """When the work began, in UTC."""
        return self.run.started or datetime.now(UTC)

    def times(self) -> dict[str, Any]:
        """When the work began and ended, for the provenance of a result that is now complete."""
        seconds = (datetime.now(UTC) - self.started).total_seconds()
        return {
            "started": self.started.isoformat(timespec="seconds"), "finished": now(), "seconds": round(seconds, 2)
        }  # fmt: skip

    def parent(self, expected: type[R], position: int = 0) -> R:
        """The result of a run that this one is derived from.

        Raises
        ------
        InputError
            When it is gone, or its result is of another class.
        """
        return self.store.result(self.run.parents[position], expected)

    def counting(self, what: str) -> ProgressCallback:
        """A progress callback that reports steps as ``"{what} 3 of 1,200"``."""

        def report(done: int, total: int) -> None:
            self.report(done, total, f"{what} {done:,} of {total:,}")

        return report

    def __enter__(self) -> Job:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, done: int, total: int, words: str = "") -> None:
        """Report progress: steps done of all, and words for the current step.

        Without steps (``total`` 0) something is loaded or kept, after which steps of another kind may begin: of their
        pace those before say nothing.

        Raises
        ------
        RunCancelled
            When the run is to stop, so that it does before steps begin as well as between them.
        """
        if self._stopping.is_set():
            raise RunCancelled("The run was cancelled.", "No results were saved.")
        if not total:
            self._first, self._progress = None, Progress(words=words)
            return
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        before, left = self._progress, None
        if done > self._first[0]:
            left = (total - done) * (now - self._first[1]) / (done - self._first[0])
        self._progress = Progress(done, total, words, left)
        if self._listen is not None and (done, total) != (before.done, before.total):
            self._listen(done, total)

    def stopped(self) -> bool:
        """Whether to stop: cancelled, given up for lost, or over its time.

        Raises
        ------
        LandslideError
            When the run is over its time limit.
        """
        if self.over_time:
            raise failures.error(failures.overtime(self.run.time_limit))
        return self._stopping.is_set() or (self._stop is not None and self._stop())

    @property
    def over_time(self) -> bool:
        """Whether the run has worked longer than it may."""
        return time.monotonic() - self._began > self.run.time_limit

    def _beat(self) -> None:
        last, well = 0.0, True
        while not self._ended.wait(TICK):
            progress, now = self._progress, time.monotonic()
            if progress == self._written and now - last < HEARTBEAT_EVERY:
                continue
            try:
                if not self.store.beat(self.run.id, progress):
                    self._stopping.set()
                self._written, last, well = progress, now, True
            except Exception:
                # A database that does not answer for a while is no reason to throw work away; silence has its own end.
                if well:
                    log.warning("the heartbeat of run %s could not be written", self.run.id, exc_info=True)
                well = False


Work = Callable[[Job, Any], RunResult]
"""Computes a run: given the job and the kind's own request."""


def known_run(store: Store, parent: str, kind: str, request: object) -> Run | None:
    """The run derived from `parent` that answers a request or is to; without one, that which failed last."""
    same = [run for run in store.children(parent, kind) if request_of(run) == request]
    found = next((run for run in same if run.status in ("done", "queued", "running")), None)
    return found or next((run for run in same if run.status != "cancelled"), None)


def request_of(run: Run) -> Any:  # noqa: ANN401  the kind's own request
    """What a run was asked, as its kind declares it."""
    return request_from(run.task, run.kind, run.parameters)


def work_of(run: Run) -> Work:
    """What computes a run.

    Raises
    ------
    ModelError
        When this installation does not know its task or kind.
    """
    kind = kind_of(run)
    if kind is None:
        raise ModelError(f"This installation cannot process a {run.kind} of the task "
                         f"{run.task}.", remedy="Update SlideLens.")
    work: Work = kind.work.load()
    return work


def perform(
    store: Store,
    identity: str,
    *,
    server: str = "",
    worker: str = "",
    claimed: bool = False,
    work: Work | None = None,
    listen: ProgressCallback | None = None,
    stop: Stop | None = None,
    raising: bool = False,
) -> None:
    """Do the work of a queued run, to the end: done, failed or cancelled stands in its row afterwards.

    Parameters
    ----------
    server, worker
        Who has taken it on; by default this process.
    claimed
        Whether the caller has claimed it already.
    work
        What computes it; by default what its kind declares.
    listen, stop
        See `Job`.
    raising
        Whether what ends it is also raised here.
    """
    if not claimed and not store.claim(identity, server=server or this_process(), worker=worker):
        return
    run = store.run(identity)
    try:
        with Job(store, run, listen, stop) as job, stoppable(job.stopped):
            does = work or work_of(run)
            keep(store, identity, does(job, request_of(run)), job.stopped)
    except RunCancelled as error:
        _end(store, identity, error, failures.describe(error), "cancelled")
        if raising:
            raise
    except LandslideError as error:
        _end(store, identity, error, failures.describe(error))
        if raising:
            raise
    except Exception as error:
        log.exception("run %s failed", identity)
        _end(store, identity, error, failures.describe(error))
        if raising:
            raise
    except BaseException as error:
        _end(store, identity, error, failures.stopped(error), "cancelled")
        raise


def keep(store: Store, identity: str, result: RunResult, stopped: Stop) -> None:
    """Keep a result, and try it for a while: a database that is away for a moment must not cost hours of work.

    Raises
    ------
    RunCancelled
        When the run has ended meanwhile, or `stopped` says so.
    StorageError
        When it cannot be kept.
    """
    for pause in PATIENCE:
        try:
            return store.finish(identity, result)
        except StorageError:
            log.warning("run %s is finished but could not be saved; trying again", identity, exc_info=True)
        if stopped():
            raise RunCancelled("The run was stopped before its result was saved.", "No results were saved.")
        time.sleep(pause)
    return store.finish(identity, result)


def _end(store: Store, identity: str, error: BaseException, failure: Failure, status: Status = "failed") -> None:
    try:
        store.fail(identity, failure, status)
    except StorageError:
        # Whoever called hears what was wrong with the run, and can write that down when the database answers again.
        log.exception("the end of run %s could not be recorded", identity)
        raise error from None


def run_inline(store: Store, order: Order) -> str:
    """Compute something short in this process, keep it as a run, and return its id; when it fails, nothing is left.

    Raises
    ------
    LandslideError
        What made it fail.
    """
    identity = store.begin(order, server=this_process(), worker="page")
    try:
        run = store.run(identity)
        with Job(store, run) as job:
            store.finish(identity, work_of(run)(job, request_of(run)))
    except BaseException as error:
        try:
            store.fail(identity, Failure(str(error)))
            store.delete(identity)
        except StorageError:
            log.exception("temporary files of run %s could not be removed", identity)
        raise
    return identity


def _nobody(identity: str) -> None:
    """Do not report which run has started."""


def run_in_process(
    store: Store,
    order: Order,
    begun: Callable[[str], None] = _nobody,
    progress: ProgressCallback | None = None,
    cancel: Stop | None = None,
    work: Work | None = None,
) -> str:
    """Do what an order asks in this process, as the command line does, and return the run's id.

    Parameters
    ----------
    begun
        Told the id before the work begins.
    work
        What computes it; by default what its kind declares.

    Raises
    ------
    LandslideError
        When the run is not possible or was cancelled; in the store it then stands as failed or cancelled.
    """
    identity = store.begin(order, server=this_process(), worker="command line")
    begun(identity)
    perform(store, identity, claimed=True, work=work, listen=progress, stop=cancel, raising=True)
    return identity
