"""Several images on the pages: taken in, asked for by one form, and seen as one batch."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.batch.batches import add, find, latest, runs_of
from core.runs.records import Failure, Order
from core.runs.store import Store
from tests.batch.made import made_batch, store_inputs
from tests.factories import make_detector_model, ramp, tiny_spec, write_model, write_raster

HOSTILE = "<img src=x onerror=alert(1)> $x$.png"


def png(red: int, *, size: int = 32) -> bytes:
    """A dark image with a square of 12 by 12 pixels, as red as is said."""
    values = np.zeros((size, size, 3), np.uint8)
    values[4:16, 4:16, 0] = red
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def app(repository: Path, store: Store, models: Path) -> AppTest:
    write_model(models, tiny_spec("red", tile=64))
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)


def goto(app: AppTest, page: str, **address: str) -> AppTest:
    app.switch_page(f"../pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.error, app.warning, app.subheader, app.title, app.metric)
    return "\n".join(f"{getattr(part, 'label', '')} {part.value}" for kind in kinds for part in kind).replace("\\", "")


def upload(app: AppTest, *files: tuple[str, bytes], label: str = "Images") -> AppTest:
    uploader = next(one for one in app.get("file_uploader") if one.label == label)
    return uploader.set_value([(name, content, "image/png") for name, content in files]).run()


def test_several_uploads_become_one_batch_with_results(app: AppTest, store: Store) -> None:
    goto(app, "mapping", source="upload")
    upload(app, ("a_2.png", png(255)), ("cut.png", png(9, size=64)[:-40]), (HOSTILE, png(254)))
    upload(app, ("mask_2.png", png(255)), label="Reference inventories")
    press(app, "Use these 3 images")
    assert not app.exception
    assert "2 images accepted" in words(app)
    assert "cut.png is damaged" in words(app)
    assert list(app.dataframe[0].value["Image"]) == ["a_2.png", HOSTILE]
    assert list(app.dataframe[0].value["Reference"]) == ["yes", "no"]
    draft = app.query_params["batch"]
    assert store.runs() == []

    next(text for text in app.text_input if text.label == "Batch name").set_value("North $x$")
    press(app, "Map 2 images")
    assert not app.exception
    assert app.query_params["batch"] == draft
    assert [run.status for run in runs_of(store, find(store, draft))] == ["done", "done"]
    assert "2 of 2 images done · 1 not accepted" in words(app)
    assert "North $x$" in words(app)
    table = app.dataframe[0].value
    assert list(table["Status"]) == ["Done", "Done", "Not accepted"]
    assert list(table["landslides"][:2]) == [1, 1]
    assert table["landslide_area_m2"].isna().all()
    assert "in 2 images" in words(app)
    assert HOSTILE not in "\n".join(part.value for part in (*app.markdown, *app.warning, *app.caption))
    assert [link.proto.url for link in app.get("link_button")] == [f"/batches/{draft}.zip"]


def test_a_zip_of_images_is_searched_as_a_batch(app: AppTest, store: Store, models: Path) -> None:
    make_detector_model(models)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(3):
            archive.writestr(f"folder/{number}.png", png(250 + number))
    goto(app, "detection", source="upload")
    upload(app, ("few.zip", file.getvalue()))
    press(app, "Use the images of these files")
    next(box for box in app.number_input if box.label == "Pixel size (m)").set_value(10.0).run()
    press(app, "Detect in 3 images")
    assert not app.exception
    assert [run.task for run in runs_of(store, latest(store)[0])] == ["detection"] * 3
    table = app.dataframe[0].value
    assert list(table["detections"]) == [1, 1, 1]
    assert list(table["searched_area_m2"]) == [32 * 32 * 100] * 3


def test_one_upload_is_an_image_as_ever(app: AppTest, store: Store) -> None:
    goto(app, "mapping", source="upload")
    upload(app, ("a.png", png(255)))
    press(app, "Use this image")
    assert "scene" in app.query_params
    assert latest(store) == []


def test_a_folder_of_the_data_folder_is_a_batch(
    app: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / "north"
    folder.mkdir(parents=True)
    for name in ("a.tif", "b.tif"):
        write_raster(folder / name, ramp(20, 20))
    (folder / "out.tif").symlink_to(write_raster(tmp_path / "secret.tif", ramp(9, 9)))
    monkeypatch.setenv("SLIDELENS_DATA", str(tmp_path / "data"))
    goto(app, "mapping")
    next(box for box in app.selectbox if (box.key or "").startswith("scene-source")).set_value("Data folder").run()
    next(text for text in app.text_input if text.label.startswith("Path")).set_value("north")
    press(app, "Use this file or folder")
    assert "2 images accepted" in words(app)
    assert "Give a path inside the data folder" in words(app)
    assert list(app.dataframe[0].value["Image"]) == ["a.tif", "b.tif"]


def test_results_are_seen_by_the_address_with_totals_and_reasons(app: AppTest, store: Store, tmp_path: Path) -> None:
    batch = made_batch(store, tmp_path)
    goto(app, "runs", batch=batch.id)
    assert not app.exception
    told = words(app)
    assert "2 of 4 images done · 1 failed · 1 deleted · 1 not accepted" in told
    assert "The disk is full. Free some space." in told
    assert "in 1 of 2 images" in told
    assert [metric.value for metric in app.metric][0] == "3"

    press(app, "Write report")
    assert {one.label for one in app.get("download_button")} == {
        "Download table (CSV)", "Download report", "Download PDF",
    }  # fmt: skip


def test_images_without_a_result_are_repeated(app: AppTest, store: Store, tmp_path: Path) -> None:
    scenes = []
    for number in range(3):
        path = write_raster(tmp_path / f"{number}.tif", ramp(20 + number, 20))
        scenes.append(store.add_scene(path, f"{number}.tif").id)
    batch = add(store, "", scenes)
    asked = {"model": "red", "options": {}}
    for scene in scenes[:2]:
        run = store.order(Order("mapping", "mapping", asked, store_inputs(store, scene), "red", batch=batch.id))
        store.claim(run, server="s", worker="w")
        store.fail(run, Failure("The worker was lost."))
    goto(app, "runs", batch=batch.id)
    press(app, "Repeat 3 images")
    assert not app.exception
    assert list(app.dataframe[0].value["Status"]) == ["Done", "Done", "Done"]
    assert len(runs_of(store, batch)) == 5  # the first tries are kept


def test_one_threshold_can_be_chosen_for_all_images(app: AppTest, store: Store, tmp_path: Path) -> None:
    batch = made_batch(store, tmp_path)
    goto(app, "runs", batch=batch.id)
    next(box for box in app.number_input if box.label == "Threshold for all images").set_value(0.95).run()
    assert not app.exception
    assert list(app.dataframe[0].value["landslides"][:2]) == [0, 0]
    assert "Here at threshold 0.95." in words(app)
    assert [link.proto.url for link in app.get("link_button")] == [f"/batches/{batch.id}.zip?threshold=0.95"]

    app.session_state["batch-opened"] = 1  # as the button of the second row does
    app.run()
    assert not app.exception
    assert store.run(app.query_params["run"]).subject.name == "photo.tif"
    assert app.query_params["threshold"] == "0.95"
    assert next(slider for slider in app.slider if slider.label == "Threshold").value == 0.95


def test_what_waits_is_cancelled_together(app: AppTest, store: Store, tmp_path: Path) -> None:
    scene = store.add_scene(write_raster(tmp_path / "a.tif", ramp(20, 20)), "a.tif").id
    batch = add(store, "", [scene])
    store.order(Order("mapping", "mapping", {}, store_inputs(store, scene), batch=batch.id))
    goto(app, "runs", batch=batch.id)
    assert "0 of 1 image done · 1 waiting" in app.get("progress")[0].proto.text
    press(app, "Cancel all")
    assert "0 of 1 image done · 1 cancelled" in words(app)


def test_deleting_a_batch_says_what_goes(app: AppTest, store: Store, tmp_path: Path) -> None:
    batch = made_batch(store, tmp_path)
    goto(app, "runs", batch=batch.id)
    assert "This permanently deletes this batch with 3 runs" in words(app)
    press(app, "Delete permanently")
    assert not app.exception
    assert store.runs() == []
    assert latest(store) == []


def test_runs_and_batches_lead_to_each_other(app: AppTest, store: Store, tmp_path: Path) -> None:
    batch = made_batch(store, tmp_path)
    run = next(one for one in runs_of(store, batch) if one.status == "done")
    goto(app, "runs", run=run.id)
    links = {link.label: link.query_string for link in app.get("page_link")}
    assert links["Batch: North"] == f"batch={batch.id}"
    assert any(label.startswith("Mapping · North · 2 of 4 done") for label in links)
    goto(app, "mapping", run=run.id)
    assert "Batch: North" in {link.label for link in app.get("page_link")}


def test_an_address_of_no_batch_says_so(app: AppTest, store: Store) -> None:
    for page in ("runs", "mapping"):
        goto(app, page, batch="f" * 32)
        assert "No such batch" in words(app)
        assert not app.exception
