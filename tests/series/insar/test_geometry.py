"""East and up from two orbits, on made fields whose motion is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.insar.geometry import EastUp, cells_table, east_and_up
from core.series.insar.motion import motion_of
from core.series.insar.points import Points
from core.series.insar.read import read_points
from core.series.insar.track import Track, track_of

ASCENDING, DESCENDING = (-0.6, 0.0, 0.8), (0.6, 0.0, 0.8)
BEGIN, END = np.datetime64("2020-01-01"), np.datetime64("2024-01-01")
UTM = "EPSG:32633"


def track(name: str, x: list[float], velocity: list[float], los: tuple[float, float, float], y: float = 50.0) -> Track:
    """Points at the same northing whose velocities have standard errors of 1 mm a year."""
    count = len(x)
    return Track(name, np.array(x, float), np.full(count, y), UTM, np.array(velocity, float), np.ones(count),
                 np.tile(los, (count, 1)).astype(float), BEGIN, END)  # fmt: skip


def test_motion_to_the_east_and_down_is_found_exactly() -> None:
    """10 mm a year to the east and 5 down: −6 − 4 = −10 along one line of sight, 6 − 4 = 2 along the other."""
    found = east_and_up(track("A", [50], [-10], ASCENDING), track("D", [70], [2], DESCENDING), 100)

    assert (found.x.tolist(), found.y.tolist()) == ([50.0], [50.0])
    np.testing.assert_allclose([found.east[0], found.up[0]], [10, -5], atol=1e-12)
    # det = −0.96; the errors are √2 · 0.8 / 0.96 and √2 · 0.6 / 0.96; singular values are √2 · 0.8 and √2 · 0.6
    np.testing.assert_allclose([found.east_sd[0], found.up_sd[0]], [1.1785113, 0.8838835], rtol=1e-6)
    np.testing.assert_allclose(found.condition[0], 4 / 3)
    assert found.points.tolist() == [[1, 1]]


def test_velocities_and_directions_are_means_of_the_cell() -> None:
    """Four points of −8 and −12 halve the error of the mean."""
    ascending = track("A", [10, 20, 80, 90], [-8, -12, -8, -12], ASCENDING)
    found = east_and_up(ascending, track("D", [1, 99, 50, 60], [2, 2, 1, 3], DESCENDING), 100)

    np.testing.assert_allclose([found.east[0], found.up[0]], [10, -5], atol=1e-12)
    np.testing.assert_allclose(found.east_sd[0], 1.1785113 / 2, rtol=1e-6)


def test_a_uniform_motion_is_found_under_lines_of_sight_that_differ_from_point_to_point() -> None:
    rng = np.random.default_rng(5)
    motion = np.array([12.0, -3.0, -7.0])
    tracks = []
    for side, heading in ((-1, "A"), (1, "D")):
        steep, turn = np.radians(rng.uniform(30, 45, 400)), np.radians(rng.uniform(-15, 15, 400))
        los = np.column_stack([side * np.sin(steep) * np.cos(turn), np.sin(steep) * np.sin(turn), np.cos(steep)])
        one = track(heading, [0.0] * 400, [0.0] * 400, ASCENDING)
        tracks.append(replace(one, x=rng.uniform(0, 1_000, 400), y=rng.uniform(0, 1_000, 400), los=los,
                              velocity=los @ motion))  # fmt: skip

    given = east_and_up(*tracks, 250, north=-3.0)
    assert len(given.x) == 16
    np.testing.assert_allclose(given.east, 12, rtol=1e-9)
    np.testing.assert_allclose(given.up, -7, rtol=1e-9)

    left_out = east_and_up(*tracks, 250)  # what it is wrong by is what is said of it
    np.testing.assert_allclose(left_out.east - 3 * left_out.north_in_east, 12, rtol=1e-9)
    np.testing.assert_allclose(left_out.up - 3 * left_out.north_in_up, -7, rtol=1e-9)


def test_motion_to_the_north_that_is_left_out_is_said() -> None:
    """Both look 0.1 to the south: a mm a year to the north takes 0.1 from both, which is 0.1 / 0.8 of up."""
    found = east_and_up(
        track("A", [50], [-10], (-0.6, -0.1, 0.8)), track("D", [50], [2], (0.6, -0.1, 0.8)), 100, north=8
    )

    np.testing.assert_allclose([found.east[0], found.up[0]], [10, -5 + 8 * 0.125], atol=1e-12)
    assert found.notes[0].startswith("Motion to the north is assumed to be 8 mm per year")
    assert found.notes[0].endswith("change the result by +0.00 to the east and +0.12 up.")


def test_cells_of_one_orbit_are_unknown_and_counted() -> None:
    ascending = track("A", [-50, 50, 150, 250], [-10, -10, -10, np.nan], ASCENDING)
    descending = track("D", [50, 250, 350], [2, 2, 2], DESCENDING)

    found = east_and_up(ascending, descending, 100)

    assert found.x.tolist() == [-50, 50, 150, 250, 350]
    np.testing.assert_allclose(found.east, [np.nan, 10, np.nan, np.nan, np.nan])
    assert found.points.tolist() == [[1, 0], [1, 1], [1, 0], [0, 1], [0, 1]]
    assert found.notes[1] == (
        "1 of 5 cells has points of both orbits; those with points of A only (2) or D only (2) are unknown."
    )
    table = cells_table(found)
    assert len(table) == 5
    assert table["longitude"].between(10, 11).all()  # the false easting of zone 33 is 500 km west of 15 degrees


def test_cells_that_both_orbits_see_from_the_same_side_are_unknown() -> None:
    """Two ascending orbits under 36.9 and 41 degrees: a condition number far above the limit."""
    near = (-np.sin(np.radians(41)), 0.0, np.cos(np.radians(41)))
    ascending = track("A", [50, 150], [-10, -10], ASCENDING)
    other = replace(track("B", [50, 150], [2, 2], DESCENDING), los=np.array([DESCENDING, near]))

    found = east_and_up(ascending, other, 100)

    np.testing.assert_allclose(found.up, [-5, np.nan])
    assert found.condition[1] > 20
    assert any(note.startswith("1 cell is unknown because the lines of sight") for note in found.notes)
    with pytest.raises(InputError, match="A and B have nearly the same line of sight"):
        east_and_up(ascending, track("B", [50], [2], near), 100)
    with pytest.raises(InputError, match="have nearly the same line of sight"):
        east_and_up(ascending, track("B", [50], [2], ASCENDING), 100)


def solve(**changes: object) -> EastUp:
    second = replace(track("D", [70], [2], DESCENDING), **changes)  # type: ignore[arg-type]
    return east_and_up(track("A", [50], [-10], ASCENDING), second, 100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": np.array([150.0])}, "have no cell of 100 m in common"),
        ({"crs": "EPSG:3035"}, "A is in EPSG:32633, D in EPSG:3035"),
        ({"first": np.datetime64("2024-02-01"), "last": np.datetime64("2025-01-01")}, "measured at different times"),
    ],
)
def test_orbits_that_do_not_belong_together_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        solve(**changes)


def test_orbits_of_partly_different_years_are_told() -> None:
    notes = solve(first=np.datetime64("2021-01-01"), last=np.datetime64("2025-01-01")).notes
    assert any("Both were measured from 2021-01-01 to 2024-01-01" in note for note in notes)
    assert not any("Both were measured" in note for note in solve().notes)


@pytest.mark.parametrize("cell", [0.0, 0.5, np.nan, 1e6])
def test_cells_out_of_range_are_refused(cell: float) -> None:
    with pytest.raises(InputError, match="out of range"):
        east_and_up(track("A", [50], [-10], ASCENDING), track("D", [70], [2], DESCENDING), cell)


def points(**columns: object) -> Points:
    """Two points that move 10 mm a year, at the meridian in the middle of UTM zone 33."""
    times = np.arange(np.datetime64("2020-01-01", "ns"), np.datetime64("2022-01-01", "ns"), np.timedelta64(20, "D"))
    years = (times - times[0]) / np.timedelta64(1, "D") / 365.25
    values = np.tile(10 * years, (2, 1)).astype(np.float32)
    return Points(np.array(["a", "b"], object), np.array([15.0, 15.0]), np.array([0.0, 0.0]), "EPSG:4326", times,
                  values, "line of sight", pd.DataFrame(columns), ())  # fmt: skip


def test_a_track_is_a_table_of_points_in_metres_with_its_line_of_sight() -> None:
    table = points(LOS_EAST=[-0.6, 0.9], los_north=["0", "0.9"], los_up=[0.8, 0.9])

    made = track_of(table, motion_of(table), UTM, "A.zip")

    np.testing.assert_allclose(made.x, 500_000, atol=1e-3)
    np.testing.assert_allclose(made.velocity, 10, rtol=1e-5)
    np.testing.assert_allclose(made.los, [[-0.6, 0, 0.8], [np.nan] * 3])  # the second is no unit vector
    assert str(made.first)[:10] == "2020-01-01"


@pytest.mark.parametrize(
    ("columns", "crs", "message"),
    [
        ({"los_east": [1, 1], "los_up": [0, 0]}, UTM, "A.zip does not give its line of sight"),
        ({"los_east": [1, 1], "los_north": [1, 1], "los_up": [1, 1]}, UTM, "not unit vectors"),
        ({"los_east": [1, 1], "los_north": [0, 0], "los_up": [0, 0]}, "EPSG:4326", "is not in metres"),
        ({"los_east": [1, 1], "los_north": [0, 0], "los_up": [0, 0]}, "nowhere", "cannot be converted to 'nowhere'"),
    ],
)
def test_a_table_that_gives_no_track_is_refused(columns: dict[str, object], crs: str, message: str) -> None:
    table = points(**columns)
    with pytest.raises(InputError, match=message):
        track_of(table, motion_of(table), crs, "A.zip")


@pytest.mark.realdata
def test_the_published_east_and_up_are_those_of_a_real_ascending_orbit(shared_data: Path) -> None:
    """The Ground Motion Service made them of this orbit and a descending one, which is not here.

    So the second orbit is made of what was published, seen from the other side; the velocities of the first are real.
    """
    files = {what: next((shared_data / "open").rglob(f"EGMS_{what}_*.zip")) for what in ("L2b", "L3*_U", "L3*_E")}
    real, up, east = (read_points(path, path.name) for path in files.values())
    upward, eastward = motion_of(up).velocity, motion_of(east).velocity
    ascending = track_of(real, motion_of(real), "EPSG:3035", "ascending")
    steep = np.degrees(np.arccos(ascending.los[:, 2]))
    np.testing.assert_allclose(steep, real.attributes["incidence_angle"], atol=0.1)
    assert (ascending.los[:, 0] < 0).all()  # it looks to the right on its way north: the satellite is in the west
    los = np.tile([0.62, -0.1, 0.78], (len(up), 1))
    descending = Track("descending", up.x, up.y, up.crs, 0.62 * eastward + 0.78 * upward, np.full(len(up), 0.1), los,
                       up.times[0], up.times[-1])  # fmt: skip

    found = east_and_up(ascending, descending, 100)

    solved = np.isfinite(found.east)
    published = {(x, y): (e, u) for x, y, e, u in zip(up.x, up.y, eastward, upward, strict=True)}
    wanted = np.array([published[place] for place in zip(found.x[solved], found.y[solved], strict=True)])
    assert solved.sum() == 522
    assert np.abs(found.east[solved] - wanted[:, 0]).mean() < 0.06  # mm a year
    assert np.abs(found.up[solved] - wanted[:, 1]).mean() < 0.06
    assert np.corrcoef(found.east[solved], wanted[:, 0])[0, 1] > 0.99
