"""The mapping page without a browser: what it offers, and what it says when something is wrong."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.warp import transform_geom
from streamlit.testing.v1 import AppTest

from core.jobs import jobs
from core.jobs.jobs import InlineJobs
from core.jobs.perform import perform, request_of
from core.learning.metrics import Confusion
from core.runs.records import Failure, Order, Progress
from core.runs.store import Store
from core.tasks.mapping.findings import default_choice
from core.tasks.mapping.options import Options
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, order_of
from core.tasks.mapping.run_scored import rescore
from tests.factories import ramp, tiny_spec, write_model, write_raster
from ui.task.key_figures import undefined_note

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(repository: Path, store: Store, models: Path) -> AppTest:
    """Return the page with a tiny model that gives the red band back, and an empty store."""
    write_model(models, tiny_spec("red", tile=256))
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/mapping.py")


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def texts(page: AppTest) -> str:
    """All words on the page as they are read, without the marks that keep Markdown from reading them as its own."""
    return written(page).replace("\\", "")


def written(page: AppTest) -> str:
    """All Markdown on the page."""
    return "\n".join(part.value for kind in (page.markdown, page.caption, page.info, page.error) for part in kind)


def image(path: Path, **options: object) -> Path:
    """An image of 48 × 64 pixels, georeferenced, without nodata."""
    return write_raster(path, ramp(48, 64), **options)


def test_the_empty_page_offers_the_sample(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert not page.error
    assert "Start with the sample valley" in labels(page)
    assert "Use a real Sentinel-2 patch" in labels(page)
    assert "Map landslides" not in labels(page)


def test_a_real_patch_that_a_mirror_lacks_is_not_offered(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(tmp_path))
    page.run()
    assert "Start with the sample valley" in labels(page)
    assert "Use a real Sentinel-2 patch" not in labels(page)


def test_one_press_loads_the_sample_and_another_one_maps_it(page: AppTest) -> None:
    press(page.run(), "Start with the sample valley")
    assert "Mountain valley after the event" in texts(page)
    assert "Synthetic: generated, not acquired by a satellite." in texts(page)
    press(page, "Map landslides")
    assert not page.exception
    assert not page.error
    tabs = ["Findings", "Review", "Scores", "Why", "Compare", "Export", "Provenance"]
    assert [tab.label for tab in page.tabs] == tabs
    count = next(metric for metric in page.metric if metric.label == "Landslides")
    assert int(count.value.replace(",", "")) > 0
    assert page.query_params["run"]
    # What was found, and how far it is right, stand above the map.
    assert [metric.label for metric in page.metric][:6] == [
        "Landslides", "Landslide area", "Share of the image", "Precision", "Recall", "F1",
    ]  # fmt: skip
    peak, threshold = metrics(page)["▲ Highest F1"].split(" at ")
    assert float(peak) >= float(metrics(page)["F1"])
    assert next(slider for slider in page.slider if slider.label == "Threshold").max >= float(threshold)
    # The first demo is one on which the model is worth running, at its own threshold.
    assert "The colour index scored higher here" not in texts(page)
    assert "This image is synthetic" in texts(page)


def test_an_address_can_name_the_sample(page: AppTest) -> None:
    page.query_params["sample"] = "valley-after"
    page.run()
    assert not page.error
    assert "Map landslides" in labels(page)
    assert "sample" not in page.query_params  # the scene it became stands there, and a reload does not add another
    assert page.query_params["scene"]


def test_the_address_of_a_run_opens_it_at_its_threshold(page: AppTest, store: Store, tmp_path: Path) -> None:
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    page.query_params["scene"] = scene.id
    press(page.run(), "Map landslides")
    (run,) = store.runs()
    other = AppTest.from_file(page._script_path, default_timeout=120).switch_page("../pages/mapping.py")
    other.query_params["run"] = run.id
    other.query_params["threshold"] = "0.3"
    other.run()
    assert not other.exception
    assert next(slider for slider in other.slider if slider.label == "Threshold").value == pytest.approx(0.3)
    assert store.provenance(run.id)["scene"]["name"] == "scene.tif"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"scene": "0" * 32}, "This image is not in the store"),
        ({"scene": "../../etc"}, "No such dataset"),
        ({"run": "0" * 32}, "This run is not in the store"),
        ({"run": "<script>"}, "No such run"),
        ({"sample": "atlantis"}, "atlantis"),
    ],
)
def test_an_address_that_leads_nowhere_says_so_and_the_page_goes_on(
    page: AppTest, address: dict[str, str], words: str
) -> None:
    for name, value in address.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert any(words in error.value for error in page.error)
    press(page, "Start with the sample valley")
    assert not page.error
    assert "Map landslides" in labels(page)


def test_a_run_that_was_removed_says_so(page: AppTest, store: Store, tmp_path: Path) -> None:
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    page.query_params["scene"] = scene.id
    press(page.run(), "Map landslides")
    (run,) = store.runs()
    store.delete(run.id)
    page.run()
    assert not page.exception
    assert any("This run is not in the store" in error.value for error in page.error)
    assert "Start with the sample valley" in labels(page)


def test_a_scene_with_one_band_is_refused_in_sight_of_the_button(page: AppTest, store: Store, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "grey.tif", np.arange(64, dtype=np.uint8).reshape(8, 8))
    page.query_params["scene"] = store.add_scene(path, "grey.tif").id
    page.run()
    assert not page.exception
    (error,) = page.error
    assert "band" in error.value
    (button,) = [part for part in page.button if part.label == "Map landslides"]
    assert button.disabled
    assert "grey.tif" in texts(page)


def test_names_from_files_are_text(page: AppTest, store: Store, tmp_path: Path) -> None:
    bands = (f"{HOSTILE} red", "<b> green </b>", "![](http://example.org/x.png) blue")
    path = image(tmp_path / "scene.tif", descriptions=bands)
    scene = store.upload_scene(io.BytesIO(path.read_bytes()), f"{HOSTILE}.tif")
    page.query_params["scene"] = scene.id
    press(page.run(), "Map landslides")
    assert not page.exception
    assert not page.error
    assert f"{HOSTILE}.tif" in texts(page)
    assert HOSTILE not in written(page)
    assert not any(part.allow_html for part in page.markdown)


def box(page: AppTest, label: str) -> Any:
    (found,) = [one for one in page.selectbox if one.label == label]
    return found


def start(page: AppTest) -> Any:
    """The button that starts a run."""
    (button,) = [part for part in page.button if part.label == "Map landslides"]
    return button


def on_map(page: AppTest) -> dict[str, Any]:
    """What the map is told to show."""
    told = json.loads(page.get("component_instance")[0].proto.json_args)
    script = "".join(told["feature_group"]) if isinstance(told["feature_group"], list) else told["feature_group"]
    call = "slidelens.update("
    content: dict[str, Any] = json.JSONDecoder().raw_decode(script[script.index(call) + len(call) :])[0]
    return content


def picture(page: AppTest) -> str:
    """Address of the tiles of the image on the map."""
    (address,) = [str(layer["url"]) for layer in on_map(page)["tiles"] if layer["id"] == "scene"]
    return address


def test_bands_that_do_not_say_what_they_are_are_chosen_by_the_user(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    scene = store.add_scene(image(tmp_path / "scene.tif", descriptions=("b1", "b2", "b3")), "scene.tif")
    page.query_params["scene"] = scene.id
    page.run()
    assert "does not state which of its bands is red or green or blue" in texts(page)
    assert start(page).disabled
    order = box(page, "Band order")
    assert order.options == ["RGB · red, green, blue", "BGR · blue, green, red", "Choose each band"]
    order.set_value("each").run()
    assert start(page).disabled
    for role, number in {"red": 3, "green": 2, "blue": 1}.items():
        box(page, f"Band for {role}").set_value(number).run()
    press(page, "Map landslides")
    assert not page.error
    (run,) = store.runs()
    assert store.provenance(run.id)["bridge"]["bands"] == [3, 2, 1]


def test_the_order_of_unnamed_bands_is_chosen_at_once_and_the_picture_follows(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    """Of thirteen bands nothing is guessed; the map shows what the model will be given, before anything is run."""
    path = write_raster(tmp_path / "many.tif", ramp(48, 64, 13), photometric="minisblack")
    page.query_params["scene"] = store.add_scene(path, "many.tif").id
    page.run()
    assert "The file does not name its 13 bands." in texts(page)
    assert box(page, "Band order").value is None
    assert start(page).disabled
    assert "bands=" not in picture(page)

    box(page, "Band order").select_index(0).run()
    assert "bands=4,3,2" in picture(page)
    assert not store.runs()
    press(page, "Map landslides")
    assert not page.error
    (run,) = store.runs()
    assert store.provenance(run.id)["bridge"]["bands"] == [4, 3, 2]
    assert "bands=4,3,2" in picture(page)


def test_a_guess_of_the_bands_is_called_one_and_told_by_the_run_unless_it_is_changed(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    path = write_raster(tmp_path / "four.tif", ramp(48, 64, 4).astype(np.uint16), photometric="minisblack")
    page.query_params["scene"] = store.add_scene(path, "four.tif").id
    page.run()
    assert "RGBN is guessed from the number of bands" in texts(page)
    order = box(page, "Band order")
    assert order.value == 0
    assert order.options[0] == "RGBN (guess) · red, green, blue, near infrared"
    press(page, "Map landslides")
    (guessed,) = store.runs()
    assert any("does not name its bands: band 1 for red" in note for note in guessed.notes)

    box(page, "Band order").set_value(1).run()
    assert "bands=3,2,1" in picture(page)
    press(page, "Map landslides")
    chosen = store.runs()[0]
    assert store.provenance(chosen.id)["bridge"]["bands"] == [3, 2, 1]
    assert not any("does not name its bands" in note for note in chosen.notes)


def test_models_that_do_not_fit_are_listed_with_their_reasons_and_never_chosen(
    page: AppTest, store: Store, models: Path, tmp_path: Path
) -> None:
    training = {"data_set": "One set", "images_validation": 396}
    fits = {"ground_distance": 10.0, "training": training}
    write_model(models, tiny_spec("satellite", scores={"validation": {"f1": 0.5}}, **fits))
    write_model(models, tiny_spec("second", scores={"validation": {"f1": 0.4}}, **fits))
    (models / "mapping" / "red" / "model.toml").unlink()
    write_model(models, tiny_spec("aerial", sensor="Aerial", scores={"validation": {"f1": 0.9}}))
    infrared = {"bands": ("nir", "red", "green"), "ground_distance": 10.0}
    write_model(models, tiny_spec("infrared", scores={"validation": {"f1": 0.8}}, **infrared))
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif").id
    page.run()
    assert box(page, "Model").options == ["F1 0.50 · Tiny satellite", "F1 0.40 · Tiny second"]
    assert "F1 0.50 on 396 validation images of One set." in texts(page)
    (fold,) = [one for one in page.expander if "not fit" in one.label]
    assert fold.label == "2 models do not fit this image"
    reasons = "".join(part.value for part in fold.markdown)
    assert "much finer images" in reasons
    assert "has no nir" in reasons

    fold.toggle[0].set_value(True).run()
    assert box(page, "Model").options[2] == "F1 0.90 · Tiny aerial (data not recorded)"
    assert len(box(page, "Model").options) == 3
    box(page, "Model").set_value("aerial").run()
    assert any("much finer images" in warning.value for warning in page.warning)


def test_a_model_without_weights_says_so_and_the_page_goes_on(
    page: AppTest, store: Store, models: Path, tmp_path: Path
) -> None:
    (models / "mapping" / "red" / "weights.safetensors").unlink()
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif").id
    press(page.run(), "Map landslides")
    assert not page.exception
    assert any("weights" in error.value for error in page.error)
    assert {"Map landslides", "Repeat"} <= set(labels(page))
    assert [run.status for run in store.runs()] == ["failed"]


def test_a_run_whose_file_was_removed_says_so_and_can_be_made_again(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif").id
    press(page.run(), "Map landslides")
    (run,) = store.runs()
    run.artifacts[0].path.unlink()
    page.run()
    assert not page.exception
    assert "Files of this run are no longer on disk: probability." in texts(page)
    press(page, "Repeat")
    assert not page.error
    assert next(metric for metric in page.metric if metric.label == "Landslides")
    again, first = store.runs()
    assert again.artifacts[0].digest == first.artifacts[0].digest
    assert first.artifacts[0].path.is_file()


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_under_way_is_followed_and_can_be_cancelled(
    page: AppTest, store: Store, tmp_path: Path, status: str
) -> None:
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    run = store.order(order_of(scene, Request("red")))
    if status == "running":
        store.claim(run, server="elsewhere", worker="one")
        store.beat(run, Progress(3, 12, "Mapping tile 3 of 12"))
    page.query_params["run"] = run
    page.run()
    assert not page.exception
    assert "You can close this page" in texts(page)
    assert "Map landslides" in labels(page)
    press(page, "Cancel")
    known = store.run(run)
    assert known.status == "cancelled" if status == "queued" else known.cancelling


def test_an_interrupted_run_is_told_and_made_again(page: AppTest, store: Store, tmp_path: Path) -> None:
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    run = store.order(order_of(scene, Request("red"), name="First try"))
    store.claim(run, server="elsewhere", worker="one")
    store.fail(run, Failure("The server stopped."), "interrupted")
    page.query_params["run"] = run
    page.run()
    assert any("interrupted" in warning.value for warning in page.warning)
    press(page, "Repeat")
    assert not page.exception
    newest = store.runs()[0]
    assert (newest.status, newest.name, newest.model) == ("done", "First try", "red")


@pytest.mark.parametrize("scored", [False, True])
def test_the_form_begins_with_what_another_run_asked(page: AppTest, store: Store, tmp_path: Path, scored: bool) -> None:
    reference = write_raster(tmp_path / "truth.tif", np.eye(48, 64, dtype=np.uint8))
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif", reference=reference)
    asked = Request(
        "red", (3, 2, 1), "1,99", "none", options=Options(0.5, test_time_augmentation=True, batch=3), engine="torch"
    )
    run = InlineJobs(store).submit(order_of(scene, asked))
    if scored:
        run = rescore(store, store.result(run, MappingResult), scene).id
    page.query_params["scene"] = scene.id
    page.query_params["prefill"] = run
    page.run()
    assert "tiles overlap by 50 %, 3 tiles at a time, computed with torch" in texts(page)
    press(page, "Map landslides")
    assert not page.error
    newest = store.runs()[0]
    assert newest.kind == "mapping"
    assert newest.id != run
    assert request_of(newest) == asked


@pytest.mark.parametrize("same", [True, False])
def test_the_drawn_area_of_another_run_is_mapped_again_unless_all_is_wanted(
    page: AppTest, store: Store, tmp_path: Path, same: bool
) -> None:
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    left, bottom, right, top = scene.scene.grid.bounds
    ring = [(left, top), (right, top), (right, (top + bottom) / 2), (left, (top + bottom) / 2), (left, top)]
    drawn = transform_geom(scene.scene.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
    run = InlineJobs(store).submit(order_of(scene, Request("red"), drawn))
    page.query_params["scene"] = scene.id
    page.query_params["like"] = run
    page.run()
    box = next(box for box in page.checkbox if box.label == "Map the earlier drawn area again")
    assert box.value
    assert "maps the area of the earlier run again" in texts(page)
    if not same:
        box.uncheck().run()
        assert "maps the whole image" in texts(page)
    press(page, "Map landslides")
    assert not page.error
    newest = store.runs()[0]
    assert newest.parameters["area"] == (store.run(run).parameters["area"] if same else None)
    assert (store.result(newest.id, MappingResult).grid == store.result(run, MappingResult).grid) is same


def test_without_a_model_the_page_says_how_to_get_one(
    page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_MODELS", str(tmp_path / "none"))
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif").id
    page.run()
    assert any("No mapping model is installed" in info.value for info in page.info)


@pytest.fixture
def large(page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page of a finished run that is too large to be outlined at once."""
    # All are imported before the first is changed: one that is imported afterwards would keep the changed value.
    names = ("findings", "run_outlines", "export", "report.subject")
    modules = [import_module(f"core.tasks.mapping.{name}") for name in names]
    for module in modules:
        monkeypatch.setattr(module, "LARGEST", 99)
    red = np.zeros((3, 48, 64), np.uint8)
    red[0, 4:10, 5:15] = red[0, 30:34, 40:44] = 255
    page.query_params["scene"] = store.add_scene(write_raster(tmp_path / "scene.tif", red), "scene.tif").id
    return press(page.run(), "Map landslides")


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_a_large_run_is_outlined_by_a_job_and_then_has_all_that_a_small_one_has(large: AppTest, store: Store) -> None:
    assert not large.error
    assert "Outline landslides" in labels(large)
    assert "Landslides" not in metrics(large)

    press(large, "Outline landslides")

    assert not large.exception
    assert not large.error
    assert "Outline landslides" not in labels(large)
    assert metrics(large)["Landslides"] == "2"
    assert metrics(large)["Landslide area"] == "7,606 m²"
    assert "The largest covers 6,005 m²" in texts(large)
    (outlines,) = [run for run in store.runs() if run.kind == "outlines"]
    assert outlines.metrics["landslides"] == 2


