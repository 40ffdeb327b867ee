"""Numbers as instruments and people write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.numbers import numbers_of


def read(*values: object) -> tuple[list[float], list[str]]:
    notes: list[str] = []
    return numbers_of(pd.Series(list(values)), "disp", notes).tolist(), notes


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("0,5", "12,25"), (0.5, 12.25)),
        (("1.234,5", "-0,5"), (1234.5, -0.5)),
        (("1,234.5", "17.25"), (1234.5, 17.25)),
        (("1,234,567", "1,000"), (1_234_567.0, 1000.0)),
        (("1.234.567", "0,5"), (1_234_567.0, 0.5)),
        (("999", "1,000"), (999.0, 1000.0)),
        (("1 234,5", "7,5"), (1234.5, 7.5)),
        (("1'234.5", "7.5"), (1234.5, 7.5)),
        (("1,5", "2.5"), (1.5, 2.5)),
        (("\u22123.5", "1e-3"), (-3.5, 0.001)),
    ],
)  # fmt: skip
def test_commas_and_points_are_told_apart_by_the_whole_column(
    texts: tuple[str, ...], expected: tuple[float, ...]
) -> None:
    assert read(*texts)[0] == pytest.approx(list(expected))


def test_a_comma_that_could_be_either_is_refused() -> None:
    with pytest.raises(InputError, match="decimal comma or a thousands separator"):
        read("1,234", "1,235")


def test_words_for_missing_are_unknown_and_other_text_is_noted_with_its_number() -> None:
    found, notes = read("1.5", "n/a", "--", "", "2.5", "3.5", "4.5", "5.5", "broken")
    assert np.isnan(found).tolist() == [False, True, True, True, False, False, False, False, True]
    assert notes == ["1 value of disp is not a number (the first: 'broken') and counts as not measured."]


def test_several_that_are_no_numbers_are_noted_in_the_plural() -> None:
    _, notes = read("1", "2", "3", "4", "5", "6", "7", "8", "9", "broken", *map(str, range(20)), "wet")
    assert notes == ["2 values of disp are not numbers (the first: 'broken') and count as not measured."]


def test_a_column_of_text_is_refused() -> None:
    with pytest.raises(InputError, match="2 of 3 values of disp are not numbers; the first is 'wet'"):
        read("wet", "dry", "1")


@pytest.mark.parametrize("fill", [-9999, 9999, -999, -32768, -99999])
def test_fill_values_are_unknown_and_counted(fill: int) -> None:
    found, notes = read(1.0, fill, 2.0, fill)
    assert np.isnan(found).tolist() == [False, True, False, True]
    assert notes == [f"2 values of disp are {fill}, which marks missing values."]


def test_a_number_that_lies_among_the_others_is_no_fill_value() -> None:
    assert read(9000.0, 9999.0, 11_000.0) == ([9000.0, 9999.0, 11_000.0], [])


def test_a_fill_value_far_below_zero_is_one_however_large_the_others_are() -> None:
    assert np.isnan(read(5000.0, -9999.0, 6000.0)[0][1])


def test_values_too_large_to_be_measured_are_unknown_and_counted() -> None:
    notes: list[str] = []
    found = numbers_of(pd.Series(["1", "inf", "1e300", "-2e12", "5"]), "disp", notes)
    np.testing.assert_array_equal(found, [1, np.nan, np.nan, np.nan, 5])
    assert notes == ["3 values of disp are too large to be measurements and count as unknown."]
