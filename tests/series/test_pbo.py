"""Position files of the Plate Boundary Observatory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.series.columns import Columns, Components, Places
from core.series.guess import guess_columns
from core.series.heads import read_series_table
from core.series.pbo import monitoring_of_positions, read_positions, table_of
from core.series.table import read_table_untrusted


def csv_file(folder: Path, name: str, rows: list[str], frame: str = "NAM08") -> Path:
    file = folder / f"{name}.pbo.csv"
    file.write_text(
        "PBO Station Position Time Series.\nFormat Version, 1.2.0\n"
        f"Reference Frame, {frame}\n4-character ID, {name}\nStation name, Upper Block\n"
        "Reference position, 42.6131348870 North Latitude, -114.8905526888 East Longitude, 1079.34090 meters\n"
        "Date, North (mm), East (mm), Vertical (mm), North Std. Deviation (mm), East Std. Deviation (mm), Quality,\n"
        + "\n".join(rows) + "\n",
        encoding="utf-8",
    )  # fmt: skip
    return file


def pos_file(folder: Path) -> Path:
    head = (
        "PBO Station Position Time Series. Reference Frame : IGS14\nFormat Version: 1.1.0\n4-character ID: P042\n"
        "Station name  : AltamesaRn\nFirst Epoch   : 20200101 120000\n"
        "NEU Reference position :   42.0500000000 254.4300000000 2085.70000 (IGS14/WGS84)\n"
        "Start Field Description\nYYYYMMDD      Year, month, day for the given position epoch\n"
        "End Field Description\n"
        "*YYYYMMDD HHMMSS JJJJJ.JJJJ X Y Z Sx Sy Sz Rxy Rxz Ryz NLat Elong Height dN dE dU Sn Se Su Rne Rnu Reu Soln\n"
    )
    rows = [
        f" 202001{day:02d} 120000 58849.5 -1.0 -2.0 3.0 .1 .1 .1 0 0 0 42.05 254.43 2085.7 {day / 1000:.5f} "
        f"{-day / 1000:.5f} 0.00200 .001 .001 .003 0 0 0 rapid"
        for day in range(1, 21)
    ]
    file = folder / "P042.pos"
    file.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return file


def days(*values: tuple[int, float, float]) -> list[str]:
    return [f"2020-01-{day:02d},{north}, {east}, 1.5, 2.0, 1.7, final," for day, north, east in values]


def test_a_csv_file_has_its_positions_in_mm_its_place_and_its_frame(tmp_path: Path) -> None:
    found = read_positions(csv_file(tmp_path, "BLKM", days((1, 0.0, 0.5), (3, -5.47, -4.27))))

    assert (found.name, found.title, found.frame) == ("BLKM", "Upper Block", "NAM08")
    assert found.place == pytest.approx((-114.8905526888, 42.613134887))
    assert found.times.astype("datetime64[D]").astype(str).tolist() == ["2020-01-01", "2020-01-03"]
    assert (found.north.tolist(), found.east.tolist(), found.up.tolist()) == ([0.0, -5.47], [0.5, -4.27], [1.5, 1.5])


def test_a_pos_file_is_brought_from_metres_to_mm(tmp_path: Path) -> None:
    found = read_positions(pos_file(tmp_path))

    assert (found.name, found.frame) == ("P042", "IGS14")
    assert found.place == pytest.approx((-105.57, 42.05))
    assert found.north == pytest.approx(np.arange(1.0, 21.0))
    assert found.east == pytest.approx(-np.arange(1.0, 21.0))
    assert found.up == pytest.approx(2.0)


def test_several_files_become_one_slope_relative_to_the_stable_one(tmp_path: Path) -> None:
    rows = ((day, day + 30.0 * (day > 12), -day + 40.0 * (day > 12)) for day in range(1, 29))
    moving = csv_file(tmp_path, "MOVE", days(*rows))
    stable = csv_file(tmp_path, "BASE", days(*((day, day, -day) for day in range(1, 29) if day != 20)))
    files = [read_positions(one) for one in (moving, stable)]

    found = monitoring_of_positions(files, "BASE")

    (station,) = found.stations
    expected = np.where(np.arange(1, 29) > 12, 50.0, 0.0)
    expected[19] = np.nan
    np.testing.assert_allclose(station.displacements, expected, atol=1e-9)
    assert station.place is not None
    assert found.notes[0] == "Positions are in the reference frame NAM08."


def test_a_file_alone_is_read_as_a_table_with_the_name_of_its_station(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "BLKM", days(*((day, 2.0 * day, 0.0) for day in range(1, 21))))
    frame = read_series_table(file)
    assert guess_columns(frame) == Columns(
        "date", components=(Components("BLKM", "BLKM_n_mm", "BLKM_e_mm"),),
        places=(Places("BLKM", "BLKM_latitude", "BLKM_longitude"),),
    )  # fmt: skip
    assert frame["BLKM_n_mm"].tolist() == [2.0 * day for day in range(1, 21)]


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    one = read_positions(csv_file(tmp_path, "AAAA", days((1, 0, 0))))
    other = read_positions(csv_file(tmp_path, "BBBB", days((1, 0, 0)), "IGS14"))
    with pytest.raises(InputError, match="2 reference frames: IGS14, NAM08"):
        monitoring_of_positions([one, other])
    with pytest.raises(InputError, match="one station"):
        table_of([one, one])
    with pytest.raises(InputError, match="no station 'CCCC'"):
        monitoring_of_positions([one], "CCCC")


@pytest.mark.parametrize("row", ["2020-13-01,1,2,3,", "2020-01-02,a,2,3,", "2020-01-02,1", "x,1,2,3"])
def test_damaged_files_are_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(InputError, match="damaged"):
        read_positions(csv_file(tmp_path, "AAAA", [*days((1, 0, 0)), row]))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("date,disp\n2020-01-01,1\n")
    with pytest.raises(InputError, match="not a PBO position file"):
        read_positions(tmp_path / "a.csv")


@pytest.mark.realdata
def test_real_files_give_the_table_that_was_merged_from_them(shared_data: Path) -> None:
    folder = shared_data / "salmon_falls_gps"
    files = [read_positions(one) for one in sorted(folder.glob("*.pbo.nam08.csv"))]
    merged = read_table_untrusted(folder / "daily_merged.csv").set_index("date")

    ours = table_of(files)
    ours = ours.set_index(ours.pop("date").dt.strftime("%Y-%m-%d"))

    assert len(files) == 7
    theirs = merged.loc[ours.index, list(ours.columns)]
    np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())
    assert merged[list(ours.columns)].notna().to_numpy().sum() == ours.notna().to_numpy().sum()
