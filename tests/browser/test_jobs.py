"""Runs outlive the tab, the server and the worker that they were begun with: seen in a real browser."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.runs.store import Store
from tests.browser import steps
from tests.browser.networks import write_networks

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    write_networks(folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def start(start_server: Callable[..., Any], networks: Path, home: Path) -> Callable[[], Any]:
    """Give a function that starts a server on the same home folder, alone: two would share what is ordered there."""
    running: list[Any] = []

    def begin_alone() -> Any:
        for earlier in running:
            earlier.process.terminate()
            earlier.process.wait(60)
        running[:] = [start_server(env={"SLIDELENS_HOME": str(home), "SLIDELENS_MODELS": str(networks)})]
        return running[0]

    return begin_alone


def begin(page: Any, model: str) -> str:
    """Order a mapping of the sample and return the run's id as soon as the page shows it."""
    steps.start(page)
    steps.choose(page, "Model", model)
    page.get_by_role("button", name="Map landslides").click()
    page.get_by_text("You can close this page").wait_for()
    return str(page.evaluate("() => new URL(location).searchParams.get('run')"))


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)


def test_a_run_goes_on_without_its_tab_and_is_found_after_a_restart(
    start: Callable[[], Any], home: Path, visit: Callable[..., Any]
) -> None:
    server, store = start(), Store(home)
    first = visit(f"{server.address}/mapping").page
    run = begin(first, "Tiny quick")
    first.context.close()
    until(lambda: store.run(run).status == "done")

    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    seen = visit(f"{start().address}/mapping?run={run}")
    assert int(steps.metric(seen.page, "Landslides")) > 10
    steps.has_tiles(seen.map_frame(), f"/tiles/run/{run}/")


def test_another_browser_sees_the_progress_and_a_killed_worker_is_told(
    start: Callable[[], Any], home: Path, visit: Callable[..., Any]
) -> None:
    server, store = start(), Store(home)
    page = visit(f"{server.address}/mapping").page
    run = begin(page, "Tiny slow")
    page.get_by_text("Mapping tile").first.wait_for()

    other = visit(server.address).page
    bar = other.get_by_test_id("stSidebar").get_by_text("Mapping tile")
    bar.wait_for()
    told = bar.inner_text()
    other.wait_for_function(
        "told => !document.querySelector('[data-testid=stSidebar]').innerText.includes(told)", arg=told
    )

    worker = int(store.run(run).worker.rsplit(":", 1)[-1])
    assert psutil.pid_exists(worker)
    os.kill(worker, signal.SIGKILL)
    page.get_by_role("button", name="Repeat").wait_for()
    page.get_by_text("worker").first.wait_for()
    known = store.run(run)
    assert known.status == "failed"
    assert known.failure is not None
    assert "worker" in known.failure.what.lower()

    # The next run finds a worker again, and a server that is killed leaves none behind.
    page.get_by_role("button", name="Repeat").click()
    page.wait_for_function("old => ![old, null].includes(new URL(location).searchParams.get('run'))", arg=run)
    again = store.runs()[0]
    assert again.id != run
    until(lambda: store.run(again.id).progress.done > 0)
    children = psutil.Process(server.process.pid).children(recursive=True)
    assert children
    server.process.kill()
    server.process.wait(60)
    psutil.wait_procs(children, timeout=60)
    assert [process for process in children if process.is_running()] == []

    page = visit(f"{start().address}/mapping?run={again.id}").page
    page.get_by_text("interrupted").first.wait_for()
    page.get_by_role("button", name="Repeat").wait_for()
    assert store.run(again.id).status == "interrupted"
