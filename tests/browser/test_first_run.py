"""From an empty store to a result by the first button of every task, with models that ship."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from core.learning.store import MODELS, find_model
from tests.browser import steps

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]  # for busy machines; a quiet one needs seconds

PRIMARY = "[data-testid=stMain] [data-testid=stBaseButton-primary]"
"""Buttons of the main part of a page that are its first choice."""

RUN = "[data-testid=stMain] [data-testid=stBaseButton-primaryFormSubmit]"

WHOLE = "[data-testid=stApp][data-test-script-state=notRunning]"
"""A page of which all has been drawn."""

FITTING = {"mapping": "segformer-mit", "detection": "yolo11n-p2"}
"""The quickest models that fit the sample."""

OTHERS = {"mapping": ["aerial-unet"], "detection": ["insar-fcos", "dem-fcos"]}
"""Models that do not fit it; the page must not begin with them, whatever they scored on other data."""


@pytest.fixture(scope="module")
def address(start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server with an empty store and some of the models that ship."""
    folder = tmp_path_factory.mktemp("models")
    for task, fitting in FITTING.items():
        (folder / task).mkdir()
        for name in (fitting, *OTHERS[task]):
            (folder / task / name).symlink_to(MODELS / task / name, target_is_directory=True)
    return str(start_server(env={"SLIDELENS_MODELS": str(folder)}).address)


def test_the_first_button_of_every_task_leads_to_a_result(address: str, visit: Callable[..., Any]) -> None:
    """From the first page, one press and one more end in boxes, and in landslides on a map."""
    titles = {task: find_model(task, name, MODELS).spec.title for task, name in FITTING.items()}
    further: dict[str, Callable[[Any], None]] = {"susceptibility": _map_is_read, "displacement": _slope_is_explained}
    seen = visit(address, viewport={"width": 1280, "height": 800})
    page = seen.page
    page.locator(PRIMARY).first.wait_for()
    page.locator(WHOLE).wait_for()  # buttons and links of a page that still draws itself are not all there
    tasks = page.locator(PRIMARY).count()
    assert tasks == page.get_by_role("link", name=re.compile("^Use your own ")).count()
    for number in range(tasks):
        page.goto(address)
        # While the page draws itself, fewer buttons are there, and another one is the first.
        drawn = "([which, all]) => document.querySelectorAll(which).length === all"
        page.wait_for_function(drawn, arg=[PRIMARY, tasks])
        page.locator(PRIMARY).nth(number).click()
        button = page.locator(RUN).first
        button.wait_for()
        place = button.bounding_box()
        assert place["y"] + place["height"] < 800, "the button stands below the fold"
        assert button.is_enabled()
        name = page.wait_for_function("() => location.pathname.slice(1)").json_value()
        title = titles.pop(name, None)
        assert title is None or title in page.get_by_role("combobox", name="Model").input_value()
        button.click()
        run = page.wait_for_function("() => new URL(location).searchParams.get('run')").json_value()
        page.get_by_role("tab", name="Findings").wait_for(timeout=600_000)
        page.locator(WHOLE).wait_for()
        if page.locator("iframe").count():
            steps.settled(page)
        assert page.evaluate("() => new URL(location).searchParams.get('run')") == run
        figures = page.locator("[data-testid=stMetricValue]")
        figures.first.wait_for()
        assert any(character in "123456789" for character in figures.first.inner_text())
        _is_first_on_a_phone(page)
        if page.locator("iframe").count() and page.locator(".st-key-key-figures").count():
            _is_seen_at_once(page)
        assert page.locator("[data-testid=stAlertContentError]").count() == 0
        further.pop(name, lambda _: None)(seen)
    assert not titles
    assert not further


def _is_first_on_a_phone(page: Any) -> None:
    """Where columns stand under one another, the result comes before the form."""
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        """() => {
          const top = element => element.getBoundingClientRect().top;
          const figure = document.querySelector("[data-testid=stMetricValue]");
          return top(figure) < top(document.querySelector("[data-testid=stBaseButton-primaryFormSubmit]"));
        }"""
    )
    page.set_viewport_size(size)


def _is_seen_at_once(page: Any) -> None:
    """On a laptop's screen the key figures and the whole map are seen together, below any warning."""
    size = page.viewport_size
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")
    page.wait_for_function(
        """() => {
          const of = name => document.querySelector(name).getBoundingClientRect();
          const [figures, map] = [of(".st-key-key-figures"), of("[data-testid=stMain] iframe")];
          return figures.top >= 0 && figures.bottom < map.top && map.height >= 380 && map.bottom <= innerHeight;
        }"""
    )
    page.set_viewport_size(size)


def _map_is_read(seen: Any) -> None:
    """A map of susceptibility is read at a cell, and its model explained."""
    page = seen.page
    frame = seen.map_frame()
    steps.has_tiles(frame, "/classes_1/")
    steps.has_tiles(frame, "/applicability/")
    box = steps.settled(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text(re.compile(r"Logistic regression 0\.\d\d")).wait_for()
    steps.open_tab(page, "Why")
    for name in ("Over the whole area", "Cell at row"):
        page.get_by_text(name).first.wait_for()
    explain = page.get_by_role("button", name="Explain", exact=True)
    explain.nth(1).click()
    page.get_by_text(re.compile("Logistic regression: from a base value of")).first.wait_for()
    steps.open_tab(page, "Factors")
    page.get_by_text("landslides are more frequent in this class").wait_for()
    steps.open_tab(page, "Export")
    page.get_by_role("button", name="Prepare files").click()
    page.get_by_role("button", name="classes.tif").wait_for()
    assert page.locator("[data-testid=stAlertContentError]").count() == 0


def _slope_is_explained(seen: Any) -> None:
    """A forecast is divided among what drives the slope, and early warning says what it is not."""
    page = seen.page
    steps.open_tab(page, "Warning")
    page.get_by_text("not an alarm system").first.wait_for()
    page.get_by_text(re.compile("^On 20[0-9-]+ the velocity was")).first.wait_for()
    steps.open_tab(page, "Why")
    page.get_by_role("button", name="Explain", exact=True).click()
    page.get_by_text(re.compile("depend most on")).first.wait_for(timeout=300_000)
    page.get_by_text(re.compile("Without the rain of")).first.wait_for()
    steps.open_tab(page, "Export")
    page.get_by_role("button", name="Write report").click()
    page.get_by_role("link", name=re.compile("^Report")).first.wait_for()
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
