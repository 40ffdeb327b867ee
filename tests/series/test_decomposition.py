"""Decompositions against sums of known parts."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from core.errors import InputError
from core.series.decomposition import (
    MODES,
    How,
    Method,
    averaged_over,
    carried_on,
    decomposed_series,
    loess,
    phases,
    polynomial,
    yearly_means,
)
from core.series.monitoring import RegularSeries

METHODS: tuple[Method, ...] = tuple(one for one in get_args(Method) if one not in MODES)

MONTHS = np.arange(96)
TREND = 40 + 2.5 * MONTHS - 0.03 * MONTHS**2 + 0.0004 * MONTHS**3
WAVE = 6 * np.sin(2 * np.pi * MONTHS / 12) + 2 * np.cos(2 * np.pi * MONTHS / 6)


def monthly(values: np.ndarray, filled: tuple[int, ...] = ()) -> RegularSeries:
    times = (np.datetime64("2012-03", "M") + np.arange(len(values))).astype("datetime64[ns]")
    return RegularSeries("A", "month", times, values, np.isin(np.arange(len(values)), filled))


def daily(values: np.ndarray) -> RegularSeries:
    times = np.datetime64("2015-01-01", "ns") + np.arange(len(values)) * np.timedelta64(1, "D")
    return RegularSeries("A", "D", times, values, np.zeros(len(values), np.bool_))


@pytest.mark.parametrize("method", METHODS)
def test_the_parts_add_up_and_the_rest_of_filled_steps_is_unknown(method: Method) -> None:
    values = TREND + WAVE + np.random.default_rng(0).normal(0, 2, 96)

    parts = decomposed_series(monthly(values, (10, 11, 50)), How(method))

    known = ~np.isin(MONTHS, (10, 11, 50))
    assert (parts.trend + parts.periodic + parts.rest)[known] == pytest.approx(values[known], abs=1e-9)
    assert np.isnan(parts.rest[~known]).all()
    assert np.isfinite(parts.trend).all()
    assert np.isfinite(parts.periodic).all()
    assert any("3 of 96 steps have no value" in one for one in parts.notes)


@pytest.mark.parametrize("method", METHODS)
def test_a_line_and_a_wave_are_told_apart(method: Method) -> None:
    parts = decomposed_series(monthly(2.0 * MONTHS + WAVE), How(method))

    inner = slice(12, -12)  # at both ends windows are cut off
    assert parts.periodic[inner] == pytest.approx(WAVE[inner], abs=0.05)
    assert parts.trend[inner] == pytest.approx(2.0 * MONTHS[inner], abs=0.05)


def test_a_cubic_and_a_wave_are_told_apart() -> None:
    parts = decomposed_series(monthly(TREND + WAVE), How("polynomial", 3))

    assert parts.periodic == pytest.approx(WAVE, abs=1e-6)
    assert parts.trend == pytest.approx(TREND, abs=1e-6)
    # An average over a window lies off a cubic by half its second derivative, 0.1128 at month 72, times the spread of
    # the window: the mean square of -6 to 6 with the ends by half, 146 / 12.
    average = decomposed_series(monthly(TREND + WAVE), How("moving_average"))
    assert (average.trend - TREND)[72] == pytest.approx(0.5 * 0.1128 * 146 / 12, abs=0.1)


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_a_polynomial_of_its_degree_is_found_and_carried_on(degree: int) -> None:
    law = np.polynomial.Polynomial(np.arange(1, degree + 2) * [1, 0.5, -0.02, 3e-4, -2e-6, 1e-8][: degree + 1])
    series = daily(law(np.arange(60)))

    parts = decomposed_series(series, How("polynomial", degree))

    assert np.nanmax(np.abs(parts.rest)) < 1e-6
    assert not parts.periodic.any()
    assert carried_on(series, How("polynomial", degree), 5) == pytest.approx(law(64) - law(59), rel=1e-6)


@pytest.mark.parametrize("method", ["moving_average", "loess"])
def test_values_that_only_fill_gaps_do_not_count(method: Method) -> None:
    values = TREND + WAVE
    other = values.copy()
    other[[30, 31, 70]] += 1000

    one, two = (decomposed_series(monthly(given, (30, 31, 70)), How(method)) for given in (values, other))

    np.testing.assert_array_equal(one.trend, two.trend)
    np.testing.assert_array_equal(one.periodic, two.periodic)


def test_a_year_of_months_leaves_no_trace_of_a_season_in_the_average() -> None:
    found = averaged_over(3.0 * MONTHS + WAVE, 12)

    assert found[6:-6] == pytest.approx(3.0 * MONTHS[6:-6])
    # Over three; at the ends lines through 1, 3, 8 and 3, 8, 10, whose slopes are 3.5.
    assert averaged_over(np.array([1.0, 3.0, 8.0, 10.0]), 3) == pytest.approx([0.5, 4, 7, 10.5])
    assert averaged_over(2.0 * MONTHS, 12) == pytest.approx(2.0 * MONTHS)
    # Over four: halves of the outer two; of what is known.
    assert averaged_over(np.array([0.0, 0, 8, 0, 16, 0]), 4)[2] == pytest.approx((0 + 0 + 8 + 0 + 8) / 4)
    assert averaged_over(np.array([1.0, 1, 1, np.nan, 5, 5, 5]), 3)[2:5] == pytest.approx([1, 3, 5])
    far = averaged_over(np.array([0.0, *[np.nan] * 9, 10.0]), 3)
    assert far[5] == pytest.approx(5)  # interpolated


def test_loess_and_a_polynomial_keep_a_line_across_a_gap() -> None:
    line = 2.0 * np.arange(80) - 7
    gap = line.copy()
    gap[20:30] = np.nan

    assert loess(line, 15) == pytest.approx(line)
    assert loess(gap, 15) == pytest.approx(line)
    assert polynomial(gap, 1) == pytest.approx(line)


def test_the_mean_year_is_that_of_its_steps() -> None:
    left = np.array([1.0, 5.0, 3.0, 3.0, 7.0, np.nan])
    phase = np.array([0, 1, 2, 0, 1, 2])

    # Means 2, 6, 3 less their mean 11/3.
    assert yearly_means(left, phase) == pytest.approx(np.array([2, 6, 3]) - 11 / 3)


def test_a_season_of_days_is_smoothed_over_a_month_and_keeps_to_the_calendar() -> None:
    days = np.arange(4 * 365 + 1)
    turn = 2 * np.pi * days / 365.25
    series = daily(0.02 * days + 5 * np.sin(turn) + np.random.default_rng(1).normal(0, 1, len(days)))

    parts = decomposed_series(series, How("moving_average"))

    inner = slice(183, -183)
    assert np.sqrt(np.mean((parts.periodic - 5 * np.sin(turn))[inner] ** 2)) < 0.25  # the noise of a day is 1
    assert phases(series)[[0, 364, 365]].tolist() == [0, 364, 0]
    assert any("4.0 years" in one for one in parts.notes)


def test_less_than_two_years_have_no_periodic_part_and_stl_says_what_it_needs() -> None:
    series = monthly((TREND + WAVE)[:20])

    parts = decomposed_series(series, How("loess"))

    assert not parts.periodic.any()
    assert "there is no periodic part" in parts.notes[0]
    with pytest.raises(InputError, match="STL needs 2 years"):
        decomposed_series(series, How("stl"))


@pytest.mark.parametrize("method", METHODS)
def test_a_line_with_a_season_goes_on_as_it_was(method: Method) -> None:
    season = 6 * np.sin(2 * np.pi * MONTHS / 12)

    # Three steps after the last, 95 = 11 of the year: 3 × 2 mm, and from sin(330°) to sin(60°).
    expected = 6 + 6 * (np.sin(np.pi / 3) - np.sin(-np.pi / 6))
    found = carried_on(monthly(2.0 * MONTHS + season), replace(How(method), degree=1), 3)

    assert found == pytest.approx(expected, abs=0.4)


def test_what_comes_after_changes_nothing_that_is_carried_on() -> None:
    values = TREND + WAVE
    other = values.copy()
    other[60:] += np.linspace(0, 300, 36)

    for method in METHODS:
        before, after = (carried_on(monthly(given).until(60), How(method), 2) for given in (values, other))
        assert before == after


def test_what_cannot_be_decomposed_is_refused() -> None:
    with pytest.raises(InputError, match="7 known steps"):
        decomposed_series(monthly(TREND[:30], tuple(range(7, 30))), How("loess"))
    with pytest.raises(InputError, match="longer than"):
        decomposed_series(monthly(TREND[:30]), How("loess", window=31))
    for wrong in ({"degree": 6}, {"window": 2}, {"method": "oracle"}):
        with pytest.raises(InputError):
            How(**wrong)  # type: ignore[arg-type]
