"""Boxes: moved, scaled, ordered and compared, each answer worked out by hand."""

import numpy as np
import pytest

from core.tasks.detection.boxes import Boxes, areas, intersections, overlaps

THREE = Boxes.of([[0, 0, 4, 2], [1, 0, 5, 2], [9, 9, 10, 11]], [0.2, 0.9, 0.2], [0, 1, 0])


def test_without_scores_and_classes_boxes_are_labels_of_the_first_class():
    labels = Boxes.of([[1, 2, 3, 4]])
    assert (labels.scores.tolist(), labels.classes.tolist()) == ([1], [0])
    assert labels.cut.tolist() == [[False] * 4]
    assert (len(Boxes.none()), Boxes.none().corners.shape) == (0, (0, 4))


def test_boxes_follow_their_grid_when_it_is_moved_or_scaled():
    assert THREE.moved(10, -1).corners.tolist() == [[10, -1, 14, 1], [11, -1, 15, 1], [19, 8, 20, 10]]
    assert THREE.scaled(2, 0.5).corners.tolist() == [[0, 0, 8, 1], [2, 0, 10, 1], [18, 4.5, 20, 5.5]]
    assert THREE.scaled(2, 0.5).scores is THREE.scores


def test_the_surest_come_first_and_equal_ones_by_their_place():
    twice = Boxes.joined([THREE.take(np.array([2, 1])), THREE.take(np.array([True, False, False]))])
    assert twice.ordered().corners.tolist() == [[1, 0, 5, 2], [0, 0, 4, 2], [9, 9, 10, 11]]
    assert twice.ordered().classes.tolist() == [1, 0, 0]
    assert len(Boxes.joined([])) == 0


def test_areas_and_overlaps_are_those_of_rectangles():
    assert areas(THREE.corners).tolist() == [8, 8, 2]
    assert areas(np.array([[5, 5, 3, 9]], np.float32)).tolist() == [0]
    assert intersections(THREE.corners[:1], THREE.corners).tolist() == [[8, 6, 0]]
    np.testing.assert_allclose(overlaps(THREE.corners, THREE.corners[:2]), [[1, 0.6], [0.6, 1], [0, 0]])


@pytest.mark.parametrize("touching", [[4, 0, 8, 2], [4, 2, 8, 4], [2, 2, 2, 2]])
def test_boxes_that_only_touch_or_have_no_area_do_not_overlap(touching):
    assert overlaps(THREE.corners[:1], np.array([touching], np.float32)).tolist() == [[0]]
    flat = np.array([[3, 3, 3, 3]], np.float32)
    assert overlaps(flat, flat).tolist() == [[0]]
