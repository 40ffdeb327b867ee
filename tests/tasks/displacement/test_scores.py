"""Scores by hand, and the Diebold-Mariano test against figures worked out elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.tasks.displacement.scores import diebold_mariano, score, skill


def test_scores_of_four_forecasts_are_those_by_hand() -> None:
    measured, forecast = np.array([1.0, 2.0, 3.0, 6.0]), np.array([2.0, 2.0, 2.0, 8.0])

    found = score(forecast, measured, begin=np.array([10.0, 20.0, 30.0, 40.0]), scale=2.0)

    assert found.n == 4
    assert found.rmse == pytest.approx(math.sqrt(6 / 4))
    assert found.mae == 1
    assert found.bias == pytest.approx(0.5)
    assert found.mape == pytest.approx((1 + 0 + 1 / 3 + 1 / 3) / 4)
    assert found.mase == pytest.approx(0.5)
    assert found.r2_increment == pytest.approx(1 - 6 / 14)  # spread about the mean of 3
    assert found.r2_cumulative == pytest.approx(1 - 6 / 674)  # 11, 22, 33, 46 about 28
    assert found.bias_factor == pytest.approx(114 / 112)


def test_what_is_undefined_is_unknown() -> None:
    still = score(np.zeros(3), np.zeros(3), np.zeros(3), 0.0)

    assert still.rmse == 0
    assert all(math.isnan(one) for one in (still.mape, still.mase, still.r2_increment, still.bias_factor))
    assert math.isnan(score(np.ones(2), np.array([1.0, -1.0]), np.zeros(2), 1.0).mape)
    assert score(np.empty(0), np.empty(0), np.empty(0), 1.0).n == 0


def test_skill_is_one_less_the_ratio_of_errors() -> None:
    assert skill(1.3, {"no_change": 2.6, "drift": 1.0}) == {"no_change": 0.5, "drift": pytest.approx(-0.3)}
    assert math.isnan(skill(1.0, {"no_change": 0.0})["no_change"])


def test_diebold_mariano_with_its_correction_gives_the_figures_of_the_literature() -> None:
    found = diebold_mariano(np.array([1.0, 2.0, -1.0, 3.0, 0.0]), 1)

    assert found.statistic == pytest.approx(1.581139 * math.sqrt(0.8), abs=1e-6)
    assert found.p_value == pytest.approx(0.230200, abs=1e-6)
    assert found.n == 5


def test_differences_on_both_sides_of_a_gap_are_no_neighbours() -> None:
    # Of 3, 1, gap, -1, 1 about their mean of 1: 2, 0, gap, -2, 0. Neighbours are (2, 0) and (-2, 0) alone, so that the
    # covariance of neighbours is 0, and the variance of the mean that of uncorrelated ones: (8/4)/4 = 0.5.
    found = diebold_mariano(np.array([3.0, 1.0, np.nan, -1.0, 1.0]), 2)

    assert found.n == 4
    assert found.statistic == pytest.approx(math.sqrt((4 + 1 - 4 + 2 / 4) / 4) / math.sqrt(0.5))


def test_forecasts_that_do_not_differ_are_not_compared() -> None:
    assert math.isnan(diebold_mariano(np.zeros(20), 1).p_value)
    assert math.isnan(diebold_mariano(np.ones(3), 1).p_value)
