"""Boxes of two detectors, paired and described; a tree that can be read, and that nothing but a tree can be."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from core.errors import InputError, ModelError
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.write import write_array
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.fusion import Candidates, FusionTree, Node, candidates_of

UTM = CRS.from_epsg(32633)
GRID = Grid(100, 80, Affine(10, 0, 680_000, 0, -10, 5_000_000), UTM)
PIXELS = Grid(100, 80, Affine.identity(), None)

TREE = FusionTree(
    "by-hand",
    "for tests",
    0.3,
    0.5,
    (
        Node("optical_score", 0.5, 1, 2),
        Node(probability=0.1, boxes=40),
        Node("slope", 15.0, 3, 4, missing_left=False),
        Node(probability=0.2, boxes=10),
        Node(probability=0.8, boxes=20),
    ),
)


def boxes(*corners: tuple[float, ...], scores: tuple[float, ...]) -> Boxes:
    return Boxes.of(corners, scores)


def test_a_pair_is_one_candidate_with_both_scores_and_the_box_of_the_image() -> None:
    optical = boxes((10, 10, 20, 30), scores=(0.7,))
    terrain = boxes((10, 10, 20, 25), scores=(0.9,))

    made = candidates_of(optical, terrain, PIXELS, least=0.3)

    assert made.boxes.corners.tolist() == [[10, 10, 20, 30]]
    assert made.boxes.scores.tolist() == pytest.approx([0.9])
    row = dict(zip(made.names, made.features[0], strict=True))
    expected = {"optical_score": 0.7, "terrain_score": 0.9, "iou": 0.75, "area": 200.0, "elongation": 2.0}
    assert row == pytest.approx(expected)


def test_what_one_detector_found_alone_is_a_candidate_with_no_score_of_the_other() -> None:
    made = candidates_of(
        boxes((0, 0, 10, 10), scores=(0.6,)), boxes((50, 50, 60, 60), scores=(0.4,)), PIXELS, least=0.3
    )

    assert made.features[:, :3].tolist() == pytest.approx(np.array([[0.6, 0, 0], [0, 0.4, 0]]))
    assert made.boxes.corners[1].tolist() == [50, 50, 60, 60]


def test_a_terrain_box_is_paired_once_and_the_surest_box_of_the_image_chooses_first() -> None:
    optical = boxes((0, 0, 10, 10), (1, 0, 11, 10), scores=(0.5, 0.8))
    made = candidates_of(optical, boxes((0, 0, 10, 10), scores=(0.9,)), PIXELS, least=0.3)

    assert len(made.boxes) == 2
    assert made.features[:, 1].tolist() == pytest.approx([0.0, 0.9])
    assert made.features[1, 2] == pytest.approx(90 / 110)


def test_boxes_that_overlap_too_little_are_no_pair() -> None:
    optical, terrain = boxes((0, 0, 10, 10), scores=(0.5,)), boxes((5, 0, 15, 10), scores=(0.5,))

    assert len(candidates_of(optical, terrain, PIXELS, least=0.3).boxes) == 1
    assert len(candidates_of(optical, terrain, PIXELS, least=0.34).boxes) == 2


@pytest.mark.parametrize("empty", ["optical", "terrain", "both"])
def test_a_detector_that_found_nothing_is_no_error(empty: str) -> None:
    some = boxes((0, 0, 10, 10), scores=(0.5,))
    optical = Boxes.none() if empty in ("optical", "both") else some
    terrain = Boxes.none() if empty in ("terrain", "both") else some

    made = candidates_of(optical, terrain, PIXELS, least=0.3)

    assert len(made.boxes) == len(made.features) == (0 if empty == "both" else 1)
    assert len(TREE.fused(with_slope(made, 30.0))) == len(made.boxes)


def test_areas_are_square_metres_where_the_ground_is_known() -> None:
    made = candidates_of(boxes((10, 10, 20, 20), scores=(0.5,)), Boxes.none(), GRID, least=0.3)

    assert made.features[0, made.names.index("area")] == pytest.approx(10_000, rel=2e-3)


def test_ground_under_a_box_is_as_steep_and_as_high_as_it_is(tmp_path: Path) -> None:
    dem = np.arange(100.0)[None] * 10 * math.tan(math.radians(30)) + np.zeros((80, 1))
    dem[60:, :] = -9999
    scene = Scene.open(write_array(tmp_path / "dem.tif", GRID, dem.astype(np.float32), nodata=-9999))
    found = boxes((20, 10, 30, 20), (20, 65, 30, 75), (0, 0, 100, 80), scores=(0.5, 0.5, 0.5))

    made = candidates_of(found, Boxes.none(), GRID, least=0.3, dem=scene)

    slope, relief = made.features[:, -2], made.features[:, -1]
    assert slope[[0, 2]] == pytest.approx(30.0, abs=0.05)
    # Ten pixels, from the first centre to the last.
    assert relief[0] == pytest.approx(90 * math.tan(math.radians(30)), rel=1e-3)
    assert np.isnan([slope[1], relief[1]]).all()


def with_slope(made: Candidates, *slopes: float) -> Candidates:
    """Candidates with a mean slope each, or the same for all."""
    column = np.broadcast_to(np.array(slopes), len(made.boxes)).reshape(-1, 1)
    return Candidates(made.boxes, np.hstack([made.features, column]), (*made.names, "slope"))


def candidates(*rows: tuple[float, float]) -> Candidates:
    """Candidates by their score on the image and their slope."""
    corners = [(10 * i, 0, 10 * i + 5, 5) for i in range(len(rows))]
    made = candidates_of(Boxes.of(corners, [row[0] for row in rows]), Boxes.none(), PIXELS, least=0.3)
    return with_slope(made, *(row[1] for row in rows))


def test_a_tree_sends_each_candidate_to_its_leaf_and_the_unknown_where_it_says() -> None:
    leaves = TREE.leaves(candidates((0.3, 40.0), (0.5, 40.0), (0.6, 10.0), (0.6, 20.0), (0.6, math.nan)))

    assert leaves.tolist() == [1, 1, 3, 4, 4]


def test_fused_scores_follow_the_leaves_and_within_a_leaf_the_surer_detector() -> None:
    fused = TREE.fused(candidates((0.6, 30.0), (0.9, 30.0), (0.95, 5.0), (0.45, 30.0)))

    assert fused.corners[:, 0].tolist() == [10, 0, 20, 30]
    scores = fused.scores
    # Leaves of 0.8, 0.2 and 0.1: what the order within a leaf adds is less than half of what lies between two.
    assert scores[0] > scores[1] > 0.7
    assert 0.2 < scores[2] < 0.25
    assert 0.05 < scores[3] < 0.1


def test_rules_can_be_read() -> None:
    assert TREE.rules() == (
        ("confidence on the image > 0.5 and mean slope (°) > 15", 0.8, 20),
        ("confidence on the image > 0.5 and mean slope (°) ≤ 15", 0.2, 10),
        ("confidence on the image ≤ 0.5", 0.1, 40),
    )


def test_a_tree_that_asks_for_the_ground_says_so_where_there_is_none() -> None:
    made = candidates_of(boxes((0, 0, 5, 5), scores=(0.5,)), Boxes.none(), PIXELS, least=0.3)

    assert TREE.needs_ground
    with pytest.raises(InputError, match=r"mean slope.*no elevation model"):
        TREE.fused(made)


def test_a_tree_is_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "tree.json"
    path.write_text(json.dumps(TREE.to_json()), encoding="utf-8")

    assert FusionTree.read(path) == TREE


def changed(*keys: object, value: object) -> dict[str, Any]:
    content = copy.deepcopy(TREE.to_json())
    at: Any = content
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    return content


@pytest.mark.parametrize(
    "content",
    [
        changed("format", value=2),
        changed("nodes", value=[]),
        changed("nodes", value=None),
        changed("nodes", 0, "feature", value="colour"),
        changed("nodes", 0, "feature", value=["iou"]),
        changed("nodes", 0, "at_most", value=math.nan),
        changed("nodes", 0, "at_most", value="half"),
        changed("nodes", 0, "unknown", value="up"),
        changed("nodes", 2, "left", value=0),
        changed("nodes", 2, "left", value=2),
        changed("nodes", 2, "right", value=9),
        changed("nodes", 1, "probability", value=1.5),
        changed("nodes", 1, "probability", value=True),
        changed("pair_from", value=-0.1),
        changed("confidence", value=None),
        changed("trained", value="yesterday"),
        {},
        [],
        "tree",
    ],
)
def test_what_is_no_tree_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "tree.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(ModelError, match=r"tree"):
        FusionTree.read(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'"' + b"x" * 1_100_000 + b'"'])
def test_files_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tree.json"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=r"tree\.json"):
        FusionTree.read(path)
    with pytest.raises(ModelError, match=r"missing\.json"):
        FusionTree.read(tmp_path / "missing.json")
