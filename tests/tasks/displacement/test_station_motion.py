"""Stations on a map: arrows point where stations move, and are as long as they are fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from core.tasks.displacement.station_motion import StationMotion, motions_of, station_figure


@dataclass(frozen=True)
class Placed:
    """What the map asks of a result."""

    places: dict[str, tuple[float, float]]


def measured(name: str, east: float, north: float) -> pd.DataFrame:
    """Two years of a station that moves evenly, mm a year."""
    times = pd.date_range("2020-01-01", periods=731, freq="D")
    years = np.arange(731) / 365.25
    return pd.DataFrame({"station": name, "time": times, "displacement": np.hypot(east, north) * years,
                         "east": east * years, "north": north * years})  # fmt: skip


def test_velocities_and_classes_are_those_of_the_readings() -> None:
    whole = measured("C", 5_000.0, 0.0).drop(columns=["east", "north"])  # displacement alone
    table = pd.concat([measured("A", 0.0, 12.0), measured("B", 30.0, -40.0), whole])
    places = {"A": (11.0, 46.0), "B": (11.01, 46.0), "C": (11.0, 46.01)}

    a, b, c = motions_of(Placed(places), table)  # type: ignore[arg-type]

    assert (a.velocity, a.east, a.north) == pytest.approx((12.0, 0.0, 12.0))
    assert (b.velocity, b.east, b.north) == pytest.approx((50.0, 30.0, -40.0))
    assert (c.velocity, c.east, c.north) == (pytest.approx(5_000.0), None, None)
    # classes begin at 16 mm and at 1.6 m a year
    assert [one.group for one in (a, b, c)] == ["extremely slow", "very slow", "slow"]
    assert not motions_of(Placed({}), table)  # type: ignore[arg-type]


def test_arrows_start_at_their_stations_and_keep_to_one_scale() -> None:
    motions = (
        StationMotion("A", (11.0, 46.0), 10.0, 0.0, 10.0), StationMotion("B", (11.0, 46.01), 20.0, 20.0, 0.0),
        StationMotion("<b>C", (11.0, 46.005), 3.0),
    )  # fmt: skip

    figure = station_figure(motions, "A")

    north, east = figure.layout.annotations
    # a hundredth of a degree is 1,112 m: the longest arrow a quarter of it
    assert (north.ax, north.ay) == pytest.approx((0.0, -555.975))
    assert (north.x - north.ax, north.y - north.ay) == pytest.approx((0.0, 1_111.95 / 8))
    assert (east.x - east.ax, east.y - east.ay) == pytest.approx((1_111.95 / 4, 0.0))
    assert figure.layout.yaxis.scaleanchor == "x"
    assert "&lt;b&gt;C" in " ".join(text for trace in figure.data for text in trace.hovertext)
    assert [trace.name for trace in figure.data] == ["extremely slow", "very slow"]
