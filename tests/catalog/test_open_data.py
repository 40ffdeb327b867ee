"""The open-data catalogue: what it offers, under which terms, and that masks become truth."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.catalog.open_data import MANIFEST, OpenPair, data_sets, fetch, open_pair, open_pairs
from core.catalog.reference import read_mask
from core.errors import InputError


def manifest() -> list[dict[str, str]]:
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_patches_and_aerial_images_are_offered_in_pairs() -> None:
    assert Counter(pair.data_set.id for pair in open_pairs()) == {
        "landslide4sense_rgb": 24,
        "sichuan_aerial1024": 6,
    }
    assert len({pair.id for pair in open_pairs()}) == 30
    for pair in open_pairs():
        number = re.search(r"\d+$", pair.id)
        assert number is not None
        assert re.search(r"(\d+)\.png$", pair.image.name)[1] == number[0]
        assert re.search(r"(\d+)\.png$", pair.mask.name)[1] == number[0]


def test_every_address_is_pinned_to_a_commit_over_https() -> None:
    for row in manifest():
        assert re.match(r"https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{40}/", row["address"])
        assert re.fullmatch(r"[0-9a-f]{64}", row["sha256"])
        assert int(row["bytes"]) > 0
        assert ".." not in Path(row["mirror_path"]).parts


def test_licence_citation_and_caution_come_with_every_data_set() -> None:
    described = data_sets()
    assert {row["dataset"] for row in manifest()} == set(described)
    for name, entry in described.items():
        assert {row["licence"] for row in manifest() if row["dataset"] == name} == {entry.licence}
        assert entry.citation
        assert entry.caution
    assert open_pair("landslide4sense-1045").data_set.split == "validation"


def test_an_unknown_image_is_named_in_the_message() -> None:
    with pytest.raises(InputError, match="atlantis"):
        open_pair("atlantis")


@pytest.mark.parametrize("kind", ["satellite_pair", "aerial_pair"])
def test_white_and_magenta_masks_become_the_same_truth(
    kind: str, true_mask: np.ndarray, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    pair: OpenPair = request.getfixturevalue(kind)
    fetched = fetch(pair, tmp_path / "cache")
    with Image.open(fetched.reference) as reference:
        assert reference.mode == "L"
        assert np.array_equal(np.asarray(reference), np.where(true_mask, 255, 0))
    assert fetched.image.read_bytes()
    assert fetch(pair, tmp_path / "cache") == fetched


def test_progress_runs_over_both_files(satellite_pair: OpenPair, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch(satellite_pair, tmp_path / "cache", lambda done, total: seen.append((done, total)))
    assert seen[-1] == (satellite_pair.size_bytes, satellite_pair.size_bytes)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_cache_lies_in_the_home_folder(
    satellite_pair: OpenPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path / "home"))
    assert fetch(satellite_pair).image.is_relative_to(tmp_path / "home" / "open_data")


def test_a_transparent_pixel_is_no_landslide(tmp_path: Path) -> None:
    pixels = np.full((2, 2, 4), 255, dtype=np.uint8)
    pixels[0, 0, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").tolist() == [[False, True], [True, True]]


@pytest.mark.realdata
def test_every_pair_comes_through_the_mirror(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = shared_data / "open"
    if not mirror.is_dir():
        pytest.skip("the mirror of original files (data/open) is not here")
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(mirror))
    tidied = {
        "landslide4sense_rgb": "validation/masks/mask_{}.png",
        "sichuan_aerial1024": "masks/Landslide{}.png",
    }
    for pair in open_pairs():
        fetched = fetch(pair, tmp_path / "cache")
        with Image.open(fetched.image) as image, Image.open(fetched.reference) as reference:
            assert image.size == reference.size
            assert set(np.unique(reference)) == {0, 255}
            # The same masks, tidied to one band by other hands.
            place = (
                shared_data / pair.data_set.id / tidied[pair.data_set.id].format(pair.id.rsplit("-", 1)[1])
            )
            if place.is_file():
                with Image.open(place) as other:
                    assert np.array_equal(np.asarray(reference), np.asarray(other))
