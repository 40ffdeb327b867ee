"""Many at once: browser sessions that click through the pages with results open, and what the server takes for it.

Run ``python -m benchmarks.sessions``. Each session speaks to the server as a browser does: over its own connection it
asks for pages, fetches map tiles, and asks again for what draws itself anew. No browser is started, so that only the
server is measured.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from benchmarks.results import record
from benchmarks.startup import ROOT, free_port, wait_for

MODELS = ("unet-regnety", "deeplabv3plus-regnety")
SAMPLE = ROOT / "data" / "samples"
PATIENCE = 180.0
AIM = 2.0
"""Seconds within which 95 of 100 pages should be there."""
GROWTH = 400.0
"""MB by which the server may grow: no collection follows each script, so what is no longer used could pile up."""
TILES, ZOOM = 4, 14
PARTS = ("a map tile", "a live part")
SETTLE = 150.0
"""Seconds after which memory is looked at again: Streamlit keeps a session for two minutes, should it come back."""


@dataclass
class Times:
    """Seconds that each kind of request took, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)


class Session:
    """One visitor."""

    def __init__(self, address: str, middle: tuple[int, int], times: Times, seed: int) -> None:
        self._address, self._middle, self._times, self._random = address, middle, times, random.Random(seed)
        self._polls: dict[str, float] = {}

    def visit(self, pages: list[tuple[str, str, str]]) -> None:
        """Open pages, given as kind, name and query, one after the other with pauses as people make them."""
        try:
            self._visit(pages)
        except Exception as error:
            # A visitor who could not go on is told of, or the figures would be those of fewer.
            self._times.wrong.append(f"A session ended early: {type(error).__name__}: {error}")

    def _visit(self, pages: list[tuple[str, str, str]]) -> None:
        stream = self._address.replace("http://", "ws://") + "/_stcore/stream"
        with connect(stream, subprotocols=["streamlit"], max_size=None) as connection:
            for kind, name, query in pages:
                self._polls.clear()
                self._timed(kind, lambda name=name, query=query: self._ask(connection, name, query))
                for tile in self._tiles(query):
                    self._timed("a map tile", lambda tile=tile: urllib.request.urlopen(tile, timeout=PATIENCE).read())  # noqa: S310
                self._look(connection, self._random.uniform(1.0, 3.0), name, query)

    def _timed(self, kind: str, work: object) -> None:
        began = time.perf_counter()
        work()  # type: ignore[operator]
        self._times.seconds[kind].append(time.perf_counter() - began)

    def _tiles(self, query: str) -> list[str]:
        run = dict(part.split("=") for part in query.split("&") if part).get("run")
        threshold = self._random.randrange(5, 95) / 100
        if run is None:
            return []
        column, row = self._middle
        places = [(column + number % 2, row + number // 2) for number in range(TILES)]
        return [f"{self._address}/tiles/run/{run}/mask/{ZOOM}/{x}/{y}.png?threshold={threshold}" for x, y in places]

    def _look(self, connection: ClientConnection, seconds: float, name: str, query: str) -> None:
        """Look at a page, which asks for its live parts anew meanwhile."""
        end = time.monotonic() + seconds
        due = {fragment: time.monotonic() + every for fragment, every in self._polls.items()}
        while (now := time.monotonic()) < end:
            for fragment in [fragment for fragment, when in due.items() if when <= now]:
                self._timed("a live part", lambda part=fragment: self._ask(connection, name, query, part))
                due[fragment] = time.monotonic() + self._polls.get(fragment, PATIENCE)
            time.sleep(0.05)

    def _ask(self, connection: ClientConnection, name: str, query: str, fragment: str = "") -> None:
        request = BackMsg()
        state = request.rerun_script
        state.query_string, state.page_name, state.fragment_id = query, name, fragment
        state.is_auto_rerun = bool(fragment)
        connection.send(request.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(connection.recv(timeout=PATIENCE))
            kind = answer.WhichOneof("type")
            if kind == "auto_rerun":
                self._polls[answer.auto_rerun.fragment_id] = answer.auto_rerun.interval
            elif kind == "delta" and _wrong(answer.delta.new_element):
                self._times.wrong.append(f"{name}?{query}: {str(answer.delta.new_element)[:300]}")
            elif kind == "script_finished":
                return


def _wrong(element: Element) -> bool:
    """Whether a page says that something is wrong."""
    kind = element.WhichOneof("type")
    return kind == "exception" or (kind == "alert" and element.alert.format == Alert.ERROR)


@contextmanager
def server(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server on a home folder, and its process."""
    port = free_port()
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"SLIDELENS_HOME": str(home)}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def map_valley(home: Path) -> list[str]:
    """Ids of finished runs of the sample valley, one a model."""
    from core.raster.scene import Scene
    from core.runs.store import Store
    from core.tasks.mapping.run import Request, run_mapping

    store = Store(home)
    scene = Scene.open(SAMPLE / "valley_after.tif", "Mountain valley after the event", synthetic=True)
    given = {"reference": SAMPLE / "valley_inventory.gpkg", "dem": SAMPLE / "valley_dem.tif"}
    return [run_mapping(store, scene, Request(model), **given).id for model in MODELS]


def walk(runs: list[str], seed: int, rounds: int) -> list[tuple[str, str, str]]:
    """Pages that one visitor opens."""
    one, other = runs
    stations = [
        ("home", "", ""),
        ("mapping, with a result", "mapping", f"run={one}"),
        ("mapping, threshold moved", "mapping", f"run={one}&threshold=0.{20 + seed % 60}"),
        ("the list of runs", "runs", ""),
        ("reading view", "read", f"run={other}"),
        ("mapping, with a result", "mapping", f"run={other}"),
        ("comparison of two runs", "compare", f"runs={one},{other}"),
    ]
    order = random.Random(seed)
    return [station for _ in range(rounds) for station in order.sample(stations, len(stations))]


def in_words(seconds: list[float]) -> str:
    """Median and 95th percentile of some times."""
    return f"median {np.median(seconds):.2f} s, p95 {np.percentile(seconds, 95):.2f} s ({len(seconds)})"


def tile_of(home: Path, run: str) -> tuple[int, int]:
    """Column and row of the map tile in the middle of a run."""
    from rasterio.warp import transform

    from core.runs.result import GridResult
    from core.runs.store import Store

    grid = Store(home).result(run, GridResult).grid
    x, y = grid.xy(grid.height // 2, grid.width // 2)
    (longitude,), (latitude,) = transform(grid.crs, "EPSG:4326", [x], [y])
    side, angle = 2**ZOOM, math.radians(latitude)
    return int((longitude + 180) / 360 * side), int((1 - math.asinh(math.tan(angle)) / math.pi) / 2 * side)


def memory(process: psutil.Process) -> float:
    """Resident memory of the server in MB, without the workers that compute runs."""
    return process.memory_info().rss / 2**20


def processor(process: psutil.Process) -> float:
    """Seconds of processor time that the server has taken, without the workers that compute runs."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    times = Times()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        runs = map_valley(home)
        middle = tile_of(home, runs[0])
        with server(home) as (address, process):
            Session(address, middle, Times(), 0).visit(walk(runs, 0, 1))  # what is read and imported once
            time.sleep(10)
            before, peak, spent = memory(process), 0.0, processor(process)
            walks = [walk(runs, seed, arguments.rounds) for seed in range(arguments.sessions)]
            visitors = [
                threading.Thread(target=Session(address, middle, times, seed).visit, args=(pages,))
                for seed, pages in enumerate(walks)
            ]
            for visitor in visitors:
                visitor.start()
            while any(visitor.is_alive() for visitor in visitors):
                peak = max(peak, memory(process))
                time.sleep(0.5)
            left, spent = memory(process), processor(process) - spent
            time.sleep(SETTLE)
            after = memory(process)
        if times.wrong:
            print(*sorted(set(times.wrong))[:20], sep="\n", file=sys.stderr)
    figures = {kind[0].upper() + kind[1:]: in_words(found) for kind, found in sorted(times.seconds.items())}
    pages = [found for kind, found in times.seconds.items() if kind not in PARTS]
    opened = [seconds for found in pages for seconds in found]
    met = "met" if np.percentile(opened, 95) < AIM else "missed"
    figures["All pages"] = f"{in_words(opened)}; aim p95 below {AIM:.0f} s: {met}"
    figures["Server's processor time"] = f"{spent / len(opened):.2f} s for a page with its tiles and live parts"
    figures["Errors on pages, and sessions that ended early"] = str(len(times.wrong))
    kept = "met" if peak - before < GROWTH else "missed"
    figures["Server's memory"] = (
        f"{before:.0f} MB after one visitor, {peak:.0f} MB at the peak, {left:.0f} MB as the last one left, "
        f"{after:.0f} MB {SETTLE:.0f} s later; aim less than {GROWTH:.0f} MB more at the peak: {kept}"
    )
    record(
        "Many at once",
        f"{arguments.sessions} sessions at once, each opening {7 * arguments.rounds} pages with results of the sample "
        "valley, with 1 to 3 s between two pages. Times are from asking until the page's script has ended; of map "
        "tiles, until they are there. The number of each stands in brackets. The clients run on the same machine.",
        figures,
        ("streamlit", "streamlit-folium", "sqlalchemy"),
    )


if __name__ == "__main__":
    main()
