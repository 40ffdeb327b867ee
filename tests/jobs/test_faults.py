"""When disk, database or processes fail: said clearly, nothing half-kept, and the store goes on afterwards."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from sqlalchemy import event, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.errors import InputError, StorageError
from core.jobs import perform as work_module
from core.jobs.perform import Job, perform
from core.runs import files
from core.runs.records import Failure
from core.runs.store import Store
from core.serve.routes import routes
from core.tasks.mapping.result import MappingResult
from tests.factories import keep, made_run, ramp, write_raster
from tests.jobs.plain import ORDER, Plain, begun, done, kept_files, written

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def scene_bytes(folder: Path) -> bytes:
    return write_raster(folder / "scene.tif", ramp(20, 30)).read_bytes()


def uploads(store: Store) -> list[Path]:
    return [path for path in (store.home / "files").rglob("*") if path.is_file()]


@contextmanager
def failing(name: str, error: Exception, when: Callable[[Path], bool] = lambda _: True) -> Iterator[None]:
    """Let a call of the system fail for some targets."""
    real = getattr(os, name)

    def call(source: Any, target: Any, **named: Any) -> None:
        if when(Path(target)):
            raise error
        real(source, target, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, call)
        yield


# A full disk


def test_a_disk_that_takes_only_one_of_two_files_keeps_neither(any_store: Store) -> None:
    identity = begun(any_store)
    result = written(any_store, identity, probability="one", truth="two")
    arrived: list[Path] = []

    def second(target: Path) -> bool:
        arrived.append(target)
        return len(set(arrived)) > 1

    with (
        failing("link", FULL, second), failing("replace", FULL), failing("rename", FULL),
        pytest.raises(StorageError, match=r"truth\.json could not be stored.*No space left.*Free up disk space"),
    ):  # fmt: skip
        any_store.finish(identity, result)

    assert kept_files(any_store) == []
    assert any_store.run(identity).status == "running"
    # Nothing of the work is lost: once there is room it can be kept.
    any_store.finish(identity, result)
    assert any_store.run(identity).status == "done"
    assert kept_files(any_store) == ["one", "two"]


NO_LINKS = OSError(errno.EPERM, "not permitted")


def refused(*_: object, **__: object) -> None:
    raise StorageError("The database is gone.")


def test_a_file_system_without_second_names_has_files_once(quick_store: Store) -> None:
    with failing("link", NO_LINKS):
        identity = done(quick_store, probability="p")

    assert quick_store.artifact(identity, "probability").path.read_text() == "p"
    assert kept_files(quick_store) == ["p"]
    assert not quick_store.work_folder(identity).exists()


def test_a_file_system_without_second_names_loses_nothing_when_the_row_fails(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = begun(quick_store)
    result = written(quick_store, identity, probability="p")

    with failing("link", NO_LINKS):
        with monkeypatch.context() as patch:
            patch.setattr(quick_store, "_changed", refused)
            with pytest.raises(StorageError, match="gone"):
                quick_store.finish(identity, result)
        assert kept_files(quick_store) == []
        quick_store.finish(identity, result)

    assert quick_store.run(identity).status == "done"
    assert kept_files(quick_store) == ["p"]


def test_the_only_copy_of_a_file_is_not_removed(quick_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without second names and without room for a copy the file is moved; a row that fails then leaves it there."""
    identity = begun(quick_store)
    result = written(quick_store, identity, probability="p")

    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(files.shutil, "copyfile", full)
    with failing("link", NO_LINKS), monkeypatch.context() as patch:
        patch.setattr(quick_store, "_changed", refused)
        with pytest.raises(StorageError, match="gone"):
            quick_store.finish(identity, result)

    assert kept_files(quick_store) == ["p"]
    assert list((quick_store.home / "artifacts").rglob(".writing-*")) == []


def test_a_broken_file_is_replaced_by_a_whole_one(quick_store: Store) -> None:
    first = done(quick_store, probability="whole")
    quick_store.artifact(first, "probability").path.write_text("cut")

    done(quick_store, probability="whole")

    assert kept_files(quick_store) == ["whole"]


@contextmanager
def full_database(store: Store) -> Iterator[None]:
    """A database that may not grow any more."""

    def limit(connection: Any, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 3}")

    store.database.close()
    event.listen(store.database._engine, "connect", limit)
    yield
    event.remove(store.database._engine, "connect", limit)
    store.database.close()


