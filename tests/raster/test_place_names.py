"""A landslide is called after its place, so that its name outlives the threshold."""

import numpy as np
import pytest

from core.errors import InputError
from core.raster.place_names import place_names, repeats, row_named
from core.raster.vectorize import polygons
from tests.raster.test_vectorize import grid_of


def test_names_are_pixels_in_base_32_as_long_as_the_grid_needs() -> None:
    grid = grid_of((64, 32), "pixels")
    # 2,047 is the last: three digits. 1,057 is 1 · 1,024 + 1 · 32 + 1.
    assert place_names([0, 31, 1057, 2047], grid).tolist() == ["L000", "L00Z", "L111", "L1ZZ"]
    assert place_names([0], grid_of((1, 1), "pixels")).tolist() == ["L0"]


def test_what_lies_beyond_the_grid_is_called_after_its_edge() -> None:
    grid = grid_of((64, 32), "pixels")
    assert place_names([-5, 9999], grid, "B").tolist() == ["B000", "B1ZZ"]


def test_equal_places_are_counted_in_their_order() -> None:
    assert repeats(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]


def test_a_landslide_keeps_its_name_at_any_threshold_that_its_peak_reaches() -> None:
    codes = np.zeros((20, 30), np.uint8)
    codes[2:12, 3:15] = 100
    codes[4:8, 5:9] = 180
    codes[5, 6] = 220
    codes[9:11, 12:14] = 150
    codes[15, 20] = 130
    grid = grid_of(codes.shape, "pixels")

    def names(threshold: int) -> set[str]:
        return set(polygons(codes >= threshold, grid, codes)["id"])

    peak, shoulder, other = place_names([5 * 30 + 6, 9 * 30 + 12, 15 * 30 + 20], grid)
    assert names(200) == {peak}
    assert names(140) == {peak, shoulder}
    # The two are one from here on, called after the higher.
    assert names(90) == {peak, other}


@pytest.mark.parametrize("asked", ["l00z", "L00Z", " 2 "])
def test_a_row_is_found_by_its_name_or_its_number(asked: str) -> None:
    assert row_named(["L111", "L00Z"], asked, "landslide", "", "") == 1


@pytest.mark.parametrize("asked", ["0", "3", "-1", "L", "", "²", "9" * 30])
def test_what_is_not_there_is_named(asked: str) -> None:
    with pytest.raises(InputError, match="There is no landslide"):
        row_named(["L111", "L00Z"], asked, "landslide", "There are 2.", "Give another.")
