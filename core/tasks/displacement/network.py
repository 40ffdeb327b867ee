"""One network for sequences, with interchangeable parts, fitted on what was known at an origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import InputError
from core.series.monitoring import Values
from core.series.windows import changed
from core.tasks.displacement.forecasters import Setting, pairs
from core.tasks.displacement.problem import LEVEL, Problem, Steps, ahead_of, season_of

Front = Literal["none", "conv"]
Core = Literal["lstm", "gru"]

KINDS: dict[str, tuple[Front, Core]] = {
    "lstm": ("none", "lstm"), "gru": ("none", "gru"), "cnn_lstm": ("conv", "lstm"),
}  # fmt: skip
"""Settings of `SequenceNet` that have a name."""

BATCH = 64
RATE = 0.01
DECAY = 1e-3

Floats = NDArray[np.float32]


class SequenceNet(nn.Module):
    """Reads a window of steps and forecasts one movement.

    Parameters
    ----------
    channels, statics
        Values at each step of the window, and values that stand beside it.
    front
        What the window passes first: nothing, or a convolution over three steps.
    core
        Recurrent units: long short-term memory (Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735) or
        gated recurrent units (Cho et al. 2014, doi:10.3115/v1/D14-1179).
    hidden
        Units of each layer.
    """

    def __init__(self, channels: int, statics: int, front: Front, core: Core, hidden: int) -> None:
        super().__init__()
        self.front = nn.Conv1d(channels, hidden, 3, padding=1) if front == "conv" else None
        cell = nn.LSTM if core == "lstm" else nn.GRU
        self.core = cell(hidden if front == "conv" else channels, hidden, batch_first=True)
        self.head = nn.Linear(hidden + statics, 1)

    def forward(self, windows: Tensor, statics: Tensor) -> Tensor:
        """``(batch,)`` of ``(batch, steps, channels)`` and ``(batch, statics)``."""
        if self.front is not None:
            windows = torch.relu(self.front(windows.transpose(1, 2))).transpose(1, 2)
        states, _ = self.core(windows)
        found: Tensor = self.head(torch.cat([states[:, -1], statics], dim=1))[:, 0]
        return found


@dataclass(frozen=True)
class Scaling:
    """Brings values to mean 0 and deviation 1; unknown ones become 0, with a column that says so.

    Attributes
    ----------
    mean, deviation
        ``(columns,)`` of what was fitted on; a column without spread has deviation 1.
    gapped
        ``(columns,)`` whether a value was unknown: such a column is given one that marks it.
    """

    mean: Values
    deviation: Values
    gapped: NDArray[np.bool_]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Scaling:
        """Scaling of ``(n, columns)`` values."""
        known = np.isfinite(values)
        number = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, values, 0.0).sum(axis=0) / number
        spread = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / number)
        return cls(mean, np.where(spread > 0, spread, 1.0), np.asarray(~known.all(axis=0)))

    @property
    def columns(self) -> int:
        """How many columns the scaled values have."""
        return len(self.mean) + int(self.gapped.sum())

    def apply(self, values: NDArray[np.float64]) -> Floats:
        """``(..., columns)`` of ``(..., columns before)``."""
        known = np.isfinite(values)
        scaled = np.where(known, (values - self.mean) / self.deviation, 0.0)
        marks = (~known)[..., self.gapped].astype(np.float64)
        return np.concatenate([scaled, marks], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class FittedNetwork:
    """A network that was fitted on what was known at an origin; see `core.tasks.displacement.forecasters.Fitted`."""

    network: SequenceNet
    window: int
    inputs: Scaling
    statics: Scaling
    target: Scaling

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """``(n,)`` mm from each origin to its target."""
        if not len(origins):
            return np.empty(0)
        windows = torch.from_numpy(self.inputs.apply(windows_of_steps(channels_of(problem), origins, self.window)))
        beside = torch.from_numpy(self.statics.apply(statics_of(problem)[origins]))
        with one_thread(), torch.inference_mode():
            found = self.network(windows, beside).numpy().astype(np.float64)
        return np.asarray(found * self.target.deviation[0] + self.target.mean[0])


def channels_of(problem: Problem) -> NDArray[np.float64]:
    """``(n, channels)`` what is read at each step: the movement since the step before, and the drivers."""
    series = problem.series
    columns = [changed(series.displacements, 1)]
    for name, values in series.drivers.items():
        columns.append(values)
        if series.quantities[name] in LEVEL:
            columns.append(changed(values, 1))
    return np.column_stack(columns)


def statics_of(problem: Problem) -> NDArray[np.float64]:
    """``(n, statics)`` what is known of the target: the season, and drivers whose future is known."""
    series, horizon = problem.series, problem.horizon
    columns = [values for _, _, values in season_of(problem)]
    for name in problem.known_future:
        columns.append(ahead_of(name, series.quantities[name], series.drivers[name], horizon)[2])
    return np.column_stack(columns) if columns else np.empty((len(problem), 0))


def windows_of_steps(values: NDArray[np.float64], ends: Steps, window: int) -> NDArray[np.float64]:
    """``(n, window, columns)`` the steps up to each end; NaN before the first one."""
    at = ends[:, None] + np.arange(1 - window, 1)
    return np.where((at >= 0)[..., None], values[np.maximum(at, 0)], np.nan)


def fit_network(
    problem: Problem, origin: int, seed: int, kind: str, settings: Mapping[str, Setting]
) -> FittedNetwork:
    """Fit a network on the movements that were known at an origin.

    Parameters
    ----------
    kind
        Of `KINDS`.
    settings
        ``hidden`` units, steps of the ``window`` (0: twice the horizon, 12 at least and 48 at most), ``epochs``.

    Raises
    ------
    InputError
        When there are too few movements, or the fit went astray.
    """
    rows = pairs(problem, origin)
    window = int(settings["window"]) or min(48, max(12, 2 * problem.horizon))
    channels, beside = channels_of(problem), statics_of(problem)
    inputs = Scaling.of(channels[: int(rows[-1]) + 1])
    statics, target = Scaling.of(beside[rows]), Scaling.of(problem.increments[rows][:, None])
    data = (
        torch.from_numpy(inputs.apply(windows_of_steps(channels, rows, window))),
        torch.from_numpy(statics.apply(beside[rows])),
        torch.from_numpy(target.apply(problem.increments[rows][:, None])[:, 0]),
    )
    front, core = KINDS[kind]
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SequenceNet(inputs.columns, statics.columns, front, core, int(settings["hidden"]))
        _train(network, data, int(settings["epochs"]), torch.Generator().manual_seed(seed))
    return FittedNetwork(network.eval(), window, inputs, statics, target)


def _train(network: SequenceNet, data: tuple[Tensor, Tensor, Tensor], epochs: int, generator: torch.Generator) -> None:
    windows, beside, target = data
    batches = -(-len(target) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(2, epochs * batches))
    loss = torch.zeros(())
    for _ in range(epochs):
        for rows in torch.randperm(len(target), generator=generator).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.huber_loss(network(windows[rows], beside[rows]), target[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    if not torch.isfinite(loss):
        raise InputError("The network could not be fitted: its error is not finite.", remedy=(
            "Remove it from the models."
        ))


@contextmanager
def one_thread() -> Iterator[None]:
    """Networks this small are slower on more threads; what was set before is set again.

    It is set also where PyTorch says that it is 1 already: under a limit of threadpoolctl it says so, while its
    backward pass goes on with more, which wait for each other and take ten times as long on a busy machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
