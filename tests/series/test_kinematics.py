"""Velocities of moving windows: lines, gaps and noise whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.series.kinematics import class_of, stretches, velocities

START = np.datetime64("2024-01-01", "ns")


def days(at: np.ndarray) -> np.ndarray:
    return (START + np.round(at * 86_400).astype("timedelta64[s]")).astype("datetime64[ns]")


def test_a_line_has_its_slope_on_both_sides_and_no_error() -> None:
    at = np.array([0, 1, 2, 3.5, 4, 5, 6, 7.25, 8, 9])

    past = velocities(days(at), 3 + 0.7 * at, 4.0)
    middle = velocities(days(at), 3 + 0.7 * at, 4.0, "centred")

    assert past.values[4:] == pytest.approx(0.7)
    assert middle.values[2:-2] == pytest.approx(0.7)
    assert past.errors[4:] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(past.values[:2]).all()  # fewer than three readings


def test_the_standard_error_is_that_of_the_regression() -> None:
    at = np.arange(5.0)

    found = velocities(days(at), np.array([0.0, 1.0, 0.0, 1.0, 0.0]), 6.0)

    # Slope 0; residuals from the mean .4 sum to 1.2; error sqrt(1.2 / 3 / 10).
    assert found.values[-1] == pytest.approx(0.0)
    assert found.errors[-1] == pytest.approx(0.2)


def test_nothing_is_said_across_a_gap_and_unknown_readings_are_left_out() -> None:
    at = np.concatenate([np.arange(10.0), 30 + np.arange(10.0)])
    values = at.copy()
    values[3] = np.nan

    found = velocities(days(at), values, 30.0)

    first, second = found.times < days(np.array([20.0]))[0], found.times > days(np.array([20.0]))[0]
    assert len(found.values) == 19
    assert np.isnan(found.values[second]).all()  # each of these windows reaches over the gap
    assert np.isnan(found.values[first]).all()  # no window of thirty days is filled by half
    short = velocities(days(at), values, 6.0)
    assert short.values[second][4:] == pytest.approx(1.0)


def test_a_later_reading_changes_no_past_velocity() -> None:
    rng = np.random.default_rng(0)
    at, values = np.arange(60.0), rng.normal(size=60).cumsum()
    changed = values.copy()
    changed[40:] += 100

    one, other = velocities(days(at), values, 7.0), velocities(days(at), changed, 7.0)

    assert one.values[:40] == pytest.approx(other.values[:40], nan_ok=True, abs=1e-9)
    assert not np.allclose(one.values[40:], other.values[40:])


def test_stretches_do_not_overlap_and_stand_at_the_middle_of_their_readings() -> None:
    at = np.arange(13.0)

    found = stretches(days(at), at**2, 4.0)

    # Readings 9–12, 5–8 and 1–4: the slope of a square over four readings is twice their mean.
    assert found.values == pytest.approx([5.0, 13.0, 21.0])
    assert ((found.times - START) / np.timedelta64(1, "h")).tolist() == [60, 156, 252]


@pytest.mark.parametrize(
    ("mm_per_day", "name"),
    [(0.04, "extremely slow"), (0.05, "very slow"), (4.5, "slow"), (430.0, "moderate"), (50_000.0, "rapid"),
     (5e6, "very rapid"), (-0.05, "very slow"), (5e8, "extremely rapid")],
)  # fmt: skip
def test_velocities_have_the_classes_of_cruden_and_varnes(mm_per_day: float, name: str) -> None:
    assert class_of(mm_per_day) == name


def test_a_window_without_length_is_refused_and_a_single_reading_has_no_velocity() -> None:
    with pytest.raises(InputError, match="window"):
        velocities(days(np.arange(5.0)), np.arange(5.0), 0)
    assert not len(velocities(days(np.arange(1.0)), np.arange(1.0), 3).values)
    assert not len(stretches(days(np.arange(2.0)), np.arange(2.0), 3).values)