def test_a_full_database_fails_the_run_and_keeps_none_of_its_files(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "PATIENCE", (0.01,))
    identity = quick_store.order(ORDER)

    def work(job: Job, request: Any) -> Plain:
        del request
        return replace(written(job.store, job.run.id, probability="p"), content={"counts": "1" * 100_000})

    with full_database(quick_store):
        perform(quick_store, identity, work=work)

        run = quick_store.run(identity)
        assert run.status == "failed"
        assert run.failure is not None
        assert "database or disk is full" in run.failure.what
        assert "disk is not full" in run.failure.remedy
        assert kept_files(quick_store) == []
        fill(quick_store)
        assert quick_store.run(identity).status == "failed"
    assert quick_store.run(done(quick_store, probability="p")).status == "done"
    assert kept_files(quick_store) == ["p"]


def test_an_upload_that_the_database_does_not_take_leaves_nothing(quick_store: Store, tmp_path: Path) -> None:
    content = scene_bytes(tmp_path)
    known = quick_store.upload_scene(io.BytesIO(content), "known.tif")
    other = write_raster(tmp_path / "other.tif", ramp(9, 9)).read_bytes()

    with full_database(quick_store):
        fill(quick_store)
        for name, wanted in (("same.tif", content), ("other.tif", other)):
            with pytest.raises(StorageError, match="full"):
                quick_store.upload_scene(io.BytesIO(wanted), name * 2000)
        with pytest.raises(StorageError, match="full"):
            quick_store.upload_dataset(io.BytesIO(b"t,v\n1,2\n"), "gauge" * 2000, "table")

    assert uploads(quick_store) == [known.scene.path]
    assert [scene.name for scene in quick_store.scenes()] == ["known.tif"]


def fill(store: Store) -> None:
    """Write until the database takes no more."""
    with pytest.raises(StorageError, match="database or disk is full"):
        _ = [store.order(replace(ORDER, parameters={"much": "1" * 4000})) for _ in range(100)]


