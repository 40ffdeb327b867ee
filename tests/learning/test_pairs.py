"""Images and masks that belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError
from core.learning.pairs import PairArrays, find_pairs, read_pairs


def folders(root: Path, images: list[str], masks: list[str]) -> tuple[Path, Path]:
    for folder, names in (("images", images), ("masks", masks)):
        (root / folder).mkdir()
        for name in names:
            Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(root / folder / name, "PNG")
    return root / "images", root / "masks"


def test_files_are_matched_by_the_last_number_in_their_names(tmp_path: Path) -> None:
    images, masks = folders(tmp_path, ["patch2_010.png", "patch2_009.png"], ["m10.png", "m9.png", "m77.png"])

    pairs = find_pairs(images, masks)

    assert [(pair.number, pair.image.name, pair.mask.name) for pair in pairs] == [
        (9, "patch2_009.png", "m9.png"),
        (10, "patch2_010.png", "m10.png"),
    ]


def test_files_that_are_no_images_are_passed_over(tmp_path: Path) -> None:
    images, masks = folders(tmp_path, ["1.png"], ["1.png"])
    (images / "2.txt").write_text("a note")
    (images / "readme.png").write_text("no number")

    assert len(find_pairs(images, masks)) == 1


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 image .* has no mask .* first is 2\.png"):
        find_pairs(*folders(tmp_path, ["1.png", "2.png"], ["1.png"]))


def test_two_names_with_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="same number"):
        find_pairs(*folders(tmp_path, ["a1.png", "b01.png"], ["1.png"]))


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    images, masks = folders(tmp_path, [], ["1.png"])

    with pytest.raises(InputError, match="holds no image"):
        find_pairs(images, masks)
    with pytest.raises(InputError, match="does not exist"):
        find_pairs(tmp_path / "elsewhere", masks)


def save_pair(root: Path, number: int, image: np.ndarray, mask: np.ndarray) -> None:
    for folder, values in (("images", image), ("masks", mask)):
        (root / folder).mkdir(exist_ok=True)
        Image.fromarray(values).save(root / folder / f"{number}.png")


def test_masks_of_255_and_of_1_mean_the_same(tmp_path: Path) -> None:
    mask = np.zeros((2, 3), np.uint8)
    mask[1, 2] = 1
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    save_pair(tmp_path, 1, image, mask)
    save_pair(tmp_path, 2, image + 1, mask * 255)

    arrays = read_pairs(find_pairs(tmp_path / "images", tmp_path / "masks"))

    assert arrays.images.shape == (2, 3, 2, 3)
    assert arrays.images[0, :, 1, 2].tolist() == [15, 16, 17]
    assert arrays.truth.tolist() == [[[[0, 0, 0], [0, 0, 1]]]] * 2
    assert len(set(arrays.digests)) == 2


def test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    save_pair(tmp_path, 1, np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint8))
    save_pair(tmp_path, 2, np.zeros((3, 2, 3), np.uint8), np.zeros((3, 2), np.uint8))

    with pytest.raises(InputError, match="differ in size"):
        read_pairs(find_pairs(tmp_path / "images", tmp_path / "masks"))


def test_a_mask_of_another_size_or_a_grey_image_is_refused(tmp_path: Path) -> None:
    save_pair(tmp_path, 1, np.zeros((2, 3, 3), np.uint8), np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match="mask of the same size"):
        read_pairs(find_pairs(tmp_path / "images", tmp_path / "masks"))

    save_pair(tmp_path, 1, np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8))
    with pytest.raises(InputError, match="8-bit RGB"):
        read_pairs(find_pairs(tmp_path / "images", tmp_path / "masks"))


def test_taking_pairs_keeps_image_truth_and_digest_together() -> None:
    numbers = np.arange(3, dtype=np.uint8)
    arrays = PairArrays(numbers.reshape(3, 1, 1, 1), numbers.reshape(3, 1, 1, 1), ("a", "b", "c"))

    taken = arrays.take(np.array([2, 0]))

    assert taken.images.ravel().tolist() == taken.truth.ravel().tolist() == [2, 0]
    assert taken.digests == ("c", "a")
