"""Workers that are played, so that nothing takes time."""

from __future__ import annotations

from typing import Any

from core.jobs.cluster import ClusterError
from core.jobs.remote import Call, Settings
from core.runs.failures import WorkerLost


class Played:
    """Something that a played worker was given."""

    def __init__(self, worker: str, call: Call) -> None:
        self.worker, self.call = worker, call
        self.outcome: Any = ...
        self.forgotten = False

    @property
    def run_id(self) -> str:
        return str(self.call.arguments["run_id"])

    def done(self) -> bool:
        return self.outcome is not ...

    def result(self) -> Any:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def forget(self) -> None:
        self.forgotten = True


class PlayedCluster:
    """Workers that do nothing until the test says what came of it."""

    lasting = False

    def __init__(self, count: int = 1) -> None:
        self.names = [f"tls://{number}" for number in range(count)]
        self.given: list[Played] = []
        self.stopped: list[str] = []
        self.starts = 0
        self.closed = 0
        self.refuses: ClusterError | None = None
        self.gone = False

    def start(self) -> None:
        self.starts += 1
        if self.refuses:
            raise self.refuses

    def tend(self) -> None:
        if self.gone:
            raise ClusterError("The scheduler stopped.")

    def workers(self) -> tuple[str, ...]:
        return tuple(self.names)

    def free(self) -> tuple[str, ...]:
        busy = {one.worker for one in self.given if not one.done()}
        return tuple(name for name in self.names if name not in busy)

    def submit(self, worker: str, call: Call, settings: Settings, priority: int) -> Played:
        self.given.append(Played(worker, call))
        return self.given[-1]

    def stop(self, worker: str) -> None:
        self.stopped.append(worker)
        for one in self.given:
            if one.worker == worker and not one.done():
                one.outcome = WorkerLost("stopped")

    def close(self) -> None:
        self.closed += 1
        for one in self.given:
            if not one.done():
                one.outcome = WorkerLost("closed")
