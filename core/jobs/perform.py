"""Doing what a run asks for, in whatever process: with a pulse while it works, and an end that is always told.

A worker calls `perform`; so does the command line. What is done in a blink while a page waits goes through
`compute_here`, which leaves nothing when it fails.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import LandslideError, ModelError, RunCancelled, StorageError
from core.runs import failures, files
from core.runs.provenance import this_process
from core.runs.records import Failure, Order, Progress, Result, Run, Status

if TYPE_CHECKING:
    from core.runs.store import Store

log = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between two looks of the pulse: progress is written at most twice a second."""

HEARTBEAT_EVERY = 3.0
"""Seconds after which a run that has nothing new to tell says that it is alive."""

SILENT_AFTER = 20.0
"""Seconds without a word after which a run's worker is taken for lost."""

PATIENCE = (1.0, 4.0, 15.0)
"""Seconds between tries to keep a result that the disk or the database does not take: it may have cost hours."""

Listener = Callable[[int, int], None]
Stop = Callable[[], bool]


class Context:
    """What a run is told and tells while it works: progress out, the wish to stop in.

    A thread of its own talks to the store, so that work neither waits for the database nor has to come back often.

    Parameters
    ----------
    store, run
        Where the pulse is written, and whose.
    listen, stop
        Somebody else in this process who wants to hear of progress, and may ask to stop.
    """

    def __init__(self, store: Store, run: Run, listen: Listener | None = None, stop: Stop | None = None) -> None:
        self._store, self._run, self._listen, self._stop = store, run, listen, stop
        self._progress, self._written = Progress(), Progress()
        self._began = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._ended, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse-{run.id[:8]}", daemon=True)

    def __enter__(self) -> Context:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, done: int, total: int, words: str = "") -> None:
        """Tell how far the work is: steps done of all, and words for what is being done.

        Without steps (``total`` 0) something is loaded or kept, after which steps of another kind may begin: of their
        pace those before say nothing.
        """
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
            raise failures.error(failures.overtime(self._run.time_limit))
        return self._stopping.is_set() or (self._stop is not None and self._stop())

    @property
    def over_time(self) -> bool:
        """Whether the run has worked longer than it may."""
        return time.monotonic() - self._began > self._run.time_limit

    def _beat(self) -> None:
        last, well = 0.0, True
        while not self._ended.wait(TICK):
            progress, now = self._progress, time.monotonic()
            if progress == self._written and now - last < HEARTBEAT_EVERY:
                continue
            try:
                if not self._store.beat(self._run.id, progress):
                    self._stopping.set()
                self._written, last, well = progress, now, True
            except Exception:
                # A database that does not answer for a while is no reason to throw work away; silence has its own end.
                if well:
                    log.warning("the pulse of run %s could not be written", self._run.id, exc_info=True)
                well = False


Work = Callable[["Store", Run, Path, Context], Result]


def _mapping(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.mapping.run import map_scene

    return map_scene(store, run, folder, context)


def _change(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.mapping.run_change import compute_difference

    return compute_difference(store, run, folder, context)


def _outlines(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.mapping.run_outlines import compute_outlines

    return compute_outlines(store, run, folder, context)


def _scored(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.mapping.run_scored import compute_scored

    return compute_scored(store, run, folder, context)


def _detection(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.detection.run import detect_scene

    return detect_scene(store, run, folder, context)


def _detection_scored(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.detection.run import compute_scored

    return compute_scored(store, run, folder, context)


def _detection_fused(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.detection.run_fused import compute_fused

    return compute_fused(store, run, folder, context)


def _box_explanation(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.detection.run_explanation import compute_explanation

    return compute_explanation(store, run, folder, context)


def _box_outline(store: Store, run: Run, folder: Path, context: Context) -> Result:
    from core.tasks.joined.box_outline import compute_outline

    return compute_outline(store, run, folder, context)


WORK: Mapping[tuple[str, str], Work] = {
    ("mapping", "mapping"): _mapping,
    ("mapping", "change"): _change,
    ("mapping", "outlines"): _outlines,
    ("mapping", "scored"): _scored,
    ("detection", "detection"): _detection,
    ("detection", "scored"): _detection_scored,
    ("detection", "fused"): _detection_fused,
    ("detection", "explanation"): _box_explanation,
    ("detection", "outline"): _box_outline,
}
"""What does the work of each task and kind; each imports its engine only when it is called."""


def perform(
    store: Store,
    identity: str,
    *,
    server: str = "",
    worker: str = "",
    claimed: bool = False,
    work: Work | None = None,
    listen: Listener | None = None,
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
        What does the work; by default what `WORK` has for the run's task and kind.
    listen, stop
        See `Context`.
    raising
        Whether what ends it is also raised here.
    """
    if not claimed and not store.claim(identity, server=server or this_process(), worker=worker):
        return
    run = store.run(identity)
    try:
        with Context(store, run, listen, stop) as context:
            does = work or WORK.get((run.task, run.kind))
            if does is None:
                raise ModelError(f"Nothing here does a {run.kind} of the task {run.task}.", remedy="Update SlideLens.")
            result = does(store, run, files.folder(store.work_folder(identity)), context)
            keep(store, identity, result, context.stopped)
    except RunCancelled as error:
        _end(store, identity, error, failures.told(error), "cancelled")
        if raising:
            raise
    except LandslideError as error:
        _end(store, identity, error, failures.told(error))
        if raising:
            raise
    except Exception as error:
        log.exception("run %s failed", identity)
        _end(store, identity, error, failures.told(error))
        if raising:
            raise
    except BaseException as error:
        _end(store, identity, error, failures.stopped(error), "cancelled")
        raise


def keep(store: Store, identity: str, result: Result, stopped: Stop) -> None:
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
            log.warning("run %s is done but could not be kept; it is tried again", identity, exc_info=True)
        if stopped():
            raise RunCancelled("The run was stopped before its result was kept.", "Nothing of it was kept.")
        time.sleep(pause)
    return store.finish(identity, result)


def _end(store: Store, identity: str, error: BaseException, failure: Failure, status: Status = "failed") -> None:
    try:
        store.fail(identity, failure, status)
    except StorageError:
        # Whoever called hears what was wrong with the run, and can write that down when the database answers again.
        log.exception("the end of run %s could not be written", identity)
        raise error from None


def compute_here(store: Store, order: Order, compute: Callable[[str, Path], Result]) -> str:
    """Compute something short in this process, keep it as a run, and return its id.

    Parameters
    ----------
    compute
        Given the id and a folder to write into, returns what was computed; when it raises, nothing is left.
    """
    identity = store.begin(order, server=this_process(), worker="page")
    try:
        with Context(store, store.run(identity)):
            store.finish(identity, compute(identity, files.folder(store.work_folder(identity))))
    except BaseException as error:
        try:
            store.fail(identity, Failure(str(error)))
            store.delete(identity)
        except StorageError:
            log.exception("what is left of run %s could not be removed", identity)
        raise
    return identity
