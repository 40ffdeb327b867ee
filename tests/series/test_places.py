"""Where stations stand, from columns of a table."""

from __future__ import annotations

import pandas as pd

from core.series.columns import Columns, Components, Places
from core.series.guess import guess_columns
from core.series.read import monitoring_of

DAYS = [f"2020-01-{day:02d}" for day in range(1, 13)]
MOVED = [float(day) for day in range(12)]


def test_each_station_of_a_long_table_stands_where_its_rows_say() -> None:
    frame = pd.DataFrame({
        "date": DAYS * 2, "station": ["A"] * 12 + ["B"] * 12, "disp_mm": MOVED * 2,
        "lat": [*[46.0] * 11, 46.002, *[47.0] * 11, 47.5], "lon": [11.0] * 24,
    })  # fmt: skip

    guess = guess_columns(frame)
    read = monitoring_of(frame, guess)

    assert guess.places == (Places("", "lat", "lon"),)
    assert guess.displacements == ("disp_mm",)
    assert {one.name: one.place for one in read.stations} == {"A": (11.0, 46.0), "B": None}
    assert "The position of B is unknown: its latitudes and longitudes are not valid." in read.notes


def test_stations_side_by_side_have_columns_of_their_own() -> None:
    frame = pd.DataFrame({
        "date": DAYS, "A_n_mm": MOVED, "A_e_mm": MOVED, "B_n_mm": MOVED, "B_e_mm": MOVED,
        "A_latitude": [46.0] * 12, "A_longitude": [245.0] * 12, "B_latitude": [120.0] * 12, "B_longitude": [11.0] * 12,
    })  # fmt: skip

    guess = guess_columns(frame)
    read = monitoring_of(frame, guess)

    assert guess.components == (Components("A", "A_n_mm", "A_e_mm"), Components("B", "B_n_mm", "B_e_mm"))
    assert {one.name: one.place for one in read.stations} == {"A": (-115.0, 46.0), "B": None}  # 120° is no latitude


def test_without_columns_no_place_is_known() -> None:
    frame = pd.DataFrame({"date": DAYS, "disp_mm": MOVED})

    assert monitoring_of(frame, Columns("date", ("disp_mm",))).stations[0].place is None
