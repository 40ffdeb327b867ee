"""Making detectors of a mapping model: its components as boxes, and its component tree with a second stage."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.learning.loop import ProgressCallback, half_precision, tell_nobody
from core.learning.store import StoredModel, find_model
from core.tasks.detection.boxes import Boxes, overlaps
from core.tasks.detection.data import Examples, divide, label_notes, validation_images
from core.tasks.detection.families.base import build_detector
from core.tasks.detection.families.component_tree import FEATURES, ComponentTree, Forest
from core.tasks.detection.families.components import MaskComponents
from core.tasks.detection.labels import minimum_pixels
from core.tasks.detection.metrics import DetectionScores, scores
from core.tasks.detection.objective import FLOOR, boxes_of
from core.tasks.detection.train import CLASSES, NMS_TRIED, keep, preparation, untrained_spec

if TYPE_CHECKING:
    from core.learning.config import TrainConfig
    from core.learning.spec import ModelSpec

log = logging.getLogger(__name__)

THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
POWERS = (0.0, 0.05, 0.1, 0.2)
SEED = 0
TREES, DEPTH = 400, 5
"""Size of the second stage; its nodes are at most 2 to the power of depth plus one."""

BOOSTING = {
    "objective": "reg:squarederror", "max_depth": DEPTH, "eta": 0.04, "subsample": 0.5, "colsample_bytree": 0.6,
    "min_child_weight": 20, "tree_method": "hist", "seed": SEED,
}  # fmt: skip
BATCH = 16


def train_components(
    config: TrainConfig, data_folder: Path, command: str = "", told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Make a detector of the mapping model that a description starts from; all that is chosen is so on the tuning part.

    The mapping model must have been trained with the same division, so that what chooses here did not fit there.

    Raises
    ------
    ModelError
        When there is no such mapping model.
    InputError
        When the tuning part holds no landslide.
    """
    source, classes = find_model("mapping", config.start_from), config.classes or CLASSES
    parts = divide(config.data, data_folder, len(config.bands), config.ground_distance, classes)
    spec = _spec_of(config, source.spec, parts[0])
    weights = {f"network.{name}": value for name, value in source.load_weights().items()}
    training = {
        "data_set": config.data.name, "data": config.data.title, "data_licence": config.data.licence,
        "citation": config.data.citation,
        "images_fit": len(parts[0].images), "images_tune": len(parts[1].images),
        "boxes_fit": sum(map(len, parts[0].boxes)), "boxes_tune": sum(map(len, parts[1].boxes)),
        "images_validation": len(validation_images(config.data, data_folder, classes)),
        "split_seed": config.data.split_seed, "seed": SEED, "start_from": config.start_from,
        "command": command, "phases": [], "label_notes": list(label_notes(config.data, data_folder, classes)),
    }  # fmt: skip
    if config.architecture == MaskComponents.family:
        spec, best = _chosen_components(spec, weights, parts[1])
        return keep(config.name, spec, weights, parts, training, best, half=True)
    spec, weights, best = _fitted_tree(spec, weights, parts, told)
    return keep(config.name, spec, weights, parts, training, best, half=True, whole="second_")


def _spec_of(config: TrainConfig, like: ModelSpec, fitting: Examples) -> ModelSpec:
    """The untrained description: input as the mapping model takes it."""
    network = {"network": like.architecture, "network_options": dict(like.options)}
    one = config.architecture == MaskComponents.family
    chosen: dict[str, Any] = {"threshold": 0.5} if one else {"trees": 1, "nodes": 1}
    return replace(
        untrained_spec(config, fitting), encoder=like.encoder, mean=like.mean, deviation=like.deviation,
        upscale=like.upscale, tile=like.tile if one else config.tile, stretch_low=like.stretch_low,
        stretch_high=like.stretch_high,
        options={**network, **chosen, "nms_iou": 0.7},
    )  # fmt: skip


def _inputs(examples: Examples, spec: ModelSpec) -> Iterator[Tensor]:
    """Normalised images in batches."""
    low, high = spec.value_range
    prepare = preparation(spec)
    for start in range(0, len(examples.images), BATCH):
        values = (torch.from_numpy(examples.images[start : start + BATCH]).float() - low) / (high - low)
        valid = torch.from_numpy(examples.valid[start : start + BATCH])
        yield prepare(values) * valid[:, None]


