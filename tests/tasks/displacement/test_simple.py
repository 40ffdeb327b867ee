"""Forecasts that need no learning, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.tasks.displacement.problem import Problem
from core.tasks.displacement.simple import SIMPLE
from tests.tasks.displacement.slopes import slope


def forecast(name: str, problem: Problem, origin: int) -> float:
    return float(SIMPLE[name][2](problem, np.array([origin]))[0])


def test_each_forecast_of_a_short_series_is_what_one_reads_off_it() -> None:
    problem = Problem(slope([0, 1, 3, 4, 4, 7, 9, 10]), 2)

    assert forecast("no_change", problem, 5) == 0
    assert forecast("last_increment", problem, 5) == 7 - 4
    assert forecast("drift", problem, 5) == pytest.approx(2 * 7 / 5)
    # A quarter of eight steps is less than three: a line through 4, 4, 7 rises 1.5 a step and is at 6.5 at the origin.
    assert forecast("trend_line", problem, 5) == pytest.approx(6.5 + 2 * 1.5 - 7)


def test_a_forecast_that_reaches_before_the_series_is_unknown() -> None:
    problem = Problem(slope(np.arange(20.0)), 3)

    assert np.isnan(forecast("last_increment", problem, 2))
    assert forecast("last_increment", problem, 3) == 3
    assert np.isnan(forecast("drift", problem, 0))
    assert np.isnan(forecast("seasonal_naive", problem, 19))


def test_the_year_before_is_twelve_months_back() -> None:
    values = np.arange(40.0) ** 2
    problem = Problem(slope(values, step="month"), 3)

    assert forecast("seasonal_naive", problem, 30) == values[30 + 3 - 12] - values[30 - 12]
    assert np.isnan(forecast("seasonal_naive", problem, 11))


def test_a_trend_line_goes_through_thirty_steps_of_a_long_series() -> None:
    values = np.concatenate([np.zeros(200), 2.0 * np.arange(30)])
    problem = Problem(slope(values), 5)

    assert forecast("trend_line", problem, 229) == pytest.approx(10)
    assert forecast("trend_line", problem, 228) != pytest.approx(10)
