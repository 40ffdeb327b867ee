"""Runs from their order to their end, on either kind of database."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError, RunCancelled
from core.runs.records import Failure, Input, Order, Progress, RunFilter
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from tests.jobs.plain import ORDER, begun, done, kept_files, written

WRITERS = 20


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Do something in many threads, all of which begin together."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


# From the order to the end


def test_a_run_waits_works_and_is_done(any_store: Store) -> None:
    order = Order(
        "mapping", "mapping", {"a": [1, None]}, image_inputs("valley"), "red", (), "me", "first", 2**40, 60.0
    )

    identity = any_store.order(order)

    waiting = any_store.run(identity)
    assert (waiting.status, waiting.started, waiting.finished) == ("queued", None, None)
    assert (waiting.parameters, waiting.subject.name, waiting.model) == ({"a": [1, None]}, "valley", "red")
    assert (waiting.owner, waiting.name, waiting.seed, waiting.time_limit) == ("me", "first", 2**40, 60.0)
    assert any_store.claim(identity, server="here", worker="one")
    assert any_store.beat(identity, Progress(3, 10, "Mapping", 4.5))
    working = any_store.run(identity)
    assert (working.status, working.server, working.worker) == ("running", "here", "one")
    assert working.progress == Progress(3, 10, "Mapping", 4.5)
    assert working.started is not None
    assert working.heartbeat is not None
    result = replace(
        written(any_store, identity, probability="p", truth="t"), numbers={"f1": 0.5}, notes=("Mind this.",),
        provenance={"model": {"weights_sha256": "e" * 64}}, content={"counts": [1, 2]},
    )  # fmt: skip
    any_store.finish(identity, result)
    ended = any_store.run(identity)
    assert (ended.status, ended.failure, ended.cancelling) == ("done", None, False)
    assert ended.finished is not None
    assert (ended.metrics, ended.notes, ended.weights_sha256) == ({"f1": 0.5}, ("Mind this.",), "e" * 64)
    assert [(one.role, one.path.read_text(), one.size) for one in ended.artifacts] == [
        ("probability", "p", 1), ("truth", "t", 1)
    ]  # fmt: skip
    assert any_store.provenance(identity) == {"model": {"weights_sha256": "e" * 64}}
    assert not any_store.work_folder(identity).exists()


def test_inputs_are_those_that_the_result_used_else_those_of_the_order(any_store: Store) -> None:
    used = (Input("table", "", "readings.csv", "1" * 64), Input("reference", "", "slides.gpkg", "2" * 64))
    told, untold = begun(any_store), begun(any_store)

    any_store.finish(told, replace(written(any_store, told, probability="p"), inputs=used))
    any_store.finish(untold, replace(written(any_store, untold, probability="p"), inputs=()))

    assert any_store.run(told).inputs == used
    assert any_store.run(untold).inputs == ORDER.inputs
    assert [run.id for run in any_store.runs(RunFilter(text="SLIDES"))] == [told]


def test_a_run_that_is_begun_at_once_is_nobody_elses(any_store: Store) -> None:
    identity = begun(any_store)

    assert any_store.run(identity).status == "running"
    assert not any_store.claim(identity, server="other", worker="other")
    assert any_store.run(identity).server == "tests"


def test_a_run_names_a_scene_and_parents_of_the_store(any_store: Store) -> None:
    parents = (done(any_store), done(any_store))

    child = any_store.order(replace(ORDER, parents=parents[::-1]))

    assert any_store.run(child).parents == parents[::-1]
    with pytest.raises(InputError, match="run is not in the store"):
        any_store.order(replace(ORDER, parents=("a" * 32,)))
    with pytest.raises(InputError, match="not in the store"):
        any_store.order(replace(ORDER, inputs=image_inputs("valley", identity="a" * 32)))
    assert any_store.count() == 3


@pytest.mark.parametrize(("name", "most"), [("task", 32), ("kind", 32), ("owner", 64), ("model", 128)])
def test_words_by_which_runs_are_found_are_short(any_store: Store, name: str, most: int) -> None:
    any_store.order(replace(ORDER, **{name: "é" * most}))
    with pytest.raises(InputError, match=f"The {name} of a run is longer than {most}"):
        any_store.order(replace(ORDER, **{name: "é" * (most + 1)}))


def test_one_of_many_claims_wins(any_store: Store) -> None:
    identity = any_store.order(ORDER)

    won = at_once(12, lambda number: any_store.claim(identity, server="here", worker=str(number)))

    assert sorted(won) == [False] * 11 + [True]
    assert any_store.run(identity).worker == str(won.index(True))


def test_a_waiting_run_is_cancelled_at_once(any_store: Store) -> None:
    identity = any_store.order(ORDER)

    any_store.cancel(identity)

    run = any_store.run(identity)
    assert run.status == "cancelled"
    assert run.failure is not None
    assert run.finished is not None
    assert not any_store.claim(identity, server="here", worker="late")
    assert any_store.active() == []


def test_a_working_run_hears_that_it_is_cancelled(any_store: Store) -> None:
    identity = begun(any_store)
    assert any_store.beat(identity)

    any_store.cancel(identity)

    assert any_store.run(identity).cancelling
    assert any_store.run(identity).status == "running"
    assert not any_store.beat(identity)
    assert not any_store.advance(identity, 1)
    assert any_store.fail(identity, Failure("Stopped."), "cancelled")
    assert (any_store.run(identity).status, any_store.run(identity).cancelling) == ("cancelled", False)


def test_an_end_is_final(any_store: Store) -> None:
    identity = begun(any_store)
    assert any_store.fail(identity, Failure("No.", "Because.", "Do.", "Detail."), "interrupted")

    assert not any_store.fail(identity, Failure("Again."))
    any_store.cancel(identity)
    assert not any_store.beat(identity, Progress(1, 2))
    with pytest.raises(RunCancelled):
        any_store.finish(identity, written(any_store, identity, probability="p"))

    run = any_store.run(identity)
    assert (run.status, run.failure) == ("interrupted", Failure("No.", "Because.", "Do.", "Detail."))
    assert (run.progress.done, run.artifacts) == (0, ())
    assert kept_files(any_store) == []


def test_a_finished_run_cannot_be_failed(any_store: Store) -> None:
    identity = done(any_store, probability="p")

    assert not any_store.fail(identity, Failure("Silent."))
    any_store.cancel(identity)

    assert (any_store.run(identity).status, any_store.run(identity).cancelling) == ("done", False)
    assert kept_files(any_store) == ["p"]


def test_of_finishing_and_failing_at_once_one_is_true(any_store: Store) -> None:
    for number in range(8):
        identity = begun(any_store)
        result = written(any_store, identity, probability=str(number))

        def end(which: int, identity: str = identity, result: Any = result) -> bool:
            if which:
                return any_store.fail(identity, Failure("Silent."))
            try:
                any_store.finish(identity, result)
            except (RunCancelled, InputError, OSError):
                return False  # it had ended, and its folder is gone
            return True

        finished, failed = at_once(2, end)
        run = any_store.run(identity)
        assert finished != failed
        assert (run.status, run.failure is None) == (("done", True) if finished else ("failed", False))
        assert [one.path.read_text() for one in run.artifacts] == ([str(number)] if finished else [])
    assert len(kept_files(any_store)) == any_store.count(RunFilter(statuses=("done",)))


def test_steps_of_many_workers_add_up(any_store: Store) -> None:
    identity = begun(any_store)
    any_store.beat(identity, Progress(0, 60, "Mapping"))

    assert all(at_once(6, lambda _: all(any_store.advance(identity, 2) for _ in range(5))))

    assert any_store.run(identity).progress.done == 60


# What is said


def test_numbers_that_are_none_and_signs_that_no_database_takes_are_kept_as_null_and_without(any_store: Store) -> None:
    dirty = {"nan": float("nan"), "deep": [{"inf": float("-inf")}, (1, 2)], "null\x00": "a\x00b", "half": "\ud800!"}
    clean = {"nan": None, "deep": [{"inf": None}, [1, 2]], "null": "ab", "half": "?!"}
    inputs = image_inputs("c\ud800\x00")
    identity = begun(any_store, replace(ORDER, parameters=dirty, owner="a\x00", model="b\x00", inputs=inputs))
    any_store.beat(identity, Progress(1, 2, "d\x00e\udcff"))
    run = any_store.run(identity)
    assert (run.parameters, run.owner, run.model, run.subject.name) == (clean, "a", "b", "c?")
    assert run.progress.words == "de?"

    any_store.finish(
        identity,
        replace(
            written(any_store, identity, probability="p"), numbers={"f1": float("nan"), "iou": 0.25},
            provenance=dirty, notes=("x\x00y",), content={"counts": dirty},
        ),
    )  # fmt: skip

    run = any_store.run(identity)
    assert (run.metrics, run.notes) == ({"f1": None, "iou": 0.25}, ("xy",))
    assert any_store.provenance(identity) == clean
    failed = begun(any_store)
    any_store.fail(failed, Failure("a\x00", "b\udcff", "c", "d"))
    assert any_store.run(failed).failure == Failure("a", "b?", "c", "d")
    assert any_store.runs(RunFilter(text="\x00", tag="\x00", owner="\x00\ud800", model="\x00x", parent="\x00")) == []


def test_words_of_every_language_are_kept_and_found_in_any_case(any_store: Store) -> None:
    words = "Ölpfütze Ναός 滑坡 Ёлка 🏔"
    identity = done(any_store, replace(ORDER, name=words, inputs=image_inputs("ÉBOULEMENT")))
    done(any_store)

    any_store.label(identity, note=words, tags=["Straße", "滑坡"])

    run = any_store.run(identity)
    assert (run.name, run.note, run.tags) == (words, words, ("Straße", "滑坡"))
    for text in ("öLPFÜTZE", "ναός", "滑坡", "ЁЛКА", "🏔", "éboul", identity[:6]):
        assert [found.id for found in any_store.runs(RunFilter(text=text))] == [identity], text
    assert any_store.runs(RunFilter(text="%")) == []
    assert any_store.runs(RunFilter(text="_")) == []


def test_labels_change_what_is_said_and_leave_the_rest(any_store: Store) -> None:
    identity = done(any_store, replace(ORDER, name="first"))
    any_store.label(identity, tags=["b", "a", "b"], pinned=True)
    any_store.label(identity, name=" new\nname ", note="line\nline\x00")
    any_store.label(identity, tags=["c", "a"])

    run = any_store.run(identity)

    assert (run.name, run.note, run.tags, run.pinned) == ("new name", "line\nline", ("a", "c"), True)
    assert any_store.tags() == ["a", "c"]
    for tag in ("", " a", "a,b", "x" * 65, "\x00a", "a\x00", "\ud800"):
        with pytest.raises(InputError, match="is not a valid tag"):
            any_store.label(identity, tags=[tag])
    with pytest.raises(InputError, match="not in the store"):
        any_store.label("a" * 32, name="nobody")


def test_many_tag_a_run_at_once(any_store: Store) -> None:
    identity = done(any_store)

    at_once(8, lambda number: any_store.label(identity, tags=["same", f"own-{number}"]))

    tags = any_store.run(identity).tags
    assert len(tags) == 2
    assert tags[1] == "same"


# Lists


def test_runs_are_found_by_what_they_are(any_store: Store) -> None:
    before = datetime.now(UTC)
    first = done(any_store, replace(ORDER, model="red", owner="me"))
    second = done(any_store, replace(ORDER, kind="scored", model="red", parents=(first,)))
    third = any_store.order(replace(ORDER, task="training", model="blue"))
    fourth = begun(any_store)
    any_store.label(second, tags=["good"])
    later = datetime.now(UTC) + timedelta(seconds=5)

    def found(**wanted: Any) -> list[str]:
        filter_ = RunFilter(**wanted)
        runs = [run.id for run in any_store.runs(filter_)]
        assert any_store.count(replace(filter_, limit=None, offset=0)) == len(runs) or filter_.limit
        return runs

    assert found() == [fourth, third, second, first]
    assert found(task="training") == [third]
    assert found(kinds=("scored", "change")) == [second]
    assert found(statuses=("done",)) == [second, first]
    assert found(statuses=("queued", "running")) == [fourth, third]
    assert found(model="red") == [second, first]
    assert found(owner="me") == [first]
    assert found(tag="good") == [second]
    assert found(parent=first) == [second]
    assert found(after=before, before=later) == [fourth, third, second, first]
    assert found(after=later) == []
    assert found(before=before) == []
    assert found(limit=2, offset=1) == [third, second]
    assert found(limit=1) == [fourth]
    assert [run.id for run in any_store.active()] == [third, fourth]
    assert [run.id for run in any_store.children(first)] == [second]
    assert any_store.children(first, "change") == []
    assert any_store.models() == ["blue", "red"]


# Taking away


def test_all_that_stands_on_a_run_is_found_once(any_store: Store) -> None:
    first, beside = done(any_store), done(any_store)
    middle = [
        done(any_store, replace(ORDER, parents=(first, beside)), p="one"),
        done(any_store, replace(ORDER, parents=(first,)), p="two"),
    ]
    last = done(any_store, replace(ORDER, parents=tuple(middle)))

    assert [run.id for run in any_store.descendants(first)] == [last, *middle[::-1]]
    assert [run.id for run in any_store.descendants(beside)] == [last, middle[0]]
    assert any_store.descendants(beside)[1] == any_store.run(middle[0])
    assert any_store.descendants(last) == []
    with pytest.raises(InputError, match="not in the store"):
        any_store.descendants("a" * 32)


def test_a_run_goes_with_all_that_stands_on_it(any_store: Store) -> None:
    first, other = done(any_store, probability="1"), done(any_store, probability="o")
    child = done(any_store, replace(ORDER, parents=(first, other)), probability="2")
    grandchild = any_store.order(replace(ORDER, parents=(child, first)))
    any_store.label(grandchild, tags=["gone"])

    assert any_store.delete(first) == 3

    assert [run.id for run in any_store.runs()] == [other]
    assert kept_files(any_store) == ["o"]
    assert any_store.tags() == []
    assert any_store.children(other) == []
    with pytest.raises(InputError, match="not in the store"):
        any_store.delete(first)


def test_a_run_that_works_is_not_removed_under_it(any_store: Store) -> None:
    parent = done(any_store, probability="p")
    child = begun(any_store, replace(ORDER, parents=(parent,)))

    for identity in (parent, child):
        with pytest.raises(InputError, match="being processed"):
            any_store.delete(identity)

    assert any_store.count() == 2
    assert kept_files(any_store) == ["p"]


def test_a_child_is_not_ordered_of_a_parent_that_is_going(any_store: Store) -> None:
    for _ in range(5):
        parent = done(any_store)

        def act(number: int, parent: str = parent) -> bool:
            try:
                if number:
                    any_store.order(replace(ORDER, parents=(parent,)))
                else:
                    any_store.delete(parent)
            except InputError:
                return False
            return True

        assert at_once(4, act)[0]
        # Ordered before, they went with it; ordered after, they were refused.
        assert any_store.runs() == []


def test_files_that_are_derived_are_replaced_and_results_are_not(any_store: Store, tmp_path: Path) -> None:
    identity = done(any_store, probability="p")

    def report(content: str) -> Path:
        path = tmp_path / "report.html"
        path.write_text(content)
        return path

    any_store.add_artifact(identity, "report", report("one"))
    any_store.add_artifact(identity, "report", report("one"))
    any_store.add_artifact(identity, "report", report("two"))

    artifact = any_store.artifact(identity, "report")
    assert (artifact.path.read_text(), artifact.media_type) == ("two", "text/html; charset=utf-8")
    assert kept_files(any_store) == ["p", "two"]
    assert not (tmp_path / "report.html").exists()
    assert [(one.role, one.derived) for one in any_store.run(identity).artifacts] == [
        ("probability", False), ("report", True)
    ]  # fmt: skip
    with pytest.raises(InputError, match="cannot be replaced"):
        any_store.add_artifact(identity, "probability", report("three"))
    with pytest.raises(InputError, match="not in the store"):
        any_store.add_artifact("a" * 32, "report", report("four"))
    assert kept_files(any_store) == ["p", "two"]


# Many at once


def test_of_twenty_writers_at_once_nothing_is_lost(any_store: Store) -> None:
    def write(number: int) -> list[str]:
        made = []
        for turn in range(3):
            identity = any_store.order(replace(ORDER, name=f"{number}-{turn}"))
            assert any_store.claim(identity, server="here", worker=str(number))
            assert any_store.beat(identity, Progress(number, WRITERS, "At work"))
            any_store.finish(identity, written(any_store, identity, probability=f"{number} {turn}", shared=str(turn)))
            any_store.label(identity, tags=[f"writer-{number}"])
            made.append(identity)
        return made

    made = {identity for written in at_once(WRITERS, write) for identity in written}

    runs = any_store.runs()
    assert {run.id for run in runs} == made
    assert len(made) == 3 * WRITERS
    assert {run.status for run in runs} == {"done"}
    assert all(run.name == f"{run.worker}-{run.name[-1]}" and run.tags == (f"writer-{run.worker}",) for run in runs)
    assert all(one.path.is_file() for run in runs for one in run.artifacts)
    assert len(kept_files(any_store)) == 3 * WRITERS + 3


PROCESS = """
import sys
from pathlib import Path
from core.runs.store import Store
from tests.jobs.plain import ORDER, written
from dataclasses import replace
store = Store(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
won = sum(store.claim(identity, server="here", worker=sys.argv[3]) for identity in sys.argv[4:])
for number in range(10):
    identity = store.order(replace(ORDER, name=f"{sys.argv[3]}-{number}"))
    assert store.claim(identity, server="here", worker=sys.argv[3])
    assert store.beat(identity)
    store.finish(identity, written(store, identity, own=sys.argv[3] + str(number), shared=str(number)))
print(won)
"""


def test_four_processes_write_at_once_and_nothing_is_lost(any_store: Store, any_url: str, repository: Path) -> None:
    waiting = [any_store.order(ORDER) for _ in range(10)]
    command = [sys.executable, "-c", PROCESS, str(any_store.home), any_url]
    processes = [
        subprocess.Popen([*command, str(number), *waiting], cwd=repository, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * 4
    assert sum(int(answer) for answer in answers) == len(waiting)
    runs = any_store.runs(RunFilter(statuses=("done",)))
    assert sorted(run.name for run in runs) == [f"{process}-{number}" for process in range(4) for number in range(10)]
    assert len(kept_files(any_store)) == 40 + 10
