"""Velocities along the slope, on made slopes whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.series.insar.slope import along_slope

ASCENDING = np.array([-0.6, 0.0, 0.8])
EAST, WEST, NORTH = 90.0, 270.0, 0.0


def solve(velocity: list[float], slope: list[float], aspect: list[float], **limits: float):
    count = len(velocity)
    return along_slope(np.array(velocity, float), np.ones(count), np.tile(ASCENDING, (count, 1)),
                       np.array(slope, float), np.array(aspect, float), **limits)  # fmt: skip


def test_motion_down_a_slope_is_found_exactly() -> None:
    """Down 30 degrees to the east is (√3/2, 0, −1/2); seen from the west: −0.6 · √3/2 − 0.4 = −0.919615."""
    found = solve([-20 * 0.9196152423], [30], [EAST])

    np.testing.assert_allclose(found.velocity, 20)
    np.testing.assert_allclose(found.velocity_sd, 1 / 0.9196152423)
    np.testing.assert_allclose(found.cosine, -0.9196152423)
    assert len(found.notes) == 1


@pytest.mark.parametrize("aspect", [0.0, 37.0, 143.0, 260.0, 359.0])
def test_any_motion_along_a_slope_comes_back(aspect: float) -> None:
    slope, a = np.radians(40), np.radians(aspect)
    motion = 15 * np.array([np.cos(slope) * np.sin(a), np.cos(slope) * np.cos(a), -np.sin(slope)])

    found = solve([float(motion @ ASCENDING)], [40], [aspect], least_cosine=1e-6)

    np.testing.assert_allclose(found.velocity, 15)


def test_slopes_along_which_motion_is_hardly_seen_are_unknown_and_counted() -> None:
    """Down 30 degrees to the west the cosine is 0.6 · √3/2 − 0.4 = 0.119615; down 53.13 degrees it is −0.28."""
    found = solve([-10, -10, -10], [30, 30, 53.1301], [WEST, EAST, WEST])

    assert np.isnan(found.velocity).tolist() == [True, False, True]
    np.testing.assert_allclose(found.cosine[[0, 2]], [0.1196152, -0.28], atol=1e-6)
    told = "2 points face a direction in which motion along the slope is hardly visible (cosine below 0.3)"
    assert any(note.startswith(told) for note in found.notes)


def test_motion_upslope_is_kept_and_said() -> None:
    found = solve([9.196152, 1.0, -9.196152], [30, 30, 30], [EAST, EAST, EAST])

    np.testing.assert_allclose(found.velocity, [-10, -1.0874113, 10], rtol=1e-6)
    assert found.notes[-1].startswith("2 of 3 points appear to move upslope, 1 by more than three standard errors")


def test_flat_and_unknown_ground_is_unknown() -> None:
    found = solve([-5, -5, -5, np.nan], [3, 30, np.nan, 30], [EAST, np.nan, EAST, EAST])

    assert np.isnan(found.velocity).all()
    assert [note[:9] for note in found.notes[1:]] == ["2 points ", "2 points "]
    assert "2 points lie on ground flatter than 5° or without a slope direction" in found.notes[2]


@pytest.mark.parametrize("limits", [{"least_cosine": 0.0}, {"least_cosine": 1.0}, {"flat": 90.0}, {"flat": np.nan}])
def test_limits_out_of_range_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(InputError, match="out of range"):
        solve([-5], [30], [EAST], **limits)
