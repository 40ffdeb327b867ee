"""Scores of a folder are those of its images together, however they were batched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.data import Labelled, from_masks
from core.tasks.detection.evaluate import Evaluation, evaluate
from core.tasks.detection.options import Options
from core.tasks.detection.runtime import DetectorRuntime
from tests.factories import detector_spec, red_weights
from tests.tasks.detection.fakes import BrightBoxes

SIZES = [(32, 32), (32, 32), (32, 32), (64, 40), (150, 100), (32, 32)]


def runtime() -> DetectorRuntime:
    detector = BrightBoxes(3)
    detector.load_state_dict(red_weights())
    return DetectorRuntime(detector, 1)


def shown(made: DetectorRuntime) -> list[tuple[int, ...]]:
    assert isinstance(made.detector, BrightBoxes)
    return made.detector.seen


@pytest.fixture
def items(tmp_path: Path) -> tuple[Labelled, ...]:
    """Images of several sizes with one landslide each; of the second the image shows another, of the last none."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number, (height, width) in enumerate(SIZES, start=1):
        image, mask = np.full((height, width, 3), 40, np.uint8), np.zeros((height, width), np.uint8)
        mask[4:12, 6 : width - 6] = 255
        if number == 2:
            image[20:28, 4:12, 0] = 220
        elif number < len(SIZES):
            image[mask > 0, 0] = 200 + number
        Image.fromarray(image).save(tmp_path / "images" / f"image_{number}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"mask_{number}.png")
    return from_masks(tmp_path / "images", tmp_path / "masks")


def run(items: tuple[Labelled, ...], **how: object) -> Evaluation:
    return evaluate(items, detector_spec(), runtime(), **how)  # type: ignore[arg-type]


def test_images_are_scored_together(items: tuple[Labelled, ...]) -> None:
    scored = run(items).to_json()

    # Four of six landslides are found and one box is false, the surest of all.
    assert scored["precision"] == pytest.approx(4 / 5)
    assert scored["recall"] == pytest.approx(4 / 6)
    assert scored["f1"] == pytest.approx(8 / 11)
    assert (scored["confidence"], scored["images"]) == (0.5, 6)
    assert scored["images_per_second"] > 0
    # The precision is highest, 4/5, at the end of the curve: 67 of 101 recalls lie up to 4/6.
    assert scored["ap50"] == pytest.approx(67 * 0.8 / 101)


def test_images_of_one_size_are_shown_together_and_others_by_themselves(items: tuple[Labelled, ...]) -> None:
    made = runtime()

    result = evaluate(items, detector_spec(), made, Options(batch=2))

    # The fourth image is one window of the size of those that the fifth is cut into.
    assert shown(made)[:3] == [(2, 3, 32, 32), (1, 3, 32, 32), (2, 3, 64, 64)]
    assert [len(boxes) for boxes in result.found] == [1, 1, 1, 1, 1, 0]


def test_however_images_are_batched_the_boxes_are_the_same(items: tuple[Labelled, ...]) -> None:
    one, many = run(items, options=Options(batch=1)), run(items, options=Options(batch=8))

    for ours, theirs in zip(one.found, many.found, strict=True):
        np.testing.assert_array_equal(ours.corners, theirs.corners)


def test_labels_may_be_boxes_and_an_image_may_have_none(items: tuple[Labelled, ...]) -> None:
    labelled = (
        Labelled("one", items[0].image, boxes=Boxes.of([[6, 4, 26, 12]])),
        Labelled("none", items[5].image, boxes=Boxes.none()),
    )

    scored = run(labelled).to_json()

    assert (scored["found"], scored["hits"], scored["truth"]) == (1, 1, 1)


def test_the_smallest_landslides_are_none_by_the_rule_of_the_labels(tmp_path: Path) -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[3:6, 3:6] = 255
    mask[20:24, 20:24] = 255
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "image_1.png")
    Image.fromarray(mask).save(tmp_path / "mask_1.png")

    result = run((Labelled("one", tmp_path / "image_1.png", tmp_path / "mask_1.png"),))

    assert result.truth[0].corners.tolist() == [[20, 20, 24, 24]]


def test_progress_rises_to_the_number_of_images(items: tuple[Labelled, ...]) -> None:
    steps: list[tuple[int, int]] = []

    run(items, progress=lambda done, total: steps.append((done, total)))

    assert steps == sorted(steps)
    assert steps[-1] == (6, 6)


def test_what_is_told_of_progress_may_stop_the_scoring(items: tuple[Labelled, ...]) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(items, progress=stop)


@pytest.mark.parametrize("confidence", [-0.1, 1.5, float("nan")])
def test_a_confidence_that_cannot_be_is_refused(items: tuple[Labelled, ...], confidence: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        run(items, confidence=confidence)


def test_a_folder_without_images_is_refused() -> None:
    with pytest.raises(InputError, match="no image"):
        run(())
