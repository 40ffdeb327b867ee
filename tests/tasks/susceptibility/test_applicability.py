"""How unlike cells are: worked out by hand on a line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.tasks.susceptibility.applicability import Applicability, importance
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.models import pipeline_of


def test_the_index_is_the_distance_to_the_nearest_cell_over_their_mean_distance() -> None:
    cells = pd.DataFrame({"slope": [0.0, 1.0, 2.0, 3.0]})

    found = Applicability.fit(cells, Factors(("slope",)), {"slope": 1.0}, np.array([0, 1, 0, 1]))

    # Distances from each other: 1, 2, 3, 1, 2, 1, in the mean 10/6; each has a neighbour in the other fold at 1.
    assert found.distance(pd.DataFrame({"slope": [2.0, 3.5, 13.0]})) == pytest.approx([0.0, 0.3, 6.0])
    assert found.threshold == pytest.approx(0.6)


def test_a_factor_that_does_not_matter_does_not_make_unlike() -> None:
    cells = pd.DataFrame({"slope": [0.0, 1.0, 2.0, 3.0], "noise": [5.0, 6.0, 7.0, 8.0], "rock": list("abab")})
    kinds = Factors(("slope", "noise"), ("rock",))
    folds = np.array([0, 1, 0, 1])
    far = pd.DataFrame({"slope": [2.0], "noise": [900.0], "rock": ["a"]})
    new = pd.DataFrame({"slope": [2.0], "noise": [7.0], "rock": ["c"]})

    ignoring = Applicability.fit(cells, kinds, {"slope": 1.0, "noise": 0.0, "rock": 0.5}, folds)

    assert ignoring.distance(far)[0] == pytest.approx(0.0)
    assert ignoring.distance(new)[0] > 0
    noticing = Applicability.fit(cells, kinds, {"slope": 1.0, "noise": 1.0, "rock": 0.0}, folds)
    assert noticing.distance(far)[0] > 100


def test_what_matters_is_what_the_model_follows() -> None:
    rng = np.random.default_rng(0)
    cells = pd.DataFrame({"slope": rng.random(200), "noise": rng.random(200)})
    slide = cells["slope"].to_numpy() > 0.5
    model = pipeline_of("decision_tree", Factors(("slope", "noise")), 0).fit(cells, slide)

    found = importance((model,), cells, slide)

    assert found["slope"] == pytest.approx(1.0)
    assert found["noise"] == pytest.approx(0.0)
