"""The queue of runs: whose turn it is, and that none is running for ever. Workers are played, so nothing takes time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import InputError, RunCancelled, StorageError
from core.jobs import jobs
from core.jobs.cluster import ClusterError
from core.jobs.dispatch import Dispatcher
from core.jobs.fair_share import Candidate, fairest
from core.jobs.heartbeat import LONGEST_GAP, HeartbeatMonitor
from core.jobs.remote import Call
from core.jobs.sharding import Plan
from core.runs.failures import WorkerLost
from core.runs.processes import is_alive
from core.runs.provenance import this_process
from core.runs.records import Failure, Order, Progress, Run
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from tests.jobs.played import Played, PlayedCluster

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def candidate(name: str, owner: str, minute: int, *, part: bool = False) -> Candidate:
    return Candidate(name, owner, NOON + timedelta(minutes=minute), part)


class House:
    """A store, its queue and its played workers."""

    def __init__(self, store: Store, workers: int = 1) -> None:
        self.store, self.cluster = store, PlayedCluster(workers)
        self.now = 0.0
        self.clerk = self.another_clerk()

    def another_clerk(self, server: str | None = None) -> Dispatcher:
        clerk = Dispatcher(self.store, self.cluster, server or this_process())
        clerk._watch = HeartbeatMonitor(lambda: self.now)
        return clerk

    def order(self, owner: str = "", **more: Any) -> str:
        run_id = self.store.order(Order("mapping", "mapping", {}, image_inputs(""), owner=owner, **more))
        self.clerk.submitted.add(run_id)
        return run_id

    def tick(self, seconds: float = 0.0, *, beating: str = "") -> None:
        """Let time pass a second at a time, with a look at each."""
        self.clerk.tick()
        for _ in range(round(seconds)):
            self.now += 1
            if beating:
                self.store.beat(beating)
            self.clerk.tick()

    def claim(self, run_id: str, server: str | None = None) -> None:
        assert self.store.claim(run_id, server=server or this_process(), worker="host:1")

    def ended(self, run_id: str) -> None:
        """The worker of a run comes to the end of it."""
        self.store.fail(run_id, Failure("ended"))
        next(one for one in self.cluster.given if one.run_id == run_id and not one.done()).outcome = None

    @property
    def begun(self) -> list[str]:
        return [one.run_id for one in self.cluster.given]


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


@pytest.fixture
def dead_server() -> str:
    """Return the identity of a process that is no more."""
    code = "from core.runs.provenance import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


# Whose turn it is


def test_the_owner_of_whom_fewest_are_running_comes_first() -> None:
    waiting = [candidate("early", "busy", 0), candidate("late", "idle", 9)]
    assert fairest(waiting, {"busy": 1}, {"idle": 7}).run_id == "late"


def test_among_equals_the_owner_whose_last_start_is_longest_ago_comes_first() -> None:
    waiting = [candidate("early", "recent", 0), candidate("late", "long ago", 9)]
    assert fairest(waiting, {}, {"recent": 5, "long ago": 4}).run_id == "late"
    assert fairest(waiting, {}, {"recent": 5}).run_id == "late"


def test_one_owner_is_served_in_the_order_of_asking() -> None:
    waiting = [candidate("second", "one", 2), candidate("first", "one", 1), candidate("third", "one", 3)]
    assert fairest(waiting, {}, {}).run_id == "first"


def test_a_whole_run_of_somebody_who_has_nothing_running_goes_before_further_parts() -> None:
    waiting = [candidate("part", "large", 0, part=True), candidate("whole", "other", 9)]
    assert fairest(waiting, {"large": 1}, {"large": 1}).run_id == "whole"
    assert fairest(waiting, {}, {}).run_id == "whole"


def test_two_owners_take_turns_however_long_the_queue_of_one_is(house: House) -> None:
    first = [house.order("one") for _ in range(4)]
    second = [house.order("two") for _ in range(2)]
    for _ in range(6):
        house.tick()
        house.ended(house.begun[-1])
    house.tick()
    assert house.begun == [first[0], second[0], first[1], second[1], first[2], first[3]]


def test_each_worker_has_one_thing_to_do(store: Store) -> None:
    house = House(store, workers=2)
    runs = [house.order() for _ in range(5)]
    house.tick(3)
    assert house.begun == runs[:2]
    assert {one.worker for one in house.cluster.given} == {"tls://0", "tls://1"}
    house.ended(runs[0])
    house.tick(1)
    assert house.begun == runs[:3]


def test_the_cluster_is_started_when_there_is_something_to_do_and_not_before(house: House) -> None:
    house.tick(2)
    assert house.cluster.starts == 0
    house.order()
    house.tick(2)
    assert house.cluster.starts == 1


def test_a_cluster_may_be_wanted_ahead(house: House) -> None:
    house.clerk.wanted = True
    house.tick(2)
    assert house.cluster.starts == 1
    assert house.clerk.up


def test_a_run_that_was_claimed_by_another_server_is_not_begun(house: House) -> None:
    run_id = house.order()
    house.claim(run_id)
    house.tick(2)
    assert house.begun == []


def test_a_run_that_is_cancelled_while_it_waits_is_never_begun(house: House) -> None:
    first, second = house.order(), house.order()
    house.tick()
    house.store.cancel(second)
    house.ended(first)
    house.tick(2)
    assert house.begun == [first]
    assert house.store.run(second).status == "cancelled"


# What goes wrong


def failure_of(house: House, run_id: str, status: str) -> Failure:
    run = house.store.run(run_id)
    assert run.status == status
    assert run.failure is not None
    return run.failure


def told(house: House, run_id: str, status: str) -> Failure:
    """What is said of a run to its user."""
    return replace(failure_of(house, run_id, status), detail="")


def test_a_worker_that_ends_leaves_its_run_failed_and_the_next_begins(house: House) -> None:
    run_id, following = house.order(), house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.given[0].outcome = WorkerLost("killed")
    house.tick()
    failure = failure_of(house, run_id, "failed")
    assert failure.what == "The worker processing this run stopped."
    assert "memory" in failure.why
    assert "Repeat the run" in failure.remedy
    assert house.begun == [run_id, following]
    assert house.cluster.given[0].forgotten


def test_a_worker_that_ends_before_it_began_costs_the_run_nothing_the_first_time(house: House) -> None:
    run_id = house.order()
    for _ in range(2):
        house.tick()
        house.cluster.given[-1].outcome = WorkerLost("killed")
    house.tick(3)
    assert house.begun == [run_id, run_id]
    failure_of(house, run_id, "failed")


def test_an_error_for_the_user_is_told_as_it_is(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.given[0].outcome = InputError("No pixel.", "Nothing to map.", "Choose another.")
    house.tick()
    assert told(house, run_id, "failed") == Failure("No pixel.", "Nothing to map.", "Choose another.")


def test_an_error_of_the_program_is_kept_whole(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.given[0].outcome = ZeroDivisionError("by a test")
    house.tick()
    failure = failure_of(house, run_id, "failed")
    assert "error in the program" in failure.what
    assert "ZeroDivisionError: by a test" in failure.detail


def test_a_worker_that_comes_back_with_the_run_still_running_is_an_error(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.given[0].outcome = None
    house.tick()
    assert "without having ended" in failure_of(house, run_id, "failed").detail


def test_a_silent_run_fails_and_its_worker_is_ended(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.tick(15)
    assert house.store.run(run_id).status == "running"
    house.tick(10)
    assert "stopped responding" in failure_of(house, run_id, "failed").what
    assert house.cluster.stopped == ["tls://0"]


def test_a_run_that_is_heard_of_goes_on(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.tick(40, beating=run_id)
    assert house.store.run(run_id).status == "running"
    assert house.cluster.stopped == []


def test_a_run_that_does_not_hear_its_cancellation_loses_its_worker(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.tick()
    house.store.beat(run_id, Progress(1, 10, "Mapping"))
    house.store.cancel(run_id)
    house.tick(15, beating=run_id)
    assert house.store.run(run_id).status == "running"
    house.tick(10, beating=run_id)
    assert "cancelled" in failure_of(house, run_id, "cancelled").what
    assert house.cluster.stopped == ["tls://0"]


def test_a_run_that_is_cancelled_while_its_worker_loads_is_not_waited_for(house: House) -> None:
    """Nothing listens while libraries and the model are loaded, which takes many seconds on a cold machine."""
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.tick()
    house.store.cancel(run_id)
    house.tick(2, beating=run_id)
    assert house.store.run(run_id).status == "running"
    house.tick(2, beating=run_id)
    assert "cancelled" in failure_of(house, run_id, "cancelled").what
    assert house.cluster.stopped == ["tls://0"]


def test_a_worker_that_is_lost_while_it_is_told_to_stop_leaves_the_run_cancelled(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.store.cancel(run_id)
    house.cluster.given[0].outcome = WorkerLost("killed")
    house.tick()
    failure_of(house, run_id, "cancelled")


def test_a_run_over_its_time_loses_its_worker(house: House) -> None:
    run_id = house.order(time_limit=5)
    house.tick()
    house.claim(run_id)
    house.tick(18, beating=run_id)
    assert house.store.run(run_id).status == "running"
    house.tick(5, beating=run_id)
    failure = failure_of(house, run_id, "failed")
    assert "limit of 5 s" in failure.what
    assert "SLIDELENS_TIME_LIMIT" in failure.remedy
    assert house.cluster.stopped == ["tls://0"]


def test_a_worker_that_goes_on_although_its_run_has_ended_is_ended(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.store.cancel(run_id)  # while the worker still imports and has claimed nothing
    house.tick(15)
    assert house.cluster.stopped == []
    house.tick(10)
    assert house.cluster.stopped == ["tls://0"]


def test_what_was_given_to_a_worker_that_went_away_is_given_to_another(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.cluster.names = ["tls://new"]
    house.tick(15)
    assert [one.worker for one in house.cluster.given] == ["tls://0", "tls://new"]
    assert house.begun == [run_id, run_id]
    assert house.cluster.given[0].forgotten


def test_when_the_cluster_cannot_start_the_queue_says_so(house: House) -> None:
    run_id, foreign = house.order(), house.store.order(Order("mapping", "mapping", {}, image_inputs("")))
    house.clerk._adopted = set()  # as if the other one had been ordered from another server
    house.cluster.refuses = ClusterError("No processes.", "No memory.", "Buy some.")
    house.tick()
    assert told(house, run_id, "failed") == Failure("No processes.", "No memory.", "Buy some.")
    assert house.store.run(foreign).status == "queued"
    house.tick(5)
    assert house.cluster.starts == 1
    house.cluster.refuses = None
    again = house.order()
    house.tick()
    assert set(house.begun) <= {again, foreign}
    assert len(house.begun) == 1


def test_even_an_error_that_nobody_foresaw_leaves_no_run_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("ciphers")

    monkeypatch.setattr(house.cluster, "start", broken)
    run_id = house.order()
    house.tick()
    assert "KeyError" in failure_of(house, run_id, "failed").detail


def test_when_the_cluster_goes_its_runs_fail_and_it_is_started_again(house: House) -> None:
    run_id, following = house.order(), house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.gone = True
    house.tick()
    failure_of(house, run_id, "failed")
    assert house.cluster.closed == 1
    house.cluster.gone = False
    house.tick()
    assert house.cluster.starts == 2
    assert house.begun == [run_id, following]


def test_a_locked_database_loses_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.given[0].outcome = WorkerLost("killed")

    def locked(*_: object) -> bool:
        raise StorageError("The database is locked.")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "fail", locked)
        with pytest.raises(StorageError):
            house.tick()
    house.tick()
    failure_of(house, run_id, "failed")


def test_a_run_that_was_removed_meanwhile_is_forgotten(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.store.cancel(run_id)
    house.store.delete(run_id)
    house.cluster.given[0].outcome = None
    house.tick(2)
    following = house.order()
    house.tick()
    assert house.begun == [run_id, following]


# After a restart


def test_a_run_of_a_server_that_is_gone_is_interrupted(house: House, dead_server: str) -> None:
    run_id = house.order()
    house.claim(run_id, dead_server)
    house.tick(4)
    assert house.store.run(run_id).status == "running"
    house.tick(5)
    failure = failure_of(house, run_id, "interrupted")
    assert "server stopped" in failure.what
    assert "Repeat the run" in failure.remedy


def test_a_run_that_a_foreign_cluster_goes_on_with_outlives_its_server(house: House, dead_server: str) -> None:
    run_id = house.order()
    house.claim(run_id, dead_server)
    house.tick(40, beating=run_id)
    assert house.store.run(run_id).status == "running"


def test_a_run_of_another_machine_is_interrupted_when_it_is_silent(house: House) -> None:
    run_id = house.order()
    house.claim(run_id, "another.machine:1:1700000000")
    house.tick(15)
    assert house.store.run(run_id).status == "running"
    house.tick(10)
    failure_of(house, run_id, "interrupted")


def test_a_run_that_was_queued_before_is_taken_up(house: House) -> None:
    run_id = house.store.order(Order("mapping", "mapping", {}, image_inputs("")))
    house.tick()
    assert house.begun == [run_id]


def test_a_server_that_stops_marks_what_it_was_computing(house: House) -> None:
    running, waiting = house.order(), house.order()
    house.tick()
    house.claim(running)
    house.clerk.leave()
    failure_of(house, running, "interrupted")
    assert house.store.run(waiting).status == "queued"
    assert house.cluster.closed == 1


def test_a_server_that_stops_marks_what_it_can_and_ends_its_workers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(store, workers=3)
    runs = [house.order() for _ in range(3)]
    house.tick()
    for run_id in runs:
        house.claim(run_id)
    real, refused = store.fail, []

    def first_refused(run_id: str, *said: Any) -> bool:
        if not refused:
            refused.append(run_id)
            raise StorageError("The database is locked.")
        return real(run_id, *said)

    monkeypatch.setattr(store, "fail", first_refused)
    house.clerk.leave()

    states = {run_id: store.run(run_id).status for run_id in runs}
    assert states == {run_id: "running" if run_id in refused else "interrupted" for run_id in runs}
    assert len(refused) == 1
    assert house.cluster.closed == 1


def test_what_is_known_of_runs_that_have_ended_is_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.dispatch.REMEMBERED", 2)
    for owner in ("one", "two", "one", "three"):
        house.order(owner)
        house.tick()
        house.ended(house.begun[-1])
    house.tick()
    assert (house.clerk.submitted, house.clerk._adopted, house.clerk._tried) == (set(), set(), {})
    assert house.clerk._last == {"one": 3, "three": 4}


def test_what_a_foreign_cluster_computes_goes_on_without_the_server(house: House) -> None:
    run_id = house.order()
    house.tick()
    house.claim(run_id)
    house.cluster.lasting = True
    house.clerk.leave()
    assert house.store.run(run_id).status == "running"


def test_a_process_is_known_by_its_birth_as_well_as_its_number(dead_server: str) -> None:
    host, pid, born = this_process().rsplit(":", 2)
    assert is_alive(this_process()) is True
    assert is_alive(f"{host}:{pid}:{float(born) - 1000}") is False
    assert is_alive(dead_server) is False
    assert is_alive(f"elsewhere:{pid}:{born}") is None
    assert is_alive("nonsense") is None


def test_a_machine_that_slept_has_waited_for_nobody() -> None:
    times = iter([0.0, 1.0, 3600.0])
    watch = HeartbeatMonitor(lambda: next(times))
    run = Run("a", "mapping", "mapping", "running", NOON, heartbeat=NOON)
    watch.look([run])
    watch.look([run])
    assert watch.look([run])[0]["a"].silent == 1 + LONGEST_GAP


# Runs that several workers share


def plan_of(parts: int) -> Plan:
    return Plan(tuple(Call("m:part", {"run_id": "", "n": n}) for n in range(parts)), Call("m:last", {"run_id": ""}), 9)


@pytest.fixture
def shared(store: Store) -> House:
    """Return a house with two workers, where runs of the owner "large" are split."""
    house = House(store, workers=2)
    house.clerk.splitter = lambda run, _: Call("m:plan", {"run_id": run.id}) if run.owner == "large" else None
    return house


def functions(house: House) -> list[str]:
    return [one.call.function.partition(":")[2] for one in house.cluster.given]


def test_a_run_is_planned_shared_out_and_put_together(shared: House) -> None:
    run_id = shared.order("large")
    shared.tick()
    assert functions(shared) == ["plan"]
    assert shared.store.run(run_id).status == "running"
    shared.cluster.given[0].outcome = plan_of(3)
    shared.tick()
    assert functions(shared) == ["plan", "part", "part"]
    assert shared.store.run(run_id).progress == Progress(0, 9, "")
    shared.cluster.given[1].outcome = None
    shared.tick()
    shared.cluster.given[2].outcome = None
    shared.tick()
    assert functions(shared) == ["plan", "part", "part", "part"]
    shared.cluster.given[3].outcome = None
    shared.tick()
    assert functions(shared)[4:] == ["last"]
    shared.store.fail(run_id, Failure("ended"))
    shared.cluster.given[4].outcome = None
    shared.tick()
    assert shared.clerk._splits == {}
    assert failure_of(shared, run_id, "failed").what == "ended"


def test_the_heart_of_a_shared_run_beats_while_its_parts_wait(shared: House) -> None:
    run_id = shared.order("large")
    shared.tick(40)
    assert shared.store.run(run_id).status == "running"


def test_a_shared_run_fails_when_its_workers_cannot_be_started_again(shared: House) -> None:
    run_id = shared.order("large")
    shared.tick()
    shared.cluster.given[0].outcome = plan_of(2)
    taken = shared.cluster.free
    shared.cluster.free = lambda: ()  # type: ignore[method-assign]  others have the workers
    shared.tick()
    shared.cluster.gone, shared.cluster.refuses = True, ClusterError("No processes.", "No memory.", "Buy some.")
    shared.tick()
    assert told(shared, run_id, "failed") == Failure("No processes.", "No memory.", "Buy some.")
    assert shared.clerk._splits == {}
    shared.cluster.gone, shared.cluster.refuses, shared.cluster.free = False, None, taken  # type: ignore[method-assign]
    other = shared.order("other")
    shared.tick()
    assert shared.begun[-1] == other


def test_others_come_before_further_parts(shared: House) -> None:
    shared.order("large")
    shared.tick()
    shared.cluster.given[0].outcome = plan_of(5)
    shared.tick()
    other = shared.order("other")
    shared.cluster.given[1].outcome = None
    shared.tick()
    assert shared.cluster.given[-1].run_id == other
    assert functions(shared)[-1] == "perform_here"


def test_a_part_that_fails_ends_the_run_and_nothing_more_of_it_begins(shared: House) -> None:
    run_id = shared.order("large")
    shared.tick()
    shared.cluster.given[0].outcome = plan_of(5)
    shared.tick()
    shared.cluster.given[1].outcome = WorkerLost("killed")
    shared.tick()
    assert "worker" in failure_of(shared, run_id, "failed").what
    shared.cluster.given[2].outcome = RunCancelled("heard")
    shared.tick(2)
    assert functions(shared) == ["plan", "part", "part"]
    assert shared.clerk._splits == {}
    failure_of(shared, run_id, "failed")


def test_a_shared_run_is_cancelled_when_its_parts_have_heard(shared: House) -> None:
    run_id = shared.order("large")
    shared.tick()
    shared.cluster.given[0].outcome = plan_of(5)
    shared.tick()
    shared.store.cancel(run_id)
    shared.cluster.given[1].outcome = None
    shared.tick(2)
    assert functions(shared) == ["plan", "part", "part"]
    shared.cluster.given[2].outcome = RunCancelled("heard")
    shared.tick(2)
    failure_of(shared, run_id, "cancelled")
    assert shared.clerk._splits == {}


def test_a_locked_database_loses_no_part_of_a_shared_run(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.order("large")
    shared.tick()
    shared.cluster.given[0].outcome = plan_of(2)

    def locked(*_: object) -> bool:
        raise StorageError("The database is locked.")

    with monkeypatch.context() as patch:
        patch.setattr(shared.store, "beat", locked)
        with pytest.raises(StorageError):
            shared.tick()
    shared.tick()
    assert functions(shared) == ["plan", "part", "part"]
    shared.cluster.given[1].outcome = None
    shared.tick()
    assert functions(shared)[3:] == [], "the last step began before all parts had ended"
    shared.cluster.given[2].outcome = None
    shared.tick()
    assert functions(shared)[3:] == ["last"]


def test_a_step_that_could_not_be_given_to_a_worker_is_given_again(
    shared: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = shared.order("large")

    def lost(*_: object) -> Played:
        raise ClusterError("The connection is lost.")

    with monkeypatch.context() as patch:
        patch.setattr(shared.cluster, "submit", lost)
        with pytest.raises(ClusterError):
            shared.tick()
    assert shared.store.run(run_id).status == "running"
    shared.tick()
    assert functions(shared) == ["plan"]


def test_a_run_that_cannot_be_shared_out_is_done_whole(shared: House) -> None:
    def unsure(run: Run, workers: int) -> Call | None:
        raise InputError("The scene is gone.")

    shared.clerk.splitter = unsure
    run_id = shared.order("large")
    shared.tick()
    assert functions(shared) == ["perform_here"]
    assert shared.begun == [run_id]


def test_what_should_be_a_plan_and_is_none_is_an_error(shared: House) -> None:
    run_id = shared.order("large")
    shared.tick()
    shared.cluster.given[0].outcome = "not a plan"
    shared.tick(2)
    assert "not a plan" in failure_of(shared, run_id, "failed").detail


# The jobs of a process


def performed(store: Store, run_id: str, *, server: str, worker: str) -> None:
    """Stand in for `core.jobs.perform.perform`."""
    assert store.claim(run_id, server=server, worker=worker)
    store.fail(run_id, Failure("ended", worker))


def test_inline_jobs_have_ended_the_run_when_they_return(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.perform.perform", performed)
    run = store.run(jobs.InlineJobs(store).submit(Order("mapping", "mapping", {}, image_inputs(""))))
    assert run.failure == Failure("ended", f"{this_process().split(':')[0]}:{os.getpid()}")


def test_submitting_never_waits_for_the_cluster(store: Store) -> None:
    """The played cluster here would never come up, and yet the order has its id."""

    class Endless(PlayedCluster):
        def start(self) -> None:
            until.wait(30)

    until = threading.Event()
    queue = jobs.ClusterJobs(store, Endless())
    try:
        run_id = queue.submit(Order("mapping", "mapping", {}, image_inputs("")))
        assert store.run(run_id).status == "queued"
        assert not queue.ready()
        queue.cancel(run_id)
        assert store.run(run_id).status == "cancelled"
    finally:
        until.set()
        queue.close()


def test_tests_may_choose_the_jobs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    inline = jobs.InlineJobs(store)
    monkeypatch.setattr(jobs, "override", inline)
    assert jobs.default_jobs() is inline
