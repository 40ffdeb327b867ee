"""Intervals around forecasts: by hand, and with the coverage that they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.tasks.displacement.intervals import adaptive_widths, coverage, fewest, half_width, split_widths


def test_an_interval_of_ninety_percent_needs_nine_errors() -> None:
    errors = np.array([3.0, -1.0, 2.0, 8.0, -9.0, 4.0, 5.0, -6.0, 7.0])

    assert fewest() == 9
    assert half_width(errors) == 9  # the ninth of ten places
    assert math.isnan(half_width(errors[:8]))
    assert half_width(np.append(np.arange(1.0, 20.0), np.nan)) == 18  # the 18th of 20


def test_split_intervals_are_as_wide_everywhere() -> None:
    assert list(split_widths(np.arange(1.0, 10.0), 3)) == [9, 9, 9]


def test_split_intervals_hold_what_they_promise_of_errors_like_those_before() -> None:
    random = np.random.default_rng(0)
    # Vovk 2012: of 99 errors for calibration the mean coverage is 90 of 100 exactly.
    held = [float((np.abs(random.normal(size=200)) <= half_width(random.normal(size=99))).mean()) for _ in range(300)]

    assert np.mean(held) == pytest.approx(0.9, abs=0.006)


def test_a_miss_widens_adaptive_intervals_as_soon_as_it_is_known_and_no_sooner() -> None:
    calibration = np.linspace(0.1, 10, 100)
    errors = np.array([50.0, 0.0, 0.0, 0.0, 0.0])

    widths = adaptive_widths(calibration, np.arange(5), errors, horizon=2)

    assert widths[0] == widths[1] == half_width(calibration)
    assert widths[2] > widths[0]
    assert adaptive_widths(calibration, np.arange(5), np.zeros(5), horizon=2)[4] < widths[0]


def test_no_width_knows_a_later_error() -> None:
    random = np.random.default_rng(1)
    calibration, errors = random.normal(size=30), random.normal(size=60)
    other = np.where(np.arange(60) > 40, 100.0, errors)

    first, second = (adaptive_widths(calibration, np.arange(60), one, 3) for one in (errors, other))

    np.testing.assert_array_equal(first[:44], second[:44])
    assert (first[44:] != second[44:]).any()


def test_adaptive_intervals_follow_errors_that_grow() -> None:
    random = np.random.default_rng(2)
    errors = random.normal(size=600) * np.linspace(1, 4, 600)
    calibration = random.normal(size=60)

    adaptive = coverage(errors, adaptive_widths(calibration, np.arange(600), errors, 1))
    split = coverage(errors, split_widths(calibration, 600))

    assert split.share < 0.75
    assert adaptive.share > 0.86


def test_a_measured_coverage_is_judged_by_its_own_uncertainty() -> None:
    def held(of: int, n: int) -> np.ndarray:
        return np.where(np.arange(n) < of, 0.0, 2.0)

    # Clopper and Pearson, 95 %: 16 of 20 is 0.563 to 0.943; 45 of 60 is 0.621 to 0.853; 60 of 60 is 0.940 to 1.
    for of, n, plausible in ((16, 20, True), (45, 60, False), (60, 60, False)):
        found = coverage(held(of, n), np.ones(n))
        assert (found.share, found.n, found.plausible) == (of / n, n, plausible)
    assert coverage(np.array([np.nan]), np.ones(1)).plausible is None
