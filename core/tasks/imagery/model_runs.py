"""Scoring and training models of images as runs that any worker can do: what the tasks share."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, Literal

from core.errors import InputError, ModelError, RunCancelled
from core.jobs.perform import Job
from core.learning.config import TrainConfig
from core.learning.pairs import Pair, find_pairs
from core.learning.store import StoredModel, find_model, sha256
from core.raster.folder import write_json
from core.raster.progress import ProgressCallback
from core.raster.scene import Scene
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Order
from core.runs.result import RunResult
from core.wording import count

log = logging.getLogger(__name__)

EVALUATION: Final = "evaluation"
TRAINING: Final = "training"

SCORES = "scores"
"""Role of the scores of an evaluation."""

MODEL = "model"
"""Role of the description of a trained model."""

SPEC = "model.toml"

CHECKPOINTS = "training"
"""Folder of checkpoints below that of the store, when no other one is given."""

TITLES: Final = {
    "train": "Training", "card": "Card", "measure": "Training images", "faithfulness": "Faithfulness of explanations"
}  # fmt: skip
"""What a run of a training does, by the command that it was ordered with."""

TRAINING_LIMIT = 30 * 24 * 3600.0
"""Seconds that a training may take: the limit for runs that hold up others is not for one that nobody waits behind."""


@dataclass(frozen=True)
class EvaluationRequest:
    """Which pairs a model is scored on; tasks add their own settings.

    Attributes
    ----------
    images, masks
        Folders of images and of their masks, as `core.learning.pairs.find_pairs` takes them.
    """

    images: str
    masks: str

    def pairs(self) -> tuple[Pair, ...]:
        """The images with their masks.

        Raises
        ------
        InputError
            When a folder is missing or nothing in them belongs together.
        """
        return find_pairs(Path(self.images), Path(self.masks))


@dataclass(frozen=True)
class Description:
    """The file that a training was described in.

    Attributes
    ----------
    path
        As it was given; empty where there was none.
    sha256
        Digest of its bytes.
    """

    path: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class TrainingRequest:
    """A model to be trained, or to be scored again after training.

    Attributes
    ----------
    config
        Description of network, data and training.
    data
        Folder that the description's images lie in.
    command
        ``"train"`` for a training, ``"card"`` for scoring the trained model of that name on validation, ``"measure"``
        for measuring anew what its training images look like, ``"faithfulness"`` for testing anew which of its layers
        explains it best.
    work
        Folder of checkpoints; below the store's own folder when empty.
    card
        Whether a trained model is scored on validation at once, which writes its card.
    keep_scores
        For ``"card"``: whether only costs and false alarms are measured again.
    description
        Where the configuration was read from.
    """

    config: TrainConfig
    data: str
    command: Literal["train", "card", "measure", "faithfulness"] = "train"
    work: str = ""
    card: bool = True
    keep_scores: bool = False
    description: Description = Description()

    @property
    def remeasured(self) -> bool:
        """Whether the validation scores stay as they are."""
        return self.command == "card" and self.keep_scores


def order_evaluation(task: str, model: StoredModel, request: EvaluationRequest, *, name: str = "") -> Order:
    """The order of an evaluation of a model.

    Raises
    ------
    InputError
        When a folder is missing or nothing in them belongs together.
    """
    title = name or f"{model.spec.name} on {count(len(request.pairs()), 'image')} of {Path(request.images).name}"
    return Order(task, EVALUATION, parameters_of(request), model=model.spec.name, name=title)


def order_training(task: str, request: TrainingRequest, *, name: str = "") -> Order:
    """The order of a training, or of scoring again what was trained."""
    config, what = request.config, TITLES[request.command]
    seed = config.phases[0].schedule.seed if config.phases and request.command == "train" else None
    return Order(
        task, TRAINING, parameters_of(request), model=config.name, seed=seed, time_limit=TRAINING_LIMIT,
        name=name or f"{what} of {config.name}",
    )  # fmt: skip


Evaluate = Callable[[StoredModel, Sequence[Pair], ProgressCallback], Mapping[str, Any]]
"""Scores a model on pairs; returns scores by name and, as ``runtime``, what ran the network."""

Train = Callable[[TrainConfig, Path, Path, str, ProgressCallback], StoredModel]
"""Trains from a description, given it, the data folder, the folder of checkpoints and the command line."""

Measure = Callable[[StoredModel, ProgressCallback], StoredModel]
"""Keeps what the training images of a model look like beside its weights, and says so in its card where it has one."""

Finish = Callable[[StoredModel, ProgressCallback], StoredModel]
"""Scores a trained model on validation, and writes its card."""


def evaluation(job: Job, request: EvaluationRequest, compared: Sequence[str], evaluate: Evaluate) -> RunResult:
    """Do the work of an evaluation.

    Parameters
    ----------
    compared
        Names of the numbers by which evaluations of the task are compared.
    """
    model, pairs = find_model(job.run.task, job.run.model), request.pairs()

    def progress(done: int, total: int) -> None:
        _stop_if_asked(job, "The evaluation was cancelled.")
        job.report(done, total, f"Scoring image {done:,} of {total:,}")

    job.report(0, 0, "Loading the model")
    scored = dict(evaluate(model, pairs, progress))
    runtime = scored.pop("runtime")
    images = [Scene.open(pair.image).digest for pair in pairs]
    content = {
        **scored,
        "model": model.spec.name,
        "images_seen_in_training": sum(model.has_seen(digest) for digest in images),
        "images_digest": _joined(images),
        "masks_digest": _joined(sha256(pair.mask) for pair in pairs),
        "runtime": runtime,
    }
    write_json(content, job.folder / "scores.json")
    return _result(job, {SCORES: "scores.json"}, model, content, compared)


def training(
    job: Job,
    request: TrainingRequest,
    compared: Sequence[str],
    train: Train,
    measure: Measure,
    finish: Finish,
    test_layers: Measure,
) -> RunResult:
    """Do the work of a training, or of measuring or scoring again what was trained.

    Parameters
    ----------
    compared
        Names of the numbers by which models of the task are compared.
    test_layers
        Keeps which layer explains a model best in its folder.
    """
    trained = request.command == "train"
    model = _trained(job, request, train) if trained else find_model(job.run.task, request.config.name)
    if trained or request.command == "measure":
        model = _measured(job, model, measure)
    if trained or request.command == "faithfulness":
        model = _tested(job, model, test_layers, required=not trained)
    if request.command == "card" or (trained and request.card):
        model = _scored(job, model, finish)
    return _made(job, request, model, compared)


def _trained(job: Job, request: TrainingRequest, train: Train) -> StoredModel:
    def progress(done: int, total: int) -> None:
        _stop_if_asked(
            job, "The training was cancelled.", "Its checkpoint was kept.", "Run the same command to resume."
        )
        job.report(done, total, f"Epoch {done + 1:,} of at most {total:,}")

    job.report(0, 0, "Reading the training images")
    command = command_line(job.run.task, "train", request)
    work = Path(request.work) if request.work else job.store.home / CHECKPOINTS
    return train(request.config, Path(request.data), work, command, progress)


def command_line(task: str, command: str, request: TrainingRequest) -> str:
    """A command on a model and its data, as it stands on the card."""
    source = request.description.path or f"{request.config.name}.toml"
    return f"python -m core {task} {command} {source} --data DATA"


def _tested(job: Job, model: StoredModel, test_layers: Measure, *, required: bool) -> StoredModel:
    def progress(done: int, total: int) -> None:
        _stop_if_asked(job, "The test was cancelled.", "The model is saved, without tests of its layers.")
        job.report(done, total, f"Testing explanations, place {done:,} of {total:,}")

    job.report(0, 0, "Reading the tuning images")
    try:
        return test_layers(model, progress)
    except (InputError, ModelError):
        if required:
            raise
        # A model that finds nothing yet, or has no layer to ask, is trained all the same.
        log.warning("the layers of %s were not tested", model.spec.name, exc_info=True)
        return model


def _measured(job: Job, model: StoredModel, measure: Measure) -> StoredModel:
    def progress(done: int, total: int) -> None:
        _stop_if_asked(job, "The measurement was cancelled.", "The model is saved, without statistics of its training "
                                                          "images.")
        job.report(done, total, f"Measuring training tile {done:,} of {total:,}")

    job.report(0, 0, "Reading the training images")
    return measure(model, progress)


def _scored(job: Job, model: StoredModel, finish: Finish) -> StoredModel:
    def progress(done: int, total: int) -> None:
        _stop_if_asked(job, "The scoring was cancelled.", "The model is saved, but its card is incomplete.")
        job.report(done, total, f"Scoring on the validation set, {done:,} of {total:,}")

    job.report(0, 0, "Loading the model")
    return finish(model, progress)


def _stop_if_asked(job: Job, what: str, why: str = "No results were saved.", remedy: str = "") -> None:
    if job.stopped():
        raise RunCancelled(what, why, remedy)


def _joined(digests: Iterable[str]) -> str:
    """One digest of many, in their order."""
    return hashlib.sha256(" ".join(digests).encode("ascii")).hexdigest()


def _made(job: Job, request: TrainingRequest, model: StoredModel, compared: Sequence[str]) -> RunResult:
    """A model as a run: its description, scores and digest; the weights stay in its folder."""
    import torch

    from core.learning.loop import device

    spec, source = model.spec, request.description
    shutil.copyfile(model.folder / SPEC, job.folder / SPEC)
    validation = spec.scores.get("validation", {})
    # Scores by which the epoch was chosen say less, so they must not stand in the same column.
    numbers = dict(validation) or {f"tuning_{name}": value for name, value in spec.scores.get("tuning", {}).items()}
    content = {
        **numbers,
        "description": {"name": PurePath(source.path).name, "sha256": source.sha256},
        "training": dict(spec.training),
        "scores": dict(spec.scores),
        "runtime": {"name": f"torch on {device().type}", "threads": torch.get_num_threads()},
    }
    return _result(job, {MODEL: SPEC}, model, content, compared)


def _result(
    job: Job, artifacts: Mapping[str, str], model: StoredModel, content: Mapping[str, Any], compared: Sequence[str]
) -> RunResult:
    """What is kept of some work on a model: its scores as metrics, all else as provenance."""
    numbers = {name: float(content[name]) for name in compared if name in content}
    numbers |= {name: float(value) for name, value in content.items() if name.startswith("tuning_")}
    spec, run = model.spec, job.run
    return RunResult(
        id=run.id,
        kind=run.kind,
        folder=job.folder,
        artifacts=artifacts,
        model=run.model,
        numbers=numbers,
        notes=tuple(content.get("training", {}).get("label_notes", ())),
        provenance={
            **job.times(),
            "model": {"name": spec.name, "weights_sha256": spec.weights_sha256, "threshold": spec.threshold},
            "parameters": dict(run.parameters),
            "seed": run.seed,
            **{name: value for name, value in content.items() if name not in (*numbers, "model")},
            **environment(),
        },
    )
