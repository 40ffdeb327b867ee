"""A batch ties runs together: it has an address before its first run, and goes with all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from core.batch.batches import Refused, add, change, copied, current, delete, doomed, find, latest, runs_of
from core.errors import InputError
from core.runs.records import Order, RunFilter
from core.runs.store import Store
from core.runs.tables import BatchRow
from core.tasks.imagery.result import image_inputs
from tests.factories import ramp, write_raster


@pytest.fixture
def scenes(any_store: Store, tmp_path: Path) -> list[str]:
    return [
        any_store.add_scene(write_raster(tmp_path / f"{name}.tif", ramp(8, 8)), f"{name}.tif").id for name in "abc"
    ]


def ordered(store: Store, batch: str, scene: str, **more: object) -> str:
    return store.order(Order("mapping", "mapping", {}, image_inputs("", "", scene), batch=batch, **more))  # type: ignore[arg-type]


def test_a_batch_is_found_as_it_was_made(any_store: Store, scenes: list[str]) -> None:
    made = add(any_store, "North\nslope", scenes, [Refused("bad.tif", "It is damaged.")], ["x was not used."])

    assert find(any_store, made.id) == made
    assert (made.name, made.title, made.images) == ("North slope", "North slope", "3 images")
    assert (made.datasets, made.refused[0].why, made.notes) == (tuple(scenes), "It is damaged.", ("x was not used.",))
    assert latest(any_store) == []  # nothing was started
    assert add(any_store, "", scenes).title == "3 images"


def test_a_batch_of_nothing_is_refused_with_the_reasons(any_store: Store) -> None:
    with pytest.raises(InputError, match="None of the files can be used.*bad.tif: It is damaged"):
        add(any_store, "", [], [Refused("bad.tif", "It is damaged.")])
    with pytest.raises(InputError) as error:
        add(any_store, "", [], [Refused(f"{number}.tif", "It is damaged.") for number in range(5)])
    *told, last = error.value.why.split("\n")  # a line each, as the page shows them
    assert told == [f"{number}.tif: It is damaged." for number in range(3)]
    assert last == "2 more files cannot be used either."
    with pytest.raises(InputError, match="No such batch"):
        find(any_store, "no id")


def test_runs_know_their_batch_and_the_newest_of_an_image_counts(any_store: Store, scenes: list[str]) -> None:
    batch = add(any_store, "", scenes)
    first = ordered(any_store, batch.id, scenes[0])
    other = ordered(any_store, batch.id, scenes[1])
    alone = ordered(any_store, "", scenes[0])
    any_store.cancel(first)
    again = ordered(any_store, batch.id, scenes[0])

    runs = runs_of(any_store, batch)
    assert {run.id for run in runs} == {first, other, again}
    assert any_store.run(first).batch == batch.id
    assert any_store.run(alone).batch == ""
    assert {scene: run.id for scene, run in current(batch, runs).items()} == {scenes[0]: again, scenes[1]: other}
    assert latest(any_store) == [batch]


def test_a_begun_batch_is_not_begun_again(any_store: Store, scenes: list[str]) -> None:
    batch = add(any_store, "", scenes)
    assert copied(any_store, batch) == batch
    ordered(any_store, batch.id, scenes[0])

    other = copied(any_store, batch)
    assert (other.id != batch.id, other.datasets) == (True, batch.datasets)


def test_a_batch_is_renamed_and_narrowed(any_store: Store, scenes: list[str]) -> None:
    batch = add(any_store, "", scenes)
    refused = [Refused("c.tif", "The model does not fit.")]
    changed = change(any_store, batch, name="North", datasets=scenes[:2], refused=refused)

    assert find(any_store, batch.id) == changed
    assert (changed.name, changed.datasets, changed.refused) == ("North", tuple(scenes[:2]), tuple(refused))


def test_deleting_takes_runs_and_what_is_derived_from_them(any_store: Store, scenes: list[str]) -> None:
    batch = add(any_store, "", scenes)
    run = ordered(any_store, batch.id, scenes[0])
    child = any_store.order(Order("mapping", "explanation", {}, parents=(run,)))
    alone = ordered(any_store, "", scenes[1])
    prepared = any_store.home / "exports" / batch.id
    prepared.mkdir(parents=True)

    assert {one.id for one in doomed(any_store, batch)} == {run, child}
    assert delete(any_store, batch) == 2
    assert [one.id for one in any_store.runs(RunFilter())] == [alone]
    assert not prepared.exists()
    with pytest.raises(InputError, match="No such batch"):
        find(any_store, batch.id)
    with pytest.raises(InputError, match="batch of this run was deleted"):
        ordered(any_store, batch.id, scenes[0])


def test_a_batch_that_is_being_computed_stays(any_store: Store, scenes: list[str]) -> None:
    batch = add(any_store, "", scenes)
    run = ordered(any_store, batch.id, scenes[0])
    assert any_store.claim(run, server="s", worker="w")

    with pytest.raises(InputError, match="Cancel them first"):
        delete(any_store, batch)
    assert any_store.run(run).status == "running"


def test_deleting_a_run_leaves_its_batch(any_store: Store, scenes: list[str]) -> None:
    batch = add(any_store, "", scenes)
    any_store.delete(ordered(any_store, batch.id, scenes[0]))
    assert find(any_store, batch.id) == batch


def test_batches_that_were_never_started_are_forgotten(any_store: Store, scenes: list[str]) -> None:
    unused, used = add(any_store, "", scenes), add(any_store, "", scenes)
    ordered(any_store, used.id, scenes[0])
    with any_store.database.write() as session:
        session.execute(update(BatchRow).values(created=0.0))
    add(any_store, "", scenes)

    assert find(any_store, used.id).datasets == tuple(scenes)
    with pytest.raises(InputError):
        find(any_store, unused.id)
