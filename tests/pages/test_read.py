"""The reading view without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.perform import perform
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping import findings
from core.tasks.mapping.report import subject
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, order_of
from tests.factories import deep_weights, found_ids, keep, made_run, ramp, tiny_spec, write_model, write_raster

HOSTILE = "<img src=x onerror=alert(1)> [a](b)"


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/read.py")


def one_slide() -> np.ndarray:
    """A landslide of 20 pixels of 10 m, so 2,000 m², at probability 0.8, of 600 pixels."""
    probability = np.zeros((20, 30))
    probability[4:8, 5:10] = 0.8
    return probability


def read(page: AppTest, run: str, **address: str) -> AppTest:
    page.query_params["run"] = run
    for name, value in address.items():
        page.query_params[name] = value
    return page.run()


def written(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.error, page.warning, page.subheader, page.title)
    return "\n".join(part.value for kind in kinds for part in kind)


def texts(page: AppTest) -> str:
    return written(page).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def test_a_run_begins_with_what_was_found(page: AppTest, store: Store, tmp_path: Path) -> None:
    run = keep(store, replace(made_run(tmp_path / "a", one_slide()), model="red"))
    store.label(run.id, name="North slope", note="Go and see.")
    read(page, run.id)
    assert not page.exception
    assert not page.error
    assert page.title[0].value == "North slope"
    assert "The model maps 1 landslide, " in texts(page)
    assert "at threshold 0.50" in texts(page)
    assert "with the model “" in texts(page)
    assert "Go and see." in texts(page)
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Mapped landslides"] == "1"
    assert "1,9" in figures["Mapped area"] or "2,0" in figures["Mapped area"]  # a UTM pixel is not quite 100 m²
    assert page.table[0].value.iloc[0, 0] == found_ids(store, run.id)[0]


def test_there_is_nothing_to_press_or_choose(page: AppTest, store: Store, tmp_path: Path) -> None:
    read(page, keep(store, made_run(tmp_path / "a", one_slide(), reference=(one_slide() > 0).astype(np.uint8))).id)
    main = page.main  # beside the language, which is chosen in the sidebar
    controls = (main.button, main.slider, main.selectbox, main.number_input, main.text_input, main.checkbox, main.tabs)
    assert not any(len(kind) for kind in controls)


def test_the_threshold_in_the_address_counts(page: AppTest, store: Store, tmp_path: Path) -> None:
    run = keep(store, made_run(tmp_path / "a", one_slide()))
    read(page, run.id, threshold="0.9")
    assert not page.error
    assert "The model maps no landslide" in texts(page)
    assert "at threshold 0.90" in texts(page)


@pytest.mark.parametrize(
    ("value", "words"), [("high", "not a number"), ("1.5", "not between 0 and 1"), ("nan", "0 and 1")]
)
def test_a_threshold_that_is_none_is_refused(
    page: AppTest, store: Store, tmp_path: Path, value: str, words: str
) -> None:
    read(page, keep(store, made_run(tmp_path / "a", one_slide())).id, threshold=value)
    assert not page.exception
    assert any(words in error.value for error in page.error)


@pytest.mark.parametrize("placement", ["without CRS", "geographic"])
def test_runs_on_any_grid_can_be_read(page: AppTest, store: Store, tmp_path: Path, placement: str) -> None:
    read(page, keep(store, made_run(tmp_path / "a", one_slide(), placement)).id)
    assert not page.exception
    assert not page.error
    if placement == "without CRS":
        assert {metric.label: metric.value.split() for metric in page.metric}["Mapped area"] == ["20", "px"]


def test_rasters_too_large_for_polygons_can_be_read(
    page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (findings, subject):
        monkeypatch.setattr(module, "LARGEST", 100)
    read(page, keep(store, made_run(tmp_path / "a", one_slide())).id)
    assert not page.exception
    assert not page.error
    assert "too many to outline directly" in texts(page)
    assert "Mapped landslides" not in {metric.label for metric in page.metric}


def test_scores_are_said_in_words(page: AppTest, store: Store, tmp_path: Path) -> None:
    reference = np.zeros((20, 30), np.uint8)
    reference[4:8, 5:15] = 1
    read(page, keep(store, made_run(tmp_path / "a", one_slide(), reference=reference)).id)
    assert not page.error
    # Twice as much is landslide as is mapped, and all that is mapped is.
    assert "Of 100 landslide pixels in the reference, 50 were mapped." in texts(page)


def test_warnings_stand_before_all_else(page: AppTest, store: Store, tmp_path: Path) -> None:
    told = {"scene": {"synthetic": True, "seen_by_model": True}, "model": {"threshold": 0.5}}
    read(page, keep(store, replace(made_run(tmp_path / "a", one_slide()), provenance=told)).id)
    words = "\n".join(warning.value for warning in page.warning)
    assert "Synthetic image" in words
    assert "selected on this image" in words


def test_explanations_so_far_are_shown(page: AppTest, store: Store, models: Path, tmp_path: Path) -> None:
    from core.tasks.mapping.run_explanation import explain, layers_of

    write_model(models, tiny_spec("red", encoder="deep", tile=64), deep_weights())
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(48, 64)), "scene.tif")
    run = store.order(order_of(scene, Request("red")))
    perform(store, run, worker="tests")
    explained = explain(store, store.result(run, MappingResult), (20, 20), layers_of("red")[1].name)
    read(page, run)
    assert not page.exception
    assert not page.error
    assert explained.notes[0].split(".")[0] in texts(page)
    assert "Explanation 1" in texts(page)


def test_a_run_whose_scene_is_gone_can_still_be_read(page: AppTest, store: Store, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "scene.tif", ramp(20, 30))
    run = keep(store, made_run(tmp_path / "a", one_slide()), store.add_scene(path, "scene.tif").id)
    path.unlink()
    read(page, run.id)
    assert not page.exception
    assert not page.error
    assert "The model maps 1 landslide" in texts(page)


def test_what_cannot_be_read_says_why(page: AppTest, store: Store, tmp_path: Path) -> None:
    run = keep(store, made_run(tmp_path / "a", one_slide()))
    child = keep(store, replace(made_run(tmp_path / "c", one_slide()), kind="explanation"), parents=(run.id,))
    waiting = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    cancelled = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    store.cancel(cancelled)

    assert "still in progress" in texts(read(page, waiting))
    assert "has no result. The run was cancelled." in texts(read(page, cancelled))
    assert "cannot be shown in the reading view" in texts(read(page, child.id))
    assert "not in the store" in texts(read(page, "0" * 32))
    assert "No such run" in texts(read(page, "<script>"))
    # Nobody is left before a bare message.
    assert [title.value for title in page.title] == ["Reading view"]
    run.artifact("probability").unlink()
    assert "no longer on disk" in texts(read(page, run.id))
    assert not page.exception


def test_a_report_can_be_taken_along(page: AppTest, store: Store, tmp_path: Path) -> None:
    run = keep(store, made_run(tmp_path / "a", one_slide()))
    read(page, run.id)
    assert not page.get("link_button")
    made = tmp_path / "report.html"
    made.write_text("<p>", encoding="utf-8")
    store.add_artifact(run.id, "report", made)
    page.run()
    (link,) = page.get("link_button")
    assert link.proto.url == f"/artifacts/{run.id}/report"


def test_without_a_run_the_way_to_one_is_shown(page: AppTest) -> None:
    page.run()
    assert not page.error
    assert "No run selected." in texts(page)


def test_texts_of_users_are_text(page: AppTest, store: Store, tmp_path: Path) -> None:
    run = keep(store, replace(made_run(tmp_path / "a", one_slide(), scene=HOSTILE), model=HOSTILE))
    store.label(run.id, name=HOSTILE, note=HOSTILE)
    read(page, run.id)
    assert not page.exception
    assert HOSTILE in texts(page)
    assert HOSTILE not in written(page)
    assert not any(part.allow_html for part in page.markdown)
