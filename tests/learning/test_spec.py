"""What a model's description must say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelError
from core.learning.spec import ModelSpec
from tests.factories import tiny_spec


def test_a_description_survives_writing_and_reading(tmp_path: Path) -> None:
    spec = tiny_spec(
        ground_distance=10.0, options={"decoder_attention_type": "scse"}, limits=("One.", "Two."),
        scores={"validation": {"f1": 0.5}}, training={"phases": [{"epochs": 3}]}, upscale=2.0,
    )  # fmt: skip
    (tmp_path / "model.toml").write_text(spec.to_toml(), encoding="utf-8")

    assert ModelSpec.from_toml(tmp_path / "model.toml") == spec


def test_an_unknown_ground_distance_stays_unknown(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(tiny_spec().to_toml(), encoding="utf-8")

    assert ModelSpec.from_toml(tmp_path / "model.toml").ground_distance is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "../evil"}, "lower case"),
        ({"name": "Upper"}, "lower case"),
        ({"name": "a" * 64}, "lower case"),
        ({"mean": (0.0,)}, "differ in length"),
        ({"bands": ("red",)}, "differ in length"),
        ({"tile": 100}, "multiple of 32"),
        ({"tile": 0}, "multiple of 32"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"threshold": float("nan")}, "between 0 and 1"),
        ({"value_range": (255.0, 0.0)}, "range is empty"),
    ],
)
def test_what_no_model_can_be_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        tiny_spec(**change)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml",
        "name = 3",
        tiny_spec().to_toml() + "\n[surprise]\nx = 1\n",
        tiny_spec().to_toml().replace("tile = 32", 'tile = "32"'),
        tiny_spec().to_toml().replace("value_range = [\n    0.0,\n    255.0,\n]", "value_range = [0.0]"),
    ],
    ids=["empty", "not TOML", "too little", "unknown entry", "text for a number", "half a range"],
)
def test_a_file_that_is_no_description_is_refused_by_its_folders_name(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ModelError, match="broken"):
        ModelSpec.from_toml(folder / "model.toml")


def test_a_missing_or_undecodable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        ModelSpec.from_toml(tmp_path / "model.toml")
    (tmp_path / "model.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="cannot be read"):
        ModelSpec.from_toml(tmp_path / "model.toml")
