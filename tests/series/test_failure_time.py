"""Failure times against a series whose failure is known, and reasons where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InputError
from core.series.failure_time import failure_time, onset_of, saito, saito_of

START = np.datetime64("2024-01-01", "ns")
FAILS, A = 100.0, 0.1
"""1/v = A (FAILS - t), A per mm, t in days."""


def slope(last: float, step: float = 0.25, noise: float = 0.0, alpha: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    at = np.arange(0, last, step)
    if alpha == 2.0:
        moved = -np.log(1 - at / FAILS) / A
    else:  # v = [A (alpha - 1)(t_f - t)]^(-1/(alpha - 1)), integrated
        power = (alpha - 2) / (alpha - 1)
        k = A * (alpha - 1)
        moved = (FAILS**power - (FAILS - at) ** power) * k ** (-1 / (alpha - 1)) / power
    moved = moved + np.random.default_rng(3).normal(0, noise, len(at)) if noise else moved
    return (START + np.round(at * 86_400).astype("timedelta64[s]")).astype("datetime64[ns]"), moved


def day(moment: np.datetime64) -> float:
    return float((moment - START) / np.timedelta64(1, "s")) / 86_400


def test_the_series_is_the_analytic_one() -> None:
    _, moved = slope(95)

    assert moved[200] == pytest.approx(6.931472, abs=1e-6)
    assert moved[360] == pytest.approx(23.025851, abs=1e-6)


def test_without_noise_the_line_meets_the_failure_and_has_the_slope_of_the_law() -> None:
    found = failure_time(*slope(97), 1.0)

    assert found.reason == ""
    assert day(found.time) == pytest.approx(FAILS, abs=0.02)
    assert found.slope == pytest.approx(-A, rel=1e-3)


def test_voights_exponent_bends_the_line_straight() -> None:
    times, moved = slope(95, alpha=3.0)

    assert day(failure_time(times, moved, 1.0, alpha=3.0).time) == pytest.approx(FAILS, abs=0.1)
    with pytest.raises(InputError, match="exponent"):
        failure_time(times, moved, 1.0, alpha=1.0)


def test_with_noise_the_interval_holds_the_failure() -> None:
    held = 0
    for seed in range(12):
        times, moved = slope(92)
        moved = moved + np.random.default_rng(seed).normal(0, 0.03, len(moved))
        found = failure_time(times, moved, 2.0)
        held += found.time is not None and day(found.earliest) <= FAILS + 1 and (
            found.latest is None or day(found.latest) >= FAILS - 1
        )
    assert held >= 10


def test_replay_sees_nothing_of_the_future() -> None:
    times, moved = slope(90, noise=0.02)
    known = times <= START + np.timedelta64(60, "D")

    early = failure_time(times[known], moved[known], 2.0)
    later = failure_time(times, np.where(known, moved, 1e6), 2.0)
    again = failure_time(times[known], np.where(known, moved, 1e6)[known], 2.0)

    assert early.time == again.time
    assert later.time != early.time


def test_a_slope_that_does_not_accelerate_has_no_failure_time_and_the_reason_is_told() -> None:
    at = np.arange(0, 60, 0.5)
    times = (START + np.round(at * 86_400).astype("timedelta64[s]")).astype("datetime64[ns]")

    slowing = failure_time(times, 10 * np.log1p(at), 2.0)
    few = failure_time(times[:8], at[:8], 2.0)
    still = failure_time(times, np.random.default_rng(1).normal(0, 1, len(at)), 2.0)

    assert "is not accelerating" in slowing.reason
    assert "velocities over 2 days are known" in few.reason
    assert failure_time(times[:2], at[:2], 2.0).reason.startswith("No velocity over 2 days is known; ")
    assert still.time is None
    assert still.reason


def test_the_onset_is_where_the_short_mean_stays_above_the_long_one() -> None:
    assert onset_of(np.array([1.0] * 10 + [2.0, 3.0, 4.0])) == 10
    assert onset_of(np.array([1.0] * 10)) is None
    assert onset_of(np.array([5.0, 4.0, 3.0, 2.0, 1.0])) is None


def test_saito_is_exact_for_the_analytic_series() -> None:
    times, moved = slope(75.25)

    assert saito(0, 50, 75) == 100.0
    assert math.isnan(saito(0, 50, 101))
    assert day(saito_of(times, moved, START)) == pytest.approx(100.0, abs=0.05)
    assert saito_of(times, 10 * np.log1p(np.arange(len(times))), START) is None