def test_other_sliders_are_other_outlines_and_the_old_ones_are_still_there(large: AppTest, store: Store) -> None:
    press(large, "Outline landslides")
    smallest = next(box for box in large.number_input if box.label.startswith("Minimum area"))
    smallest.set_value(3000.0).run()
    assert "Outline landslides" in labels(large)
    assert "Landslides" not in metrics(large)
    press(large, "Outline landslides")
    assert metrics(large)["Landslides"] == "1"

    other = AppTest.from_file(large._script_path, default_timeout=120).switch_page("../pages/mapping.py")
    other.query_params["run"] = large.query_params["run"]
    other.run()
    assert not other.exception
    assert metrics(other)["Landslides"] == "2"
    assert len(store.children(large.query_params["run"], "outlines")) == 2


def test_outlining_under_way_is_followed_and_can_be_cancelled(large: AppTest, store: Store) -> None:
    from core.tasks.mapping.run_outlines import order_outlines

    run = large.query_params["run"]
    result = store.result(run, MappingResult)
    waiting = store.order(order_outlines(result, default_choice(result, 0.5), terrain=False))
    large.run()
    assert "Outline landslides" not in labels(large)
    assert "You can close this page" in texts(large)
    press(large, "Cancel")
    assert store.run(waiting).status == "cancelled"
    large.run()
    assert "Outline landslides" in labels(large)


