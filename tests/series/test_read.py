"""From tables to stations in millimetres."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from core.errors import InputError
from core.series.columns import Columns, Components, QuestionError
from core.series.guess import guess_columns
from core.series.heads import read_series_table
from core.series.monitoring import Monitoring
from core.series.read import monitoring_of
from core.series.regular import regular_of
from core.series.table import read_table_untrusted
from tests.series.tables import days, frame_of, read


def told(monitoring: Monitoring, words: str) -> bool:
    return any(words in one for one in monitoring.notes)


def test_columns_survive_json() -> None:
    columns = Columns("t", components=(Components("A", "n", "e"),), reference=Components("B", "bn", "be"), unit="cm")
    adapter = TypeAdapter(Columns)
    assert adapter.validate_json(adapter.dump_json(columns)) == columns


@pytest.mark.parametrize(
    ("heading", "factor"),
    [("disp_mm", 1), ("disp (cm)", 10), ("disp [m]", 1000), ("位移/mm", 1), ("disp（mm）", 1), ("disp inch", 25.4)],
)
def test_the_unit_is_that_of_the_heading(tmp_path: Path, heading: str, factor: float) -> None:
    read_one = read(tmp_path, f"date,{heading}", [f"{day},{at}" for at, day in enumerate(days(20))])
    assert read_one.stations[0].displacements == pytest.approx(np.arange(20) * factor)


def test_each_column_has_its_own_unit(tmp_path: Path) -> None:
    found = read(tmp_path, "date,A disp (mm),B disp (cm)", [f"{day},{at},{at}" for at, day in enumerate(days(20))])
    assert [one.displacements[3] for one in found.stations] == [3.0, 30.0]


def test_a_unit_that_no_heading_says_is_asked(tmp_path: Path) -> None:
    rows = [f"{day},{at}" for at, day in enumerate(days(20))]
    with pytest.raises(QuestionError, match="--unit") as caught:
        read(tmp_path, "date,disp", rows)
    assert caught.value.asks == "unit"
    assert read(tmp_path, "date,disp", rows, Columns("date", ("disp",), unit="cm")).stations[0].displacements[1] == 10


def test_rows_in_any_order_are_sorted_before_increments_are_summed(tmp_path: Path) -> None:
    rows = [f"{day},{at}" for at, day in enumerate(days(20))][::-1]
    found = read(tmp_path, "date,disp_mm", rows, Columns("date", ("disp_mm",), increments=True))

    assert found.stations[0].displacements == pytest.approx(np.cumsum(np.arange(20.0)))
    assert told(found, "sorted")


def test_a_row_that_stands_twice_is_summed_once(tmp_path: Path) -> None:
    rows = [f"{day},2" for day in days(20)]
    found = read(tmp_path, "date,disp_mm", [*rows, rows[4]], Columns("date", ("disp_mm",), increments=True))

    assert found.stations[0].displacements[-1] == pytest.approx(40.0)
    assert told(found, "1 repeated time of disp_mm was merged.")


def test_unknown_increments_are_no_zeros(tmp_path: Path) -> None:
    rows = [f"{day},{'' if at in (3, 4) else 1}" for at, day in enumerate(days(20))]
    found = read(tmp_path, "date,disp_mm", rows, Columns("date", ("disp_mm",), increments=True))

    assert np.isnan(found.stations[0].displacements).tolist() == [at in (3, 4) for at in range(20)]
    assert found.stations[0].displacements[5] == 4.0
    assert told(found, "2 increments of disp_mm are unknown")


def test_differing_values_of_one_time_give_their_mean(tmp_path: Path) -> None:
    found = read(tmp_path, "date,disp_mm", [*(f"{day},1" for day in days(20)), "2020-01-03,5"])
    assert found.stations[0].displacements[2] == 3.0
    assert told(found, "1 repeated time of disp_mm was merged, with differing values")


def test_a_long_table_has_its_stations_each_with_its_rows(tmp_path: Path) -> None:
    rows = [f"{name},{day},{at * factor}" for name, factor in (("B", 3), ("A", 2)) for at, day in enumerate(days(20))]
    rows += [f"C,{day}," for day in days(20)] + [",2020-01-01,5"]
    found = read(tmp_path, "site,date,disp_mm", rows)

    assert [(one.name, one.displacements[-1]) for one in found.stations] == [("A", 38.0), ("B", 57.0)]
    assert told(found, "C has 0 known values and was left out")
    assert told(found, "1 row without a station was left out.")


def test_a_station_of_a_long_table_is_subtracted_at_common_times(tmp_path: Path) -> None:
    rows = [f"A,{day},{10 + at}" for at, day in enumerate(days(20))]
    rows += [f"BASE,{day},{at}" for at, day in enumerate(days(18))]
    columns = Columns("date", ("disp_mm",), station="site", reference="BASE")
    found = read(tmp_path, "site,date,disp_mm", rows, columns)

    assert [one.name for one in found.stations] == ["A"]
    assert found.stations[0].displacements[:18] == pytest.approx(10.0)
    assert np.isnan(found.stations[0].displacements[18:]).all()
    with pytest.raises(InputError, match="no station or column 'X'"):
        read(tmp_path, "site,date,disp_mm", rows, replace(columns, reference="X"))


def test_components_less_a_reference_give_the_distance_from_the_mean_of_the_first_ten(tmp_path: Path) -> None:
    # Ten days at (1, 1) off the reference, then 3 mm north and 4 mm east of there; the reference itself drifts.
    rows = [
        f"{day},{at + 1 + 3 * (at >= 10)},{-at + 1 + 4 * (at >= 10)},7,{'' if at == 12 else at},{-at}"
        for at, day in enumerate(days(20))
    ]
    found = read(tmp_path, "date,A_n_mm,A_e_mm,A_u_mm,BASE_n_mm,BASE_e_mm", rows)

    station = found.stations[0]
    assert station.displacements == pytest.approx([0.0] * 10 + [5.0, 5.0, np.nan] + [5.0] * 7, nan_ok=True)
    assert station.components["north"][10] == pytest.approx(3.0)
    assert told(found, "relative to BASE_n_mm, BASE_e_mm")


def test_height_counts_where_it_is_named(tmp_path: Path) -> None:
    rows = [f"{day},{2 * (at >= 10)},{3 * (at >= 10)},{6 * (at >= 10)}" for at, day in enumerate(days(20))]
    columns = Columns("date", components=(Components("A", "n", "e", "u"),), unit="mm")
    assert read(tmp_path, "date,n,e,u", rows, columns).stations[0].displacements[-1] == pytest.approx(7.0)


def test_increments_of_components_are_summed(tmp_path: Path) -> None:
    rows = [f"{day},{3 * (at >= 10)},{4 * (at >= 10)}" for at, day in enumerate(days(13))]
    columns = Columns("date", components=(Components("A", "n", "e"),), unit="mm", increments=True)
    assert read(tmp_path, "date,n,e", rows, columns).stations[0].displacements[-3:] == pytest.approx([5.0, 10.0, 15.0])


def test_few_rows_are_refused_with_the_reason(tmp_path: Path) -> None:
    rows = [f"{day},{at}" for at, day in enumerate(days(12))]
    assert len(read(tmp_path, "date,disp_mm", rows).stations[0].times) == 12
    with pytest.raises(InputError, match="11 known values"):
        read(tmp_path, "date,disp_mm", rows[:11])


def test_rows_of_the_future_are_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "date,disp_mm", [*(f"{day},1" for day in days(20)), "2031-05-01,7"])
    assert len(found.stations[0].times) == 20
    assert told(found, "1 row lies in the future (the first: 2031-05-01)")


def test_a_constant_series_and_a_change_of_units_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, "date,A disp (mm),B disp (mm)", [
        f"{day},5,{(50 + at) / (1000 if at >= 14 else 1)}" for at, day in enumerate(days(20))
    ])  # fmt: skip
    assert told(found, "A disp (mm) has the same value throughout")
    assert told(found, "B disp (mm) jumps by a factor of about 1000 at value 15 of 20")
    assert found.stations[1].displacements[0] == 50.0


def test_a_quick_slope_does_not_look_like_a_change_of_units(tmp_path: Path) -> None:
    found = read(tmp_path, "date,disp_mm", [f"{day},{2.0**at}" for at, day in enumerate(days(20))])
    assert not told(found, "factor")


def test_drivers_are_brought_to_our_units(tmp_path: Path) -> None:
    rows = [f"{day},{at},1,10,100,50" for at, day in enumerate(days(20))]
    found = read(tmp_path, "date,disp_mm,rain (in),level_ft,discharge cfs,temp_F", rows)

    assert {one.quantity: round(float(one.values[0]), 4) for one in found.drivers} == {
        "rain": 25.4, "level": 3.048, "discharge": 2.8317, "temperature": 10.0,
    }  # fmt: skip


def test_a_driver_without_a_unit_is_said_to_be_taken_for_ours(tmp_path: Path) -> None:
    rows = [f"{day},{at},1,10,3" for at, day in enumerate(days(20))]
    found = read(tmp_path, "date,disp_mm,PRCP,level (m),flow m3/s", rows)
    assert [one for one in found.notes if "assumed to be in" in one] == [
        "PRCP is assumed to be in mm: its heading names no unit."
    ]


def test_unknown_rain_is_not_dry(tmp_path: Path) -> None:
    rows = [f"{day},{at},{-9999 if at == 3 else 2}" for at, day in enumerate(days(20))]
    found = read(tmp_path, "date,disp_mm,rain_mm", rows)
    series = regular_of(found, "disp_mm")
    assert np.isnan(series.drivers["rain_mm"]).tolist() == [at == 3 for at in range(20)]


def test_headings_in_two_rows_become_one(tmp_path: Path) -> None:
    rows = ["date,disp (mm),disp (mm)", *(f"{day},{at},{2 * at}" for at, day in enumerate(days(20)))]
    frame = frame_of(tmp_path, "Time,Station A,Station B", rows)

    assert list(frame.columns) == ["Time date", "Station A disp (mm)", "Station B disp (mm)"]
    found = monitoring_of(frame, guess_columns(frame))
    assert [one.displacements[-1] for one in found.stations] == [19.0, 38.0]


def test_merged_headings_hold_for_the_columns_to_their_right(tmp_path: Path) -> None:
    rows = ["date,north,east", "(d),(mm),(mm)", *(f"{day},{at},{2 * at}" for at, day in enumerate(days(20)))]
    frame = frame_of(tmp_path, "Site,A,", rows)
    assert list(frame.columns) == ["Site date (d)", "A north (mm)", "A east (mm)"]
    assert guess_columns(frame).components == (Components("A", "A north (mm)", "A east (mm)"),)


def test_values_in_place_of_headings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="instead of headings"):
        frame_of(tmp_path, "2020-01-01,5.5", [f"{day},{at}" for at, day in enumerate(days(20))])


def test_headings_of_a_workbook_in_merged_cells_are_refused_with_what_to_do(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Date", "Station A", None], [None, "North (mm)", "East (mm)"]):
        sheet.append(row)
    for at in range(20):
        sheet.append([datetime(2020, 1, 1 + at), at, at])
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    book.save(tmp_path / "slope.xlsx")
    with pytest.raises(InputError, match="one heading, in one row"):
        read_series_table(tmp_path / "slope.xlsx")


def test_dates_of_a_workbook_are_dates(tmp_path: Path) -> None:
    import pandas as pd

    file = tmp_path / "slope.xlsx"
    pd.DataFrame({"date": pd.to_datetime(days(20)), "disp_mm": np.arange(20.0)}).to_excel(file, index=False)
    frame = read_table_untrusted(file)
    found = monitoring_of(frame, guess_columns(frame))
    assert found.stations[0].times[4] == np.datetime64("2020-01-05")


@pytest.mark.realdata
def test_salmon_falls_gives_the_errors_that_were_measured_before(shared_data: Path) -> None:
    """Seven days ahead over the last 60 %: 2.73 mm for no change and 1.29 mm for the last increment, n = 202."""
    frame = read_table_untrusted(shared_data / "salmon_falls_gps" / "daily_merged.csv")
    columns = Columns(
        "date", components=(Components("BLKM", "BLKM_n_mm", "BLKM_e_mm"),),
        reference=Components("BASE", "BASE_n_mm", "BASE_e_mm"),
    )  # fmt: skip
    series = regular_of(monitoring_of(frame, columns), "BLKM")

    known = np.where(series.filled, np.nan, series.displacements)
    origins = np.arange(int(0.4 * len(series)), len(series) - 7)
    ahead = known[origins + 7] - known[origins]
    last = series.displacements[origins] - series.displacements[origins - 7]

    assert int(np.isfinite(ahead).sum()) == pytest.approx(202, abs=1)
    assert np.sqrt(np.nanmean(ahead**2)) == pytest.approx(2.73, abs=0.01)
    assert np.sqrt(np.nanmean((ahead - last) ** 2)) == pytest.approx(1.29, abs=0.02)
    assert series.filled.mean() == pytest.approx(0.20, abs=0.05)
