"""What detection does with its models, for `core.cli.model_commands`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.model_commands import Told, Trade

if TYPE_CHECKING:
    from core.learning.config import TrainConfig
    from core.learning.pairs import Pair
    from core.learning.store import StoredModel


def _choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--confidence", type=float, help="by default the model's own")
    parser.add_argument("--nms-iou", type=float, help="overlap from which two boxes are one; the model's own")
    parser.add_argument("--merging", choices=("nms", "fusion"), default="nms", help="how they become one")


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"confidence": arguments.confidence, "nms_iou": arguments.nms_iou, "merging": arguments.merging}


def _evaluate(
    model: StoredModel, pairs: Sequence[Pair], arguments: argparse.Namespace, told: Told
) -> dict[str, Any]:
    from core.tasks.detection.data import Labelled
    from core.tasks.detection.evaluate import evaluate
    from core.tasks.detection.runtime import open_detector

    runtime = open_detector(model)
    items = tuple(Labelled(pair.image.name, pair.image, pair.mask) for pair in pairs)
    result = evaluate(
        items, model.spec, runtime, None, arguments.confidence, told, nms_iou=arguments.nms_iou,
        merging=arguments.merging,
    )  # fmt: skip
    return {**result.to_json(), "runtime": {"name": runtime.name, "threads": runtime.threads}}


def _train(config: TrainConfig, data: Path, work: Path, command: str, told: Told) -> StoredModel:
    from core.tasks.detection.train import train

    return train(config, data, work, command, told)


def _card(config: TrainConfig, model: StoredModel, arguments: argparse.Namespace, told: Told) -> StoredModel:
    from core.tasks.detection.card import finish, measure
    from core.tasks.detection.data import validation_images
    from core.tasks.detection.runtime import open_detector

    runtime = open_detector(model)
    if getattr(arguments, "keep_scores", False):
        return measure(model, runtime)
    items = validation_images(config.data, arguments.data, model.spec.classes)
    return finish(model, items, runtime, told)


TRADE = Trade(
    task="detection",
    scores=("ap50", "ap50_95", "f1", "precision", "recall", "confidence"),
    listed={"AP50": "ap50", "AP50:95": "ap50_95", "F1": "f1", "precision": "precision", "recall": "recall"},
    choices=_choices,
    asked=_asked,
    evaluate=_evaluate,
    train=_train,
    card=_card,
)
