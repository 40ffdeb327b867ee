"""Rain of fixed width: nothing of it is guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.series.columns import QuestionError
from core.series.fixed_rain import RainLayout, read_fixed_rain

PATTERN = "SSYYYYMMDDHHRRR"


def file_of(folder: Path, *rows: str) -> Path:
    file = folder / "rain.txt"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def test_rows_are_read_as_the_layout_says(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = ["012020022823004", "012020022900012", "012020022924100", "012020030102-99", "012020030103999"]
    found = read_fixed_rain(file_of(tmp_path, *rows), RainLayout(PATTERN, "0.01 in"), notes)

    assert found.times.astype("datetime64[h]").astype(str).tolist() == [
        "2020-02-28T23", "2020-02-29T00", "2020-03-01T00", "2020-03-01T02", "2020-03-01T03",
    ]  # fmt: skip
    np.testing.assert_allclose(found.values, [1.016, 3.048, 25.4, np.nan, np.nan])
    assert notes == ["2 readings of rain are unknown."]


@pytest.mark.parametrize(
    ("strays", "words"),
    [
        (1, "1 row of rain.txt does not match the layout and was left out."),
        (2, "2 rows of rain.txt do not match the layout and were left out."),
    ],
)
def test_rows_of_another_layout_are_left_out_with_their_number(tmp_path: Path, strays: int, words: str) -> None:
    rows = [f"0120200301{hour:02}001" for hour in range(20)] + ["station closed"] * strays
    notes: list[str] = []
    read_fixed_rain(file_of(tmp_path, *rows), RainLayout(PATTERN, "mm"), notes)
    assert notes == [words]


def test_a_place_that_is_left_out_and_minutes(tmp_path: Path) -> None:
    layout = RainLayout("YYYYMMDD.HHNN.RRRR", "0.1 mm")
    found = read_fixed_rain(file_of(tmp_path, "20200131T1015;0042"), layout, [])
    assert found.times[0] == np.datetime64("2020-01-31T10:15")
    assert found.values[0] == pytest.approx(4.2)


def test_the_layout_and_the_unit_are_asked() -> None:
    with pytest.raises(QuestionError) as caught:
        RainLayout("", "mm")
    assert caught.value.asks == "pattern"
    with pytest.raises(QuestionError) as caught:
        RainLayout(PATTERN, "")
    assert caught.value.asks == "unit"


@pytest.mark.parametrize("pattern", ["YYYYMMDD", "YYYYMMDDHHRRRQ", "YYMMYYDDRRR", "(a+)+$"])
def test_patterns_that_are_none_are_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="not a valid row layout"):
        RainLayout(pattern, "mm")


def test_one_station_of_several_is_chosen(tmp_path: Path) -> None:
    file = file_of(tmp_path, "012020010100001", "022020010100002")
    with pytest.raises(InputError, match="2 stations: 01, 02"):
        read_fixed_rain(file, RainLayout(PATTERN, "mm"), [])
    assert read_fixed_rain(file, RainLayout(PATTERN, "mm", "02"), []).values.tolist() == [2.0]
    with pytest.raises(InputError, match="no station '03'"):
        read_fixed_rain(file, RainLayout(PATTERN, "mm", "03"), [])


def test_rows_of_another_layout_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not match the layout"):
        read_fixed_rain(file_of(tmp_path, *["2020-01-01 00:00 1.5"] * 5), RainLayout(PATTERN, "mm"), [])


@pytest.mark.realdata
def test_seattle_has_the_rain_that_its_rows_sum_to(shared_data: Path) -> None:
    """Summed apart with awk: ``{s += substr($0, 13)} END {print s * .254}`` gives 1523.24 mm in 12,529 hours."""
    (file,) = shared_data.glob("open/usgs/landslides-thresholds/*/data/test/KSEA_t.txt")
    found = read_fixed_rain(file, RainLayout(PATTERN, "0.01 in"), [])
    assert len(found.values) == 12_529
    assert found.values.sum() == pytest.approx(1523.24, abs=0.01)
