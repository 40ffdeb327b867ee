"""Make the sample monitoring series: a step-like reservoir landslide, an acceleration to failure, and InSAR points.

Run ``python data/samples/make_series.py``: it writes ``reservoir_slide.csv``, ``reservoir_slide_law.csv``,
``failure_slide.csv`` and ``valley_points.csv`` beside itself. The same seed gives the same tables. Nothing in them was
measured.

The reservoir landslide moves each month by

    r_s · [ CREEP + RAIN · max(0, rain(t) + CARRY · rain(t-1) - WET) + DRAWDOWN · max(0, level(t-1) - level(t)) ] mm

with rain in mm and level in m, times a response r_s of the station, plus noise. The second file holds each of the three
parts, so that what an explanation says can be compared with the law.

The other slope accelerates so that the inverse of its velocity falls to zero along a line (Fukuzono 1985):
1/v = A (t_f - t), so x(t) = -ln(1 - t/t_f) / A.

The InSAR points lie where ``valley_velocity.tif`` knows a velocity: v t + SEASONAL sin(2 pi t) + noise in mm along the
line of sight, t in years since the first date, as in tables of the European Ground Motion Service.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent
SEED = 20261128

YEARS, FIRST_MONTH = 12, "2008-01"
CREEP, RAIN, CARRY, WET, DRAWDOWN = 1.5, 0.12, 0.4, 140.0, 2.2
"""mm a month; mm for each mm of rain above WET; share of the rain of the month before; mm; mm for each m."""

RESPONSE = {"ZK1": 1.0, "ZK2": 0.7, "ZK3": 0.35}
NOISE = 0.8
"""Standard deviation of a reading, mm."""

MISSING = {"ZK1": (47, 48), "ZK2": (80,), "ZK3": (12, 13, 14, 101)}
"""Months without a reading, from 0."""

FAILURE_DAY, SLOPE, HOURS, LAST_DAY, READING_NOISE = 100.0, 0.01, 6, 97.0, 0.3
"""Day of the failure, A per mm, hours between readings, the last day, and the noise of a reading in mm."""

POINTS, DATES, FIRST_DATE, REVISIT = 900, 73, "2022-01-05", 12
"""Points, dates, the first of them, and days from one to the next."""

SEASONAL, POINT_NOISE, LOS = 1.5, 2.0, (-0.62, -0.11, 0.77)
"""Amplitude in mm, noise in mm, and unit vector to the satellite (east, north, up)."""


def main() -> None:
    """Compute the series and write the tables."""
    reservoir_slide(np.random.default_rng([SEED, 1]))
    failure_slide(np.random.default_rng([SEED, 2]))
    valley_points(np.random.default_rng([SEED, 3]))


def reservoir_slide(rng: np.random.Generator) -> None:
    """Write the reservoir landslide and its law."""
    months = pd.period_range(FIRST_MONTH, periods=12 * YEARS, freq="M")
    turn = 2 * np.pi * (months.month.to_numpy() - 1) / 12
    mean_rain = 85 - 70 * np.cos(turn)
    rain = np.round(mean_rain * rng.gamma(4.0, 1 / 4.0, len(months)), 1)
    level = np.round(160 + 14 * np.cos(turn + 0.35) + rng.normal(0, 0.7, len(months)), 2)
    before = np.concatenate([rain[:1], rain[:-1]])
    drop = np.maximum(0.0, -np.diff(level, prepend=level[:1]))
    parts = {
        "creep": np.full(len(months), CREEP),
        "rain": RAIN * np.maximum(0.0, rain + CARRY * before - WET),
        "drawdown": DRAWDOWN * drop,
    }
    dates = months.to_timestamp(how="end").normalize().strftime("%Y-%m-%d")
    table = pd.DataFrame({"date": dates, "rain_mm": rain, "reservoir_level_m": level})
    law = pd.DataFrame({"date": dates})
    for station, response in RESPONSE.items():
        moved = response * sum(parts.values())
        reading = np.round(np.cumsum(moved) + rng.normal(0, NOISE, len(months)), 1)
        reading[list(MISSING[station])] = np.nan
        table[f"{station}_mm"] = reading
        for name, part in parts.items():
            law[f"{station}_{name}_mm"] = np.round(response * part, 3)
    table.to_csv(FOLDER / "reservoir_slide.csv", index=False)
    law.to_csv(FOLDER / "reservoir_slide_law.csv", index=False)


def failure_slide(rng: np.random.Generator) -> None:
    """Write the acceleration to failure, and a stable point beside it."""
    days = np.arange(0, LAST_DAY, HOURS / 24)
    moved = -np.log(1 - days / FAILURE_DAY) / SLOPE
    times = pd.Timestamp("2024-03-01") + pd.to_timedelta(days, unit="D")
    table = pd.DataFrame({
        "time": times.strftime("%Y-%m-%d %H:%M"),
        "extensometer_mm": np.round(moved + rng.normal(0, READING_NOISE, len(days)), 2),
        "stable_mm": np.round(rng.normal(0, READING_NOISE, len(days)), 2),
    })  # fmt: skip
    table.to_csv(FOLDER / "failure_slide.csv", index=False)


def valley_points(rng: np.random.Generator) -> None:
    """Write points of the valley as they would be seen by a radar satellite."""
    import rasterio
    from pyproj import Transformer

    with rasterio.open(FOLDER / "valley_velocity.tif") as file:
        velocity = file.read(1, masked=True).filled(np.nan)
        transform, crs = file.transform, file.crs
    row, column = np.nonzero(np.isfinite(velocity))
    # Half of the points on the fastest fiftieth of the ground, as a study of landslides would choose them.
    fast = np.abs(velocity[row, column]) > np.nanquantile(np.abs(velocity), 0.98)
    chosen = np.sort(np.concatenate([
        rng.choice(np.flatnonzero(part), POINTS // 2, replace=False) for part in (fast, ~fast)
    ]))  # fmt: skip
    row, column = row[chosen], column[chosen]
    x, y = transform @ (column + 0.5, row + 0.5)
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    dates = pd.date_range(FIRST_DATE, periods=DATES, freq=f"{REVISIT}D")
    years = np.arange(DATES) * REVISIT / 365.25
    moved = velocity[row, column, None] * years + SEASONAL * np.sin(2 * np.pi * years)
    moved = moved + rng.normal(0.0, POINT_NOISE, moved.shape)
    table = pd.DataFrame({
        "pid": [f"V{number:04d}" for number in range(POINTS)], "latitude": np.round(lat, 6),
        "longitude": np.round(lon, 6), "los_east": LOS[0], "los_north": LOS[1], "los_up": LOS[2],
    })  # fmt: skip
    series = pd.DataFrame(np.round(moved, 1), columns=dates.strftime("%Y%m%d"))
    pd.concat([table, series], axis=1).to_csv(FOLDER / "valley_points.csv", index=False)


if __name__ == "__main__":
    main()
