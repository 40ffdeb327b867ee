"""How long a user waits for the first page: from starting the server until the page is to be seen.

Run ``python -m benchmarks.startup``. With Chromium the page's heading is waited for in a headless browser that is
already open; without, until the server answers and has run the page's script once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.results import record

ROOT = Path(__file__).resolve().parents[1]
TARGET = 5.0
PATIENCE = 120.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
Visit = Callable[[str], None]


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(port: int) -> Iterator[None]:
    """Run the app on a port, with an empty home."""
    options = ["--server.port", str(port), "--server.headless", "true"]
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=ROOT, env=os.environ | {"SLIDELENS_HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def wait_for(address: str) -> None:
    """Return as soon as the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()  # noqa: S310 - our own address
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def browser(path: str) -> Iterator[Visit]:
    """An open headless browser; visiting waits until the first page's heading is visible."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=FLAGS)

        def visit(address: str) -> None:
            context = chromium.new_context()
            page = context.new_page()
            page.goto(address, timeout=1000 * PATIENCE)
            page.get_by_role("heading", name="SlideLens").first.wait_for(timeout=1000 * PATIENCE)
            context.close()

        yield visit
        chromium.close()


def run_script(address: str) -> None:
    """Ask for the page as a browser would, and wait until its script has run."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect

    urllib.request.urlopen(address, timeout=PATIENCE).close()  # noqa: S310 - our own address
    request = BackMsg()
    request.rerun_script.query_string = ""
    stream = address.replace("http://", "ws://") + "/_stcore/stream"
    with connect(stream, subprotocols=["streamlit"], max_size=None) as socket_:
        socket_.send(request.SerializeToString())
        while ForwardMsg.FromString(socket_.recv(timeout=PATIENCE)).WhichOneof("type") != "script_finished":
            pass


def measure(visit: Visit) -> tuple[float, float]:
    """Seconds until the server answers, and until the first page is there."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    with server(port):
        wait_for(address)
        answered = time.perf_counter() - started
        visit(address)
        return answered, time.perf_counter() - started


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-browser", action="store_true", help="only until the page's script has run")
    arguments = parser.parse_args()
    named = os.environ.get("SLIDELENS_CHROMIUM")
    found = named or next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None or arguments.no_browser:
        until = "its script has run (no browser)"
        times = [measure(run_script) for _ in range(arguments.repeats)]
    else:
        until = "its heading is visible in headless Chromium, which is already open"
        with browser(found) as visit:
            times = [measure(visit) for _ in range(arguments.repeats)]
    answered, shown = np.array(times).T
    record(
        "Start-up",
        f"From `streamlit run app.py` until the first page is there, meaning that {until}; a fresh server each time. "
        f"Aim: less than {TARGET:g} s.",
        {
            "Server answers": " / ".join(f"{seconds:.2f}" for seconds in answered) + " s",
            "First page": " / ".join(f"{seconds:.2f}" for seconds in shown) + " s",
            "Median": f"{np.median(shown):.2f} s ({'met' if np.median(shown) < TARGET else 'missed'})",
        },
        ("streamlit",),
    )


if __name__ == "__main__":
    main()
