"""Points relative to a place that is taken to be stable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.series.insar.points import Points
from core.series.insar.reference import relative_to, relative_to_named

TIMES = np.array(["2020-01-01", "2020-02-01", "2020-03-01"], dtype="datetime64[ns]")


def points(values: list[list[float]]) -> Points:
    """Points 100 m apart along the equator: a degree of longitude is 111,319.49 m there."""
    count = len(values)
    x = np.arange(count) * 100 / 111_319.4908
    return Points(np.array([str(one) for one in range(count)], object), x, np.zeros(count), "EPSG:4326", TIMES,
                  np.array(values, np.float32), "vertical", pd.DataFrame(index=range(count)), ())  # fmt: skip


def test_the_mean_of_the_points_within_is_taken_from_all() -> None:
    found = relative_to(points([[0, 1, 2], [0, 3, 4], [0, 10, 20]]), 0.0, 0.0, 150.0)
    np.testing.assert_allclose(found.values, [[0, -1, -1], [0, 1, 1], [0, 8, 17]])
    assert "mean of 2 points within 150 m" in found.notes[0]


def test_unknown_values_take_no_part_and_a_date_without_any_is_unknown() -> None:
    nan = np.nan
    found = relative_to(points([[0, nan, nan], [2, 4, nan], [1, 10, 20]]), 0.0, 0.0, 150.0)
    np.testing.assert_allclose(found.values, [[-1, nan, nan], [1, 0, nan], [0, 6, nan]])
    assert "On 1 date no point of the reference is known; that date is unknown" in found.notes[1]


@pytest.mark.parametrize(("place", "said"), [
    ((0.01, 0.0, 150.0), "nearest is 913 m away"), ((200.0, 0.0, 10.0), "not a valid position"),
    ((0.0, 0.0, 0.0), "not a valid position"),
    ((float("nan"), 0.0, 10.0), "not a valid position"),
])  # fmt: skip
def test_a_place_without_points_is_refused(place: tuple[float, float, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        relative_to(points([[0, 1, 2], [0, 3, 4], [0, 10, 20]]), *place)


def test_the_mean_of_points_that_are_named_is_taken_from_all() -> None:
    found = relative_to_named(points([[0, 1, 2], [0, 10, 20], [0, 3, 4]]), ["0", "2"])
    np.testing.assert_allclose(found.values, [[0, -1, -1], [0, 8, 17], [0, 1, 1]])
    assert found.notes == ("All values are relative to the mean of 2 named points (0, 2).",)


@pytest.mark.parametrize(("ids", "said"), [(["0", "7"], "no point '7'"), ([], "No point is named")])
def test_names_of_no_point_are_refused(ids: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        relative_to_named(points([[0, 1, 2]]), ids)
