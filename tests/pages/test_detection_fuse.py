"""Fusing on the page: from a detection, over a search of its elevation, to boxes with the scores of a tree."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.raster.relief import RELIEF_BANDS
from core.raster.write import write_array
from core.runs.records import SceneRecord
from core.runs.store import Store
from core.tasks.detection.fusion import FusionTree, Node
from tests.factories import detector_spec, make_detector_model, write_raster
from tests.pages.test_mapping import labels, press, texts

SHAPE = (100, 120)
TREE = FusionTree(
    "by-slope",
    "Made by hand.",
    0.3,
    0.5,
    (Node("slope", 15.0, 1, 2), Node(probability=0.1, boxes=9), Node(probability=0.9, boxes=5)),
    {"places": ["one", "two", "three"]},
)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> SceneRecord:
    """A bright patch on the slope and one on the plain; the elevation is known, and what is a landslide."""
    image = np.zeros((3, *SHAPE), np.uint8)
    image[0, 20:30, 10:25] = 250
    image[0, 60:70, 80:95] = 250
    reference = np.zeros(SHAPE, np.uint8)
    reference[20:30, 10:25] = 1
    path = write_raster(tmp_path / "scene.tif", image)
    record = store.add_scene(path, "scene.tif")
    height = np.repeat(np.minimum(np.arange(120.0), 40.0)[None] * 8.0, 100, axis=0).astype(np.float32)
    write_array(tmp_path / "dem.tif", record.scene.grid, height)
    write_raster(tmp_path / "truth.tif", reference)
    return store.add_scene(
        path, "scene.tif", reference=tmp_path / "truth.tif", dem=tmp_path / "dem.tif", origin="test", synthetic=True
    )


@pytest.fixture
def page(repository: Path, models: Path, store: Store, scene: SceneRecord) -> AppTest:
    """The Compare tab of a detection, with a detector of the image and one of the ground, and a tree."""
    make_detector_model(models, detector_spec("eye", scores={"validation": {"ap50": 0.5}}))
    make_detector_model(models, detector_spec("foot", bands=RELIEF_BANDS))
    (models / "fusion").mkdir()
    (models / "fusion" / "by-slope.json").write_text(json.dumps(TREE.to_json()), encoding="utf-8")
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    test.switch_page("../pages/detection.py")
    test.query_params["scene"] = scene.id
    press(test.run(), "Detect landslides")
    test.session_state["detection-tab"] = "Compare"
    return test.run()


def sound(page: AppTest) -> AppTest:
    assert not page.exception
    assert not page.error
    return page


def test_the_elevation_is_searched_and_both_are_fused_into_a_run_of_their_own(page: AppTest, store: Store) -> None:
    press(page, "Run on the elevation model")
    (first, second) = store.runs()
    assert (first.model, first.subject.name) == ("foot", "Terrain of scene.tif")
    assert second.metrics["boxes"] == 2

    press(sound(page), "Combine detections")
    press(sound(page), "Open combined run")
    (fused,) = store.children(second.id, "fused")
    assert page.query_params["run"] in (fused.id, [fused.id])
    # What lies on the plain has a chance of one in ten, and does not count.
    assert fused.metrics["boxes"] == 1

    page.session_state["detection-tab"] = "Compare"
    sound(page.run())
    assert "Made by hand." in texts(page)
    tables = [frame.value for frame in page.dataframe]
    rules = next(table for table in tables if "Condition" in table)
    assert list(rules["Condition"]) == ["mean slope (°) > 15", "mean slope (°) ≤ 15"]
    assert list(rules["Landslide probability"]) == ["90 %", "10 %"]
    scores = next(table for table in tables if "AP50" in table)
    assert list(scores["Precision"])[::2] == ["0.500", "1.000"]


def test_every_tab_of_a_fused_run_can_be_opened(page: AppTest, store: Store) -> None:
    press(page, "Run on the elevation model")
    press(page, "Combine detections")
    (fused,) = (run for run in store.runs() if run.kind == "fused")
    page.query_params["run"] = fused.id
    for tab in ("Findings", "Scores", "Why", "Compare", "Export", "Provenance"):
        page.session_state["detection-tab"] = tab
        sound(page.run())
    assert "by-slope" in texts(page)


def test_what_is_missing_is_said_with_what_would_mend_it(page: AppTest, models: Path, scene: SceneRecord) -> None:
    (models / "detection" / "foot" / "model.toml").unlink()
    assert "No terrain detector" in texts(sound(page.run()))
    assert "Run on the elevation model" not in labels(page)


def test_words_of_a_tree_are_no_markup(page: AppTest, models: Path) -> None:
    press(page, "Run on the elevation model")
    spoilt = replace(TREE, summary="<script>alert(1)</script> **bold**")
    (models / "fusion" / "by-slope.json").write_text(json.dumps(spoilt.to_json()), encoding="utf-8")
    sound(page.run())
    assert not any("<script>" in part.value or "**bold**" in part.value for part in page.caption)


def test_a_spoilt_tree_is_refused_and_the_rest_goes_on(page: AppTest, models: Path) -> None:
    press(page, "Run on the elevation model")
    (models / "fusion" / "by-slope.json").write_text("{}", encoding="utf-8")
    page.run()
    assert not page.exception
    assert any("decision tree" in error.value for error in page.error)
    assert "No other detector can be run on this image as it is." in texts(page)
