"""Tables of InSAR points of both conventions, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.insar.points import holds_points, points_of
from core.series.table import read_table_untrusted

DATES = [f"202001{day:02d}" for day in (3, 9, 15, 21, 27)] + ["20200202", "20200208"]


def egms(**columns: object) -> pd.DataFrame:
    base = {"pid": ["a", "b"], "easting": [4_598_649.2, 4_598_700.0], "northing": [1_739_717.0, 1_739_800.0],
            "height": [1.0, 2.0], "rmse": [2.4, 1.0], "mean_velocity": [-0.7, 0.2]}  # fmt: skip
    return pd.DataFrame(base | {one: [float(at), float(-at)] for at, one in enumerate(DATES)} | columns)


def test_points_of_the_ground_motion_service_are_in_mm_on_its_grid() -> None:
    made = points_of(egms(), "EGMS_L3_E45N17_100km_U_2020_2024_1.zip")

    assert made.crs == "EPSG:3035"
    assert made.direction == "vertical"
    assert made.values[0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert made.times[0] == np.datetime64("2020-01-03")
    assert made.ids.tolist() == ["a", "b"]
    assert "rmse" in made.attributes
    assert "20200103" not in made.attributes
    assert points_of(egms(los_east=0.1, los_north=0.1, los_up=0.9), "x.csv").direction == "line of sight"


def test_dates_out_of_order_are_sorted_and_points_without_values_left_out() -> None:
    frame = egms()
    frame = frame[[*frame.columns[:6], *DATES[::-1]]]
    frame.loc[1, DATES] = np.nan

    made = points_of(frame, "points.csv")

    assert made.values.tolist() == [[0, 1, 2, 3, 4, 5, 6]]
    assert "1 point without a position or a value was left out." in made.notes
    assert made.direction == ""


def test_columns_that_begin_with_d_are_in_metres_unless_said_otherwise() -> None:
    frame = pd.DataFrame(
        {"pnt_id": ["p"], "pnt_lat": [52.3], "pnt_lon": [4.9], **{f"d_{one}": [0.002] for one in DATES}}
    )

    assert points_of(frame, "x").values[0, 0] == pytest.approx(2.0)
    assert points_of(frame, "x", unit="mm").values[0, 0] == pytest.approx(0.002)
    assert points_of(frame, "x").crs == "EPSG:4326"
    assert any("metres" in note for note in points_of(frame, "x").notes)
    assert holds_points(list(frame.columns))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (egms().drop(columns=DATES[1:]), "1 date column;"),
        (egms().drop(columns="easting"), "The position of the points of x is unknown"),
        (egms(easting=np.nan), "no point with a position and a value"),
        (egms().rename(columns={DATES[0]: "20201399"}).drop(columns=DATES[1:3]), "4 date columns"),
    ],
)
def test_what_is_no_table_of_points_is_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        points_of(frame, "x")


@pytest.mark.realdata
def test_the_real_points_of_amsterdam_are_read(shared_data: Path) -> None:
    path = next((shared_data / "open" / "TUDelftGeodesy").rglob("example.csv"))

    made = points_of(read_table_untrusted(path), path.name)

    assert (len(made), made.values.shape[1]) == (2_500, 11)
    assert made.direction == "line of sight"
    assert np.nanmax(np.abs(made.values)) < 100  # mm
