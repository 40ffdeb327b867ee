"""Changed images keep their boxes, and a detector that learns them is scored by them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.errors import InputError
from core.learning.augment import Augmentation
from core.learning.loop import Schedule, Training
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.data import Examples, numbered
from core.tasks.detection.labels import boxes_of_mask
from core.tasks.detection.objective import BoxLesson, Example, detect_all, mosaic, seen_part, turned, zoomed
from tests.tasks.detection.fakes import BrightBoxes

MASK = np.zeros((40, 40), bool)
MASK[3:9, 20:33] = True
MASK[25:30, 5:9] = True


def example(mask: NDArray[np.bool_] = MASK) -> Example:
    boxes = boxes_of_mask(mask)
    return Example(
        torch.from_numpy(mask[None].astype(np.float32)), torch.ones(mask.shape, dtype=torch.bool), boxes.corners,
        np.zeros(len(boxes), np.int64), np.arange(1, len(boxes) + 1),
        torch.from_numpy(numbered(mask, boxes)).to(torch.int32),
    )  # fmt: skip


def around(changed: Example) -> list[tuple[float, ...]]:
    """Boxes drawn anew around what a changed image shows."""
    return sorted(map(tuple, boxes_of_mask(changed.image[0].numpy() > 0.5).corners.tolist()))


@pytest.mark.parametrize("which", range(8))
def test_boxes_and_numbers_turn_with_their_image(which: int) -> None:
    changed = turned(example(), which)

    assert sorted(map(tuple, changed.corners.tolist())) == around(changed)
    assert changed.numbers is not None
    for member, (left, top, right, bottom) in zip(changed.members, changed.corners.astype(int), strict=True):
        assert (changed.numbers[top:bottom, left:right] == int(member)).all()


def test_an_oblong_image_turns_with_its_boxes() -> None:
    mask = np.zeros((20, 50), bool)
    mask[2:8, 30:45] = True

    changed = turned(example(mask), 1)

    assert changed.image.shape == (1, 50, 20)
    assert sorted(map(tuple, changed.corners.tolist())) == around(changed)


def test_a_part_enlarged_keeps_what_is_seen_of_it() -> None:
    changed = zoomed(example(), 2.0, 1.0, 0.0)

    assert changed.image.shape == (1, 40, 40)
    # Columns 20 to 40 and rows 0 to 20, twice as large: the box at (20, 3, 33, 9).
    assert changed.corners.tolist() == [[0, 6, 26, 18]]
    assert around(changed) == [(0, 6, 26, 18)]


@pytest.mark.parametrize(("share", "kept"), [(0.5, True), (0.3, False)])
def test_a_box_of_which_too_little_is_left_is_none(share: float, kept: bool) -> None:
    cut, left = seen_part(np.array([[0, 0, 20, 20]], np.float32), (0, 40), (20 - 20 * share, 40))

    assert left.tolist() == [kept]
    assert cut[0, 0] == 20 - 20 * share


def test_a_mosaic_shows_a_quarter_of_each_with_its_boxes() -> None:
    parts = [example(np.roll(MASK, shift, axis=1)) for shift in (0, 3, 5, -4)]

    joined = mosaic(parts, 20, 20)

    for number, (rows, columns) in enumerate([((0, 20), (0, 20)), ((0, 20), (20, 40)), ((20, 40), (0, 20)),
                                              ((20, 40), (20, 40))]):  # fmt: skip
        place = (slice(*rows), slice(*columns))
        assert torch.equal(joined.image[:, place[0], place[1]], parts[number].image[:, place[0], place[1]])
    assert joined.numbers is not None
    assert len(set(joined.members.tolist())) == len(joined.members)
    for member, (left, top, right, bottom) in zip(joined.members, joined.corners.astype(int), strict=True):
        assert (joined.numbers[top:bottom, left:right] == int(member)).all()


def examples(count: int = 6, seed: int = 0) -> Examples:
    random = np.random.default_rng(seed)
    images = np.zeros((count, 3, 32, 32), np.uint8)
    boxes = []
    for number, (row, column) in enumerate(random.integers(2, 18, (count, 2))):
        images[number, 0, row : row + 10, column : column + 8] = 255
        boxes.append(Boxes.of([[column, row, column + 8, row + 10]]))
    valid = np.ones((count, 32, 32), bool)
    names = tuple(f"{number}.png" for number in range(count))
    return Examples(images, valid, tuple(boxes), None, names, tuple(f"{n:064x}" for n in range(count)))


def lesson(fitting: Examples | None = None, tuning: Examples | None = None, **how: float) -> BoxLesson:
    return BoxLesson(
        fitting or examples(), tuning or examples(4, 9), lambda images: images, (0.0, 255.0), Augmentation(**how), 4
    )


def perfect() -> BrightBoxes:
    detector = BrightBoxes(3)
    with torch.no_grad():
        detector.last.weight.zero_()
        detector.last.weight[0, 0] = 1.0
        detector.last.bias.zero_()  # type: ignore[union-attr]
    return detector


def test_a_detector_that_finds_everything_is_scored_with_one() -> None:
    told = lesson().score(perfect())

    assert told["score"] == pytest.approx(1)
    assert told["f1"] == pytest.approx(1)


def test_what_has_no_data_is_shown_as_the_mean_and_gives_no_box() -> None:
    known = examples(4, 9)
    known.valid[:] = False

    found = detect_all(perfect(), known, lambda images: images, (0.0, 255.0))

    assert [len(one) for one in found] == [0] * 4


def test_the_same_draws_change_an_image_alike_and_others_otherwise() -> None:
    taught = lesson(mix=1.0, zoom=1.5)

    one, same, other = (
        taught.changed(0, torch.Generator().manual_seed(seed)).image for seed in (1, 1, 2)
    )

    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_learning_goes_on_until_the_bright_is_told_from_the_dark() -> None:
    torch.manual_seed(0)
    detector = BrightBoxes(3)

    trained = Training(detector, lesson(brightness=0.0, contrast=0.0, colour=0.0),
                       Schedule(epochs=12, batch=3, rate=0.1, average=0.5, decay=0.0)).fit()  # fmt: skip

    assert trained.best["score"] > 0.9


def test_a_tuning_part_without_a_box_is_refused() -> None:
    bare = examples(2)
    none = Examples(bare.images, bare.valid, (Boxes.none(), Boxes.none()), None, bare.names, bare.digests)

    with pytest.raises(InputError, match="holds no landslide"):
        lesson(tuning=none)
