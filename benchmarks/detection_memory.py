"""Whether memory grows with the raster: the peak of detecting in a small and a large one, each in its own process.

Run ``python -m benchmarks.detection_memory``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.mapping_memory import in_new_process, make, peak
from benchmarks.results import record

TARGET = 200


def detect(folder: Path, side: int, model_name: str) -> tuple[float, float, float, int]:
    """Detect in the raster of a size; returns MB before, MB at the peak, seconds, and how many candidates."""
    from core.learning.preprocessing import preprocess
    from core.learning.store import find_model
    from core.raster.scene import Scene
    from core.tasks.detection.options import Options
    from core.tasks.detection.predict import Predictor, write_candidates
    from core.tasks.detection.runtime import open_detector

    model = find_model("detection", model_name)
    runtime = open_detector(model)
    before, started = peak(), time.perf_counter()
    scene = Scene.open(folder / f"{side}.tif")
    predictor = Predictor(scene, model.spec, preprocess(scene, model.spec), runtime, Options())
    count = write_candidates(predictor, folder / "candidates.parquet")
    return before, peak(), time.perf_counter() - started, count


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name of a detection model")
    parser.add_argument("--sizes", type=int, nargs=2, default=(1000, 5000), help="sides of the two rasters, pixels")
    arguments = parser.parse_args()
    figures, peaks = {"Model": arguments.model}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in arguments.sizes:
            in_new_process(make, folder, side)
            before, highest, seconds, count = in_new_process(detect, folder, side, arguments.model)
            peaks.append(highest)
            figures[f"{side}×{side}"] = (
                f"{highest:.0f} MB at the peak ({before:.0f} MB before, with the model open), {seconds:.0f} s, "
                f"{count:,} candidates"
            )
    difference = peaks[1] - peaks[0]
    figures["Difference"] = f"{difference:.0f} MB ({'met' if abs(difference) < TARGET else 'missed'})"
    record(
        "Detection memory",
        "Peak resident memory of detecting in one raster, from file to candidates on disk, in a fresh process each. "
        f"Aim: the two differ by less than {TARGET} MB.",
        figures,
        ("torch", "torchvision", "numpy", "rasterio", "pyarrow"),
    )


if __name__ == "__main__":
    main()
