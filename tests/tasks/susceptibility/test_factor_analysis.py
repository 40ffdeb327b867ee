"""Looking at factors: numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from core.tasks.susceptibility.binning import binned, interval_names
from core.tasks.susceptibility.factor_analysis import (
    advice,
    alone,
    association,
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


def test_intervals_are_told_apart_and_written_out() -> None:
    assert interval_names(np.array([652013.0, 652026.0, 652041.0])) == ("652013 to 652026", "652026 to 652041")
    assert interval_names(np.array([1000.01, 1000.02, 1000.03])) == ("1000.01 to 1000.02", "1000.02 to 1000.03")
    assert interval_names(np.array([-0.0012, 0.0003])) == ("-0.0012 to 0.0003",)
    assert interval_names(np.array([0.0, 1.0, 1.0])) == ("0 to 1", "1")


def test_rows_of_quantities_have_the_ends_of_their_interval() -> None:
    factors = pd.DataFrame({"slope": np.arange(16.0), "rock": np.repeat(["a", "b"], 8)})
    table = class_table(factors, np.arange(16) >= 8, Factors(("slope",), ("rock",)), 2)

    assert table["low"].tolist()[:2] == [0.0, 7.5]
    assert table["high"].tolist()[:2] == [7.5, 15.0]
    assert table["landslides"].tolist() == [0, 8, 0, 8]
    assert table[["low", "high"]].iloc[2:].isna().all(axis=None)


def test_a_factor_alone_says_how_well_and_which_way() -> None:
    slide = np.array([True, True, False, False])
    steep, rock = np.array([3.0, 1.0, 2.0, 0.0]), np.repeat(["a", "b"], 50)
    labels = np.repeat([True, False, True, False], [40, 10, 10, 40])

    # Of the four pairs three are in order; turned around, still three, but the other way.
    assert (alone(steep, slide, "quantity").auroc, alone(steep, slide, "quantity").points) == (0.75, "higher")
    assert (alone(-steep, slide, "quantity").auroc, alone(-steep, slide, "quantity").points) == (0.75, "lower")
    # Ratios 1.6 and 0.4: 40 × 40 pairs in order, 2 × 40 × 10 equal, of 50 × 50.
    found = alone(rock, labels, "class")
    assert found.auroc == pytest.approx((1600 + 400) / 2500)
    assert found.cramers_v == pytest.approx(math.sqrt((0.36 - 1 / 99) / (1 - 1 / 99)))


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
    pairs = ("aspect and north are strongly associated", "north and aspect are strongly associated")
    assert any(pair in one for pair in pairs for one in told)


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
