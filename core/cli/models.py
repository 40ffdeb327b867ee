"""``python -m core mapping evaluate|train|card|models``: making mapping models, and how good they are."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.keeping import add_options, compute, progress, store_for
from core.errors import RunCancelled

if TYPE_CHECKING:
    from core.learning.pairs import Pair
    from core.learning.runtime import Runtime
    from core.learning.store import StoredModel
    from core.mapping.config import TrainConfig
    from core.runs.outcome import Outcome
    from core.runs.records import Order, Run
    from core.runs.store import Store
    from core.runs.work import Context

SPEC = "model.toml"
SCORES = ("f1", "iou", "miou", "precision", "recall", "oa", "kappa")

TRAINING_LIMIT = 30 * 24 * 3600.0
"""Seconds that a training may take: the limit for runs that hold up others is not for one that nobody waits behind."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Commands about models."""
    evaluate = commands.add_parser("evaluate", help="score a folder of image and mask pairs")
    evaluate.add_argument("--model", required=True)
    evaluate.add_argument("--images", type=Path, required=True)
    evaluate.add_argument("--masks", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, help="JSON file to write the scores to")
    evaluate.add_argument("--threshold", type=float, help="by default the model's own")
    evaluate.add_argument("--turned", action="store_true", help="test-time augmentation: mean of eight turns")
    evaluate.set_defaults(do=_evaluate)
    train = commands.add_parser("train", help="train a model from a description")
    train.add_argument("config", type=Path, help="TOML file such as those in models/configs")
    train.add_argument("--data", type=Path, required=True, help="folder that holds the training images")
    train.add_argument("--work", type=Path, help="folder for checkpoints (default: under SLIDELENS_HOME)")
    train.add_argument("--no-card", action="store_true", help="do not score on validation yet")
    train.set_defaults(do=_train)
    card = commands.add_parser("card", help="score a trained model on validation and write its card")
    card.add_argument("config", type=Path, help="the description it was trained from")
    card.add_argument("--data", type=Path, required=True)
    card.add_argument("--keep-scores", action="store_true", help="measure cost and false alarms again, nothing else")
    card.set_defaults(do=_card)
    for parser in (evaluate, train, card):
        add_options(parser)
    commands.add_parser("models", help="list the models that are here").set_defaults(do=_models)


def _evaluate(arguments: argparse.Namespace) -> None:
    from core.learning.pairs import find_pairs
    from core.learning.store import find_model
    from core.raster.folder import make_folder, write_json
    from core.runs.records import Order

    model = find_model("mapping", arguments.model)
    pairs = find_pairs(arguments.images, arguments.masks)
    if arguments.out is not None:
        make_folder(arguments.out.parent)
    asked = {
        "images": str(arguments.images), "masks": str(arguments.masks), "threshold": arguments.threshold,
        "turned": arguments.turned,
    }  # fmt: skip
    order = Order(
        "mapping", "evaluation", asked, model=model.spec.name,
        name=arguments.name or f"{model.spec.name} on {len(pairs)} images of {arguments.images.name}",
    )  # fmt: skip
    content: dict[str, Any] = {}

    def work(store: Store, run: Run, folder: Path, context: Context) -> Outcome:
        content.update(_scored(model, pairs, arguments, context))
        write_json(content, folder / "scores.json")
        return _outcome(run, folder, {"scores": "scores.json"}, model, content)

    with store_for(arguments) as store:
        identity = compute(store, order, work, arguments)
        text = store.artifact(identity, "scores").path.read_text(encoding="utf-8")
    if arguments.out is not None:
        write_json(content, arguments.out)
    print(text, end="")


def _scored(
    model: StoredModel, pairs: Sequence[Pair], arguments: argparse.Namespace, context: Context
) -> dict[str, Any]:
    """Score a model on pairs, and say on which."""
    from core.learning.store import sha256
    from core.mapping.evaluate import evaluate
    from core.mapping.options import Options
    from core.raster.scene import Scene

    shown = progress("images")
    runtime = _runtime(model)

    def told(done: int, total: int) -> None:
        _stop_if_asked(context, "The evaluation was stopped.")
        context.report(done, total, f"Scoring image {done:,} of {total:,}")
        shown(done, total)

    context.report(0, 0, "Loading the model")
    result = evaluate(pairs, model.spec, runtime, Options(turned=arguments.turned), arguments.threshold, told)
    images = [Scene.open(pair.image).digest for pair in pairs]
    return {
        **result.to_json(),
        "model": model.spec.name,
        "images_seen_in_training": sum(model.has_seen(digest) for digest in images),
        "images_digest": _joined(images),
        "masks_digest": _joined(sha256(pair.mask) for pair in pairs),
        "runtime": {"name": runtime.name, "threads": runtime.threads},
    }


def _joined(digests: Iterable[str]) -> str:
    """One digest of many, in their order."""
    return hashlib.sha256(" ".join(digests).encode("ascii")).hexdigest()


def _runtime(model: StoredModel) -> Runtime:
    from core.learning.runtime import open_runtime
    from core.learning.segmentation import network_of
    from core.runs.store import home_folder

    return open_runtime(model, network_of, home_folder() / "cache" / "onnx")


def _stop_if_asked(context: Context, what: str, why: str = "Nothing of it was kept.", remedy: str = "") -> None:
    if context.stopped():
        raise RunCancelled(what, why, remedy)


