"""Detections are listed, exported and reported by command line as maps are."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas
import numpy as np
import pytest

from core.cli.main import main
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from tests.factories import keep, keep_detection, made_detection, made_run


@pytest.fixture
def detection(tmp_path: Path, store: Store) -> str:
    """Two boxes, of which one is in the reference."""
    folder = tmp_path / "made"
    folder.mkdir()
    boxes = Boxes.of([[10, 10, 30, 30], [50, 50, 90, 70]], [0.9, 0.6])
    return keep_detection(store, made_detection(folder, boxes, reference=Boxes.of([[10, 10, 30, 30]]))).id


def run(*arguments: object) -> int:
    return main(["runs", *map(str, arguments)])


def test_a_detection_is_listed_with_its_task_and_scores(detection: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--task", "detection") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert re.split(r"\s{2,}", head.strip())[-8:] == [
        "TASK", "KIND", "MODEL", "F1", "AP50", "AUROC", "RMSE (mm)", "NAME",
    ]  # fmt: skip
    # Of two boxes one is right, which is the surer, and nothing is missed.
    assert row.split()[4:] == ["detection", "detection", "made", "0.667", "1.000", "–", "–", "made"]


def test_its_report_is_made_at_what_is_chosen(detection: str, store: Store, tmp_path: Path) -> None:
    assert run("report", detection, "--confidence", 0.7, "--merging", "fusion", "--out", tmp_path / "report.html") == 0
    written = (tmp_path / "report.html").read_text("utf-8")
    assert "The detector finds 1 possible landslide" in written
    assert "merged (weighted boxes fusion)" in written
    assert written == store.artifact(detection, "report").path.read_text("utf-8")


def test_its_boxes_are_exported_at_what_is_chosen(detection: str, tmp_path: Path) -> None:
    assert run("export", detection, "--confidence", 0.7, "--out", tmp_path / "out") == 0
    (boxes,) = (tmp_path / "out").glob(f"*_detection_detections_{detection[:8]}.gpkg")
    assert len(geopandas.read_file(boxes, layer="detections")) == 1


def test_what_is_chosen_for_another_task_is_refused(
    detection: str, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", detection, "--threshold", 0.4) == 2
    assert "--threshold applies to runs of the task mapping" in capsys.readouterr().err
    mapped = keep(store, made_run(tmp_path / "map", np.full((4, 5), 0.9))).id
    assert run("export", mapped, "--merging", "fusion", "--out", tmp_path / "out") == 2
    assert "--merging applies to runs of the task detection" in capsys.readouterr().err
    assert run("report", detection, "--confidence", 2) == 2
    assert "is not between 0 and 1" in capsys.readouterr().err
