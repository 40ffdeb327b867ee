"""Windows laid over rasters of any size, and their recombination without seams."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.raster.windows import Region, WindowPlan, blend, column_bands, pad_to

sides = st.integers(1, 90)
overlaps = st.floats(0, 0.9)
plans = st.builds(
    WindowPlan.over, sides, sides, tile=st.sampled_from([32, 64]), overlap=overlaps, scale=st.floats(0.3, 3)
)


@st.composite
def planned_regions(draw: st.DrawFn) -> tuple[WindowPlan, Region]:
    plan = draw(plans)
    row, column = draw(st.integers(0, plan.height - 1)), draw(st.integers(0, plan.width - 1))
    return plan, Region(
        row, column, draw(st.integers(1, plan.height - row)), draw(st.integers(1, plan.width - column))
    )


def assembled(plan: WindowPlan, region: Region, field: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """A region blended from what each window sees of a field, or from noise of its own, strip by strip."""

    def predictions() -> Iterator[tuple[Region, NDArray[np.float32]]]:
        for window in plan.touching(region):
            if field is None:
                random = np.random.default_rng((window.row, window.column))
                yield window, random.random((1, window.height, window.width), dtype=np.float32)
            else:
                part = field[:, window.row : window.end_row, window.column : window.end_column]
                yield window, pad_to(part, window.height, window.width)

    result = np.full((1, region.height, region.width), np.nan, dtype=np.float32)
    next_row = region.row
    for strip, values in blend(plan, region, predictions()):
        assert (strip.row, strip.column, strip.width) == (next_row, region.column, region.width)
        result[:, strip.row - region.row : strip.end_row - region.row] = values
        next_row = strip.end_row
    assert next_row == region.end_row
    return result


@given(planned_regions(), st.floats(0, 1, width=32))
@settings(deadline=None)
def test_blending_a_constant_returns_it(planned: tuple[WindowPlan, Region], value: float) -> None:
    plan, region = planned
    field = np.full((1, plan.height, plan.width), value, dtype=np.float32)

    assert assembled(plan, region, field) == pytest.approx(value, abs=1e-5)


@given(planned_regions(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_blending_windows_of_a_field_returns_the_field(planned: tuple[WindowPlan, Region], seed: int) -> None:
    plan, region = planned
    field = np.random.default_rng(seed).random((1, plan.height, plan.width), dtype=np.float32)

    found = assembled(plan, region, field)

    wanted = field[:, region.row : region.end_row, region.column : region.end_column]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@given(planned_regions())
@settings(deadline=None)
def test_a_region_has_exactly_the_values_it_has_in_the_whole(planned: tuple[WindowPlan, Region]) -> None:
    plan, region = planned

    whole = assembled(plan, plan.whole, None)

    part = whole[:, region.row : region.end_row, region.column : region.end_column]
    np.testing.assert_array_equal(assembled(plan, region, None), part)


@given(plans)
def test_networks_see_windows_of_sides_that_suit_them_and_every_pixel_is_in_one(plan: WindowPlan) -> None:
    assert plan.network_height % 32 == 0
    assert plan.network_width % 32 == 0
    covered = np.zeros((plan.height, plan.width), dtype=bool)
    for window in plan.touching(plan.whole):
        assert (window.height, window.width) == (plan.window_height, plan.window_width)
        covered[window.row : window.end_row, window.column : window.end_column] = True
    assert covered.all()


@given(planned_regions())
def test_windows_that_touch_a_region_are_those_of_all_that_do(planned: tuple[WindowPlan, Region]) -> None:
    plan, region = planned

    every = [plan.window(row, column) for row in plan.rows for column in plan.columns]

    assert plan.touching(region) == tuple(window for window in every if window.touches(region))


def test_looking_for_a_few_windows_of_a_large_raster_looks_at_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, looked = WindowPlan.over(30_000, 30_000, tile=32, overlap=0.0), []
    made = WindowPlan.window
    monkeypatch.setattr(WindowPlan, "window", lambda self, *at: looked.append(at) or made(self, *at))

    found = plan.touching(Region(640, 320, 64, 32))

    assert [(window.row, window.column) for window in found] == [(640, 320), (672, 320)]
    assert len(looked) == 2


def test_two_windows_that_disagree_meet_in_a_slope_and_not_in_a_step() -> None:
    plan = WindowPlan.over(32, 48, tile=32, overlap=0.5)
    values = [np.zeros((1, 32, 32), dtype=np.float32), np.ones((1, 32, 32), dtype=np.float32)]
    windows = plan.touching(plan.whole)

    ((_, blended),) = blend(plan, plan.whole, zip(windows, values, strict=True))

    steps = np.diff(blended[0, 16])
    assert blended[0, 16, 0] == 0
    assert blended[0, 16, -1] == 1
    assert (steps >= 0).all()
    assert steps.max() < 0.15


def test_a_raster_smaller_than_a_tile_is_one_padded_window() -> None:
    plan = WindowPlan.over(1, 33, tile=256)

    assert plan.touching(plan.whole) == (Region(0, 0, 32, 64),)


def test_a_scene_twice_as_coarse_as_the_model_has_windows_of_half_the_tile() -> None:
    plan = WindowPlan.over(500, 500, tile=128, scale=2.0)

    assert (plan.window_height, plan.network_height) == (64, 128)


def test_padding_mirrors_the_image_again_and_again() -> None:
    row = np.array([[1, 2, 3]])

    assert pad_to(row, 2, 8).tolist() == [[1, 2, 3, 2, 1, 2, 3, 2]] * 2


def test_padding_a_single_pixel_repeats_it() -> None:
    assert pad_to(np.array([[7]]), 3, 2).tolist() == [[7, 7]] * 3


def test_bands_of_columns_cover_a_wide_region_once() -> None:
    bands = column_bands(Region(3, 10, 5, 25), widest=10)

    assert [(band.column, band.width) for band in bands] == [(10, 10), (20, 10), (30, 5)]
    assert all((band.row, band.height) == (3, 5) for band in bands)


def test_regions_that_only_share_an_edge_do_not_touch() -> None:
    left, right = Region(0, 0, 4, 4), Region(0, 4, 4, 4)

    assert not left.touches(right)
    assert left.intersection(right).width == 0
    assert left.touches(Region(3, 3, 9, 9))
