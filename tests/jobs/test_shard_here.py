"""A mapping shared by processes is that of one process, and what ends it is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import LandslideError, RunCancelled
from core.jobs.local_cluster import LocalCluster
from core.jobs.shard_here import run_sharded
from core.runs.failures import WorkerLost
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.mapping import blocks
from core.tasks.mapping.run import Request, order_of, run_mapping
from core.tasks.mapping.run_shards import plan_call
from tests.browser.networks import ARCHITECTURE, ENCODER, red_over_green
from tests.factories import ramp, tiny_spec, write_model, write_raster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
REQUEST = Request("red", engine="torch")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    made = LocalCluster(2, 1)
    made.start()
    made.client.wait_for_workers(2, timeout=120)
    yield made
    made.close()


@pytest.fixture
def order(store: Store, models: Path, tmp_path: Path) -> Order:
    """A mapping of a raster of two blocks, with an inventory."""
    # One of a library's own kind: the workers do not know the networks of the tests.
    spec = tiny_spec("red", tile=256, architecture=ARCHITECTURE, encoder=ENCODER)
    write_model(models, spec, red_over_green())
    height = blocks.TALLEST + 700
    reference = np.zeros((height, 300), np.uint8)
    reference[4000:4300, 50:90] = 1
    scene = store.add_scene(
        write_raster(tmp_path / "scene.tif", ramp(height, 300), nodata=0), "scene",
        reference=write_raster(tmp_path / "truth.tif", reference),
    )  # fmt: skip
    return order_of(scene, REQUEST)


def test_two_processes_give_the_files_of_one(
    store: Store, order: Order, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_THREADS", "1")
    # A heartbeat that comes between the last step and the news of it takes the run for no cancelled one.
    monkeypatch.setattr("core.jobs.shard_here.HEARTBEAT_EVERY", 0.0)
    told: list[tuple[int, int]] = []

    identity = run_sharded(store, order, plan_call, cluster, listen=lambda done, total: told.append((done, total)))
    shared = store.run(identity)
    record = store.scene_record(order.inputs[0].dataset_id)
    alone = store.run(run_mapping(store, record.scene, REQUEST, reference=record.reference).id)

    assert [(one.role, one.digest) for one in shared.artifacts] == [(one.role, one.digest) for one in alone.artifacts]
    assert {one.role for one in shared.artifacts} == {"probability", "truth"}
    assert shared.metrics == alone.metrics
    assert shared.status == "done"
    assert shared.worker == "2 workers"
    assert told[-1][0] == told[-1][1] > 0
    assert not store.work_folder(shared.id).exists()


def test_a_shared_mapping_that_is_cancelled_leaves_nothing(
    store: Store, order: Order, cluster: LocalCluster
) -> None:
    begun: list[str] = []

    def begin(identity: str) -> None:
        begun.append(identity)
        store.cancel(identity)

    with pytest.raises(RunCancelled):
        run_sharded(store, order, plan_call, cluster, begun=begin)

    assert store.run(begun[0]).status == "cancelled"
    assert not store.work_folder(begun[0]).exists()


def test_what_is_wrong_is_told_by_the_worker_that_finds_it(
    store: Store, order: Order, cluster: LocalCluster, models: Path
) -> None:
    (models / "mapping" / "red" / "weights.safetensors").unlink()

    with pytest.raises(LandslideError, match="no weights"):
        run_sharded(store, order, plan_call, cluster)

    (run,) = store.runs()
    assert run.status == "failed"
    assert run.failure is not None
    assert "no weights" in run.failure.what


def test_a_worker_that_is_killed_ends_the_run(store: Store, order: Order, cluster: LocalCluster) -> None:
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if not killed:
            killed.extend(cluster.client.run(os.getpid).values())
            for process in killed:
                os.kill(process, signal.SIGKILL)

    with pytest.raises(WorkerLost):
        run_sharded(store, order, plan_call, cluster, listen=kill)

    (run,) = store.runs()
    assert run.status == "failed"
    assert run.failure is not None
    assert "worker" in run.failure.what
