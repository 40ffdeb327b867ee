"""Looking at factors: numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from core.tasks.susceptibility.factor_analysis import (
    advice,
    association,
    binned,
    class_table,
    correlation_ratio,
    cramers_v,
    vif,
    weights_table,
)
from core.tasks.susceptibility.factor_plots import association_figure, distribution_figure, weights_figure
from core.tasks.susceptibility.factors import Factors


def test_weights_of_a_class_are_those_of_the_textbook() -> None:
    table = weights_table("slope", ("flat", "steep"), np.array([8000.0, 2000.0]), np.array([40.0, 60.0]))

    steep = table.iloc[1]
    assert steep["frequency_ratio"] == pytest.approx(3.0)
    assert steep["information_value"] == pytest.approx(1.098612, abs=1e-6)
    assert steep["weight_plus"] == pytest.approx(1.119021, abs=1e-6)
    assert steep["weight_minus"] == pytest.approx(-0.698185, abs=1e-6)
    assert steep["contrast"] == pytest.approx(1.817206, abs=1e-6)
    assert steep["contrast_sd"] == pytest.approx(0.205688, abs=1e-6)
    assert steep["studentised"] == pytest.approx(8.834748, abs=1e-5)


def test_factors_are_cut_at_quantiles_by_sectors_or_as_they_are() -> None:
    quantity = binned(np.arange(16.0), "quantity", 4)
    classes = binned(np.array(["10", "9", "b", "9"], dtype=object), "class")
    directions = binned(np.array([350.0, 90.0, -1.0, 10.0]), "direction")

    assert np.bincount(quantity.of_cell).tolist() == [4, 4, 4, 4]
    assert quantity.names[0] == "0 to 3.75"
    assert classes.names == ("9", "10", "b")
    assert classes.of_cell.tolist() == [1, 0, 2, 0]
    assert directions.names == ("north", "east", "flat")
    assert directions.of_cell.tolist() == [0, 1, 2, 0]


def test_cramers_v_of_two_by_two() -> None:
    a = np.repeat(["x", "y"], 50)
    b = np.concatenate([np.repeat(["u", "v"], [40, 10]), np.repeat(["u", "v"], [10, 40])])

    # Chi-squared 36 of 100: phi squared .36 less 1/99, over 2 - 1/99 - 1.
    assert cramers_v(a, b) == pytest.approx(math.sqrt((0.36 - 1 / 99) / (1 - 1 / 99)))
    assert cramers_v(a, a) == pytest.approx(1.0)
    assert cramers_v(a, np.tile(["u", "v"], 50)) == 0.0


def test_the_correlation_ratio_is_the_share_between_classes() -> None:
    quantity, classes = np.array([0.0, 2.0, 10.0, 12.0]), np.array(["a", "a", "b", "b"])

    # Between: 4 × 25; in all 100 + 4.
    assert correlation_ratio(quantity, classes) == pytest.approx(math.sqrt(100 / 104))


def test_inflation_of_two_correlated_factors() -> None:
    rng = np.random.default_rng(0)
    one, noise = rng.normal(size=400), rng.normal(size=400)
    factors = pd.DataFrame({"one": one, "two": 0.9 * one + 0.3 * noise, "rock": rng.choice(["a", "b"], 400)})
    r = np.corrcoef(factors["one"], factors["two"])[0, 1]

    found = vif(factors[["one", "two"]], Factors(("one", "two")))
    assert found["one"] == pytest.approx(1 / (1 - r**2))
    factors["three"] = factors["one"] - factors["two"]
    assert math.isinf(vif(factors, Factors(("one", "two", "three"), ("rock",)))["three"])


def test_a_direction_goes_with_what_follows_its_sine() -> None:
    rng = np.random.default_rng(0)
    aspect = rng.uniform(0, 360, 500)
    factors = pd.DataFrame({"aspect": aspect, "north": np.cos(np.radians(aspect)), "else": rng.random(500)})
    kinds = Factors(("north", "else"), (), ("aspect",))

    matrix = association(factors, kinds)
    assert matrix.loc["aspect", "north"] == pytest.approx(1.0)
    assert matrix.loc["aspect", "else"] < 0.2
    told = advice(factors, np.cos(np.radians(aspect)) > 0, kinds)
    assert any("aspect and north go together" in one or "north and aspect go together" in one for one in told)


def test_every_factor_has_its_charts() -> None:
    rng = np.random.default_rng(0)
    factors = pd.DataFrame({
        "slope": rng.random(90), "aspect": rng.uniform(-1, 360, 90), "rock": rng.choice(["1", "2"], 90)
    })  # fmt: skip
    kinds, slide = Factors(("slope",), ("rock",), ("aspect",)), np.arange(90) % 3 == 0
    table = class_table(factors, slide, kinds)

    assert set(table["factor"]) == set(kinds.names)
    assert table.groupby("factor")["cells"].sum().tolist() == [90, 90, 90]
    assert len(weights_figure(table[table["factor"] == "rock"], "contrast").data) == 1
    for name, kind in (("slope", "quantity"), ("rock", "class"), ("aspect", "direction")):
        drawn = distribution_figure(factors[name].to_numpy(), slide, kind, name)
        assert [sum(one.y) for one in drawn.data] == pytest.approx([1.0, 1.0])
    assert association_figure(association(factors, kinds)).data[0].z.shape == (3, 3)
