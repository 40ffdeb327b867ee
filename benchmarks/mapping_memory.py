"""Whether memory grows with the raster: the peak of mapping a small and a large one, each in a process of its own.

Run ``python -m benchmarks.mapping_memory``; with ``--tiny-model`` the network costs next to nothing and what is left
is the pipeline.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.results import record

TARGET = 200
TINY = "tiny"
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_new_process(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call a function of this module in a process of its own.

    A process counts as its peak also what its parent held when it was started, so the parent imports nothing large.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def peak() -> float:
    """Most memory that was resident in this process so far, in MB (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def make(folder: Path, side: int) -> None:
    """Write the raster of a size."""
    from benchmarks.rasters import make_raster

    make_raster(folder / f"{side}.tif", side)


def map_raster(folder: Path, side: int, model_name: str) -> tuple[float, float, float, str]:
    """Map the raster of a size; returns MB before, MB at the peak, seconds, and the runtime's name."""
    from benchmarks.rasters import tiny_model
    from core.learning.preprocessing import preprocess
    from core.learning.runtime import open_runtime
    from core.learning.segmentation import network_of
    from core.learning.store import find_model
    from core.raster.scene import Scene
    from core.tasks.mapping.options import Options
    from core.tasks.mapping.predict import Predictor, write_rasters

    model = tiny_model(folder / TINY) if model_name == TINY else find_model("mapping", model_name)
    runtime = open_runtime(model, network_of, folder / "cache")
    before, started = peak(), time.perf_counter()
    scene = Scene.open(folder / f"{side}.tif")
    predictor = Predictor(scene, model.spec, preprocess(scene, model.spec), runtime, Options())
    write_rasters(predictor, folder)
    return before, peak(), time.perf_counter() - started, runtime.name


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="unet-regnety", help="name of a mapping model")
    parser.add_argument("--tiny-model", action="store_true", help="a network that costs nothing, instead of --model")
    parser.add_argument("--sizes", type=int, nargs=2, default=(2000, 12000), help="sides of the two rasters, pixels")
    arguments = parser.parse_args()
    model = TINY if arguments.tiny_model else arguments.model
    figures, peaks = {}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The first use of a model exports it, which takes memory of its own.
        in_new_process(make, folder, 256)
        in_new_process(map_raster, folder, 256, model)
        for side in arguments.sizes:
            in_new_process(make, folder, side)
            before, highest, seconds, runtime = in_new_process(map_raster, folder, side, model)
            peaks.append(highest)
            figures[f"{side}×{side}"] = (
                f"{highest:.0f} MB at the peak ({before:.0f} MB before, with the model open), {seconds:.0f} s"
            )
    difference = peaks[1] - peaks[0]
    record(
        f"Mapping memory{', tiny model' if arguments.tiny_model else ''}",
        "Peak resident memory of mapping one raster from file to COG, in a fresh process each, with the exported "
        f"graph at hand. Aim: the two differ by less than {TARGET} MB.",
        {"Model": f"{model}, {runtime}", **figures,
         "Difference": f"{difference:.0f} MB ({'met' if abs(difference) < TARGET else 'missed'})"},
        ("onnxruntime", "torch", "numpy", "rasterio"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
