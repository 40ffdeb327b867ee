"""What may make a result wrong is told from what says how a scene was read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.learning.preprocessing import preprocess
from core.raster.scene import Scene
from core.report.cautions import is_warning
from tests.factories import ramp, tiny_spec, write_raster


@pytest.fixture
def deep(tmp_path: Path) -> Scene:
    """Three bands of 16 bits that the file does not name, 10 m per pixel."""
    row = np.arange(1001, dtype=np.uint16).reshape(7, 143)
    return Scene.open(write_raster(tmp_path / "deep.tif", np.stack([row, row + 100, row + 200])))


def test_what_was_guessed_or_does_not_fit_is_a_warning(deep: Scene, tmp_path: Path) -> None:
    flat = Scene.open(write_raster(tmp_path / "flat.tif", ramp(20, 30), crs=None, transform=None))
    aerial = {"ground_distance": None, "sensor": "Aerial, 0.2-0.9 m"}
    notes = {
        *preprocess(deep, tiny_spec(ground_distance=10.0), stretch="none").notes,
        *preprocess(deep, tiny_spec(ground_distance=25.0), resample="none").notes,
        *preprocess(deep, tiny_spec(**aerial)).notes,
        *preprocess(flat, tiny_spec(ground_distance=10.0)).notes,
    }
    weighty = sorted(note for note in notes if is_warning(note))
    assert len(weighty) >= 4, notes
    for words in ("used unchanged", "not resampled", "much finer", "pixel size is unknown"):
        assert any(words in note for note in weighty), (words, notes)


def test_how_a_scene_was_read_is_none(deep: Scene) -> None:
    notes = preprocess(deep, tiny_spec(ground_distance=20.0)).notes
    assert any("resampled" in note for note in notes)
    stretched = [note for note in notes if "were rescaled" in note or "was resampled from" in note]
    assert len(stretched) == 2
    assert not any(map(is_warning, stretched))
    assert not is_warning("This scene is synthetic: made by a script, not by a satellite.")
