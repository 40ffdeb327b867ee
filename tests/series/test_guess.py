"""Which columns are what, by headings in the languages of those who measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.series.columns import Columns, Components
from core.series.guess import guess_columns
from tests.series.tables import days, frame_of


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("date,disp_mm,rain_mm,level_m", Columns("date", ("disp_mm",), rain=("rain_mm",), level=("level_m",))),
        ("Fecha,Desplazamiento (mm),Lluvia (mm),Nivel embalse",
         Columns("Fecha", ("Desplazamiento (mm)",), rain=("Lluvia (mm)",), level=("Nivel embalse",))),
        ("Datum,Verschiebung [mm],Niederschlag,Grundwasserstand",
         Columns("Datum", ("Verschiebung [mm]",), rain=("Niederschlag",), groundwater=("Grundwasserstand",))),
        ("日期,累积位移(mm),降雨量(mm),库水位(m)",
         Columns("日期", ("累积位移(mm)",), rain=("降雨量(mm)",), level=("库水位(m)",))),
        ("Data,Spostamento mm,Pioggia,Portata",
         Columns("Data", ("Spostamento mm",), rain=("Pioggia",), discharge=("Portata",))),
        ("DateTime,cumulativeDisplacement,Temp_C,number",
         Columns("DateTime", ("cumulativeDisplacement",), temperature=("Temp_C",))),
        ("time,ZG118 (mm),ZG93 (mm),std (mm)", Columns("time", ("ZG118 (mm)", "ZG93 (mm)"))),
        ("date,A_disp_mm,BASE_disp_mm,x", Columns("date", ("A_disp_mm",), reference="BASE_disp_mm")),
        ("date,A_n_mm,A_e_mm,A_u_mm", Columns("date", components=(Components("A", "A_n_mm", "A_e_mm"),))),
        ("Date,North (mm),East (mm),North Std. Deviation (mm)",
         Columns("Date", components=(Components("station", "North (mm)", "East (mm)"),))),
    ],
)  # fmt: skip
def test_headings_say_what_columns_are(tmp_path: Path, head: str, expected: Columns) -> None:
    width = head.count(",")
    rows = [",".join([day, *[str(at * (1 + one)) for one in range(width)]]) for at, day in enumerate(days(30))]
    assert guess_columns(frame_of(tmp_path, head, rows)) == expected


def test_names_of_stations_are_such_when_they_repeat(tmp_path: Path) -> None:
    rows = [f"{name},{day},{at}" for at, day in enumerate(days(20)) for name in "AB"]
    assert guess_columns(frame_of(tmp_path, "site,date,disp_mm", rows)).station == "site"

    rows = [f"{at},{day},{at}" for at, day in enumerate(days(20))]
    assert guess_columns(frame_of(tmp_path, "id,date,disp_mm", rows)).station == ""


def test_the_time_of_day_is_found_beside_the_date(tmp_path: Path) -> None:
    found = guess_columns(frame_of(tmp_path, "date,time,disp_mm", [f"{day},10:30,1" for day in days(20)]))
    assert (found.time, found.clock) == ("date", "time")


def test_times_that_have_to_be_asked_about_are_times(tmp_path: Path) -> None:
    rows = [f"{day:02d}/0{day % 2 + 1}/2020,1" for day in range(1, 12)]
    found = guess_columns(frame_of(tmp_path, "date,disp_mm", rows))
    assert found.time == "date"
    assert found.date_order == ""


def test_what_no_heading_says_is_left_empty(tmp_path: Path) -> None:
    assert guess_columns(frame_of(tmp_path, "a,b,c", ["1,2,3"] * 20)) == Columns("")
