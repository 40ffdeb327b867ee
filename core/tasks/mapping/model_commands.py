"""What mapping does with its models, for `core.cli.model_commands`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.model_commands import Told, Trade

if TYPE_CHECKING:
    from core.learning.config import TrainConfig
    from core.learning.pairs import Pair
    from core.learning.runtime import Runtime
    from core.learning.store import StoredModel


def _choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threshold", type=float, help="by default the model's own")
    parser.add_argument("--turned", action="store_true", help="test-time augmentation: mean of eight turns")


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"threshold": arguments.threshold, "turned": arguments.turned}


def _evaluate(
    model: StoredModel, pairs: Sequence[Pair], arguments: argparse.Namespace, told: Told
) -> dict[str, Any]:
    from core.tasks.mapping.evaluate import evaluate
    from core.tasks.mapping.options import Options

    runtime = _runtime(model)
    result = evaluate(pairs, model.spec, runtime, Options(turned=arguments.turned), arguments.threshold, told)
    return {**result.to_json(), "runtime": {"name": runtime.name, "threads": runtime.threads}}


def _runtime(model: StoredModel) -> Runtime:
    from core.learning.runtime import open_runtime
    from core.learning.segmentation import network_of
    from core.runs.store import home_folder

    return open_runtime(model, network_of, home_folder() / "cache" / "onnx")


def _train(config: TrainConfig, data: Path, work: Path, command: str, told: Told) -> StoredModel:
    from core.tasks.mapping.train import train

    return train(config, data, work, command, told)


def _card(config: TrainConfig, model: StoredModel, arguments: argparse.Namespace, told: Told) -> StoredModel:
    from core.learning.pairs import validation_pairs
    from core.tasks.mapping.card import finish, measure

    runtime = _runtime(model)
    if getattr(arguments, "keep_scores", False):
        return measure(model, runtime)
    return finish(model, validation_pairs(config.data, arguments.data), runtime, told)


TRADE = Trade(
    task="mapping",
    scores=("f1", "iou", "miou", "precision", "recall", "oa", "kappa"),
    listed={"F1": "f1", "IoU": "iou", "precision": "precision", "recall": "recall"},
    choices=_choices,
    asked=_asked,
    evaluate=_evaluate,
    train=_train,
    card=_card,
)
