"""What runs the network fastest on this machine, and whether all give the same answer.

Run ``python -m benchmarks.runtimes``. Each round asks every runtime once, so that all meet the same conditions.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.results import record
from core.learning.runtime import TorchRuntime, default_threads, open_runtime
from core.learning.segmentation import network_of
from core.learning.store import StoredModel, find_model

Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def eager(model: StoredModel) -> Forward:
    """Plain PyTorch on the CPU, with its usual layout in memory."""
    network = model.load_network(network_of)

    def forward(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
        return logits

    return forward


def runtimes(model: StoredModel, threads: int, cache: Path) -> dict[str, Forward]:
    """The candidates by name; the last two are those that the app can be told to use."""
    plain = TorchRuntime(model.load_network(network_of), threads)
    onnx = open_runtime(model, network_of, cache, "onnx", threads)
    return {
        f"torch {torch.__version__} eager (cpu)": eager(model),
        f"{plain.name} channels-last": plain.logits,
        onnx.name: onnx.logits,
    }


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="unet-regnety", help="name of a mapping model")
    parser.add_argument("--tile", type=int, default=256, help="side of the tiles in pixels")
    parser.add_argument("--batch", type=int, default=4, help="tiles a pass")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=default_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = find_model("mapping", arguments.model)
    shape = (arguments.batch, len(model.spec.bands), arguments.tile, arguments.tile)
    batch = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as cache:
        candidates = runtimes(model, arguments.threads, Path(cache))
        answers = {name: forward(batch) for name, forward in candidates.items()}
        times: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(arguments.rounds):
            for name, forward in candidates.items():
                started = time.perf_counter()
                forward(batch)
                times[name].append(1000 * (time.perf_counter() - started) / arguments.batch)
    reference = next(iter(answers.values()))
    figures = {
        name: f"{np.median(times[name]):.1f} ms a tile (fastest {min(times[name]):.1f}); largest difference of a "
        f"logit from the first {np.abs(answers[name] - reference).max():.1e}"
        for name in candidates
    }
    record(
        "Runtimes",
        f"One forward pass of {model.spec.name} over {arguments.batch} tiles of {arguments.tile}×{arguments.tile} "
        f"pixels with {arguments.threads} threads: medians of {arguments.rounds} rounds, asked in turn.",
        figures,
        ("onnxruntime", "torch", "numpy"),
    )


if __name__ == "__main__":
    main()
