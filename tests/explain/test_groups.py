"""SHAP values of groups against games that are solved by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError, ModelError, RunCancelled
from core.explain.groups import MOST_GROUPS, group_contributions

GROUPS = ("rain", "rain", "level", "season")


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 4))


def test_a_sum_is_divided_into_its_terms() -> None:
    asked, background = rows(5), rows(40, 1)

    found = group_contributions(
        lambda x: 2 * x[:, 0] + 3 * x[:, 1] ** 2 - x[:, 2] + 7, asked, GROUPS, background, "mm"
    )

    rain = 2 * asked[:, 0] + 3 * asked[:, 1] ** 2
    assert found.factors == ("rain", "level", "season")
    assert found.values[:, 0] == pytest.approx(rain - (2 * background[:, 0] + 3 * background[:, 1] ** 2).mean())
    assert found.values[:, 1] == pytest.approx(background[:, 2].mean() - asked[:, 2])
    assert found.values[:, 2] == pytest.approx(0.0)
    assert found.error < 1e-9


def test_a_product_is_shared_by_its_two_factors() -> None:
    # Against a background of one row of zeros the product is worth something with both known alone.
    found = group_contributions(lambda x: x[:, 1] * x[:, 2], np.array([[0.0, 3.0, 4.0, 9.0]]), GROUPS,
                                np.zeros((1, 4)), "mm")  # fmt: skip

    assert found.base == 0.0
    assert found.values[0] == pytest.approx([6.0, 6.0, 0.0])


def test_it_agrees_with_the_mean_over_all_orders() -> None:
    from itertools import permutations

    def says(x: np.ndarray) -> np.ndarray:
        return np.tanh(x[:, 0] + x[:, 2]) * x[:, 3] + np.maximum(x[:, 1], x[:, 2])

    asked, background = rows(1, 3), rows(6, 4)
    found = group_contributions(says, asked, GROUPS, background, "mm")

    members = {"rain": [0, 1], "level": [2], "season": [3]}
    mean = dict.fromkeys(members, 0.0)
    for order in permutations(members):
        mixed = background.copy()
        before = says(mixed).mean()
        for name in order:
            mixed[:, members[name]] = asked[0, members[name]]
            after = says(mixed).mean()
            mean[name] += (after - before) / 6
            before = after
    assert found.values[0] == pytest.approx(list(mean.values()))


def test_what_does_not_add_up_or_has_too_many_groups_is_refused() -> None:
    calls = []

    def moody(x: np.ndarray) -> np.ndarray:
        calls.append(len(x))
        return np.full(len(x), float(len(calls)))

    with pytest.raises(InputError, match="groups"):
        group_contributions(moody, np.zeros((1, 11)), [str(one) for one in range(MOST_GROUPS + 1)], np.zeros((1, 11)),
                            "mm")  # fmt: skip
    with pytest.raises(InputError, match="No other forecast"):
        group_contributions(moody, rows(1), GROUPS, np.empty((0, 4)), "mm")
    with pytest.raises(RunCancelled):
        group_contributions(moody, rows(1), GROUPS, rows(2), "mm", cancel=lambda: True)
    from core.explain.tabular import Contributions

    with pytest.raises(ModelError, match="do not add up"):
        Contributions(("a",), np.array([[1.0]]), 0.0, np.array([5.0]), "mm", "test").checked()
