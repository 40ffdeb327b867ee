"""Training a detector from a description to a folder in ``models/detection`` with weights and tuning scores."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from core.errors import InputError, ModelError
from core.learning.loop import ProgressCallback, Trained, Training, tell_nobody
from core.learning.segmentation import inner_network, network_of
from core.learning.spec import ModelSpec
from core.learning.store import StoredModel, find_model, keep_weights, models_folder
from core.tasks.detection.data import Examples, divide, label_notes, validation_images
from core.tasks.detection.families.base import Detector, build_detector
from core.tasks.detection.families.component_tree import ComponentTree
from core.tasks.detection.families.components import MaskComponents
from core.tasks.detection.metrics import DetectionScores, scores
from core.tasks.detection.objective import BoxLesson, detect_all

if TYPE_CHECKING:
    from core.learning.config import TrainConfig

log = logging.getLogger(__name__)

PERCENTILES = (2.0, 98.0)
NMS_TRIED = (0.3, 0.4, 0.5, 0.6, 0.7)
CLASSES = ("landslide",)


def untrained_spec(config: TrainConfig, fitting: Examples) -> ModelSpec:
    """The description of the detector to be trained, with the values of what it learns from."""
    low, high = config.value_range
    values = fitting.images.transpose(1, 0, 2, 3).reshape(fitting.images.shape[1], -1)[:, fitting.valid.ravel()]
    if not values.size:
        raise InputError("The training images hold no data.", remedy="Check their nodata values.")
    lowest, highest = np.percentile(values, PERCENTILES, axis=1)
    scaled = (values.astype(np.float64) - low) / (high - low)
    return ModelSpec(
        name=config.name,
        task="detection",
        title=config.title,
        summary=config.summary,
        architecture=config.architecture,
        encoder=config.encoder,
        options={"nms_iou": 0.5, **config.options},
        bands=config.bands,
        value_range=(float(low), float(high)),
        mean=tuple(float(v) for v in np.round(scaled.mean(axis=1), 6)),
        deviation=tuple(float(max(v, 1e-6)) for v in np.round(scaled.std(axis=1), 6)),
        stretch_low=tuple(float(v) for v in np.round(lowest, 3)),
        stretch_high=tuple(float(v) for v in np.round(highest, 3)),
        ground_distance=config.ground_distance,
        sensor=config.sensor,
        tile=config.tile,
        threshold=0.5,
        licence=config.licence,
        limits=config.limits,
        classes=config.classes or CLASSES,
    )


def preparation(spec: ModelSpec) -> Callable[[Tensor], Tensor]:
    """From values in [0, 1] to the network's input: less the mean, over the deviation."""
    mean = torch.tensor(spec.mean).view(1, -1, 1, 1)
    deviation = torch.tensor(spec.deviation).view(1, -1, 1, 1)
    return lambda images: (images - mean.to(images.device)) / deviation.to(images.device)


def _start_from(detector: Detector, name: str) -> None:
    """Begin with what a mapping model, or a detector with the same pyramid, has learnt."""
    pyramid = getattr(detector, "pyramid", None)
    if pyramid is None:
        raise ModelError(f"A {detector.family} detector has no encoder that can be initialised from {name}.")
    try:
        source = find_model("detection", name)
    except ModelError:
        pyramid.start_from(inner_network(find_model("mapping", name).load_network(network_of)))
        return
    theirs, mine = source.load_weights(), detector.state_dict()
    same = {key: value for key, value in theirs.items() if key in mine and mine[key].shape == value.shape}
    if not same:
        raise ModelError(f"The detector {name} has no weights in common with this one.")
    detector.load_state_dict({**mine, **same})


