"""Folders of YOLO labels: read as written, and every kind of damage told."""

import numpy as np
import pytest

from core.errors import InputError, UnsafeFileError
from core.tasks.detection import yolo as module
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.yolo import read_yolo_folder, write_yolo

SIZES = {"1.png": (100, 200), "2.png": (50, 50)}


@pytest.fixture
def labels(tmp_path):
    """A box in the middle of the first image, a quarter as wide and half as high; nothing in the second."""
    (tmp_path / "1.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "2.txt").write_text("")
    return tmp_path


def test_shares_of_the_image_become_pixels_and_an_empty_file_is_an_image_without_landslides(labels):
    found = read_yolo_folder(SIZES, labels)
    assert found.boxes["1.png"].corners.tolist() == [[75, 25, 125, 75]]
    assert found.boxes["1.png"].scores.tolist() == [1]
    assert len(found.boxes["2.png"]) == 0
    assert (found.classes, found.notes) == (("landslide",), ())


def test_what_is_written_is_read_again(tmp_path):
    ours = {"1.png": Boxes.of([[0.5, 1, 20.25, 30], [5, 5, 9, 9]], classes=[0, 1]), "2.png": Boxes.none()}
    write_yolo(tmp_path / "labels", ours, SIZES)
    assert (tmp_path / "labels" / "2.txt").read_text() == ""
    found = read_yolo_folder(SIZES, tmp_path / "labels", ("landslide", "debris flow"))
    assert found.notes == ()
    for name, expected in ours.items():
        np.testing.assert_allclose(found.boxes[name].corners, expected.corners, atol=1e-5)
        np.testing.assert_array_equal(found.boxes[name].classes, expected.classes)


def test_an_outline_is_read_as_its_box_and_a_confidence_is_passed_over(labels):
    (labels / "1.txt").write_text("0 0.1 0.1 0.3 0.2 0.2 0.4\n\n0.0 0.5 0.5 0.25 0.5 0.9\n")
    corners = read_yolo_folder(SIZES, labels).boxes["1.png"].corners
    np.testing.assert_allclose(corners, [[20, 10, 60, 40], [75, 25, 125, 75]], rtol=1e-6)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("0 1.0 0.5 0.5 0.5", "extended beyond the edge"),
        ("0 1.5 0.5 0.5 0.5", "lies outside its image; it was left out"),
        ("0 0.5 0.5 0 0.5", "no width or height"),
        ("0 0.5 0.5 0.5 -0.5", "no width or height"),
        ("0 nan 0.5 0.5 0.5", "does not consist of four numbers; it was left out"),
        ("0 0.1 0.1 0.2 nan 0.3 0.3", "does not consist of four numbers; it was left out"),
        ("0 0.5 0.5 1e999 0.5", "does not consist of four numbers; it was left out"),
        ("0 0.1 0.1 0.1 0.1 0.1 0.1", "no width or height"),
    ],
)
def test_a_box_that_is_none_is_left_out_and_told(labels, line, note):
    (labels / "1.txt").write_text(f"0 0.5 0.5 0.25 0.5\n{line}\n")
    found = read_yolo_folder(SIZES, labels)
    assert len(found.notes) == 1
    assert note in found.notes[0]
    expected = [[75, 25, 125, 75], [150, 25, 200, 75]][: 1 + note.startswith("extended")]
    assert found.boxes["1.png"].corners.tolist() == expected


def test_boxes_in_pixels_are_found_out(labels):
    (labels / "1.txt").write_text("0 75 25 50 50\n0 20 20 10 10\n")
    with pytest.raises(InputError, match=r"None of the boxes of .* \(2\) lies within its image.*units"):
        read_yolo_folder(SIZES, labels)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 0.5 0.5 0.1 0.1", "Line 2 of 1.txt has the class 1; the only class is 0 .landslide"),
        ("-1 0.5 0.5 0.1 0.1", "class -1"),
        ("0.5 0.5 0.5 0.1 0.1", "class 0.5"),
        ("nan 0.5 0.5 0.1 0.1", "class nan"),
        ("slide 0.5 0.5 0.1 0.1", "Line 2 of 1.txt is not a class"),
        ("0 0.5 0.5 0.1", "is not a class"),
        ("0", "is not a class"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "is not a class"),
    ],
)
def test_a_line_that_labels_nothing_known_is_refused_with_its_place(labels, line, message):
    (labels / "1.txt").write_text(f"0 0.5 0.5 0.25 0.5\n{line}\n")
    with pytest.raises(InputError, match=message):
        read_yolo_folder(SIZES, labels)


def test_of_several_classes_the_numbers_are_named(labels):
    (labels / "1.txt").write_text("2 0.5 0.5 0.25 0.5\n")
    with pytest.raises(InputError, match=r"has the class 2; the classes are 0 to 1 \(landslide, house\)\."):
        read_yolo_folder(SIZES, labels, ("landslide", "house"))


def test_several_files_and_images_without_each_other_are_told_in_the_plural(labels):
    for stem in (8, 9):
        (labels / f"{stem}.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    found = read_yolo_folder(SIZES | {"3.png": (10, 10), "4.png": (10, 10)}, labels)
    assert found.notes[0].startswith("2 images have no label file and count as without landslides: ")
    assert found.notes[1].startswith("2 label files belong to no image and were left out: ")


def test_images_without_a_file_count_as_without_landslides_and_files_without_image_are_left_out(labels):
    (labels / "9.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (labels / "classes.txt").write_text("landslide\n")
    found = read_yolo_folder(SIZES | {"3.png": (10, 10)}, labels)
    assert len(found.boxes["3.png"]) == 0
    assert "1 image has no label file and counts as without landslides: 3.png" in found.notes[0]
    assert "1 label file belongs to no image and was left out: 9.txt" in found.notes[1]


def test_folders_that_do_not_fit_are_refused(labels, monkeypatch):
    with pytest.raises(InputError, match="does not exist"):
        read_yolo_folder(SIZES, labels / "nowhere")
    with pytest.raises(InputError, match=r"no labels for the image\..*17\.txt for 17\.png"):
        read_yolo_folder({"17.png": (5, 5)}, labels)
    with pytest.raises(InputError, match=r"would both be named 1\.txt"):
        read_yolo_folder(SIZES | {"1.jpg": (5, 5)}, labels)
    (labels / "1.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_yolo_folder(SIZES, labels)
    monkeypatch.setattr(module, "MAX_LABEL_BYTES", 2)
    with pytest.raises(UnsafeFileError, match="the limit is"):
        read_yolo_folder(SIZES, labels)
