"""Series on regular steps."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.series.monitoring import Driver, Monitoring, Quantity, Station
from core.series.regular import regular_of, step_of

START = np.datetime64("2020-01-01", "ns")


def at(*numbers: float) -> np.ndarray:
    return (START + np.round(np.array(numbers) * 86_400).astype("timedelta64[s]")).astype("datetime64[ns]")


def slope(times: np.ndarray, values: list[float], *drivers: tuple[Quantity, np.ndarray, list[float]]) -> Monitoring:
    found = tuple(Driver(quantity, quantity, when, np.array(what, float)) for quantity, when, what in drivers)
    return Monitoring((Station("A", times, np.array(values, float)),), found)


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [(1, "D"), (7, "7D"), (12, "12D"), (6, "6D"), (30.4, "month"), (1 / 24, "1h"), (0.25, "6h"), (1 / 96, "1h")],
)
def test_the_step_is_the_usual_spacing(spacing: float, expected: str) -> None:
    assert step_of(at(*(spacing * number for number in (0, 1, 2, 3, 9, 10)))) == expected


def test_gaps_are_filled_along_a_line_and_marked_and_nothing_is_made_beyond_the_ends() -> None:
    notes: list[str] = []
    found = regular_of(slope(at(0, 1, 4, 5), [np.nan, 1.0, 4.0, 9.0]), "A", "D", notes)

    assert found.times[0] == np.datetime64("2020-01-02")
    assert found.displacements.tolist() == [1.0, 2.0, 3.0, 4.0, 9.0]
    assert found.filled.tolist() == [False, True, True, False, False]
    assert notes == ["A: 5 daily steps. 2 of them (40 %) have no value: they are interpolated linearly and not used "
                     "for scores."]  # fmt: skip


def test_values_of_a_step_give_their_mean_and_rain_its_sum() -> None:
    hours = at(*(number / 24 for number in range(72)))
    series = regular_of(
        slope(hours, list(range(72)), ("rain", hours, [0.5] * 72), ("level", hours, list(range(72)))), "A", "D"
    )
    assert series.displacements.tolist() == [11.5, 35.5, 59.5]
    assert series.drivers["rain"].tolist() == [12.0] * 3
    assert series.drivers["level"].tolist() == [11.5, 35.5, 59.5]


def test_rain_of_a_step_is_unknown_when_too_little_of_it_is() -> None:
    days = at(*range(28))
    rain = [1.0] * 28
    rain[8] = np.nan  # one of the second week
    rain[15] = rain[17] = np.nan  # two of the third: 5 of 7 are fewer than 80 %
    notes: list[str] = []
    series = regular_of(slope(days, list(range(28)), ("rain", days, rain)), "A", "7D", notes)

    np.testing.assert_array_equal(series.drivers["rain"], [7.0, 6.0, np.nan, 7.0])
    assert any("fewer readings than usual in 2 of 4 steps" in one for one in notes)


def test_months_begin_on_their_first_day() -> None:
    times = np.array(["2019-11-15", "2019-12-15", "2020-01-15", "2020-03-15"], "datetime64[ns]")
    series = regular_of(slope(times, [0, 1, 2, 6]), "A")
    assert series.step == "month"
    assert series.times.astype("datetime64[D]").astype(str).tolist() == [
        "2019-11-01", "2019-12-01", "2020-01-01", "2020-02-01", "2020-03-01",
    ]  # fmt: skip
    assert series.displacements.tolist() == [0, 1, 2, 4, 6]
    assert series.filled.tolist() == [False, False, False, True, False]


def test_too_many_steps_are_refused_before_they_are_made() -> None:
    times = at(0, 1 / 24, 2 / 24, 85_000)
    with pytest.raises(InputError, match="limit is 2,000,000"):
        regular_of(slope(times, [0, 1, 2, 3]), "A")


def test_steps_that_are_none_are_refused() -> None:
    for step in ("week", "0D", "-1D", "D7"):
        with pytest.raises(InputError, match="not a valid time step"):
            regular_of(slope(at(0, 1, 2, 3), [0, 1, 2, 3]), "A", step)
