"""Motion of points: known polynomials, waves and steps, and the published columns of real points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import RunCancelled
from core.series.insar.motion import motion_of, table_of
from core.series.insar.points import Points, points_of
from core.series.table import read_table_untrusted

DATES = np.datetime64("2020-01-03", "ns") + np.arange(0, 1460, 12) * np.timedelta64(1, "D")
YEARS = (DATES - DATES[0]) / np.timedelta64(1, "D") / 365.25
MIDDLE = YEARS - YEARS.mean()


def points(*rows: np.ndarray, noise: float = 0.0) -> Points:
    values = np.stack(rows).astype(np.float32)
    if noise:
        values += np.random.default_rng(1).normal(0, noise, values.shape).astype(np.float32)
    n = len(values)
    return Points(
        np.array([f"p{one}" for one in range(n)], dtype=object), np.arange(n) * 100.0 + 4_500_000, np.full(n, 1.7e6),
        "EPSG:3035", DATES, values, "vertical", pd.DataFrame(index=range(n)), (),
    )  # fmt: skip


def test_a_polynomial_with_an_annual_wave_is_found_again() -> None:
    wave = 4 * np.sin(2 * np.pi * YEARS + 0.7)

    found = motion_of(points(-12 * MIDDLE + wave, 3 * MIDDLE + 2.5 * MIDDLE**2 + wave))

    assert found.velocity == pytest.approx([-12.0, 3.0], abs=0.02)
    assert found.acceleration[1] == pytest.approx(5.0, abs=0.02)
    assert found.seasonality == pytest.approx([4.0, 4.0], abs=0.02)
    assert found.rmse == pytest.approx([0.0, 0.0], abs=1e-3)
    assert found.step_at.tolist() == [-1, -1]


def test_unknown_values_are_left_out_and_points_with_few_are_unknown() -> None:
    line = -7 * MIDDLE
    holes = line.copy()
    holes[::3] = np.nan
    few = np.full(len(DATES), np.nan)
    few[:6] = 1.0

    found = motion_of(points(line, holes, few, np.full(len(DATES), np.nan)))

    assert found.velocity[:2] == pytest.approx([-7.0, -7.0], abs=1e-3)
    assert np.isnan(found.velocity[2:]).all()
    assert found.known.tolist() == [len(DATES), len(DATES) - len(DATES[::3]), 6, 0]
    assert found.outliers[2:].tolist() == [0, 0]


def test_the_standard_error_is_that_of_the_regression() -> None:
    import statsmodels.api as sm

    made = points(5 * MIDDLE, noise=2.0)
    found = motion_of(made)
    turn = 2 * np.pi * YEARS
    design = np.column_stack([np.ones(len(YEARS)), MIDDLE, np.sin(turn), np.cos(turn)])
    known = sm.OLS(made.values[0].astype(float), design).fit()

    assert found.velocity[0] == pytest.approx(known.params[1], abs=1e-4)
    assert found.velocity_sd[0] == pytest.approx(known.bse[1], rel=1e-4)


def test_a_step_is_told_with_its_size_and_date_and_an_outlier_is_counted() -> None:
    stepped = np.where(np.arange(len(DATES)) >= 57, 30.0, 0.0)
    spiked = np.zeros(len(DATES))
    spiked[40] = 60.0

    found = motion_of(points(stepped, spiked, np.zeros(len(DATES)), noise=1.0))
    table = table_of(points(stepped, spiked, np.zeros(len(DATES))), found)

    assert found.step_at[0] == 57
    assert found.step[0] == pytest.approx(30.0, abs=2.0)
    assert found.step_at[1:].tolist() == [-1, -1]
    assert found.outliers[1] >= 1
    assert table["step_date"].tolist() == [str(DATES[57])[:10], "", ""]
    assert 5 < table["longitude"][0] < 15
    assert table["known"][0] == len(DATES)


def test_it_stops_when_asked() -> None:
    with pytest.raises(RunCancelled):
        motion_of(points(MIDDLE), cancel=lambda: True)


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "velocity"), [("L2b_117", 0.045), ("_U_2020", 0.03), ("_E_2020", 0.03)])
def test_published_columns_of_real_points_are_found_again(shared_data: Path, name: str, velocity: float) -> None:
    path = next(one for one in (shared_data / "open").rglob("EGMS_*.zip") if name in one.name)
    made = points_of(read_table_untrusted(path), path.name)
    found, published = motion_of(made), made.attributes

    for ours, column, most in (
        (found.velocity, "mean_velocity", velocity), (found.acceleration, "acceleration", 0.004),
        (found.seasonality, "seasonality", 0.03), (found.rmse, "rmse_ts", 0.03),
    ):  # fmt: skip
        assert np.abs(ours - published[column]).mean() < most
    assert np.corrcoef(found.acceleration, published["acceleration"])[0, 1] > 0.9999
