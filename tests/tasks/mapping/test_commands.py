"""The command line gives the numbers of the page, and says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.cli.main import main
from core.jobs.perform import perform
from core.jobs.remote import Call
from core.learning.store import find_model
from core.raster.scene import Scene
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.imagery.inputs import scene_today
from core.tasks.mapping.export import summary
from core.tasks.mapping.findings import find
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, run_mapping
from core.tasks.mapping.run_shards import plan_call
from core.tasks.mapping.view import Choice
from tests.factories import ramp, tiny_spec, write_model, write_raster
from tests.jobs.played import PlayedCluster

KEYS = {"f1", "iou", "miou", "precision", "recall", "oa", "kappa", "threshold", "images", "images_per_second"}


@pytest.fixture(autouse=True)
def _place(models: Path, store: Store) -> None:
    write_model(models, tiny_spec("red", scores={"validation": {"f1": 0.7, "iou": 0.54}}, sensor="a test"))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "scene.tif", ramp(40, 50))


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    values = np.zeros((40, 50), np.uint8)
    values[10:30, 20:40] = 1
    return write_raster(tmp_path / "truth.tif", values)


def run(*arguments: object) -> int:
    return main(["mapping", *map(str, arguments)])


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_predicting_gives_the_numbers_of_the_page(
    tmp_path: Path, store: Store, scene: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(
        "predict", scene, "--model", "red", "--out", tmp_path / "out", "--truth", reference, "--threshold", 0.3,
        "--minimum-area", 500, "--fill-holes", 200, "--bands", "2,1,3", "--engine", "torch",
    )  # fmt: skip

    assert status == 0
    printed = strict(capsys.readouterr().out)
    assert printed == strict((tmp_path / "out" / "metrics.json").read_text())
    request = Request("red", bands=(2, 1, 3), engine="torch")
    page = summary(find(run_mapping(store, Scene.open(scene), request, reference=reference), Choice(0.3, 500, 200)))
    for name in ("landslides", "landslide_area_m2", "landslide_share", "scene_area_m2", "scores", "colour_index"):
        assert printed[name] == pytest.approx(page[name])
    assert (tmp_path / "out" / "landslides.gpkg").exists()


def test_without_a_choice_the_models_threshold_and_the_smallest_mappable_area_hold(
    tmp_path: Path, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("predict", scene, "--model", "red", "--out", tmp_path / "out", "--engine", "torch") == 0

    printed = strict(capsys.readouterr().out)
    assert printed["threshold"] == 0.5
    assert printed["minimum_area_m2"] == pytest.approx(1000, rel=1e-3)


def test_a_part_of_the_image_is_mapped_alone(
    tmp_path: Path, store: Store, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    west, south, east, north = Scene.open(scene).grid.to_wgs84_bounds() or (0.0,) * 4
    half = (west, south, (west + east) / 2, north)

    assert run("predict", scene, "--model", "red", "--engine", "torch", "--area", *half) == 0

    [made] = store.runs()
    grid = store.result(made.id, MappingResult).grid
    assert (grid.height, grid.width) == (40, pytest.approx(25, abs=1))
    capsys.readouterr()
    assert run("predict", scene, "--model", "red", "--engine", "torch", "--area", 0, 0, 1, 1) != 0
    assert "outside the image" in capsys.readouterr().err


def test_a_stated_pixel_size_is_kept_with_the_run(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(np.moveaxis(ramp(40, 50), 0, -1)[..., :3].astype(np.uint8)).save(photo)
    command = ("predict", photo, "--model", "red", "--engine", "torch")

    assert run(*command, "--pixel-size", 0.5) == 0

    [made] = store.runs()
    result, note = store.result(made.id, MappingResult), "Areas assume a pixel size of 0.50 m, entered by hand."
    assert made.parameters["pixel_size"] == result.grid.pixel_size == 0.5
    assert note in result.notes
    assert note in strict(capsys.readouterr().out)["notes"]
    recorded = store.provenance(made.id)["scene"]
    assert (recorded["pixel_size_m"], recorded["pixel_size_from"]) == (0.5, "entered by hand")
    # What is derived from the run sees the image as the run did.
    scored = replace(made, parameters={}, parents=(made.id,))
    assert scene_today(store, scored).scene.grid.pixel_size == 0.5

    assert run(*command, "--pixel-size", 0) != 0
    assert "A pixel size of 0 m is not possible" in capsys.readouterr().err


def test_an_earlier_scene_gives_what_is_new(tmp_path: Path, scene: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("predict", scene, "--model", "red", "--out", tmp_path / "out", "--engine", "torch")

    assert run(*arguments, "--before", scene) == 0

    assert strict(capsys.readouterr().out)["new_landslides"] == 0


def test_what_is_predicted_is_a_run_that_the_pages_find(
    tmp_path: Path, store: Store, scene: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dem = write_raster(tmp_path / "dem.tif", np.zeros((40, 50), np.float32))
    options = ("--truth", reference, "--dem", dem, "--name", "A trial", "--tag", "b", "--tag", "a", "--engine", "torch")

    assert run("predict", scene, "--model", "red", *options) == 0

    [made] = store.runs()
    captured = capsys.readouterr()
    assert captured.err.splitlines()[0] == f"run {made.id}"
    printed = strict(captured.out)
    assert (printed["run"], printed["scene"], printed["model"]) == (made.id, "scene", "red")
    assert printed["f1"] == made.metrics["f1"]
    assert (made.status, made.kind, made.name, made.tags) == ("done", "mapping", "A trial", ("a", "b"))
    assert made.worker == "command line"
    assert made.created <= made.started <= made.finished
    record = store.scene_record(made.subject.dataset_id)
    assert (record.scene.path, record.reference, record.dem) == (scene, reference, dem)


def test_an_earlier_scene_makes_a_run_of_its_own_and_one_of_the_change(
    tmp_path: Path, store: Store, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = write_raster(tmp_path / "earlier.tif", ramp(40, 50) // 2)

    assert run("predict", scene, "--model", "red", "--before", earlier, "--tag", "x", "--engine", "torch") == 0

    printed = strict(capsys.readouterr().out)
    runs = {made.id: made for made in store.runs()}
    assert len(runs) == 3
    assert runs[printed["run"]].subject.name == "scene"
    assert runs[printed["run_before"]].subject.name == "earlier"
    change = runs[printed["run_change"]]
    assert (change.kind, change.parents) == ("change", (printed["run_before"], printed["run"]))
    assert all(made.tags == ("x",) and made.status == "done" for made in runs.values())


def test_both_scenes_are_mapped_by_the_same_workers(
    tmp_path: Path, store: Store, scene: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = write_raster(tmp_path / "earlier.tif", ramp(40, 50) // 2)
    clusters, mapped = [], []

    class Played(PlayedCluster):
        def __init__(self, count: int) -> None:
            super().__init__(count)
            clusters.append(self)

    def run_sharded(
        store: Store,
        order: Order,
        plan: Callable[[str], Call],
        cluster: Played,
        *,
        listen: Callable[[int, int], None],
        begun: Callable[[str], None],
    ) -> str:
        assert plan is plan_call
        assert cluster.starts == 1
        assert not cluster.closed
        identity = store.begin(order, server="tests", worker="shared")
        begun(identity)
        perform(store, identity, claimed=True, listen=listen, raising=True)
        mapped.append(identity)
        return identity

    monkeypatch.setattr("core.jobs.local_cluster.LocalCluster", Played)
    monkeypatch.setattr("core.jobs.shard_here.run_sharded", run_sharded)

    options = ("--engine", "torch", "--workers", "3")
    assert run("predict", scene, "--model", "red", "--before", earlier, *options) == 0

    printed = strict(capsys.readouterr().out)
    assert mapped == [printed["run"], printed["run_before"]]
    assert [(len(cluster.names), cluster.starts, cluster.closed) for cluster in clusters] == [(3, 1, 1)]


def test_without_the_store_only_the_export_is_left(tmp_path: Path, store: Store, scene: Path) -> None:
    arguments = ("predict", scene, "--model", "red", "--engine", "torch", "--no-store", "--before", scene)

    assert run(*arguments) == 2
    assert run(*arguments, "--out", tmp_path / "out") == 0

    assert store.runs() == []
    assert list(store.scenes()) == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "probability.tif", "mask.tif", "landslides.gpkg", "landslides.geojson", "landslides.csv", "landslides.kml",
        "landslides.shp.zip", "change.tif", "new_landslides.gpkg", "new_landslides.csv",
        "new_landslides.shp.zip", "new_landslides.kml", "new_landslides_fields.csv", "landslides_fields.csv",
        "figure.png", "metrics.json",
    }  # fmt: skip


def test_a_tag_that_cannot_be_kept_is_refused_before_anything_is_computed(
    store: Store, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("predict", scene, "--model", "red", "--tag", "a,b") == 2
    assert "not a valid tag" in capsys.readouterr().err
    assert store.runs() == []


def pairs(folder: Path, *, landslides: bool = True) -> tuple[Path, Path]:
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in (1, 2):
        image = np.full((20, 20, 3), 40, np.uint8)
        mask = np.zeros((20, 20), np.uint8)
        if landslides:
            image[2:12, 2:12, 0] = 250
            mask[2:12, 2:7] = 255
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
    return folder / "images", folder / "masks"


def test_evaluating_writes_every_score_at_the_top_of_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, masks = pairs(tmp_path)
    out = tmp_path / "deep" / "scores.json"

    assert run("evaluate", "--model", "red", "--images", images, "--masks", masks, "--out", out) == 0

    content = strict(out.read_text())
    assert strict(capsys.readouterr().out) == content
    assert set(content) >= KEYS
    assert all(isinstance(content[key], int | float) for key in KEYS)
    # Of 100 found pixels 50 are true, of 50 true ones all are found.
    expected = {"f1": 2 / 3, "iou": 0.5, "precision": 0.5, "recall": 1, "oa": 350 / 400, "images": 2, "threshold": 0.5}
    assert {key: content[key] for key in expected} == pytest.approx(expected)
    assert content["images_seen_in_training"] == 0


def test_an_evaluation_is_a_run_with_its_scores(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    images, masks = pairs(tmp_path)

    options = ("--tag", "t", "--threshold", 0.4)
    assert run("evaluate", "--model", "red", "--images", images, "--masks", masks, *options) == 0

    [made] = store.runs()
    assert (made.kind, made.status, made.model, made.tags) == ("evaluation", "done", "red", ("t",))
    assert made.name == "red on 2 images of images"
    expected = {"f1": 2 / 3, "iou": 0.5, "precision": 0.5, "recall": 1}
    assert {name: made.metrics[name] for name in expected} == pytest.approx(expected)
    assert made.parameters["threshold"] == 0.4
    assert made.weights_sha256 == find_model("mapping", "red").spec.weights_sha256
    # Progress is written at most twice a second, so that the last of it may not stand in the row.
    assert (made.progress.done, made.progress.total) in {(0, 0), (1, 2), (2, 2)}
    kept = store.artifact(made.id, "scores").path
    printed = capsys.readouterr().out
    assert strict(kept.read_text()) == strict(printed)
    provenance = store.provenance(made.id)
    assert provenance["versions"]["slidelens"]
    assert provenance["images_digest"] != provenance["masks_digest"]


def test_other_images_of_the_same_names_have_another_digest(tmp_path: Path, store: Store) -> None:
    digests = []
    for landslides in (True, False):
        folder = tmp_path / str(landslides)
        folder.mkdir()
        images, masks = pairs(folder, landslides=landslides)
        assert run("evaluate", "--model", "red", "--images", images, "--masks", masks) == 0
        digests.append(store.provenance(store.runs()[0].id)["images_digest"])
    assert digests[0] != digests[1]


def test_an_evaluation_without_the_store_is_printed_and_gone(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    images, masks = pairs(tmp_path)

    assert run("evaluate", "--model", "red", "--images", images, "--masks", masks, "--no-store") == 0

    captured = capsys.readouterr()
    assert strict(captured.out)["iou"] == 0.5
    assert not captured.err.startswith("run ")
    assert store.runs() == []


def test_what_is_stopped_at_the_keyboard_stands_as_cancelled(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    images, masks = pairs(tmp_path)
    monkeypatch.setattr("core.tasks.mapping.evaluate.evaluate", stopped)

    assert run("evaluate", "--model", "red", "--images", images, "--masks", masks) == 130

    [made] = store.runs()
    assert made.status == "cancelled"
    assert not store.work_folder(made.id).exists()
    assert capsys.readouterr().err.splitlines()[-1] == "stopped"


def test_scores_that_are_undefined_are_null_in_the_file(tmp_path: Path) -> None:
    images, masks = pairs(tmp_path, landslides=False)
    out = tmp_path / "scores.json"

    assert run("evaluate", "--model", "red", "--images", images, "--masks", masks, "--out", out) == 0

    content = strict(out.read_text())
    assert content["f1"] is None
    assert content["oa"] == 1


def test_the_models_are_listed_with_sensor_and_scores(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0

    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "F1", "IoU", "precision", "recall", "validated", "on", "sensor"]
    assert row.split() == ["red", "0.700", "0.540", "–", "–", "not", "recorded", "a", "test"]


def test_models_are_listed_for_an_image_by_their_fit_with_what_speaks_against_them(
    models: Path, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(models, tiny_spec("infrared", bands=("nir", "red", "green")))
    write_model(models, tiny_spec("satellite", ground_distance=10.0))

    assert run("models", scene) == 0

    header, *rows, _, aerial, infrared = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["name", "fit"]
    assert [row.split()[0] for row in rows] == ["satellite", "red", "infrared"]
    assert [row.split()[1] for row in rows] == ["suited", "different", "unusable"]
    assert aerial.startswith("red: The image has 10 m per pixel")
    assert infrared.startswith("infrared: scene has no nir")


def test_the_order_of_bands_is_given_by_its_name(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_raster(tmp_path / "many.tif", ramp(20, 30, 13), photometric="minisblack")

    assert run("predict", path, "--model", "red", "--engine", "torch") == 2
    assert "sentinel2" in capsys.readouterr().err
    assert store.runs() == []
    assert run("predict", path, "--model", "red", "--bands", "sentinel2", "--engine", "torch") == 0
    (made,) = store.runs()
    assert store.provenance(made.id)["bridge"]["bands"] == [4, 3, 2]


def test_a_model_that_does_not_fit_is_refused_and_those_that_do_are_named(
    store: Store, models: Path, scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(models, tiny_spec("infrared", bands=("nir", "red", "green")))
    write_model(models, tiny_spec("satellite", ground_distance=10.0))

    assert run("predict", scene, "--model", "infrared") == 2

    error = capsys.readouterr().err
    assert "has no nir" in error
    assert "Models for this image: satellite." in error
    assert store.runs() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.tif"], "no file none.tif"),
        (["SCENE", "--model", "blue"], "Available models: red"),
        (["SCENE", "--model", "../mapping/red"], "Available models: red"),
        (["SCENE", "--bands", "1,2"], "needs 3 bands"),
        (["SCENE", "--bands", "1,2,9"], "Band 9 is not in"),
        (["SCENE", "--bands", "red"], "neither a list of bands nor a band order"),
        (["SCENE", "--stretch", "98,2"], "not a valid stretch"),
        (["SCENE", "--threshold", "7"], "between 0 and 1"),
        (["SCENE", "--threshold", "nan"], "between 0 and 1"),
        (["SCENE", "--minimum-area", "nan"], "area"),
        (["SCENE", "--fill-holes", "-1"], "area"),
        (["SCENE", "--overlap", "1.5"], "overlap"),
        (["SCENE", "--truth", "none.gpkg"], "no file none.gpkg"),
        (["TEXT"], "not a GeoTIFF"),
    ],
)
def test_bad_input_ends_with_status_2_and_a_message_and_leaves_no_result(
    tmp_path: Path, store: Store, scene: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (tmp_path / "text.tif").write_text("hello")
    places = {"SCENE": str(scene), "TEXT": str(tmp_path / "text.tif")}
    given = [places.get(argument, argument) for argument in arguments]
    model = [] if "--model" in given else ["--model", "red"]

    assert run("predict", *given, *model, "--out", tmp_path / "out", "--engine", "torch") == 2

    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("error: ")
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert all(run.status == "failed" and not run.artifacts for run in store.runs())


def test_scores_of_nothing_and_into_nowhere_end_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, masks = pairs(tmp_path)
    (tmp_path / "file").write_text("in the way")
    common = ["evaluate", "--model", "red", "--masks", masks]

    for arguments in (
        ["--images", tmp_path / "none", "--out", tmp_path / "x.json"],
        ["--images", images, "--out", tmp_path / "x.json", "--threshold", "2"],
        ["--images", images, "--out", tmp_path / "file" / "x.json"],
    ):
        assert run(*common, *arguments) == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("error: ")


def test_a_training_without_its_description_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", tmp_path / "none.toml", "--data", tmp_path) == 2
    assert "none.toml is not valid" in capsys.readouterr().err


def test_what_the_command_line_does_not_know_ends_with_status_2() -> None:
    for arguments in ([], ["mapping"], ["mapping", "predict"], ["mapping", "dance"], ["cooking"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
