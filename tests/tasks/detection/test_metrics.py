"""Scores of detection: by hand on a few boxes, and equal to pycocotools on many."""

import contextlib
import io
import math
import time

import numpy as np
import pytest

from core.errors import InputError
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.metrics import IOUS, LEFT_OUT, average_precision, curve, match, mean_precision, scores
from core.tasks.detection.pairing import FALSE

# Three true boxes; found are one right on, one that covers just half of its own, one beside everything.
TRUTH = Boxes.of([[0, 0, 10, 10], [20, 0, 30, 10], [40, 40, 60, 60]])
FOUND = Boxes.of([[0, 0, 10, 10], [20, 0, 30, 5], [80, 80, 90, 90]], scores=[0.6, 0.9, 0.7])


def random_image(generator, truths, false, spread=400, classes=1, level=20):
    """True boxes anywhere, and boxes found near them and elsewhere; scores of few levels, so that many are equal."""
    corner = generator.integers(0, spread, (truths, 2))
    truth = np.hstack([corner, corner + generator.integers(4, 40, (truths, 2))])
    near = truth[generator.integers(0, truths, 2 * truths)] if truths else np.empty((0, 4), int)
    near = near + generator.integers(-4, 5, near.shape)
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    corner = generator.integers(0, spread, (false, 2))
    found = np.vstack([near, np.hstack([corner, corner + generator.integers(4, 40, (false, 2))])])
    return (
        Boxes.of(
            found,
            generator.integers(1, level, len(found)) / np.float32(level),
            generator.integers(0, classes, len(found)),
        ),
        Boxes.of(truth, None, generator.integers(0, classes, truths)),
    )


