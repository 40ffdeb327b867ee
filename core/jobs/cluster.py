"""The Dask cluster that runs are computed on: here an external one, in `core.jobs.local_cluster` our own.

An operator names one by ``DASK_SCHEDULER_ADDRESS``, with TLS by Dask's own configuration
(``DASK_DISTRIBUTED__COMM__TLS__…``).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import LandslideError
from core.jobs.remote import Call, Settings, do
from core.runs.failures import WorkerLost

if TYPE_CHECKING:
    from distributed import Client, Future, Security

log = logging.getLogger(__name__)

ADDRESS = "DASK_SCHEDULER_ADDRESS"
JOB = "job"
"""Name of the resource that a worker has one of and every task takes: so it does one thing at a time."""

START_WITHIN = 90.0
"""Seconds for a cluster to start; a cold disk and a virus scanner may need most of them."""


class ClusterError(LandslideError):
    """The cluster could not be started, cannot be reached, or is gone."""


class Pending(Protocol):
    """Something that a worker was given to do."""

    worker: str

    def done(self) -> bool:
        """Whether it has ended, one way or the other; answered at once."""

    def result(self) -> Any:  # noqa: ANN401  whatever the function returned
        """What came of it; raises what went wrong, `WorkerLost` when its worker ended first."""

    def forget(self) -> None:
        """Take it back where it has not begun, and let go of it where it has."""


class Cluster(Protocol):
    """Workers in other processes, each of which does one thing at a time.

    Attributes
    ----------
    lasting
        Whether it goes on with what it does when this server ends.
    """

    lasting: bool

    def start(self) -> None:
        """Start or reach it and wait for a first worker; raises `ClusterError`."""

    def tend(self) -> None:
        """Look after it; raises `ClusterError` when it is gone and must be started again."""

    def workers(self) -> tuple[str, ...]:
        """Addresses of the workers that are there."""

    def free(self) -> tuple[str, ...]:
        """Addresses of those that have nothing to do."""

    def submit(self, worker: str, call: Call, settings: Settings, priority: int) -> Pending:
        """Give a worker something to do."""

    def stop(self, worker: str) -> None:
        """End a worker and whatever it does, and start another in its place."""

    def close(self) -> None:
        """End it, or take leave of it; it can be started again."""


class _Task:
    """A future of Dask as a `Pending`."""

    def __init__(self, worker: str, future: Future[Any]) -> None:
        self.worker = worker
        self._future = future

    def done(self) -> bool:
        return bool(self._future.done())

    def result(self) -> Any:  # noqa: ANN401  see Pending
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            return self._future.result(timeout=10)
        except (KilledWorker, FutureCancelledError) as error:
            raise WorkerLost("The worker processing this run stopped.") from error

    def forget(self) -> None:
        if not self._future.done():
            self._future.cancel(reason="no longer needed")
        self._future.release()


class Connected:
    """What both kinds of cluster have in common: a client, which is held here and nowhere else."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._names: dict[str, str] = {}

    @property
    def client(self) -> Client:
        """The client; raises `ClusterError` when there is no connection."""
        if self._client is None or self._client.status != "running":
            raise ClusterError("The worker processes are not running.")
        return self._client

    def workers(self) -> tuple[str, ...]:
        """See `Cluster`."""
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        able = {address: str(about["name"]) for address, about in found.items() if about["resources"].get(JOB, 0) >= 1}
        self._names.update(able)
        return tuple(able)

    def free(self) -> tuple[str, ...]:
        """See `Cluster`. Other servers may have given a worker something to do as well."""
        busy = self.client.processing()
        return tuple(worker for worker in self.workers() if not busy.get(worker))

    def submit(self, worker: str, call: Call, settings: Settings, priority: int) -> Pending:
        """See `Cluster`."""
        future = self.client.submit(
            do, settings, call, workers=[worker], allow_other_workers=False, resources={JOB: 1}, priority=priority,
            pure=False, retries=0,
        )  # fmt: skip
        return _Task(worker, future)

    def _connect(self, address: str, security: Security | None) -> None:
        from distributed import Client

        self._client = Client(
            address, security=security, timeout=START_WITHIN, set_as_default=False, name="slidelens"
        )  # fmt: skip

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._names = {}
        if client is not None:
            try:
                client.close(timeout=2)
            except Exception:
                # There is nothing to be lost any more; whoever looks after the server may want to know.
                log.exception("the cluster was not closed properly")


class RemoteCluster(Connected):
    """A cluster that is managed elsewhere.

    Its workers must be able to import ``core`` and have the folder of the store, and be started with
    ``--resources job=1``.

    Parameters
    ----------
    address
        ``tls://host:port`` of its scheduler.
    """

    lasting = True

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def start(self) -> None:
        """See `Cluster`."""
        from distributed import Security

        security = Security()
        if not self.address.startswith("tls://"):
            log.warning("the cluster at %s is reached without TLS: anyone who can reach it can run code", self.address)
        elif security.get_connection_args("client").get("ssl_context") is None:
            raise self._unreachable("Dask's TLS settings do not name a certificate authority, certificate and key.")
        try:
            self._connect(self.address, security)
            able = self.workers()
        except Exception as error:
            self.close()
            raise self._unreachable(f"{type(error).__name__}: {error}") from error
        if not able:
            self.close()
            raise ClusterError(
                f"The Dask cluster at {self.address} has no worker that accepts runs.",
                f"Only workers with the resource “{JOB}” do, so that each processes one run at a time.",
                f"Start its workers with --resources {JOB}=1.",
            )

    def _unreachable(self, why: str) -> ClusterError:
        return ClusterError(
            f"The Dask cluster at {self.address} cannot be reached.",
            why,
            f"Start it, or correct {ADDRESS} and Dask's TLS settings; without that setting, runs are processed on "
            "this machine.",
        )

    def tend(self) -> None:
        """See `Cluster`."""
        _ = self.client  # raises where the connection is lost

    def stop(self, worker: str) -> None:
        """See `Cluster`."""
        try:
            if worker in self.workers():
                self.client.restart_workers([worker], timeout=30, raise_for_error=False)
        except ValueError:
            log.exception("%s cannot be stopped from here: start the workers with a nanny", worker)

    def close(self) -> None:
        """See `Cluster`; what its workers do they go on doing."""
        self._disconnect()
