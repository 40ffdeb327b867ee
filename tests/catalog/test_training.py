"""The script that makes training folders: patches that do not overlap, parts that share no valley."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from core.catalog.samples import FOLDER
from core.learning.config import TrainConfig
from core.learning.pairs import find_pairs

CONFIGS = Path(__file__).resolve().parents[2] / "models" / "configs" / "detection"


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """The script; it lies outside of the packages."""
    sys.path.insert(0, str(FOLDER))
    try:
        import make_training

        yield make_training
    finally:
        sys.path.remove(str(FOLDER))


def test_patches_are_pairs_that_lie_side_by_side(script: Any, tmp_path: Path) -> None:
    image = np.arange(256 * 300, dtype=np.float32).reshape(1, 256, 300)
    mask = (image[0] % 7 == 0).astype(np.uint8)

    script.write_patches(tmp_path, 5000, image, mask, -9999.0, ("velocity",))

    pairs = find_pairs(tmp_path / "images", tmp_path / "masks")
    assert [pair.number for pair in pairs] == [5000, 5001, 5002, 5003]
    with rasterio.open(pairs[3].image) as patch, rasterio.open(pairs[3].mask) as truth:
        np.testing.assert_array_equal(patch.read(1), image[0, 128:, 128:256])
        np.testing.assert_array_equal(truth.read(1), mask[128:, 128:256])
        assert (patch.nodata, truth.nodata, patch.descriptions) == (-9999.0, None, ("velocity",))
        assert patch.transform == truth.transform
        assert (patch.transform.c, patch.transform.f) == (437_200.0 + 1280, 5_108_600.0 - 1280)
        assert "ynthetic" in patch.tags()["NOTE"]


def test_no_valley_is_in_two_parts_and_the_sample_is_in_none(script: Any) -> None:
    seeds = [*script.TRAIN, *script.TUNE, *script.VALIDATION]
    assert len(set(seeds)) == len(seeds)
    assert script.SEED not in seeds


@pytest.mark.parametrize("more", [("--train", "20240917"), ("--train", "101"), ("--tune", "7", "7")])
def test_seeds_that_would_let_a_model_see_what_it_is_asked_are_refused(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "argv", ["make_training.py", "--out", str(tmp_path / "out"), *more])
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["insar-fcos", "dem-fcos"])
def test_descriptions_name_the_folders_that_the_script_makes(name: str) -> None:
    config = TrainConfig.read(CONFIGS / f"{name}.toml")
    kind = {"insar-fcos": "velocity", "dem-fcos": "relief"}[name]
    data = config.data
    assert (data.images, data.tune_images, data.validation_images) == tuple(
        f"{kind}/{part}/images" for part in ("train", "tune", "validation")
    )
    assert config.bands == {"velocity": ("velocity",), "relief": ("hillshade", "slope", "position")}[kind]
    assert "ynthetic" in data.title + data.citation
