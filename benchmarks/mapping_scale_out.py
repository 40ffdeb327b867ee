"""What more workers bring, and that they change nothing: one raster mapped by one process and by many.

Run ``python -m benchmarks.mapping_scale_out``. Each worker is a process with its share of the cores; blocks are made
small, for one process as for many, so that a raster of moderate size has enough of them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.results import record

if TYPE_CHECKING:
    from core.mapping.predict import Predictor

predictor: Predictor


def start(folder: Path, model_name: str, threads: int, side: int) -> dict[str, str]:
    """Prepare this worker: the size of its blocks, its threads, its model; says in words what it is to compute."""
    global predictor
    import torch

    from core.learning.runtime import open_runtime
    from core.learning.store import find_model
    from core.mapping import blocks
    from core.mapping.bridge import bridge
    from core.mapping.models import network_of
    from core.mapping.predict import Options, Predictor
    from core.raster.scene import Scene

    blocks.WIDEST, blocks.TALLEST, blocks.WINDOWS_TALL = side, side, 0
    torch.set_num_threads(threads)
    model = find_model("mapping", model_name)
    runtime = open_runtime(model, network_of, folder / "cache", threads=threads)
    scene = Scene.open(folder / "scene.tif")
    predictor = Predictor(scene, model.spec, bridge(scene, model.spec), runtime, Options())
    plan, planned = predictor.plan, predictor.blocks()
    return {
        "Model": f"{model.spec.name}, {runtime.name}",
        "Raster": f"{plan.width}×{plan.height} pixels in {len(planned)} blocks of at most "
        f"{planned[0].width}×{planned[0].height}; {len(plan.touching(plan.whole))} windows, "
        f"{sum(predictor.windows(block) for block in planned)} computed",
    }


def straight(folder: Path) -> Any:
    """Map the raster in this process, straight into its file; returns the counts."""
    from core.mapping.predict import write_rasters

    return write_rasters(predictor, folder)[2].model.tolist()


def planned() -> Any:
    """Grid of the scene and the blocks in which it is computed."""
    return predictor.scene.grid, predictor.blocks()


def part(block: Any, parts: Path) -> None:
    """Compute one block."""
    from core.mapping.parts import write_part

    write_part(predictor, block, parts)


def gathered(parts: Path, grid: Any, blocks: Any, folder: Path) -> tuple[Any, float]:
    """Put the parts together; returns the counts and seconds."""
    from core.mapping.parts import gather

    started = time.perf_counter()
    counts = gather(parts, grid, blocks, folder)[2].model.tolist()
    return counts, time.perf_counter() - started


@dataclass
class Measured:
    """Seconds of each repeat, those of gathering, and digests of what came out."""

    seconds: list[float] = field(default_factory=list)
    gathering: list[float] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        gathering = f", of which gathering {median(self.gathering):.1f} s" if self.gathering else ""
        return " / ".join(f"{seconds:.1f}" for seconds in self.seconds) + f" s{gathering}"


def measure(folder: Path, model: str, side: int, workers: int, threads: int, into: Measured) -> dict[str, str]:
    """Map the raster once by so many workers of so many threads; the time begins when all are ready."""
    free: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
    with ExitStack() as stack:
        out = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        for _ in range(workers):
            worker = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
            words = worker.submit(start, folder, model, threads, side).result()
            free.put(worker)
        started = time.perf_counter()
        if workers == 1:
            counts = worker.submit(straight, out).result()
        else:
            grid, blocks = worker.submit(planned).result()

            def one(block: Any) -> None:
                taken = free.get()
                try:
                    taken.submit(part, block, out / "parts").result()
                finally:
                    free.put(taken)

            list(stack.enter_context(ThreadPoolExecutor(workers)).map(one, blocks))
            counts, seconds = worker.submit(gathered, out / "parts", grid, blocks, out).result()
            into.gathering.append(seconds)
        into.seconds.append(time.perf_counter() - started)
        content = (out / "probability.tif").read_bytes() + repr(counts).encode()
        into.outcomes.add(hashlib.sha256(content).hexdigest())
    return words


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="fpn-regnety", help="name of a mapping model")
    parser.add_argument("--size", type=int, default=3000, help="side of the raster in pixels")
    parser.add_argument("--block", type=int, default=1024, help="side of the blocks in pixels, a multiple of 512")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = max(1, cores // arguments.workers)
    ways = {(1, share): Measured(), (1, cores): Measured(), (arguments.workers, share): Measured()}
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
        from benchmarks.rasters import make_raster

        maker.submit(make_raster, Path(name, "scene.tif"), arguments.size).result()
        # The first use of a model exports it.
        measure(Path(name), arguments.model, arguments.size, 1, share, Measured())
        for _ in range(arguments.repeats):
            for (workers, threads), into in ways.items():
                words = measure(Path(name), arguments.model, arguments.block, workers, threads, into)
    one, every, many = (ways[way] for way in ((1, share), (1, cores), (arguments.workers, share)))
    same, also = len(one.outcomes | many.outcomes) == 1, len(one.outcomes | every.outcomes) == 1
    speed = [median(way.seconds) / median(many.seconds) for way in (one, every)]
    record(
        "Mapping scale-out",
        "One raster mapped by one process and by many, from file to COG; the processes and their models are ready "
        "before the time begins. Aim: the files and counts are equal, bit for bit.",
        {
            **words,
            **{
                f"{_plural(workers, 'process')} of {_plural(threads, 'thread')}": str(into)
                for (workers, threads), into in ways.items()
            },
            f"Speed of {arguments.workers} processes": f"{speed[0]:.2f} times that of one with as many threads as "
            f"each, {speed[1]:.2f} times that of one with all (medians)",
            "Files and counts": f"{'equal (met)' if same else 'different (missed)'} at one number of threads, "
            f"{'equal' if also else 'different'} between numbers of threads",
        },
        ("onnxruntime", "torch", "numpy", "rasterio"),
    )


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


if __name__ == "__main__":
    main()
