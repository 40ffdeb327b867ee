"""Contributions of factors add up for every model, and are what other ways say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import ModelError
from core.explain.tabular import Contributions, SamplingExplainer, deletion, partner
from core.tasks.susceptibility.explainers import ADDITIVE, TREES, explainer_for, log_odds, sentence
from core.tasks.susceptibility.factors import Factors, factor_of_column
from core.tasks.susceptibility.index_map import said
from core.tasks.susceptibility.models import MODELS, pipeline_of

KINDS = Factors(("slope", "noise"), ("rock",), ("aspect",))


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "slope": rng.random(160), "noise": rng.random(160), "aspect": rng.uniform(0, 360, 160),
        "rock": rng.choice(["a", "b", "c"], 160),
    })  # fmt: skip


@pytest.fixture(scope="module")
def slide(cells: pd.DataFrame) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.asarray(cells["slope"] + 0.4 * (cells["rock"] == "a") + 0.5 * rng.random(160) > 0.9)


@pytest.mark.filterwarnings("ignore:lbfgs failed")
@pytest.mark.parametrize("name", MODELS)
def test_contributions_add_up_to_what_the_model_says(name: str, cells: pd.DataFrame, slide: np.ndarray) -> None:
    model = pipeline_of(name, KINDS, 0).fit(cells, slide)
    explainer = explainer_for(name, (model,), KINDS.names, cells)

    found = explainer.explain(cells.iloc[:12])

    expected = log_odds(model, cells.iloc[:12]) if name in ADDITIVE else said((model,), cells.iloc[:12])
    if name == "xgboost":
        expected = np.log(expected / (1 - expected))
    assert found.output == pytest.approx(expected, abs=1e-5)
    assert found.base + found.values.sum(axis=1) == pytest.approx(expected, abs=1e-3)
    assert explainer.quick == (name in (*ADDITIVE, *TREES))
    assert dict(found.importance())["slope"] > dict(found.importance())["noise"]


def test_a_linear_model_is_its_coefficients_times_the_distance_from_the_mean(
    cells: pd.DataFrame, slide: np.ndarray
) -> None:
    model = pipeline_of("logistic_regression", KINDS, 0).fit(cells, slide)
    found = explainer_for("logistic_regression", (model,), KINDS.names, cells).explain(cells.iloc[:5])

    design = model[:-1].transform(cells)
    terms = (design[:5] - design.mean(axis=0)) * model[-1].coef_[0]
    columns = factor_of_column(model)
    by_factor = [sum(terms[:, at] for at, one in enumerate(columns or ()) if one == name) for name in KINDS.names]
    assert found.values == pytest.approx(np.array(by_factor).T)


@pytest.mark.parametrize("name", ["random_forest", "xgboost"])
def test_the_fast_way_for_trees_says_what_the_reference_says(
    name: str, cells: pd.DataFrame, slide: np.ndarray
) -> None:
    import shap

    model = pipeline_of(name, KINDS, 0).fit(cells, slide)
    found = explainer_for(name, (model,), KINDS.names, cells).explain(cells.iloc[:50])

    matrix = model[:-1].transform(cells.iloc[:50])
    raw = np.asarray(shap.TreeExplainer(model[-1]).shap_values(matrix, check_additivity=False))
    raw = raw[..., 1] if raw.ndim == 3 else raw
    by_factor = [
        sum(raw[:, at] for at, one in enumerate(factor_of_column(model) or ()) if one == factor)
        for factor in KINDS.names
    ]
    assert found.values == pytest.approx(np.array(by_factor).T, abs=1e-4)
    assert "WOODELF" in found.method


def test_drawn_orders_share_what_two_factors_do_together_and_leave_a_dummy_nothing() -> None:
    rows = pd.DataFrame({"one": [1.0, 1.0], "two": [1.0, 0.0], "dummy": [5.0, 7.0]})
    background = pd.DataFrame({"one": np.zeros(30), "two": np.zeros(30), "dummy": np.arange(30.0)})

    def both(asked: pd.DataFrame) -> np.ndarray:
        return (asked["one"] * asked["two"]).to_numpy(dtype=float)

    found = SamplingExplainer(both, ("one", "two", "dummy"), background).explain(rows)

    assert found.values[0] == pytest.approx([0.5, 0.5, 0.0])
    assert found.values[1] == pytest.approx([0.0, 0.0, 0.0])
    assert found.base == 0.0


def test_contributions_that_do_not_add_up_are_not_shown() -> None:
    wrong = Contributions(("a", "b"), np.array([[0.5, 0.1]]), 0.0, np.array([0.9]), "probability", "guessing")

    assert wrong.error == pytest.approx(0.3)
    with pytest.raises(ModelError, match="guessing do not add up"):
        wrong.checked()


def test_the_partner_is_the_factor_that_bends_the_effect() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({name: rng.random(600) for name in ("one", "two", "three")})
    effect = rows["one"] * (0.2 + rows["two"])
    values = np.column_stack([effect, np.zeros(600), np.zeros(600)])
    found = Contributions(("one", "two", "three"), values, 0.0, effect.to_numpy(), "probability", "by hand")

    assert partner(found, rows, "one") == "two"


def test_replacing_what_contributes_most_changes_most() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({name: rng.random(200) for name in ("one", "two", "three", "four")})

    def says(asked: pd.DataFrame) -> np.ndarray:
        return (4 * asked["one"] + asked["two"]).to_numpy(dtype=float)

    centred = rows - 0.5
    values = np.column_stack([4 * centred["one"], centred["two"], 0 * centred["three"], 0 * centred["four"]])
    curves = deletion(says, rows, values, list(rows), rows)

    assert curves.guided[-1] == pytest.approx(curves.random[-1])
    assert curves.guided_area > 1.2 * curves.random_area


def test_a_sentence_says_what_raised_and_what_lowered() -> None:
    found = Contributions(
        ("slope", "rock", "noise"), np.array([[0.9, -0.4, 0.001]]), -1.0, np.array([-0.499]), "log-odds", "by hand"
    )

    assert sentence(found, {"slope": 38.123, "rock": "3", "noise": 0.5}, "Logistic regression") == (
        "Logistic regression: from a base value of −1.00 to −0.50 (log-odds). Raised by slope 38.12 (+0.90). "
        "Lowered by rock class 3 (−0.40)."
    )
    at, up = found.dominant()
    assert (at.tolist(), up.tolist()) == ([0], [True])
