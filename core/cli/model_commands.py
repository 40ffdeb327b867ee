"""``python -m core TASK evaluate|train|card|models``: making models of a task, and how good they are."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, compute, progress, store_for
from core.errors import RunCancelled

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.learning.config import TrainConfig
    from core.learning.pairs import Pair
    from core.learning.store import StoredModel
    from core.runs.records import Order
    from core.runs.result import RunResult

SPEC = "model.toml"

TRAINING_LIMIT = 30 * 24 * 3600.0
"""Seconds that a training may take: the limit for runs that hold up others is not for one that nobody waits behind."""

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Trade:
    """What a task does with its models.

    Attributes
    ----------
    task
        Its name.
    scores
        Names of the numbers by which its evaluations and trainings are compared.
    listed
        Heading and name of the scores that a list of models shows.
    choices
        Adds the options of ``evaluate`` that only this task has.
    asked
        Those options as they stand in the record of the run.
    evaluate
        Scores a model on pairs; returns scores by name and, as ``runtime``, what ran the network.
    train
        Trains from a description: given it, the data folder, the work folder and the command line.
    card
        Scores a trained model on validation and writes its card; given the description, the model and the options.
    """

    task: str
    scores: tuple[str, ...]
    listed: Mapping[str, str]
    choices: Callable[[argparse.ArgumentParser], None]
    asked: Callable[[argparse.Namespace], dict[str, Any]]
    evaluate: Callable[[StoredModel, Sequence[Pair], argparse.Namespace, Told], dict[str, Any]]
    train: Callable[[TrainConfig, Path, Path, str, Told], StoredModel]
    card: Callable[[TrainConfig, StoredModel, argparse.Namespace, Told], StoredModel]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser], trade: Trade) -> None:
    """Commands about models."""
    evaluate = commands.add_parser("evaluate", help="score a folder of image and mask pairs")
    evaluate.add_argument("--model", required=True)
    evaluate.add_argument("--images", type=Path, required=True)
    evaluate.add_argument("--masks", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, help="JSON file to write the scores to")
    trade.choices(evaluate)
    train = commands.add_parser("train", help="train a model from a description")
    train.add_argument("config", type=Path, help="TOML file such as those in models/configs")
    train.add_argument("--data", type=Path, required=True, help="folder that holds the training images")
    train.add_argument("--work", type=Path, help="folder for checkpoints (default: under SLIDELENS_HOME)")
    train.add_argument("--no-card", action="store_true", help="do not score on validation yet")
    card = commands.add_parser("card", help="score a trained model on validation and write its card")
    card.add_argument("config", type=Path, help="the description it was trained from")
    card.add_argument("--data", type=Path, required=True)
    card.add_argument("--keep-scores", action="store_true", help="measure cost and false alarms again, nothing else")
    for parser, do in ((evaluate, _evaluate), (train, _train), (card, _card)):
        add_options(parser)
        parser.set_defaults(do=do, trade=trade)
    commands.add_parser("models", help="list the models that are here").set_defaults(do=_models, trade=trade)


def _evaluate(arguments: argparse.Namespace) -> None:
    from core.learning.pairs import find_pairs
    from core.learning.store import find_model
    from core.raster.folder import make_folder, write_json
    from core.runs.records import Order

    trade: Trade = arguments.trade
    model = find_model(trade.task, arguments.model)
    pairs = find_pairs(arguments.images, arguments.masks)
    if arguments.out is not None:
        make_folder(arguments.out.parent)
    asked = {"images": str(arguments.images), "masks": str(arguments.masks), **trade.asked(arguments)}
    order = Order(
        trade.task, "evaluation", asked, model=model.spec.name,
        name=arguments.name or f"{model.spec.name} on {len(pairs)} images of {arguments.images.name}",
    )  # fmt: skip
    content: dict[str, Any] = {}

    def work(job: Job, request: object) -> RunResult:
        del request
        content.update(_scored(model, pairs, arguments, job))
        write_json(content, job.folder / "scores.json")
        return _outcome(job, {"scores": "scores.json"}, model, content, trade)

    with store_for(arguments) as store:
        identity = compute(store, order, work, arguments)
        text = store.artifact(identity, "scores").path.read_text(encoding="utf-8")
    if arguments.out is not None:
        write_json(content, arguments.out)
    print(text, end="")


def _scored(
    model: StoredModel, pairs: Sequence[Pair], arguments: argparse.Namespace, job: Job
) -> dict[str, Any]:
    """Score a model on pairs, and say on which."""
    from core.learning.store import sha256
    from core.raster.scene import Scene

    shown = progress("images")
    trade: Trade = arguments.trade

    def told(done: int, total: int) -> None:
        _stop_if_asked(job, "The evaluation was stopped.")
        job.report(done, total, f"Scoring image {done:,} of {total:,}")
        shown(done, total)

    job.report(0, 0, "Loading the model")
    scored = trade.evaluate(model, pairs, arguments, told)
    images = [Scene.open(pair.image).digest for pair in pairs]
    return {
        **{name: value for name, value in scored.items() if name != "runtime"},
        "model": model.spec.name,
        "images_seen_in_training": sum(model.has_seen(digest) for digest in images),
        "images_digest": _joined(images),
        "masks_digest": _joined(sha256(pair.mask) for pair in pairs),
        "runtime": scored["runtime"],
    }


def _joined(digests: Iterable[str]) -> str:
    """One digest of many, in their order."""
    return hashlib.sha256(" ".join(digests).encode("ascii")).hexdigest()


def _stop_if_asked(job: Job, what: str, why: str = "Nothing of it was kept.", remedy: str = "") -> None:
    if job.stopped():
        raise RunCancelled(what, why, remedy)


def _train(arguments: argparse.Namespace) -> None:
    from core.learning.config import TrainConfig

    config = TrainConfig.read(arguments.config)
    seed = config.phases[0].schedule.seed if config.phases else None

    def work(job: Job, request: object) -> RunResult:
        del request
        model = _trained(config, arguments, job)
        if not arguments.no_card:
            model = _carded(config, model, arguments, job)
        return _made(job, model, arguments)

    with store_for(arguments) as store:
        compute(store, _order(config, arguments, "Training", seed), work, arguments)


def _trained(config: TrainConfig, arguments: argparse.Namespace, job: Job) -> StoredModel:
    from core.runs.store import home_folder

    def told(done: int, total: int) -> None:
        _stop_if_asked(
            job, "The training was stopped.", "Its checkpoint was kept.", "The same command goes on from there."
        )
        job.report(done, total, f"Epoch {done + 1:,} of at most {total:,}")

    job.report(0, 0, "Reading the training images")
    trade: Trade = arguments.trade
    command = f"python -m core {trade.task} train {arguments.config.as_posix()} --data DATA"
    return trade.train(config, arguments.data, arguments.work or home_folder() / "training", command, told)


def _card(arguments: argparse.Namespace) -> None:
    from core.learning.config import TrainConfig
    from core.learning.store import find_model

    config = TrainConfig.read(arguments.config)
    model = find_model(arguments.trade.task, config.name)

    def work(job: Job, request: object) -> RunResult:
        del request
        return _made(job, _carded(config, model, arguments, job), arguments)

    with store_for(arguments) as store:
        compute(store, _order(config, arguments, "Card", None), work, arguments)


def _carded(
    config: TrainConfig, model: StoredModel, arguments: argparse.Namespace, job: Job
) -> StoredModel:
    def told(done: int, total: int) -> None:
        _stop_if_asked(job, "The scoring was stopped.", "The model is there, but its card is not finished.")
        job.report(done, total, f"Scoring on validation, {done:,} of {total:,}")

    job.report(0, 0, "Loading the model")
    trade: Trade = arguments.trade
    finished = trade.card(config, model, arguments, told)
    print(json.dumps(dict(finished.spec.scores), indent=1))
    return finished


def _order(config: TrainConfig, arguments: argparse.Namespace, what: str, seed: int | None) -> Order:
    from core.runs.records import Order

    asked = {"command": arguments.command, "data": str(arguments.data), "config": asdict(config)}
    return Order(
        arguments.trade.task, "training", asked, model=config.name, seed=seed, time_limit=TRAINING_LIMIT,
        name=arguments.name or f"{what} of {config.name}",
    )  # fmt: skip


def _made(job: Job, model: StoredModel, arguments: argparse.Namespace) -> RunResult:
    """A model as a run: its description, scores and digest; the weights stay in its folder."""
    import torch

    from core.learning.loop import device
    from core.learning.store import sha256

    spec = model.spec
    shutil.copyfile(model.folder / SPEC, job.folder / SPEC)
    validation = spec.scores.get("validation", {})
    # Scores by which the epoch was chosen say less, so they must not stand in the same column.
    numbers = dict(validation) or {f"tuning_{name}": value for name, value in spec.scores.get("tuning", {}).items()}
    return _outcome(
        job, {"model": SPEC}, model,
        {
            **numbers,
            "description": {"name": arguments.config.name, "sha256": sha256(arguments.config)},
            "training": dict(spec.training),
            "scores": dict(spec.scores),
            "runtime": {"name": f"torch on {device().type}", "threads": torch.get_num_threads()},
        },
        arguments.trade,
    )  # fmt: skip


def _outcome(
    job: Job, artifacts: Mapping[str, str], model: StoredModel, content: Mapping[str, Any], trade: Trade
) -> RunResult:
    """What is kept of some work on a model: its scores as metrics, all else as provenance."""
    from core.runs.provenance import environment
    from core.runs.result import RunResult

    numbers = {name: float(content[name]) for name in trade.scores if name in content}
    numbers |= {name: float(value) for name, value in content.items() if name.startswith("tuning_")}
    spec, run = model.spec, job.run
    return RunResult(
        id=run.id,
        kind=run.kind,
        folder=job.folder,
        artifacts=artifacts,
        model=run.model,
        numbers=numbers,
        provenance={
            **job.times(),
            "model": {"name": spec.name, "weights_sha256": spec.weights_sha256, "threshold": spec.threshold},
            "parameters": dict(run.parameters),
            "seed": run.seed,
            **{name: value for name, value in content.items() if name not in (*numbers, "model")},
            **environment(),
        },
    )


def _models(arguments: argparse.Namespace) -> None:
    from core.learning.store import list_models

    trade: Trade = arguments.trade
    models = list_models(trade.task)
    width = max((len(model.spec.name) for model in models), default=4)
    sizes = {name: max(6, len(heading)) for heading, name in trade.listed.items()}
    headings = "  ".join(f"{heading:>{sizes[name]}}" for heading, name in trade.listed.items())
    print(f"{'name':<{width}}  {headings}  sensor")
    for model in models:
        scores = model.spec.scores.get("validation", {})
        row = "  ".join(f"{scores.get(name, float('nan')):>{size}.3f}" for name, size in sizes.items())
        print(f"{model.spec.name:<{width}}  {row}  {model.spec.sensor}")
