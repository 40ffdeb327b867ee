"""A network over the last steps of a series: recurrent, with a convolution before it if asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.series.monitoring import Values
from core.tasks.displacement.problem import LEVEL, Problem, Steps, changed

if TYPE_CHECKING:
    from torch import nn

KINDS = ("lstm", "gru", "cnn_lstm")

BATCH = 32


@dataclass(frozen=True)
class SequenceModel:
    """A fitted network.

    Attributes
    ----------
    network
        In evaluation mode: ``(n, window, channels) -> (n,)``.
    window
        Steps that it looks at.
    middle, spread
        ``(channels,)`` by which channels are standardised, of the steps that it was fitted on.
    target
        Mean and standard deviation of the movements that it was fitted on, mm.
    """

    network: nn.Module
    window: int
    middle: NDArray[np.float64]
    spread: NDArray[np.float64]
    target: tuple[float, float]

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """See `core.tasks.displacement.forecasters.Fitted`; NaN where the window reaches before the series."""
        import torch

        found = np.full(len(origins), np.nan)
        whole = origins >= self.window - 1
        if whole.any():
            inputs = _windows(problem, origins[whole], self.window, self.middle, self.spread)
            with torch.inference_mode():
                said = self.network(torch.from_numpy(inputs)).numpy().astype(np.float64)
            found[whole] = said * self.target[1] + self.target[0]
        return found


def channels_of(problem: Problem) -> NDArray[np.float64]:
    """``(n, channels)`` what the network is given of each step: its movement, rain, change of levels, and others.

    Of drivers whose future is known the value at the target is given beside that of the step.
    """
    series = problem.series
    columns = [changed(series.displacements, 1)]
    for name, values in series.drivers.items():
        one = changed(values, 1) if series.quantities[name] in LEVEL else values
        columns.append(one)
        if series.quantities[name] in LEVEL:
            columns.append(values)
        if name in problem.known_future:
            ahead = np.full(len(one), np.nan)
            ahead[: -problem.horizon] = one[problem.horizon :]
            columns.append(ahead)
    return np.column_stack(columns)


def fit_network(
    problem: Problem, origin: int, seed: int, kind: str, settings: Mapping[str, float | int | str]
) -> SequenceModel:
    """Fit a network on the movements that are known at an origin.

    Raises
    ------
    InputError
        When there are too few; see `core.tasks.displacement.forecasters.pairs`.
    """
    import torch

    from core.tasks.displacement.forecasters import pairs

    window = min(int(settings["window"]), max(2, (origin + 1) // 4))
    rows = pairs(problem, origin)
    rows = rows[rows >= window - 1]
    known = channels_of(problem)[: origin + 1]
    with np.errstate(invalid="ignore"):
        middle = np.nan_to_num(_mean(known))
        spread = np.nan_to_num(_deviation(known), nan=1.0)
    spread = np.where(spread > 0, spread, 1.0)
    moved = problem.increments[rows]
    target = (float(moved.mean()), float(moved.std()) or 1.0)
    inputs = torch.from_numpy(_windows(problem, rows, window, middle, spread))
    wanted = torch.from_numpy(((moved - target[0]) / target[1]).astype(np.float32))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network_class()(inputs.shape[2], int(settings["hidden"]), kind)
        _train(network, inputs, wanted, int(settings["epochs"]))
    return SequenceModel(network.eval(), window, middle, spread, target)


def _train(network: Any, inputs: Any, wanted: Any, epochs: int) -> None:  # noqa: ANN401  of torch
    import torch

    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1e-2, epochs=epochs, steps_per_epoch=max(1, -(-len(inputs) // BATCH))
    )
    loss = torch.nn.SmoothL1Loss()
    network.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(BATCH):
            optimiser.zero_grad()
            loss(network(inputs[rows]), wanted[rows]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()


def _windows(
    problem: Problem, origins: Steps, window: int, middle: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float32]:
    """``(n, window, 2 channels)`` standardised steps up to each origin, and which of their values are unknown."""
    known = (channels_of(problem) - middle) / spread
    at = origins[:, None] + np.arange(1 - window, 1)
    values = known[at]
    unknown = np.isnan(values)
    return np.concatenate([np.where(unknown, 0.0, values), unknown], axis=2).astype(np.float32)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    far = np.where(known, values - _mean(values), 0.0)
    return np.asarray(np.sqrt((far**2).sum(axis=0) / np.maximum(known.sum(axis=0), 1)))


@lru_cache(maxsize=1)
def _network_class() -> Any:  # noqa: ANN401  torch is imported when a network is first fitted
    import torch
    from torch import nn

    class SequenceNet(nn.Module):
        """Recurrent units over steps, and a line from the last state and from the last step itself.

        Parameters
        ----------
        channels
            Values of a step.
        hidden
            Units.
        kind
            One of `KINDS`.
        """

        def __init__(self, channels: int, hidden: int, kind: str) -> None:
            super().__init__()
            wide = hidden if kind == "cnn_lstm" else channels
            self.front = nn.Conv1d(channels, hidden, 3, padding=1) if kind == "cnn_lstm" else None
            cell = nn.GRU if kind == "gru" else nn.LSTM
            self.core = cell(wide, hidden, batch_first=True)
            self.drop = nn.Dropout(0.1)
            self.head = nn.Linear(hidden + channels, 1)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            """``(n, window, channels)`` to ``(n,)``."""
            steps = inputs
            if self.front is not None:
                steps = torch.relu(self.front(inputs.transpose(1, 2))).transpose(1, 2)
            states, _ = self.core(steps)
            joined = torch.cat([self.drop(states[:, -1]), inputs[:, -1]], dim=1)
            said: torch.Tensor = self.head(joined).squeeze(1)
            return said

    return SequenceNet
