"""ARIMA: what is kept of it forecasts as the fitted model does."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.tasks.displacement.arima import Arima, fit_arima
from core.tasks.displacement.problem import Problem
from tests.tasks.displacement.slopes import slope


def noisy(count: int = 150, filled: tuple[int, ...] = ()) -> Problem:
    random = np.random.default_rng(3)
    return Problem(slope(np.cumsum(random.normal(0.3, 0.5, count)) + random.normal(0, 1.0, count), filled), 5)


def test_a_walk_with_drift_goes_on_as_it_went_on_average() -> None:
    problem = Problem(slope([0, 2, 3, 7, 8, 9, 13, 15, 16, 20, 22, 23]), 4)

    found = Arima((0, 1, 0), (2.0, 1.0)).predict(problem, np.array([3, 11]))

    assert found == pytest.approx([8, 8])


@pytest.mark.parametrize("order", [(0, 1, 1), (1, 1, 1), (2, 1, 2)])
@pytest.mark.parametrize("filled", [(), (20, 21, 22, 90)])
def test_the_kept_parameters_forecast_as_statsmodels_does(order: tuple[int, int, int], filled: tuple[int, ...]) -> None:
    from statsmodels.tsa.arima.model import ARIMA

    problem = noisy(filled=filled)
    measured = np.where(problem.series.filled, np.nan, problem.series.displacements)[:121]
    fitted = ARIMA(measured, order=order, trend="t").fit()

    found = Arima(order, tuple(fitted.params)).predict(problem, np.array([120]))

    assert found[0] == pytest.approx(fitted.forecast(5)[-1] - measured[120], abs=1e-6)


def test_noise_about_a_trend_is_found_to_be_a_moving_average() -> None:
    found = fit_arima(noisy(300), 299)

    assert found.order[2] > 0
    assert found.params[0] == pytest.approx(0.3, abs=0.1)
    assert Arima(tuple(json.loads(json.dumps(found.to_json()))["order"]), found.params) == found
