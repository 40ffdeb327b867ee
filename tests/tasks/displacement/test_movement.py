"""How a station moved, in numbers and sentences, against slopes whose movement is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.decomposition import How, decomposed_series
from core.series.lags import lag_correlation, seasonal_profile
from core.series.trajectory import fit_trajectory
from core.series.trajectory_plan import TrajectoryPlan
from core.tasks.displacement.lesson import MOST_ORIGINS, Lesson, lesson_of, lesson_sentences
from core.tasks.displacement.movement import (
    dates_of,
    hodograph_of,
    hodograph_sentence,
    lag_sentence,
    motion_of,
    motion_sentences,
    parts_table,
    profile_sentence,
    readings,
    spans_of,
    windows_of,
)
from core.tasks.displacement.movement_plots import (
    hodograph_figure,
    lag_figure,
    lesson_figure,
    motion_figure,
    parts_figure,
    profile_figure,
    trajectory_figure,
)
from tests.tasks.displacement.slopes import rainy, slope


def measured(values: np.ndarray, **components: np.ndarray) -> pd.DataFrame:
    times = pd.date_range("2024-01-01", periods=len(values), freq="D")
    return pd.DataFrame({"station": "A", "time": times, "displacement": values, **components})


def test_a_parabola_has_its_velocity_and_acceleration_and_their_class() -> None:
    days = np.arange(60.0)

    found = motion_of(measured(0.1 * days**2), "A", 6)

    inner = slice(6, -6)
    assert found.velocities.values[inner] == pytest.approx(0.2 * days[inner])
    assert found.accelerations.values[inner] == pytest.approx(0.2)
    assert not found.yearly
    told = motion_sentences(found)
    # Around the last reading lie the four of days 56 to 59, whose slope is 0.1 × (56 + 59).
    assert told[0] == (
        "2024-02-29: 11.50 mm/day, slow (smoothed over the readings of 6 days around the day, "
        "of which the series covers 3; the early warning counts preceding readings alone)."
    )
    noise = np.random.default_rng(0).normal(0, 0.1, 60)
    back = motion_sentences(motion_of(measured(-0.1 * days**2 + noise), "A", 4, "past"))
    assert back[0] == "2024-02-29: −11.44 mm/day, slow (from the preceding 4 days)."
    # A value and its standard error have the same decimals.
    assert "acceleration −0.2114 mm/day² (standard error 0.0052;" in back[-1]
    assert "acceleration" in told[-1]
    assert windows_of(found.velocities.times) == (0.0, 7.0)
    assert len(motion_figure(found).data) == 3


def test_nothing_is_drawn_across_a_gap() -> None:
    frame = measured(np.arange(60.0))

    figure = motion_figure(motion_of(frame.drop(index=range(20, 40)), "A", 5))

    area, velocity, _ = figure.data
    assert sum(one is None for one in area.x) == 2  # two outlines, each with its end
    drawn = dict(zip(velocity.x.astype("datetime64[h]").tolist(), velocity.y, strict=True))
    assert len(drawn) == 41
    assert np.isnan(drawn[np.datetime64("2024-01-30T12", "h").item()])


def test_slow_velocities_are_told_by_the_year() -> None:
    found = motion_of(measured(0.01 * np.arange(40.0)), "A", 0)

    assert found.days == 10
    assert found.yearly
    assert motion_sentences(found)[0] == (
        "2024-02-09: 3.7 mm/year, extremely slow (smoothed over the readings of 10 days around the day, of which "
        "the series covers 5; the early warning counts preceding readings alone)."
    )
    with pytest.raises(InputError, match="9 readings"):
        motion_of(measured(np.arange(9.0)), "A", 0)


def test_a_path_has_its_length_direction_and_plunge() -> None:
    along = np.arange(40.0)
    frame = measured(along, north=along, east=-along, up=-along)

    path = hodograph_of(frame, "A")

    assert path is not None
    assert path.moved == pytest.approx((30, -30, -30))  # from the mean of 0 to 9 to that of 30 to 39
    assert hodograph_sentence(path) == (
        "From the first to the last 10 readings it moved 42.4 mm towards 315° (NW) and 30.0 mm down (35° below the "
        "horizontal)."
    )
    assert path.smooth_north[20] == pytest.approx(20, abs=0.5)
    assert hodograph_figure(path).layout.yaxis.scaleanchor == "x"
    assert hodograph_of(measured(along), "A") is None
    flat = hodograph_of(measured(along, north=along, east=0 * along), "A")
    assert flat is not None
    assert hodograph_sentence(flat) == "From the first to the last 10 readings it moved 30.0 mm towards 0° (N)."


def test_the_whole_series_knows_a_step_before_it_comes() -> None:
    # Still for 60 days, then 30 mm at once, then still: an average over 10 days leads the way to the step.
    series = slope([*[0.0] * 60, *[30.0] * 40])

    found = lesson_of(series, How("moving_average", window=10), 3, 55)

    known = dict(zip(found.times.astype("datetime64[D]").astype(str), zip(found.whole, found.known, strict=True),
                     strict=True))  # fmt: skip
    # At the end of the 60th day the past is still; the whole series has 4.5 of 10 days after the step.
    whole, then = known["2020-02-29"]
    assert whole == pytest.approx(30 * 0.45)
    assert then == pytest.approx(0, abs=1e-9)
    assert len(found.times) == MOST_ORIGINS
    assert found.leaky < found.honest
    told = lesson_sentences(found, "3 days")
    assert "knowledge of the future" in told[-1]
    assert len(lesson_figure(series, found).data) == 4


def test_the_lesson_scores_by_what_was_measured() -> None:
    series = slope(np.arange(80.0), filled=(70, 75))

    found = lesson_of(series, How("polynomial", 1), 5, 60)

    # A line: both ways are right, and nothing moves is off by five steps.
    assert found.leaky == pytest.approx(0, abs=1e-6)
    assert found.honest == pytest.approx(0, abs=1e-6)
    assert found.still == pytest.approx(5)
    # Origins 60 to 79 but for 70 and 75; with a target, that is none of the two: 60 to 74 but for 65 and 70.
    assert (len(found.times), found.scored) == (18, 13)
    assert found.apart == pytest.approx(0, abs=1e-6)
    assert len(lesson_sentences(found, "5 days")) == 2


def test_a_lesson_that_gains_nothing_says_so_by_its_numbers_alone() -> None:
    times = np.array(["2024-01-01", "2024-01-02"], "datetime64[ns]")

    told = lesson_sentences(Lesson(times, np.array([1.0, 2]), np.array([1.0, 4]), 3.0, 2.0, 5.0, 2), "1 day")

    assert "1.41 mm (RMS)" in told[0]
    assert "at most 2.00 mm, on 2024-01-02" in told[0]
    assert len(told) == 2
    with pytest.raises(InputError, match="too short for this decomposition"):
        lesson_of(slope(np.arange(50.0)), How("polynomial", 1), 1, 48)


def test_the_strongest_lag_is_told_with_its_band_and_number() -> None:
    found = lag_correlation(rainy(200), "rain", 5)

    told = lag_sentence(found, "D")

    assert told.startswith("Strongest with rain, sum of 1 day, 1 day before: correlation +0.9")
    assert f"(n = {found.counts[1]}), beyond the range expected by chance" in told
    # One bar within the band, one beyond.
    assert len(lag_figure(found, "days").data) == 2
    assert "too short to estimate" in lag_sentence(replace(found, chance=float("nan"), shifts=7), "D")
    assert len(lag_figure(replace(found, chance=float("nan")), "days").data) == 1
    unknown = replace(found, correlations=np.full(6, np.nan))
    assert lag_sentence(unknown, "D").startswith("No correlation could be calculated")


def test_the_months_are_told_with_their_years() -> None:
    moved = np.tile(np.r_[10.0, np.arange(1.0, 12)], 3)
    found = seasonal_profile(slope(np.cumsum(moved), step="month"))

    # The first step has no movement: two Januaries; in December 11 mm.
    assert profile_sentence(found, "A") == "A moves most in Dec (11.0 mm, 3 years), least in Feb (1.0 mm, 3 years)."
    assert len(profile_figure(found).data) == 2
    one = seasonal_profile(slope(np.cumsum(moved[:12]), step="month"))
    assert "too short to separate a season" in profile_sentence(one, "A")


def test_parts_and_trajectories_are_drawn_and_put_into_a_table() -> None:
    series = rainy(90, filled=(20, 21))
    parts = decomposed_series(series, How("loess"))

    table = parts_table(series, parts)

    assert table["displacement_mm"].isna().sum() == 2
    total = table["trend_mm"] + table["periodic_mm"] + table["rest_mm"]
    known = ~table["filled"]
    assert total[known].to_numpy() == pytest.approx(table["displacement_mm"][known].to_numpy())
    assert len(parts_figure(series, parts).data) == 3  # 90 days have no season
    found = fit_trajectory(series.times, series.displacements, TrajectoryPlan(excluded=(("2020-01-05", "2020-01-09"),)))
    assert len(trajectory_figure(found).data) == 5  # measured and excluded twice, and the line


def test_dates_and_spans_are_read_as_people_write_them() -> None:
    assert dates_of(" 2017-06-01, 2018-02-10;2019-01-01 ") == ("2017-06-01", "2018-02-10", "2019-01-01")
    assert dates_of("") == ()
    assert spans_of("2017-03-01 to 2017-03-09, 2018-01-05\n2019-01-01/2019-02-01") == (
        ("2017-03-01", "2017-03-09"), ("2018-01-05", "2018-01-05"), ("2019-01-01", "2019-02-01"),
    )  # fmt: skip
    with pytest.raises(InputError, match="not a date range"):
        spans_of("2017-03-01 2017-03-02 2017-03-03")


def test_readings_that_are_not_known_are_left_out() -> None:
    times, values = readings(measured(np.array([1.0, np.nan, 3.0])), "A")

    assert values.tolist() == [1, 3]
    assert len(times) == 2
