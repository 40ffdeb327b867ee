"""Runs in a real browser: found, named, laid over each other, read elsewhere, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.runs.records import Failure
from core.runs.store import Store
from core.tasks.mapping import run as mapping
from tests.browser import steps
from tests.factories import keep, made_run, ramp, write_raster

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # for busy machines; a quiet one needs seconds

HEIGHT, WIDTH = 240, 320
ROW, HEAD = 35, 38


@dataclass(frozen=True)
class Site:
    """A server with two maps of one scene."""

    address: str
    store: Store
    first: str
    second: str


def slides(*places: tuple[int, int]) -> np.ndarray:
    """Landslides of 30 × 40 pixels, at probability 0.8."""
    probability = np.zeros((HEIGHT, WIDTH))
    for row, column in places:
        probability[row : row + 30, column : column + 40] = 0.8
    return probability


@pytest.fixture
def site(start_server: Callable[..., Any], tmp_path: Path) -> Site:
    store = Store(tmp_path / "home")
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(HEIGHT, WIDTH)), "scene.tif")
    runs = []
    for name, places in (("first", ((20, 30),)), ("second", ((20, 30), (150, 200)))):
        run = keep(store, made_run(tmp_path / name, slides(*places), scene="scene.tif"), scene.id)
        store.label(run.id, name=name)
        runs.append(run.id)
    return Site(start_server(env={"SLIDELENS_HOME": str(store.home)}).address, store, *runs)


@pytest.fixture
def open_page(visit: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Give a function that opens a page; at the end none asked another host or complained."""
    pages = []

    def open_one(address: str) -> Any:
        pages.append((address.split("/")[2], visit(address, viewport={"width": 1400, "height": 1400})))
        return pages[-1][1]

    yield open_one
    for host, seen in pages:
        assert seen.hosts == {host}
        assert steps.without_probes(seen.complaints) == []


def tick(page: Any, row: int) -> None:
    """Choose a row of the list, counted from 0, by its box."""
    table = page.get_by_test_id("stDataFrame").first
    table.wait_for()
    table.click(position={"x": 16, "y": HEAD + ROW * row + ROW // 2})


def test_a_run_is_found_named_and_found_again(site: Site, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{site.address}/runs").page
    tick(page, 1)
    page.get_by_role("heading", name="first").wait_for()
    assert f"run={site.first}" in page.url
    page.get_by_label("Name", exact=True).fill("North slope")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="North slope").wait_for()
    assert site.store.run(site.first).name == "North slope"

    # The address is the choice, and the search finds the name, in another browser too.
    other = open_page(f"{site.address}/runs?text=north&run={site.first}").page
    other.get_by_role("heading", name="North slope").wait_for()
    other.get_by_text("1 run, newest first.").wait_for()


def test_two_runs_are_laid_over_each_other(site: Site, open_page: Callable[..., Any]) -> None:
    seen = open_page(f"{site.address}/runs")
    page = seen.page
    tick(page, 0)
    page.get_by_role("heading", name="second").wait_for()
    tick(page, 1)
    page.get_by_role("link", name="Compare runs").click()
    page.get_by_role("heading", name="Compare runs").wait_for()
    frame = seen.map_frame()
    for run in (site.first, site.second):
        steps.has_tiles(frame, f"/run/{run}/probability/")
    divider = frame.locator(".sl-swipe-range")
    before = frame.evaluate("() => map.getPane('swipe-left').style.clipPath")
    divider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    frame.wait_for_function("before => map.getPane('swipe-left').style.clipPath !== before", arg=before)

    page.get_by_role("radio", name="Difference").or_(page.get_by_text("Difference", exact=True)).first.click()
    # The second run has another slide of 30 × 40 of the 240 × 320 pixels: 1.56 %.
    sentence = page.get_by_text("of the pixels with data in both")
    sentence.wait_for()
    assert "1.56 %" in sentence.inner_text()
    shown = page.frame_locator("iframe").first
    shown.locator("summary", has_text="Layers").click()
    shown.get_by_text("B minus A", exact=True).wait_for()
    steps.has_tiles(seen.map_frame(), "/change/")
    assert "view=Difference" in page.url
    (made,) = site.store.children(site.first)
    page.reload()
    sentence.wait_for()
    assert [run.id for run in site.store.children(site.first)] == [made.id]


def test_a_run_is_read_elsewhere_until_it_is_deleted(site: Site, open_page: Callable[..., Any]) -> None:
    reader = open_page(f"{site.address}/read?run={site.second}&threshold=0.7")
    reader.page.get_by_text("The model maps 2 landslides").wait_for()
    steps.has_tiles(reader.map_frame(), "threshold=0.7")
    controls = ("stButton", "stSlider", "stSelectbox", "stNumberInput", "stTextInput", "stCheckbox", "stTabs")
    assert not any(reader.page.get_by_test_id("stMain").get_by_test_id(control).count() for control in controls)

    owner = open_page(f"{site.address}/runs?run={site.second}").page
    owner.get_by_role("button", name="Delete").click()
    owner.get_by_text("This permanently deletes this run.").wait_for()
    owner.get_by_role("button", name="Delete permanently").click()
    owner.get_by_text("1 run, newest first.").wait_for()
    assert [run.id for run in site.store.runs()] == [site.first]

    reader.page.reload()
    reader.page.get_by_text("This run is not in the store").wait_for()


def test_a_page_that_nobody_touches_asks_nothing_and_still_finds_what_was_started_meanwhile(
    site: Site, visit: Callable[..., Any]
) -> None:
    page = visit(site.address).page
    asked: list[bytes | str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(frame)))
    page.goto(f"{site.address}/runs")
    page.get_by_test_id("stDataFrame").first.wait_for()
    _quiet(page, asked)
    asked.clear()
    page.wait_for_timeout(5_000)  # more than two looks of the sidebar, were there any
    assert asked == []

    scene = site.store.scene_record(site.store.run(site.first).subject.dataset_id)
    run = site.store.order(mapping.order_of(scene, mapping.Request("elsewhere")))
    site.store.claim(run, server="elsewhere", worker="one")
    tick(page, 0)
    page.get_by_role("button", name="elsewhere").wait_for()
    site.store.fail(run, Failure("The disk is full.", "", ""))
    page.get_by_role("button", name="elsewhere").wait_for(state="detached")
    _quiet(page, asked)


def _quiet(page: Any, asked: list[bytes | str]) -> None:
    """Wait until a page has asked nothing for three seconds."""
    before = -1
    while len(asked) != before:
        before = len(asked)
        page.wait_for_timeout(3_000)
