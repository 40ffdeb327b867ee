"""What ends a mapping that several workers share for a caller that waits; the workers are played."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import LandslideError
from core.jobs import shard_here
from core.jobs.cluster import ClusterError
from core.jobs.shard_here import run_sharded
from core.runs.failures import WorkerLost
from core.runs.records import Failure, Run
from core.runs.store import Store
from core.tasks.mapping.run_shards import plan_call
from tests.jobs.plain import ORDER
from tests.jobs.played import PlayedCluster


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_here, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(shard_here, "LOST_AFTER", 0.05)


def ended(store: Store, status: str) -> Failure:
    run: Run
    (run,) = store.runs()
    assert run.status == status
    assert run.failure is not None
    assert not store.work_folder(run.id).exists()
    return run.failure


def test_a_shared_mapping_over_its_time_is_stopped(quick_store: Store) -> None:
    with pytest.raises(LandslideError, match=r"exceeded its time limit of 0\.1 s"):
        run_sharded(quick_store, replace(ORDER, time_limit=0.1), plan_call, PlayedCluster())

    assert "SLIDELENS_TIME_LIMIT" in ended(quick_store, "failed").remedy


def test_what_was_given_to_a_worker_that_went_away_ends_the_mapping(quick_store: Store) -> None:
    class RemovalCandidate(PlayedCluster):
        def tend(self) -> None:
            if self.given:
                self.names = ["tls://another"]

    with pytest.raises(WorkerLost):
        run_sharded(quick_store, replace(ORDER, time_limit=60), plan_call, RemovalCandidate())

    assert "worker" in ended(quick_store, "failed").what


def test_a_cluster_that_is_gone_ends_the_mapping(quick_store: Store) -> None:
    cluster = PlayedCluster()
    cluster.gone = True

    with pytest.raises(ClusterError):
        run_sharded(quick_store, ORDER, plan_call, cluster)

    assert ended(quick_store, "failed").what == "The scheduler stopped."


@pytest.mark.parametrize("moment", ["begun", "under way"])
def test_a_mapping_that_is_stopped_from_outside_is_cancelled(quick_store: Store, moment: str) -> None:
    class Interrupted(PlayedCluster):
        def tend(self) -> None:
            if self.given:
                raise KeyboardInterrupt

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    cluster = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run_sharded(quick_store, ORDER, plan_call, cluster, begun=interrupt if moment == "begun" else None)

    assert "stopped from outside" in ended(quick_store, "cancelled").what
    assert all(one.forgotten for one in cluster.given)
    assert len(cluster.given) == (0 if moment == "begun" else 1)
