"""A newer file of the same stations is joined to an older one, and what both hold is compared."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.series.append import appended
from core.series.monitoring import Driver, Monitoring, Station


def days(first: int, count: int) -> np.ndarray:
    return np.datetime64("2024-01-01", "ns") + np.arange(first, first + count) * np.timedelta64(1, "D")


def station(first: int, values: list[float], name: str = "A") -> Station:
    return Station(name, days(first, len(values)), np.array(values, float))


def joined(older: Station, newer: Station) -> tuple[list[float], list[str]]:
    found = appended(Monitoring((older,)), Monitoring((newer,)), "old.csv")
    (one,) = found.stations
    assert (np.diff(one.times) > np.timedelta64(0, "ns")).all()
    return one.displacements.tolist(), list(found.notes)


def test_readings_of_both_files_are_compared_and_the_newer_counts() -> None:
    values, notes = joined(station(0, [0, 1, 2, 3]), station(2, [2, 3.5, 4]))
    assert values == [0, 1, 2, 3.5, 4]
    assert notes == ["2 readings of A are in both files; 1 differs, by up to 0.5 mm; the newer value is used."]


def test_a_newer_file_that_begins_at_zero_is_shifted() -> None:
    values, notes = joined(station(0, [0, 1, 2, 3, 5]), station(3, [0, 2, 3, 4]))
    assert values == [0, 1, 2, 3, 5, 6, 7]
    assert "has another zero: −3.00 mm were subtracted from it" in notes[0]
    assert notes[1] == "2 readings of A are in both files and are the same."


def test_an_unknown_reading_of_the_newer_file_takes_nothing_away() -> None:
    assert joined(station(0, [0, 1, 2]), station(1, [1, np.nan, 3]))[0] == [0, 1, 2, 3]


def test_files_without_a_reading_in_common_are_joined_with_a_word() -> None:
    values, notes = joined(station(0, [0, 1]), station(5, [7, 8]))
    assert values == [0, 1, 7, 8]
    assert "assumed to start from the same zero" in notes[0]


def test_positions_keep_their_directions_and_need_an_overlap() -> None:
    def at(first: int, north: list[float], east: list[float]) -> Station:
        parts = {"north": np.array(north, float), "east": np.array(east, float)}
        return Station("A", days(first, len(north)), np.hypot(parts["north"], parts["east"]), parts)

    older = at(0, [0.0] * 10 + [3.0, 6.0], [0.0] * 10 + [4.0, 8.0])
    found = appended(Monitoring((older,)), Monitoring((at(10, [0, 3, 6], [0, 4, 8]),)), "old.csv").stations[0]
    assert found.displacements[-3:].tolist() == pytest.approx([5, 10, 15])  # not 0, 5, 10 of the newer file alone
    assert found.components["north"][-1] == pytest.approx(9)
    with pytest.raises(InputError, match="no reading at the same time"):
        appended(Monitoring((older,)), Monitoring((at(50, [0, 3], [0, 4]),)), "old.csv")


def test_drivers_are_joined_too_and_strangers_are_refused() -> None:
    first = Driver("rain", "rain", days(0, 3), np.array([1.0, 2, 3]))
    second = Driver("rain", "rain", days(2, 2), np.array([4.0, 5]))
    older, newer = Monitoring((station(0, [0, 1, 2]),), (first,)), Monitoring((station(2, [2, 3]),), (second,))
    found = appended(older, newer, "old")
    assert found.drivers[0].values.tolist() == [1, 2, 4, 5]
    assert any("1 reading of rain is in both files; 1 differs, by" in one for one in found.notes)
    with pytest.raises(InputError, match="none of the stations"):
        appended(Monitoring((station(0, [0, 1], "B"),)), Monitoring((station(0, [0, 1]),)), "old")
    with pytest.raises(InputError, match="zone"):
        appended(Monitoring((station(0, [0, 1]),), zone="UTC"), Monitoring((station(0, [0, 1]),)), "old")
