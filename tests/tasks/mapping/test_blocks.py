"""The fixed blocks in which a map is computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.learning.metrics import COUNTED
from core.raster.windows import Region, WindowPlan
from core.raster.write import TILE
from core.tasks.mapping import blocks as module
from core.tasks.mapping.blocks import TALLEST, WIDEST, WINDOWS_TALL, Counts, blocks

places = st.integers(0, 30_000)
sides = st.integers(1, 30_000)


@given(places, places, sides, sides, st.sampled_from([32, 256, 1024]), st.floats(0.05, 3))
@settings(max_examples=200, deadline=None)
def test_blocks_cover_a_region_once_and_are_no_larger_than_said(
    row: int, column: int, height: int, width: int, tile: int, scale: float
) -> None:
    region = Region(row, column, height, width)
    plan = WindowPlan.over(60_000, 60_000, tile, scale=scale)

    found = blocks(plan, region)

    assert sum(block.height * block.width for block in found) == height * width
    assert all(block.intersection(region) == block for block in found)
    assert not any(one.touches(other) for number, one in enumerate(found) for other in found[:number])
    for block in found:
        assert block.width <= WIDEST
        assert block.height <= max(TALLEST, WINDOWS_TALL * plan.window_height + TILE)
        # An edge within a tile would have two blocks write that tile.
        assert (block.row - row) % TILE == (block.column - column) % TILE == 0


def test_blocks_go_band_by_band_from_the_left_and_each_from_the_top() -> None:
    plan = WindowPlan.over(10_000, 10_000, tile=256)

    assert blocks(plan, plan.whole) == (
        Region(0, 0, 4096, 8192),
        Region(4096, 0, 4096, 8192),
        Region(8192, 0, 1808, 8192),
        Region(0, 8192, 4096, 1808),
        Region(4096, 8192, 4096, 1808),
        Region(8192, 8192, 1808, 1808),
    )


def test_large_windows_have_taller_blocks_so_that_few_are_computed_twice() -> None:
    plan = WindowPlan.over(30_000, 5_000, tile=1024)
    found = blocks(plan, plan.whole)

    assert [block.height for block in found] == [8192, 8192, 8192, 5424]
    # 39 starts of windows 768 rows apart; each edge between two blocks is shared by at most two rows of windows.
    across = len(plan.columns)
    assert sum(len(plan.touching(block)) for block in found) <= (len(plan.rows) + 3 * 2) * across


def test_a_raster_smaller_than_a_block_is_one() -> None:
    plan = WindowPlan.over(3, 5, tile=32)

    assert blocks(plan, plan.whole) == (plan.whole,)


def test_block_sizes_are_taken_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WIDEST", 20), ("TALLEST", 10), ("WINDOWS_TALL", 0)):
        monkeypatch.setattr(module, name, value)
    plan = WindowPlan.over(15, 30, tile=32)

    assert [(block.row, block.column) for block in blocks(plan, plan.whole)] == [(0, 0), (10, 0), (0, 20), (10, 20)]


def test_counts_add_up_beyond_what_32_bits_hold() -> None:
    many = Counts(np.full(COUNTED, 2**40), np.full(COUNTED, 2**41))
    total = Counts()

    for _ in range(3):
        total.add(many)

    assert (total.model == 3 * 2**40).all()
    assert (total.baseline == 3 * 2**41).all()
    assert (many.model == 2**40).all()
