"""A mirror of two invented pairs, one masked like Landslide4Sense and one like the Sichuan set."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.catalog.fetch import RemoteFile
from core.catalog.open_data import OpenPair, data_sets

TRUE_MASK = np.zeros((6, 9), dtype=bool)
TRUE_MASK[1:3, 2:7] = True


def _publish(mirror: Path, relative: str, pixels: np.ndarray) -> RemoteFile:
    path = mirror / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    content = path.read_bytes()
    return RemoteFile(
        f"https://example.invalid/{relative}", relative, hashlib.sha256(content).hexdigest(), len(content)
    )


@pytest.fixture
def true_mask() -> np.ndarray:
    """Where both invented masks say landslide."""
    return TRUE_MASK


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(folder))
    return folder


@pytest.fixture
def satellite_pair(mirror: Path) -> OpenPair:
    """An RGBA image, and an RGBA mask that is opaque white on opaque black."""
    image = np.full((6, 9, 4), 255, dtype=np.uint8)
    image[..., :3] = np.arange(54).reshape(6, 9, 1)
    mask = np.zeros((6, 9, 4), dtype=np.uint8)
    mask[..., 3] = 255
    mask[TRUE_MASK] = 255
    data_set = replace(data_sets()["landslide4sense_rgb"], title="invented")
    return OpenPair(
        "invented-1",
        "Invented patch",
        data_set,
        _publish(mirror, "owner/name/commit/images/image_1.png", image),
        _publish(mirror, "owner/name/commit/masks/mask_1.png", mask),
    )


@pytest.fixture
def aerial_pair(mirror: Path) -> OpenPair:
    """An RGB image, and an RGB mask that is magenta on black."""
    mask = np.zeros((6, 9, 3), dtype=np.uint8)
    mask[TRUE_MASK] = (255, 0, 255)
    data_set = replace(data_sets()["sichuan_aerial1024"], title="invented")
    return OpenPair(
        "invented-2",
        "Invented aerial image",
        data_set,
        _publish(mirror, "owner/other/commit/image 2.png", mask + 1),
        _publish(mirror, "owner/other/commit/label 2.png", mask),
    )
