"""Early warning on the synthetic slope that fails: what is told on a day, and that it knows no later one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.catalog.samples import sample_table
from core.errors import InputError
from core.series.rainfall import events_of
from core.tasks.displacement.view import Look
from core.tasks.displacement.warning import log_table, rain_of, rain_sentences, sentences, warning_of
from core.tasks.displacement.warning_plots import inverse_figure, rain_figure, velocity_figure

FAILS = np.datetime64("2024-06-09", "ns")


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    """Readings of the sample, as a run keeps them."""
    table = pd.read_csv(sample_table("failure-slide").path, parse_dates=["time"])
    parts = [
        pd.DataFrame({"station": name, "time": table["time"], "displacement": table[name]})
        for name in ("extensometer_mm", "stable_mm")
    ]
    return pd.concat(parts, ignore_index=True)


def test_before_the_failure_levels_are_reached_and_its_time_lies_in_the_interval(measured: pd.DataFrame) -> None:
    found = warning_of(measured, Look("extensometer_mm", day="2024-06-03"))
    told = " ".join(sentences(found))

    assert found.level == 3
    assert [row for row in log_table(found)["level"] if row == "level 3"]
    assert found.failure.earliest <= FAILS <= found.failure.latest
    assert abs(found.saito - FAILS) < np.timedelta64(2, "D")
    assert "If the acceleration continued as it has since its onset, the inverse velocity would reach zero on " in told
    assert f"Saito's three-point method gives {str(found.saito)[:10]} as the time of failure." in told
    assert " mm/day, from the preceding 2.5 days. Cruden–Varnes class: slow. Alert: level 3." in told
    assert "slow" in told


def test_a_day_knows_nothing_of_the_days_after(measured: pd.DataFrame) -> None:
    look = Look("extensometer_mm", day="2024-05-10", levels="1.5,3")
    other = measured.copy()
    late = other["time"] > "2024-05-11"
    other.loc[late, "displacement"] = 1e4

    one, again = warning_of(measured, look), warning_of(other, look)

    assert one.log == again.log
    assert one.now == again.now
    assert one.failure.time == again.failure.time
    assert one.times[-1] < np.datetime64("2024-05-11")


def test_a_stable_point_stays_normal_and_has_no_failure_time(measured: pd.DataFrame) -> None:
    found = warning_of(measured, Look("stable_mm", levels="5"))
    told = " ".join(sentences(found))

    assert (found.level, found.log) == (0, ())
    assert found.failure.time is None
    assert "normal" in told


def test_silence_is_told_and_too_few_readings_are_refused(measured: pd.DataFrame) -> None:
    look = Look("extensometer_mm", day="2024-06-20", levels="1")

    assert "has sent no reading for" in " ".join(sentences(warning_of(measured, look)))
    with pytest.raises(InputError, match="readings are available up to that day"):
        warning_of(measured, Look("extensometer_mm", day="2024-03-01"))


def test_without_a_usable_quiet_period_there_are_no_levels_and_that_is_said(measured: pd.DataFrame) -> None:
    flat = measured.assign(displacement=5.0)

    found = warning_of(flat, Look("stable_mm"))

    assert found.levels == ()
    assert any("No alert levels" in note for note in found.notes)


def test_rain_is_counted_against_thresholds_up_to_the_day() -> None:
    times = pd.date_range("2024-01-01", periods=60, freq="D")
    series = pd.DataFrame({"station": "A", "time": times, "rain": [0.0] * 20 + [120.0] + [0.0] * 39})

    early = rain_of(series, Look("A", day="2024-01-15"), {"rain": "rain"}, "D")
    whole = rain_of(series, Look("A"), {"rain": "rain"}, "D")

    assert len(early.times) == 15
    assert len(events_of(early).totals) == 0
    told = " ".join(rain_sentences(events_of(whole), whole))
    assert "1 rainfall event: 1 reaches Caine 1980" in told  # 120 mm in 24 hours are 5 mm/h, above 4.29
    assert rain_of(series, Look("A"), {"rain": "rain"}, "month") is None
    assert rain_of(series, Look("A"), {}, "D") is None
    assert rain_figure(events_of(whole), "rain").data[0].name == "At or above Caine"


def test_charts_show_levels_and_the_failure(measured: pd.DataFrame) -> None:
    found = warning_of(measured, Look("extensometer_mm", levels="1.5,3,6"))

    names = [trace.name for trace in velocity_figure(found).data]
    assert names[:4] == ["Velocity", "Level 1: 1.5", "Level 2: 3", "Level 3: 6"]
    figure = inverse_figure(found)
    assert {trace.name for trace in figure.data} == {"Not used", "Used", "Line"}
    line = next(trace for trace in figure.data if trace.name == "Line")
    assert line.y[-1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("day", ["9999-12-31", "1500-01-01"])
def test_a_day_beyond_what_is_counted_is_refused(day: str) -> None:
    with pytest.raises(InputError, match="outside the valid dates"):
        Look(day=day)
