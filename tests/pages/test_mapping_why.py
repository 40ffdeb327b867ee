"""Why a place was mapped, on the mapping page without a browser: the same controls as for a box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import core.jobs.jobs
from core.jobs.jobs import InlineJobs
from core.raster.scene import Scene
from core.runs.store import Store
from core.tasks.mapping.run import Request, run_mapping
from tests.factories import deep_weights, found_ids, tiny_spec, write_model, write_raster


@pytest.fixture
def page(
    repository: Path, store: Store, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    """The page with a finished mapping of one red rectangle open at the tab Why, its landslide chosen."""
    monkeypatch.setattr(core.jobs.jobs, "override", InlineJobs(store))
    write_model(models, tiny_spec("deep", encoder="deep"), deep_weights())
    values = np.full((3, 60, 70), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    scene = Scene.open(write_raster(tmp_path / "scene.tif", values))
    result = run_mapping(store, scene, Request("deep", engine="torch"))
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=240)
    test.switch_page("../pages/mapping.py")
    test.query_params["run"] = result.id
    test.session_state["mapping-tab"] = "Why"
    test.session_state[f"selected-{result.id}"] = found_ids(store, result.id)[0]
    return test.run()


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()


def choose_method(page: AppTest, name: str) -> None:
    next(one for one in page.selectbox if one.label == "Method").select(name).run()


def texts(page: AppTest) -> str:
    return "\n".join(part.value for part in (*page.markdown, *page.caption, *page.info))


def captions(page: AppTest) -> list[str]:
    return [one.caption for group in page.get("image") for one in group.proto.imgs]


def test_a_landslide_is_explained_by_any_method_at_once_or_by_a_job(page: AppTest, store: Store) -> None:
    (mapping,) = store.runs()
    assert f"Why was landslide {found_ids(store, mapping.id)[0]} mapped?" in texts(page)
    method = next(one for one in page.selectbox if one.label == "Method")
    assert (method.value, list(method.options)) == ("grad-cam", ["Grad-CAM", "HiResCAM", "Occlusion"])

    choose_method(page, "hires-cam")
    press(page, "Explain")
    assert not page.exception
    assert f"**Explanation shown: Landslide {found_ids(store, mapping.id)[0]}, HiResCAM**" in texts(page)
    assert "Image with the landslide outlined" in captions(page)
    key = next(one.proto.body for one in page.get("html") if "Effect on the score" in one.proto.body)
    assert key.index("lowered it") < key.index("none") < key.index("raised it")
    assert "Red areas raised the score, blue areas lowered it." in texts(page)

    press(page, "Calculate the curves")
    assert not page.exception
    measured = store.children(mapping.id, "explanation")[0]
    assert store.provenance(measured.id)["curves"]
    assert page.query_params["why"] in (measured.id, [measured.id])
    assert "Calculate the curves" not in [button.label for button in page.button]
    store.delete(measured.id)

    choose_method(page, "occlusion")
    assert "as a background job" in texts(page)
    press(page, "Explain")
    assert not page.exception
    assert f"Landslide {found_ids(store, mapping.id)[0]}, Occlusion" in texts(page)
    made = store.children(mapping.id, "explanation")
    assert [(run.status, run.parameters["method"]) for run in made] == [("done", "occlusion"), ("done", "hires-cam")]

    # Asked again, the answer is the one that is known.
    press(page, "Explain")
    assert len(store.children(mapping.id, "explanation")) == 2
