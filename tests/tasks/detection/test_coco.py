"""COCO files: read as written, and every kind of damage told."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, UnsafeFileError
from core.tasks.detection import coco as module
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.coco import read_coco, write_coco
from tests.factories import write_raster

SIZES = {"1.png": (100, 200), "2.png": (50, 50)}


def document(**changes):
    """Two images; a box in the first, 30 wide and 20 high."""
    content = {
        "images": [
            {"id": 7, "file_name": "train/1.png", "width": 200, "height": 100},
            {"id": 8, "file_name": "2.png"},
        ],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 5, "bbox": [10, 20, 30, 20], "iscrowd": 0}],
        "categories": [{"id": 5, "name": "landslide"}, {"id": 2, "name": "debris flow"}],
    }
    return content | changes


def boxes(*places, **changes):
    return {
        "annotations": [{"id": i, "image_id": 7, "category_id": 5, "bbox": p} | changes for i, p in enumerate(places)]
    }


def write(folder: Path, content) -> Path:
    path = folder / "labels.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_boxes_are_read_by_file_name_and_classes_in_the_order_of_their_numbers(tmp_path):
    found = read_coco(write(tmp_path, document()), SIZES)
    assert found.classes == ("debris flow", "landslide")
    assert found.boxes["1.png"].corners.tolist() == [[10, 20, 40, 40]]
    assert found.boxes["1.png"].classes.tolist() == [1]
    # Listed without a box: seen, and without landslides.
    assert len(found.boxes["2.png"]) == 0
    assert found.notes == ()


def test_classes_may_be_asked_for_by_name_in_an_order_of_ones_own(tmp_path):
    path = write(tmp_path, document())
    assert read_coco(path, SIZES, ("landslide",)).boxes["1.png"].classes.tolist() == [0]
    with pytest.raises(InputError, match="unknown category 5.*classes are debris flow"):
        read_coco(path, SIZES, ("debris flow",))


def test_what_is_written_is_read_again_and_by_pycocotools(tmp_path, capsys):
    from pycocotools.coco import COCO

    ours = {"1.png": Boxes.of([[0.5, 1, 20.25, 30], [5, 5, 9, 9]], [0.25, 0.5], [0, 1]), "2.png": Boxes.none()}
    path = tmp_path / "out" / "found.json"
    write_coco(path, ours, SIZES, ("landslide", "debris flow"), scores=True, info={"model": "tiny"})
    found = read_coco(path, SIZES)
    assert found.classes == ("landslide", "debris flow")
    for name, expected in ours.items():
        np.testing.assert_array_equal(found.boxes[name].corners, expected.corners)
        np.testing.assert_array_equal(found.boxes[name].classes, expected.classes)
    theirs = COCO(str(path))
    capsys.readouterr()
    assert theirs.imgs[1] == {"id": 1, "file_name": "1.png", "width": 200, "height": 100}
    assert [entry["score"] for entry in theirs.anns.values()] == [0.25, 0.5]
    assert theirs.anns[2]["bbox"] == [5, 5, 4, 4]
    assert theirs.anns[2]["area"] == 16
    assert theirs.dataset["info"] == {"model": "tiny"}


def test_images_are_found_in_a_folder(tmp_path):
    (tmp_path / "images").mkdir()
    write_raster(tmp_path / "images" / "1.tif", np.zeros((3, 60, 80), np.uint8))
    (tmp_path / "images" / "notes.txt").write_text("no image")
    content = document(images=[{"id": 7, "file_name": "1.tif"}])
    assert list(read_coco(write(tmp_path, content), tmp_path / "images").boxes) == ["1.tif"]
    with pytest.raises(InputError, match="does not exist"):
        read_coco(write(tmp_path, content), tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        read_coco(write(tmp_path, content), tmp_path / "empty")


@pytest.mark.parametrize(
    ("place", "note"),
    [
        ([190, 90, 30, 30], "extended beyond the edge"),
        ([300, 10, 5, 5], "lies outside its image; it was left out"),
        ([-20, 10, 20, 5], "lies outside its image; it was left out"),
        ([10, 10, 0, 5], "no width or height"),
        ([10, 10, 5, -5], "no width or height"),
        ([10, float("nan"), 5, 5], "does not consist of four numbers; it was left out"),
        ([10, 10, float("inf"), 5], "does not consist of four numbers; it was left out"),
        ([10, 10, 1e-9, 5], "no width or height"),
        ([10, 10, 1e300, 5], "does not consist of four numbers; it was left out"),
        ([10, 10, 5], "does not consist of four numbers; it was left out"),
        (["10", 10, 5, 5], "does not consist of four numbers; it was left out"),
        ([10, 10, True, 5], "does not consist of four numbers; it was left out"),
        ([10, 10, 10**400, 5], "does not consist of four numbers; it was left out"),
        (None, "does not consist of four numbers; it was left out"),
    ],
)
def test_a_box_that_is_none_is_left_out_and_told(tmp_path, place, note):
    found = read_coco(write(tmp_path, document(**boxes([10, 20, 30, 20], place))), SIZES)
    assert len(found.notes) == 1
    assert found.notes[0].startswith("1 of 2 boxes ")
    assert note in found.notes[0]
    cut = note.startswith("extended")
    expected = [[10, 20, 40, 40], [190, 90, 200, 100]][: 1 + cut]
    assert found.boxes["1.png"].corners.tolist() == expected


def test_a_rounded_edge_is_cut_without_a_word(tmp_path):
    found = read_coco(write(tmp_path, document(**boxes([-0.2, 0, 200.4, 100.3]))), SIZES)
    assert found.boxes["1.png"].corners.tolist() == [[0, 0, 200, 100]]
    assert found.notes == ()


def test_when_no_box_lies_in_its_image_the_labels_are_of_others(tmp_path):
    with pytest.raises(InputError, match=r"None of the boxes of labels\.json \(2\)"):
        read_coco(write(tmp_path, document(**boxes([300, 10, 5, 5], [10, 10, 0, 0]))), SIZES)


def test_without_any_box_all_images_are_without_landslides(tmp_path):
    found = read_coco(write(tmp_path, document(annotations=[])), SIZES)
    assert [len(one) for one in found.boxes.values()] == [0, 0]


def test_missing_and_unlisted_images_crowds_and_strays_are_left_out_and_told(tmp_path):
    content = document()
    content["images"].append({"id": 9, "file_name": "3.png"})
    content["annotations"] += [
        {"image_id": 9, "category_id": 5, "bbox": [1, 1, 5, 5]},
        {"image_id": 77, "category_id": 5, "bbox": [1, 1, 5, 5]},
        {"image_id": 7, "category_id": 5, "bbox": [1, 1, 5, 5], "iscrowd": 1},
    ]
    found = read_coco(write(tmp_path, content), SIZES | {"4.png": (9, 9)})
    assert sorted(found.boxes) == ["1.png", "2.png"]
    assert len(found.boxes["1.png"]) == 1
    told = " ".join(found.notes)
    assert "1 image listed in labels.json was not found and was left out: 3.png" in told
    assert "1 image is not listed in labels.json and was left out: 4.png" in told
    assert "1 box belongs to an image that labels.json does not list" in told
    assert "1 crowd annotation, which does not" in told


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("\x00\xff", "not valid JSON"),
        ("[]", "not a COCO file"),
        ({}, "no list named categories"),
        (document(images=3), "no list named images"),
        (document(images=["1.png"]), "no list named images"),
        (document(annotations={}), "no list named annotations"),
        (document(categories=[]), "lists 0 categories"),
        (document(categories=[{"id": 5}]), "no unique name or number"),
        (document(categories=[{"id": 5, "name": "a"}, {"id": 5, "name": "b"}]), "no unique name or number"),
        (document(categories=[{"id": i, "name": str(i)} for i in range(1001)]), "1,001 categories"),
        (document(images=[{"id": [], "file_name": "1.png"}]), "no unique file name or number"),
        (document(images=[{"id": 1, "file_name": "1.png"}, {"id": 1, "file_name": "2.png"}]), "no unique file name"),
        (document(images=[{"id": 1, "file_name": "a/1.png"}, {"id": 2, "file_name": "b/1.png"}]), "images named 1.png"),
        (document(images=[{"id": 1, "file_name": "../../etc/passwd"}]), "None of the images listed in labels.json"),
        (document(images=[{"id": 7, "file_name": "1.png", "width": 100, "height": 100}]), "gives 1.png a size of 100"),
        (document(**boxes([1, 1, 5, 5], category_id=6)), "unknown category 6"),
        (document(**boxes([1, 1, 5, 5], category_id=[])), "unknown category"),
    ],
)
def test_what_is_no_coco_file_of_these_images_is_refused_with_its_fault(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_coco(write(tmp_path, content), SIZES)


def test_a_file_too_large_for_memory_and_a_file_that_is_not_there_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_COCO_BYTES", 10)
    with pytest.raises(UnsafeFileError, match="the limit is"):
        read_coco(write(tmp_path, document()), SIZES)
    with pytest.raises(InputError, match="no file"):
        read_coco(tmp_path / "nowhere.json", SIZES)


def test_a_class_that_is_listed_as_its_own_group_is_one_class(tmp_path):
    """Roboflow lists the group of the classes first, under the name of the class."""
    content = document(categories=[{"id": 0, "name": "landslide"}, {"id": 5, "name": "landslide"}])
    found = read_coco(write(tmp_path, content), SIZES)
    assert found.classes == ("landslide",)
    assert found.boxes["1.png"].classes.tolist() == [0]


def test_an_outline_without_a_box_has_the_box_around_it(tmp_path):
    rows = [
        {"image_id": 7, "category_id": 5, "segmentation": [[10, 20, 40, 25, 30, 50], [5, 30, 6, 31, 7, 30]]},
        {"image_id": 7, "category_id": 5, "segmentation": {"counts": "abc", "size": [100, 200]}},
        {"image_id": 7, "category_id": 5, "segmentation": [["x"]]},
    ]
    found = read_coco(write(tmp_path, document(annotations=rows)), SIZES)
    assert found.boxes["1.png"].corners.tolist() == [[5, 20, 40, 50]]
    assert found.notes == (
        "1 of 2 boxes does not consist of four numbers; it was left out.",
        "1 landslide has an outline but no box; the bounding box of the outline was used.",
        "1 landslide has a packed mask but no box; it was left out.",
    )


def test_images_may_be_named_without_their_endings(tmp_path):
    content = document()
    content["images"][0]["file_name"] = "1"
    found = read_coco(write(tmp_path, content), SIZES)
    assert len(found.boxes["1.png"]) == 1
    assert found.notes == ()


def test_a_file_that_grows_in_memory_is_refused_before_it_is_read(tmp_path):
    path = write(tmp_path, '{"annotations": [' + "{}," * 11_000_000 + "{}]}")
    with pytest.raises(UnsafeFileError, match="more values than fit into memory.*Split the file"):
        read_coco(path, SIZES)


@pytest.mark.parametrize("box", [[], [0, 0, 0, 0]])
def test_an_empty_box_beside_an_outline_is_none(tmp_path, box):
    rows = [{"image_id": "7", "category_id": 5.0, "bbox": box, "segmentation": [[10, 20, 40, 25, 30, 50]]}]
    found = read_coco(write(tmp_path, document(annotations=rows)), SIZES)
    assert found.boxes["1.png"].corners.tolist() == [[10, 20, 40, 50]]
