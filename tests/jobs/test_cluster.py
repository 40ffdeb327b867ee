"""Runs in real processes: workers that are killed, hang or do not listen, and a server that is killed."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.errors import InputError
from core.jobs import local_cluster, parent_watch
from core.jobs.cluster import ADDRESS, Cluster, ClusterError, RemoteCluster
from core.jobs.jobs import ClusterJobs
from core.jobs.local_cluster import LocalCluster, default_cluster, worker_count
from core.jobs.remote import Call
from core.runs.database import database_url
from core.runs.records import Order, Run
from core.runs.store import open_store
from core.tasks.imagery.result import image_inputs

HERE = Path(__file__).parent
WORKERS = 2
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


def within(seconds: float, true: Callable[[], object], what: str) -> None:
    """Wait until something is so; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


def share(run: Run, workers: int) -> Call | None:
    """Share out the runs that name a number of parts."""
    parts = run.parameters.get("parts")
    return Call("work_for_tests:plan", {"run_id": run.id, "parts": parts}) if parts else None


def gone(pids: list[int]) -> bool:
    """Whether none of these processes runs; one that nobody has buried does not."""
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


class Office:
    """Jobs on a real cluster."""

    def __init__(self, home: Path, cluster: Cluster) -> None:
        self.store = open_store(home, database_url(home))
        self.jobs = ClusterJobs(self.store, cluster, performer="work_for_tests:perform", splitter=share)

    def order(self, does: str, **more: object) -> str:
        return self.jobs.submit(Order("mapping", "mapping", {"does": does, **more}, image_inputs("")))

    def await_status(self, run_id: str, *statuses: str, seconds: float = 30) -> Run:
        within(seconds, lambda: self.store.run(run_id).status in statuses, f"{run_id} is {statuses}")
        return self.store.run(run_id)

    def await_worker(self, run_id: str) -> int:
        """Wait until a run is at work and return the number of its process."""
        self.await_status(run_id, "running")
        return int(self.store.run(run_id).worker.rsplit(":", 1)[1])

    def said(self, run_id: str) -> list[str]:
        """Return what a run said when it ended."""
        failure = self.await_status(run_id, "failed").failure
        assert failure is not None
        assert failure.what == "ended", failure
        return failure.why.split()


class LocalOffice(Office):
    """Jobs on a cluster of this machine."""

    def __init__(self, home: Path, cluster: LocalCluster) -> None:
        super().__init__(home, cluster)
        self.cluster = cluster


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOffice]:
    home = tmp_path_factory.mktemp("office")
    cluster = LocalCluster(WORKERS, threads=1, environment={"PYTHONPATH": paths()})
    office = LocalOffice(home, cluster)
    office.jobs.prepare()
    within(60, office.jobs.ready, "the cluster is up")
    yield office
    folder, pids = cluster._private, family(os.getpid())
    office.jobs.close()
    assert not folder.exists()
    within(10, lambda: gone(pids), "all of them have ended")


def paths() -> str:
    return os.pathsep.join([str(HERE), str(HERE.parents[1])])


def family(pid: int) -> list[int]:
    """Return the numbers of the processes of Dask that a process started, and of theirs."""
    roots = [child for child in psutil.Process(pid).children() if "dask" in child.cmdline()]
    return [process.pid for root in roots for process in (root, *root.children(recursive=True))]


# Settings


def test_a_run_has_four_cores_and_there_are_four_workers_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIDELENS_WORKERS", raising=False)
    expected = {1: 1, 2: 1, 4: 1, 7: 1, 8: 2, 16: 4, 64: 4}
    for number, workers in expected.items():
        monkeypatch.setattr(local_cluster, "cores", lambda number=number: number)
        assert worker_count() == workers


def test_the_operator_says_how_many_workers_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDELENS_WORKERS", "7")
    assert worker_count() == 7


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_number_of_workers_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIDELENS_WORKERS", value)
    with pytest.raises(InputError, match="SLIDELENS_WORKERS"):
        worker_count()


def test_the_cores_are_shared_out_among_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cluster, "cores", lambda: 9)
    monkeypatch.delenv("SLIDELENS_THREADS", raising=False)
    monkeypatch.setenv(ADDRESS, "tls://elsewhere:8786")
    variables = LocalCluster(2)._variables(tmp_path)
    assert variables["SLIDELENS_THREADS"] == variables["OMP_NUM_THREADS"] == "4"
    assert ADDRESS not in variables


@pytest.mark.parametrize(("given", "threads"), [("7", "7"), ("0", "4"), ("many", "4")])
def test_the_operator_says_how_many_threads_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, threads: str
) -> None:
    monkeypatch.setattr(local_cluster, "cores", lambda: 9)
    monkeypatch.setenv("SLIDELENS_THREADS", given)
    variables = LocalCluster(2)._variables(tmp_path)
    assert variables["SLIDELENS_THREADS"] == variables["OMP_NUM_THREADS"] == threads
    assert LocalCluster(2, 1)._variables(tmp_path)["SLIDELENS_THREADS"] == "1"


