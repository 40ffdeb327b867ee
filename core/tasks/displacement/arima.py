"""ARIMA models of cumulative displacement, kept as their order and parameters alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InputError
from core.series.monitoring import Values
from core.tasks.displacement.problem import Problem, Steps

ORDERS = ((0, 1, 0), (1, 1, 0), (0, 1, 1), (1, 1, 1), (2, 1, 0), (2, 1, 2))
"""Orders that are tried."""


@dataclass(frozen=True)
class Arima:
    """A fitted ARIMA model with drift.

    Attributes
    ----------
    order
        Order of autoregression, differences and moving average.
    params
        Drift (mm a step), autoregression, moving average, variance.
    """

    order: tuple[int, int, int]
    params: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"order": list(self.order), "params": list(self.params)}

    def predict(self, problem: Problem, origins: Steps) -> Values:
        """See `core.tasks.displacement.forecasters.Fitted`: the past is filtered up to each origin and no further."""
        found = np.full(len(origins), np.nan)
        if not len(origins):
            return found
        measured = _measured(problem)
        states = _model(measured[: int(origins.max()) + 1], self.order).filter(list(self.params))
        for at, origin in enumerate(origins):
            ahead = _ahead(states, int(origin), problem.horizon, self.order)
            found[at] = ahead - problem.series.displacements[origin]
        return found


def _ahead(states: Any, origin: int, horizon: int, order: tuple[int, int, int]) -> float:  # noqa: ANN401
    """Forecast of the level, from the filtered state at an origin."""
    del order
    transition, design = states.filter_results.transition[:, :, 0], states.filter_results.design[:, :, 0]
    constant = states.filter_results.state_intercept[:, 0]
    offset = states.filter_results.obs_intercept
    state = states.filter_results.filtered_state[:, origin]
    for _ in range(horizon):
        state = transition @ state + constant
    at = min(origin + horizon, offset.shape[1] - 1)
    drift = 0.0
    if offset.shape[1] > 1:  # a trend that is added to what is observed grows with each step
        slope = float(offset[0, -1] - offset[0, -2])
        drift = float(offset[0, at]) + slope * (origin + horizon - at)
    return float((design @ state)[0] + drift)


def fit_arima(problem: Problem, origin: int) -> Arima:
    """Fit the order with the smallest AICc on what was known at an origin.

    Raises
    ------
    InputError
        When none can be fitted.
    """
    measured = _measured(problem)[: origin + 1]
    best: tuple[float, Arima] | None = None
    for order in ORDERS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = _model(measured, order).fit(method_kwargs={"maxiter": 50})
        except (np.linalg.LinAlgError, ValueError):
            continue
        score = float(fitted.aicc)
        if np.isfinite(score) and (best is None or score < best[0]):
            best = (score, Arima(order, tuple(map(float, fitted.params))))
    if best is None:
        raise InputError("No ARIMA model could be fitted.", "The series may be constant.", (
            "Remove arima from the models."
        ))
    return best[1]


def _measured(problem: Problem) -> Values:
    """Cumulative displacement, unknown where a gap was filled: the filter bridges it with the right uncertainty."""
    return np.where(problem.series.filled, np.nan, problem.series.displacements)


def _model(values: Values, order: tuple[int, int, int]) -> Any:  # noqa: ANN401  of statsmodels
    from statsmodels.tsa.arima.model import ARIMA

    return ARIMA(values, order=order, trend="t")
