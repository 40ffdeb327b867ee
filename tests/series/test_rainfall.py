"""Rainfall thresholds against published numbers, and events that are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.series.monitoring import Driver
from core.series.rainfall import INCH, THRESHOLDS, antecedent, events_of, exceeded

START = np.datetime64("2024-01-01", "ns")


def hourly(values: list[float]) -> Driver:
    return Driver("rain", "rain", START + np.arange(len(values)) * np.timedelta64(1, "h"), np.array(values, float))


def daily(values: list[float]) -> Driver:
    return Driver("rain", "rain", START + np.arange(len(values)) * np.timedelta64(1, "D"), np.array(values, float))


def test_thresholds_have_the_published_values() -> None:
    caine = THRESHOLDS["caine"]

    assert caine.intensity(np.array([1.0, 10.0, 24.0, 100.0])) == pytest.approx([14.820, 6.037, 4.291, 2.460], abs=5e-4)
    assert float(THRESHOLDS["guzzetti"].intensity(1.0)) == 2.20
    assert float(THRESHOLDS["jibson"].intensity(1.0)) == 30.53
    assert float(THRESHOLDS["innes"].intensity(8.0)) * 8 == pytest.approx(4.93 * 8**0.504)
    assert float(THRESHOLDS["seattle"].intensity(24.0)) == pytest.approx(82.73 * 24**-1.13)
    assert np.isnan(caine.intensity(0.1))
    assert np.isnan(caine.intensity(501))


def test_events_end_after_a_dry_day_and_have_their_rain_and_hours() -> None:
    events = events_of(hourly([0, 5, 5, 0, 10, *[0] * 30, 2, *[0] * 5]))

    assert events.hours.tolist() == [4.0, 1.0]
    assert events.totals.tolist() == [20.0, 2.0]
    assert events.intensities.tolist() == [5.0, 2.0]
    assert events.begins[0] == START + np.timedelta64(1, "h")
    assert exceeded(events, THRESHOLDS["caine"]).tolist() == [False, False]
    assert exceeded(events, THRESHOLDS["guzzetti"]).tolist() == [True, False]


def test_rain_that_is_not_known_makes_an_event_unknown_and_never_small() -> None:
    within = events_of(hourly([0, 5, np.nan, 5, *[0] * 30, 3, 0]))
    beside = events_of(hourly([np.nan, 5, 0, 0]))

    assert within.totals.tolist() == [3.0]
    assert within.unknown == 1
    assert (len(beside.totals), beside.unknown) == (0, 1)
    hours = START + np.array([0, 1, 2, 20, 21]) * np.timedelta64(1, "h")
    gap = Driver("rain", "rain", hours, np.array([0, 5, 5, 5, 0.0]))
    assert events_of(gap).unknown == 1


def test_antecedent_rain_is_of_three_days_and_the_fifteen_before_them() -> None:
    rain = [10.0] * 15 + [20.0, 30.0, 40.0, 0.0]

    found = antecedent(daily(rain))

    assert found.recent[17] == 90.0
    assert found.before[17] == 150.0
    # 90 mm are 3.54 inches, 150 mm are 5.91: the threshold is 3.5 - 3.96 < 0.
    assert found.reached[17]
    assert not found.known[16]
    assert np.isnan(found.before[16])
    dry = antecedent(daily([0.0] * 15 + [3.4 * INCH, 0.0, 0.0, 0.0]))
    assert not dry.reached[17]
    wet = antecedent(daily([0.0] * 15 + [3.5 * INCH, 0.0, 0.0, 0.0]))
    assert wet.reached[17]


def test_a_day_that_is_partly_unknown_is_unknown() -> None:
    values = [1.0] * 24 * 20
    values[24 * 10 + 5] = np.nan

    found = antecedent(hourly(values))

    assert np.isnan(found.recent[10:13]).all()
    assert found.recent[9] == 72.0
    assert not found.reached[10]


def test_what_is_no_rain_is_refused() -> None:
    level = Driver("lake", "level", START + np.arange(3) * np.timedelta64(1, "D"), np.zeros(3))

    for work in (events_of, antecedent):
        with pytest.raises(InputError, match="not a rain series"):
            work(level)
