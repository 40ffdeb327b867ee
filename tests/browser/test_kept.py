"""Leaving a result and coming back to it, by the sidebar, by Back and after a reload, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.runs.store import Store
from tests.factories import keep, made_run, ramp, write_raster

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # for busy machines; a quiet one needs seconds


def test_a_result_is_left_and_found_again_as_it_was(
    start_server: Callable[..., Any], visit: Callable[..., Any], tmp_path: Path
) -> None:
    store = Store(tmp_path / "home")
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(240, 320)), "scene.tif")
    probability = np.zeros((240, 320))
    probability[20:50, 30:70] = 0.8
    run = keep(store, made_run(tmp_path / "run", probability, scene="scene.tif"), scene.id).id
    address = start_server(env={"SLIDELENS_HOME": str(store.home)}).address
    page = visit(f"{address}/mapping?run={run}").page

    def go(label: str, heading: str) -> None:
        page.locator(".st-key-pages a").get_by_text(label, exact=True).click()
        page.get_by_role("heading", name=heading, exact=True).wait_for()

    page.set_default_timeout(60_000)
    slider = page.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**threshold=*")
    left = page.url

    go("Runs", "Runs")
    assert page.url == f"{address}/runs"
    go("Mapping", "Landslide mapping")
    page.wait_for_url(left)
    page.go_back()
    page.wait_for_url(f"{address}/runs")
    page.go_back()  # one step, although Streamlit takes the slider out of the address on the way
    page.wait_for_url(left)
    page.get_by_text("1 landslide", exact=False).first.wait_for()

    go("Runs", "Runs")
    page.reload()  # a new session, which knows of nothing
    page.get_by_role("heading", name="Runs", exact=True).wait_for()
    go("Mapping", "Landslide mapping")
    page.wait_for_url(left)
