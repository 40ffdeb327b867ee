"""The training loop that tasks share: seeded, resumable, with early stopping and an averaged copy of the weights."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns.

    Parameters
    ----------
    epochs, batch
        Passes over the fitting part, and patches per step.
    rate
        Highest learning rate of the one-cycle schedule (Smith and Topin 2019, doi:10.1117/12.2520589).
    decay
        Weight decay of AdamW.
    average
        Decay per step of the exponential moving average of the weights, which is what is scored and kept.
    patience
        Epochs without a better score on the tuning part after which training stops.
    seed
        Seed of initial weights, order and augmentation.
    stop_after
        Epochs after which training stops although its learning rate would go on falling until the last; 0 for all.
    """

    epochs: int = 20
    batch: int = 16
    rate: float = 1e-3
    decay: float = 1e-2
    average: float = 0.995
    patience: int = 10
    seed: int = 0
    stop_after: int = 0


@dataclass(frozen=True)
class Trained:
    """Outcome of a training: the averaged weights of the best epoch and how they were reached.

    Attributes
    ----------
    weights
        By name, on the CPU.
    best_epoch, epochs
        Epoch of the weights, counted from 1, and epochs that were trained.
    best, history
        What the lesson told of the best epoch and of each: ``score``, ``loss``, ``seconds`` and more of its own.
    """

    weights: dict[str, Tensor]
    best_epoch: int
    epochs: int
    best: dict[str, float]
    history: tuple[dict[str, float], ...]

    @property
    def minutes(self) -> float:
        """Time that all epochs took."""
        return sum(epoch["seconds"] for epoch in self.history) / 60


class TrainingObjective(Protocol):
    """What a network is taught: how a batch of examples becomes a loss, and how well it answers afterwards."""

    @property
    def count(self) -> int:
        """Examples of one epoch."""

    def loss(self, network: nn.Module, chosen: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Loss of some examples, by their indices; the generator is the source of all randomness."""

    def score(self, network: nn.Module) -> dict[str, float]:
        """How well an averaged network answers on the tuning part: ``score``, the higher the better, and more."""


ProgressCallback = Callable[[int, int], None]


def tell_nobody(done: int, total: int) -> None:
    """Report no progress."""


def device() -> torch.device:
    """The accelerator when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(where: torch.device) -> bool:
    """Whether bfloat16 pays: on a GPU, and on CPUs that multiply it natively."""
    return where.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())


