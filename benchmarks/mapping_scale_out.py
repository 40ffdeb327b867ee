"""What more worker processes bring to the mapping of one large raster, and that they change nothing in it.

Run ``python -m benchmarks.mapping_scale_out``. The workers are those of a Dask cluster of this machine, as the app and
``python -m core mapping predict --workers`` start it, with one thread each.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.rasters import make_raster
from benchmarks.results import record

THREADS = "1"


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=10_000)
    parser.add_argument("--model", default="deeplabv3plus-regnety")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    # The same in this process, which exports the network before any clock runs.
    os.environ["SLIDELENS_THREADS"] = THREADS
    from core.jobs.local_cluster import LocalCluster
    from core.jobs.shard_here import run_sharded
    from core.runs.store import Store
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.run import Request, order_of, prepare
    from core.tasks.mapping.run_shards import plan_call

    seconds: dict[int, float] = {}
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    counts: dict[int, list[list[int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store, raster = Store(Path(folder, "home")), Path(folder, "raster.tif")
        make_raster(raster, arguments.side)
        scene = store.add_scene(raster, "raster")
        request = Request(arguments.model)
        _, _, predictor = prepare(store, scene.scene, request)
        blocks = len(predictor.blocks())
        for workers in arguments.workers:
            cluster = LocalCluster(workers, int(THREADS))
            cluster.start()
            while len(cluster.workers()) < workers:
                time.sleep(0.1)
            began = time.perf_counter()
            run = store.run(run_sharded(store, order_of(scene, request), plan_call, cluster))
            seconds[workers] = time.perf_counter() - began
            cluster.close()
            found[workers] = tuple((artifact.role, artifact.digest) for artifact in run.artifacts)
            counts[workers] = store.result(run.id, MappingResult).counts.tolist()
    first = arguments.workers[0]
    figures = {
        f"{workers} worker{'s' if workers > 1 else ''}": (
            f"{seconds[workers]:.0f} s, {seconds[first] / seconds[workers]:.2f} times as fast as with {first}"
        )
        for workers in arguments.workers
    }
    equal = len(set(found.values())) == 1 and all(counts[workers] == counts[first] for workers in counts)
    figures["Content and counts"] = "equal in every value" if equal else "DIFFERENT"
    record(
        "Mapping shared by workers",
        f"Mapping a raster of {arguments.side:,}² pixels, in {blocks} blocks, with {arguments.model} by worker "
        "processes of one thread each, from the order to the kept run; loading the model in each worker included.",
        figures,
        ("onnxruntime", "distributed"),
    )
    if not equal:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