def train(
    config: TrainConfig, data_folder: Path, work: Path, command: str = "", told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Train, choose epoch, confidence and NMS overlap on the tuning part, and write the model's folder.

    Parameters
    ----------
    config
        The description.
    data_folder
        Folder that the description's images and labels lie in.
    work
        Folder for checkpoints; a training found there is taken up again.
    command
        The command line, for the card.
    told
        Called before each epoch with the epochs done and all of all phases; what it raises stops the training.

    Returns
    -------
    The stored model. `core.tasks.detection.card.finish` scores it on validation and writes the card.

    Raises
    ------
    InputError
        When data are missing or hold no landslide.
    ModelError
        When no such detector can be built or started from.
    """
    if config.architecture in (MaskComponents.family, ComponentTree.family):
        from core.tasks.detection.train_components import train_components

        return train_components(config, data_folder, command, told)
    if not config.phases:
        raise InputError("The training description has no training phase.")
    torch.manual_seed(config.phases[0].schedule.seed)
    classes = config.classes or CLASSES
    fitting, tuning = divide(config.data, data_folder, len(config.bands), config.ground_distance, classes)
    left_out = len(validation_images(config.data, data_folder, classes))
    spec = untrained_spec(config, fitting)
    trained, weights, phases = None, None, []
    for number, phase in enumerate(config.phases, start=1):
        spec = replace(spec, upscale=phase.upscale)
        detector = build_detector(spec)
        if weights is not None:
            detector.load_state_dict(weights)
        elif config.start_from:
            _start_from(detector, config.start_from)
        log.info("phase %d: %s, input enlarged %g times", number, config.architecture, phase.upscale)
        trained = _phase(config, spec, detector, (fitting, tuning), number, work, told)
        weights = trained.weights
        phases.append({
            "epochs": trained.epochs, "best_epoch": trained.best_epoch, "upscale": phase.upscale,
            "tuning_ap50": round(trained.best["score"], 4), "minutes": round(trained.minutes, 1),
        })  # fmt: skip
    assert trained is not None  # noqa: S101  there is a phase
    return _store(config, spec, trained, (fitting, tuning), {
        "data_set": config.data.name, "data": config.data.title, "data_licence": config.data.licence,
        "citation": config.data.citation,
        "images_fit": len(fitting.images), "images_tune": len(tuning.images), "images_validation": left_out,
        "boxes_fit": sum(map(len, fitting.boxes)), "boxes_tune": sum(map(len, tuning.boxes)),
        "split_seed": config.data.split_seed, "seed": config.phases[0].schedule.seed,
        "start_from": config.start_from, "paces": dict(config.paces), "command": command, "phases": phases,
        "label_notes": list(label_notes(config.data, data_folder, classes)),
    })  # fmt: skip


def _phase(
    config: TrainConfig, spec: ModelSpec, detector: Detector, parts: tuple[Examples, Examples], number: int, work: Path,
    told: ProgressCallback,
) -> Trained:  # fmt: skip
    phase = config.phases[number - 1]
    lesson = BoxLesson(
        *parts, preparation(spec), spec.value_range, phase.augmentation, max(phase.schedule.batch, 16)
    )
    for name, parameter in detector.named_parameters():
        # A pace of zero is no pace: what stands still needs no gradient, which halves the work.
        parameter.requires_grad_(not any(name.startswith(part) and pace == 0 for part, pace in config.paces.items()))
    training = Training(
        detector, lesson, phase.schedule, work / f"{config.name}-{number}.pt", repr((config, number)), config.paces
    )
    before = sum(one.schedule.epochs for one in config.phases[: number - 1])
    every = sum(one.schedule.epochs for one in config.phases)
    return training.fit(partial(_tell, told, before, every))


def _tell(told: ProgressCallback, before: int, every: int, done: int, _total: int) -> None:
    told(before + done, every)


def _store(
    config: TrainConfig, spec: ModelSpec, trained: Trained, parts: tuple[Examples, Examples], training: dict[str, Any]
) -> StoredModel:
    """Keep the weights in half precision where that costs nothing, choose confidence and overlap, write the spec."""
    detector = build_detector(spec)
    halved = {key: v.half().float() if v.is_floating_point() else v for key, v in trained.weights.items()}
    told = {}
    for half, weights in ((False, trained.weights), (True, halved)):
        detector.load_state_dict(weights)
        told[half] = _best(detector, parts[1], spec)
    half = told[True][0].ap50 >= told[False][0].ap50 - 1e-3
    best, overlap = told[half]
    spec = replace(spec, options={**spec.options, "nms_iou": overlap})
    return keep(config.name, spec, trained.weights, parts, training, best, half=half)


def keep(
    name: str, spec: ModelSpec, weights: dict[str, Tensor], parts: tuple[Examples, Examples], training: dict[str, Any],
    best: DetectionScores, *, half: bool, whole: str = "",
) -> StoredModel:  # fmt: skip
    """Write a trained detector's folder: weights, digests of what it has seen, and the spec with its tuning scores.

    Parameters
    ----------
    half, whole
        Whether to keep weights in half precision, but for names that begin with `whole` where that is given.
    """
    folder = models_folder() / "detection" / name
    digest = keep_weights(folder, weights, (*parts[0].digests, *parts[1].digests), half=half, whole=whole)
    spec = replace(
        spec,
        # Never rounded up: a box of just this confidence must still count.
        threshold=math.floor(best.confidence * 1e4) / 1e4,
        weights_sha256=digest,
        training={**training, "weights_precision": "half" if half else "single"},
        scores={"tuning": rounded(best)},
    )
    (folder / "model.toml").write_text(spec.to_toml(), encoding="utf-8")
    return StoredModel(spec, folder)


def _best(detector: Detector, tuning: Examples, spec: ModelSpec) -> tuple[DetectionScores, float]:
    """Scores on the tuning part at the overlap of duplicates that gives the highest AP50."""
    tried = [
        (scores(detect_all(detector, tuning, preparation(spec), spec.value_range, 32, overlap), tuning.boxes), overlap)
        for overlap in NMS_TRIED
    ]
    return max(tried, key=lambda one: one[0].ap50)


def rounded(told: DetectionScores) -> dict[str, float]:
    """Scores as a description keeps them."""
    return {name: round(float(value), 4) for name, value in told.to_json().items()}