class _Average:
    """Exponential moving average of weights; batch-norm statistics are averaged as well."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval()
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        # Early on the average would be dominated by the random start; let it follow quickly first.
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)
        self.steps += 1


class Training:
    """One training, which can be stopped and taken up again from its checkpoint.

    Parameters
    ----------
    network
        Untrained or pre-trained.
    lesson
        What it is taught.
    schedule
        How long and how fast.
    checkpoint
        File to write after each epoch and to take up again when it exists; None for neither.
    description
        Text that says what is trained on what; a checkpoint of another description is not taken up.
    paces
        Parts of the network that learn at a pace of their own: beginnings of parameter names, with the share of the
        schedule's rate; what was trained before is changed with care while what is new learns.
    """

    def __init__(
        self,
        network: nn.Module,
        lesson: TrainingObjective,
        schedule: Schedule,
        checkpoint: Path | None = None,
        description: str = "",
        paces: Mapping[str, float] | None = None,
    ) -> None:
        self.network = network
        self.lesson = lesson
        self.schedule = schedule
        self.checkpoint = checkpoint
        self.paces = dict(paces or {})
        self.identity: dict[str, Any] = {"description": description, **asdict(schedule)}

    def fit(self, told: ProgressCallback = tell_nobody) -> Trained:
        """Train, and choose the epoch by the lesson's score.

        Parameters
        ----------
        told
            Called before each epoch with the epochs done and all; what it raises stops the training, which goes on
            from its checkpoint when it is started again.
        """
        network = self.network.to(device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = _Average(network, self.schedule.average)
        groups = self._groups(network)
        optimizer = torch.optim.AdamW(groups, lr=self.schedule.rate, weight_decay=self.schedule.decay)
        steps = math.ceil(self.lesson.count / self.schedule.batch)
        highest: list[float] = [group["lr"] for group in groups]
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, highest, total_steps=steps * self.schedule.epochs + 1, pct_start=0.15
        )
        state = _State(network, average, optimizer, cycle, torch.Generator().manual_seed(self.schedule.seed))
        state.resume(self.checkpoint, self.identity)
        last = min(self.schedule.stop_after or self.schedule.epochs, self.schedule.epochs)
        while state.epoch < last and state.since_best < self.schedule.patience:
            told(state.epoch, self.schedule.epochs)
            started = time.perf_counter()
            mean_loss = self._epoch(state)
            self._score(state, mean_loss, time.perf_counter() - started)
            state.save(self.checkpoint, self.identity)
        best = state.history[state.best_epoch - 1]
        return Trained(state.best, state.best_epoch, state.epoch, best, tuple(state.history))

    def _groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Parameters by pace; all in one group where nothing has a pace of its own."""
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                pace = next((share for start, share in self.paces.items() if name.startswith(start)), 1.0)
                groups.setdefault(pace, []).append(parameter)
        return [{"params": members, "lr": self.schedule.rate * pace} for pace, members in groups.items()]

    def _epoch(self, state: _State) -> float:
        state.network.train()
        order = torch.randperm(self.lesson.count, generator=state.generator).numpy()
        total, seen = 0.0, 0
        for start in range(0, len(order), self.schedule.batch):
            chosen = order[start : start + self.schedule.batch]
            if len(chosen) == 1 and len(order) > 1:
                continue  # batch statistics of a single patch are undefined at the deepest 1×1 features
            value = self.lesson.loss(state.network, chosen, state.generator)
            state.optimizer.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
            state.optimizer.step()
            state.cycle.step()
            state.average.update(state.network)
            total, seen = total + float(value.detach()) * len(chosen), seen + len(chosen)
        return total / max(seen, 1)

    def _score(self, state: _State, mean_loss: float, seconds: float) -> None:
        told = {**self.lesson.score(state.average.network), "loss": mean_loss, "seconds": seconds}
        state.epoch += 1
        state.history.append(told)
        if told["score"] > state.best_score:
            state.best_score, state.best_epoch = told["score"], state.epoch
            weights = state.average.network.state_dict()
            state.best = {key: value.detach().cpu().clone() for key, value in weights.items()}
        log.info(
            "epoch %d/%d  loss %.4f  tuning score %.4f (best %.4f at %d)  %.0f s",
            state.epoch, self.schedule.epochs, mean_loss, told["score"], state.best_score, state.best_epoch, seconds,
        )  # fmt: skip


class _State:
    """Everything that a checkpoint must hold so that a resumed training goes on as if it had not stopped."""

    def __init__(
        self,
        network: nn.Module,
        average: _Average,
        optimizer: torch.optim.Optimizer,
        cycle: torch.optim.lr_scheduler.LRScheduler,
        generator: torch.Generator,
    ) -> None:
        self.network, self.average, self.optimizer, self.cycle = network, average, optimizer, cycle
        self.generator = generator
        self.epoch = 0
        self.best_epoch = 0
        self.best_score = -1.0
        self.best: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []

    @property
    def since_best(self) -> int:
        return self.epoch - self.best_epoch

    def save(self, path: Path | None, identity: dict[str, Any]) -> None:
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {
            "identity": identity,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "average_steps": self.average.steps,
            "optimizer": self.optimizer.state_dict(),
            "cycle": self.cycle.state_dict(),
            "generator": self.generator.get_state(),
            "torch_random": torch.get_rng_state(),
            "best": self.best,
            "progress": {"epoch": self.epoch, "best_epoch": self.best_epoch, "best_score": self.best_score},
            "history": self.history,
        }
        aside = path.with_suffix(".part")
        torch.save(content, aside)
        aside.replace(path)

    def resume(self, path: Path | None, identity: dict[str, Any]) -> None:
        if path is None or not path.exists():
            return
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content.get("identity") != identity:
            log.warning("%s belongs to another training and is not resumed", path)
            return
        self.network.load_state_dict(content["network"])
        self.average.network.load_state_dict(content["average"])
        self.average.steps = content["average_steps"]
        self.optimizer.load_state_dict(content["optimizer"])
        self.cycle.load_state_dict(content["cycle"])
        self.generator.set_state(content["generator"])
        torch.set_rng_state(content["torch_random"])
        self.best, self.history = content["best"], content["history"]
        progress = content["progress"]
        self.epoch, self.best_epoch = progress["epoch"], progress["best_epoch"]
        self.best_score = progress["best_score"]
        log.info("resumed after epoch %d", self.epoch)
