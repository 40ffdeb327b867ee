"""Doing a run's work: whatever becomes of it stands in its row, and a pulse says that somebody is at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.errors import InputError, LandslideError, ModelError, RunCancelled, StorageError
from core.jobs import perform as module
from core.jobs.perform import Job, Work, perform, run_inline
from core.raster.progress import stop_between, tell_reading
from core.runs.records import Failure, Progress
from core.runs.store import Store
from tests.jobs.plain import ORDER, Plain, begun, kept_files, written

GONE = StorageError("The database could not be written: gone.")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.01)
    monkeypatch.setattr(module, "HEARTBEAT_EVERY", 0.02)
    monkeypatch.setattr(module, "PATIENCE", (0.01, 0.01, 0.01))


def plain(job: Job, request: Any) -> Plain:
    del request
    job.report(1, 1, "Working")
    return written(job.store, job.run.id, probability="p")


def raising(error: BaseException) -> Work:
    def work(job: Job, request: Any) -> Plain:
        (job.folder / "half").write_text("written")
        raise error

    return work


def until_stopped(job: Job, request: Any) -> Plain:
    deadline = time.monotonic() + 30
    while not job.stopped():
        assert time.monotonic() < deadline, "nobody stopped it"
        time.sleep(0.005)
    raise RunCancelled("Cancelled.", "Nothing was kept.")


def after(do: Callable[[], object], work: Work = plain) -> Work:
    """Work in whose middle something happens."""

    def all_of_it(job: Job, request: Any) -> Plain:
        do()
        return work(job, request)  # type: ignore[return-value]

    return all_of_it


def refusing(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str, times: int, error: Exception = GONE
) -> list[int]:
    """Let a method of the store fail a number of times, and count how often it was called."""
    real, calls = getattr(store, name), [0]

    def method(*arguments: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] <= times:
            raise error
        return real(*arguments, **named)

    monkeypatch.setattr(store, name, method)
    return calls


def nothing_is_left(store: Store) -> bool:
    return kept_files(store) == [] and not list((store.home / "work").glob("*"))


# How it ends


def test_work_that_goes_well_is_kept(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)
    heard: list[tuple[int, int]] = []

    perform(quick_store, identity, server="s", worker="w", work=plain, listen=lambda *steps: heard.append(steps))

    run = quick_store.run(identity)
    assert (run.status, run.server, run.worker, run.failure) == ("done", "s", "w", None)
    assert kept_files(quick_store) == ["p"]
    assert heard == [(1, 1)]


def test_words_alone_are_no_step(quick_store: Store) -> None:
    """All is done, and only kept any more: the bar stays where it is, and who counts hears nothing twice."""
    identity, heard = quick_store.order(ORDER), list[tuple[int, int]]()
    seen: list[Progress] = []

    def work(job: Job, request: Any) -> Plain:
        job.report(5, 5, "Mapping")
        job.report(5, 5, "Keeping")
        seen.append(job._progress)
        return plain(job, request)

    perform(quick_store, identity, work=work, listen=lambda *steps: heard.append(steps))

    assert (seen[0].share, seen[0].words) == (1.0, "Keeping")
    assert heard == [(5, 5), (1, 1)]


@pytest.mark.parametrize("error", [InputError("What.", "Why.", "Remedy."), ModelError("What.", "Why.", "Remedy.")])
def test_what_is_wrong_is_written_down_in_its_words(quick_store: Store, error: LandslideError) -> None:
    identity = quick_store.order(ORDER)

    perform(quick_store, identity, work=raising(error))

    run = quick_store.run(identity)
    assert run.status == "failed"
    assert run.failure is not None
    assert (run.failure.what, run.failure.why, run.failure.remedy) == ("What.", "Why.", "Remedy.")
    assert "raise error" in run.failure.detail
    assert run.finished is not None
    assert nothing_is_left(quick_store)


def test_a_bug_is_written_down_whole(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)

    perform(quick_store, identity, work=raising(ZeroDivisionError("by zero")))

    run = quick_store.run(identity)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.what == "The run stopped because of an error in the program."
    assert run.failure.why == "ZeroDivisionError: by zero"
    assert "Traceback" in run.failure.detail
    assert nothing_is_left(quick_store)


def test_whoever_does_it_himself_hears_what_was_wrong(quick_store: Store) -> None:
    for error in (InputError("What."), ZeroDivisionError("by zero"), RunCancelled("Stopped.")):
        identity = quick_store.order(ORDER)
        with pytest.raises(type(error)):
            perform(quick_store, identity, work=raising(error), raising=True)
        assert not quick_store.run(identity).active


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), MemoryError()])
def test_whoever_is_stopped_from_outside_leaves_no_run_running(quick_store: Store, error: BaseException) -> None:
    identity = quick_store.order(ORDER)

    if isinstance(error, Exception):
        perform(quick_store, identity, work=raising(error))
    else:
        with pytest.raises(type(error)):
            perform(quick_store, identity, work=raising(error))

    assert quick_store.run(identity).status == ("failed" if isinstance(error, Exception) else "cancelled")
    assert nothing_is_left(quick_store)


def test_what_nobody_can_do_fails(quick_store: Store) -> None:
    identity = quick_store.order(replace(ORDER, task="sorcery"))

    perform(quick_store, identity)

    failure = quick_store.run(identity).failure
    assert failure is not None
    assert "This installation cannot process a mapping of the task sorcery" in failure.what


# Being stopped


def test_a_run_over_its_time_is_stopped(quick_store: Store) -> None:
    identity = quick_store.order(replace(ORDER, time_limit=0.05))

    perform(quick_store, identity, work=until_stopped)

    run = quick_store.run(identity)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.what == "The run exceeded its time limit of 0.05 s and was stopped."
    assert "SLIDELENS_TIME_LIMIT" in run.failure.remedy


def test_a_run_that_was_cancelled_while_it_waited_is_not_begun(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)
    quick_store.cancel(identity)

    perform(quick_store, identity, work=raising(AssertionError("it was begun")), raising=True)

    assert quick_store.run(identity).status == "cancelled"


def steps_without_asking(step: Callable[[Job], None]) -> Work:
    """Work that never asks whether to stop, as one that reads a large file, or searches a window of many parts."""

    def work(job: Job, request: Any) -> Plain:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            step(job)
            time.sleep(0.005)
        return plain(job, request)

    return work


@pytest.mark.parametrize(
    "step",
    [lambda job: job.report(0, 0, "Loading"), lambda job: tell_reading(1, 9), lambda job: stop_between()],
    ids=["tells", "reads", "is within a batch"],
)
def test_a_run_that_is_cancelled_before_or_between_steps_stops(quick_store: Store, step: Callable[[Job], None]) -> None:
    identity = quick_store.order(ORDER)
    perform(quick_store, identity, work=after(lambda: quick_store.cancel(identity), steps_without_asking(step)))
    assert quick_store.run(identity).status == "cancelled"
    assert nothing_is_left(quick_store)
    stop_between()  # nobody else is stopped


def test_a_run_that_is_cancelled_while_it_works_hears_it(any_store: Store) -> None:
    identity = any_store.order(ORDER)

    perform(any_store, identity, work=after(lambda: any_store.cancel(identity), until_stopped))

    run = any_store.run(identity)
    assert (run.status, run.cancelling) == ("cancelled", False)
    assert run.failure is not None
    assert run.failure.what == "Cancelled."


def test_somebody_in_this_process_may_stop_it(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)

    perform(quick_store, identity, work=until_stopped, stop=lambda: True)

    assert quick_store.run(identity).status == "cancelled"


def test_the_result_of_a_run_that_was_given_up_for_lost_is_not_kept(any_store: Store) -> None:
    identity = any_store.order(ORDER)
    lost = Failure("The worker was silent.", "It may have been killed.", "Run it again.")

    perform(any_store, identity, work=after(lambda: any_store.fail(identity, lost, "interrupted")))

    run = any_store.run(identity)
    assert (run.status, run.failure, run.artifacts) == ("interrupted", lost, ())
    assert nothing_is_left(any_store)


def test_work_that_was_given_up_for_lost_hears_it(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)

    perform(quick_store, identity, work=after(lambda: quick_store.fail(identity, Failure("Lost.")), until_stopped))

    failure = quick_store.run(identity).failure
    assert failure is not None
    assert failure.what == "Lost."


def test_a_run_that_was_removed_meanwhile_leaves_nothing(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)

    def remove() -> None:
        quick_store.fail(identity, Failure("Lost."))
        quick_store.delete(identity)

    perform(quick_store, identity, work=after(remove))

    assert quick_store.runs() == []
    assert nothing_is_left(quick_store)


# When disk or database do not answer


def beats(store: Store, identity: str) -> Callable[[], bool]:
    """Whether its heart has beaten since this was made."""
    before = store.run(identity).heartbeat
    return lambda: store.run(identity).heartbeat != before


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.mark.parametrize("error", [GONE, OSError("socket"), RuntimeError("driver")])
def test_a_pulse_goes_on_when_the_database_answers_again(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    identity = quick_store.order(ORDER)
    calls = refusing(quick_store, monkeypatch, "beat", 3, error)

    def listen() -> None:
        wait_for(lambda: calls[0] > 3)
        wait_for(beats(quick_store, identity))

    perform(quick_store, identity, work=after(listen))

    assert quick_store.run(identity).status == "done"


def test_the_heart_of_a_run_beats_while_it_has_nothing_to_tell(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)

    def listen() -> None:
        for _ in range(2):
            wait_for(beats(quick_store, identity))

    perform(quick_store, identity, work=after(listen))

    assert quick_store.run(identity).status == "done"


def test_progress_is_written_while_it_works(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)

    def work(job: Job, request: Any) -> Plain:
        job.report(3, 7, "Mapping tile 3 of 7")
        wait_for(lambda: job.store.run(job.run.id).progress.done == 3)
        assert job.store.run(job.run.id).progress == Progress(3, 7, "Mapping tile 3 of 7")
        return plain(job, request)

    perform(quick_store, identity, work=work, raising=True)


def test_the_time_left_is_told_from_steps_of_one_kind(quick_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    run = quick_store.run(quick_store.order(ORDER))
    job = Job(quick_store, run)
    for done in (0, 1):
        now = done * 3600.0  # an hour for the first of two epochs
        job.report(done, 2, "Epoch")
    assert job._progress.left == 3600.0
    job.report(0, 0, "Loading the model")
    for done in (1, 2):
        now += 1.0
        job.report(done, 10, "Scoring")
    assert job._progress.left == 8.0


def test_a_result_is_kept_when_the_database_answers_again(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = quick_store.order(ORDER)
    calls = refusing(quick_store, monkeypatch, "finish", 3)

    perform(quick_store, identity, work=plain)

    assert calls == [4]
    assert quick_store.run(identity).status == "done"
    assert kept_files(quick_store) == ["p"]


def test_a_result_that_cannot_be_kept_fails_the_run(quick_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = quick_store.order(ORDER)
    refusing(quick_store, monkeypatch, "finish", 99)

    perform(quick_store, identity, work=plain)

    run = quick_store.run(identity)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.what == GONE.what
    assert nothing_is_left(quick_store)


def test_a_result_that_cannot_be_kept_is_given_up_when_the_run_is_cancelled(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = quick_store.order(ORDER)
    monkeypatch.setattr(module, "PATIENCE", (0.01,) * 1000)
    refusing(quick_store, monkeypatch, "finish", 9999)

    perform(quick_store, identity, work=after(lambda: quick_store.cancel(identity)))

    assert quick_store.run(identity).status == "cancelled"
    assert nothing_is_left(quick_store)


@pytest.mark.parametrize("error", [InputError("The scene is bad."), ZeroDivisionError(), RunCancelled("Stopped.")])
def test_an_end_that_cannot_be_written_is_told_to_the_caller(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    identity = quick_store.order(ORDER)
    refusing(quick_store, monkeypatch, "fail", 1)

    with pytest.raises(type(error)) as caught:
        perform(quick_store, identity, work=raising(error))

    assert caught.value is error


# What is done in a blink


def test_what_a_page_computes_is_a_run_of_its_own_from_the_start(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(job: Job, request: Any) -> Plain:
        identity = job.run.id
        assert job.folder.is_dir()
        assert quick_store.run(identity).status == "running"
        assert not quick_store.claim(identity, server="dispatcher", worker="eager")
        wait_for(beats(quick_store, identity))
        return written(quick_store, identity, change="c")

    monkeypatch.setattr(module, "work_of", lambda run: compute)
    identity = run_inline(quick_store, ORDER)

    assert quick_store.run(identity).status == "done"
    assert kept_files(quick_store) == ["c"]


@pytest.mark.parametrize("refuses", ["", "fail", "delete"])
def test_what_a_page_could_not_compute_leaves_nothing(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    def compute(job: Job, request: Any) -> Plain:
        if refuses:
            refusing(quick_store, monkeypatch, refuses, 1)
        (job.folder / "half").write_text("written")
        raise InputError("It cannot be computed.")

    monkeypatch.setattr(module, "work_of", lambda run: compute)
    with pytest.raises(InputError, match="cannot be computed"):
        run_inline(quick_store, ORDER)

    assert len(quick_store.runs()) == bool(refuses)


def test_no_thread_is_left(quick_store: Store) -> None:
    for error in (InputError("No."), ZeroDivisionError()):
        perform(quick_store, quick_store.order(ORDER), work=raising(error))
    perform(quick_store, begun(quick_store), claimed=True, work=plain)

    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("heartbeat-")] == []
