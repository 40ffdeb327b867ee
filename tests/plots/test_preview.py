"""Small pictures of images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError
from core.figures.preview import LONGEST, preview
from core.plots.colours import REFERENCE


def saved(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values).save(path)
    return path


def test_a_preview_shows_the_image_and_the_edges_of_its_landslides(tmp_path: Path) -> None:
    image = saved(tmp_path / "image.png", np.full((120, 480, 3), (40, 120, 60), np.uint8))
    truth = np.zeros((120, 480), np.uint8)
    truth[40:80, 96:192] = 255  # 3,840 of 57,600 pixels
    found = preview(image, saved(tmp_path / "truth.png", truth))
    assert found.share == pytest.approx(3840 / 57600, abs=0.01)
    picture = Image.open(io.BytesIO(found.picture))
    assert picture.size == (LONGEST, 60)
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(pixels[5:15, 150:200] - (40, 120, 60)).max() < 12
    blue = np.array([int(REFERENCE[at : at + 2], 16) for at in (1, 3, 5)])
    assert np.abs(pixels[20, 55:90] - blue).mean() < 40  # lossy, a line of one pixel
    assert np.abs(pixels[30, 70:75] - (40, 120, 60)).max() < 25, "the inside is not covered"


def test_a_damaged_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(InputError):
        preview(tmp_path / "image.png", tmp_path / "image.png")
