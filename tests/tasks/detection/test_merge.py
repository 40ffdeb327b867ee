"""One box a landslide: duplicates, pieces cut at window borders, and what must not be joined."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tasks.detection.boxes import Boxes
from core.tasks.detection.merge import fuse, join, merge, suppress


def cut(*sides: str) -> list[bool]:
    return [side in sides for side in ("left", "top", "right", "bottom")]


def boxes(*parts: tuple[list[float], float, list[bool]]) -> Boxes:
    """Boxes of (corners, score, cut)."""
    corners, scores, cuts = zip(*parts, strict=True)
    return Boxes.of(list(corners), list(scores), cut=np.array(cuts))


def random_boxes(count: int, side: float, seed: int, largest: float = 40) -> Boxes:
    random = np.random.default_rng(seed)
    low = random.uniform(0, side, (count, 2))
    return Boxes.of(np.hstack([low, low + random.uniform(1, largest, (count, 2))]), random.permutation(count) / count)


@given(st.integers(1, 300), st.integers(0, 999), st.sampled_from([0.1, 0.3, 0.5, 0.7]))
@settings(max_examples=40, deadline=None)
def test_suppression_keeps_what_torchvision_keeps(count: int, seed: int, iou: float) -> None:
    made = random_boxes(count, 100, seed)

    kept = suppress(made, iou)

    known = torchvision.ops.nms(torch.from_numpy(made.corners), torch.from_numpy(made.scores), iou)
    assert kept.tolist() == known.tolist()


def test_suppression_of_more_than_one_portion_is_the_same_as_of_one() -> None:
    made = random_boxes(12_000, 900, 1)

    known = torchvision.ops.nms(torch.from_numpy(made.corners), torch.from_numpy(made.scores), 0.4)
    assert suppress(made, 0.4).tolist() == known.tolist()


def test_boxes_of_other_classes_do_not_suppress_each_other() -> None:
    same = [[0, 0, 10, 10], [0, 0, 10, 10]]

    assert len(suppress(Boxes.of(same, [0.9, 0.8], [0, 1]), 0.5)) == 2
    assert len(suppress(Boxes.of(same, [0.9, 0.8], [0, 0]), 0.5)) == 1


def test_two_hundred_thousand_boxes_that_lie_thirteen_deep_are_merged_while_one_waits() -> None:
    made = random_boxes(200_000, 2_500, 0)
    edges = np.random.default_rng(1).random((len(made), 4)) < 0.02
    started = time.process_time()

    merged = merge(Boxes(made.corners, made.scores, made.classes, edges), 0.5)

    assert 0 < len(merged.boxes) < len(made)
    assert time.process_time() - started < 30


def test_fused_boxes_are_the_mean_weighted_by_score() -> None:
    fused, highest_confidence = fuse(Boxes.of([[0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]], [0.6, 0.3, 0.9]), 0.5)

    assert highest_confidence.tolist() == [2, 0]
    np.testing.assert_allclose(fused.corners, [[50, 50, 60, 60], [2 / 3, 0, 10 + 2 / 3, 10]], rtol=1e-6)
    np.testing.assert_allclose(fused.scores, [0.9, 0.45], rtol=1e-6)


def test_a_much_less_sure_duplicate_neither_shifts_nor_weakens_a_fused_box() -> None:
    fused, _ = fuse(Boxes.of([[0, 0, 10, 10], [2, 0, 12, 10]], [0.9, 0.1]), 0.5)

    np.testing.assert_allclose(fused.corners, [[0, 0, 10, 10]])
    assert fused.scores.tolist() == pytest.approx([0.9])


def test_where_a_window_ended_is_nothing_to_take_a_mean_of() -> None:
    longer, shorter = ([80.0, 0.0, 112.0, 20.0], 0.9, cut("right")), ([82.0, 0.0, 100.0, 20.0], 0.9, cut("right"))

    fused, _ = fuse(boxes(longer, shorter), 0.5)

    assert fused.corners.tolist() == [[81, 0, 112, 20]]


def test_two_pieces_of_a_landslide_across_a_border_become_one_box_as_sure_as_the_surest() -> None:
    merged = merge(
        boxes(([50, 10, 100, 30], 0.7, cut("right")), ([75, 11, 160, 31], 0.9, cut("left"))), 0.5
    )  # fmt: skip

    assert merged.boxes.corners.tolist() == [[50, 10, 160, 31]]
    assert merged.boxes.scores.tolist() == pytest.approx([0.9])
    assert not merged.boxes.cut.any()
    assert merged.group.tolist() == [0, 0]


def test_a_landslide_through_many_windows_becomes_one_box_downwards_as_well() -> None:
    pieces = [([10, 75 * k, 30, 75 * k + 100], 0.8, cut("top", "bottom")) for k in range(6)]
    pieces[0] = ([10, 5, 30, 100], 0.8, cut("bottom"))
    pieces[5] = ([10, 375, 30, 460], 0.8, cut("top"))

    merged = merge(boxes(*pieces), 0.5)

    assert merged.boxes.corners.tolist() == [[10, 5, 30, 460]]


def test_windows_that_only_meet_are_joined_within_reach_and_not_beyond() -> None:
    made = boxes(([50, 10, 99, 30], 0.8, cut("right")), ([101, 10, 140, 30], 0.8, cut("left")))

    assert len(join(made, join_distance=3)[0]) == 1
    assert len(join(made, join_distance=1)[0]) == 2


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (([75, 60, 160, 80], 0.9, cut("left")), "it does not line up"),
        (([75, 11, 160, 31], 0.2, cut("left")), "it is much less sure"),
        (([75, 11, 160, 31], 0.9, cut()), "it was not cut"),
        (([75, 11, 160, 31], 0.9, cut("right")), "it was cut at another side"),
        (([120, 11, 160, 31], 0.9, cut("left")), "it begins elsewhere"),
    ],
)
def test_what_is_another_landslide_is_not_joined(other: tuple[list[float], float, list[bool]], why: str) -> None:
    made = boxes(([50, 10, 100, 30], 0.7, cut("right")), other)

    assert len(join(made)[0]) == 2, why


def test_boxes_of_two_classes_are_not_joined() -> None:
    made = boxes(([50, 10, 100, 30], 0.7, cut("right")), ([75, 11, 160, 31], 0.9, cut("left")))

    assert len(join(Boxes(made.corners, made.scores, np.array([0, 1], np.int16), made.cut))[0]) == 2


def test_the_window_that_sees_a_landslide_whole_has_the_say() -> None:
    """Also where the piece is surer, and overlaps the whole too little to be its duplicate."""
    whole, piece = ([90.0, 10.0, 150.0, 30.0], 0.5, cut()), ([90.0, 10.0, 100.0, 30.0], 0.8, cut("right"))

    merged = merge(boxes(whole, piece), 0.5)

    assert merged.boxes.corners.tolist() == [whole[0]]
    assert merged.boxes.scores.tolist() == pytest.approx([0.8])
    assert merged.group.tolist() == [0, -1]


def test_a_small_landslide_at_a_border_is_not_taken_for_a_piece_of_a_larger_one_beside_it() -> None:
    large, small = ([60.0, 10.0, 150.0, 60.0], 0.9, cut()), ([92.0, 40.0, 100.0, 48.0], 0.8, cut("right"))

    assert len(merge(boxes(large, small), 0.5).boxes) == 2


def test_corners_of_a_slanting_landslide_go_with_it() -> None:
    """Where four windows meet, two of them see its halves and the other two a corner each."""
    upper, lower = ([0, 0, 64, 64], 0.9, cut("right", "bottom")), ([48, 48, 112, 112], 0.9, cut("left", "top"))
    corner, other = ([48, 58, 54, 64], 0.9, cut("left", "bottom")), ([58, 48, 64, 54], 0.9, cut("top", "right"))

    merged = merge(boxes(upper, lower, corner, other), 0.5)

    assert merged.boxes.corners.tolist() == [[0, 0, 112, 112]]


def test_what_is_sure_does_not_depend_on_what_is_not() -> None:
    """Boxes above a confidence are the same whether those far below it were merged with them or not."""
    made = random_boxes(400, 200, 3, largest=60)
    edges = np.random.default_rng(4).random((400, 4)) < 0.3
    made = Boxes(made.corners, np.where(made.scores > 0.5, 0.9, 0.1).astype(np.float32), made.classes, edges)

    everything, sure = merge(made, 0.5).boxes, merge(made.take(made.scores > 0.5), 0.5).boxes

    above = everything.take(everything.scores > 0.5)
    assert sorted(above.corners.tolist()) == sorted(sure.corners.tolist())


@pytest.mark.parametrize("merging", ["nms", "fusion"])
def test_nothing_stays_nothing(merging: str) -> None:
    merged = merge(Boxes.none(), 0.5, merging)

    assert len(merged.boxes) == len(merged.group) == 0


@pytest.mark.parametrize("merging", ["nms", "fusion"])
def test_every_box_has_a_candidate_and_every_group_a_box(merging: str) -> None:
    made = random_boxes(500, 150, 6)
    edges = np.random.default_rng(7).random((500, 4)) < 0.1

    merged = merge(Boxes(made.corners, made.scores, made.classes, edges), 0.5, merging)

    assert set(merged.group.tolist()) - {-1} == set(range(len(merged.boxes)))
    assert (np.diff(merged.boxes.scores) <= 0).all()
