"""Scoring a model on a folder of image–mask pairs, all pixels pooled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.learning.metrics import NODATA_CODE, Confusion, encode, histogram, nothing_counted
from core.learning.pairs import Pair
from core.learning.preprocessing import preprocess
from core.learning.runtime import Runtime
from core.learning.spec import ModelSpec
from core.raster.align import reference_reader
from core.raster.scene import Scene
from core.tasks.mapping.baseline import THRESHOLD, code_threshold, colour_index, index_codes
from core.tasks.mapping.options import Options
from core.tasks.mapping.predict import Predictor


@dataclass(frozen=True)
class PairScore:
    """Counts of one pair, for finding the worst."""

    pair: Pair
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Pooled counts of a folder.

    Attributes
    ----------
    counts, baseline
        (3, 255) joint histograms of the model and of the colour index, the latter empty for a model of other bands.
    pairs
        Counts of each pair.
    threshold
        Probability at which `scores` are taken.
    seconds
        Time spent predicting, reading included.
    """

    counts: NDArray[np.int64]
    baseline: NDArray[np.int64]
    pairs: tuple[PairScore, ...]
    threshold: float
    seconds: float

    @property
    def confusion(self) -> Confusion:
        """Counts at the threshold."""
        return Confusion.at(self.counts, self.threshold)

    def to_json(self) -> dict[str, float | int | dict[str, float]]:
        """Scores by name, as written by ``python -m core mapping evaluate``."""
        return {
            **self.confusion.scores(),
            "threshold": self.threshold,
            "images": len(self.pairs),
            "images_per_second": round(len(self.pairs) / self.seconds, 3) if self.seconds else 0.0,
            "colour_index": Confusion.at(self.baseline, code_threshold(THRESHOLD)).scores(),
        }


def evaluate(
    pairs: Sequence[Pair],
    spec: ModelSpec,
    runtime: Runtime,
    options: Options | None = None,
    threshold: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Predict each image as a scene of its own and pool the counts.

    Parameters
    ----------
    pairs
        Images and masks; anything that `Scene.open` reads.
    threshold
        Probability from which a pixel counts as landslide; the model's own by default.

    Raises
    ------
    LandslideError
        For an image or mask that cannot be used; it is named. For a threshold that is not between 0 and 1.
    """
    at = spec.threshold if threshold is None else threshold
    if not 0 <= at <= 1:
        raise InputError(f"The threshold {at:g} is not between 0 and 1.")
    scores, seconds = [], 0.0
    total, baseline = nothing_counted(), nothing_counted()
    for number, pair in enumerate(pairs, start=1):
        scene = Scene.open(pair.image)
        truth = reference_reader(pair.mask, scene.grid, patch=True)
        started = time.perf_counter()
        predictor = Predictor(scene, spec, preprocess(scene, spec), runtime, options or Options())
        codes = predict_codes(predictor)
        seconds += time.perf_counter() - started
        with scene.reader() as reader:
            patch = reader.read(predictor.preprocessing.bands)
        height, width = scene.grid.shape
        real = truth.read(Window(0, 0, width, height))
        counts = histogram(codes, real)
        if spec.bands == ("red", "green", "blue"):
            colours = predictor.preprocessing.values(np.where(patch.valid, patch.values, 0), spec)
            index = index_codes(colour_index(colours))
            baseline += histogram(np.where(patch.valid, index, NODATA_CODE).astype(np.uint8), real)
        total += counts
        scores.append(PairScore(pair, counts))
        progress(number, len(pairs))
    return Evaluation(total, baseline, tuple(scores), at, seconds)


def predict_codes(predictor: Predictor) -> NDArray[np.uint8]:
    """Probability codes (height, width) of a scene small enough for memory, 255 where it has no data."""
    height, width = predictor.scene.grid.shape
    codes = np.full((height, width), NODATA_CODE, dtype=np.uint8)
    for strip, values in predictor.strips(predictor.plan.whole):
        codes[strip.row : strip.end_row, strip.column : strip.end_column] = encode(values[0])
    with predictor.scene.reader() as reader:
        valid = reader.read(predictor.preprocessing.bands).valid
    return np.where(valid, codes, NODATA_CODE).astype(np.uint8)
