"""What any model can wear: a decomposition, one step at a time, and tuning; none of them sees the future."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from core.errors import InputError, RunCancelled
from core.series.monitoring import Values
from core.tasks.displacement.decomposed import DEGREES, TITLES, Decomposition, carried, decompose, decomposed, rest_of
from core.tasks.displacement.evaluate import evaluate, quiet
from core.tasks.displacement.forecasters import FORECASTERS, FeatureModel, Fitted, Forecaster, Setting
from core.tasks.displacement.plan import Plan, model_for
from core.tasks.displacement.problem import Problem, Steps, extended
from core.tasks.displacement.recursive import Recursive, recursive
from core.tasks.displacement.tuning import chosen_settings, tuned
from core.tasks.displacement.walk_forward import walk
from tests.tasks.displacement.slopes import rainy, slope

KINDS = tuple(one for one in TITLES if one != "none")


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_of_a_past_add_up_to_it(kind: Decomposition) -> None:
    past = np.cumsum(np.random.default_rng(0).normal(1, 1, 60))

    found = decompose(past, kind, 12, 3)

    assert found.trend + found.season + found.rest == pytest.approx(past)


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_is_all_trend_and_goes_on(kind: Decomposition) -> None:
    found = decompose(2.0 * np.arange(50), kind, 365, 4)

    assert found.ahead == pytest.approx(8)
    assert abs(found.season).max() == 0
    if kind in DEGREES:
        assert abs(found.rest).max() < 1e-6


def test_a_cubic_is_carried_on_as_a_cubic() -> None:
    at = np.arange(40.0)

    assert decompose(0.01 * at**3, "cubic", 365, 5).ahead == pytest.approx(0.01 * (44**3 - 39**3))


def test_a_season_of_known_shape_is_found_and_carried_on() -> None:
    at = np.arange(60)
    wave = 5 * np.sin(2 * np.pi * at / 12)

    # Five whole years: at the last step the wave is at sin(2 pi 59/12), three steps later at sin(2 pi 62/12).
    found = decompose(wave, "cubic", 12, 3)

    assert found.season == pytest.approx(wave, abs=0.2)  # the cubic takes a little of it
    assert found.ahead == pytest.approx(5 * (np.sin(2 * np.pi * 62 / 12) - np.sin(2 * np.pi * 59 / 12)), abs=0.5)


def test_a_line_with_a_season_goes_on_by_stl() -> None:
    at = np.arange(72)
    wave = 6 * np.sin(2 * np.pi * at / 12)

    # From 71 = 11 of the year to 74 = 2: three steps of 2 mm, and from sin(330°) to sin(60°).
    ahead = decompose(2.0 * at + wave, "stl", 12, 3).ahead

    assert ahead == pytest.approx(6 + 6 * (np.sin(np.pi / 3) + 0.5), abs=0.1)
    # A year and two steps ahead: 14 steps of 2 mm, and to sin(30°).
    assert decompose(2.0 * at + wave, "stl", 12, 14).ahead == pytest.approx(28 + 6 * (0.5 + 0.5), abs=0.1)


@dataclass(frozen=True)
class Nothing:
    """Says that nothing is left to move."""

    def predict(self, problem: Problem, origins: Steps) -> Values:
        return np.zeros(len(origins))


def nothing(problem: Problem, origin: int, seed: int, settings: Mapping[str, Setting]) -> Fitted:
    assert np.isfinite(problem.increments[problem.learnt_from(origin)]).all()
    return Nothing()


def test_a_model_of_the_rest_adds_to_what_is_carried_on() -> None:
    problem = Problem(rainy(90), 3)
    model = decomposed(Forecaster("nothing", "", "", nothing, "features"), "moving_average")

    origins = np.arange(60, 80)

    assert model.wrapped
    assert not model.explained
    found = walk(problem, model, origins).forecast
    assert found == pytest.approx(carried(problem, "moving_average", origins))
    rest = rest_of(problem, "moving_average")
    assert rest.increments[60:80] == pytest.approx(problem.increments[60:80] - found)
    assert rest.learnt_from(30)[0] == 7  # shorter pasts are not decomposed
    assert decomposed(FORECASTERS["drift"], "cubic") is FORECASTERS["drift"]


@dataclass(frozen=True)
class Half:
    """Half of the last step."""

    def predict(self, problem: Problem, origins: Steps) -> Values:
        x = problem.series.displacements
        return np.asarray((x[origins] - x[origins - 1]) / 2)


def test_a_step_at_a_time_each_forecast_becomes_the_past_of_the_next() -> None:
    problem = Problem(slope([0, 1, 2, 4, 8, 16, 100, 100]), 3)

    # From 8: 4, halved three times 2 + 1 + 0.5; from 16: 4 + 2 + 1; from the end: nothing more.
    assert Recursive(Half()).predict(problem, np.array([4, 5, 7])) == pytest.approx([3.5, 7, 0])


def test_a_series_goes_on_beyond_an_origin_without_what_is_not_known() -> None:
    series = slope(np.arange(6.0), rain=np.arange(6.0), level=np.arange(6.0))

    found = extended(Problem(series, 2, ("rain",)), 5)

    assert found.displacements.tolist() == [0, 1, 2, 3, 4, 5, 5, 5]
    assert found.filled.tolist() == [False] * 6 + [True] * 2
    assert np.diff(found.times).astype("timedelta64[D]").astype(int).tolist() == [1] * 7
    assert np.isnan(found.drivers["rain"][6:]).all()
    earlier = extended(Problem(series, 2, ("rain",)), 3)
    assert earlier.drivers["rain"].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isnan(earlier.drivers["level"][4:]).all()
    assert earlier.displacements.tolist() == [0, 1, 2, 3, 3, 3]


def test_a_series_of_any_length_is_forecast_beyond_its_end_a_step_at_a_time() -> None:
    # At 70 steps, but not at 68, windows of 14 days are features: the number of features must not change at the end.
    problem = Problem(rainy(68), 4)
    model = recursive(FORECASTERS["ridge"])

    found = model.fit(problem, 67, 0, model.settings).predict(problem, np.array([67]))

    assert np.isfinite(found).all()
    assert recursive(FORECASTERS["arima"]) is FORECASTERS["arima"]


def test_settings_are_chosen_by_what_is_known_at_the_fit() -> None:
    problem = Problem(rainy(160), 1)
    model = replace(
        FORECASTERS["xgboost"], settings={"n_estimators": 1, "max_depth": 1, "learning_rate": 0.02},
        space={"n_estimators": (1, 40), "max_depth": (1, 2), "learning_rate": (0.02, 0.3)},
    )  # fmt: skip

    chosen = chosen_settings(model, problem, 120, 0, model.settings, "bayesian", 8)

    # One tree that moves by a fiftieth is next to nothing.
    assert chosen != dict(model.settings)
    fitted = tuned(model, "random", 4).fit(problem, 120, 0, model.settings)
    assert isinstance(fitted, FeatureModel)
    assert set(fitted.settings) == set(model.settings)
    assert tuned(FORECASTERS["arima"], "random", 4) is FORECASTERS["arima"]
    with pytest.raises(RunCancelled):
        chosen_settings(model, problem, 120, 0, model.settings, "random", 2, lambda: True)


def test_settings_stay_as_they_are_where_too_little_is_known_to_choose() -> None:
    model = FORECASTERS["ridge"]

    assert chosen_settings(model, Problem(rainy(60), 1), 12, 0, model.settings, "random", 3) == dict(model.settings)


@pytest.mark.parametrize("plan", [
    *(Plan(3, decomposition=kind) for kind in KINDS), Plan(3, strategy="recursive"), Plan(3, features=4),
    Plan(3, tuning="random", trials=2), Plan(3, strategy="recursive", decomposition="moving_average"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["ridge", "arima", "gru"])
def test_no_forecast_of_a_wrapped_model_moves_when_the_future_does(plan: Plan, name: str) -> None:
    series = rainy(110, filled=[40, 41, 88])
    later = np.arange(110) > 95
    other = replace(
        series, displacements=series.displacements + later * np.linspace(0, 500, 110),
        drivers={driver: np.where(later, 77.0, values) for driver, values in series.drivers.items()},
    )  # fmt: skip
    origins = np.arange(90, 100)
    model = model_for(plan, name)
    if model.costly:
        model = replace(model, settings={"hidden": 3, "window": 4, "epochs": 1})

    with quiet():
        before, after = (walk(Problem(one, 3), model, origins, every=5).forecast for one in (series, other))

    assert np.isfinite(before[:6]).all()
    np.testing.assert_array_equal(before[:6], after[:6])
    assert (before[6:] != after[6:]).any()


def test_a_plan_is_evaluated_as_it_says() -> None:
    found = evaluate(rainy(120), Plan(2, 0.3, ("ridge",), tuning="random", trials=3, features=5, decomposition="cubic"))

    assert found.models["ridge"].settings["features"] == 5
    assert found.to_json()["features"][0]["name"] == found.ranking[0].name
    assert not evaluate(rainy(60), Plan(1, 0.3, ("drift",))).ranking
    for asked in ({"tuning": "grid"}, {"decomposition": "emd"}, {"strategy": "both"}, {"trials": 0}):
        with pytest.raises(InputError, match="Choose"):
            Plan(**asked)  # type: ignore[arg-type]
