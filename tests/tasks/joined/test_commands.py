"""Asking for the outline of a box, by command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest

from core.cli.main import main
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
        (("outline", "--box", 1, "--model", "blue"), "no mapping model 'blue'"),
        (("outline", "--box", 1, "--model", "red", "--threshold", 2), "not between 0 and 1"),
        (("outline", "--box", 3, "--model", "red"), "no box 3"),
        (("outline", "--box", 1, "--model", "red", "--tag", "a,b"), "not a valid tag"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2_and_says_why(
    detection: str, asked: tuple[object, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = asked
    assert run(command, detection, *rest) == 2
    assert words in capsys.readouterr().err
