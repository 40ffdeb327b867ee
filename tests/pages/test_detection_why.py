"""Why a box was found, and its outline, on the detection page without a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.runs.store import Store
from core.tasks.detection.run import Request, run_detection
from tests.factories import found_ids, make_detector_model, tiny_spec, write_model, write_raster
from tests.pages.test_mapping import press, texts


@pytest.fixture
def page(repository: Path, store: Store, models: Path, tmp_path: Path) -> AppTest:
    """The page with a finished detection of two red rectangles open."""
    from core.raster.scene import Scene

    make_detector_model(models)
    write_model(models, tiny_spec("red", ground_distance=10.0))
    write_model(models, tiny_spec("aerial", sensor="Aerial"))
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 80:94] = 240
    result = run_detection(store, Scene.open(write_raster(tmp_path / "scene.tif", values)), Request("bright"))
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=240)
    test.switch_page("../pages/detection.py")
    test.query_params["run"] = result.id
    return test


def test_the_chosen_box_is_explained_and_outlined_in_place(page: AppTest, store: Store) -> None:
    (detection,) = store.runs()
    page.session_state["detection-tab"] = "Why"
    page.run()
    assert not page.exception
    assert "Choose a detection on the map" in texts(page)

    page.session_state[f"selected-{detection.id}"] = second = found_ids(store, detection.id)[1]
    page.run()
    assert f"Why was detection {second} found?" in texts(page)
    press(page, "Explain")

    assert not page.exception
    (why,) = store.children(detection.id, "explanation")
    assert page.query_params["why"] in (why.id, [why.id])
    assert why.parameters["target"]["box"] == [80, 70, 94, 78]
    shown = texts(page)
    assert f"Detection {second}, HiResCAM" in shown
    assert "Red areas raised the score, blue areas lowered it." in shown

    # Asked again, the answer is the one that is known.
    press(page, "Explain")
    assert len(store.children(detection.id, "explanation")) == 1

    page.session_state["detection-tab"] = "Findings"
    page.run()
    (offered,) = [box for box in page.selectbox if box.label == f"Outline detection {second} with"]
    assert offered.options == ["Tiny red"]
    assert "much finer images (Aerial)" in texts(page)
    press(page, "Outline")
    assert not page.exception
    (outline,) = store.children(detection.id, "outline")
    assert outline.metrics["box_share"] == 1
    assert "mapped in this box, 100 % of it" in texts(page)
