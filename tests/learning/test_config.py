"""Trainings described in TOML."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from core.errors import InputError
from core.learning.config import TrainConfig
from core.learning.losses import weighted_sum
from core.learning.spec import NAME

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "models" / "configs").glob("*.toml"))

TEXT = """
name = "tiny"
title = "Tiny"
summary = "Tiny."
architecture = "tiny"
encoder = "plain"
sensor = "none"
tile = 32
licence = "CC0-1.0"
limits = ["Small."]

[data]
images = "images"
masks = "masks"
validation_numbers = [1, 2]
title = "Squares"
licence = "CC0-1.0"
citation = "None."

[loss.dice]

[training]
batch = 4
rate = 0.1

[[phase]]
epochs = 3

[[phase]]
epochs = 2
batch = 2
upscale = 2.0
augmentation = { zoom = 1.5 }
"""


def read(folder: Path, text: str) -> TrainConfig:
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    return TrainConfig.read(folder / "tiny.toml")


def test_phases_take_what_they_do_not_say_from_what_is_common(tmp_path: Path) -> None:
    first, second = read(tmp_path, TEXT).phases

    assert (first.schedule.epochs, first.schedule.batch, first.schedule.rate) == (3, 4, 0.1)
    assert (second.schedule.epochs, second.schedule.batch, second.schedule.rate) == (2, 2, 0.1)
    assert (first.upscale, second.upscale) == (1.0, 2.0)
    assert (first.augmentation.zoom, second.augmentation.zoom) == (1.0, 1.5)


def test_without_phases_there_is_one_of_usual_length(tmp_path: Path) -> None:
    config = read(tmp_path, TEXT.split("[training]")[0])

    assert len(config.phases) == 1
    assert config.data.validation_numbers == (1, 2)
    assert config.limits == ("Small.",)


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        TEXT.replace('name = "tiny"', ""),
        TEXT.replace("epochs = 3", "epoch = 3"),
        TEXT.replace("zoom", "zooom"),
        TEXT.replace("[data]", "[date]"),
        TEXT.split("[data]")[0] + 'data = "here"',
        TEXT.split("[[phase]]")[0] + "[phase]\nepochs = 3\n",
    ],
    ids=["no TOML", "no name", "misspelt", "misspelt change", "no data", "data of another kind", "one phase"],
)
def test_what_is_misspelt_or_missing_is_refused_by_the_files_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"tiny\.toml is not valid"):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml"):
        TrainConfig.read(tmp_path / "none.toml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_description_that_ships_can_be_read(path: Path) -> None:
    config = TrainConfig.read(path)

    assert config.name == path.stem
    assert NAME.fullmatch(config.name)
    weighted_sum(config.loss)
    assert config.limits


@pytest.mark.parametrize("path", sorted(SHIPPED[0].parent.rglob("*.toml")), ids=lambda path: path.stem)
def test_a_description_is_the_same_after_it_was_kept_as_json(path: Path) -> None:
    config = TrainConfig.read(path)

    kept = json.loads(json.dumps(asdict(config)))

    assert TypeAdapter(TrainConfig).validate_python(kept) == config
