"""Going from page to page while parts of both draw themselves anew, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from core.runs.records import Progress
from core.runs.store import Store
from core.tasks.detection import run as detection
from core.tasks.mapping import run as mapping
from tests.factories import write_raster

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # for busy machines; a quiet one needs a minute

SWITCHES = 200
IMPATIENT = """
  const set = window.setInterval;
  window.setInterval = (work, every, ...rest) => set(work, [500, 2000].includes(every) ? 150 : every, ...rest);
"""
"""Has a page look for news every 150 ms, so that it does while every single switch is on its way."""

WHOLE = """task => document.querySelector("[data-testid=stMain] h1")?.textContent === `Landslide ${task}` &&
  document.querySelector("[data-testid=stMain]").textContent.includes("You can close this page")"""
"""Whether a page is there; asked of texts as they are written, for which the browser need not lay the page out."""
SHOWN = f"""([task, run]) => ({WHOLE})(task) && location.pathname === `/${{task}}` &&
  new URL(location).searchParams.get("run") === run &&
  document.querySelectorAll("[class*=st-key-under-way]").length === 2"""
PRESS = f"""([from, run]) => {{
  const whole = ({WHOLE})(from);
  document.querySelector(`.st-key-under-way-${{run}} button`).click();
  return whole;
}}"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def under_way(home: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The runs, by page, of a store in which a mapping and a detection are being computed by another server."""
    store = Store(home)
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", np.zeros((3, 64, 64), np.uint8)), "scene.tif")
    orders = {
        "mapping": mapping.order_of(scene, mapping.Request("gone")),
        "detection": detection.order_of(scene, detection.Request("gone")),
    }
    runs = {page: store.order(order) for page, order in orders.items()}
    for run in runs.values():
        store.claim(run, server="elsewhere", worker="one")
    done = Event()

    def work() -> None:
        for step in count():
            for run in runs.values():
                store.beat(run, Progress(step, 1000, "Working"))
            if done.wait(5):
                return

    worker = Thread(target=work)
    worker.start()
    yield runs
    done.set()
    worker.join()


def test_no_page_is_left_empty_when_pages_are_switched_while_they_draw_themselves_anew(
    start_server: Callable[..., Any], visit: Callable[..., Any], home: Path, under_way: dict[str, str]
) -> None:
    """The page that follows a run and the sidebar ask to be drawn anew in between, and are answered too late."""
    runs = under_way
    # Without models the form is a line: the browser needs most of its time for it, and it plays no part here.
    server = start_server(env={"SLIDELENS_HOME": str(home), "SLIDELENS_MODELS": str(home / "none")})
    page = visit(server.address).page
    page.add_init_script(IMPATIENT)
    page.goto(f"{server.address}/mapping?run={runs['mapping']}")
    page.wait_for_function(SHOWN, arg=["mapping", runs["mapping"]])
    page.set_default_timeout(20_000)
    for number in range(SWITCHES):
        target = ("detection", "mapping")[number % 2]
        pressed = page.evaluate(PRESS, [("mapping", "detection")[number % 2], runs[target]])
        assert pressed, f"the page is empty after {number} switches"
        page.wait_for_function(SHOWN, arg=[target, runs[target]], polling=30)
    assert "Traceback" not in server.log.read_text(errors="replace")
