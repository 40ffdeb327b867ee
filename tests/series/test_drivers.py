"""Drivers in a file of their own: read, joined to a slope, and refused where they cannot belong to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.columns import Columns
from core.series.drivers import DriverTable, drivers_of, guess_drivers, read_drivers, with_drivers
from core.series.fixed_rain import HOURLY
from core.series.monitoring import Driver, Monitoring, Station
from core.series.regular import regular_of

DAYS = np.arange("2020-01-01", "2020-01-31", dtype="datetime64[D]").astype("datetime64[ns]")


def slope(zone: str = "", drivers: tuple[Driver, ...] = ()) -> Monitoring:
    return Monitoring((Station("P1", DAYS, np.arange(30.0)),), drivers, ("One note.",), zone=zone)


def rain(first: str, days: int, value: float = 2.0, name: str = "rain_mm") -> Monitoring:
    times = (np.datetime64(first) + np.arange(days)).astype("datetime64[ns]")
    return Monitoring((), (Driver(name, "rain", times, np.full(days, value)),))


def test_columns_are_guessed_without_the_displacement() -> None:
    frame = pd.DataFrame({
        "fecha": ["2020-01-01", "2020-01-02"], "lluvia (mm)": [1.0, 2.0], "nivel embalse (m)": [170.1, 170.0],
        "disp_mm": [0.0, 1.0],
    })  # fmt: skip

    found = guess_drivers(frame)

    assert found == DriverTable(Columns("fecha", rain=("lluvia (mm)",), level=("nivel embalse (m)",)))
    assert found.names == ("lluvia (mm)", "nivel embalse (m)")


def test_a_table_is_read_in_our_units_with_its_zone_and_what_it_holds() -> None:
    frame = pd.DataFrame({
        "time": ["2020-01-01T00:00+01:00", "2020-01-02T00:00+01:00", "2020-01-03T00:00+01:00"],
        "rain (in)": [1.0, -1.0, 0.0], "stage (ft)": [10.0, 11.0, np.nan],
    })  # fmt: skip

    read = drivers_of(frame, Columns("time", rain=("rain (in)",), level=("stage (ft)",)), "gauge.csv")

    assert read.stations == ()
    assert read.zone == "+01:00"
    assert [one.quantity for one in read.drivers] == ["rain", "level"]
    assert read.drivers[0].values.tolist() == [25.4, 0.0]  # what is below zero was not measured, not dry
    assert read.drivers[1].values == pytest.approx([3.048, 3.3528])
    assert "rain (in) of gauge.csv: 2 known readings from 2020-01-01 to 2020-01-03." in read.notes


def test_hourly_rain_of_fixed_width_is_read_as_it_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "rain.txt"
    path.write_text("032020010101010\n032020010102000\n032030010101010\n")

    read = read_drivers(path, DriverTable(layout=HOURLY), now=datetime(2026, 1, 1, tzinfo=UTC))

    (only,) = read.drivers
    assert only.values == pytest.approx([2.54, 0.0])
    assert any("1 row lies in the future" in one for one in read.notes)
    assert DriverTable(layout=HOURLY).names == ("rain",)


def test_what_is_not_known_is_not_dry() -> None:
    joined = with_drivers(slope(), rain("2020-01-06", 10), "gauge.csv")

    series = regular_of(joined, "P1")
    assert np.isnan(series.drivers["rain_mm"][:5]).all()
    assert series.drivers["rain_mm"][5:15].tolist() == [2.0] * 10
    assert np.isnan(series.drivers["rain_mm"][15:]).all()
    assert joined.notes[0] == "One note."
    said = "rain_mm has values from 2020-01-06 to 2020-01-15 only; before and after it is unknown, not zero."
    assert joined.notes[-1] == said


def test_a_name_that_is_taken_gets_that_of_the_file() -> None:
    joined = with_drivers(slope(drivers=rain("2020-01-01", 30, 1.0).drivers), rain("2020-01-01", 30), "gauge.csv")

    assert [one.name for one in joined.drivers] == ["rain_mm", "rain_mm (gauge.csv)"]
    assert [one.values[0] for one in joined.drivers] == [1.0, 2.0]


def test_two_zones_are_refused_and_one_is_told() -> None:
    one, other = rain("2020-01-01", 30), rain("2020-01-01", 30)
    one, other = (Monitoring((), each.drivers, zone=zone) for each, zone in ((one, "+01:00"), (other, "UTC")))

    with pytest.raises(InputError, match=r"zone UTC, those of gauge.csv in \+01:00.*wrong hours"):
        with_drivers(slope("UTC"), one, "gauge.csv")
    assert with_drivers(slope("+00:00"), other, "gauge.csv").zone == "+00:00"
    joined = with_drivers(slope(), one, "gauge.csv")
    assert joined.zone == "+01:00"
    told = "Only the times of gauge.csv name a time zone (+01:00); the others are assumed to be in the same."
    assert told in joined.notes


def test_another_time_is_refused() -> None:
    said = "rain_mm of gauge.csv has values from 2019-01-01 to 2019-03-01.*from 2020-01-01 to 2020-01-30"
    with pytest.raises(InputError, match=said):
        with_drivers(slope(), rain("2019-01-01", 60), "gauge.csv")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (Columns("", rain=("r",)), "holds the times"),
        (Columns("time"), "hold rain, a level or another driver.*time, r"),
        (Columns("time", rain=("snow",)), "has no column 'snow'"),
        (Columns("time", rain=("r",), level=("r",)), "'r' of x.csv is named twice"),
    ],
)
def test_columns_that_cannot_be_used_are_refused(columns: Columns, said: str) -> None:
    frame = pd.DataFrame({"time": ["2020-01-01", "2020-01-02"], "r": [1.0, 2.0]})

    with pytest.raises(InputError, match=said):
        drivers_of(frame, columns, "x.csv")
