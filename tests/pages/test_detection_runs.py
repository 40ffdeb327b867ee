"""Detections among all runs, beside each other, and to be read, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.report.make import make_report
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.result import DetectionResult
from tests.factories import keep, keep_detection, made_detection, made_run

TRUTH = Boxes.of([[10, 10, 30, 30], [50, 50, 90, 70]])


def opened(repository: Path, page: str) -> AppTest:
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120).switch_page(f"../pages/{page}.py")


def texts(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.error, page.warning, page.subheader, page.title)
    return "\n".join(part.value for kind in kinds for part in kind).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def kept(store: Store, folder: Path, corners: list[list[float]], **changes: object) -> DetectionResult:
    folder.mkdir()
    boxes = Boxes.of(corners, [0.9, 0.8, 0.7][: len(corners)])
    return keep_detection(store, replace(made_detection(folder, boxes, reference=TRUTH), **changes))


@pytest.fixture
def pair(tmp_path: Path, store: Store) -> tuple[DetectionResult, DetectionResult]:
    """One that finds both landslides, and one that finds the first and something else."""
    both = kept(store, tmp_path / "a", [[10, 10, 30, 30], [50, 50, 90, 70]])
    return both, kept(store, tmp_path / "b", [[11, 10, 30, 30], [100, 80, 110, 95]], model="other")


def test_runs_of_both_tasks_are_listed_with_their_own_numbers(
    repository: Path, store: Store, tmp_path: Path, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    keep(store, made_run(tmp_path / "map", np.full((4, 5), 0.9)))
    page = opened(repository, "runs").run()
    assert not page.exception
    listed = page.dataframe[0].value
    assert listed["Kind"].tolist() == ["Map", "Detections", "Detections"]
    assert listed["Detections"].tolist()[1:] == [2, 2]
    assert listed["AP50"].tolist()[1:] == pytest.approx([51 / 101, 1.0])
    page.selectbox(key="task").set_value("Detection").run()
    assert len(page.dataframe[0].value) == 2


def test_a_detection_is_opened_read_and_searched_with_changes(
    repository: Path, store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    page = opened(repository, "runs")
    page.query_params["run"] = pair[0].id
    page.run()
    assert not page.exception
    assert {"Open", "Reading view"} <= {button.label for button in page.button}
    assert "At the model's own confidence and NMS IoU" in texts(page)
    assert {"AP50", "Detections"} <= {metric.label for metric in page.metric}


def test_two_detections_stand_side_by_side_and_over_each_other(
    repository: Path, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    page = opened(repository, "compare")
    page.query_params["runs"] = ",".join(run.id for run in pair)
    page.run()
    assert not page.exception
    assert not page.error
    numbers = page.table[0].value
    assert numbers.loc["Precision"].tolist() == ["1.000 **highest**", "0.500"]
    assert numbers.loc["Detections"].tolist() == ["2", "2"]
    assert numbers.loc["Confidence used for these metrics"].tolist() == ["0.50", "0.50"]
    shared = page.table[1].value
    assert shared.loc["Found by both, A and B"].tolist() == ["1", "1", "0"]
    assert shared.loc["Only A"].tolist() == ["1", "1", "0"]
    assert shared.loc["Only B"].tolist() == ["1", "0", "1"]
    assert "The colour index" not in texts(page)


def test_a_map_and_a_detection_are_not_compared(
    repository: Path, store: Store, tmp_path: Path, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    mapped = keep(store, made_run(tmp_path / "map", np.full((4, 5), 0.9)))
    page = opened(repository, "compare")
    page.query_params["runs"] = f"{mapped.id},{pair[0].id}"
    page.run()
    assert "different tasks" in page.error[0].value


def test_a_detection_is_read_at_the_confidence_of_the_address(
    repository: Path, store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    make_report(store, pair[0].id)
    page = opened(repository, "read")
    page.query_params["run"] = pair[0].id
    page.query_params["confidence"] = "0.85"
    page.run()
    assert not page.exception
    assert not page.error
    assert "The detector finds 1 possible landslide" in texts(page)
    assert "Of 2 landslides in the reference, 1 is found." in texts(page)
    assert "Highest confidence" in [heading.value for heading in page.subheader]
    assert "confidence 0.85, NMS IoU 0.50" in texts(page)
    page.query_params["confidence"] = "much"
    assert "is not a number" in page.run().error[0].value
    page.query_params["confidence"] = "0.85"
    page.query_params["merging"] = "<b>magic</b>"
    assert "Unknown way to merge detections" in page.run().error[0].value


def test_what_stands_on_a_detection_leads_to_it(
    repository: Path, store: Store, pair: tuple[DetectionResult, DetectionResult]
) -> None:
    child = store.order(Order("detection", "explanation", {}, parents=(pair[0].id,)))
    page = opened(repository, "read")
    page.query_params["run"] = child
    assert "cannot be shown in the reading view" in page.run().error[0].value
