"""Asking why a box was found, and for its outline, by command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest

from core.cli.main import main
from core.learning.metrics import decode_signed
from core.raster.scene import Scene
from core.runs.store import Store
from core.tasks.detection.run import Request, run_detection
from tests.factories import make_detector_model, tiny_spec, write_model, write_raster


@pytest.fixture
def detection(tmp_path: Path, store: Store, models: Path) -> str:
    """A finished detection of two red rectangles, the surer of which is 6 by 10 pixels."""
    make_detector_model(models)
    write_model(models, tiny_spec("red"))
    values = np.full((3, 90, 100), 20, np.uint8)
    values[0, 8:14, 10:20] = 250
    values[0, 70:78, 80:94] = 240
    return run_detection(store, Scene.open(write_raster(tmp_path / "scene.tif", values)), Request("bright")).id


def run(*arguments: object) -> int:
    return main(["detection", *map(str, arguments)])


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_box_is_explained_and_its_raster_copied(
    tmp_path: Path, store: Store, detection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", detection[:12], "--box", 1, "--out", tmp_path / "why", "--tag", "ours") == 0

    told = printed(capsys)
    assert told["detection"] == detection
    assert told["target"]["box"] == [10, 8, 20, 14]
    assert (told["method"], told["layer"]) == ("HiResCAM", "last")
    assert told["drop"] > told["drop_random"]
    assert store.run(told["run"]).tags == ("ours",)
    with Scene.open(tmp_path / "why" / "cam.tif").reader() as reader:
        values = decode_signed(reader.read((1,)).values[0].astype(np.int16))
    # Where the box is, and nowhere else.
    assert (values == 1).sum() == 60
    assert (values == 0).sum() == values.size - 60
    assert json.loads((tmp_path / "why" / "manifest.json").read_text())["run"]["kind"] == "explanation"


def test_a_box_is_outlined_by_a_mapping_model(
    tmp_path: Path, detection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("outline", detection, "--box", 2, "--model", "red", "--out", tmp_path / "outline") == 0

    told = printed(capsys)
    assert told["model"]["name"] == "red"
    assert told["area_px"] == 8 * 14
    frame = geopandas.read_file(tmp_path / "outline" / "outline.gpkg")
    assert frame["area_px"].tolist() == [8 * 14]
    assert frame["run"].tolist() == [detection]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("explain", "--box", 3), "no box 3"),
        (("explain", "--box", 2, "--confidence", 0.97), "no box 2"),
        (("explain", "--box", 1, "--method", "guess"), "no method 'guess'"),
        (("explain", "--box", 1, "--layer", "other"), "no layer 'other'"),
        (("outline", "--box", 1, "--model", "blue"), "no mapping model 'blue'"),
        (("outline", "--box", 1, "--model", "red", "--threshold", 2), "not between 0 and 1"),
        (("explain", "--box", 1, "--tag", "a,b"), "no tag"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2_and_says_why(
    detection: str, asked: tuple[object, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = asked
    assert run(command, detection, *rest) == 2
    assert words in capsys.readouterr().err
