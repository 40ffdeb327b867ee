"""The difference of two probability rasters made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from core.errors import GridError, RunCancelled
from core.raster.scene import Scene
from core.tasks.mapping import difference
from core.tasks.mapping.change import NODATA_CHANGE, compare, write_change
from core.tasks.mapping.difference import check_same_place, write_difference
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice
from tests.factories import NORTH_UP, PLACEMENTS, made_run


def first() -> np.ndarray:
    """Two rows found, and a place without data."""
    probability = np.zeros((6, 10))
    probability[:2] = 1.0
    probability[5, 0] = np.nan
    return probability


def second() -> np.ndarray:
    """The second of those rows and one more found, and another place without data."""
    probability = np.zeros((6, 10))
    probability[1:3] = 1.0
    probability[5, 9] = np.nan
    return probability


def values(path: Path) -> np.ndarray:
    with Scene.open(path).reader() as reader:
        return reader.read((1,)).values[0]


def runs(tmp_path: Path, placement: str = "north-up") -> tuple[MappingResult, MappingResult]:
    return made_run(tmp_path / "a", first(), placement), made_run(tmp_path / "b", second(), placement)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_difference_is_second_minus_first(tmp_path: Path, placement: str) -> None:
    found = write_difference(*runs(tmp_path, placement), tmp_path / "d.tif")

    expected = np.zeros((6, 10))
    expected[0], expected[2] = -254, 254
    expected[5, 0] = expected[5, 9] = NODATA_CHANGE
    np.testing.assert_array_equal(values(tmp_path / "d.tif"), expected)
    # 58 of 60 pixels are known; 10 are lost and 10 gained, each by a whole probability.
    assert (found.pixels, found.gained, found.lost) == (58, 10, 10)
    assert found.mean_absolute == pytest.approx(20 / 58)
    assert found.changed_share == pytest.approx(20 / 58)
    assert found.notes == (
        "In the area of the second run, 3.3 % of the pixels that have data in one run have none in the other; they "
        "were not compared.",
    )


def test_each_run_is_judged_at_its_own_threshold(tmp_path: Path) -> None:
    from dataclasses import replace

    same = np.full((4, 5), 0.4)
    one, other = made_run(tmp_path / "a", same), made_run(tmp_path / "b", same)
    keen = replace(other, provenance={"model": {"threshold": 0.3}})

    found = write_difference(one, keen, tmp_path / "d.tif")

    assert found.thresholds == (0.5, 0.3)
    assert (found.gained, found.lost, found.mean_absolute) == (20, 0, 0.0)


def test_blocks_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    one = made_run(tmp_path / "a", random.random((70, 90)))
    other = made_run(tmp_path / "b", random.random((70, 90)))
    whole = write_difference(one, other, tmp_path / "whole.tif")
    monkeypatch.setattr(difference, "BLOCK", 32)
    steps: list[tuple[int, int]] = []

    parts = write_difference(one, other, tmp_path / "parts.tif", lambda done, total: steps.append((done, total)))

    assert parts == whole
    np.testing.assert_array_equal(values(tmp_path / "parts.tif"), values(tmp_path / "whole.tif"))
    assert steps[-1] == (9, 9)


def test_it_is_the_raster_of_a_change(tmp_path: Path) -> None:
    one, other = runs(tmp_path)
    write_difference(one, other, tmp_path / "d.tif")
    write_change(compare(one, other, Choice(0.5)), tmp_path / "c.tif")

    assert Scene.open(tmp_path / "d.tif").digest == Scene.open(tmp_path / "c.tif").digest


def test_a_first_run_on_a_coarser_grid_is_laid_on_the_second(tmp_path: Path) -> None:
    coarse = np.zeros((4, 5))
    coarse[1, 1] = 1.0
    one = made_run(tmp_path / "a", coarse, transform=NORTH_UP @ Affine.scale(2))
    other = made_run(tmp_path / "b", np.zeros((6, 10)))

    found = write_difference(one, other, tmp_path / "d.tif")

    expected = np.zeros((6, 10))
    expected[2:4, 2:4] = -254
    np.testing.assert_array_equal(values(tmp_path / "d.tif"), expected)
    assert found.lost == 4


def test_runs_of_other_places_are_refused(tmp_path: Path) -> None:
    one, other = runs(tmp_path)
    away = made_run(tmp_path / "c", second(), transform=NORTH_UP @ Affine.translation(1000, 0))
    image = made_run(tmp_path / "d", second(), "without CRS")
    small = made_run(tmp_path / "e", second()[:3], "without CRS")

    check_same_place(one, other)
    for pair in ((one, away), (one, image), (image, small)):
        with pytest.raises(GridError):
            check_same_place(*pair)
        with pytest.raises(GridError):
            write_difference(*pair, tmp_path / "x.tif")
    assert not (tmp_path / "x.tif").exists()


def test_runs_that_know_no_pixel_in_common_leave_nothing(tmp_path: Path) -> None:
    left, right = np.zeros((4, 4)), np.zeros((4, 4))
    left[:2], right[2:] = np.nan, np.nan

    with pytest.raises(GridError, match="no valid pixel"):
        write_difference(made_run(tmp_path / "a", left), made_run(tmp_path / "b", right), tmp_path / "d.tif")
    assert not (tmp_path / "d.tif").exists()


def test_it_stops_when_asked(tmp_path: Path) -> None:
    with pytest.raises(RunCancelled):
        write_difference(*runs(tmp_path), tmp_path / "d.tif", cancel=lambda: True)
    assert not (tmp_path / "d.tif").exists()
