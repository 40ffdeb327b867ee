"""A simple twin finds rules that are there, and says how far it is from the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.explain.twin import twin_of


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "mean_slope": rng.integers(0, 40, 600).astype(float), "noise": rng.random(600),
        "rock": rng.choice(["schist", "marl", "granite"], 600),
    })  # fmt: skip


def test_a_model_of_two_questions_is_told_in_its_own_rules(rows: pd.DataFrame) -> None:
    steep, schist = (rows["mean_slope"] > 20).to_numpy(), (rows["rock"] == "schist").to_numpy()
    output = np.where(steep, 0.9, np.where(schist, 0.4, 0.1))

    twin = twin_of(rows, output, labels=steep)

    assert [str(rule) for rule in twin.rules] == [
        "mean slope > 20.5", "mean slope ≤ 20.5 and rock is schist", "mean slope ≤ 20.5 and rock is not schist",
    ]  # fmt: skip
    assert [rule.says for rule in twin.rules] == pytest.approx([0.9, 0.4, 0.1])
    assert sum(rule.share for rule in twin.rules) == pytest.approx(1)
    assert (twin.fidelity, twin.ranks) == (pytest.approx(1), pytest.approx(1))
    assert (twin.model_auroc, twin.twin_auroc) == (pytest.approx(1), pytest.approx(1))
    assert (twin.fitted_on, twin.held_back) == (400, 200)


def test_limits_on_both_sides_are_told_once_each(rows: pd.DataFrame) -> None:
    between = ((rows["mean_slope"] > 10) & (rows["mean_slope"] <= 30)).to_numpy(float)

    twin = twin_of(rows, between)

    assert twin.rules[0].conditions == ("mean slope > 10.5", "mean slope ≤ 30.5")


def test_a_model_that_no_small_tree_follows_has_no_fidelity(rows: pd.DataFrame) -> None:
    twin = twin_of(rows, np.random.default_rng(1).random(600))

    assert twin.fidelity is not None
    assert twin.fidelity < 0.1
    assert twin.model_auroc is None


def test_a_model_that_says_the_same_everywhere_has_one_rule_and_no_figures(rows: pd.DataFrame) -> None:
    twin = twin_of(rows, np.full(600, 0.25), labels=np.zeros(600, bool))

    assert [str(rule) for rule in twin.rules] == ["everywhere"]
    assert (twin.fidelity, twin.ranks, twin.twin_auroc) == (None, None, None)


def test_what_would_not_be_readable_or_not_known_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="depth 5"):
        twin_of(rows, np.zeros(600), depth=5)
    with pytest.raises(InputError, match="needs 60 cells; there are 59"):
        twin_of(rows.iloc[:59], np.zeros(59))
