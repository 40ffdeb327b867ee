"""Weights of classes, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.tasks.susceptibility.bivariate import ClassScore, ClassWeights

WEIGHTS = ClassWeights(np.array([2_000.0, 8_000.0]), np.array([60.0, 40.0]))
"""10,000 cells with 100 landslides, 60 of them in a class of 2,000 cells."""


def test_the_weights_of_a_class_are_those_worked_out_by_hand() -> None:
    assert WEIGHTS.frequency_ratio[0] == pytest.approx(3.0)
    assert WEIGHTS.information_value[0] == pytest.approx(1.098612, abs=1e-6)
    assert WEIGHTS.positive[0] == pytest.approx(1.119021, abs=1e-6)
    assert WEIGHTS.negative[0] == pytest.approx(-0.698185, abs=1e-6)
    assert WEIGHTS.contrast[0] == pytest.approx(1.817206, abs=1e-6)
    assert WEIGHTS.contrast_deviation[0] == pytest.approx(0.205688, abs=1e-6)


def test_a_class_without_a_landslide_has_a_finite_weight() -> None:
    empty = ClassWeights(np.array([50.0, 50.0]), np.array([0.0, 10.0]))

    assert np.isfinite(empty.information_value).all()
    assert np.isfinite(empty.contrast).all()
    assert empty.frequency_ratio[0] == 0


def test_a_score_is_the_sum_of_the_weights_of_its_classes() -> None:
    factors = pd.DataFrame({"rock": ["a"] * 2_000 + ["b"] * 8_000, "use": ["c", "d"] * 5_000})
    slide = np.zeros(10_000, dtype=bool)
    slide[:60] = slide[2_000:2_040] = True
    score = ClassScore("frequency_ratio", ("rock", "use")).fit(factors, slide)

    assert score.transform(pd.DataFrame({"rock": ["a", "b", "new"], "use": ["c", "c", "d"]}))[:, 0] == pytest.approx(
        [3.0 + 1.0, 0.5 + 1.0, 1.0 + 1.0]
    )


def test_quantities_are_cut_at_quantiles_of_the_cells_fitted_on() -> None:
    factors = pd.DataFrame({"slope": np.arange(100.0)})
    score = ClassScore("weights_of_evidence", bins=4).fit(factors, np.arange(100) >= 75)

    assert score.edges_["slope"] == pytest.approx([24.75, 49.5, 74.25])
    scored = score.transform(pd.DataFrame({"slope": [-5.0, 10.0, 99.0, 500.0]}))[:, 0]
    assert scored[0] == scored[1] < scored[2] == scored[3]
