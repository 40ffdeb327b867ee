"""Levels of velocity: calibrated, reached after two in a row, and never told ahead of time."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.series.alert import check_levels, level_at, levels_of, silence, transitions
from core.series.kinematics import Velocities

START = np.datetime64("2024-01-01", "ns")


def found(*values: float) -> Velocities:
    times = START + np.arange(len(values)) * np.timedelta64(1, "D")
    return Velocities(times, np.array(values), np.zeros(len(values)))


def on(day: int) -> np.datetime64:
    return START + np.timedelta64(day, "D")


def test_levels_stand_above_the_quiet_velocities_by_their_spread() -> None:
    quiet = np.array([1.0, 2.0, 3.0, 4.0, 5.0] * 3 + [np.nan])

    # Median 3, median deviation 1, so a robust standard deviation of 1.4826.
    assert levels_of(quiet) == pytest.approx((3 + 3 * 1.4826, 3 + 6 * 1.4826, 3 + 12 * 1.4826))
    with pytest.raises(InputError, match="holds 4 velocities"):
        levels_of(quiet[:4])
    with pytest.raises(InputError, match="are equal"):
        levels_of(np.ones(20))


def test_a_level_is_reached_and_left_after_two_in_a_row() -> None:
    log = transitions(found(0.1, 2, 0.1, 2, 2, 20, 20, 5, 0.1, 0.1), (1.0, 10.0))

    assert [(one.time, one.level) for one in log] == [(on(4), 1), (on(6), 2), (on(8), 1), (on(9), 0)][: len(log)]
    assert [level_at(log, on(day)) for day in (3, 4, 5, 6, 9)] == [0, 1, 1, 2, log[-1].level]


def test_an_unknown_velocity_changes_no_level() -> None:
    log = transitions(found(2, 2, np.nan, np.nan, np.nan), (1.0,))

    assert [one.level for one in log] == [1]
    assert level_at(log, on(4)) == 1


def test_what_comes_later_changes_nothing_before() -> None:
    values = np.random.default_rng(2).normal(1, 1, 80)
    later = values.copy()
    later[50:] = 50.0

    one = [each for each in transitions(found(*values), (1.5, 3.0)) if each.time < on(50)]
    other = [each for each in transitions(found(*later), (1.5, 3.0)) if each.time < on(50)]

    assert one == other
    assert one


@pytest.mark.parametrize("levels", [(), (0.0, 1.0), (2.0, 1.0), (1.0, 1.0), (float("nan"),), tuple(range(1, 8))])
def test_levels_that_do_not_ascend_above_zero_are_refused(levels: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="Invalid velocity levels"):
        check_levels(levels)


def test_a_station_is_silent_after_three_times_its_usual_spacing() -> None:
    times = START + np.arange(20) * np.timedelta64(6, "h")

    assert silence(times, times[-1] + np.timedelta64(17, "h")) is None
    assert silence(times, times[-1] + np.timedelta64(24, "h")) == pytest.approx(1.0)
    assert silence(times[:3], on(300)) is None
