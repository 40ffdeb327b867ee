"""The training loop that tasks share: seeded, resumable, with early stopping and an averaged copy of the weights."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.learning.augment import Augmentation
from core.learning.losses import Loss
from core.learning.metrics import encode, histogram, threshold_curve
from core.learning.pairs import PairArrays

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
    """

    epochs: int = 20
    batch: int = 16
    rate: float = 1e-3
    decay: float = 1e-2
    average: float = 0.995
    patience: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """Outcome of a training: the averaged weights of the best epoch and how they were reached."""

    weights: dict[str, Tensor]
    best_epoch: int
    epochs: int
    tuning_f1: float
    threshold: float
    history: tuple[dict[str, float], ...]


Prepare = Callable[[Tensor], Tensor]
Told = Callable[[int, int], None]


def tell_nobody(done: int, total: int) -> None:
    """Report no progress."""


def device() -> torch.device:
    """The accelerator when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(where: torch.device) -> bool:
    """Whether bfloat16 pays: on a GPU, and on CPUs that multiply it natively."""
    return where.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())


def predict_codes(network: nn.Module, images: np.ndarray, prepare: Prepare, batch: int = 32) -> np.ndarray:
    """Probability codes (count, height, width) of uint8 images (count, bands, height, width)."""
    where = next(network.parameters()).device
    network.eval()
    parts = []
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
        for start in range(0, len(images), batch):
            values = torch.from_numpy(images[start : start + batch]).to(where).float() / 255
            logits = network(prepare(values).contiguous(memory_format=torch.channels_last))
            parts.append(encode(torch.sigmoid(logits.float())[:, 0].cpu().numpy()))
    return np.concatenate(parts)


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
        Untrained or pre-trained network giving logits (batch, 1, height, width).
    prepare
        From images in [0, 1] to the network's input (normalisation).
    loss, augmentation, schedule
        What is minimised, how patches are changed, how long and how fast.
    checkpoint
        File to write after each epoch and to take up again when it exists; None for neither.
    description
        Text that says what is trained on what; a checkpoint of another description is not taken up.
    """

    def __init__(
        self,
        network: nn.Module,
        prepare: Prepare,
        loss: Loss,
        augmentation: Augmentation,
        schedule: Schedule,
        checkpoint: Path | None = None,
        description: str = "",
    ) -> None:
        self.network = network
        self.prepare = prepare
        self.loss = loss
        self.augmentation = augmentation
        self.schedule = schedule
        self.checkpoint = checkpoint
        self.identity: dict[str, Any] = {"description": description, **asdict(schedule)}

    def fit(self, fitting: PairArrays, tuning: PairArrays, told: Told = tell_nobody) -> Trained:
        """Train on one part and choose epoch and threshold on the other.

        Parameters
        ----------
        told
            Called before each epoch with the epochs done and all; what it raises stops the training, which goes on
            from its checkpoint when it is started again.

        Raises
        ------
        InputError
            When the tuning part holds no landslide.
        """
        if not (tuning.truth == 1).any():
            raise InputError(
                "The tuning part holds no landslide.",
                "Without one no epoch is better than another, and no threshold can be chosen.",
                "Use more images, a larger tune_share or another split_seed.",
            )
        where = device()
        network = self.network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = _Average(network, self.schedule.average)
        optimizer = torch.optim.AdamW(network.parameters(), lr=self.schedule.rate, weight_decay=self.schedule.decay)
        steps = math.ceil(len(fitting.images) / self.schedule.batch)
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.schedule.rate, total_steps=steps * self.schedule.epochs + 1, pct_start=0.15
        )
        state = _State(network, average, optimizer, cycle, torch.Generator().manual_seed(self.schedule.seed))
        state.resume(self.checkpoint, self.identity)
        while state.epoch < self.schedule.epochs and state.since_best < self.schedule.patience:
            told(state.epoch, self.schedule.epochs)
            started = time.perf_counter()
            mean_loss = self._epoch(state, fitting, where)
            self._score(state, tuning, mean_loss, time.perf_counter() - started)
            state.save(self.checkpoint, self.identity)
        best = state.history[state.best_epoch - 1]
        return Trained(
            state.best, state.best_epoch, state.epoch, best["tuning_f1"], best["threshold"], tuple(state.history)
        )

    def _epoch(self, state: _State, fitting: PairArrays, where: torch.device) -> float:
        state.network.train()
        order = torch.randperm(len(fitting.images), generator=state.generator).numpy()
        total, seen = 0.0, 0
        for start in range(0, len(order), self.schedule.batch):
            chosen = order[start : start + self.schedule.batch]
            if len(chosen) == 1 and len(order) > 1:
                continue  # batch statistics of a single patch are undefined at the deepest 1×1 features
            images = torch.from_numpy(fitting.images[chosen]).to(where).float() / 255
            truth = torch.from_numpy(fitting.truth[chosen]).to(where).float()
            images, truth = self.augmentation(images, truth, state.generator)
            inputs = self.prepare(images).contiguous(memory_format=torch.channels_last)
            with torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
                logits = state.network(inputs)
            known = (truth != 255).float()
            value = self.loss(logits.float(), (truth == 1).float(), known)
            state.optimizer.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
            state.optimizer.step()
            state.cycle.step()
            state.average.update(state.network)
            total, seen = total + float(value.detach()) * len(chosen), seen + len(chosen)
        return total / max(seen, 1)

    def _score(self, state: _State, tuning: PairArrays, mean_loss: float, seconds: float) -> None:
        codes = predict_codes(state.average.network, tuning.images, self.prepare, self.schedule.batch)
        curve = threshold_curve(histogram(codes, tuning.truth[:, 0]))
        score = float(np.nanmax(curve.f1))
        state.epoch += 1
        state.history.append(
            {"loss": mean_loss, "tuning_f1": score, "threshold": curve.best_threshold, "seconds": seconds}
        )
        if score > state.best_score:
            state.best_score, state.best_epoch = score, state.epoch
            weights = state.average.network.state_dict()
            state.best = {key: value.detach().cpu().clone() for key, value in weights.items()}
        log.info(
            "epoch %d/%d  loss %.4f  tuning F1 %.4f (best %.4f at %d)  %.0f s",
            state.epoch, self.schedule.epochs, mean_loss, score, state.best_score, state.best_epoch, seconds,
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
            log.warning("%s belongs to another training and is not taken up again", path)
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
        log.info("taken up again after epoch %d", self.epoch)
