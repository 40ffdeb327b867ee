"""What is forecast, and what is known at each step: by hand, and never from the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InputError
from core.tasks.displacement.problem import Problem
from tests.tasks.displacement.slopes import rainy, slope


def feature(problem: Problem, name: str) -> list[float]:
    return list(problem.features.values[:, problem.features.names.index(name)])


def test_movements_reach_to_the_target_and_gaps_are_not_used() -> None:
    problem = Problem(slope([0, 1, 3, 6, 10, 15, 21], filled=[3]), 2)

    assert list(problem.increments[:5]) == [3, 5, 7, 9, 11]
    assert np.isnan(problem.increments[5:]).all()
    assert list(problem.usable) == [True, False, True, False, True, False, False]
    # At step 4 the movement from 2 to 4 has just become known; that from 4 is not.
    assert list(problem.learnt_from(4)) == [0, 2]


def test_features_are_sums_changes_and_means_up_to_the_step() -> None:
    series = slope(
        np.arange(20.0) ** 2, rain=[1, 2, np.nan, *[4.0] * 17], level=[5, 7, *[6.0] * 18], discharge=np.arange(20.0),
    )  # fmt: skip
    problem = Problem(series, 2)

    assert feature(problem, "movement, 3 days")[3:6] == [9, 15, 21]
    assert np.isnan(feature(problem, "movement, 3 days")[:3]).all()
    # An unknown day makes a sum unknown: it is not "no rain".
    assert np.isnan(feature(problem, "rain, sum of 3 days")[:5]).all()
    assert feature(problem, "rain, sum of 3 days")[5] == 12
    assert feature(problem, "level, change in 1 day")[1:4] == [2, -1, 0]
    assert feature(problem, "discharge, mean of 3 days")[2:4] == [1, 2]


def test_a_planned_driver_is_known_up_to_the_target_and_no_other_is() -> None:
    rain = np.arange(20.0)
    problem = Problem(slope(np.zeros(20), rain=rain, level=rain**2), 2, ("rain",))

    assert feature(problem, "rain, up to the target")[10] == 11 + 12
    assert not any(name.startswith("level, up to") for name in problem.features.names)
    assert feature(Problem(slope(np.zeros(20), level=rain**2), 2, ("level",)), "level, up to the target")[10] == 44


@pytest.mark.parametrize("known_future", [(), ("rain",)])
def test_no_feature_moves_when_the_future_does(known_future: tuple[str, ...]) -> None:
    series = replace(rainy(700), times=np.datetime64("2020-01-01", "ns") + np.arange(700) * np.timedelta64(1, "D"))
    now = 500
    later = np.arange(700) > now
    other = replace(
        series, displacements=series.displacements + 100 * later,
        drivers={
            name: np.where(later & (name not in known_future), np.nan, values)
            for name, values in series.drivers.items()
        },
    )  # fmt: skip

    before, after = (Problem(one, 7, known_future).features for one in (series, other))

    assert before.names == after.names
    assert {"rain", "level", "past movement", "season"} == set(before.groups)
    np.testing.assert_array_equal(before.values[: now + 1], after.values[: now + 1])


def test_the_season_is_that_of_the_target() -> None:
    problem = Problem(slope(np.zeros(36), step="month"), 3)

    # The target of December 2010 (step 11) is March 2011: a little less than a quarter of a year is over.
    assert feature(problem, "season (sine)")[11] == pytest.approx(np.sin(2 * np.pi * (59 / 365.25)), abs=0.02)
    assert "season (sine)" not in Problem(slope(np.zeros(17), step="month"), 3).features.names


def test_a_horizon_or_a_driver_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="is not possible"):
        Problem(slope(np.zeros(10)), 5)
    with pytest.raises(InputError, match="no driver 'snow'"):
        Problem(rainy(), 1, ("snow",))
