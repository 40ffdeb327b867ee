"""Large mappings shared by the workers of a cluster: each computes blocks of its own, one gathers them.

The values are those of one worker exactly, see `core.tasks.mapping.blocks`. Workers on several machines need the
store's home folder, the scenes and the models at the same paths, and a database that all of them reach.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import LandslideError, RunCancelled
from core.jobs.perform import keep
from core.jobs.remote import Call
from core.jobs.sharding import Plan
from core.raster.windows import Region
from core.runs import files
from core.runs.records import Progress, Run
from core.tasks.imagery.inputs import scene_of
from core.tasks.mapping.block_files import gather, write_part
from core.tasks.mapping.run import Prepared, prepared
from core.wording import count

if TYPE_CHECKING:
    from pathlib import Path

    from core.runs.store import Store

TELL_EVERY = 0.5
"""Seconds between two words about progress from one worker."""

PARTS = "parts"

LARGE = 16_000_000
"""Pixels of a scene from which a mapping is worth sharing out."""


def plan_call(run_id: str) -> Call:
    """The call that makes the plan of a run."""
    return Call("core.tasks.mapping.run_shards:plan", {"run_id": run_id})


def shards_of(store: Store, run: Run) -> Call | None:
    """The call that makes the plan of a run that is large enough to be shared; None for others."""
    try:
        grid = scene_of(store, run).scene.grid
    except LandslideError:
        return None  # what is wrong with the scene is told by the worker that finds it so
    return plan_call(run.id) if grid.width * grid.height > LARGE else None


@lru_cache(maxsize=1)
def _ready(store: Store, run_id: str) -> Prepared:
    """A worker is given several blocks of one run; scene and model are made ready for the first of them."""
    return prepared(store, store.run(run_id))


def plan(store: Store, run_id: str) -> Plan:
    """Say which blocks a run has."""
    store.beat(run_id, Progress(words="Reading the image and loading the model"))
    ready = _ready(store, run_id)
    files.remove(_parts(store, run_id))
    parts = tuple(
        Call(
            "core.tasks.mapping.run_shards:part",
            {"run_id": run_id, "block": [block.row, block.column, block.height, block.width]},
        )
        for block in ready.blocks
    )
    words = f"Mapping {count(len(parts), 'block')} in parallel"
    return Plan(parts, Call("core.tasks.mapping.run_shards:last", {"run_id": run_id}), ready.windows, words)


def part(store: Store, run_id: str, block: list[int]) -> None:
    """Compute one block of a run.

    Raises
    ------
    RunCancelled
        When the run is to end.
    """
    ready, steps = _ready(store, run_id), _Steps(store, run_id)
    write_part(
        ready.predictor, Region(*block), _parts(store, run_id), ready.area, ready.reference, steps.report, steps.stopped
    )
    steps.tell()


def last(store: Store, run_id: str) -> None:
    """Gather the blocks of a run and keep the result."""
    ready, folder = _ready(store, run_id), files.folder(store.work_folder(run_id))

    asked = time.monotonic()

    def stopped() -> bool:
        nonlocal asked
        if time.monotonic() - asked < TELL_EVERY:
            return False
        asked = time.monotonic()
        return not store.beat(run_id)

    store.beat(run_id, Progress(ready.windows, ready.windows, "Merging the blocks"))
    scene = ready.record.scene
    written = gather(_parts(store, run_id), scene.grid, ready.blocks, folder, stopped)
    keep(store, run_id, ready.result(folder, *written, cancel=stopped), stopped)


def _parts(store: Store, run_id: str) -> Path:
    return store.work_folder(run_id) / PARTS


class _Steps:
    """Adds what one worker has done to what all have done, a few times a second at most."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._done = self._told = 0
        self._when, self._go_on = time.monotonic(), True

    def report(self, done: int, total: int) -> None:
        del total
        self._done = done
        if time.monotonic() - self._when >= TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        self._go_on = self._store.advance(self._run_id, self._done - self._told)
        self._told, self._when = self._done, time.monotonic()
        if not self._go_on:
            raise RunCancelled("The run was cancelled.", "No results were saved.")

    def stopped(self) -> bool:
        return not self._go_on
