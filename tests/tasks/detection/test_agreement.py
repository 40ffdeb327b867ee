"""Which boxes two detections have in common, also where their images lie otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from core.errors import GridError
from core.raster.grid import Grid
from core.raster.write import write_array
from core.tasks.detection.agreement import carried, shared
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.findings import Detections, find
from core.tasks.detection.view import Choice
from tests.factories import NORTH_UP, UTM, made_detection

FIRST = [[10, 10, 30, 30], [50, 50, 90, 70]]
SECOND = [[12, 10, 30, 30], [60, 5, 80, 15], [11, 11, 30, 30]]


def found(folder: Path, corners: list[list[float]], scores: list[float], placement: str = "north-up") -> Detections:
    folder.mkdir()
    return find(made_detection(folder, Boxes.of(corners, scores), placement), Choice(0.5, 1.0))


def test_each_box_has_one_partner_at_most(tmp_path: Path) -> None:
    # Two boxes of the second lie on the first's first; the surer one has it.
    one, other = found(tmp_path / "a", FIRST, [0.9, 0.8]), found(tmp_path / "b", SECOND, [0.7, 0.6, 0.9])
    both = shared(one, other)
    assert list(both.both["score"]) == pytest.approx([0.9])
    assert list(both.only_first["score"]) == pytest.approx([0.8])
    assert list(both.only_second["score"]) == pytest.approx([0.7, 0.6])
    assert both.partner.tolist() == [0, -1, -1]


def test_nothing_found_by_one_leaves_all_to_the_other(tmp_path: Path) -> None:
    one, other = found(tmp_path / "a", FIRST, [0.9, 0.8]), found(tmp_path / "b", SECOND[:1], [0.1])
    assert [len(table) for table in (shared(one, other).both, shared(one, other).only_first)] == [0, 2]
    assert len(shared(other, one).only_second) == 2


def test_boxes_where_the_other_did_not_search_are_of_neither(tmp_path: Path) -> None:
    """The second searched the left 45 of 120 columns: the first's box at column 50 is unknown to it, not missed."""
    one, other = found(tmp_path / "a", FIRST, [0.9, 0.8]), found(tmp_path / "b", SECOND[:1], [0.7])
    searched = np.zeros((100, 120), np.uint8)
    searched[:, :45] = 1
    write_array(tmp_path / "b" / "searched.tif", other.result.grid, searched)
    part = replace(other.result, artifacts={**other.result.artifacts, "searched": "searched.tif"})
    other = find(part, Choice(0.5, 1.0))

    both = shared(one, other)
    assert [len(table) for table in (both.both, both.only_first, both.only_second)] == [1, 0, 0]
    assert both.beyond == 1
    back = shared(other, one)
    assert [len(table) for table in (back.both, back.only_first, back.only_second)] == [1, 0, 0]
    assert back.beyond == 1


def test_boxes_are_carried_onto_a_part_and_another_resolution() -> None:
    whole = Grid(120, 100, NORTH_UP, UTM)
    part = Grid(100, 100, NORTH_UP @ Affine.translation(20, 10) @ Affine.scale(0.5), UTM)
    there = carried(Boxes.of([[30, 20, 40, 40]], [0.7]), whole, part)
    np.testing.assert_allclose(there.corners, [[20, 20, 40, 60]], atol=1e-3)
    assert there.scores.tolist() == pytest.approx([0.7])
    back = carried(there, part, whole)
    np.testing.assert_allclose(back.corners, [[30, 20, 40, 40]], atol=1e-3)


def test_images_that_cannot_lie_over_each_other_are_refused() -> None:
    here, flat = Grid(50, 50, NORTH_UP, UTM), Grid(50, 50, Affine.identity(), None)
    elsewhere = Grid(50, 50, Affine(10, 0, 500_000, 0, -10, 9_000_000), CRS.from_epsg(32633))
    boxes = Boxes.of([[1, 1, 5, 5]])
    with pytest.raises(GridError, match="cannot be overlaid"):
        carried(boxes, flat, here)
    with pytest.raises(GridError, match="cannot be overlaid"):
        carried(boxes, flat, Grid(60, 50, Affine.identity(), None))
    with pytest.raises(GridError, match="do not overlap"):
        carried(boxes, elsewhere, here)
    assert carried(boxes, flat, flat) is boxes
