"""What fits a model never chooses it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.learning.splits import fit_and_tune


@given(st.integers(10, 500), st.floats(0.1, 0.9), st.integers(0, 2**31))
def test_parts_have_no_common_member_and_leave_none_out(count: int, share: float, seed: int) -> None:
    fitting, tuning = fit_and_tune(count, share, seed)

    assert not set(fitting) & set(tuning)
    assert sorted([*fitting, *tuning]) == list(range(count))
    assert len(tuning) == round(count * share)


def test_the_same_seed_divides_alike_and_another_one_otherwise() -> None:
    assert np.array_equal(fit_and_tune(100, 0.1, 7)[1], fit_and_tune(100, 0.1, 7)[1])
    assert not np.array_equal(fit_and_tune(100, 0.1, 7)[1], fit_and_tune(100, 0.1, 8)[1])


def test_a_division_is_the_same_on_every_machine() -> None:
    # A change here would let images that chose the shipped models fit those trained later.
    assert fit_and_tune(10, 0.3, 0)[1].tolist() == [2, 4, 6]


@pytest.mark.parametrize(("count", "share"), [(1, 0.5), (3, 0.1), (3, 0.9), (0, 0.5), (10, 0.0), (10, 1.0)])
def test_a_part_without_any_item_is_refused(count: int, share: float) -> None:
    with pytest.raises(InputError, match="tuning share"):
        fit_and_tune(count, share, 0)
