"""Lags and months against series whose law is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from core.errors import InputError
from core.series.lags import FEWEST, lag_correlation, movements, seasonal_profile, shifts_of
from core.series.monitoring import Quantity, RegularSeries


def of(
    values: np.ndarray, drivers: Mapping[str, tuple[Quantity, np.ndarray]], step: str = "D", filled: Sequence[int] = (),
    begin: str = "2015-01-01",
) -> RegularSeries:  # fmt: skip
    count = len(values)
    times = np.datetime64(begin, "ns") + np.arange(count) * np.timedelta64(1, "D")
    if step == "month":
        times = (np.datetime64(begin, "M") + np.arange(count)).astype("datetime64[ns]")
    return RegularSeries(
        "A", step, times, values, np.isin(np.arange(count), filled), {name: one for name, (_, one) in drivers.items()},
        {name: quantity for name, (quantity, _) in drivers.items()},
    )  # fmt: skip


def rain_of(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random(count) < 0.3, random.gamma(1.0, 10.0, count), 0.0)


def test_rain_of_four_days_before_is_found_at_its_lag() -> None:
    rain = rain_of(400)
    moved = 0.3 + 0.1 * np.concatenate([np.zeros(4), rain[:-4]])

    found = lag_correlation(of(np.cumsum(moved), {"rain": ("rain", rain)}), "rain", 10)

    assert found.strongest == 4
    assert found.correlations[4] == pytest.approx(1)
    assert found.counts[[0, 4]].tolist() == [399, 396]  # the first step has no movement
    assert 0.1 < found.chance < 0.25  # of 11 lags at n = 400: about 2.8 / 20
    assert np.abs(np.delete(found.correlations, 4)).max() < found.chance
    assert found.what == "rain, sum of 1 day"


def test_each_correlation_is_that_of_its_known_pairs() -> None:
    rain = rain_of(90)
    rain[[20, 21, 50]] = np.nan
    series = of(np.cumsum(rain_of(90, 1)), {"rain": ("rain", rain)}, filled=(30, 31))

    found = lag_correlation(series, "rain", 3, window=2)

    step = movements(series)
    for lag in range(4):
        pairs = [(rain[t - lag] + rain[t - lag - 1], step[t]) for t in range(lag + 1, 90)]
        known = np.array([pair for pair in pairs if np.isfinite(pair).all()])
        assert found.counts[lag] == len(known)
        assert found.correlations[lag] == pytest.approx(np.corrcoef(known.T)[0, 1])
    assert np.isnan(step[[0, 30, 31, 32]]).all()


def test_a_falling_level_goes_with_movement_by_its_change() -> None:
    level = 150 + np.cumsum(np.random.default_rng(2).normal(0, 1, 300))
    drop = np.concatenate([[0.0], -np.diff(level)])

    found = lag_correlation(of(np.cumsum(5 + drop), {"lake": ("level", level)}), "lake", 3)

    assert found.strongest == 0
    assert found.correlations[0] == pytest.approx(-1)
    assert found.what == "lake, change in 1 day"


def test_a_season_that_two_series_share_lies_within_the_band() -> None:
    months = np.arange(240)
    turn = 2 * np.pi * months / 12
    random = np.random.default_rng(3)
    rain = 80 - 60 * np.cos(turn) + random.normal(0, 5, 240)
    moved = 5 - 3 * np.cos(turn) + random.normal(0, 1, 240)  # has the season alone from the rain
    series = of(np.cumsum(moved), {"rain": ("rain", rain)}, "month")

    found = lag_correlation(series, "rain", 6)
    less = lag_correlation(series, "rain", 6, less_season=True)

    assert found.correlations[0] > 0.8
    assert found.chance > found.correlations[0] - 0.05
    assert abs(less.correlations[0]) < less.chance < 0.35


def test_ranks_see_a_curved_relation_as_a_line() -> None:
    rain = rain_of(200) + np.linspace(0.01, 0.02, 200)

    series = of(np.cumsum(rain**3), {"rain": ("rain", rain)})

    assert lag_correlation(series, "rain", 0, ranks=True).correlations[0] == pytest.approx(1, abs=1e-4)
    assert lag_correlation(series, "rain", 0).correlations[0] < 0.9


def test_short_series_have_no_band_and_what_cannot_be_compared_is_refused() -> None:
    rain = rain_of(30)
    series = of(np.cumsum(rain), {"rain": ("rain", rain), "flat": ("other", np.ones(30))})

    assert np.isnan(lag_correlation(series, "rain", 10).chance)
    assert np.isnan(lag_correlation(series, "flat", 2).correlations).all()
    assert lag_correlation(series, "flat", 2).strongest is None
    assert shifts_of(30, 5).tolist() == list(range(6, 25))
    assert len(shifts_of(10_000, 5)) == 399
    with pytest.raises(InputError, match="no driver"):
        lag_correlation(series, "snow", 2)
    with pytest.raises(InputError, match="cannot be compared"):
        lag_correlation(series, "rain", 16)
    with pytest.raises(InputError, match="two years"):
        lag_correlation(series, "rain", 2, less_season=True)
    dry = of(np.cumsum(rain), {"rain": ("rain", np.where(np.arange(30) < FEWEST - 1, rain, np.nan))})
    with pytest.raises(InputError, match="Fewer than 10 steps of rain"):
        lag_correlation(dry, "rain", 2)


def test_months_have_the_mean_of_their_years_and_its_spread() -> None:
    # From January 2015: each month moves as many mm as its number, in the second year twice as many.
    moved = np.concatenate([np.arange(1.0, 13), 2 * np.arange(1.0, 13)])
    profile = seasonal_profile(of(np.cumsum(moved), {}, "month", filled=(14,)))

    assert profile.means[5] == pytest.approx((6 + 12) / 2)
    assert profile.spreads[5] == pytest.approx(6 / np.sqrt(2))
    # The first step has no movement; March 2016 is filled, so that neither its own step nor that of April is known.
    assert profile.counts.tolist() == [1, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]
    assert np.isnan(profile.spreads[[0, 2, 3]]).all()
    assert profile.means[[0, 2, 3]].tolist() == [2, 3, 4]
    assert (profile.years[0], profile.months[0]) == (2015, 2)


def test_a_month_of_days_moves_by_all_its_days_and_needs_most_of_them() -> None:
    days = np.arange(59)  # January and February 2015, half a millimetre a day
    profile = seasonal_profile(of(0.5 * days, {}, filled=(3, 4, 40, 41, 42, 43, 44, 45)))

    assert profile.months.tolist() == [1]  # 21 of 28 days of February are known
    assert profile.moved == pytest.approx([15.5])
    with pytest.raises(InputError, match="no month"):
        seasonal_profile(of(0.5 * days, {}, filled=range(0, 59, 2)))