def coco_precisions(found, truth, limit):
    """Average precision at each overlap by pycocotools, mean over the classes of the truth."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def entry(number, image, boxes, i):
        left, top, right, bottom = (float(edge) for edge in boxes.corners[i])
        place = [left, top, right - left, bottom - top]
        area = place[2] * place[3]
        of_class = int(boxes.classes[i]) + 1
        return {"id": number, "image_id": image, "category_id": of_class, "bbox": place, "area": area, "iscrowd": 0}

    labels, results = [], []
    for image, (ours, theirs) in enumerate(zip(found, truth, strict=True), 1):
        labels += [entry(len(labels) + 1 + i, image, theirs, i) for i in range(len(theirs))]
        results += [{**entry(1, image, ours, i), "score": float(ours.scores[i])} for i in range(len(ours))]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i + 1} for i in range(len(found))],
            "annotations": labels,
            "categories": [{"id": 1}, {"id": 2}, {"id": 3}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.params.maxDets = [limit]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 0]
    return [float(one[one > -1].mean()) for one in precision]


def test_a_box_is_right_from_half_an_overlap_and_the_rest_is_false_or_missed():
    matches = match([FOUND], [TRUTH])
    assert matches.matched[0].tolist() == [0, 1, FALSE]
    assert matches.missed()[0].tolist() == [2]
    # The box of the first is less sure than 0.8, so at that confidence the first is missed too.
    assert matches.missed(0.8)[0].tolist() == [0, 2]
    assert match([FOUND], [TRUTH], iou=0.51).matched[0].tolist() == [0, FALSE, FALSE]


def test_the_curve_counts_from_the_surest_box_on():
    of = curve(match([FOUND], [TRUTH]))
    assert of.confidence == pytest.approx([0.9, 0.7, 0.6])
    assert of.precision == pytest.approx([1, 1 / 2, 2 / 3])
    assert of.recall == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert of.f1 == pytest.approx([1 / 2, 2 / 5, 2 / 3])
    # 34 recalls up to 1/3 at precision 1, 33 up to 2/3 at 2/3, the rest at 0.
    assert average_precision(of) == pytest.approx((34 + 33 * 2 / 3) / 101)


def test_scores_name_the_confidence_of_the_highest_f1_and_count_there():
    best = scores([FOUND], [TRUTH])
    assert (best.found, best.hits, best.truth) == (3, 2, 3)
    assert best.confidence == pytest.approx(0.6)
    assert (best.precision, best.recall, best.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    at = scores([FOUND], [TRUTH], confidence=0.8)
    assert (at.found, at.hits, at.precision, at.recall) == (1, 1, 1.0, pytest.approx(1 / 3))
    assert at.ap50 == best.ap50
    # Both hits count at 0.5, only the one right on from 0.55 on: second in line after the false one, at 1/3.
    later = 34 * (1 / 3) / 101
    assert best.ap50_95 == pytest.approx((best.ap50 + 9 * later) / 10)


def test_the_best_confidence_lies_halfway_and_gives_the_counts_it_promises():
    truth = Boxes.of([[0, 0, 10, 10]])
    found = Boxes.of([[0, 0, 10, 10], [50, 50, 60, 60]], scores=[0.8, 0.4])
    assert curve(match([found], [truth])).best_confidence == pytest.approx(0.6)
    # Equal scores come together: no confidence parts the hit from the false one.
    tied = Boxes.of(found.corners, scores=[0.8, 0.8])
    assert scores([tied], [truth]).precision == 0.5


@pytest.mark.parametrize("confidence", [0.1, 0.35, 0.7, 1 / 3])
def test_a_box_whose_score_is_the_confidence_counts(confidence):
    found = Boxes.of([[0, 0, 10, 10]], scores=[confidence])
    assert scores([found], [Boxes.of([[0, 0, 10, 10]])], confidence=confidence).found == 1


def test_one_true_box_is_found_once_by_the_surest():
    twice = Boxes.of([[0, 0, 10, 10], [0, 0, 10, 9]], scores=[0.3, 0.9])
    assert match([twice], [Boxes.of([[0, 0, 10, 10]])]).matched[0].tolist() == [FALSE, 0]


def test_who_comes_too_late_for_the_best_takes_the_next_best():
    truth = Boxes.of([[0, 0, 10, 10], [2, 0, 12, 10]])
    found = Boxes.of([[0, 0, 10, 10], [0, 0, 11, 10]], scores=[0.9, 0.5])
    assert match([found], [truth]).matched[0].tolist() == [0, 1]


def test_boxes_of_another_class_or_image_find_nothing():
    box = [[0, 0, 10, 10]]
    assert match([Boxes.of(box, classes=[1])], [Boxes.of(box)]).matched[0].tolist() == [FALSE]
    apart = match([Boxes.of(box), Boxes.none()], [Boxes.none(), Boxes.of(box)])
    assert [one.tolist() for one in apart.matched] == [[FALSE], []]
    with pytest.raises(ValueError, match="1 images, the reference boxes 2"):
        match([Boxes.none()], [Boxes.none(), Boxes.none()])


def test_without_truth_or_boxes_scores_are_undefined_or_zero():
    nothing = scores([Boxes.none()], [Boxes.none()])
    assert math.isnan(nothing.ap50)
    assert math.isnan(nothing.f1)
    only_false = scores([FOUND], [Boxes.none()])
    assert math.isnan(only_false.ap50)
    assert math.isnan(only_false.recall)
    only_missed = scores([Boxes.none()], [TRUTH])
    assert (only_missed.ap50, only_missed.ap50_95, only_missed.recall, only_missed.f1) == (0, 0, 0, 0)
    assert math.isnan(only_missed.precision)
    assert math.isnan(scores([], []).ap50)


def test_beyond_the_limit_the_least_sure_are_left_out_in_each_image():
    many = Boxes.of([[20 * i, 0, 20 * i + 10, 10] for i in range(3)], scores=[0.2, 0.4, 0.3])
    matches = match([many, many], [many, many], limit=2)
    assert [one.tolist() for one in matches.matched] == [[LEFT_OUT, 1, 2]] * 2
    assert scores([many, many], [many, many], limit=2).recall == pytest.approx(2 / 3)
    assert scores([many, many], [many, many], limit=None).recall == 1


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_pycocotools_over_many_small_images(seed):
    generator = np.random.default_rng(seed)
    sizes = generator.integers(0, 12, (40, 2))
    images = [random_image(generator, *size, spread=80, classes=1 + seed % 3) for size in sizes]
    found, truth = zip(*images, strict=True)
    ours = scores(found, truth)
    theirs = coco_precisions(found, truth, 100)
    assert theirs[0] > 0.02
    assert ours.ap50 == pytest.approx(theirs[0], abs=1e-12)
    assert ours.ap50_95 == pytest.approx(np.mean(theirs), abs=1e-12)
    for iou, expected in zip(IOUS, theirs, strict=True):
        assert mean_precision(match(found, truth, float(iou))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("limit", [None, 100])
def test_equal_to_pycocotools_on_one_raster_with_hundreds_of_boxes(limit):
    found, truth = random_image(np.random.default_rng(7), 200, 150, spread=500)
    theirs = coco_precisions([found], [truth], limit or 10_000)
    ours = scores([found], [truth], limit=limit)
    assert 0.05 < ours.ap50 < 0.95
    assert (ours.ap50, ours.ap50_95) == pytest.approx((theirs[0], np.mean(theirs)), abs=1e-12)


def test_boxes_that_all_cover_each_other_are_told_apart_as_pycocotools_does():
    """Every box touches every other, so that many are refused before each has its own."""
    found, truth = random_image(np.random.default_rng(3), 60, 30, spread=12, level=500)
    theirs = coco_precisions([found], [truth], 1000)
    assert scores([found], [truth], limit=None).ap50_95 == pytest.approx(np.mean(theirs), abs=1e-12)


def test_a_raster_of_25000_boxes_is_scored_in_seconds():
    found, truth = random_image(np.random.default_rng(0), 10_000, 5_000, spread=12_000, level=1000)
    start = time.perf_counter()
    assert scores([found], [truth], limit=None).truth == 10_000
    # All pairs would be 250 million.
    assert time.perf_counter() - start < 10


def test_more_pairs_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr("core.tasks.detection.pairing.MOST_PAIRS", 100)
    same = Boxes.of([[0, 0, 10, 10]] * 20)
    with pytest.raises(InputError, match="pairs of detections overlap"):
        match([same], [same])
