"""The detection page without a browser: what it offers, what the sliders do, what it says when something is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.jobs import InlineJobs
from core.jobs.perform import request_of
from core.runs.records import Failure, Progress, SceneRecord
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import Request, order_of
from core.tasks.imagery.inputs import inputs_of
from core.tasks.imagery.result import image_inputs
from tests.factories import detector_spec, found_ids, made_detection, make_detector_model, write_raster
from tests.pages.test_mapping import labels, links, metrics, on_map, press, texts

SHAPE = (100, 120)
FOUND = Boxes.of(
    [(10, 10, 20, 20), (11, 10, 21, 20), (40, 40, 60, 50), (80, 70, 90, 90), (100, 5, 104, 9)],
    [0.9, 0.8, 0.7, 0.45, 0.2],
)
"""Two of them are of one place: four boxes, of which the second surest and the last are in no reference."""

TRUE = Boxes.of([(10, 10, 20, 20), (80, 70, 90, 90), (30, 80, 60, 95)])
"""The last is found by none."""


@pytest.fixture
def page(repository: Path, store: Store, models: Path) -> AppTest:
    """The page with a detector of bright patches, and an empty store."""
    make_detector_model(models, detector_spec())
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/detection.py")


def bright(path: Path, **options: Any) -> Path:
    """A black image with a bright patch at rows 20–29, columns 30–44, and a smaller one."""
    image = np.zeros((3, *SHAPE), np.uint8)
    image[0, 20:30, 30:45] = 250
    image[0, 60:66, 80:90] = 180
    return write_raster(path, image, **options)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> SceneRecord:
    return store.add_scene(bright(tmp_path / "scene.tif"), "scene.tif")


def kept(
    store: Store, scene: SceneRecord, folder: Path, found: Boxes = FOUND, reference: Boxes | None = None, **more: Any
) -> DetectionResult:
    """A finished detection of a scene with boxes made by hand, at confidence 0.5 and NMS IoU 0.5."""
    made = made_detection(folder, found, shape=scene.scene.grid.shape, reference=reference)
    told = {
        "scene": {"name": "scene.tif", "digest": scene.scene.digest, "seen_by_model": False, "licence": "",
                  "citation": ""},
        "model": {"name": "bright", "family": "bright", "weights_sha256": "0" * 64, "threshold": 0.5, "nms_iou": 0.5},
        "runtime": {"name": "PyTorch", "threads": 1},
        "finished": "now",
        "seconds": 1.5,
        "parameters": {"model": "bright", "bands": [1, 2, 3], "stretch": "auto", "resample": "auto", "area": None,
                       "options": {"overlap": 0.25, "batch": None, "floor": 0.1, "limit": 300}},
    }  # fmt: skip
    result = replace(
        made, grid=scene.scene.grid, inputs=inputs_of(scene), model="bright", provenance=told, **more
    )  # fmt: skip
    run = store.order(order_of(scene, Request("bright")))
    assert store.claim(run, server="tests", worker="tests")
    store.finish(run, result)
    return store.result(run, DetectionResult)


def opened(page: AppTest, run: str, **more: str) -> AppTest:
    for name, value in {"run": run, **more}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert not page.error
    return page


def slider(page: AppTest, label: str) -> Any:
    return next(one for one in page.slider if one.label == label)


def updates(page: AppTest) -> dict[str, Any]:
    """Layers of outlines that the map is told to show, by their names."""
    return {layer["name"]: layer for layer in on_map(page)["vectors"]}


def test_the_empty_page_offers_the_sample_and_one_press_loads_it(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert not page.error
    assert page.title[0].value == "Landslide detection"
    assert "Detect landslides" not in labels(page)
    press(page, "Start with the sample valley")
    assert "Mountain valley after the event" in texts(page)
    assert "Detect landslides" in labels(page)


def test_a_press_finds_the_bright_patches(page: AppTest, store: Store, scene: SceneRecord) -> None:
    page.query_params["scene"] = scene.id
    press(page.run(), "Detect landslides")
    assert not page.exception
    assert not page.error
    assert metrics(page)["Detections"] == "2"
    (run,) = store.runs()
    assert (run.task, run.kind, run.status) == ("detection", "detection", "done")
    assert page.query_params["run"] in (run.id, [run.id])
    assert "the accuracy of this result is unknown" in texts(page)
    assert "Distance from the training images: not measured. The model" in texts(page)


def test_confidence_and_overlap_act_at_once_on_stored_candidates(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    run = kept(store, scene, tmp_path / "made").id
    opened(page, run)
    # Of the five candidates two are below 0.5, and two are of one place.
    assert metrics(page)["Detections"] == "2"
    slider(page, "Confidence threshold").set_value(0.4).run()
    assert metrics(page)["Detections"] == "3"
    slider(page, "NMS IoU").set_value(0.95).run()
    assert metrics(page)["Detections"] == "4"
    next(box for box in page.selectbox if box.label == "Merge overlapping boxes").set_value("fusion").run()
    assert metrics(page)["Detections"] == "4"
    assert not page.error
    assert len(store.runs()) == 1


def test_the_sliders_stand_in_the_address(page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path) -> None:
    run = kept(store, scene, tmp_path / "made").id
    opened(page, run, confidence="0.15", overlap="0.95", merging="Mean box (WBF)")
    assert slider(page, "Confidence threshold").value == 0.15
    assert slider(page, "NMS IoU").value == 0.95
    assert metrics(page)["Detections"] == "5"


def test_boxes_are_coloured_by_confidence_and_by_outcome(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    run = kept(store, scene, tmp_path / "made", reference=TRUE).id
    opened(page, run, confidence="0.4")
    boxes = updates(page)["Detections (boxes)"]
    colours = [feature["properties"]["colour"] for feature in boxes["features"]["features"]]
    assert len(set(colours)) == 3
    assert boxes["legend"]["title"] == "Confidence"
    assert [entry["label"] for entry in boxes["legend"]["entries"] if entry["label"]] == ["0", "0.45", "0.9"]
    assert updates(page)["Detections per km²"]["legend"]["kind"] == "ramp"

    layers = updates(page)
    compared = layers["Reference check"]
    assert compared["switch"] == layers["Missed"]["switch"] == "Correct, false alarm, missed"
    assert not compared["visible"]
    colours = [feature["properties"]["colour"] for feature in compared["features"]["features"]]
    assert colours == ["#009E73", "#E69F00", "#009E73"]
    assert [feature["properties"]["id"] for feature in layers["Missed"]["features"]["features"]] == [3]


def test_scores_count_right_false_and_missed_boxes(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    run = kept(store, scene, tmp_path / "made", reference=TRUE).id
    page.session_state["detection-tab"] = "Scores"
    opened(page, run, confidence="0.4")
    assert "Correct: **2** · False alarms: **1** · Missed: **1**" in texts(page)
    assert metrics(page)["Precision"] == metrics(page)["Recall"] == "0.667"
    # One right, one wrong, one right of three: precision 1 up to recall 1/3, 2/3 up to recall 2/3.
    assert metrics(page)["AP50"] == f"{(34 * 1 + 33 * 2 / 3) / 101:.3f}"
    pictures = [one.caption for part in page.get("image") for one in part.proto.imgs]
    assert pictures == ["No. 3 of the reference, 45,036 m²", f"Detection {found_ids(store, run)[1]}, confidence 0.70"]


def test_a_row_of_the_table_chooses_its_box_on_the_map(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    run = kept(store, scene, tmp_path / "made").id
    second = found_ids(store, run)[1]
    page.session_state[f"selected-{run}"] = second
    page.session_state[f"chosen-in-{run}"] = "chart"
    opened(page, run)
    row = list(page.dataframe[0].value["id"]).index(second)
    assert row > 0
    assert page.session_state[f"table-{run}"]["selection"]["rows"] == [row]
    assert f'<i data-row="{row}"' in "".join(one.proto.body for one in page.get("html"))
    assert on_map(page)["selected"] == [second]
    assert on_map(page)["focus"]
    assert f"**Selected detection {second}** · confidence 0.70 · box area 20,016 m²" in texts(page)
    slider(page, "Confidence threshold").set_value(0.75).run()
    assert f"**Selected detection {second}** · not among what the model found at the current settings" in texts(page)
    assert on_map(page)["selected"] == []
    slider(page, "Confidence threshold").set_value(0.6).run()
    assert on_map(page)["selected"] == [second]
    press(page, "Clear selection")
    assert "Selected box" not in texts(page)
    assert on_map(page)["selected"] == []
    assert page.session_state[f"table-{run}"]["selection"]["rows"] == []
    assert '<i data-row=""' in "".join(one.proto.body for one in page.get("html"))


def test_of_very_many_boxes_the_surest_are_held_and_the_page_says_so(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.detection.layers.HELD", 2)
    monkeypatch.setattr("ui.detection.layers.DRAWN", 1)
    run = kept(store, scene, tmp_path / "made").id
    opened(page, run, confidence="0.1")
    assert "The map holds the 2 of 4 detections with the highest confidence" in texts(page)
    boxes = updates(page)["Detections (boxes)"]
    assert len(boxes["features"]["features"]) == 2
    assert boxes["most"] == 1


def test_two_detectors_stand_side_by_side(page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path) -> None:
    run = kept(store, scene, tmp_path / "made", reference=TRUE).id
    theirs = Boxes.of([(10, 11, 20, 20), (30, 80, 60, 95)], [0.6, 0.9])
    other = kept(store, scene, tmp_path / "other", theirs, TRUE).id
    page.session_state["detection-tab"] = "Compare"
    opened(page, run, beside=other)
    assert metrics(page)["Found by both"] == "1"
    assert [value for name, value in metrics(page).items() if name.startswith("Only")] == ["1", "1"]
    (table,) = [frame.value for frame in page.dataframe]
    assert list(table["Detections"]) == ["2", "2"]
    assert list(table["Recall"]) == ["0.333", "0.667"]
    assert any(name.startswith("Detections of") for name in updates(page))
    press(page, "Stop comparing")
    assert "beside" not in page.query_params


def test_another_detector_is_started_from_here(
    page: AppTest, store: Store, scene: SceneRecord, models: Path, tmp_path: Path
) -> None:
    make_detector_model(models, detector_spec("second"))
    radar = {"bands": ("velocity",), "value_range": (-150.0, 150.0), "mean": (0.0,), "deviation": (1.0,)}
    make_detector_model(models, detector_spec("a-radar", scores={"validation": {"ap50": 0.99}}, **radar))
    run = kept(store, scene, tmp_path / "made").id
    page.session_state["detection-tab"] = "Compare"
    opened(page, run)
    (other,) = [box for box in page.selectbox if box.label == "Run another detector"]
    assert other.options == ["bright · Tiny second"]
    *_, fold = [part for part in page.expander if "not fit" in part.label]
    assert "has no velocity" in fold.markdown[0].value
    press(page, "Run this detector")
    assert not page.error
    newest = store.runs()[0]
    assert (newest.model, newest.status) == ("second", "done")
    assert "Found by both" in metrics(page)


def test_the_files_are_prepared_at_the_sliders_values(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    run = kept(store, scene, tmp_path / "made", reference=TRUE).id
    page.session_state["detection-tab"] = "Export"
    opened(page, run)
    press(page, "Prepare files")
    assert not page.error
    assert not page.exception
    assert f"/artifacts/{run}/candidates" in links(page)
    prepared = {path.name for path in (store.home / "exports" / run).rglob("*") if path.is_file()}
    assert prepared == {
        "missed.gpkg", "figure.png", "metrics.json", "detections_fields.csv",
        *(f"detections.{ending}" for ending in ("gpkg", "geojson", "coco.json", "csv", "shp.zip", "kml")),
    }  # fmt: skip


def test_a_run_scored_afterwards_opens_with_its_scores(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path
) -> None:
    page.query_params["scene"] = scene.id
    page.session_state["detection-tab"] = "Scores"
    press(page.run(), "Detect landslides")
    truth = np.zeros(SHAPE, np.uint8)
    truth[20:30, 30:45] = 1
    path = write_raster(tmp_path / "truth.tif", truth)
    uploader = [one for one in page.get("file_uploader") if one.label == "Reference inventory"][-1]
    uploader.upload("truth.tif", path.read_bytes(), "image/tiff").run()
    press(page, "Score against this reference")
    assert not page.exception
    assert not page.error
    assert store.runs()[0].kind == "scored"
    assert (metrics(page)["Precision"], metrics(page)["Recall"]) == ("0.500", "1.000")


def test_without_a_scene_band_it_is_refused_in_sight_of_the_button(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    path = write_raster(tmp_path / "grey.tif", np.zeros((64, 64), np.uint8))
    page.query_params["scene"] = store.add_scene(path, "grey.tif").id
    page.run()
    assert not page.exception
    assert any("band" in error.value for error in page.error)
    (button,) = [part for part in page.button if part.label == "Detect landslides"]
    assert button.disabled


def test_the_detector_to_begin_with_is_one_that_reads_the_scenes_bands(
    page: AppTest, store: Store, models: Path, scene: SceneRecord
) -> None:
    """The detector of radar velocity has the best score, and still does not come first for an image."""
    radar = detector_spec(
        "radar", bands=("velocity",), value_range=(-150.0, 150.0), mean=(0.0,), deviation=(1.0,),
        ground_distance=10.0, scores={"validation": {"ap50": 0.99}},
    )  # fmt: skip
    make_detector_model(models, radar)
    page.query_params["scene"] = scene.id
    page.run()
    (chosen,) = [box for box in page.selectbox if box.label == "Model"]
    assert chosen.value == "bright"
    press(page, "Detect landslides")
    assert [run.model for run in store.runs()] == ["bright"]

    (chosen,) = [box for box in page.selectbox if box.label == "Model"]
    assert chosen.options == ["bright · Tiny bright"]
    assert "has no velocity: its bands are red, green, blue" in texts(page)


def test_a_run_under_way_is_followed_and_one_that_failed_says_why(
    page: AppTest, store: Store, scene: SceneRecord
) -> None:
    run = store.order(order_of(scene, Request("bright")))
    store.claim(run, server="elsewhere", worker="one")
    store.beat(run, Progress(3, 12, "Searching tile 3 of 12"))
    page.query_params["run"] = run
    page.run()
    assert "You can close this page" in texts(page)
    store.fail(run, Failure("The disk is full.", "No room.", "Make some."))
    page.run()
    assert any("The disk is full." in error.value for error in page.error)
    press(page, "Repeat")
    assert store.runs()[0].status == "done"


def test_the_form_begins_with_what_another_run_asked(page: AppTest, store: Store, scene: SceneRecord) -> None:
    from core.tasks.detection.options import Options

    asked = Request("bright", (3, 2, 1), "1,99", "none", options=Options(0.5, batch=3))
    run = InlineJobs(store).submit(order_of(scene, asked))
    page.query_params["scene"] = scene.id
    page.query_params["like"] = run
    page.run()
    assert "3 tiles at a time" in texts(page)
    press(page, "Detect landslides")
    assert not page.error
    newest = store.runs()[0]
    assert newest.id != run
    assert request_of(newest) == asked


def test_in_pixel_space_areas_and_density_are_in_pixels(page: AppTest, store: Store, tmp_path: Path) -> None:
    scene = store.add_scene(bright(tmp_path / "scene.tif", placement="without CRS"), "scene.tif")
    run = kept(store, scene, tmp_path / "made").id
    opened(page, run)
    assert metrics(page)["Median box area"] == "150 px"
    assert "Per megapixel" in metrics(page)
    assert "Detections per megapixel" in updates(page)


def test_a_map_is_not_shown_on_this_page(page: AppTest, store: Store, scene: SceneRecord) -> None:
    from core.runs.records import Order

    run = store.order(Order("mapping", "training", {}, image_inputs("Squares")))
    page.query_params["run"] = run
    page.run()
    assert not page.exception
    assert [title.value for title in page.title] == ["Landslide mapping"]


@pytest.mark.parametrize("value", ["nonsense", "7", "-1"])
def test_a_slider_value_that_is_none_is_passed_over(
    page: AppTest, store: Store, scene: SceneRecord, tmp_path: Path, value: str
) -> None:
    run = kept(store, scene, tmp_path / "made").id
    opened(page, run, confidence=value, cell=value, beside=value)
    assert metrics(page)["Detections"] == "2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "fcos", "title": "U-Net at stride 4"}, "FCOS · U-Net at stride 4"),
        ({"architecture": "yolo", "title": "YOLO11 nano"}, "YOLO11 nano"),
        ({"architecture": "of tomorrow", "title": "New"}, "of tomorrow · New"),
    ],
)  # fmt: skip
def test_detectors_are_called_by_family_and_title(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    from core.learning.store import StoredModel
    from ui.detection.form import title

    assert title(StoredModel(replace(detector_spec(), **changes), tmp_path)) == words