def _train(arguments: argparse.Namespace) -> None:
    from core.mapping.config import TrainConfig

    config = TrainConfig.read(arguments.config)
    seed = config.phases[0].schedule.seed

    def work(store: Store, run: Run, folder: Path, context: Context) -> Outcome:
        model = _trained(config, arguments, context)
        if not arguments.no_card:
            model = _carded(config, model, arguments, context)
        return _made(run, folder, model, arguments)

    with store_for(arguments) as store:
        compute(store, _order(config, arguments, "Training", seed), work, arguments)


def _trained(config: TrainConfig, arguments: argparse.Namespace, context: Context) -> StoredModel:
    from core.mapping.train import train
    from core.runs.store import home_folder

    def told(done: int, total: int) -> None:
        _stop_if_asked(
            context, "The training was stopped.", "Its checkpoint was kept.", "The same command goes on from there."
        )
        context.report(done, total, f"Epoch {done + 1:,} of at most {total:,}")

    context.report(0, 0, "Reading the training images")
    command = f"python -m core mapping train {arguments.config.as_posix()} --data DATA"
    return train(config, arguments.data, arguments.work or home_folder() / "training", command, told)


def _card(arguments: argparse.Namespace) -> None:
    from core.learning.store import find_model
    from core.mapping.config import TrainConfig

    config = TrainConfig.read(arguments.config)
    model = find_model("mapping", config.name)

    def work(store: Store, run: Run, folder: Path, context: Context) -> Outcome:
        return _made(run, folder, _carded(config, model, arguments, context), arguments)

    with store_for(arguments) as store:
        compute(store, _order(config, arguments, "Card", None), work, arguments)


def _carded(
    config: TrainConfig, model: StoredModel, arguments: argparse.Namespace, context: Context
) -> StoredModel:
    from core.mapping.card import finish, measure
    from core.mapping.train import validation_pairs

    def told(done: int, total: int) -> None:
        _stop_if_asked(context, "The scoring was stopped.", "The model is there, but its card is not finished.")
        context.report(done, total, f"Scoring on validation, {done:,} of {total:,}")

    context.report(0, 0, "Loading the model")
    runtime = _runtime(model)
    if getattr(arguments, "keep_scores", False):
        finished = measure(model, runtime)
    else:
        finished = finish(model, validation_pairs(config.data, arguments.data), runtime, told)
    print(json.dumps(dict(finished.spec.scores), indent=1))
    return finished


def _order(config: TrainConfig, arguments: argparse.Namespace, what: str, seed: int | None) -> Order:
    from core.runs.records import Order

    asked = {"command": arguments.command, "data": str(arguments.data), "config": asdict(config)}
    return Order(
        "mapping", "training", asked, model=config.name, seed=seed, time_limit=TRAINING_LIMIT,
        name=arguments.name or f"{what} of {config.name}",
    )  # fmt: skip


def _made(run: Run, folder: Path, model: StoredModel, arguments: argparse.Namespace) -> Outcome:
    """A model as a run: its description, scores and digest; the weights stay in its folder."""
    import torch

    from core.learning.loop import device
    from core.learning.store import sha256

    spec = model.spec
    shutil.copyfile(model.folder / SPEC, folder / SPEC)
    validation = spec.scores.get("validation", {})
    # Scores by which the epoch was chosen say less, so they must not stand in the same column.
    numbers = dict(validation) or {f"tuning_{name}": value for name, value in spec.scores.get("tuning", {}).items()}
    return _outcome(
        run, folder, {"model": SPEC}, model,
        {
            **numbers,
            "description": {"name": arguments.config.name, "sha256": sha256(arguments.config)},
            "training": dict(spec.training),
            "scores": dict(spec.scores),
            "runtime": {"name": f"torch on {device().type}", "threads": torch.get_num_threads()},
        },
    )  # fmt: skip


def _outcome(
    run: Run, folder: Path, artifacts: Mapping[str, str], model: StoredModel, content: Mapping[str, Any]
) -> Outcome:
    """What is kept of some work on a model: its scores as metrics, all else as provenance."""
    from core.runs.outcome import Outcome
    from core.runs.provenance import environment, now

    numbers = {name: float(content[name]) for name in SCORES if name in content}
    numbers |= {name: float(value) for name, value in content.items() if name.startswith("tuning_")}
    spec = model.spec
    return Outcome(
        folder=folder,
        artifacts=artifacts,
        numbers=numbers,
        provenance={
            "started": None if run.started is None else run.started.isoformat(timespec="seconds"),
            "finished": now(),
            "seconds": None if run.seconds is None else round(run.seconds, 2),
            "model": {"name": spec.name, "weights_sha256": spec.weights_sha256, "threshold": spec.threshold},
            "parameters": dict(run.parameters),
            "seed": run.seed,
            **{name: value for name, value in content.items() if name not in (*numbers, "model")},
            **environment(),
        },
    )


def _models(arguments: argparse.Namespace) -> None:
    from core.learning.store import list_models

    models = list_models(arguments.task)
    width = max((len(model.spec.name) for model in models), default=4)
    print(f"{'name':<{width}}  {'F1':>6}  {'IoU':>6}  {'precision':>9}  {'recall':>6}  sensor")
    for model in models:
        scores = model.spec.scores.get("validation", {})
        row = "  ".join(
            f"{scores.get(name, float('nan')):>{size}.3f}"
            for name, size in (("f1", 6), ("iou", 6), ("precision", 9), ("recall", 6))
        )
        print(f"{model.spec.name:<{width}}  {row}  {model.spec.sensor}")
