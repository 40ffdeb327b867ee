"""Work that worker processes do in the tests of jobs: it waits for files, so that a test says when it goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.jobs.remote import Call
from core.jobs.sharding import Plan
from core.runs.records import Failure, Progress

if TYPE_CHECKING:
    from core.runs.store import Store


def settle(store: Store, run_id: str, words: str = "") -> None:
    """End a run; these runs have no result, so this is how the tests know that one came to its end."""
    store.fail(run_id, Failure("ended", words))


def perform(store: Store, run_id: str, *, server: str, worker: str) -> None:
    if not store.claim(run_id, server=server, worker=worker):
        return
    parameters = store.run(run_id).parameters
    DOES[parameters["does"]](store, run_id)


def short(store: Store, run_id: str) -> None:
    began = time.monotonic()
    time.sleep(0.3)
    settle(store, run_id, f"{os.getpid()} {began} {time.monotonic()}")


def until_cancelled(store: Store, run_id: str) -> None:
    while store.beat(run_id, Progress(1, 2, "waiting")):
        time.sleep(0.2)
    store.fail(run_id, Failure("heard"), "cancelled")


def deaf(store: Store, run_id: str) -> None:
    while True:
        store.beat(run_id)
        time.sleep(0.5)


def hung(store: Store, run_id: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def failing(store: Store, run_id: str) -> None:
    raise InputError("The scene has no valid pixel.", "Nothing can be mapped.", "Choose another.")


def broken(store: Store, run_id: str) -> None:
    raise ZeroDivisionError("by a test")


def where(store: Store, run_id: str) -> None:
    settle(store, run_id, f"{store.home} {os.environ.get('SLIDELENS_MODELS')} {os.environ.get('SLIDELENS_THREADS')}")


DOES: dict[str, Callable[[Store, str], None]] = {
    "short": short, "until cancelled": until_cancelled, "deaf": deaf, "hung": hung, "failing": failing,
    "broken": broken, "where": where,
}  # fmt: skip


def plan(store: Store, run_id: str, parts: int) -> Plan:
    one = [Call("work_for_tests:part", {"run_id": run_id, "number": number}) for number in range(parts)]
    return Plan(tuple(one), Call("work_for_tests:gather", {"run_id": run_id}), steps=parts, words="Counting")


def part(store: Store, run_id: str, number: int) -> None:
    folder = store.work_folder(run_id) / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    time.sleep(0.2)
    Path(folder / f"{number}.txt").write_text(f"{os.getpid()}", encoding="ascii")
    store.advance(run_id, 1)


def gather(store: Store, run_id: str) -> None:
    parts = sorted((store.work_folder(run_id) / "parts").iterdir())
    pids = {path.read_text(encoding="ascii") for path in parts}
    progress = store.run(run_id).progress
    settle(store, run_id, f"{len(parts)} {len(pids)} {progress.done}/{progress.total}")
