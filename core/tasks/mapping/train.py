"""Training a mapping model from a description to a folder in ``models/mapping`` with weights, scores and card."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import InputError
from core.learning.loop import ProgressCallback, Trained, Training, tell_nobody
from core.learning.losses import weighted_sum
from core.learning.metrics import Confusion, histogram, threshold_curve
from core.learning.pairs import PairArrays, find_pairs, read_pairs, validation_pairs
from core.learning.pixels import PixelLesson, predict_codes
from core.learning.pretrained import is_package, package_of, start_encoder
from core.learning.segmentation import build_network, inner_network, network_of, normalise
from core.learning.spec import ModelSpec
from core.learning.splits import fit_and_tune
from core.learning.store import StoredModel, find_model, keep_weights, models_folder

if TYPE_CHECKING:
    from core.learning.config import Data, TrainConfig

log = logging.getLogger(__name__)

PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class Parts:
    """Pairs to fit and to choose, and how many are left to validate."""

    fitting: PairArrays
    tuning: PairArrays
    validation_count: int


def divide(data: Data, folder: Path) -> Parts:
    """Read the training pairs and divide them; validation pairs are only listed, not read.

    Raises
    ------
    InputError
        When folders are missing or parts would be empty.
    """
    validation = validation_pairs(data, folder)
    kept_out = frozenset() if data.validation_images else {pair.number for pair in validation}
    everything = find_pairs(folder / data.images, folder / data.masks)
    pairs = tuple(pair for pair in everything if pair.number not in kept_out)
    fitting, tuning = fit_and_tune(len(pairs), data.tune_share, data.split_seed)
    arrays = read_pairs(pairs)
    return Parts(_cut(arrays.take(fitting), data), _cut(arrays.take(tuning), data), len(validation))


def _cut(arrays: PairArrays, data: Data) -> PairArrays:
    """Reduce and cut into tiles; digests stay those of the whole images."""
    if data.reduce == 1 and not data.tile:
        return arrays
    images, truth = _reduce(arrays.images, data.reduce), _reduce(arrays.truth * 255, data.reduce) > 127
    if not data.tile:
        return PairArrays(images, truth.astype(np.uint8), arrays.digests)
    height, width = images.shape[-2:]
    corners = [
        (row, column)
        for row in range(0, height - data.tile + 1, data.stride)
        for column in range(0, width - data.tile + 1, data.stride)
    ]

    if not corners:
        raise InputError(
            f"Images of {width} × {height} pixels are smaller than a tile of {data.tile}.",
            remedy="Choose a smaller tile size."
        )

    def tiles(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        parts = [values[..., row : row + data.tile, column : column + data.tile] for row, column in corners]
        return np.concatenate(parts)

    return PairArrays(tiles(images), tiles(truth.astype(np.uint8)), arrays.digests)


def _reduce(values: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    count, bands, height, width = values.shape
    rows, columns = height // factor, width // factor
    blocks = values[:, :, : rows * factor, : columns * factor].reshape(count, bands, rows, factor, columns, factor)
    reduced: NDArray[np.uint8] = np.rint(blocks.mean(axis=(3, 5))).astype(np.uint8)
    return reduced


def _untrained_spec(config: TrainConfig, fitting: PairArrays) -> ModelSpec:
    values = fitting.images.transpose(1, 0, 2, 3).reshape(fitting.images.shape[1], -1)
    low, high = np.percentile(values, PERCENTILES, axis=1)
    return ModelSpec(
        name=config.name,
        task="mapping",
        title=config.title,
        summary=config.summary,
        architecture=config.architecture,
        encoder=config.encoder,
        options=config.options,
        bands=("red", "green", "blue"),
        value_range=(0.0, 255.0),
        mean=tuple(float(v) for v in np.round(values.mean(axis=1) / 255, 6)),
        deviation=tuple(float(v) for v in np.round(values.std(axis=1) / 255, 6)),
        stretch_low=tuple(float(v) for v in np.round(low, 1)),
        stretch_high=tuple(float(v) for v in np.round(high, 1)),
        ground_distance=config.ground_distance,
        sensor=config.sensor,
        tile=config.tile,
        threshold=0.5,
        licence=config.licence,
        limits=config.limits,
    )


def _start_from(network: nn.Module, name: str) -> None:
    """Copy the encoder of a package or of a stored mapping model of the same encoder into an untrained network."""
    if is_package(name):
        start_encoder(inner_network(network).get_submodule("encoder"), package_of(name))
        return
    source = inner_network(find_model("mapping", name).load_network(network_of))
    encoder = inner_network(network).get_submodule("encoder")
    encoder.load_state_dict(source.get_submodule("encoder").state_dict())


def train(
    config: TrainConfig, data_folder: Path, work: Path, command: str = "", told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Train, choose on the tuning part, and write the model's folder without validation scores.

    Parameters
    ----------
    config
        The description.
    data_folder
        Folder that the description's image folders lie in.
    work
        Folder for checkpoints; a training found there is taken up again.
    command
        The command line, for the card.
    told
        Called before each epoch with the epochs done and all of all phases; what it raises stops the training.

    Returns
    -------
    The stored model. `core.tasks.mapping.card.finish` scores it on validation and writes the card.
    """
    torch.manual_seed(config.phases[0].schedule.seed)
    parts = divide(config.data, data_folder)
    spec = _untrained_spec(config, parts.fitting)
    trained, phases, weights = None, [], None
    for number, phase in enumerate(config.phases, start=1):
        network = build_network(config.architecture, config.encoder, len(spec.bands), config.options, phase.upscale)
        if weights is not None:
            inner_network(network).load_state_dict(weights)
        elif config.start_from:
            _start_from(network, config.start_from)
        log.info("phase %d: %s/%s, input enlarged %g times", number, config.architecture, config.encoder, phase.upscale)
        lesson = PixelLesson(
            parts.fitting, parts.tuning, _preparation(spec), weighted_sum(config.loss), phase.augmentation,
            phase.schedule.batch,
        )  # fmt: skip
        wrapped = "network." if phase.upscale != 1 else ""
        training = Training(
            network, lesson, phase.schedule, work / f"{config.name}-{number}.pt", repr((config, number)),
            {wrapped + part: share for part, share in config.paces.items()},
        )  # fmt: skip
        trained = training.fit(partial(_tell, told, config, number))
        weights = {key.removeprefix("network."): value for key, value in trained.weights.items()}
        phases.append(
            {
                "epochs": trained.epochs,
                "best_epoch": trained.best_epoch,
                "tuning_f1": round(trained.best["score"], 4),
                "upscale": phase.upscale,
                "minutes": round(trained.minutes, 1),
            }
        )
    assert trained is not None  # noqa: S101  a description has at least one phase
    # What was reduced before training is reduced inside the network afterwards: users give images as they are.
    spec = replace(spec, upscale=config.phases[-1].upscale / config.data.reduce)
    return _store(config, spec, trained, parts, phases, command)


