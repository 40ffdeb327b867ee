"""How long a user waits after *Cancel*, while a new worker still loads and while it works.

Run ``python -m benchmarks.cancelling``.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.results import record
from core.catalog.samples import sample
from core.jobs.jobs import ClusterJobs
from core.runs.store import Store
from core.tasks.mapping.options import Options
from core.tasks.mapping.run import Request, order_of

MODEL = "unet-efficientnet-lite2"
DELAYS = (0.0, 1.0, 2.0, 4.0)
"""Seconds after the start of the run at which it is cancelled in a new worker."""

AIM = 3.0
PATIENCE = 120.0


def wait(store: Store, run: str, *, working: bool) -> None:
    """Return once the run has begun, or has done a first step."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = store.run(run)
        if found.status == "running" and (found.progress.total or not working):
            return
        if not found.active:
            raise RuntimeError(f"the run is {found.status} before it was cancelled")
        time.sleep(0.02)
    raise TimeoutError("the run did not begin")


def cancel(store: Store, jobs: ClusterJobs, run: str) -> float:
    """Seconds from the cancellation until the run has ended."""
    began = time.monotonic()
    jobs.cancel(run)
    while store.run(run).active:
        time.sleep(0.02)
    if store.run(run).status != "cancelled":
        raise RuntimeError(f"the run is {store.run(run).status}")
    return time.monotonic() - began


def measure(delay: float | None, *, turned: bool = True) -> float:
    """Seconds until a mapping has ended that is cancelled so long after its start, or at work when None.

    Parameters
    ----------
    turned
        Whether each window is computed with eight rotations and flips, as one step.
    """
    with tempfile.TemporaryDirectory() as folder:
        store, valley = Store(Path(folder)), sample("valley-after")
        scene = store.add_scene(valley.path, valley.title, synthetic=True)
        jobs = ClusterJobs(store)
        try:
            run = jobs.submit(order_of(scene, Request(MODEL, options=Options(test_time_augmentation=turned))))
            wait(store, run, working=delay is None)
            time.sleep(delay or 0.0)
            return cancel(store, jobs, run)
        finally:
            jobs.close()


def main() -> None:
    """Measure and record."""
    loading = [measure(delay) for delay in DELAYS]
    working, turned = ([measure(None, turned=one) for _ in range(3)] for one in (False, True))
    slowest = max(*loading, *working)
    told = " / ".join
    record(
        "Cancelling",
        f"A mapping of the sample valley by {MODEL}, cancelled in a new worker: from the cancellation until the run "
        f"has ended. A run at work ends after the step that is computed. Aim: {AIM:g} s, at work beyond that step.",
        {
            f"{', '.join(f'{one:g}' for one in DELAYS)} s after the start, while libraries and model load":
                f"{told(f'{one:.1f}' for one in loading)} s",
            "At work": f"{told(f'{one:.1f}' for one in working)} s",
            "At work with eight rotations and flips, whose steps take seconds":
                f"{told(f'{one:.1f}' for one in turned)} s",
            "Longest but for the last": f"{slowest:.1f} s ({'met' if slowest <= AIM else 'missed'})",
        },
        ("torch", "onnxruntime", "dask"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
