"""Detection in the sample valley from the first press to boxes, scores and a file, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.runs.store import Store
from core.tasks.detection.findings import default_choice, find
from core.tasks.detection.result import DetectionResult
from tests.browser import steps
from tests.browser.networks import write_detector, write_networks
from tests.factories import found_ids
from ui.task.rows import LATE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # for busy machines; a quiet one needs seconds

COLOURS = """() => {
  const found = {};
  map.eachLayer(layer => {
    if (layer.feature && layer.options.interactive) found[layer.feature.properties.id] = layer.options.color;
  });
  return found;
}"""


HALOS = """() => {
  const found = [];
  map.eachLayer(layer => { if (layer.options.weight === 9) found.push(layer.feature.properties.id); });
  return found;
}"""
"""Ids of what the map highlights, once for each line of a highlight."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def address(start_server: Callable[..., Any], home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    models = tmp_path_factory.mktemp("models")
    write_networks(models)
    write_detector(models)
    return str(start_server(env={"SLIDELENS_HOME": str(home), "SLIDELENS_MODELS": str(models)}).address)


@pytest.fixture(scope="module")
def detected(address: str, browser: Any) -> str:
    """Id of a detection in the valley after its event: two presses from the empty page."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{address}/detection")
    steps.start(page, "Detect landslides")
    run = steps.detect_landslides(page)
    context.close()
    return run


@pytest.fixture
def result(address: str, detected: str, visit: Callable[..., Any]) -> Iterator[tuple[Any, Any]]:
    """A page with that run, and the frame of its map; at the end it asked no other host and did not complain."""
    seen = visit(f"{address}/detection?run={detected}", accept_downloads=True)
    frame = seen.map_frame()
    steps.metric(seen.page, "Detections")
    frame.wait_for_function(f"() => Object.keys(({COLOURS})()).length > 0")
    yield seen.page, frame
    assert seen.hosts == {address.split("/")[2]}
    assert steps.without_probes(seen.complaints) == []


def test_confidence_acts_at_once_and_the_map_stays(result: tuple[Any, Any], home: Path, detected: str) -> None:
    page, frame = result
    run = Store(home).result(detected, DetectionResult)
    first = find(run, default_choice(run)).count
    assert steps.metric(page, "Detections") == f"{first:,}"
    frame.evaluate("() => { window.mark = 'same'; map.zoomIn(1, {animate: false}); }")
    before = frame.evaluate(steps.STATE)
    steps.move_threshold(page, 15, "Confidence threshold")
    steps.changed(page, "Detections", f"{first:,}")
    fewer = find(run, replace(default_choice(run), confidence=0.5)).count
    assert fewer < first
    frame.wait_for_function(f"count => Object.keys(({COLOURS})()).length === count", arg=fewer)
    steps.becomes(page, "Detections", f"{fewer:,}")
    assert frame.evaluate(steps.STATE) == before
    assert "confidence=0.5" in page.url


def test_map_and_table_are_linked_both_ways(result: tuple[Any, Any], home: Path, detected: str) -> None:
    page, frame = result
    first, second, *_ = found_ids(Store(home), detected)
    steps.click_polygon(page, frame, second)
    page.get_by_text(f"Selected detection {second}").wait_for()
    frame.wait_for_function(f"id => ({HALOS})().length && ({HALOS})().every(one => one === id)", arg=second)
    # The table is drawn on a canvas: its first row lies below the heading, its ticks at the left edge.
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    before = frame.evaluate("() => map.getZoom()")
    # What was chosen on the map is the second row, ticked; unticked, nothing is chosen.
    page.wait_for_timeout(1000 * LATE)  # until then the page takes it for what the table said before the click
    page.mouse.move(box["x"] + 18, box["y"] + 52 + 35)
    page.mouse.click(box["x"] + 18, box["y"] + 52 + 35)
    page.get_by_text(f"Selected detection {second}").wait_for(state="detached")
    frame.wait_for_function(f"() => !({HALOS})().length")
    steps.settled(page)
    table.scroll_into_view_if_needed()
    box = table.bounding_box()  # the line on what was selected is gone, so that the table has moved
    page.mouse.click(box["x"] + 18, box["y"] + 52)
    page.get_by_text(f"Selected detection {first}").wait_for()
    frame.wait_for_function("before => map.getZoom() > before", arg=before)
    # One highlight, although what is selected is in two layers.
    frame.wait_for_function(f"id => ({HALOS})().length && ({HALOS})().every(one => one === id)", arg=first)


def test_boxes_change_colour_with_what_the_reference_says(result: tuple[Any, Any], home: Path, detected: str) -> None:
    page, frame = result
    frame.locator(".sl-panel summary").first.click()
    frame.get_by_label("Correct, false alarm, missed", exact=True).check()
    frame.wait_for_function(
        f"() => Object.values(({COLOURS})()).every(colour => ['#009E73', '#E69F00'].includes(colour))"
    )
    # They take the place of the boxes by confidence, whose tick stays; what is ticked is kept for the page.
    assert frame.get_by_label("Detections (boxes)", exact=True).is_checked()
    kept = frame.evaluate("() => JSON.parse(sessionStorage.getItem('slidelens:page-detection:layers'))")
    assert kept["visible"] == {"Correct, false alarm, missed": True}
    run = Store(home).result(detected, DetectionResult)
    table = find(run, default_choice(run)).table
    right = dict(zip(table["id"], table["outcome"] == "true", strict=True))
    assert {name: colour == "#009E73" for name, colour in frame.evaluate(COLOURS).items()} == right


def test_scores_show_the_worst_misses_and_files_hold_what_is_shown(
    result: tuple[Any, Any], home: Path, detected: str, tmp_path: Path
) -> None:
    page, _ = result
    steps.open_tab(page, "Scores")
    scores = find(run := Store(home).result(detected, DetectionResult), default_choice(run)).scores
    assert scores is not None
    assert steps.metric(page, "AP50") == f"{scores.ap50:.3f}"
    page.get_by_text("False alarms of highest confidence").wait_for()
    steps.open_tab(page, "Export")
    page.get_by_role("button", name="Prepare files").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="detections.geojson").click()
    path = tmp_path / "boxes.geojson"
    waiting.value.save_as(path)
    boxes = json.loads(path.read_text("utf-8"))["features"]
    assert len(boxes) == scores.found
    assert boxes[0]["properties"]["run"] == detected
