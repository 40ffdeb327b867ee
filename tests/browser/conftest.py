"""A real server and a real browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Server:
    """A running server: where it is and what it logs."""

    address: str
    log: Path
    ready_after: float
    process: subprocess.Popen[bytes]


StartServer = Callable[..., Server]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def start_server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Give a function that starts a script under a base path and waits until it answers.

    A server ends with the tests of its file: each takes most of a gigabyte.
    """
    running: list[subprocess.Popen[bytes]] = []

    def start(script: str = "app.py", *, base: str = "", env: dict[str, str] | None = None) -> Server:
        port = _free_port()
        folder = tmp_path_factory.mktemp("server")
        options = {"server.port": str(port), "server.headless": "true", "server.baseUrlPath": base}
        settings = [part for name, value in options.items() for part in (f"--{name}", value)]
        home = {"SLIDELENS_HOME": str(folder / "home"), "PYTHONPATH": _path(repository)}
        began = time.monotonic()
        with (folder / "log").open("wb") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "streamlit", "run", script, *settings],
                    cwd=repository,
                    env=os.environ | home | (env or {}),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
        address = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
        _wait(address, running[-1], folder / "log")
        return Server(address, folder / "log", time.monotonic() - began, running[-1])

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(60)


def _path(repository: Path) -> str:
    return os.pathsep.join(filter(None, [str(repository), os.environ.get("PYTHONPATH")]))


def _wait(address: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()  # noqa: S310 - our own address
            return
        except OSError:  # not listening yet, or too busy to answer
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


@dataclass
class Visit:
    """One page of the browser, and what it asked for and complained about."""

    page: playwright.Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def map_frame(self, number: int = 0) -> playwright.Frame:
        """Return the frame in which a map lives, once the map is there."""
        self.page.locator("iframe").nth(number).wait_for()
        handle = self.page.locator("iframe").nth(number).element_handle()
        frame = handle.content_frame()
        frame.wait_for_function("() => window.map && document.querySelector('.sl-panel .sl-row')")
        return frame


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep with a test that it failed, so that its fixtures can say what was seen."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report


def _tell(seen: Visit) -> None:
    """Print what a page shows, which the report of a failed test then holds."""
    page = seen.page
    try:
        page.set_default_timeout(5_000)
        print(f"--- {page.url}\n{page.locator('[data-testid=stApp]').inner_text()[:6_000]}")
    except playwright.Error as error:
        print(f"the page tells nothing: {error}")
    print("complaints:", *seen.complaints, sep="\n  ")


@pytest.fixture
def visit(browser: playwright.Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Give a function that opens a page, watching requests and the console; what a failed test saw is printed."""
    contexts = []
    visits: list[Visit] = []

    def open_page(address: str, **options: object) -> Visit:
        context = browser.new_context(**options)
        contexts.append(context)
        seen = Visit(context.new_page())
        visits.append(seen)
        seen.page.set_default_timeout(150_000)  # enough for a machine that is busy with more than this
        seen.page.on("request", lambda request: seen.hosts.add(request.url.split("/")[2]))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on(
            "console",
            lambda message: (
                message.type == "error"
                and seen.complaints.append(f"{message.text} {message.location.get('url')}")
            ),
        )
        seen.page.goto(address)
        return seen

    yield open_page
    for seen in visits if request.node.stash.get(FAILED, False) else ():
        _tell(seen)
    for context in contexts:
        context.close()
