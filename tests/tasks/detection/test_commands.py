"""Detection by command gives the numbers of the page, and says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.cli.main import main
from core.raster.scene import Scene
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.detection.export import summary
from core.tasks.detection.findings import find
from core.tasks.detection.run import Request, run_detection
from core.tasks.detection.view import Choice
from tests.factories import detector_spec, make_detector_model, write_raster

KEYS = {"ap50", "ap50_95", "f1", "precision", "recall", "confidence", "images", "images_per_second"}


@pytest.fixture(autouse=True)
def _place(models: Path, store: Store) -> None:
    make_detector_model(models, detector_spec(scores={"validation": {"ap50": 0.41, "f1": 0.5}}, sensor="a test"))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    values = np.full((3, 90, 150), 40, np.uint8)
    values[0, 10:20, 15:35] = 230
    values[0, 50:60, 30:130] = 200
    return write_raster(tmp_path / "scene.tif", values)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    values = np.zeros((90, 150), np.uint8)
    values[50:60, 30:130] = values[70:80, 70:80] = 1
    return write_raster(tmp_path / "truth.tif", values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images with a red square each, which is the landslide, and their masks."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in range(1, 4):
        image, mask = np.full((32, 32, 3), 30, np.uint8), np.zeros((32, 32), np.uint8)
        mask[8:20, 4 * number : 4 * number + 10] = 255
        image[mask > 0, 0] = 200
        Image.fromarray(image).save(tmp_path / "images" / f"image_{number}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"mask_{number}.png")
    return tmp_path


def run(*arguments: object) -> int:
    return main(["detection", *map(str, arguments)])


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_predicting_gives_the_numbers_of_the_page(
    tmp_path: Path, store: Store, scene: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(
        "predict", scene, "--model", "bright", "--out", tmp_path / "out", "--truth", reference, "--confidence", 0.8,
        "--nms-iou", 0.4, "--merging", "fusion", "--minimum-area", 500, "--stretch", "none", "--overlap", 0.4,
    )  # fmt: skip

    assert status == 0
    printed = strict(capsys.readouterr().out)
    assert printed == strict((tmp_path / "out" / "metrics.json").read_text())
    page = run_detection(store, Scene.open(scene), Request("bright", stretch="none"), reference=reference)
    known = summary(find(page, Choice(0.8, 0.4, "fusion", 500)))
    for name in ("boxes", "box_area_m2", "confidence", "nms_iou", "merging", "scene_area_km2"):
        assert printed[name] == pytest.approx(known[name])
    assert printed["scores"] == pytest.approx(known["scores"])
    assert printed["boxes"] == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "candidates.parquet", "truth.parquet", "detections.gpkg", "detections.geojson", "detections.csv",
        "detections.coco.json", "detections.shp.zip", "detections.kml", "detections_fields.csv", "missed.gpkg",
        "figure.png", "metrics.json",
    }  # fmt: skip


def test_a_run_without_a_folder_is_stored_and_told(
    store: Store, scene: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("predict", scene, "--model", "bright", "--truth", reference, "--name", "Try", "--tag", "odd") == 0

    printed = strict(capsys.readouterr().out)
    (kept,) = store.runs(RunFilter(task="detection"))
    assert (kept.id, kept.name, kept.tags) == (printed["run"], "Try", ("odd",))
    assert printed["recall"] == pytest.approx(0.5)


def test_without_the_store_only_the_folder_remains(tmp_path: Path, store: Store, scene: Path) -> None:
    assert run("predict", scene, "--model", "bright", "--out", tmp_path / "out", "--no-store") == 0

    assert store.count() == 0
    assert (tmp_path / "out" / "detections.gpkg").exists()
    assert not list((tmp_path / "out").glob(".slidelens-*"))


def test_evaluating_writes_what_is_asked_for(
    store: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "scores" / "file.json"

    status = run(
        "evaluate", "--model", "bright", "--images", folder / "images", "--masks", folder / "masks", "--out", out
    )  # fmt: skip

    assert status == 0
    written = strict(out.read_text())
    assert set(written) >= KEYS
    assert (written["ap50"], written["ap50_95"], written["f1"], written["images"]) == (1, 1, 1, 3)
    assert written == strict(capsys.readouterr().out)
    (kept,) = store.runs(RunFilter(task="detection"))
    assert kept.kind == "evaluation"
    assert kept.metrics["ap50"] == 1


def test_an_evaluation_at_a_confidence_counts_from_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", "bright", "--images", folder / "images", "--masks", folder / "masks"]

    assert run("evaluate", *arguments, "--confidence", 0.9, "--no-store") == 0

    assert strict(capsys.readouterr().out)["recall"] == 0


def test_models_are_listed_with_their_scores(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0

    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "AP50", "AP50:95", "F1", "precision", "recall", "validated", "on", "sensor"]
    assert row.split() == ["bright", "0.410", "–", "0.500", "–", "–", "not", "recorded", "a", "test"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nothing"], "no detection model"),
        (["--model", "bright", "--confidence", "2"], "not between 0 and 1"),
        (["--model", "bright", "--nms-iou", "-1"], "not between 0 and 1"),
        (["--model", "bright", "--bands", "1,2"], "needs 3 bands"),
        (["--model", "bright", "--overlap", "1"], "not between 0 and 0.9"),
        (["--model", "bright", "--no-store"], "would be lost"),
        (["--model", "bright", "--truth", "nowhere.tif"], "nowhere.tif"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    scene: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("predict", scene, *arguments) == 2

    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


def test_a_folder_of_masks_that_lacks_one_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "masks" / "mask_2.png").unlink()

    assert run("evaluate", "--model", "bright", "--images", folder / "images", "--masks", folder / "masks") == 2

    assert "image_2.png" in capsys.readouterr().err
