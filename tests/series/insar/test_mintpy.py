"""Time series of MintPy: what is read, where it lies, and what is refused."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from core.errors import InputError
from core.series.columns import QuestionError
from core.series.insar.cube import WINDOW_BYTES
from core.series.insar.mintpy import points_of_h5
from core.series.insar.motion import motion_of
from core.series.insar.points import points_of
from core.series.insar.read import read_points
from core.series.table import describe_table, read_table_untrusted
from tests.series.insar.cubes import DATES, GRID, cube, write, write_eos

pytestmark = pytest.mark.usefixtures("read_here")


def test_each_pixel_with_a_value_is_a_point_in_mm_at_its_middle(tmp_path: Path) -> None:
    made = points_of_h5(write(tmp_path / "timeseries.h5"), "timeseries.h5")

    assert len(made) == 9
    assert made.crs == "EPSG:4326"
    assert made.direction == "line of sight"
    assert made.ids.tolist()[:4] == ["r0c0", "r0c1", "r0c2", "r1c0"]
    np.testing.assert_allclose(made.x[:3], [13.005, 13.015, 13.025])
    np.testing.assert_allclose(made.y[[0, 3, 6]], [38.49, 38.47, 38.45])
    np.testing.assert_allclose(made.values[4], [0, -2, -4, -6, -8, -10, -12], rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(made.values[0]), [False, False, True, False, False, False, False])
    assert [str(one)[:10].replace("-", "") for one in made.times] == DATES
    assert "3 pixels without a value (masked, or zero at all dates) or a position were left out." in made.notes
    assert "1 value is unknown." in made.notes


def test_velocities_of_a_cube_are_those_it_was_made_of(tmp_path: Path) -> None:
    dates = [str(np.datetime64("2018-01-01") + 12 * number).replace("-", "") for number in range(120)]
    years = np.arange(120) * 12 / 365.25
    values = (years[:, None, None] * np.array([[-20.0, 5.0], [0.5, 12.0]]) / 1000).astype(np.float32)

    motion = motion_of(points_of_h5(write(tmp_path / "timeseries.h5", values, dates=dates), "timeseries.h5"))

    np.testing.assert_allclose(motion.velocity, [-20, 5, 0.5, 12], atol=1e-3)


def test_the_file_of_the_earth_observing_system_brings_quality_and_line_of_sight(tmp_path: Path) -> None:
    made = points_of_h5(write_eos(tmp_path / "S1.he5"), "S1.he5")

    assert made.attributes["row"].tolist() == [0, 0, 0, 2, 2, 2]  # the second row is masked
    assert made.attributes["temporal_coherence"].tolist() == [0, 1 / 16, 2 / 16, 8 / 16, 9 / 16, 10 / 16]
    np.testing.assert_allclose(made.values[3], np.arange(7) * 3.0, rtol=1e-6)
    # An azimuth of 90 degrees, anti-clockwise from north, is west.
    los = made.attributes[["los_east", "los_north", "los_up"]].to_numpy()
    np.testing.assert_allclose(los, [[-np.sin(np.radians(40)), 0, np.cos(np.radians(40))]] * 6, atol=1e-6)


@pytest.mark.parametrize(("side", "east"), [("-1", -1), ("1", 1)])
def test_a_heading_gives_one_line_of_sight_for_all(tmp_path: Path, side: str, east: int) -> None:
    """A satellite that flies north and looks to the right sees the ground from the west; to the left, from the east."""
    attributes = GRID | {"HEADING": "0.0", "CENTER_INCIDENCE_ANGLE": "30.0", "ANTENNA_SIDE": side}

    made = points_of_h5(write(tmp_path / "timeseries.h5", attributes=attributes), "timeseries.h5")

    los = made.attributes[["los_east", "los_north", "los_up"]].to_numpy()
    np.testing.assert_allclose(los, [[east * 0.5, 0, np.sqrt(3) / 2]] * 9, atol=1e-6)
    assert any("incidence angle and the same azimuth of the line of sight" in note for note in made.notes)


def test_dates_out_of_order_are_sorted_with_their_values(tmp_path: Path) -> None:
    turned = write(tmp_path / "timeseries.h5", cube()[::-1], dates=DATES[::-1])

    made = points_of_h5(turned, "timeseries.h5")

    np.testing.assert_allclose(made.values[5], np.arange(7) * 2.0, rtol=1e-6)
    assert (np.diff(made.times) > np.timedelta64(0)).all()


@pytest.mark.parametrize(
    ("attributes", "crs", "code"),
    [
        ({"EPSG": "32719"}, "", "EPSG:32719"), ({"UTM_ZONE": "19S"}, "", "EPSG:32719"),
        ({"UTM_ZONE": "33N"}, "", "EPSG:32633"), ({}, "EPSG:3035", "EPSG:3035"),
    ],
)  # fmt: skip
def test_metres_are_of_the_system_that_the_file_or_the_user_names(
    tmp_path: Path, attributes: dict[str, str], crs: str, code: str
) -> None:
    metric = {"X_FIRST": "500000", "Y_FIRST": "5000000", "X_STEP": "40", "Y_STEP": "-40", "X_UNIT": "meters"}

    made = points_of_h5(write(tmp_path / "t.h5", attributes=metric | attributes), "t.h5", crs=crs)

    assert made.crs == code
    assert (made.x[0], made.y[0]) == (500_020.0, 4_999_980.0)


def test_metres_of_no_known_system_are_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5", attributes=GRID | {"X_UNIT": "meters"})

    with pytest.raises(QuestionError, match=r"coordinate system of t.h5 is unknown") as caught:
        points_of_h5(path, "t.h5")
    assert caught.value.asks == "crs"
    assert describe_table(path).rows == 9  # what it holds can be seen before it is answered
    with pytest.raises(InputError, match="not a coordinate system in metres"):
        points_of_h5(path, "t.h5", crs="EPSG:4326")


def test_the_coordinates_of_the_radar_need_a_place_for_each_pixel(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5", attributes={"UNIT": "m"})
    with pytest.raises(InputError, match="in radar coordinates"):
        points_of_h5(path, "t.h5")

    with h5py.File(path, "a") as file:
        file["longitude"] = np.full((3, 4), 200.0) + np.arange(4) / 8
        latitude = np.full((3, 4), -17.0)
        latitude[2] = np.nan
        file["latitude"] = latitude

    made = points_of_h5(path, "t.h5")
    assert len(made) == 6
    assert made.x.tolist() == [-160.0, -159.875, -159.75] * 2


def test_blocks_that_are_read_one_after_the_other_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 0.01, (7, 23, 31)).astype(np.float32)
    whole = points_of_h5(write(tmp_path / "a.h5", values), "a.h5")
    blocks = write(tmp_path / "b.h5", values, chunks=(3, 5, 7), compression="gzip", shuffle=True, fletcher32=True)
    order = np.argsort(whole.attributes["row"] * 31 + whole.attributes["column"], kind="stable")

    for size in (WINDOW_BYTES, 7 * 4 * 50, 7 * 4 * 3):
        monkeypatch.setattr("core.series.insar.cube.WINDOW_BYTES", size)
        found = points_of_h5(blocks, "b.h5")
        again = np.argsort(found.attributes["row"] * 31 + found.attributes["column"], kind="stable")
        assert len(found) == 23 * 31
        np.testing.assert_array_equal(found.values[again], whole.values[order])
        np.testing.assert_array_equal(found.x[again], whole.x[order])


def test_as_a_table_it_is_what_the_reader_of_points_reads(tmp_path: Path) -> None:
    path = write_eos(tmp_path / "S1.he5")

    info = describe_table(path)
    table = read_table_untrusted(path)
    assert (info.suffix, info.rows, info.columns) == (".h5", 6, tuple(table.columns))
    assert len(read_table_untrusted(path, rows=2)) == 2
    again, direct = points_of(table, "S1.he5"), read_points(path, "S1.he5")
    np.testing.assert_allclose(again.values, direct.values, rtol=1e-6)
    np.testing.assert_array_equal(again.x, direct.x)
    assert again.ids.tolist() == direct.ids.tolist()
    with pytest.raises(InputError, match="has no sheets"):
        describe_table(path, sheet="one")
    with pytest.raises(InputError, match="Leave the unit out"):
        read_points(path, "S1.he5", unit="mm")


def test_the_pixel_of_reference_is_named(tmp_path: Path) -> None:
    attributes = GRID | {"REF_Y": "2", "REF_X": "1", "REF_LAT": "38.45", "REF_LON": "13.015", "REF_DATE": "20200101"}

    notes = points_of_h5(write(tmp_path / "t.h5", attributes=attributes), "t.h5").notes

    assert ("Values are relative to the pixel in row 2, column 1 (longitude 13.01500, latitude 38.45000), which is "
            "zero by definition.") in notes  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dates": DATES[:5], "values": cube()[:5]}, "has 5 dates; 6 are needed"),
        ({"dates": DATES[:6]}, "does not give its dates"),
        ({"dates": [*DATES[:6], "20200301"]}, "holds a date twice"),
        ({"dates": [*DATES[:6], "20201301"]}, "'20201301' in t.h5 is not a date"),
        ({"dates": [*DATES[:6], "tomorrow"]}, "'tomorrow' in t.h5 is not a date"),
        ({"values": cube() * 0}, "no pixel with a value"),
        ({"values": cube() * np.nan}, "no pixel with a value"),
        ({"values": cube()[0]}, "not a numeric cube"),
        ({"values": cube().astype("S8")}, "not a numeric cube"),
        ({"values": cube().astype(np.complex64)}, "not a numeric cube"),
        ({"attributes": GRID | {"UNIT": "radian"}}, "are in 'radian', not in metres"),
        ({"attributes": GRID | {"Y_FIRST": "95"}}, "no position on the Earth"),
        ({"attributes": GRID | {"X_STEP": "0"}}, "no position on the Earth"),
        ({"attributes": GRID | {"X_FIRST": "east"}}, "no position on the Earth"),
        ({"attributes": GRID | {"X_FIRST": "nan"}}, "no position on the Earth"),
    ],
)  # fmt: skip
def test_what_is_no_time_series_is_refused_in_words(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        points_of_h5(write(tmp_path / "t.h5", **settings), "t.h5")  # type: ignore[arg-type]


def test_another_file_of_the_processor_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "velocity.h5", "w") as file:
        file["velocity"], file["velocityStd"] = np.ones((3, 4)), np.ones((3, 4))

    with pytest.raises(InputError, match=r"holds velocity, velocityStd\. Give timeseries\.h5"):
        points_of_h5(tmp_path / "velocity.h5", "velocity.h5")


def test_more_points_than_are_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.series.insar.extract.MOST_POINTS", 8)

    for read in (describe_table, lambda path: points_of_h5(path, "t.h5")):
        with pytest.raises(InputError, match="at least 9 of 7 dates"):
            read(write(tmp_path / "t.h5"))