def _tell(told: ProgressCallback, config: TrainConfig, phase: int, done: int, total: int) -> None:
    """Tell of an epoch of one phase as one of all phases."""
    before, after = config.phases[: phase - 1], config.phases[phase:]
    told(
        sum(one.schedule.epochs for one in before) + done,
        sum(one.schedule.epochs for one in (*before, *after)) + total,
    )


def _preparation(spec: ModelSpec) -> Callable[[Tensor], Tensor]:
    low, high = spec.value_range
    return lambda images: normalise(images * (high - low) + low, spec)


def _store(
    config: TrainConfig,
    spec: ModelSpec,
    trained: Trained,
    parts: Parts,
    phases: list[dict[str, float]],
    command: str,
) -> StoredModel:
    """Keep the weights in half precision when that costs the tuning score nothing, and write spec and digests."""
    upscale = config.phases[-1].upscale
    network = build_network(config.architecture, config.encoder, len(spec.bands), config.options, upscale)
    network.load_state_dict(trained.weights)
    full = _tuning_counts(network, spec, parts.tuning)
    halved = {key: v.half().float() if v.is_floating_point() else v for key, v in trained.weights.items()}
    network.load_state_dict(halved)
    half = _tuning_counts(network, spec, parts.tuning)
    curve_full, curve_half = threshold_curve(full), threshold_curve(half)
    keep_half = float(np.nanmax(curve_half.f1)) >= float(np.nanmax(curve_full.f1)) - 5e-4
    curve, counts = (curve_half, half) if keep_half else (curve_full, full)
    folder = models_folder() / "mapping" / config.name
    digest = keep_weights(
        folder, _named_for(spec, trained.weights), (*parts.fitting.digests, *parts.tuning.digests), half=keep_half
    )
    tuning = Confusion.at(counts, curve.best_threshold)
    spec = replace(
        spec,
        # Never rounded up: the threshold is one of the codes, which must still count as landslide.
        threshold=math.floor(curve.best_threshold * 1e4) / 1e4,
        weights_sha256=digest,
        training={
            "data_set": config.data.name, "data": config.data.title, "data_licence": config.data.licence,
            "citation": config.data.citation,
            "images_fit": len(parts.fitting.digests), "images_tune": len(parts.tuning.digests),
            "images_validation": parts.validation_count, "split_seed": config.data.split_seed,
            "seed": config.phases[0].schedule.seed, "start_from": config.start_from, "command": command,
            "loss": {name: dict(options) for name, options in config.loss.items()}, "phases": phases,
            "weights_precision": "half" if keep_half else "single",
        },
        scores={"tuning": _rounded(tuning)},
    )  # fmt: skip
    (folder / "model.toml").write_text(spec.to_toml(), encoding="utf-8")
    return StoredModel(spec, folder)


def _named_for(spec: ModelSpec, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the names that the spec's network has, which wraps another when it enlarges or reduces."""
    prefix = "" if spec.upscale == 1 else "network."
    return {prefix + key.removeprefix("network."): value for key, value in weights.items()}


def _tuning_counts(network: nn.Module, spec: ModelSpec, tuning: PairArrays) -> NDArray[np.int64]:
    return histogram(predict_codes(network, tuning.images, _preparation(spec)), tuning.truth[:, 0])


def _rounded(confusion: Confusion) -> dict[str, float]:
    return {name: round(value, 4) for name, value in confusion.scores().items()}
