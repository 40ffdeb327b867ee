"""Walk-forward: worked by hand, and blind to what comes after an origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from core.errors import InputError, ModelError, RunCancelled
from core.series.monitoring import Values
from core.tasks.displacement.evaluate import quiet
from core.tasks.displacement.forecasters import FORECASTERS, Forecaster, Setting
from core.tasks.displacement.problem import Problem, Steps
from core.tasks.displacement.walk_forward import limited, parts_of, refit_at, walk
from tests.tasks.displacement.slopes import rainy, slope

FEW: dict[str, Mapping[str, Setting]] = {
    **{name: {"hidden": 4, "window": 6, "epochs": 2} for name in ("lstm", "gru", "cnn_lstm")},
    "random_forest": {"n_estimators": 5, "min_samples_leaf": 3},
    "xgboost": {"n_estimators": 5, "max_depth": 2, "learning_rate": 0.3},
}
"""Settings that are quick."""


@dataclass(frozen=True)
class Mean:
    """Says the mean of all movements that it was fitted on."""

    value: float

    def predict(self, problem: Problem, origins: Steps) -> Values:
        return np.full(len(origins), self.value)


def mean_of(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Mean:
    del seed, settings
    return Mean(float(problem.increments[problem.learnt_from(origin)].mean()))


MEAN = Forecaster("mean", "Mean", "the mean movement", mean_of, "series")

SQUARES = [0.0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121]
"""Movements over one step: 1, 3, 5 ..."""


def test_forecasts_of_a_short_series_are_those_by_hand() -> None:
    problem = Problem(slope(SQUARES), 1)

    found = walk(problem, MEAN, np.arange(6, 11), every=2)

    # At step 6 the movements 1, 3, ... 11 are known: 6 on average; at step 8 1 to 15, and at step 10 1 to 19.
    assert list(found.forecast) == [6, 6, 8, 8, 10]
    assert found.refits == 3
    assert list(found.errors(problem)) == [6 - 13, 6 - 15, 8 - 17, 8 - 19, 10 - 21]


def test_two_steps_ahead_the_last_movements_are_not_known_yet() -> None:
    problem = Problem(slope(SQUARES), 2)

    # At step 6 the movement from 4 to 6 is the last one known: 4, 8, 12, 16, 20.
    assert list(walk(problem, MEAN, np.arange(6, 8), every=5).forecast) == [12, 12]


def test_a_window_forgets() -> None:
    problem = Problem(slope(SQUARES), 1)

    assert list(walk(problem, MEAN, np.arange(8, 10), every=1, window=4).forecast) == [(11 + 13 + 15) / 3, 15]
    assert list(limited(problem, 8, 4).learnt_from(8)) == [5, 6, 7]


def test_what_begins_or_ends_in_a_gap_is_neither_scored_nor_learnt_from() -> None:
    problem = Problem(slope(SQUARES, filled=[3, 8]), 1)

    found = walk(problem, MEAN, np.arange(6, 11), every=10)

    assert found.forecast[0] == (1 + 3 + 9 + 11) / 4
    assert list(np.isnan(found.errors(problem))) == [False, True, True, False, False]
    assert np.isnan(found.forecast[2])  # a filled value is drawn from both sides


def test_the_parts_of_a_series_do_not_overlap() -> None:
    parts = parts_of(Problem(slope(np.arange(100.0)), 5), 0.3)

    assert (parts.test[0], parts.test[-1]) == (70, 94)
    assert (parts.calibration[0], parts.calibration[-1]) == (49, 64)  # 64 + 5 lies before 70
    with pytest.raises(InputError, match="out of range"):
        parts_of(Problem(slope(np.arange(100.0)), 5), 0.99)
    with pytest.raises(InputError, match="3 of each are needed"):
        parts_of(Problem(slope(np.arange(12.0)), 3), 0.3)


def test_models_are_fitted_as_often_as_asked() -> None:
    origins = np.arange(100, 150)

    assert list(refit_at(origins, 0, costly=False)) == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert list(refit_at(origins, 20, costly=False)) == [0, 20, 40]
    assert list(refit_at(origins, 1, costly=True)) == [0, 10, 20, 30, 40]
    assert walk(Problem(slope(SQUARES), 1), FORECASTERS["drift"], np.arange(6, 11)).refits == 0


def test_a_walk_is_stopped() -> None:
    with pytest.raises(RunCancelled):
        walk(Problem(slope(SQUARES), 1), MEAN, np.arange(6, 11), cancel=lambda: True)


@pytest.mark.parametrize("name", FORECASTERS)
def test_no_forecast_moves_when_the_future_does(name: str) -> None:
    series = rainy(140, filled=[40, 41, 100, 112])
    now = 118
    later = np.arange(140) > now
    other = replace(
        series, displacements=series.displacements + later * np.linspace(0, 500, 140),
        drivers={name: np.where(later, 77.0, values) for name, values in series.drivers.items()},
    )  # fmt: skip
    origins = np.arange(100, 133)
    model = replace(FORECASTERS[name], settings=FEW.get(name, FORECASTERS[name].settings))

    with quiet():
        before, after = (walk(Problem(one, 3), model, origins).forecast for one in (series, other))

    known = origins <= now
    np.testing.assert_array_equal(before[known], after[known])
    if name != "seasonal_naive":  # shorter than a year: it has no forecast
        assert np.isfinite(before[known & ~series.filled[origins]]).all()
    if name not in ("no_change", "seasonal_naive"):
        assert (before[~known] != after[~known]).any()


@pytest.mark.parametrize("name", [name for name, one in FORECASTERS.items() if one.family == "features"])
def test_models_with_features_learn_that_rain_moves_the_slope(name: str) -> None:
    problem = Problem(rainy(300), 1)
    origins = np.arange(200, 299)

    with quiet():
        ours = walk(problem, FORECASTERS[name], origins, every=50).errors(problem)
    still = walk(problem, FORECASTERS["drift"], origins).errors(problem)

    # The movement is a tenth of the rain (deviation 0.7 mm) and errors of 0.2 mm at both ends (0.28 mm).
    assert np.sqrt(np.nanmean(ours**2)) < 0.7 * np.sqrt(np.nanmean(still**2))


def test_a_fit_that_a_library_refuses_is_told_as_ours() -> None:
    def refuse(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Mean:
        raise ValueError("Input X contains NaN.\nMore that is of no use to anybody.")

    model = Forecaster("refused", "Refused", "a model that cannot be fitted", refuse, "series")
    problem = Problem(slope(SQUARES), 1)
    with pytest.raises(ModelError, match=r"Refused could not be fitted\. Input X contains NaN\.$"):
        walk(problem, model, np.array([5, 6]))
