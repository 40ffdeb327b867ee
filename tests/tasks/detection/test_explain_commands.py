"""Asking why a box was found, by command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.cli.main import main
from core.learning.metrics import decode_signed
from core.raster.scene import Scene
from core.runs.store import Store
from core.tasks.detection.run import Request, run_detection
from tests.factories import make_detector_model, write_raster


@pytest.fixture
def image(tmp_path: Path, models: Path) -> Path:
    """Two red rectangles, the surer of which is 6 by 10 pixels."""
    make_detector_model(models)
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 80:94] = 240
    return write_raster(tmp_path / "scene.tif", values)


@pytest.fixture
def detection(store: Store, image: Path) -> str:
    """A finished detection of them."""
    return run_detection(store, Scene.open(image), Request("bright")).id


def run(*arguments: object) -> int:
    return main(["detection", "explain", *map(str, arguments)])


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_box_of_a_run_is_explained_and_its_files_written(
    tmp_path: Path, store: Store, detection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(detection[:12], "--box", 1, "--out", tmp_path / "why", "--tag", "ours", "--name", "The first") == 0

    told = printed(capsys)
    assert told["detection"] == detection
    assert told["target"]["box"] == [10, 8, 20, 14]
    assert (told["method"], told["method_title"], told["layer"]) == ("hires-cam", "HiResCAM", "last")
    assert told["drop"] > told["drop_random"]
    kept = store.run(told["run"])
    assert (kept.tags, kept.name) == (("ours",), "The first")
    assert json.loads((tmp_path / "why" / "explanation.json").read_text("utf-8")) == told
    with Scene.open(tmp_path / "why" / "cam.tif").reader() as reader:
        values = decode_signed(reader.read((1,)).values[0].astype(np.int16))
    # Where the box is, and nowhere else.
    assert (values == 1).sum() == 60
    assert (values == 0).sum() == values.size - 60
    with Scene.open(tmp_path / "why" / "explanation.tif").reader() as reader:
        np.testing.assert_array_equal(reader.read((1,)).values[0], values)
    with Image.open(tmp_path / "why" / "explanation.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
    assert json.loads((tmp_path / "why" / "manifest.json").read_text())["run"]["kind"] == "explanation"


def test_an_image_is_searched_first_and_both_are_kept(
    store: Store, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(image, "--model", "bright", "--box", 2, "--method", "drise") == 0

    told = printed(capsys)
    assert told["target"]["box"] == [80, 70, 94, 78]
    assert (told["method"], told["layer"]) == ("d-rise", None)
    assert {made.id for made in store.runs()} == {told["run"], told["detection"]}


@pytest.mark.parametrize("method", ["gradcam", "grad-cam", "hirescam", "occlusion", "D-RISE"])
def test_every_method_is_known_by_its_name_with_and_without_hyphen(
    detection: str, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(detection, "--box", 1, "--method", method) == 0
    assert printed(capsys)["method"].replace("-", "") == method.lower().replace("-", "")


def test_what_can_be_asked_is_listed(detection: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list", "--model", "bright") == 0
    told = capsys.readouterr().out
    assert "hires-cam   HiResCAM (default)" in told
    assert "d-rise      D-RISE" in told
    assert "  last  Stage 1 of 1" in told
    assert "detection runs have no score for a single pixel" in told

    assert run(detection, "--list") == 0
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--box", 3), "no box 3"),
        (("--box", 2, "--confidence", 0.97), "no box 2"),
        (("--box", 1, "--method", "guess"), "no method 'guess'"),
        (("--box", 1, "--layer", "other"), "no layer 'other'"),
        (("--box", 1, "--tag", "a,b"), "not a valid tag"),
        (("--box", 1, "--model", "other"), "was made with bright, not with other"),
        (("--at", "500100,5199900"), "no score for a single pixel"),
        (("--polygon", 1), "boxes, not outlines"),
        ((), "Give --box ID"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2_and_says_why(
    store: Store, detection: str, asked: tuple[object, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(detection, *asked) == 2
    assert words in capsys.readouterr().err
    assert [made.kind for made in store.runs() if made.status == "done"] == ["detection"]