class Here:
    """A process that runs."""

    pid = -1

    def poll(self) -> None:
        return None

    def wait(self) -> None:
        return None


def test_a_worker_has_as_long_to_start_again_as_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, there, spawned = [0.0], ["one", "two"], []
    monkeypatch.setattr(local_cluster.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(local_cluster.processes, "kill_tree", lambda pid: None)
    cluster = LocalCluster(2)
    monkeypatch.setattr(cluster, "workers", lambda: tuple(there))
    monkeypatch.setattr(cluster, "_spawn", lambda *given: spawned.append(given[-1]) or Here())
    cluster._names, cluster._scheduler = {"one": "one", "two": "two"}, Here()  # type: ignore[assignment]
    for name in there:
        cluster._start_worker(name)
    there.remove("two")  # which is slow

    def after(seconds: float) -> list[str]:
        now[0] += seconds
        cluster.tend()
        return spawned[2:]

    assert after(local_cluster.START_WITHIN - 1) == []
    assert after(2) == ["two"]
    assert after(local_cluster.START_WITHIN - 1) == ["two"]
    there.append("two")
    assert after(0.5) == ["two"]
    there.remove("two")
    assert after(local_cluster.MISSED_AFTER - 1) == ["two"]
    assert after(2) == ["two", "two"]


def test_a_cluster_that_is_there_already_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    assert isinstance(default_cluster(), LocalCluster)
    monkeypatch.setenv(ADDRESS, "tls://elsewhere:8786")
    cluster = default_cluster()
    assert isinstance(cluster, RemoteCluster)
    assert cluster.address == "tls://elsewhere:8786"


def test_there_is_no_leash_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(parent_watch.SERVER, raising=False)
    parent_watch.hold()
    assert not parent_watch._HELD.is_set()


# Real processes


def refuses_strangers(host: str, port: int) -> bool:
    """Whether a port hangs up on who comes without the certificate; TLS 1.3 tells only after the handshake."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=10) as plain, context.wrap_socket(plain) as connection:
            connection.settimeout(10)
            return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.slow
def test_only_who_has_the_key_may_talk_to_the_scheduler(office: LocalOffice) -> None:
    host, port = office.cluster._address().removeprefix("tls://").split(":")
    assert host == "127.0.0.1"
    assert refuses_strangers(host, int(port))
    key = office.cluster._private / "key.pem"
    if sys.platform != "win32":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    found = [net for pid in family(os.getpid()) for net in psutil.Process(pid).net_connections("tcp")]
    assert {net.laddr.ip for net in found if net.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


@pytest.mark.slow
def test_each_worker_does_one_run_at_a_time(office: LocalOffice) -> None:
    said = [office.said(run_id) for run_id in [office.order("short") for _ in range(6)]]
    assert len({pid for pid, _, _ in said}) <= WORKERS
    for pid in {pid for pid, _, _ in said}:
        times = sorted((float(began), float(ended)) for at, began, ended in said if at == pid)
        assert all(before[1] <= after[0] for before, after in zip(times, times[1:], strict=False))


@pytest.mark.slow
def test_settings_travel_with_the_run(office: LocalOffice) -> None:
    assert office.said(office.order("where"))[0] == str(office.store.home)
    assert office.said(office.order("where"))[2] == "1"


@pytest.mark.slow
def test_a_run_that_works_hears_that_it_is_cancelled(office: LocalOffice) -> None:
    run_id = office.order("until cancelled")
    office.await_worker(run_id)
    office.jobs.cancel(run_id)
    failure = office.await_status(run_id, "cancelled").failure
    assert failure is not None
    assert failure.what == "heard"


@pytest.mark.slow
@POSIX
def test_a_worker_that_is_killed_leaves_its_run_failed_and_the_next_one_runs(office: LocalOffice) -> None:
    runs = [office.order("until cancelled") for _ in range(WORKERS)]
    pids = [office.await_worker(run_id) for run_id in runs]
    following = office.order("short")
    os.kill(pids[0], 9)
    failure = office.await_status(runs[0], "failed").failure
    assert failure is not None
    assert failure.what == "The worker processing this run stopped."
    assert str(pids[0]) in failure.detail
    assert int(office.said(following)[0]) not in pids
    assert office.store.run(runs[1]).status == "running"
    office.jobs.cancel(runs[1])
    office.await_status(runs[1], "cancelled")


@pytest.mark.slow
@POSIX
def test_a_nanny_that_is_killed_is_replaced(office: LocalOffice) -> None:
    for nanny in office.cluster._nannies.values():
        nanny.kill()
    assert office.said(office.order("short"))


@pytest.mark.slow
@POSIX
def test_a_process_that_hangs_is_replaced(office: LocalOffice) -> None:
    run_id = office.order("hung")
    pid = office.await_worker(run_id)
    failure = office.await_status(run_id, "failed", seconds=40).failure
    assert failure is not None
    assert "stopped responding" in failure.what
    within(10, lambda: gone([pid]), "it is ended")
    assert office.said(office.order("short"))


@pytest.mark.slow
def test_errors_reach_the_row_whole(office: LocalOffice) -> None:
    failing, broken = office.order("failing"), office.order("broken")
    told = office.await_status(failing, "failed").failure
    assert told is not None
    assert (told.what, told.why) == ("The scene has no valid pixel.", "Nothing can be mapped.")
    bug = office.await_status(broken, "failed").failure
    assert bug is not None
    assert "ZeroDivisionError: by a test" in bug.detail
    assert "work_for_tests.py" in bug.detail


@pytest.mark.slow
def test_a_run_may_be_shared_by_all_workers(office: LocalOffice) -> None:
    run_id = office.order("", parts=8)
    parts, processes, progress = office.said(run_id)
    assert (parts, processes, progress) == ("8", str(WORKERS), "8/8")
    assert not office.store.work_folder(run_id).exists()


@pytest.mark.slow
def test_a_cluster_of_somebody_else_is_reached_by_its_certificate(office: LocalOffice, tmp_path: Path) -> None:
    import dask

    certificate, key = (str(office.cluster._private / name) for name in ("certificate.pem", "key.pem"))
    tls = {"ca-file": certificate, "client.cert": certificate, "client.key": key}
    cluster = RemoteCluster(office.cluster._address())
    with dask.config.set({f"distributed.comm.tls.{name}": value for name, value in tls.items()}):
        guest = Office(tmp_path, cluster)
        assert guest.said(guest.order("where"))[0] == str(tmp_path)
        deaf = guest.jobs.submit(Order("mapping", "mapping", {"does": "deaf"}, image_inputs(""), time_limit=1))
        guest.await_worker(deaf)
        assert guest.said(guest.order("short")), "the other worker is free"
        failure = guest.await_status(deaf, "failed").failure
        assert failure is not None
        assert "limit of 1 s" in failure.what
        assert len(guest.said(guest.order("short"))) == 3
        staying = guest.order("until cancelled")
        guest.await_worker(staying)
        guest.jobs.close()
    assert guest.store.run(staying).status == "running", "what is not ours goes on without us"
    guest.store.cancel(staying)
    guest.await_status(staying, "cancelled")
    assert office.said(office.order("short")), "the cluster is still there for others"


@pytest.mark.slow
@POSIX
def test_a_cluster_whose_scheduler_is_killed_is_started_again(office: LocalOffice) -> None:
    run_id = office.order("until cancelled")
    office.await_worker(run_id)
    scheduler = office.cluster._scheduler
    assert scheduler is not None
    scheduler.kill()
    office.await_status(run_id, "failed")
    assert office.said(office.order("short"))


def serve(home: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server and return it with the id of the run that it ordered."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "server_for_tests.py"), str(home), *options],
        env={**os.environ, "PYTHONPATH": paths()},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


@pytest.mark.slow
@POSIX
def test_a_server_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    server, run_id = serve(tmp_path)
    store = open_store(tmp_path, database_url(tmp_path))
    within(60, lambda: store.run(run_id).status == "running", "the run is at work")
    pids = family(server.pid)
    folder = next(Path(word).parent for word in psutil.Process(pids[0]).cmdline() if word.endswith("scheduler.json"))
    assert len(pids) >= 3
    assert folder.exists()
    server.kill()
    within(15, lambda: gone(pids), "all of them have ended")
    server.wait()
    within(5, lambda: not folder.exists(), "the key is removed")
    jobs = ClusterJobs(store, LocalCluster(1))
    try:
        within(30, lambda: store.run(run_id).status == "interrupted", "the run is interrupted")
        assert not jobs.ready()
    finally:
        jobs.close()


@pytest.mark.slow
def test_a_server_that_ends_in_good_order_marks_its_run(tmp_path: Path) -> None:
    server, run_id = serve(tmp_path, "--leave")
    store = open_store(tmp_path, database_url(tmp_path))
    server.wait(60)
    assert server.returncode == 0
    assert store.run(run_id).status == "interrupted"


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr("core.jobs.cluster.START_WITHIN", 3)
    with pytest.raises(ClusterError, match="cannot be reached"):
        RemoteCluster(f"tcp://127.0.0.1:{port}").start()


def test_a_cluster_whose_certificate_is_not_known_is_told_of() -> None:
    with pytest.raises(ClusterError, match="certificate"):
        RemoteCluster("tls://127.0.0.1:1").start()
