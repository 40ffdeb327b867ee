"""How much of the time of detecting goes to the network, and how fast each family of detectors is.

Run ``python -m benchmarks.detection_throughput``. Of each model the pipeline and the bare detector do the same tiles
with the same runtime and batch, in turn, and all models take turns in one process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.rasters import make_raster
from benchmarks.results import record
from core.learning.preprocessing import preprocess
from core.learning.runtime import default_threads
from core.learning.store import StoredModel, list_models
from core.raster.scene import Scene
from core.tasks.detection.families.base import build_detector
from core.tasks.detection.options import Options
from core.tasks.detection.predict import Predictor, write_candidates
from core.tasks.detection.runtime import DetectorRuntime

TARGET = 0.85
COLOURS = ("red", "green", "blue")


@dataclass
class Timed:
    """A model ready for the raster, and the seconds that it took."""

    model: StoredModel
    predictor: Predictor
    bare: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    @property
    def tiles(self) -> int:
        """Tiles of the raster."""
        return len(self.predictor.windows())

    @property
    def ratio(self) -> float:
        """Median time of the bare detector over that of the pipeline."""
        return float(np.median(self.bare) / np.median(self.whole))

    def row(self) -> str:
        """What came out, in words."""
        spec, batch = self.model.spec, self.predictor.batch
        whole, bare = (self.tiles / float(np.median(seconds)) for seconds in (self.whole, self.bare))
        return (
            f"{spec.architecture}, tiles of {spec.tile}×{spec.tile}, batch {batch}: {whole:.1f} tiles a second, "
            f"{bare:.1f} bare; ratio {self.ratio:.3f} ({'met' if self.ratio >= TARGET else 'missed'}); "
            f"{spec.cost.get('parameters', 0) / 1e6:.1f} million parameters"
        )


def tiles_of(predictor: Predictor) -> np.ndarray:
    """The first batch of the raster as the network sees it, so that there is as much to find as in the pipeline."""
    shown = predictor.shown()
    found = [one.values for _, one in zip(range(predictor.batch), shown, strict=False) if one is not None]
    return np.stack(found)


def bare_seconds(timed: Timed, batch: np.ndarray) -> float:
    """Seconds of the detector alone over as many tiles, in the batches that the pipeline uses."""
    options = timed.predictor.options
    started = time.perf_counter()
    for start in range(0, timed.tiles, len(batch)):
        timed.predictor.runtime.detect(
            batch[: min(len(batch), timed.tiles - start)], options.min_confidence, options.max_detections
        )
    return time.perf_counter() - started


def whole_seconds(timed: Timed, folder: Path) -> float:
    """Seconds from a raster file to a finished file of candidates."""
    started = time.perf_counter()
    write_candidates(timed.predictor, folder / "candidates.parquet")
    return time.perf_counter() - started


def ready(models: Sequence[StoredModel], scene: Scene, overlap: float) -> list[Timed]:
    """Predictors of the models that see three colours."""
    made = []
    for model in models:
        if model.spec.bands != COLOURS:
            continue
        runtime = DetectorRuntime(model.load_network(build_detector), default_threads())  # type: ignore[arg-type]
        how = preprocess(scene, model.spec, resample="none")
        made.append(Timed(model, Predictor(scene, model.spec, how, runtime, Options(overlap=overlap))))
    return made


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], help="a detection model; all that are here by default")
    parser.add_argument("--size", type=int, default=1000, help="side of the raster in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    models = [one for one in list_models("detection") if not arguments.model or one.spec.name in arguments.model]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_raster(folder / "scene.tif", arguments.size)
        scene = Scene.open(folder / "scene.tif")
        measured = ready(models, scene, Options().overlap)
        batches = [tiles_of(one.predictor) for one in measured]
        for one, batch in zip(measured, batches, strict=True):
            one.predictor.runtime.detect(
                batch, Options().min_confidence, Options().max_detections
            )  # the first pass allocates
        for _ in range(arguments.repeats):
            for one, batch in zip(measured, batches, strict=True):
                one.bare.append(bare_seconds(one, batch))
                one.whole.append(whole_seconds(one, folder))
    runtime = measured[0].predictor.runtime
    record(
        "Detection throughput",
        f"Detecting in a raster of {arguments.size}×{arguments.size} pixels (reading, network, placing boxes, writing "
        "the file of candidates) against the bare detector over as many of the same tiles, measured in turn; medians "
        f"of {arguments.repeats}. {runtime.name}, {runtime.threads} threads. The bare detector suppresses duplicates "
        f"within a tile as well. Aim: a ratio of at least {TARGET}.",
        {one.model.spec.title: one.row() for one in measured},
        ("torch", "torchvision", "ultralytics", "numpy", "rasterio", "pyarrow"),
    )


if __name__ == "__main__":
    main()
