"""Rain against published thresholds, and drivers in a file of their own, by command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.catalog.samples import sample_table
from core.cli.main import main
from core.errors import InputError
from core.runs.store import Store
from core.series.columns import Columns
from core.series.drivers import DriverTable
from core.series.fixed_rain import RainLayout
from core.tasks.displacement.driver_options import driver_table
from core.tasks.displacement.warning import DISCLAIMER


@pytest.fixture
def rain(tmp_path: Path) -> Path:
    """60 days of hours: 6 mm/h for ten hours on day 20, 7 mm/h on day 30, 1 mm beside an unknown hour on day 50."""
    hours = pd.date_range("2021-01-01 01:00", periods=60 * 24, freq="h")
    values = np.zeros(len(hours))
    values[20 * 24 : 20 * 24 + 10] = 6.0
    values[30 * 24 : 30 * 24 + 10] = 7.0
    values[50 * 24] = 1.0
    values[50 * 24 + 1] = np.nan
    path = tmp_path / "gauge.csv"
    pd.DataFrame({"time": hours, "rain_mm": values}).to_csv(path, index=False)
    return path


def test_events_and_antecedent_rain_are_those_worked_by_hand(
    rain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.json"
    assert main(["displacement", "rain", str(rain), "--out", str(out)]) == 0

    content = json.loads(out.read_text())
    found = content["rain"]["rain_mm"]
    assert [(one["begin"], one["hours"], one["total"]) for one in found["events"]] == [
        ("2021-01-21T01:00", 10.0, 60.0), ("2021-01-31T01:00", 10.0, 70.0),
    ]  # fmt: skip
    # at ten hours: Caine 6.04, Guzzetti 0.80, Innes 1.57, Jibson 8.22 mm/h; that of Seattle begins at 20 hours
    assert [one["reached"] for one in found["events"]] == [["guzzetti", "innes"], ["caine", "guzzetti", "innes"]]
    assert (found["left_out"], found["unknown"], found["total"]) == (1, 1, 131.0)
    # 70 mm in three days after 60 mm in fifteen: the threshold is 3.5 x 25.4 - 0.67 x 60 = 48.7 mm
    assert found["antecedent"]["days_reached"] == [
        {"day": f"2021-{day}", "recent": 70.0, "before": 60.0, "excess": 21.3} for day in ("01-31", "02-01", "02-02")
    ]
    assert content["disclaimer"] == DISCLAIMER
    said = capsys.readouterr().out
    assert "Caine 1980, worldwide: reached by 1 of 2 events" in said
    assert "1 event contains or adjoins missing readings and was left out." in said
    assert DISCLAIMER in said


def test_without_a_file_it_is_printed(rain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["displacement", "rain", str(rain), "--dry-hours", "300"]) == 0

    (event,) = json.loads(capsys.readouterr().out)["rain"]["rain_mm"]["events"]
    assert event["hours"] == 10 * 24 + 10


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("032010072400000\n032010072401004\n", [], "has a single column.*--drivers-format hourly"),
        ("032010072400000\n032010072401004\n", ["--drivers-format", "SSYYYYMMDDHHRRR"], r"unit .*--drivers-unit"),
        ("time,level_m\n2020-01-01,1\n2020-01-02,2\n", [], "gauge.txt has no rain column"),
        ("time,a\n2020-01-01,1\n2020-01-02,2\n", [], "hold rain, a level or another driver"),
        ("time,a\n2020-01-01,1\n2020-01-02,2\n", ["--drivers-columns", "snow=a"], "'snow=a' is not a valid driver"),
        ("time,rain\n2020-01-01,1\n", ["--drivers-unit", "in"], "--drivers-unit applies to fixed-width files only"),
        ("time,rain\n03/04/2020,1\n04/05/2020,2\n", [], "date_order=dmy"),
        ("time,rain\n2020-01-01,1\n2020-01-02,2\n", ["--dry-hours", "0"], "A dry period of 0 hours is out of range"),
    ],
)
def test_what_cannot_be_read_says_which_option_answers_it(
    text: str, options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gauge.txt"
    path.write_text(text)

    assert main(["displacement", "rain", str(path), *options]) == 2


    assert re.search(said, capsys.readouterr().err)


def test_options_become_a_table_or_a_layout(tmp_path: Path) -> None:
    path = tmp_path / "gauge.csv"
    path.write_text("day,a,b,rain\n2020-01-01,1,2,3\n2020-01-02,1,2,3\n")

    assert driver_table(path, {}) == DriverTable(Columns("day", rain=("rain",)))
    named = {"drivers_columns": ("rain=a", "level=b", "date_order=ymd")}
    assert driver_table(path, named) == DriverTable(Columns("day", rain=("a",), level=("b",), date_order="ymd"))
    assert driver_table(path, {"drivers_format": "hourly", "drivers_station": "03"}) == DriverTable(
        layout=RainLayout("SSYYYYMMDDHHRRR", "0.01 in", "03")
    )
    with pytest.raises(InputError, match="fixed-width file has no column names"):
        driver_table(path, {"drivers_format": "hourly", **named})


def test_a_forecast_takes_drivers_from_a_file_of_their_own(store: Store, tmp_path: Path) -> None:
    del store  # the default one
    table = pd.read_csv(sample_table("reservoir-slide").path)
    table[["date", "ZK1_mm"]].to_csv(tmp_path / "slope.csv", index=False)
    table[["date", "rain_mm"]].to_csv(tmp_path / "rain.csv", index=False)
    config = tmp_path / "run.toml"
    config.write_text(
        'table = "slope.csv"\ndisplacement = ["ZK1_mm"]\ndrivers = "rain.csv"\nmodels = ["ridge"]\n'
        'drivers_columns = ["rain=rain_mm"]\nknown_future = ["rain"]\n'
    )
    out = tmp_path / "scores.json"

    assert main(["displacement", "evaluate", str(config), "--out", str(out)]) == 0
    assert any("rain_mm of rain.csv: 144 known readings" in one for one in json.loads(out.read_text())["notes"])
    by_option = tmp_path / "option.json"
    given = [str(tmp_path / "slope.csv"), "--displacement", "ZK1_mm", "--drivers", str(tmp_path / "rain.csv")]
    more = ["--models", "ridge", "--known-future", "rain", "--out", str(by_option)]
    assert main(["displacement", "evaluate", *given, *more]) == 0
    one, other = (json.loads(path.read_text())["stations"]["ZK1_mm"]["models"]["ridge"] for path in (out, by_option))
    assert one["rmse"] == other["rmse"]