def links(page: AppTest) -> list[str]:
    return [link.proto.url for link in page.get("link_button")]


def test_the_files_of_a_large_run_are_sent_from_where_they_lie(large: AppTest, store: Store) -> None:
    press(large, "Outline landslides")
    run = large.query_params["run"]
    (outlines,) = store.children(run, "outlines")
    large.session_state["mapping-tab"] = "Export"
    large.run()
    assert f"/artifacts/{run}/probability" in links(large)
    assert f"/artifacts/{outlines.id}/landslides" in links(large)
    assert "Polygons, GeoPackage" in texts(large)
    press(large, "Prepare files")
    assert not large.exception
    assert not large.error
    prepared = {path.name for path in (store.home / "exports" / run).rglob("*") if path.is_file()}
    assert prepared == {"mask.tif", "metrics.json", "landslides.csv", "landslides.shp.zip", "landslides.kml",
                        "landslides_fields.csv"}


def test_the_files_of_a_small_run_are_prepared_without_copies_of_its_rasters(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif").id
    press(page.run(), "Map landslides")
    page.session_state["mapping-tab"] = "Export"
    page.run()
    press(page, "Prepare files")
    assert not page.error
    run = page.query_params["run"]
    assert f"/artifacts/{run}/probability" in links(page)
    assert not any("/truth" in link for link in links(page))
    prepared = {path.name for path in (store.home / "exports" / run).rglob("*") if path.is_file()}
    assert prepared == {
        "mask.tif", "metrics.json", "figure.png", "landslides_fields.csv",
        *(f"landslides.{ending}" for ending in ("gpkg", "geojson", "csv", "shp.zip", "kml")),
    }  # fmt: skip


def test_a_large_run_is_scored_afterwards_by_a_job_that_the_page_follows_and_opens(
    large: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Waiting(InlineJobs):
        """Jobs that only wait."""

        def submit(self, order: Order) -> str:
            return self.store.order(order)

    reference = np.zeros((48, 64), np.uint8)
    reference[4:10, 5:15] = 1
    path = write_raster(tmp_path / "truth.tif", reference)
    large.session_state["mapping-tab"] = "Scores"
    mapped = large.run().query_params["run"]
    monkeypatch.setattr(jobs, "override", Waiting(store))
    uploader = [one for one in large.get("file_uploader") if one.label == "Reference inventory"][-1]
    uploader.upload("truth.tif", path.read_bytes(), "image/tiff").run()
    press(large, "Score against this reference")

    (scored,) = store.children(mapped, "scored")
    assert scored.status == "queued"
    assert large.query_params["run"] == scored.id
    assert "You can close this page" in texts(large)
    (back,) = [link for link in large.get("page_link") if link.proto.label.startswith("Back to the map")]
    assert back.proto.query_string == f"run={mapped}"

    perform(store, scored.id)
    large.run()
    assert not large.exception
    assert not large.error
    # 60 of the 76 pixels that the model marks are in the reference, and none of it is missed.
    assert (metrics(large)["Precision"], metrics(large)["Recall"]) == ("0.789", "1.000")


@pytest.mark.parametrize(
    ("label", "name"), [("Elevation model", "heights.tif"), ("Reference inventory", "slides.gpkg")]
)
def test_a_file_that_is_refused_takes_nothing_else_with_it(
    page: AppTest, store: Store, tmp_path: Path, label: str, name: str
) -> None:
    record = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    page.query_params["scene"] = record.id
    page.run()
    uploader = next(one for one in page.get("file_uploader") if one.label.startswith(label))
    uploader.upload(name, b"Dear sir, please find attached.", "image/tiff").run()
    press(page, f"Attach {name}")
    (error,) = page.error
    assert name in error.value.replace("\\", "")
    assert "Map landslides" in [one.label for one in page.button]
    assert {one.label.split(" (")[0] for one in page.get("file_uploader")} >= {"Elevation model", "Reference inventory"}
    assert store.scene_record(record.id).reference is None


def test_a_report_of_a_large_run_counts_what_was_outlined(large: AppTest, store: Store) -> None:
    from core.report.make import make_report

    run = large.query_params["run"]
    make_report(store, run)
    assert "Landslides were not counted" in store.artifact(run, "report").path.read_text("utf-8")
    press(large, "Outline landslides")
    make_report(store, run)
    text = store.artifact(run, "report").path.read_text("utf-8")
    assert "The model maps 2 landslides, together" in text
    assert "Landslides were not counted" not in text
    assert "all pixels at or above it" in text


def test_the_form_beside_an_open_run_is_that_of_its_model(
    page: AppTest, store: Store, models: Path, tmp_path: Path
) -> None:
    write_model(models, tiny_spec("poorer", tile=256, scores={"validation": {"f1": 0.1}}))
    scene = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif")
    left, bottom, right, top = scene.scene.grid.bounds
    ring = [(left, top), (right, top), (right, (top + bottom) / 2), (left, (top + bottom) / 2), (left, top)]
    drawn = transform_geom(scene.scene.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
    run = store.order(order_of(scene, Request("poorer", (3, 2, 1), stretch="1,99"), drawn))
    perform(store, run, worker="test")
    page.query_params["run"] = run
    press(page.run(), "Map landslides")
    assert not page.error
    newest = store.runs()[0]
    assert (newest.id == run, newest.model) == (False, "poorer")
    assert request_of(newest).bands == (3, 2, 1)
    assert request_of(newest).stretch == "1,99"
    assert request_of(newest).area is None


def test_what_is_right_of_it_stands_beside_what_was_found(page: AppTest, store: Store, tmp_path: Path) -> None:
    reference = np.zeros((48, 64), np.uint8)
    reference[10:20, 10:20] = 255
    path = write_raster(tmp_path / "truth.tif", reference)
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "scene.tif", reference=path).id
    press(page.run(), "Map landslides")
    assert "Of 100 mapped pixels" in texts(page)
    page.query_params.clear()
    page.query_params["scene"] = store.add_scene(image(tmp_path / "scene.tif"), "other").id
    press(page.run(), "Map landslides")
    assert "the accuracy of this result is unknown" in texts(page)
    assert "Distance from the training images: not measured. The model" in texts(page)


def test_what_depends_on_run_and_sliders_alone_is_made_once(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is run again shows the same map and charts without making them anew; other sliders make others."""
    press(page.run(), "Start with the sample valley")
    press(page, "Map landslides")
    page.run()
    made = Counter[str]()
    for module, name in (
        ("ui.map_script", "_base_map"), ("core.serve.coordinates", "features"),
        ("core.tasks.mapping.plots", "size_frequency_figure"), ("core.tasks.mapping.findings", "find"),
    ):  # fmt: skip
        monkeypatch.setattr(f"{module}.{name}", _counting(made, name, getattr(import_module(module), name)))
    before = _map(page)

    assert _map(page.run()) == before
    assert not made

    page.slider(key="threshold").set_value(0.7).run()
    assert not page.exception
    assert not page.error
    script, update = _map(page)
    assert script == before[0]
    assert update != before[1]
    assert made == {"features": 1, "size_frequency_figure": 1, "find": 1}


def _map(page: AppTest) -> tuple[str, str]:
    """The script of the map that is shown, and that of what lies on it now."""
    (shown,) = [part for part in page.get("component_instance") if "st_folium" in part.proto.component_name]
    content = json.loads(shown.proto.json_args)
    return content["script"], content["feature_group"]


def _counting(made: Counter[str], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        made[name] += 1
        return work(*given, **named)

    return counted


def test_the_pixel_size_of_a_photo_is_entered_by_hand_kept_and_told(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    photo = store.add_scene(image(tmp_path / "photo.tif", placement="without CRS"), "photo.tif")
    page.query_params["scene"] = photo.id
    page.run()

    def size() -> Any:
        return next(one for one in page.number_input if one.label == "Pixel size (m)")

    assert size().value is None
    size().set_value(1e9).run()
    assert "A pixel size of 1e+09 m is not possible here." in texts(page)
    assert "Map landslides" not in labels(page)
    size().set_value(0.5).run()
    assert "no coordinate system, 0.5 m per pixel" not in texts(page), "the file itself does not say it"
    press(page, "Map landslides")
    assert not page.error
    assert "Areas assume a pixel size of 0.50 m, entered by hand." in "".join(one.value for one in page.warning)
    assert metrics(page)["Landslide area"].endswith(" m²")
    assert "Minimum area (m²)" in [one.label for one in page.number_input]
    (run,) = store.runs()
    assert store.result(run.id, MappingResult).grid.pixel_size == 0.5

    later = AppTest.from_file(page._script_path, default_timeout=120).switch_page("../pages/mapping.py")
    later.query_params["scene"] = photo.id
    later.run()
    assert [one.value for one in later.number_input if one.label == "Pixel size (m)"] == [0.5], "as the newest run"
    placed = store.add_scene(image(tmp_path / "placed.tif"), "placed.tif")
    later.query_params["scene"] = placed.id
    later.run()
    assert "Pixel size (m)" not in [one.label for one in later.number_input]


def test_scores_above_the_map_that_are_undefined_say_why() -> None:
    nothing_known = Confusion(true_positive=0, false_positive=5, false_negative=0, true_negative=95)
    assert "Recall, because the reference holds no landslide" in undefined_note(nothing_known, "pixel", 5, 0)
    all_known = Confusion(true_positive=4, false_positive=1, false_negative=2, true_negative=93)
    assert undefined_note(all_known, "pixel", 5, 6) == ""
