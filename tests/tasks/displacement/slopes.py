"""Made series: their movement is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.series.monitoring import RegularSeries


def slope(displacements: Sequence[float], filled: Sequence[int] = (), step: str = "D", **drivers: Sequence[float]) -> RegularSeries:  # noqa: E501
    """A series from 1 January 2020 on; drivers bear the name of their quantity."""
    count = len(displacements)
    times = np.datetime64("2020-01-01", "ns") + np.arange(count) * np.timedelta64(1, "D")
    if step == "month":
        times = (np.datetime64("2010-01", "M") + np.arange(count)).astype("datetime64[ns]")
    return RegularSeries(
        "A", step, times, np.asarray(displacements, dtype=float), np.isin(np.arange(count), filled),
        {name: np.asarray(values, dtype=float) for name, values in drivers.items()},
        {name: name for name in drivers},  # type: ignore[misc]
    )  # fmt: skip


def rainy(count: int = 120, seed: int = 0, filled: Sequence[int] = ()) -> RegularSeries:
    """A slope that moves 0.2 mm a day and a tenth of the rain of the day before, measured to 0.2 mm."""
    random = np.random.default_rng(seed)
    rain = np.where(random.random(count) < 0.3, random.gamma(1.0, 10.0, count), 0.0)
    level = 150 + 5 * np.sin(np.arange(count) / 9)
    moved = 0.2 + 0.1 * np.concatenate([[0.0], rain[:-1]])
    values = np.cumsum(moved) + random.normal(0, 0.2, count)
    known = np.setdiff1d(np.arange(count), filled)
    values = np.interp(np.arange(count), known, values[known])
    return slope(values, filled, rain=rain, level=level)
