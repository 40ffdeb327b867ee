"""Steps and numbers as sentences name them."""

from __future__ import annotations

import numpy as np
import pytest

from core.series.words import ahead_name, signed, step_name, steps_name


@pytest.mark.parametrize(
    ("last", "step", "steps", "said"),
    [
        ("2019-12-01", "month", 1, "January 2020"),
        ("2019-11-01", "month", 2, "December 2019 to January 2020"),
        ("2019-12-01", "month", 3, "January to March 2020"),
        ("2019-12-01T00:00:00", "D", 1, "the day after 2019-12-01"),
        ("2019-12-01", "7D", 2, "the 14 days after 2019-12-01"),
        ("2019-12-01T18:00", "6h", 1, "the 6 hours after 2019-12-01 18:00"),
    ],
)
def test_steps_of_months_are_named_by_their_month_and_others_by_their_date(
    last: str, step: str, steps: int, said: str
) -> None:
    assert ahead_name(np.datetime64(last, "ns"), step, steps) == said


def test_a_stretch_of_steps_names_each_end_once() -> None:
    june, july = np.datetime64("2018-06-01", "ns"), np.datetime64("2018-07-01", "ns")

    assert step_name(june, "month") == "June 2018"
    assert steps_name(june, june, "month") == "June 2018"
    assert steps_name(june, july, "month") == "June to July 2018"
    assert steps_name(june, july, "D") == "2018-06-01 to 2018-07-01"


def test_negative_numbers_have_a_minus_sign() -> None:
    assert (signed(-2.04, ".1f"), signed(2.0, "+.1f")) == ("−2.0", "+2.0")
