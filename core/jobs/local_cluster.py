"""A Dask cluster of this machine, in processes that are started here and do not outlive the server.

Distributed's own ``SubprocessCluster`` does not know Windows and keeps its loop in the server; its ``LocalCluster``
runs the server's main script again in every worker. ``SLIDELENS_WORKERS`` says how many runs are computed at once.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.jobs import parent_watch
from core.jobs.cluster import ADDRESS, JOB, START_WITHIN, Cluster, ClusterError, Connected, RemoteCluster
from core.runs import processes
from core.runs.provenance import this_process

log = logging.getLogger(__name__)

MISSED_AFTER = 45.0
"""Seconds that a worker may be away from its scheduler before it is started afresh; to start it has `START_WITHIN`."""

MOST_WORKERS = 4
SHARE_OF_MEMORY = "0.9"
"""Share of the machine's memory at which (times 0.95) a worker is ended before the whole machine stalls."""


def cores() -> int:
    """Processors that this process may use, by affinity and by the limit of its container."""
    from dask.system import CPU_COUNT

    return max(1, int(CPU_COUNT))


def worker_count() -> int:
    """How many runs are computed at once: ``SLIDELENS_WORKERS``, else one for every four cores, but 1 to 4.

    More would each be slower and need memory for their own model; who has the memory says so by the setting.

    Raises
    ------
    InputError
        When the setting is not a whole number above zero.
    """
    text = os.environ.get("SLIDELENS_WORKERS", "").strip()
    if not text:
        return min(MOST_WORKERS, max(1, cores() // 4))
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            f"SLIDELENS_WORKERS is {text!r}, not a whole number above zero.",
            "It sets how many runs are processed at a time.",
            "Set it to 1 or more, or leave it out.",
        )
    return int(text)


def default_cluster() -> Cluster:
    """The cluster at ``DASK_SCHEDULER_ADDRESS``, else one of this machine; not started yet."""
    address = os.environ.get(ADDRESS, "").strip()
    return RemoteCluster(address) if address else LocalCluster()


class LocalCluster(Connected):
    """A scheduler and workers on this machine, in processes that do not outlive this one.

    They talk over 127.0.0.1 with TLS, by a certificate made for this once: an open port would let every user of the
    machine run code as this one. The key lies in a folder that only this user can read, and is removed at the end.

    Parameters
    ----------
    count
        Number of workers; by default `worker_count`.
    threads
        Threads of one inference; by default ``SLIDELENS_THREADS``, else the cores are shared out.
    environment
        Variables that the processes get beside those of this one.
    """

    lasting = False

    def __init__(
        self, count: int | None = None, threads: int | None = None, environment: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self._count, self._threads, self._environment = count, threads, environment or {}
        self._folder: Path | None = None
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._nannies: dict[str, subprocess.Popen[bytes]] = {}
        self._seen: dict[str, float] = {}
        self._arrived: set[str] = set()

    def start(self) -> None:
        """See `Cluster`."""
        from distributed import Security

        count = self._count or worker_count()
        try:
            security = Security.temporary()
            self._folder = Path(tempfile.mkdtemp(prefix="slidelens-cluster-"))
            _write_private(self._folder / "certificate.pem", security.tls_scheduler_cert)
            _write_private(self._folder / "key.pem", security.tls_scheduler_key)
            self._scheduler = self._spawn(*_SCHEDULER)
            for number in range(1, count + 1):
                self._start_worker(f"worker-{number}")
            self._connect(self._address(), security)
            self._await_worker()
        except Exception as error:
            self.close()
            if isinstance(error, ClusterError):
                raise
            raise ClusterError(
                "The worker processes could not be started.",
                f"{type(error).__name__}: {error}",
                "Repeat the run; if the error persists, check the server's log.",
            ) from error

    def tend(self) -> None:
        """See `Cluster`: a worker whose nanny has ended, or that is away for too long, is started afresh."""
        if self._scheduler is None or self._scheduler.poll() is not None:
            raise ClusterError("The scheduler of the worker processes stopped.")
        now = time.monotonic()
        self.workers()
        present = {self._names[address] for address in self.workers()}
        for name, nanny in list(self._nannies.items()):
            if name in present:
                self._seen[name] = now
                self._arrived.add(name)
            patience = MISSED_AFTER if name in self._arrived else START_WITHIN
            if nanny.poll() is not None or now - self._seen[name] > patience:
                log.warning("%s is restarted", name)
                self._replace(name)

    def stop(self, worker: str) -> None:
        """See `Cluster`. A worker that hangs may not hear its nanny: both are ended."""
        name = self._names.get(worker)
        if name in self._nannies and worker in self.workers():
            self._replace(name)

    def close(self) -> None:
        """See `Cluster`."""
        self._disconnect()
        for process in [*self._nannies.values(), *([self._scheduler] if self._scheduler else [])]:
            processes.kill_tree(process.pid)
            process.wait()
        self._scheduler, self._nannies = None, {}
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _replace(self, name: str) -> None:
        nanny = self._nannies[name]
        processes.kill_tree(nanny.pid)
        nanny.wait()
        self._start_worker(name)

    def _start_worker(self, name: str) -> None:
        self._seen[name] = time.monotonic()
        self._arrived.discard(name)
        self._nannies[name] = self._spawn(*_WORKER, "--name", name)

    def _spawn(self, command: str, *options: str) -> subprocess.Popen[bytes]:
        folder = self._private
        arguments = [
            sys.executable, "-m", "dask", command, "--scheduler-file", str(folder / "scheduler.json"),
            "--tls-ca-file", str(folder / "certificate.pem"), "--tls-cert", str(folder / "certificate.pem"),
            "--tls-key", str(folder / "key.pem"), "--host", "127.0.0.1", "--protocol", "tls",
            "--no-dashboard", "--dashboard-address", "127.0.0.1:0", "--preload", parent_watch.__name__, *options,
        ]  # fmt: skip
        if command == "worker":
            arguments += ["--local-directory", str(folder)]
        return subprocess.Popen(  # noqa: S603  our own program, with paths of our own
            arguments, env=self._variables(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **_apart()
        )  # fmt: skip

    def _variables(self, folder: Path) -> dict[str, str]:
        share = max(1, cores() // (self._count or worker_count()))
        threads = str(self._threads or _threads_wanted() or share)
        inherited = {name: value for name, value in os.environ.items() if name != ADDRESS}
        paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            **inherited,
            **_DASK,
            "PYTHONPATH": os.pathsep.join(paths),
            "SLIDELENS_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            parent_watch.SERVER: this_process(),
            parent_watch.FOLDER: str(folder),
            **self._environment,
        }

    @property
    def _private(self) -> Path:
        if self._folder is None:
            raise ClusterError("The worker processes are not running.")
        return self._folder

    def _address(self) -> str:
        file, deadline = self._private / "scheduler.json", time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            self._check_started()
            try:
                return str(json.loads(file.read_text(encoding="utf-8"))["address"])
            except (OSError, ValueError):
                time.sleep(0.05)  # not there yet, or half written
        raise ClusterError("The worker processes could not be started.", "The scheduler did not respond in time.")

    def _await_worker(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while not self.workers():
            self._check_started()
            if time.monotonic() > deadline:
                raise ClusterError(
                    "The worker processes could not be started.",
                    f"No worker was ready after {START_WITHIN:.0f} seconds.",
                    "Repeat the run; if the error persists, check the server's log.",
                )
            time.sleep(0.1)

    def _check_started(self) -> None:
        for process in filter(None, [self._scheduler, *self._nannies.values()]):
            if process.poll() is not None:
                raise ClusterError(
                    "The worker processes could not be started.",
                    f"One of them ended immediately, with exit code {process.returncode}.",
                    "The reason is in the server's log.",
                )


def _threads_wanted() -> int:
    """What the operator has set, 0 where that is nothing or no number."""
    given = os.environ.get("SLIDELENS_THREADS", "").strip()
    return int(given) if given.isdecimal() else 0


def _apart() -> dict[str, Any]:
    """Options for a process that Ctrl+C in the terminal does not reach: that is for the server, which ends it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read; on Windows the folder of the user's own temporary files sees to it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(content)


_SCHEDULER = ("scheduler", "--port", "0")
_WORKER = (
    "worker", "--preload-nanny", parent_watch.__name__, "--nworkers", "1", "--nthreads", "1", "--resources", f"{JOB}=1",
    "--memory-limit", SHARE_OF_MEMORY,
)  # fmt: skip

_DASK = {
    # A run is never tried twice by itself: what killed one worker would kill the next.
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "60s",
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    # Dask holds no data for us, so it has nothing to spill, and pausing a worker would only stall its queue.
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "0.95",
    "DASK_LOGGING__DISTRIBUTED": "warning",
}
