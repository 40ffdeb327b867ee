"""From a folder of images to a detector with scores and a card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tests.tasks.detection.fakes  # noqa: F401  registers the family "bright"
from core.errors import InputError, ModelError
from core.learning.config import TrainConfig
from core.learning.store import StoredModel, find_model
from core.raster.scene import Scene
from core.tasks.detection import card as cards
from core.tasks.detection.data import from_labels, from_masks, label_notes, numbered, read_examples, validation_images
from core.tasks.detection.labels import boxes_of_mask
from core.tasks.detection.runtime import open_detector
from core.tasks.detection.train import train
from tests.factories import tiny_spec, write_model, write_squares

TEXT = """
task = "detection"
name = "tiny"
title = "Tiny"
summary = "Tiny."
architecture = "bright"
encoder = "none"
sensor = "none"
tile = 32
licence = "CC0-1.0"
limits = ["Small."]
classes = ["landslide"]

[data]
images = "images"
masks = "masks"
validation_numbers = [1, 2]
title = "Squares"
licence = "CC0-1.0"
citation = "None."
tune_share = 0.3

[[phase]]
epochs = 6
batch = 4
rate = 0.05
average = 0.5
augmentation = { brightness = 0.0, contrast = 0.0, colour = 0.0 }
"""


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_squares(tmp_path_factory.mktemp("squares"))


def config(folder: Path, text: str = TEXT) -> TrainConfig:
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    return TrainConfig.read(folder / "tiny.toml")


@pytest.fixture
def trained(models: Path, squares: Path, tmp_path: Path) -> StoredModel:
    return train(config(tmp_path), squares, tmp_path / "work", "the command")


def test_a_detector_is_found_by_its_name_with_how_it_was_made(trained: StoredModel) -> None:
    assert find_model("detection", "tiny").spec == trained.spec
    assert trained.spec.task == "detection"
    assert trained.spec.classes == ("landslide",)
    assert (trained.spec.training["images_fit"], trained.spec.training["images_tune"]) == (7, 3)
    assert trained.spec.training["boxes_fit"] == 7
    assert trained.spec.training["command"] == "the command"
    assert 0 <= trained.spec.threshold <= 1
    assert trained.spec.options["nms_iou"] in (0.3, 0.4, 0.5, 0.6, 0.7)
    assert {"ap50", "ap50_95", "f1", "precision", "recall"} <= set(trained.spec.scores["tuning"])


def test_the_same_seed_trains_the_same_detector(trained: StoredModel, squares: Path, tmp_path: Path) -> None:
    again = train(config(tmp_path), squares, tmp_path / "other work")

    assert again.spec.weights_sha256 == trained.spec.weights_sha256


def test_a_detector_knows_what_it_was_fitted_and_chosen_on_and_not_what_validates_it(
    trained: StoredModel, squares: Path, tmp_path: Path
) -> None:
    kept = {item.name for item in validation_images(config(tmp_path).data, squares, ("landslide",))}

    for path in (squares / "images").iterdir():
        assert trained.has_seen(Scene.open(path).digest) == (path.name not in kept)


def test_the_card_says_what_was_scored_on_what(trained: StoredModel, squares: Path, tmp_path: Path) -> None:
    items = validation_images(config(tmp_path).data, squares, ("landslide",))

    finished = cards.finish(trained, items, open_detector(trained))

    scores = finished.spec.scores["validation"]
    assert scores["images"] == 2
    assert scores["truth"] == 2
    assert f"| AP50 | {scores['ap50']:.3f} |" in finished.card
    assert "2 reference boxes in 2 validation images" in finished.card
    assert (finished.folder / cards.FAILURES).is_file()
    assert finished.spec.cost["parameters"] == 4
    assert find_model("detection", "tiny").spec == finished.spec


def test_a_training_is_told_epoch_by_epoch_and_can_be_stopped(models: Path, squares: Path, tmp_path: Path) -> None:
    told = []

    class Enough(Exception):
        pass

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise Enough

    with pytest.raises(Enough):
        train(config(tmp_path), squares, tmp_path / "work", told=tell)

    assert told == [(0, 6), (1, 6), (2, 6)]
    assert not (models / "detection").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (TEXT.replace('"bright"', '"hourglass"'), "Unknown detector family"),
        (TEXT.replace("tile = 32", 'tile = 32\nstart_from = "unet"'), "no encoder"),
        (TEXT.replace('images = "images"', 'images = "nowhere"'), "does not exist"),
    ],
)
def test_a_training_that_cannot_be_is_refused(
    models: Path, squares: Path, tmp_path: Path, changed: str, words: str
) -> None:
    with pytest.raises((InputError, ModelError), match=words):
        train(config(tmp_path, changed), squares, tmp_path / "work")


def test_a_mapping_model_becomes_a_detector_of_its_components(models: Path, squares: Path, tmp_path: Path) -> None:
    write_model(models, tiny_spec("red", tile=32))
    text = TEXT.replace('"bright"', '"mask-components"').replace("tile = 32", 'tile = 32\nstart_from = "red"')

    made = train(config(tmp_path, text.split("[[phase]]")[0]), squares, tmp_path / "work")

    assert made.spec.scores["tuning"]["ap50"] == pytest.approx(1)
    assert made.spec.options["network"] == "tiny"
    assert made.spec.training["start_from"] == "red"


def test_a_component_tree_learns_which_of_its_parts_fit(models: Path, squares: Path, tmp_path: Path) -> None:
    write_model(models, tiny_spec("red", tile=32))
    text = TEXT.replace('"bright"', '"component-tree"').replace("tile = 32", 'tile = 32\nstart_from = "red"')

    made = train(config(tmp_path, text.split("[[phase]]")[0]), squares, tmp_path / "work")

    assert made.spec.scores["tuning"]["ap50"] == pytest.approx(1)
    weights = made.load_weights()
    assert weights["second_value"].shape == (made.spec.options["trees"], made.spec.options["nodes"])
    assert open_detector(made).has_masks


def test_a_network_described_beside_the_training_is_kept_with_it(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("backbone: []\n", encoding="utf-8")

    read = config(tmp_path, TEXT + '[options]\nyaml = "net.yaml"\n')

    assert read.options["yaml"] == "backbone: []\n"


def test_a_network_described_outside_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("backbone: []\n", encoding="utf-8")
    (tmp_path / "below").mkdir()

    with pytest.raises(InputError):
        config(tmp_path / "below", TEXT + '[options]\nyaml = "../net.yaml"\n')


def test_examples_are_read_with_their_boxes_from_masks(squares: Path) -> None:
    examples = read_examples(from_masks(squares / "images", squares / "masks"), 3, None)

    assert examples.images.shape == (12, 3, 32, 32)
    assert examples.images.dtype == np.uint8
    assert examples.numbers is not None
    for boxes, numbers in zip(examples.boxes, examples.numbers, strict=True):
        left, top, right, bottom = boxes.corners[0].astype(int)
        assert (right - left, bottom - top) == (12, 12)
        assert (numbers[top:bottom, left:right] == 1).all()
        assert numbers.sum() == 144


def test_one_landslide_within_the_box_of_another_keeps_its_own_pixels() -> None:
    mask = np.zeros((30, 30), bool)
    mask[2:28, 2:28] = True
    mask[5:25, 5:25] = False
    mask[10:20, 10:20] = True

    boxes = boxes_of_mask(mask)
    numbers = numbered(mask, boxes)

    inner = next(index for index, box in enumerate(boxes.corners.tolist(), start=1) if box == [10, 10, 20, 20])
    assert (numbers[10:20, 10:20] == inner).all()
    assert set(numbers[mask].tolist()) == {1, 2}


def test_examples_of_a_coco_file_have_boxes_alone_and_an_image_without_any_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "images" / name)
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 32, "height": 32},
                   {"id": 2, "file_name": "b.png", "width": 32, "height": 32}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 10, 12]}],
        "categories": [{"id": 1, "name": "landslide"}],
    }  # fmt: skip
    (tmp_path / "labels.json").write_text(json.dumps(content), encoding="utf-8")

    items = from_labels(tmp_path / "images", tmp_path / "labels.json", ("landslide",))
    examples = read_examples(items, 3, None)

    assert examples.numbers is None
    assert [len(boxes) for boxes in examples.boxes] == [1, 0]
    assert examples.boxes[0].corners.tolist() == [[4, 5, 14, 17]]


def test_what_was_left_out_of_the_labels_is_said_of_the_training(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "images" / name)
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 10, 12]},
                        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [40, 5, 10, 12]}],
        "categories": [{"id": 1, "name": "landslide"}],
    }  # fmt: skip
    (tmp_path / "labels.json").write_text(json.dumps(content), encoding="utf-8")

    notes = label_notes(replace(config(tmp_path).data, images="images", labels="labels.json"), tmp_path, ("landslide",))

    assert notes == (
        "Training: 1 image is not listed in labels.json and was left out: b.png.",
        "Training: 1 of 2 boxes lies outside its image; it was left out.",
    )
