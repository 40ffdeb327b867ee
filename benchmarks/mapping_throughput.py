"""How much of the time of mapping a raster goes to the network: the pipeline against the bare forward pass.

Run ``python -m benchmarks.mapping_throughput``. Both do the same tiles with the same runtime and batch, in turn.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.rasters import make_raster
from benchmarks.results import record
from core.learning.preprocessing import preprocess
from core.learning.runtime import open_runtime
from core.learning.segmentation import network_of
from core.learning.store import find_model
from core.raster.scene import Scene
from core.tasks.mapping.options import Options
from core.tasks.mapping.predict import Predictor, write_rasters

TARGET = 0.85


def bare_forward(predictor: Predictor, tiles: int) -> float:
    """Seconds of the network alone over a number of tiles, in the batches that the pipeline uses."""
    side = predictor.spec.tile
    generator = np.random.default_rng(0)
    batch = generator.standard_normal((predictor.batch, len(predictor.spec.bands), side, side)).astype(np.float32)
    started = time.perf_counter()
    for start in range(0, tiles, predictor.batch):
        predictor.runtime.logits(batch[: min(predictor.batch, tiles - start)])
    return time.perf_counter() - started


def pipeline(predictor: Predictor, folder: Path) -> float:
    """Seconds from a raster file to a finished probability raster."""
    started = time.perf_counter()
    write_rasters(predictor, folder)
    return time.perf_counter() - started


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="unet-regnety", help="name of a mapping model")
    parser.add_argument("--size", type=int, default=2000, help="side of the raster in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_raster(folder / "scene.tif", arguments.size)
        model = find_model("mapping", arguments.model)
        runtime = open_runtime(model, network_of, folder / "cache")
        scene = Scene.open(folder / "scene.tif")
        predictor = Predictor(scene, model.spec, preprocess(scene, model.spec), runtime, Options())
        tiles = len(predictor.plan.touching(predictor.plan.whole))
        bare_forward(predictor, 2 * predictor.batch)
        bare, whole = [], []
        for _ in range(arguments.repeats):
            bare.append(bare_forward(predictor, tiles))
            whole.append(pipeline(predictor, folder))
    ratio = float(np.median(bare) / np.median(whole))
    record(
        "Mapping throughput",
        "Mapping a raster (reading, network, blending, writing, finishing the COG) against the bare forward pass of "
        f"the same runtime over as many of the same tiles, measured in turn. Aim: a ratio of at least {TARGET}.",
        {
            "Model": f"{model.spec.name}, {runtime.name}, {runtime.threads} threads, batch {predictor.batch}",
            "Raster": f"{arguments.size}×{arguments.size} pixels, {tiles} tiles of {model.spec.tile}×{model.spec.tile}",
            "Bare forward pass": " / ".join(f"{seconds:.2f}" for seconds in bare) + " s",
            "Pipeline": " / ".join(f"{seconds:.2f}" for seconds in whole) + " s",
            "Milliseconds a tile": f"{1000 * np.median(bare) / tiles:.1f} bare, "
            f"{1000 * np.median(whole) / tiles:.1f} in the pipeline (medians)",
            "Ratio of medians": f"{ratio:.3f} ({'met' if ratio >= TARGET else 'missed'})",
        },
        ("onnxruntime", "torch", "numpy", "rasterio"),
    )


if __name__ == "__main__":
    main()
