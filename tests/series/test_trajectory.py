"""Trajectories whose parameters are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InputError
from core.series.trajectory import Parameter, Trajectory, fit_trajectory, table_of
from core.series.trajectory_plan import YEAR, Relaxation, TrajectoryPlan

DAYS = np.sort(np.random.default_rng(0).choice(1_461, 900, replace=False)).astype(float)
"""Irregular readings of four years."""

readings = (np.datetime64("2018-01-01", "ns") + DAYS.astype("timedelta64[D]")).astype("datetime64[ns]")


def named(found: Trajectory) -> dict[str, Parameter]:
    return {one.name: one for one in found.parameters}


def years_from(reference: np.datetime64) -> np.ndarray:
    return (readings - reference) / np.timedelta64(1, "D") / YEAR


def after(date: str) -> np.ndarray:
    return np.maximum(0.0, (readings - np.datetime64(date, "ns")) / np.timedelta64(1, "D"))


def test_all_parameters_of_a_made_trajectory_are_found() -> None:
    plan = TrajectoryPlan(3, True, True, ("2019-05-01", "2020-02-10"), Relaxation("2020-02-10", days=30))
    reference = fit_trajectory(readings, np.zeros(900) + DAYS, TrajectoryPlan()).reference
    t = years_from(reference)
    turn = 2 * np.pi * (readings - np.datetime64("2018-01-01", "ns")) / np.timedelta64(1, "D") / YEAR
    values = (
        100 + 12 * t + 3 * t**2 / 2 - 0.6 * t**3 / 6
        + 4 * np.cos(turn - 2 * np.pi * 91.3125 / YEAR) + 1.5 * np.sin(2 * turn)
        + 8.0 * (readings >= np.datetime64("2019-05-01")) - 20.0 * (readings >= np.datetime64("2020-02-10"))
        + 9 * np.log1p(after("2020-02-10") / 30)
    )  # fmt: skip

    found = fit_trajectory(readings, values, plan)

    of = {name: one.value for name, one in named(found).items()}
    assert [of[name] for name in ("position", "velocity", "acceleration", "change of acceleration")] == pytest.approx(
        [100, 12, 3, -0.6], abs=1e-5
    )
    assert of["annual amplitude"] == pytest.approx(4)
    # The largest on day 91.3; the calendar's origin of 2000 and that of 2018 differ by half a day of the year.
    assert of["annual maximum, days from 1 January"] == pytest.approx(91.3125, abs=0.6)
    assert of["semi-annual amplitude"] == pytest.approx(1.5)
    assert of["step 2019-05-01"] == pytest.approx(8)
    assert of["step 2020-02-10"] == pytest.approx(-20, abs=1e-5)
    assert of["logarithmic relaxation from 2020-02-10"] == pytest.approx(9, abs=1e-5)
    assert found.fitted == pytest.approx(values, abs=1e-6)
    assert sum(found.parts.values()) == pytest.approx(found.fitted)
    assert found.rmse < 1e-6


@pytest.mark.parametrize("shape", ["logarithmic", "exponential"])
def test_the_time_of_a_relaxation_is_found(shape: str) -> None:
    share = after("2019-01-01") / 45
    fading = np.log1p(share) if shape == "logarithmic" else 1 - np.exp(-share)
    values = 5 * years_from(readings[0]) + 30 * fading
    relaxation = Relaxation("2019-01-01", shape)  # type: ignore[arg-type]

    found = named(fit_trajectory(readings, values, TrajectoryPlan(relaxation=relaxation)))

    assert found["relaxation time"].value == pytest.approx(45, rel=1e-3)
    assert found[f"{shape} relaxation from 2019-01-01"].value == pytest.approx(30, rel=1e-3)
    assert found["velocity"].value == pytest.approx(5, rel=1e-3)


def test_the_standard_error_of_a_line_is_that_of_the_regression() -> None:
    days = np.array([0.0, 1, 2, 3, 4, 5])
    times = (np.datetime64("2020-01-01", "ns") + days.astype("timedelta64[D]")).astype("datetime64[ns]")
    values = np.array([0.0, 1, 0, 1, 0, 1])

    found = fit_trajectory(times, values, TrajectoryPlan())

    # Through 0 1 0 1 0 1: slope 1.5 / 17.5; residuals 1.5 - 1.5² / 17.5; error sqrt(residuals / 4 / 17.5) a day.
    left = 1.5 - 1.5**2 / 17.5
    of = named(found)
    assert of["velocity"].value == pytest.approx(1.5 / 17.5 * YEAR)
    assert of["velocity"].error == pytest.approx(np.sqrt(left / 4 / 17.5) * YEAR)
    assert found.rmse == pytest.approx(np.sqrt(left / 4))
    assert found.memory == 0.0  # residuals go up and down
    assert of["velocity"].error_correlated == of["velocity"].error


def test_errors_cover_what_was_found_and_grow_with_noise_that_lasts() -> None:
    random = np.random.default_rng(5)
    days = np.arange(700.0)
    times = (np.datetime64("2020-01-01", "ns") + days.astype("timedelta64[D]")).astype("datetime64[ns]")
    beyond, beyond_correlated = 0, 0
    for _ in range(60):
        noise = random.normal(0, 1, 700)
        for at in range(1, 700):
            noise[at] += 0.6 * noise[at - 1]
        velocity = named(fit_trajectory(times, 0.1 * days + noise, TrajectoryPlan()))["velocity"]
        off = abs(velocity.value - 0.1 * YEAR)
        beyond += off > 1.96 * velocity.error
        beyond_correlated += off > 1.96 * velocity.error_correlated

    # A first-order autoregression of 0.6 makes errors twice as large: sqrt(1.6 / 0.4).
    assert velocity.error_correlated / velocity.error == pytest.approx(2.0, abs=0.25)
    assert beyond > 12  # 33 % are expected where 5 % are meant
    assert beyond_correlated < 9


def test_readings_of_excluded_spans_change_nothing() -> None:
    values = 0.03 * DAYS + np.random.default_rng(1).normal(0, 1, 900)
    spoilt = values + 500 * ((readings >= np.datetime64("2019-03-01")) & (readings < np.datetime64("2019-06-01")))
    later = spoilt + 70 * (readings >= np.datetime64("2021-01-01"))
    plan = TrajectoryPlan(2, annual=True, excluded=(("2019-03-01", "2019-05-31"), ("2021-01-01", "2022-12-31")))

    one, two = (fit_trajectory(readings, given, plan) for given in (values, later))

    assert one.parameters == two.parameters
    np.testing.assert_array_equal(one.fitted, two.fitted)
    assert not one.used[(readings >= np.datetime64("2019-03-01")) & (readings <= np.datetime64("2019-05-31"))].any()
    assert one.used[readings < np.datetime64("2019-03-01")].all()
    assert fit_trajectory(readings, later, TrajectoryPlan(2, annual=True)).parameters != one.parameters


def test_unknown_readings_do_not_count() -> None:
    values = 0.03 * DAYS
    holes = np.where(np.arange(900) % 3 == 0, np.nan, values)

    found = fit_trajectory(readings, holes, TrajectoryPlan())

    assert len(found.times) == 600
    assert named(found)["velocity"].value == pytest.approx(0.03 * YEAR)


def test_a_wave_of_old_readings_is_found() -> None:
    months = (np.datetime64("1948-01", "M") + np.arange(240)).astype("datetime64[ns]")
    turn = 2 * np.pi * ((months - np.datetime64("2000-01-01", "ns")) / np.timedelta64(1, "D")) / YEAR

    found = named(fit_trajectory(months, 3 * np.sin(turn), TrajectoryPlan(annual=True)))

    assert found["annual amplitude"].value == pytest.approx(3)
    assert found["annual maximum, days from 1 January"].value == pytest.approx(YEAR / 4)


def test_parameters_are_a_table() -> None:
    table = table_of(fit_trajectory(readings, 0.03 * DAYS, TrajectoryPlan(annual=True)))

    assert table["parameter"].tolist()[:4] == ["position", "velocity", "annual sine", "annual cosine"]
    assert table["unit"].tolist()[:3] == ["mm", "mm/year", "mm"]
    assert (table["readings"] == 900).all()
    assert table["value"][1] == pytest.approx(0.03 * YEAR)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (TrajectoryPlan(steps=("2030-01-01",)), "no readings before or after it"),
        (TrajectoryPlan(steps=("soon",)), "is not a valid date"),
        (TrajectoryPlan(steps=("today",)), "is not a valid date"),
        (TrajectoryPlan(steps=("3000-01-01",)), "is not a valid date"),
        (TrajectoryPlan(steps=("2020-13-01",)), "is not a valid date"),
        (TrajectoryPlan(relaxation=Relaxation(" ")), "is missing"),
        (TrajectoryPlan(steps=("2019-05-01", "2019-05-01T00:00")), "cannot separate these terms"),
        (TrajectoryPlan(relaxation=Relaxation("2021-12-31")), "needs readings before and 5 after"),
        (TrajectoryPlan(relaxation=Relaxation("2019-01-01")), "No relaxation time can be fitted"),
        (TrajectoryPlan(excluded=(("2018-01-01", "2021-12-31"),)), "readings are used"),
        (TrajectoryPlan(excluded=(("2019-01-01", "2018-01-01"),)), "ends before it begins"),
        (TrajectoryPlan(annual=True, excluded=(("2018-06-01", "2021-12-31"),)), "wave of 1 year "),
    ],
)  # fmt: skip
def test_what_the_readings_cannot_say_is_refused(plan: TrajectoryPlan, said: str) -> None:
    values = 0.03 * DAYS + 2.0 * (DAYS / 100) ** 2  # accelerates: nothing fades

    with pytest.raises(InputError, match=said):
        fit_trajectory(readings, values, plan)


def test_plans_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="degree 4"):
        TrajectoryPlan(4)
    with pytest.raises(InputError, match="logarithmic or exponential"):
        replace(Relaxation("2020-01-01"), days=-1)
