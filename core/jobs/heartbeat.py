"""How long runs have been silent, at work or told to stop, by a clock that neither sleep nor another machine upsets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from core.runs.records import Run

LONGEST_GAP = 3.0
"""Seconds that count between two looks. A laptop that was shut for an hour has not waited an hour for a heartbeat."""


@dataclass
class Heartbeat:
    """Seconds, counted while somebody looked.

    Attributes
    ----------
    silent
        Since its heartbeat last changed.
    at_work
        Since it was first seen running.
    stopping
        Since it was first seen told to stop.
    """

    heartbeat: datetime | None = None
    silent: float = 0.0
    at_work: float = 0.0
    stopping: float = 0.0


class HeartbeatMonitor:
    """Looks at runs again and again.

    Heartbeats are only compared with each other: the clock of the worker's machine may stand differently.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before: float | None = None
        self._seen: dict[str, Heartbeat] = {}

    def look(self, runs: Iterable[Run]) -> tuple[dict[str, Heartbeat], float]:
        """What is known of each running run, by id, and the seconds since the last look."""
        now = self._clock()
        gap = 0.0 if self._before is None else min(now - self._before, LONGEST_GAP)
        self._before = now
        self._seen = {run.id: self._at(run, gap) for run in runs if run.status == "running"}
        return self._seen, gap

    def _at(self, run: Run, gap: float) -> Heartbeat:
        seen = self._seen.get(run.id)
        if seen is None:
            return Heartbeat(run.heartbeat)
        silent = 0.0 if run.heartbeat != seen.heartbeat else seen.silent + gap
        return Heartbeat(run.heartbeat, silent, seen.at_work + gap, seen.stopping + gap if run.cancelling else 0.0)
