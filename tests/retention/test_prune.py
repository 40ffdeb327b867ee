"""What goes is what nobody needs: the oldest first, never what is pinned, at work, or stood upon."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from core.errors import InputError
from core.retention.prune import Plan, Removed, missing, orphans, plan, prune, remove_orphans, settle, storage
from core.runs.provenance import this_process
from core.runs.records import Failure, Order
from core.runs.store import Store
from core.runs.tables import DatasetRow, ReviewRow, RunRow, StateRow
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.result import MappingResult
from tests.factories import keep, made_run, ramp, write_raster

NOW = datetime.now(UTC)
LONG_AGO = 1.0
"""Seconds since 1970 of files that nobody has written to for long."""

Keep = Callable[..., str]


def days(number: float) -> datetime:
    return NOW - timedelta(days=number)


@pytest.fixture
def kept(tmp_path: Path, store: Store) -> Keep:
    """Puts a run into the store, so many days ago; the same `value` gives the same file."""

    def put(age: float, value: float, *, parents: tuple[str, ...] = (), scene: str = "") -> str:
        result = made_run(tmp_path / "made", np.full((8, 8), value))
        run = keep(store, result, scene, parents)
        dated(store, RunRow, run.id, age)
        return run.id

    return put


def dated(store: Store, table: type[RunRow] | type[DatasetRow], identity: str, age: float) -> None:
    with store.database.write() as session:
        session.execute(update(table).where(table.id == identity).values(created=days(age).timestamp()))


def uploaded(store: Store, tmp_path: Path, age: float, name: str = "scene.tif", shift: int = 0) -> str:
    path = write_raster(tmp_path / name, ramp(6, 8) + np.uint8(shift))
    record = store.upload_scene(io.BytesIO(path.read_bytes()), name)
    dated(store, DatasetRow, record.id, age)
    return record.id


def size(store: Store, run: str) -> int:
    return store.run(run).bytes


def leaving(found: Plan) -> list[str]:
    return [run.id for run in found.runs]


def there(store: Store, *runs: str) -> list[bool]:
    known = {run.id for run in store.runs()}
    return [run in known for run in runs]


def test_storage_tells_the_rooms_apart(tmp_path: Path, store: Store, kept: Keep) -> None:
    run = kept(1, 0.5)
    scene = store.scene_record(uploaded(store, tmp_path, 1)).scene.path
    for name, content in (("exports/a/b", b"12345"), ("work/c/d", b"123"), ("cache/onnx/e", b"12"), ("other", b"1")):
        (store.home / name).parent.mkdir(parents=True, exist_ok=True)
        (store.home / name).write_bytes(content)

    found = storage(store)

    assert (found.artifacts, found.uploads) == (size(store, run), scene.stat().st_size)
    assert (found.exports, found.work, found.cache) == (5, 3, 2)
    assert found.kept == found.artifacts + found.uploads + 5
    assert found.rest > 1  # the database is there as well
    assert found.free > 0


def test_runs_older_than_a_date_go_the_oldest_first(store: Store, kept: Keep) -> None:
    new, old, older = kept(5, 0.1), kept(40, 0.2), kept(50, 0.3)
    expected = [size(store, older), size(store, old)]

    found = plan(store, older_than=days(30))

    assert leaving(found) == [older, old]
    assert [run.freed for run in found.runs] == expected
    assert found.freed == sum(expected)
    assert found.kept == size(store, new)
    assert there(store, new, old, older) == [True, True, True]  # nothing has gone yet
    assert prune(store, found).runs == 2
    assert there(store, new, old, older) == [True, False, False]
    assert storage(store).artifacts == found.kept


def test_a_quota_takes_no_more_than_it_must(store: Store, kept: Keep) -> None:
    runs = [kept(age, age / 100) for age in (3, 2, 1)]
    sizes = [size(store, run) for run in runs]

    found = plan(store, quota=sizes[1] + sizes[2])

    assert leaving(found) == runs[:1]
    assert (found.kept, found.beyond) == (sizes[1] + sizes[2], 0)
    assert leaving(plan(store, quota=sizes[1] + sizes[2] - 1)) == runs[:2]
    assert leaving(plan(store, quota=sum(sizes))) == []
    assert leaving(plan(store, quota=0)) == runs


def test_a_file_is_freed_by_the_last_that_shares_it(store: Store, kept: Keep) -> None:
    first, second, other = kept(9, 0.5), kept(8, 0.5), kept(7, 0.6)

    found = plan(store, quota=size(store, other))

    assert [(run.id, run.freed) for run in found.runs] == [(first, 0), (second, size(store, second))]
    assert storage(store).artifacts == found.freed + found.kept
    prune(store, found)
    assert storage(store).artifacts == found.kept == size(store, other)


def test_what_is_pinned_or_at_work_stays_with_all_it_stands_on(store: Store, kept: Keep) -> None:
    grandparent = kept(90, 0.1)
    parent = kept(80, 0.2, parents=(grandparent,))
    pinned = kept(70, 0.3, parents=(parent,))
    beside = kept(60, 0.4, parents=(parent,))
    busy = kept(50, 0.5)
    store.order(Order("mapping", "change", {}, parents=(busy,)))
    store.label(pinned, pinned=True)

    found = plan(store, older_than=days(-1), quota=0)

    assert leaving(found) == [beside]
    assert found.beyond == found.kept == sum(size(store, run) for run in (grandparent, parent, pinned, busy))


def test_what_was_reviewed_stays(store: Store, kept: Keep) -> None:
    reviewed, since = kept(90, 0.1), kept(80, 0.2)
    edit = {"run_id": reviewed, "number": 1, "created": 0.0, "reviewer": "Anna", "edit": {"op": "begin"}}
    with store.database.write() as session:
        session.add(ReviewRow(**edit))
    found = plan(store, older_than=days(-1), quota=0)
    assert leaving(found) == [since]
    with store.database.write() as session:
        session.add(ReviewRow(**{**edit, "run_id": since}))
    assert prune(store, found).runs == 0


def test_a_run_is_as_old_as_the_newest_that_stands_on_it(store: Store, kept: Keep) -> None:
    old = kept(90, 0.1)
    young = kept(2, 0.2, parents=(old,))
    between = kept(40, 0.3)

    assert leaving(plan(store, older_than=days(30))) == [between]
    assert leaving(plan(store, older_than=days(1))) == [between, young, old]


def test_what_was_pinned_or_stood_upon_since_the_plan_stays(store: Store, kept: Keep) -> None:
    pinned, parent, plain = kept(90, 0.1), kept(80, 0.2), kept(70, 0.3)
    found = plan(store, older_than=days(30))
    store.label(pinned, pinned=True)
    child = kept(0, 0.4, parents=(parent,))

    assert prune(store, found).runs == 1
    assert there(store, pinned, parent, child, plain) == [True, True, True, False]
    assert prune(store, found).runs == 0  # what is gone already is no fault


def test_exports_go_with_their_run(store: Store, kept: Keep) -> None:
    run = kept(40, 0.1)
    export = store.home / "exports" / run / "abc" / "mask.tif"
    export.parent.mkdir(parents=True)
    export.write_bytes(b"0123456789")

    found = plan(store, older_than=days(30))

    assert found.freed == size(store, run) + 10
    assert found.kept == 0
    prune(store, found)
    assert not export.exists()


def prepared(store: Store, run: str, choice: str, age: float, octets: int = 10) -> Path:
    """Files that were prepared of a run, so many days ago."""
    folder = store.home / "exports" / run / choice
    folder.mkdir(parents=True)
    (folder / "mask.tif").write_bytes(b"0" * octets)
    for one in (folder / "mask.tif", folder):
        os.utime(one, (days(age).timestamp(),) * 2)
    return folder


def test_what_can_be_prepared_again_goes_before_any_run(store: Store, kept: Keep) -> None:
    run, pinned = kept(90, 0.1), kept(80, 0.2)
    store.label(pinned, pinned=True)
    old, older, new = prepared(store, run, "a", 2), prepared(store, pinned, "b", 3, 7), prepared(store, run, "c", 0, 5)
    everything = storage(store).kept

    found = plan(store, quota=everything - 8)

    assert [(one.id, one.freed) for one in found.exports] == [(f"{pinned}/b", 7), (f"{run}/a", 10)]
    assert (found.runs, found.freed, found.kept) == ((), 17, everything - 17)
    assert plan(store, quota=everything).nothing
    assert [one.id for one in plan(store, older_than=days(2.5)).exports] == [f"{pinned}/b"]
    assert prune(store, found) == Removed(0, 0, 2)
    assert [folder.exists() for folder in (old, older, new)] == [False, False, True]
    assert not older.parent.exists()
    assert storage(store).kept == found.kept
    assert there(store, run, pinned) == [True, True]


def test_what_was_just_prepared_goes_only_with_its_run(store: Store, kept: Keep) -> None:
    run = kept(90, 0.1)
    prepared(store, run, "old", 2, 7)
    new = prepared(store, run, "new", 0, 5)

    found = plan(store, quota=0)

    assert [one.id for one in found.exports] == [f"{run}/old"]
    assert [(one.id, one.freed) for one in found.runs] == [(run, size(store, run) + 5)]
    assert found.kept == 0
    prune(store, found)
    assert not new.exists()


def test_what_was_prepared_anew_since_the_plan_stays(store: Store, kept: Keep) -> None:
    folder = prepared(store, kept(0, 0.1), "a", 2)
    found = plan(store, older_than=days(1))
    (folder / "mask.tif").write_bytes(b"new")

    assert prune(store, found).exports == 0
    assert (folder / "mask.tif").read_bytes() == b"new"


def test_old_uploads_go_when_neither_run_nor_scene_names_them(tmp_path: Path, store: Store, kept: Keep) -> None:
    used, lonely, fresh = (uploaded(store, tmp_path, age, f"{age}.tif", age) for age in (40, 41, 5))
    before, after = uploaded(store, tmp_path, 60, "b.tif", 7), uploaded(store, tmp_path, 50, "a.tif", 8)
    store.set_before(after, before)
    kept(1, 0.5, scene=used)
    kept(1, 0.6, scene=after)
    paths = {scene: store.scene_record(scene).scene.path for scene in (used, lonely, fresh, before, after)}

    found = plan(store, older_than=days(30))

    assert [(scene.id, scene.freed) for scene in found.uploads] == [(lonely, paths[lonely].stat().st_size)]
    assert prune(store, found).uploads == 1
    assert not paths[lonely].exists()
    assert all(path.exists() for scene, path in paths.items() if scene != lonely)
    with pytest.raises(InputError, match="not in the store"):
        store.scene_record(lonely)


def test_an_upload_goes_after_its_last_run_and_its_earlier_scene_after_it(
    tmp_path: Path, store: Store, kept: Keep
) -> None:
    before, after = uploaded(store, tmp_path, 60, "b.tif", 7), uploaded(store, tmp_path, 50, "a.tif", 8)
    store.set_before(after, before)
    kept(40, 0.5, scene=after)

    found = plan(store, older_than=days(30))

    assert [scene.id for scene in found.uploads] == [after, before]
    prune(store, found)
    assert list(store.scenes()) == []
    assert found.kept == storage(store).kept == 0


def test_a_file_that_two_scenes_share_stays_for_the_other(tmp_path: Path, store: Store) -> None:
    first = uploaded(store, tmp_path, 40)
    second = store.upload_scene(io.BytesIO((tmp_path / "scene.tif").read_bytes()), "another name").id

    found = plan(store, older_than=days(30))

    assert [(scene.id, scene.freed) for scene in found.uploads] == [(first, 0)]
    prune(store, found)
    assert store.scene_record(second).scene.path.exists()


def test_room_is_made_by_unused_uploads_first_but_not_by_those_of_today(
    tmp_path: Path, store: Store, kept: Keep
) -> None:
    run = kept(90, 0.5)
    idle, today = uploaded(store, tmp_path, 3, "a.tif", 1), uploaded(store, tmp_path, 0.1, "b.tif", 2)
    beyond = store.scene_record(today).scene.path.stat().st_size

    found = plan(store, quota=size(store, run) + beyond)

    assert ([scene.id for scene in found.uploads], found.runs) == ([idle], ())
    everything = plan(store, quota=0)
    assert ([scene.id for scene in everything.uploads], leaving(everything)) == ([idle], [run])
    assert everything.beyond == beyond


def test_a_scene_that_was_mapped_since_the_plan_stays(tmp_path: Path, store: Store, kept: Keep) -> None:
    scene = uploaded(store, tmp_path, 40)
    found = plan(store, older_than=days(30))
    kept(0, 0.5, scene=scene)

    assert prune(store, found).uploads == 0
    assert store.scene_record(scene).scene.path.exists()


def test_files_used_in_place_are_never_removed(tmp_path: Path, store: Store) -> None:
    path = write_raster(tmp_path / "scene.tif", ramp(6, 8))
    dated(store, DatasetRow, store.add_scene(path, "sample").id, 400)

    found = plan(store, older_than=days(30), quota=0)

    assert found.uploads == ()
    assert path.exists()


def test_a_plan_is_refused_that_nobody_can_mean(store: Store) -> None:
    with pytest.raises(InputError, match="time zone"):
        plan(store, older_than=datetime(2026, 1, 1))
    with pytest.raises(InputError, match="negative"):
        plan(store, quota=-1)


def stray(store: Store, name: str, modified: float = LONG_AGO) -> Path:
    path = store.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"stray")
    for one in (path, *path.relative_to(store.home).parents):
        os.utime(store.home / one, (modified, modified))
    return path


def found_in(store: Store, **options: float) -> dict[str, str]:
    return {one.path.relative_to(store.home).as_posix(): one.kind for one in orphans(store, **options)}


def test_orphans_are_what_nobody_names(tmp_path: Path, store: Store, kept: Keep) -> None:
    run, scene = kept(1, 0.5), uploaded(store, tmp_path, 1)
    waiting = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    ended = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    store.fail(ended, Failure("It failed."))
    mine = [stray(store, f"work/{waiting}/part.tif"), stray(store, f"work/{waiting}/.writing-1/x.tif")]
    mine += [stray(store, f"exports/{run}/abc/mask.tif"), stray(store, "cache/onnx/model.onnx")]
    mine += [store.run(run).artifacts[0].path, store.scene_record(scene).scene.path]
    for path in mine:
        os.utime(path, (LONG_AGO, LONG_AGO))
    lost = {
        "artifacts/ab/abc.tif": "artifact",
        "files/cd/cde.tif": "upload",
        f"work/{ended}": "work",
        "work/report-x": "work",
        f"exports/{'0' * 32}": "export",
        "files/.upload-1": "leftover",
        f"exports/{run}/abc/.writing-2": "leftover",
    }
    strays = [stray(store, name if kind in ("artifact", "upload") or "." in name else f"{name}/file")
              for name, kind in lost.items() if not name.endswith("-2")]  # fmt: skip
    strays.append(stray(store, f"exports/{run}/abc/.writing-2/mask.tif"))

    assert found_in(store) == lost
    found = orphans(store)
    assert sum(one.size for one in found) == len(lost) * len(b"stray")

    assert set(remove_orphans(store, found)) == set(found)
    assert not any(path.exists() for path in strays)
    assert all(path.exists() for path in mine)
    assert orphans(store) == ()


def test_what_is_just_being_written_is_no_orphan_yet(store: Store) -> None:
    stray(store, "artifacts/ab/abc.tif", datetime.now(UTC).timestamp() - 60)
    # A folder is as young as the youngest file in it.
    old, new = stray(store, "work/report-1/old"), store.home / "work/report-1/new"
    new.write_bytes(b"")
    os.utime(old.parent, (LONG_AGO, LONG_AGO))

    assert found_in(store) == {}
    assert found_in(store, older=30) == {"artifacts/ab/abc.tif": "artifact"}
    assert found_in(store, older=-1) == {"artifacts/ab/abc.tif": "artifact", "work/report-1": "work"}


def test_a_file_that_was_named_since_the_look_stays(tmp_path: Path, store: Store, kept: Keep) -> None:
    run = kept(1, 0.5)
    path = store.run(run).artifacts[0].path
    copy = path.read_bytes()
    store.delete(run)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(copy)
    found = orphans(store, older=-1)
    assert [one.path for one in found] == [path]
    again = kept(0, 0.5)

    assert remove_orphans(store, found) == ()
    assert store.result(again, MappingResult).artifact("probability") == path


def test_rows_whose_file_is_gone_are_listed(tmp_path: Path, store: Store, kept: Keep) -> None:
    whole, broken = kept(2, 0.1), kept(1, 0.2)
    scene = uploaded(store, tmp_path, 1)
    in_place = write_raster(tmp_path / "place.tif", ramp(4, 4))
    inventory = write_raster(tmp_path / "inventory.tif", np.zeros((4, 4), np.uint8))
    reference = store.add_scene(in_place, "in place", reference=inventory).companions["reference"].id
    assert missing(store) == ()

    lost = [store.run(broken).artifacts[0].path, store.scene_record(scene).scene.path, inventory]
    for path in lost:
        path.unlink()

    assert [(one.owner, one.id, one.role, one.path) for one in missing(store)] == [
        ("run", broken, "probability", lost[0]),
        ("dataset", scene, "raster", lost[1]),
        ("dataset", reference, "raster", inventory),
    ]
    assert missing(store)[0].title == "made"
    assert there(store, whole) == [True]


def test_a_run_whose_process_is_gone_does_not_run_for_ever(store: Store) -> None:
    gone = this_process().replace(f":{os.getpid()}:", ":999999999:")
    runs = {
        name: store.begin(Order("mapping", "training", {}), server=server, worker="command line")
        for name, server in (("dead", gone), ("silent", this_process()), ("elsewhere", "other-host:1:0"))
    }
    with store.database.write() as session:
        session.execute(update(StateRow).values(heartbeat=days(1).timestamp()))
    runs["beating"] = store.begin(Order("mapping", "training", {}), server=gone, worker="command line")

    assert settle(store) == 1
    assert {name: store.run(run).status for name, run in runs.items()} == {
        "dead": "interrupted", "silent": "running", "elsewhere": "running", "beating": "running",
    }  # fmt: skip
    failure = store.run(runs["dead"]).failure
    assert failure is not None
    assert "has ended" in failure.what


def test_a_shared_raster_outlives_the_run_that_made_it(store: Store, kept: Keep) -> None:
    first, second = kept(40, 0.5), kept(1, 0.5)

    prune(store, plan(store, older_than=days(30)))

    result: MappingResult = store.result(second, MappingResult)
    assert there(store, first) == [False]
    assert result.artifact("probability").is_file()
