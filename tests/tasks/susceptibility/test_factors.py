"""Directions as factors: near each other across north, in sectors, and traced back from the columns of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.tasks.susceptibility.directions import SineCosine
from core.tasks.susceptibility.factors import Factors, factor_of_column, sectors
from core.tasks.susceptibility.models import pipeline_of


def test_directions_across_north_are_neighbours_and_flat_ground_faces_nowhere() -> None:
    given = pd.DataFrame({"aspect": [359.0, 1.0, 90.0, -1.0]})
    made = SineCosine().fit(given).transform(given)

    assert np.linalg.norm(made[0] - made[1]) == pytest.approx(2 * np.sin(np.radians(1)))
    assert made[2] == pytest.approx([1.0, 0.0])
    assert made[3].tolist() == [0.0, 0.0]


def test_sectors_of_the_compass_are_centred_on_their_direction() -> None:
    found = sectors(np.array([0.0, 22.4, 22.6, 337.6, 337.4, 360.0, 180.0, -1.0]))

    assert found.tolist() == ["north", "north", "northeast", "north", "northwest", "north", "south", "flat"]


def test_each_column_of_a_model_is_traced_back_to_its_factor() -> None:
    rng = np.random.default_rng(0)
    factors = pd.DataFrame({
        "slope": rng.random(60), "aspect": rng.uniform(0, 360, 60), "rock": rng.choice(["a", "b", "c"], 60)
    })  # fmt: skip
    model = pipeline_of("logistic_regression", Factors(("slope",), ("rock",), ("aspect",)), 0)
    model.fit(factors, np.arange(60) % 2 == 0)

    assert factor_of_column(model) == ("slope", "aspect", "aspect", "rock", "rock", "rock")
    assert model[-1].n_features_in_ == 6
    whole = pipeline_of("frequency_ratio", Factors(("slope",), ("rock",), ("aspect",)), 0)
    assert factor_of_column(whole.fit(factors, np.arange(60) % 2 == 0)) is None
