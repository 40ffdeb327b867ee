"""Features ranked: grey relational grades worked out elsewhere, and information where there is some."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.tasks.displacement.problem import Problem
from core.tasks.displacement.ranking import grey_relational_grades, most_informative, rank_features, scaled
from tests.tasks.displacement.slopes import rainy, slope


def test_grades_of_three_steps_are_those_of_the_definition() -> None:
    factors = np.array([[1.0, 3.0], [2.0, 2.0], [4.0, 1.0]])

    found = grey_relational_grades(np.array([1.0, 2.0, 3.0]), factors)

    assert found == pytest.approx([0.833333, 0.555556], abs=1e-6)
    assert list(grey_relational_grades(np.ones(3), np.ones((3, 2)))) == [1, 1]


def test_scaling_goes_from_nothing_to_one() -> None:
    assert scaled(np.array([[2.0, 7.0], [4.0, 7.0], [3.0, np.nan]]))[:, 0].tolist() == [0, 1, 0.5]
    assert scaled(np.array([[2.0, 7.0], [4.0, 7.0]]))[:, 1].tolist() == [0, 0]


def test_the_rain_of_the_day_tells_most_of_the_next_step() -> None:
    found = rank_features(Problem(rainy(200), 1), 150)

    assert found[0].name == "rain, sum of 1 day"
    assert found[0].information > 5 * found[0].chance
    level = next(one for one in found if one.name == "level")
    assert level.information < 0.2 * found[0].information
    assert found[0].grade > level.grade
    assert [one.information for one in found] == sorted((one.information for one in found), reverse=True)


def test_a_ranking_does_not_know_the_future() -> None:
    series = rainy(200)
    later = np.arange(200) > 120
    other = replace(series, displacements=series.displacements + 50.0 * later)

    first, second = (rank_features(Problem(one, 3), 120) for one in (series, other))

    assert [one.to_json() for one in first] == [one.to_json() for one in second]


def test_what_cannot_be_ranked_is_last_and_unknown() -> None:
    snow = np.where(np.arange(60) < 55, np.nan, 1.0)

    found = rank_features(Problem(slope(np.arange(60.0) ** 2, temperature=snow, rain=np.zeros(60)), 1), 50)

    assert np.isnan(found[-1].information)
    unknown = next(one for one in found if one.name.startswith("temperature"))
    assert (unknown.n, unknown.used, unknown.to_json()["grade"]) == (0, False, None)


def test_the_most_informative_features_are_chosen_of_those_that_are_known() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(100, 4))
    moved = values[:, 2] + 0.5 * values[:, 0]

    assert most_informative(values, moved, np.ones(4, bool), 2, 0).tolist() == [True, False, True, False]
    assert most_informative(values, moved, np.array([1, 1, 0, 1], bool), 1, 0).tolist() == [True, False, False, False]
