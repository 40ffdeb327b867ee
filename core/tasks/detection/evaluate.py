"""Scoring a detector on a folder of images with known landslides, every image counted alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from core.errors import InputError
from core.learning.preprocessing import preprocess
from core.learning.spec import ModelSpec
from core.raster.prefetch import prefetch
from core.raster.scene import Scene
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.data import Labelled
from core.tasks.detection.labels import minimum_pixels, reference_boxes
from core.tasks.detection.merge import merge
from core.tasks.detection.metrics import Curve, DetectionScores, curve, match, scores
from core.tasks.detection.options import Options
from core.tasks.detection.predict import Predictor, Shown
from core.tasks.detection.runtime import DetectorRuntime
from core.tasks.detection.view import Merging


@dataclass(frozen=True)
class Evaluation:
    """What a detector found in the images of a folder, and what there was to be found.

    Attributes
    ----------
    items
        The images.
    found, truth
        Boxes of each image, in its pixels; found ones merged, of any confidence.
    confidence
        Score from which a box counts for F1, precision and recall.
    seconds
        Time spent detecting, reading included.
    """

    items: tuple[Labelled, ...]
    found: tuple[Boxes, ...]
    truth: tuple[Boxes, ...]
    confidence: float
    seconds: float

    @cached_property
    def scores(self) -> DetectionScores:
        """Scores at the confidence, at most 100 boxes of an image counted, as COCO does."""
        return scores(self.found, self.truth, self.confidence)

    @cached_property
    def curve(self) -> Curve:
        """Precision, recall and F1 at every confidence."""
        return curve(match(self.found, self.truth))

    def to_json(self) -> dict[str, float | int]:
        """Scores by name, as written by ``python -m core detection evaluate``."""
        best = self.curve.at(self.curve.best_confidence)
        return {
            **self.scores.to_json(),
            "best_f1": best.f1,
            "best_f1_confidence": best.confidence,
            "images": len(self.items),
            "images_per_second": round(len(self.items) / self.seconds, 3) if self.seconds else 0.0,
        }


def evaluate(
    items: Sequence[Labelled],
    spec: ModelSpec,
    runtime: DetectorRuntime,
    options: Options | None = None,
    confidence: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    nms_iou: float | None = None,
    merging: Merging = "nms",
) -> Evaluation:
    """Search each image as a scene of its own and gather what was found.

    Images of one window go to the detector together, whatever scene they are; larger ones window by window.

    Parameters
    ----------
    items
        Images with their masks or boxes; anything that `Scene.open` reads.
    confidence, nms_iou
        The model's own by default.

    Raises
    ------
    LandslideError
        For an image or mask that cannot be used; it is named. For a confidence that is not between 0 and 1.
    """
    at = spec.threshold if confidence is None else confidence
    iou = float(spec.options.get("nms_iou", 0.5)) if nms_iou is None else nms_iou
    if not (0 <= at <= 1 and 0 <= iou <= 1):
        raise InputError(f"The confidence {at:g} or the overlap {iou:g} is not between 0 and 1.")
    if not items:
        raise InputError("There is no image to score.")
    chosen = options or Options()
    candidates: list[list[Boxes]] = [[] for _ in items]
    join_distance, started = np.zeros(len(items)), time.perf_counter()
    for done, group in prefetch(partial(_groups, items, spec, runtime, chosen)):
        found = runtime.detect(
            np.stack([shown.values for _, _, shown in group]), chosen.min_confidence, chosen.max_detections
        )
        for (number, predictor, shown), one in zip(group, found, strict=True):
            candidates[number].append(predictor.placed(shown, one).boxes)
            join_distance[number] = predictor.join_distance
        progress(done, len(items))
    merged = tuple(
        merge(Boxes.joined(parts), iou, merging, float(near)).boxes
        for parts, near in zip(candidates, join_distance, strict=True)
    )
    seconds = time.perf_counter() - started
    return Evaluation(tuple(items), merged, tuple(known_boxes(item, spec) for item in items), at, seconds)


def known_boxes(item: Labelled, spec: ModelSpec) -> Boxes:
    """True boxes of an image: those given, else those around its mask's landslides."""
    if item.mask is None:
        return item.boxes or Boxes.none()
    grid = Scene.open(item.image).grid
    # Images without coordinates are taken to be of the model's own ground distance, as they are shown to it.
    smallest = minimum_pixels(grid.ground_distance() or spec.ground_distance)
    return reference_boxes(item.mask, grid, smallest, patch=True)


Group = list[tuple[int, Predictor, Shown]]


def _groups(
    items: Sequence[Labelled], spec: ModelSpec, runtime: DetectorRuntime, options: Options
) -> Iterator[tuple[int, Group]]:
    """Windows of all images in batches of one size, each with how many images have been read."""
    waiting: Group = []
    for number, item in enumerate(items):
        scene = Scene.open(item.image)
        predictor = Predictor(scene, spec, preprocess(scene, spec), runtime, options)
        for shown in predictor.shown():
            if shown is None:
                continue
            full = len(waiting) >= predictor.batch
            if waiting and (full or waiting[0][2].values.shape != shown.values.shape):
                yield number, waiting
                waiting = []
            waiting.append((number, predictor, shown))
    if waiting:
        yield len(items), waiting
