"""What is wrong with stations, put there on purpose; and corrections, applied only as chosen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import TypeAdapter

from core.errors import InputError
from core.series.breaks import find_changes, find_steps
from core.series.cleaning import find_gaps, find_outliers, find_silence, find_stuck, findings
from core.series.corrections import Correction, apply_corrections, correction_of
from core.series.finding import noise_of
from core.series.monitoring import Driver, Monitoring, Station
from core.series.stations import moved

START = np.datetime64("2020-01-01", "ns")


def station(values: np.ndarray, at: np.ndarray | None = None, name: str = "A") -> Station:
    days = np.arange(len(values)) if at is None else at
    times = START + np.round(days * 86_400).astype("timedelta64[s]")
    return Station(name, times.astype("datetime64[ns]"), np.asarray(values, float))


def noisy(count: int, sigma: float = 1.0) -> np.ndarray:
    return np.random.default_rng(7).normal(0, sigma, count)


def day(number: int) -> np.datetime64:
    return START + np.timedelta64(number, "D")


def test_noise_is_found_below_trend_and_steps() -> None:
    values = 0.02 * np.arange(5_000.0) ** 1.2 + 300 * (np.arange(5_000) > 2_000) + noisy(5_000, 2.0)
    assert noise_of(values) == pytest.approx(2.0, rel=0.05)


def test_gaps_and_silence_are_measured_in_usual_spacings() -> None:
    at = np.delete(np.arange(60), [20, 21, 22, 23, 40])
    one = station(np.arange(55.0), at)

    (gap,) = find_gaps(one)
    assert (gap.begin, gap.end, gap.size) == (day(19), day(24), 5.0)
    assert find_silence(one, day(64)) is None
    silent = find_silence(one, day(65))
    assert silent is not None
    assert (silent.begin, silent.size) == (day(59), 6.0)


def test_unknown_values_are_gaps_too() -> None:
    values = np.arange(30.0)
    values[10:15] = np.nan
    assert [one.size for one in find_gaps(station(values))] == [6.0]


def test_outliers_are_those_that_were_put_there_and_no_step_or_trend() -> None:
    values = 0.5 * np.arange(300.0) + noisy(300)
    values[150:] += 80
    values[[2, 60, 200, 297]] += [30.0, -20.0, 25.0, -30.0]

    found = find_outliers(station(values))

    assert {int((one.begin - START) / np.timedelta64(1, "D")) for one in found} >= {2, 60, 200, 297}
    assert len(found) <= 6  # of 300 normal readings about one in 400 lies beyond four deviations of eleven
    assert [one.size for one in found if one.begin == day(60)] == pytest.approx([-20.0], abs=3.0)


def test_a_smooth_series_has_no_outliers_and_no_steps() -> None:
    values = np.exp(np.arange(200.0) / 40)
    assert find_outliers(station(values)) == []
    quadratic = 0.01 * np.arange(200.0) ** 2 + noisy(200, 0.1)
    assert find_steps(station(quadratic)) == []


def test_a_step_is_found_where_it_is_with_its_size() -> None:
    values = 0.3 * np.arange(200.0) + noisy(200) + 15.0 * (np.arange(200) >= 120)

    (step,) = find_steps(station(values))

    assert (step.begin, step.end) == (day(119), day(120))
    assert step.size == pytest.approx(15.0, abs=1.5)


def test_a_change_of_noise_and_one_of_spacing_are_found() -> None:
    values = np.concatenate([noisy(150, 0.2), noisy(150, 2.0)])
    (change,) = find_changes(station(values))
    assert abs((change.begin - day(150)) / np.timedelta64(1, "D")) <= 10
    assert change.size == pytest.approx(10.0, rel=0.5)

    at = np.concatenate([np.arange(100), 100 + np.arange(400) / 24])
    (change,) = find_changes(station(noisy(500), at))
    assert change.size == pytest.approx(1 / 24)
    assert abs((change.begin - day(100)) / np.timedelta64(1, "D")) <= 1


def test_an_instrument_that_reads_the_same_is_stuck_but_not_one_that_always_does() -> None:
    values = noisy(100)
    values[40:55] = 3.0
    (stuck,) = find_stuck(station(values))
    assert (stuck.begin, stuck.end, stuck.size) == (day(40), day(54), 15.0)
    assert find_stuck(station(np.repeat([1.0, 2.0, 3.0], 40))) == []


def test_a_station_is_silent_by_what_else_was_measured() -> None:
    rain = Driver("rain", "rain", station(np.zeros(80)).times, np.zeros(80))
    found = findings(Monitoring((station(np.arange(50.0)),), (rain,)))
    assert [(one.what, one.size) for one in found] == [("silence", 30.0)]


def test_corrections_change_only_what_was_chosen_and_are_recorded() -> None:
    values = np.zeros(60)
    values[30:] = 12.0
    values[10] = 90.0
    slope = Monitoring((station(values), station(values, name="B")))
    outlier, step = (one for one in findings(slope) if one.station == "A" and one.what in ("outlier", "step"))
    chosen = [correction_of(outlier), correction_of(step)]

    corrected = apply_corrections(slope, [one for one in chosen if one is not None])

    expected = np.zeros(60)
    expected[10] = np.nan
    np.testing.assert_allclose(corrected.station("A").displacements, expected, atol=1e-9)
    assert corrected.station("B") is slope.station("B")
    assert [(one["what"], one["station"], one["values"]) for one in corrected.corrections] == [
        ("remove", "A", 1), ("shift", "A", 30),
    ]  # fmt: skip
    assert json.loads(json.dumps(corrected.corrections)) == list(corrected.corrections)
    assert any("30 values from 2020-01-31 on were shifted by −12 mm" in one for one in corrected.notes)


def test_a_step_of_a_component_is_taken_from_it_and_the_distance_is_made_anew() -> None:
    north, east = np.zeros(60), np.zeros(60)
    north[20:], east[40:] = 3.0, 4.0
    components, distance = moved({"north": north, "east": east})
    one = station(distance)
    slope = Monitoring((Station("A", one.times, distance, components),))
    assert distance[-1] == 5.0

    first, second = (one for one in findings(slope) if one.what == "step")
    assert (first.part, second.part) == ("north", "east")
    choice = correction_of(first)
    assert choice is not None
    corrected = apply_corrections(slope, [choice]).station("A")

    assert corrected.displacements == pytest.approx(np.where(np.arange(60) >= 40, 4.0, 0.0))
    with pytest.raises(InputError, match="needs a component"):
        apply_corrections(slope, [Correction("shift", "A", "2020-02-01", size=1.0)])


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        (Correction("remove", "X", "2020-01-01"), "no station 'X'"),
        (Correction("remove", "A", "yesterday"), "no date|not a date"),
        (Correction("remove", "A", ""), "no date|not a date"),
        (Correction("remove", "A", "2031-01-01"), "no row"),
        (Correction("shift", "A", "2020-01-05", size=float("nan")), "not a number"),
        (Correction("shift", "A", "2020-01-05", size=1.0, part="up"), "no component"),
    ],
)
def test_corrections_of_what_there_is_not_are_refused(correction: Correction, message: str) -> None:
    with pytest.raises(InputError, match=message):
        apply_corrections(Monitoring((station(np.arange(20.0)),)), [correction])


def test_a_value_that_two_corrections_remove_is_removed_once() -> None:
    slope = Monitoring((station(np.arange(20.0)),))
    twice = [Correction("remove", "A", "2020-01-03", "2020-01-06"), Correction("remove", "A", "2020-01-05")]
    corrected = apply_corrections(slope, twice)
    assert np.flatnonzero(np.isnan(corrected.station("A").displacements)).tolist() == [2, 3, 4, 5]
    assert [one["values"] for one in corrected.corrections] == [4, 0]


def test_an_outlier_between_two_seconds_is_removed() -> None:
    values = noisy(60)
    values[30] = 50.0
    one = Station("A", START + (np.arange(60) * 250).astype("timedelta64[ms]"), values)
    (found,) = find_outliers(one)
    choice = correction_of(found)
    assert choice is not None
    corrected = apply_corrections(Monitoring((one,)), [choice]).station("A")
    assert np.flatnonzero(np.isnan(corrected.displacements)).tolist() == [30]


def test_corrections_survive_json() -> None:
    adapter = TypeAdapter(tuple[Correction, ...])
    made = (Correction("shift", "A", "2020-01-05", size=1.5, part="north", reason="antenna"),)
    assert adapter.validate_json(adapter.dump_json(made)) == made
