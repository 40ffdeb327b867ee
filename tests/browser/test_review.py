"""The review in a real browser: what is typed stays, and an outline that is edited can be seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.runs.store import Store
from tests.browser import steps
from tests.factories import found_ids, keep, made_run, write_raster

pytestmark = pytest.mark.browser

COVERED = """() => {
  const hint = document.querySelector(".leaflet-draw-tooltip").getBoundingClientRect();
  return [...document.querySelectorAll(".leaflet-control")].some(control => {
    const bar = control.getBoundingClientRect();
    return bar.left < hint.right && bar.right > hint.left && bar.top < hint.bottom && bar.bottom > hint.top;
  });
}"""


@pytest.fixture
def address(start_server: Callable[..., Any], tmp_path: Path) -> str:
    """The page of a run that found one landslide, of 6 × 10 pixels in an image of 200 × 200."""
    store = Store(tmp_path / "home")
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", np.full((3, 200, 200), 90, np.uint8)), "scene.tif")
    probability = np.zeros((200, 200))
    probability[4:10, 5:15] = 0.9
    run = keep(store, made_run(tmp_path / "made", probability, scene_digest=scene.scene.digest), scene.id)
    server = start_server(env={"SLIDELENS_HOME": str(tmp_path / "home")})
    return f"{server.address}/mapping?run={run.id}"


def test_a_note_outlives_escape_and_handles_leave_an_outline_in_sight(
    address: str, visit: Callable[..., Any]
) -> None:
    seen = visit(address)
    page, frame = seen.page, seen.map_frame()
    page.get_by_role("tab", name="Review").click()
    page.get_by_role("textbox", name="Reviewer").first.fill("Anna")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Next").click()

    page.get_by_role("button", name="Reason").click()
    note = page.get_by_role("textbox", name="Note")
    note.press_sequentially("bare soil")
    page.keyboard.press("Escape")
    note.wait_for(state="detached")
    page.get_by_role("button", name="Reason").click()
    note.wait_for()
    assert note.input_value() == "bare soil"
    page.keyboard.press("Escape")
    note.wait_for(state="detached")

    page.get_by_role("button", name="Edit outline").click()
    frame.locator(".leaflet-editing-icon").first.wait_for()
    handle = frame.locator(".leaflet-editing-icon").first.bounding_box()
    assert handle is not None
    assert (handle["width"], handle["height"]) == (9, 9)
    # The landslide is a twentieth of the image: now it fills most of the map that its tools leave free.
    shares = frame.evaluate("""() => {
      const box = window.drawnItems.getBounds(), size = map.getSize();
      const far = map.latLngToContainerPoint(box.getSouthEast()), near = map.latLngToContainerPoint(box.getNorthWest());
      return [(far.x - near.x) / size.x, (far.y - near.y) / size.y];
    }""")
    assert max(shares) > 0.3
    assert not frame.evaluate(COVERED)
    assert steps.without_probes(seen.complaints) == []


def test_the_keys_of_the_review_are_heard_while_the_map_has_the_focus(address: str, visit: Callable[..., Any]) -> None:
    seen = visit(address)
    page, frame = seen.page, seen.map_frame()
    page.get_by_role("tab", name="Review").click()
    page.get_by_role("textbox", name="Reviewer").first.fill("Anna")
    page.keyboard.press("Enter")
    bar = page.locator(".st-key-review-bar")
    correct = {state: bar.locator(f"button:{state}:visible", has_text="Correct") for state in ("enabled", "disabled")}
    page.get_by_role("button", name="Next").click()
    correct["enabled"].wait_for()

    # A click beside everything is told after a moment, and would undo a choice that was made meanwhile.
    frame.locator("#map_div").click(position={"x": 300, "y": 250})
    correct["disabled"].wait_for()
    assert frame.evaluate("document.hasFocus()")
    page.get_by_role("button", name="Next").click()
    correct["enabled"].wait_for()
    frame.evaluate("() => { window.focus(); document.body.focus(); }")
    page.keyboard.press("x")
    page.keyboard.press("y")
    page.get_by_text("1 of 1 reviewed").wait_for()
    page.get_by_text("The model's 1 landslide: correct 1.").wait_for()
    assert steps.without_probes(seen.complaints) == []


def test_an_address_with_a_landslide_shows_it_wherever_the_map_was_left(
    address: str, visit: Callable[..., Any], tmp_path: Path
) -> None:
    (name,) = found_ids(Store(tmp_path / "home"), address.rpartition("=")[2])
    seen = visit(address)
    where = "() => [map.getCenter().lat, map.getCenter().lng]"
    steps.has_tiles(seen.map_frame(), "/tiles/scene/")  # before that the map has no view that could be changed
    # The landslide is in the upper left corner.
    seen.map_frame().evaluate("() => { map.setView(map.getBounds().getSouthEast(), map.getZoom(), {animate: false}); }")
    left = seen.map_frame().evaluate(where)
    seen.page.goto(address)
    seen.map_frame().wait_for_function("at => map.getCenter().distanceTo(at) < 30", arg=left)
    seen.page.goto(f"{address}&selected={name}")
    seen.page.get_by_text(f"Selected landslide {name}").wait_for()
    seen.map_frame().wait_for_function("at => map.getCenter().distanceTo(at) > 500", arg=left)
    assert steps.without_probes(seen.complaints) == []


def test_a_page_that_is_loaded_anew_keeps_what_is_selected_the_tab_and_the_name(
    address: str, visit: Callable[..., Any], tmp_path: Path
) -> None:
    (name,) = found_ids(Store(tmp_path / "home"), address.rpartition("=")[2])
    seen = visit(address)
    page = seen.page
    steps.open_tab(page, "Review")
    page.get_by_role("textbox", name="Reviewer").first.fill("Anna Bell")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Next").click()
    page.get_by_text(f"Selected landslide {name}").wait_for()
    page.wait_for_url("**selected=*")
    steps_back = page.evaluate("history.length")
    left = seen.map_frame().evaluate(
        "() => { map.setView(map.getBounds().getSouthEast(), map.getZoom(), {animate: false});"
        " return [map.getCenter().lat, map.getCenter().lng]; }"
    )
    page.reload()
    page.get_by_text(f"Selected landslide {name}").wait_for()
    page.get_by_role("button", name="Anna Bell").wait_for()
    page.locator("[role=tab][aria-selected=true]:has-text('Review')").wait_for()
    seen.map_frame().wait_for_function("at => map.getCenter().distanceTo(at) < 30", arg=left)
    # What is selected and which tab is open are no steps of their own for Back.
    steps.open_tab(page, "Scores")
    page.wait_for_url("**tab=Scores*")
    assert page.evaluate("history.length") == steps_back
    assert steps.without_probes(seen.complaints) == []


def test_the_table_shows_the_row_of_what_is_selected_elsewhere(
    start_server: Callable[..., Any], visit: Callable[..., Any], tmp_path: Path
) -> None:
    store = Store(tmp_path / "many")
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", np.full((3, 200, 200), 90, np.uint8)), "scene.tif")
    probability = np.zeros((200, 200))
    for row in range(6):
        for column in range(6):
            probability[10 + 30 * row : 16 + 30 * row + column, 10 + 30 * column : 15 + 30 * column + row] = 0.9
    run = keep(store, made_run(tmp_path / "made", probability, scene_digest=scene.scene.digest), scene.id)
    server = start_server(env={"SLIDELENS_HOME": str(store.home)})
    seen = visit(f"{server.address}/mapping?run={run.id}&tab=Review")
    page = seen.page
    grid = page.get_by_role("tabpanel").locator(".dvn-scroller").first
    grid.wait_for()
    assert grid.evaluate("grid => grid.scrollTop") == 0
    smallest = found_ids(store, run.id)[-1]
    steps.click_polygon(page, seen.map_frame(), smallest)
    page.get_by_text(f"Selected landslide {smallest}").wait_for()
    scrolled = "() => document.querySelector('[role=tabpanel] .dvn-scroller')?.scrollTop > 400"
    page.wait_for_function(scrolled)

    # Also after something was undone, of which a notice tells.
    page.get_by_role("textbox", name="Reviewer").first.fill("Anna")
    page.keyboard.press("Enter")
    page.locator(".st-key-review-bar").get_by_role("button", name="False alarm").click()
    page.get_by_text("1 of 36 reviewed").wait_for()
    page.get_by_role("button", name="undo").click()
    page.get_by_text("Undone: ").wait_for()
    grid.evaluate("grid => { grid.scrollTop = 0; }")
    second = found_ids(store, run.id)[-2]
    steps.click_polygon(page, seen.map_frame(), second)
    page.get_by_text(f"Selected landslide {second}").wait_for()
    page.wait_for_function(scrolled)


@pytest.mark.parametrize("touch", [True, False])
def test_keys_are_named_where_there_is_a_keyboard(address: str, visit: Callable[..., Any], touch: bool) -> None:
    page = visit(f"{address}&tab=Review", has_touch=touch).page
    page.locator(".st-key-review-bar button", has_text="Correct").first.wait_for()
    page.get_by_text("Enter your name first").wait_for()
    named = "() => [...document.querySelectorAll('button kbd')].filter(one => one.checkVisibility()).length"
    assert page.evaluate("() => document.querySelectorAll('button kbd').length") >= 3
    assert bool(page.evaluate(named)) != touch