LIMITED = """
import io, os, resource, sys
from pathlib import Path
import numpy as np
from core.errors import StorageError
from core.raster.write import write_array
from core.runs.store import Store
from core.jobs.perform import perform
from tests.factories import NORTH_UP, UTM, write_raster
from core.raster.grid import Grid
from tests.jobs.plain import ORDER, Plain
home = Path(sys.argv[1])
noise = np.random.default_rng(0).integers(0, 254, (1200, 1200), dtype=np.uint8)
content = write_raster(home.parent / "big.tif", noise).read_bytes()
store = Store(home)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))

def work(job, request):
    write_array(job.folder / "probability.tif", Grid(1200, 1200, NORTH_UP, UTM), noise, nodata=255)
    files = {"probability": "probability.tif"}
    return Plain(id=job.run.id, kind="mapping", folder=job.folder, artifacts=files)

def refused(act):
    try:
        act()
    except StorageError as error:
        return str(error)
    return ""

print(refused(lambda: store.upload_scene(io.BytesIO(content), "big.tif")))
identity = store.order(ORDER)
perform(store, identity, work=work)
run = store.run(identity)
print(run.status, run.failure.what)
print(refused(lambda: [store.order(ORDER) for _ in range(2000)]))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
identity = store.order(ORDER)
perform(store, identity, work=work)
print(store.run(identity).status, len(list(store.scenes())))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system knows no limit of that kind")
def test_a_disk_that_really_refuses_is_said_at_every_stage(quick_store: Store, repository: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", LIMITED, str(quick_store.home)], cwd=repository, capture_output=True, text=True,
        check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    upload, run, database, afterwards = answer.stdout.splitlines()

    assert upload.startswith("The upload could not be written to disk. [Errno 27] File too large")
    assert run.startswith("failed probability.tif could not be written: File too large")
    assert database.startswith("The database could not be written: ")
    assert afterwards == "done 0"
    assert len(list((quick_store.home / "artifacts").glob("*/*"))) == 1
    assert uploads(quick_store) == []
    assert list((quick_store.home / "work").iterdir()) == []


# A database that somebody else holds


HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


def test_a_database_that_another_process_holds_for_five_seconds_is_waited_for(quick_store: Store) -> None:
    identity = quick_store.order(ORDER)
    command = [sys.executable, "-c", HOLD, str(quick_store.home / "slidelens.sqlite"), "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder, ThreadPoolExecutor(3) as pool:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        # What is waited for goes on meanwhile in other threads, as visitors do.
        ordered = pool.submit(quick_store.order, ORDER)
        labelled = pool.submit(quick_store.label, identity, name="new")
        performed = pool.submit(perform, quick_store, identity, work=lambda job, _: written(quick_store, job.run.id))
        assert [run.id for run in quick_store.runs()] == [identity]
        assert quick_store.run(identity).status == "queued"
        assert holder.poll() is None
        for waiting in (ordered, labelled, performed):
            assert not waiting.done()

        for waiting in (ordered, labelled, performed):
            waiting.result()

    run = quick_store.run(identity)
    assert (run.status, run.name) == ("done", "new")
    assert quick_store.count() == 2


# Processes that end


CRASH = """
import os, sys
from pathlib import Path
from core.runs.store import Store
from tests.jobs.plain import begun, written
store = Store(Path(sys.argv[1]), sys.argv[2])
identity = begun(store)
result = written(store, identity, probability="p")
print(identity, flush=True)
store._changed = lambda *_: os._exit(9)
store.finish(identity, result)
"""


def test_a_crash_between_a_file_and_its_row_leaves_only_an_orphan(
    any_store: Store, any_url: str, repository: Path
) -> None:
    crashed = subprocess.run(
        [sys.executable, "-c", CRASH, str(any_store.home), any_url], cwd=repository, capture_output=True, text=True
    )
    assert crashed.returncode == 9, crashed.stderr
    identity = crashed.stdout.strip()

    run = any_store.run(identity)
    assert (run.status, run.artifacts) == ("running", ())
    assert kept_files(any_store) == ["p"]
    # Nobody holds a lock any more, and the file serves whoever has the same content.
    other = done(any_store, probability="p")
    assert any_store.fail(identity, Failure("Lost."))
    any_store.delete(identity)
    assert any_store.artifact(other, "probability").path.read_text() == "p"
    any_store.delete(other)
    assert kept_files(any_store) == []


# Files that are gone


def test_a_file_that_was_deleted_is_named_with_what_to_do(store: Store, tmp_path: Path) -> None:
    run = keep(store, made_run(tmp_path / "run", np.full((6, 6), 0.75)))
    name = run.id[:8]
    run.artifact("probability").unlink()
    client = TestClient(Starlette(routes=routes()))

    gone = rf"The probability file of run {name} is no longer on disk\. Repeat the run"
    with pytest.raises(StorageError, match=gone):
        store.artifact(run.id, "probability")
    with pytest.raises(StorageError, match=gone):
        store.result(run.id, MappingResult).artifact("probability")
    for address in (f"/artifacts/{run.id}/probability", f"/tiles/run/{run.id}/probability/0/0/0.png"):
        answer = client.get(address)
        assert answer.status_code == 500
        assert f"of run {name} is no longer on disk" in answer.json()["error"]
        assert answer.headers["cache-control"] == "no-store"
    # It is still listed, can be looked at, and goes like any other.
    assert store.run(run.id).status == "done"
    assert store.delete(run.id) == 1


def test_a_result_that_builds_on_a_file_that_is_gone_is_not_kept(quick_store: Store) -> None:
    parent = done(quick_store, probability="p")
    child = begun(quick_store, replace(ORDER, parents=(parent,)))
    path = quick_store.artifact(parent, "probability").path
    path.unlink()
    result = replace(written(quick_store, child), folder=path.parent, artifacts={"probability": path.name})

    with pytest.raises(StorageError, match="The probability file of the run is no longer on disk"):
        quick_store.finish(child, result)

    assert quick_store.run(child).status == "running"


def test_a_file_that_cannot_be_removed_is_left_for_later(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    identity = done(quick_store, probability="p")

    def read_by_somebody(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "unlink", read_by_somebody)
    quick_store.delete(identity)

    assert quick_store.runs() == []
    assert kept_files(quick_store) == ["p"]
    assert "could not be removed" in caplog.text


# Files that are shared


def test_equal_content_is_one_file_until_the_last_run_with_it_goes(any_store: Store) -> None:
    runs = [done(any_store, probability="same", own=str(number)) for number in range(3)]
    assert kept_files(any_store) == ["0", "1", "2", "same"]
    assert len({any_store.artifact(run, "probability").path for run in runs}) == 1

    for left, run in zip((["1", "2", "same"], ["2", "same"], []), runs, strict=True):
        any_store.delete(run)
        assert kept_files(any_store) == left


def test_equal_uploads_are_stored_once(any_store: Store, tmp_path: Path) -> None:
    content = scene_bytes(tmp_path)
    barrier = threading.Barrier(6)

    def upload(number: int) -> str:
        barrier.wait()
        return any_store.upload_scene(io.BytesIO(content), "valley.tif" if number else "other.tif").id

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(upload, range(6)))

    assert len(set(ids[1:])) == 1
    assert ids[0] != ids[1]
    assert len(uploads(any_store)) == 1
    gauges = {any_store.upload_dataset(io.BytesIO(b"t,v\n1,2\n"), "gauge.csv").id for _ in range(2)}
    assert len(gauges) == 1
    assert len(uploads(any_store)) == 2


def test_a_scene_that_many_add_at_once_is_one(any_store: Store, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "scene.tif", ramp(6, 8))
    barrier = threading.Barrier(8)

    def add(_: int) -> str:
        barrier.wait()
        return any_store.add_scene(path, "valley", origin="sample").id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(add, range(8)))) == 1


def test_a_file_whose_name_is_no_text_is_refused(any_store: Store, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"sc\xffne.tif")
    try:
        write_raster(tmp_path / "scene.tif", ramp(6, 8)).rename(path)
    except OSError:
        pytest.skip("the file system takes no such name")

    with pytest.raises(InputError, match="Rename the file"):
        any_store.add_scene(path, "valley")
    assert list(any_store.scenes()) == []


def test_runs_that_come_and_go_at_once_lose_no_file_that_is_named(any_store: Store) -> None:
    for _ in range(10):
        old = done(any_store, probability="same")
        barrier = threading.Barrier(3)

        def act(number: int, old: str = old, barrier: threading.Barrier = barrier) -> str:
            identity = begun(any_store) if number else ""
            result = written(any_store, identity, probability="same") if number else None
            barrier.wait()
            if result is None:
                any_store.delete(old)
            else:
                any_store.finish(identity, result)
            return identity

        with ThreadPoolExecutor(3) as pool:
            runs = [identity for identity in pool.map(act, range(3)) if identity]

        assert kept_files(any_store) == ["same"]
        for run in runs:
            assert any_store.artifact(run, "probability").path.read_text() == "same"
            any_store.delete(run)
        assert kept_files(any_store) == []


class Files(RuleBasedStateMachine):
    """Whatever is finished, derived, refused and removed: a file is there exactly while a run has it."""

    runs = Bundle("runs")
    contents = st.sampled_from("abc")
    store: Store

    @rule(target=runs, one=contents, other=contents)
    def finish(self, one: str, other: str) -> str:
        return done(self.store, probability=one, truth=other)

    @rule(target=runs, parent=runs, content=contents)
    def stand_on(self, parent: str, content: str) -> str:
        with suppress(InputError):
            return done(self.store, replace(ORDER, parents=(parent,)), probability=content)
        return parent  # it had gone with one that it stood on

    @rule(run=runs, content=contents)
    def derive(self, run: str, content: str) -> None:
        path = self.store.home / "report.json"
        path.write_text(content)
        with suppress(InputError):
            self.store.add_artifact(run, "report", path)

    @rule(content=contents)
    def refuse(self, content: str) -> None:
        identity = begun(self.store)
        result = written(self.store, identity, probability=content)
        self.store.fail(identity, Failure("Lost."))
        with pytest.raises(Exception, match="The run ended before"):
            self.store.finish(identity, result)

    @rule(run=consumes(runs))
    def remove(self, run: str) -> None:
        with suppress(InputError):
            self.store.delete(run)

    @invariant()
    def a_file_is_there_while_a_run_has_it(self) -> None:
        named = {one.path for run in self.store.runs() for one in run.artifacts}
        there = set((self.store.home / files.ARTIFACTS).glob("*/*"))
        assert there == named

    def teardown(self) -> None:
        with self.store.database.write() as session:
            session.execute(text("DELETE FROM runs"))
        files.remove(self.store.home / files.ARTIFACTS)


def test_a_file_is_there_exactly_while_a_run_has_it(quick_store: Store) -> None:
    class Machine(Files):
        store = quick_store

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12, stateful_step_count=12, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
