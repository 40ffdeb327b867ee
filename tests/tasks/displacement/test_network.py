"""The network for sequences: scaling by hand, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.tasks.displacement.network import (
    KINDS,
    Scaling,
    SequenceNet,
    fit_network,
    one_thread,
    statics_of,
    windows_of_steps,
)
from core.tasks.displacement.problem import Problem
from tests.tasks.displacement.slopes import rainy, slope


def test_unknown_values_become_the_mean_and_are_marked() -> None:
    values = np.array([[1.0, 5.0], [3.0, np.nan], [np.nan, 5.0]])

    scaling = Scaling.of(values)
    found = scaling.apply(values)

    assert list(scaling.mean) == [2, 5]
    assert list(scaling.deviation) == [1, 1]  # no spread: left as it is
    assert found.tolist() == [[-1, 0, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0]]


def test_a_window_ends_at_its_step_and_is_unknown_before_the_first() -> None:
    found = windows_of_steps(np.arange(5.0)[:, None], np.array([1, 4]), 3)[..., 0]

    assert np.isnan(found[0, 0])
    assert found[0, 1:].tolist() == [0, 1]
    assert found[1].tolist() == [2, 3, 4]


def test_what_is_planned_stands_beside_the_window() -> None:
    problem = Problem(slope(np.zeros(20), rain=np.arange(20.0)), 2, ("rain",))

    assert statics_of(problem)[10].tolist() == [11 + 12]
    assert statics_of(Problem(problem.series, 2)).shape == (20, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_learns_from_the_rain(kind: str) -> None:
    problem = Problem(rainy(200), 1)
    rows = np.arange(20, 199)

    fitted = fit_network(problem, 199, 0, kind, {"hidden": 8, "window": 4, "epochs": 25})
    error = fitted.predict(problem, rows) - problem.increments[rows]

    assert error.std() < 0.8 * problem.increments[rows].std()


def test_a_seed_gives_the_same_network_and_leaves_the_state_of_others_alone() -> None:
    problem = Problem(rainy(80), 2)
    settings = {"hidden": 4, "window": 0, "epochs": 2}
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()

    first, second, other = (fit_network(problem, 79, seed, "gru", settings) for seed in (0, 0, 1))

    origins = np.array([50, 79])
    assert first.window == 12
    np.testing.assert_array_equal(first.predict(problem, origins), second.predict(problem, origins))
    assert (first.predict(problem, origins) != other.predict(problem, origins)).all()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_threads_are_given_back_after_an_error() -> None:
    threads = torch.get_num_threads()
    with pytest.raises(ValueError, match="stray"), one_thread():
        raise ValueError("stray")
    assert torch.get_num_threads() == threads


def test_the_parts_of_the_network_are_interchangeable() -> None:
    windows, beside = torch.zeros(3, 7, 5), torch.zeros(3, 2)

    for front, core in (("none", "lstm"), ("conv", "gru")):
        assert SequenceNet(5, 2, front, core, 4)(windows, beside).shape == (3,)
