"""Times as tables of the world write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.columns import QuestionError
from core.series.dates import times_of
from core.series.zones import ZoneError


def read(values: object, order: str = "", clock: object = None) -> tuple[list[str], str, list[str]]:
    notes: list[str] = []
    hours = None if clock is None else pd.Series(clock, name="clock")
    times, zone = times_of(pd.Series(values), "date", order, notes, hours)  # type: ignore[arg-type]
    return [str(one)[:19] for one in times], zone, notes


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2020-02-29", "", "2020-02-29T00:00:00"),
        ("2020-02-29T10:30:15Z", "", "2020-02-29T10:30:15"),
        ("2020/2/9 7:05", "", "2020-02-09T07:05:00"),
        ("20200229", "", "2020-02-29T00:00:00"),
        ("20200229T1030", "", "2020-02-29T10:30:00"),
        ("2020年2月29日", "", "2020-02-29T00:00:00"),
        ("29.02.2020", "", "2020-02-29T00:00:00"),
        ("29. 2. 2020", "", "2020-02-29T00:00:00"),
        ("02/29/2020 1:05 PM", "", "2020-02-29T13:05:00"),
        ("02/29/2020 12:05 am", "", "2020-02-29T00:05:00"),
        ("05/04/2020", "dmy", "2020-04-05T00:00:00"),
        ("05/04/2020", "mdy", "2020-05-04T00:00:00"),
        ("31/12/99", "", "1999-12-31T00:00:00"),
        ("20-01-15", "ymd", "2020-01-15T00:00:00"),
        ("15-Jan-2020", "", "2020-01-15T00:00:00"),
        ("15 ene 2020", "", "2020-01-15T00:00:00"),
        ("15. März 2020", "", "2020-03-15T00:00:00"),
        ("January 15, 2020", "", "2020-01-15T00:00:00"),
        ("Wed 15 Jan 2020", "", "2020-01-15T00:00:00"),
        ("2020-060", "", "2020-02-29T00:00:00"),
        ("2020-02", "", "2020-02-01T00:00:00"),
        ("Feb-2020", "", "2020-02-01T00:00:00"),
        ("2020-02-29 24:00", "", "2020-03-01T00:00:00"),
    ],
)
def test_a_date_is_read_as_it_is_written(text: str, order: str, expected: str) -> None:
    assert read([text], order)[0] == [expected]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (43_890.5, "2020-02-29T12:00:00"), (2020.5, "2020-07-02T00:00:00"), (20_200_229, "2020-02-29T00:00:00"),
        (2_020_022_913, "2020-02-29T13:00:00"), (202_002_291_305, "2020-02-29T13:05:00"),
        (1_582_979_100, "2020-02-29T12:25:00"), (1_582_979_100_000, "2020-02-29T12:25:00"),
    ],
)  # fmt: skip
def test_a_number_is_taken_for_what_it_can_be(number: float, expected: str) -> None:
    assert read([number])[0] == [expected]
    assert read([str(number)])[0] == [expected]


def test_numbers_that_are_no_times_are_refused() -> None:
    with pytest.raises(InputError, match="not dates or times"):
        read([1.0, 2.0, 3.0])


@pytest.mark.parametrize("dates", [["01/02/2020", "03/04/2020"], ["20-01-05", "20-01-06"], ["1.2.20", "3.4.20"]])
def test_what_can_be_read_two_ways_is_asked(dates: list[str]) -> None:
    with pytest.raises(QuestionError, match="--date-order") as caught:
        read(dates)
    assert caught.value.asks == "date_order"


def test_one_date_beyond_the_twelfth_settles_the_order_of_all() -> None:
    assert read(["01/02/2020", "13/02/2020"])[0][0] == "2020-02-01T00:00:00"
    assert read(["01/02/2020", "02/13/2020"])[0][0] == "2020-01-02T00:00:00"


def test_two_orders_in_one_column_are_refused() -> None:
    with pytest.raises(InputError, match="day first and others the month"):
        read(["13/02/2020", "02/13/2020"])


def test_an_order_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="order mdy"):
        read([f"{day}/02/2020" for day in range(1, 29)], "mdy")


def test_few_unreadable_times_are_left_out_with_a_note_and_days_that_do_not_exist_are_such() -> None:
    dates = [f"2020-01-{day:02d}" for day in range(1, 31)]

    found, _, notes = read([*dates, "2020-02-30", None])

    assert found[:30] == [f"{one}T00:00:00" for one in dates]
    assert found[30:] == ["NaT", "NaT"]
    assert notes == ["1 row was left out because its time cannot be read (the first: '2020-02-30')."]


def test_a_time_of_day_that_stands_apart_is_added_to_dates_of_every_kind() -> None:
    for dates in (["2020-01-31"], [pd.Timestamp("2020-01-31")], [43_861.0]):
        for clock in ("14:45", "2:45 pm", 14.75, 0.6145833333333334, 1445):
            assert read(dates, clock=[clock])[0] == ["2020-01-31T14:45:00"], (dates, clock)


def test_times_stay_in_the_one_zone_that_they_name() -> None:
    found, zone, notes = read(["2020-01-01 10:00 +02:00", "2020-01-02 10:00 +02:00"])
    assert (found[0], zone) == ("2020-01-01T10:00:00", "+02:00")
    assert "zone +02:00" in notes[0]


def test_several_offsets_are_brought_to_utc_and_several_names_are_refused() -> None:
    found, zone, _ = read(["2020-01-01T10:00+02:00", "2020-07-01T10:00-0330"])
    assert (found, zone) == (["2020-01-01T08:00:00", "2020-07-01T13:30:00"], "UTC")
    with pytest.raises(ZoneError, match="CEST, CET"):
        read(["2020-01-01 10:00 CET", "2020-07-01 10:00 CEST"])
    with pytest.raises(ZoneError, match="Only 1 of 2"):
        read(["2020-01-01 10:00 CET", "2020-07-01 10:00"])


def test_fractions_of_seconds_are_kept() -> None:
    times, _ = times_of(pd.Series(["2020-01-01 00:00:00.250"]), "date", "", [])
    assert times[0] == np.datetime64("2020-01-01T00:00:00.250")
