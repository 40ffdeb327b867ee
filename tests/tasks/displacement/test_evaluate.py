"""Evaluations: the model that is judged, its scores, and the forecast beyond the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, RunCancelled
from core.series.columns import Columns, Components
from core.series.read import monitoring_of
from core.series.regular import regular_of
from core.series.table import read_table_untrusted
from core.tasks.displacement.evaluate import Evaluation, evaluate
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.simple import SIMPLE
from tests.tasks.displacement.slopes import rainy, slope


def squares() -> Evaluation:
    return evaluate(slope(np.arange(40.0) ** 2), Plan(2, 0.3, ("no_change",), intervals="split"))


def test_scores_of_a_parabola_are_those_by_hand() -> None:
    # From t the slope moves 4t + 4 in two steps. Origins 28 to 37 are tested, and 20 to 25 are those for calibration.
    found = squares()

    scores = found.models["no_change"].scores
    moved = 4 * np.arange(28, 38) + 4
    assert scores.n == 10
    assert scores.rmse == pytest.approx(np.sqrt(np.mean(moved**2.0)))
    assert scores.mae == pytest.approx(134.0)
    assert scores.mase == pytest.approx(134.0 / np.mean(4 * np.arange(26) + 4))
    assert scores.bias_factor == pytest.approx(np.mean(np.arange(28, 38) ** 2) / np.mean(np.arange(30, 40) ** 2))
    last = found.models["last_increment"]  # x(t) - x(t-2) = 4t - 4: 8 mm too little each time
    assert last.scores.rmse == last.training.rmse == pytest.approx(8)
    assert last.skill["no_change"] == pytest.approx(1 - 8 / scores.rmse)
    assert found.best_simple == found.chosen == found.best_on_test == "last_increment"
    assert last.against is None
    assert found.models["no_change"].against is not None
    assert found.models["no_change"].against.statistic > 0  # the larger errors


def test_the_forecast_beyond_the_end_starts_at_the_last_step() -> None:
    found = squares().models

    assert found["last_increment"].ahead == pytest.approx(39**2 - 37**2)
    assert found["no_change"].ahead == 0
    # Six errors for calibration are too few for an interval of 90 %.
    assert np.isnan(found["no_change"].ahead_width)
    assert found["no_change"].to_json()["ahead_low"] is None
    assert found["no_change"].to_json()["coverage90"] is None


def test_every_simple_forecast_stands_beside_a_model_and_models_are_told_as_they_come() -> None:
    told: list[str] = []
    steps: list[tuple[int, int]] = []

    found = evaluate(
        rainy(150), Plan(1, 0.3, ("ridge",)), lambda done, total: steps.append((done, total)),
        finished=lambda name, judged: told.append(name),
    )  # fmt: skip

    assert set(SIMPLE) | {"ridge"} == set(found.models) | set(found.left_out)
    assert told == list(found.models)
    assert steps[-1] == (6, 6)
    assert found.chosen == "ridge"
    ours = found.to_json()["models"]["ridge"]
    assert ours["skill"]["no_change"] > 0.3
    assert ours["coverage_n"] == 44
    assert ours["coverage90"] > 0.8
    assert ours["refits"] == 11
    assert ours["dm"]["p_value"] < 0.05
    assert {"rmse", "mae", "mase", "mape", "r2_increment", "r2_cumulative", "bias_factor", "coverage_ok", "seconds",
            "n"} <= set(ours)  # fmt: skip


def test_what_cannot_be_forecast_is_left_out_with_its_reason() -> None:
    found = evaluate(rainy(26), Plan(1, 0.5, ("ridge",)))

    assert "Only 9 movements over 1 step are" in found.left_out["ridge"]
    assert "seasonal_naive" in found.left_out
    assert found.chosen in SIMPLE


def test_the_best_on_the_test_part_is_found_among_equals() -> None:
    # Each year of 18 steps is like the one before: the seasonal forecast is perfect from the second one on.
    values = np.cumsum(np.tile(np.random.default_rng(0).normal(size=18), 4))[:60]

    found = evaluate(slope(values, step="20D"), Plan(1, 0.75, ("no_change",)))

    assert found.models["seasonal_naive"].scores.rmse == pytest.approx(0)
    assert found.models["seasonal_naive"].scores.n < found.models["no_change"].scores.n
    assert found.best_on_test != "seasonal_naive"


def test_a_plan_that_cannot_be_is_refused_and_a_run_is_stopped() -> None:
    with pytest.raises(InputError, match="Unknown model 'oracle'"):
        Plan(models=("oracle",))
    with pytest.raises(InputError, match="is not valid"):
        Plan(horizon=0)
    with pytest.raises(RunCancelled):
        evaluate(rainy(60), Plan(), cancel=lambda: True)
    with pytest.raises(InputError, match="gap"):
        evaluate(slope(np.arange(40.0), filled=range(28, 39)), Plan(1, 0.3))


def test_a_slope_that_does_not_move_has_no_skill_and_no_failure() -> None:
    found = evaluate(slope(np.zeros(60)), Plan(1, 0.3, ("ridge", "xgboost", "arima")))

    for name, one in found.models.items():
        assert one.scores.rmse == pytest.approx(0, abs=1e-4), name
        assert one.to_json()["mase"] is None, name
    assert "too short" in found.left_out["seasonal_naive"]


@pytest.mark.realdata
def test_salmon_falls_gives_the_figures_that_were_found_apart_from_this_code(shared_data: Path) -> None:
    columns = Columns(
        "date", components=(Components("BLKM", "BLKM_n_mm", "BLKM_e_mm"),), unit="mm",
        reference=Components("BASE", "BASE_n_mm", "BASE_e_mm"),
    )  # fmt: skip
    path = shared_data / "salmon_falls_gps" / "daily_merged.csv"
    series = regular_of(monitoring_of(read_table_untrusted(path), columns), "BLKM", "D")

    found = evaluate(series, Plan(7, 0.6, ("no_change",))).models

    rmse = {name: one.scores.rmse for name, one in found.items()}
    assert found["no_change"].scores.n == 202
    assert rmse["no_change"] == pytest.approx(2.73, abs=0.01)
    assert rmse["last_increment"] == pytest.approx(1.29, abs=0.02)  # there, gaps before an origin kept their last value
    assert rmse["drift"] == pytest.approx(1.76, abs=0.01)
    assert rmse["trend_line"] == pytest.approx(1.51, abs=0.01)