def _chosen_components(
    spec: ModelSpec, weights: dict[str, Tensor], tuning: Examples
) -> tuple[ModelSpec, DetectionScores]:
    """Threshold and weight of the size that give the highest AP50 on the tuning part."""
    detector = build_detector(spec)
    assert isinstance(detector, MaskComponents)  # noqa: S101  by its architecture
    detector.load_state_dict(weights)
    detector.eval()
    with torch.inference_mode():
        probability = np.concatenate(
            [torch.sigmoid(detector.network(inputs))[:, 0].numpy() for inputs in _inputs(tuning, spec)]
        )
    tried = (_components_scores(detector, probability, tuning, *how) for how in product(THRESHOLDS, POWERS))
    best, how = max(tried, key=lambda one: one[0].ap50)
    return replace(spec, options={**spec.options, **how}), best


def _components_scores(
    detector: MaskComponents, probability: NDArray[np.float32], tuning: Examples, threshold: float, power: float
) -> tuple[DetectionScores, dict[str, Any]]:
    how = {"threshold": threshold, "smallest": minimum_pixels(None), "power": power}
    detector.threshold, detector.smallest, detector.power = threshold, minimum_pixels(None), power
    found = [boxes_of(detector.components(one, FLOOR, 100)) for one in probability]
    return scores(found, tuning.boxes), how


def _fitted_tree(
    spec: ModelSpec, weights: dict[str, Tensor], parts: tuple[Examples, Examples], told: ProgressCallback
) -> tuple[ModelSpec, dict[str, Tensor], DetectionScores]:
    """Fit the second stage on the fitting part, and choose the overlap of duplicates on the tuning part.

    The network has seen the fitting part, and is surer there than elsewhere; it fits it loosely enough (see its card)
    that what the second stage learns there holds on the tuning part.
    """
    import xgboost

    detector = build_detector(spec)
    assert isinstance(detector, ComponentTree)  # noqa: S101  by its architecture
    detector.load_state_dict({**detector.state_dict(), **weights})
    detector.eval()
    total = len(parts[0].images) + len(parts[1].images)
    features, fit = [], []
    told(0, total)
    for number, (_, corners, described) in enumerate(_proposed(detector, parts[0], spec)):
        features.append(described)
        fit.append(_overlap(corners, parts[0].boxes[number]))
        told(number + 1, total)
    told_of = xgboost.DMatrix(np.concatenate(features), label=np.concatenate(fit), feature_names=list(FEATURES))
    booster = xgboost.train(BOOSTING, told_of, TREES)
    log.info("the second stage was trained on %d proposals", told_of.num_row())
    forest = Forest.of(booster)
    detector.learn(forest)
    proposed = []
    for number, (_, corners, described) in enumerate(_proposed(detector, parts[1], spec)):
        proposed.append(Boxes.of(corners, np.clip(forest(described), 0, 1)))
        told(len(parts[0].images) + number + 1, total)
    tried = [(scores([_without_duplicates(one, iou) for one in proposed], parts[1].boxes), iou) for iou in NMS_TRIED]
    best, overlap = max(tried, key=lambda one: one[0].ap50)
    trees, nodes = forest.arrays["feature"].shape
    spec = replace(spec, options={**spec.options, "trees": int(trees), "nodes": int(nodes), "nms_iou": overlap})
    return spec, dict(detector.state_dict()), best


def _proposed(
    detector: ComponentTree, examples: Examples, spec: ModelSpec
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    for inputs in _inputs(examples, spec):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half_precision(inputs.device)):
            for probability, corners, described, _ in detector.propose(inputs):
                yield probability, corners, described


def _overlap(corners: NDArray[np.float32], truth: Boxes) -> NDArray[np.float32]:
    """The most that each of some boxes overlaps a true one."""
    if not len(truth) or not len(corners):
        return np.zeros(len(corners), dtype=np.float32)
    most: NDArray[np.float32] = overlaps(corners, truth.corners).max(axis=1)
    return most


def _without_duplicates(boxes: Boxes, iou: float) -> Boxes:
    from torchvision.ops import nms

    sure = boxes.take(boxes.scores >= FLOOR)
    kept = nms(torch.from_numpy(sure.corners), torch.from_numpy(sure.scores), iou).numpy()
    return sure.take(kept[:100])
