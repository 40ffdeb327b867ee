"""Modes add up to the series, and tell apart what was put together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.series.decomposition import How, decomposed_series
from core.series.modes import ceemdan, emd, period_of, vmd
from core.series.monitoring import RegularSeries, Values

STEPS = np.arange(400.0)
TREND = 0.0005 * (STEPS - 100) ** 2
SLOW, QUICK = 6 * np.sin(2 * np.pi * STEPS / 100), 2 * np.sin(2 * np.pi * STEPS / 12)
INNER = slice(40, 360)
"""Away from the ends, of which every way knows little."""


@pytest.mark.parametrize("divide", [emd, ceemdan, vmd])
@pytest.mark.parametrize("count", [400, 399, 37, 9])
def test_modes_add_up_to_the_series(divide: Callable[[Values], Values], count: int) -> None:
    values = (TREND + SLOW + QUICK + np.random.default_rng(1).normal(0, 0.5, 400))[:count]
    found = divide(values)
    assert found.shape[1] == count
    np.testing.assert_allclose(found.sum(axis=0), values, atol=1e-9)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("divide", [emd, ceemdan, vmd])
def test_two_waves_and_a_trend_are_told_apart(divide: Callable[[Values], Values]) -> None:
    found = divide(TREND + SLOW + QUICK)
    periods = np.array([period_of(one) for one in found[:-1]])
    quick = found[:-1][(periods > 8) & (periods < 18)].sum(axis=0)
    assert np.corrcoef(quick[INNER], QUICK[INNER])[0, 1] > 0.97
    slower = found.sum(axis=0) - found[:-1][periods < 18].sum(axis=0)
    assert np.corrcoef(slower[INNER], (TREND + SLOW)[INNER])[0, 1] > 0.99


@pytest.mark.parametrize("divide", [emd, ceemdan, vmd])
def test_a_series_without_waves_is_its_own_trend(divide: Callable[[Values], Values]) -> None:
    for values in (np.full(50, 3.0), np.linspace(0, 10, 50)):
        found = divide(values)
        np.testing.assert_allclose(found.sum(axis=0), values, atol=1e-9)
    assert len(emd(np.linspace(0, 10, 50))) == 1


def test_noise_of_the_same_seed_gives_the_same_modes() -> None:
    values = SLOW + QUICK
    np.testing.assert_array_equal(ceemdan(values, seed=3), ceemdan(values, seed=3))


@pytest.mark.parametrize("method", ["emd", "ceemdan", "vmd"])
def test_a_season_is_found_by_its_period(method: str) -> None:
    months = np.arange(120)
    season, trend = 5 * np.sin(2 * np.pi * months / 12), 0.8 * months + 0.004 * months**2
    times = (np.datetime64("2010-01", "M") + months).astype("datetime64[ns]")
    filled = np.zeros(120, bool)
    filled[[30, 31]] = True
    series = RegularSeries("A", "month", times, trend + season, filled, {}, {})
    parts = decomposed_series(series, How(method))  # type: ignore[arg-type]
    inner = slice(12, 108)
    assert np.corrcoef(parts.periodic[inner], season[inner])[0, 1] > 0.95
    assert np.abs(parts.trend[inner] - trend[inner]).max() < 3
    assert np.isnan(parts.rest[[30, 31]]).all()
    known = ~filled
    np.testing.assert_allclose((parts.trend + parts.periodic + parts.rest)[known], series.displacements[known])
    assert any("change whenever a value is added" in one for one in parts.notes)


def test_a_mode_of_the_past_changes_when_the_future_does() -> None:
    values = TREND + SLOW + QUICK
    other = values.copy()
    other[300:] += 40 * np.sin(np.arange(100))
    assert np.abs(vmd(values)[0, :250] - vmd(other)[0, :250]).max() > 0.01
