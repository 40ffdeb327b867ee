"""The worst mistakes over many images are the largest missed and the surest false."""

import pytest

from core.tasks.detection.boxes import Boxes
from core.tasks.detection.metrics import match
from core.tasks.detection.misses import worst_mistakes

TRUTH = [
    Boxes.of([[0, 0, 10, 10], [20, 20, 60, 60]]),
    Boxes.of([[0, 0, 30, 30], [50, 50, 70, 70]]),
    Boxes.none(),
]
# In the first image the small one is found twice; in the second a box covers a third of the first, and nothing touches
# the other; in the third there is nothing to be found.
FOUND = [
    Boxes.of([[0, 0, 10, 10], [0, 0, 10, 9]], scores=[0.9, 0.8]),
    Boxes.of([[0, 0, 30, 10]], scores=[0.7]),
    Boxes.of([[5, 5, 9, 9], [1, 1, 3, 3]], scores=[0.95, 0.2]),
]


def test_the_largest_missed_and_the_surest_false_of_all_images_come_first():
    worst = worst_mistakes(match(FOUND, TRUTH))
    assert [(one.image, one.index, one.area) for one in worst.missed] == [(0, 1, 1600), (1, 0, 900), (1, 1, 400)]
    assert [one.overlap for one in worst.missed] == pytest.approx([0, 1 / 3, 0])
    assert [(one.image, one.index) for one in worst.false] == [(2, 0), (0, 1), (1, 0), (2, 1)]
    assert [one.score for one in worst.false] == pytest.approx([0.95, 0.8, 0.7, 0.2])
    # Nothing there; the same landslide twice; in the wrong place; nothing there.
    assert [one.overlap for one in worst.false] == pytest.approx([0, 0.9, 1 / 3, 0])
    assert worst.false[0].corners == (5, 5, 9, 9)


def test_what_is_less_sure_than_the_confidence_neither_finds_nor_fails():
    worst = worst_mistakes(match(FOUND, TRUTH), confidence=0.92)
    assert [(one.image, one.index) for one in worst.false] == [(2, 0)]
    # The small one of the first image is found only by boxes that no longer count.
    assert [(one.image, one.index, one.area) for one in worst.missed][-1] == (0, 0, 100)
    assert worst.missed[1].overlap == 0


def test_only_so_many_are_listed_and_those_beyond_the_limit_of_an_image_are_none():
    worst = worst_mistakes(match(FOUND, TRUTH), most=2)
    assert (len(worst.missed), len(worst.false)) == (2, 2)
    limited = worst_mistakes(match(FOUND, TRUTH, limit=1))
    assert [(one.image, one.index) for one in limited.false] == [(2, 0), (1, 0)]
