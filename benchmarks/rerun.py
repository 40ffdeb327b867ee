"""What it costs the server that a page is open: CPU time of a rerun by page, and of a page that nobody touches.

Run ``python -m benchmarks.rerun``, or with ``--before FOLDER`` to measure another checkout in the same run. Reruns are
those of Streamlit's test runner, of which the script's own thread is counted. An idle page is open in headless
Chromium; what is counted there is the whole server, without the workers that compute runs.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("unet-regnety", "deeplabv3plus-regnety")
DETECTOR = "component-tree"
REPEATS = 7
IDLE, SETTLED = 15.0, 25.0
"""Seconds over which an idle page is measured, and those before, in which the server loads its libraries."""
MANY_BOXES, MANY_RUNS = 2000, 500
AIMS = {"nothing changed": 100, "tab": 100, "threshold": 250}
Figures = dict[str, float]


def prepare(home: Path) -> dict[str, str]:
    """Fill a store with runs of the sample valley, a detection with very many boxes and a long list; ids by name."""
    from core.catalog.samples import sample
    from core.raster.scene import Scene
    from core.runs.store import Store
    from core.tasks.detection.run import Request as DetectionRequest
    from core.tasks.detection.run import run_detection
    from core.tasks.mapping.run import Request, run_mapping

    store, valley = Store(home), sample("valley-after")
    scene = Scene.open(valley.path, valley.title, synthetic=True)
    given = {"reference": valley.reference, "dem": valley.dem}
    one, other = (run_mapping(store, scene, Request(model), **given).id for model in MODELS)
    found = run_detection(store, scene, DetectionRequest(DETECTOR), **given).id
    ids = {"mapping": one, "other": other, "detection": found, "many": _many_boxes(store, found)}
    for number in range(MANY_RUNS - len(ids)):
        _copied(store, store.result(one if number % 2 else other))
    return ids


def _many_boxes(store: Any, run: str) -> str:
    """A detection of the valley that holds two thousand boxes, none of which hides another."""
    from dataclasses import replace

    import numpy as np

    from core.tasks.detection.boxes import Boxes
    from core.tasks.detection.candidates import write_boxes
    from core.tasks.detection.result import DetectionResult

    known = store.result(run, DetectionResult)
    side, cells = 6.0, round(MANY_BOXES**0.5 + 0.5)
    height, width = known.grid.shape
    columns, rows = (axis.ravel()[:MANY_BOXES] for axis in np.meshgrid(np.arange(cells), np.arange(cells)))
    left, top = columns * (width - 10) / cells, rows * (height - 10) / cells
    boxes = Boxes.of(np.stack([left, top, left + side, top + side], axis=1), np.linspace(0.99, 0.5, MANY_BOXES))
    with tempfile.TemporaryDirectory() as folder:
        write_boxes(Path(folder) / "candidates.parquet", boxes)
        artifacts = {"candidates": str(Path(folder) / "candidates.parquet")}
        return _copied(store, replace(known, folder=Path(folder), artifacts=artifacts))


def _copied(store: Any, result: Any) -> str:
    """Keep a result once more, as another run that was asked for the same."""
    from core.runs.records import Order

    run = store.run(result.id)
    order = Order(run.task, run.kind, run.parameters, run.inputs, run.model)
    identity = str(store.order(order))
    store.claim(identity, server="benchmark", worker="benchmark")
    store.finish(identity, result)
    return identity


def reruns(ids: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Name of each kind of rerun, and the milliseconds of CPU time that one takes."""
    from streamlit.testing.v1 import AppTest

    def opened(page: str, **address: str) -> Any:
        test = AppTest.from_file(str(Path("ui/main.py").resolve()), default_timeout=120)
        test.switch_page(f"../pages/{page}.py")
        for name, value in address.items():
            test.query_params[name] = value
        test.run()
        if test.exception or test.error:
            raise RuntimeError(f"{page} failed: {[part.value for part in (*test.exception, *test.error)]}")
        return test

    for title, page, address in (
        ("Home, nothing changed", "home", {}),
        ("Mapping, nothing changed", "mapping", {"run": ids["mapping"]}),
        ("Detection, nothing changed", "detection", {"run": ids["detection"]}),
        (f"Detection with {MANY_BOXES:,} boxes, nothing changed", "detection", {"run": ids["many"]}),
        (f"List of {MANY_RUNS} runs, nothing changed", "runs", {}),
        ("Reading view, nothing changed", "read", {"run": ids["mapping"]}),
        ("Comparison of two runs, nothing changed", "compare", {"runs": f"{ids['mapping']},{ids['other']}"}),
    ):
        test = opened(page, **address)
        test.run()
        yield title, cost(test.run)
        if page == "mapping":
            tabs = ("Scores", "Why", "Compare", "Export", "Provenance", "Findings")
            yield from _tabs(test, "mapping", tabs)
            yield "Mapping, threshold moved", _moved(test, "threshold", 0.31)
        elif page == "detection":
            name = title.removesuffix(", nothing changed")
            yield f"{name}, confidence moved", _moved(test, "confidence", 0.31)


def _tabs(test: Any, task: str, tabs: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    def turn(tab: str) -> None:
        test.session_state[f"{task}-tab"] = tab
        test.run()

    for tab in tabs:  # what is computed when a tab is first opened
        turn(tab)
    rounds = [{tab: cost(lambda tab=tab: turn(tab), 1) for tab in tabs} for _ in range(REPEATS)]
    for tab in tabs:
        yield f"Mapping, tab {tab} opened again", statistics.median(one[tab] for one in rounds)


def _moved(test: Any, key: str, first: float) -> float:
    """Cost of a value of a slider at which it was not before."""
    places = iter(round(first + 0.01 * step, 2) for step in range(REPEATS + 1))

    def move() -> None:
        test.slider(key=key).set_value(next(places)).run()

    return cost(move)


def cost(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median of the milliseconds of CPU time that the script's thread takes."""
    found = []
    for _ in range(repeats):
        _SPENT.clear()
        work()
        found.append(1000 * sum(_SPENT))
    return statistics.median(found)


_SPENT: list[float] = []


def _watch_scripts() -> None:
    """Have every run of a page's script note the CPU time of its thread."""
    from streamlit import config
    from streamlit.runtime.scriptrunner import script_runner

    run = script_runner.ScriptRunner._run_script

    def timed(self: Any, data: Any) -> None:
        began = time.thread_time()
        run(self, data)
        if config.get_option("runner.postScriptGC"):  # which a server does after every run, and the test runner never
            gc.collect()
        _SPENT.append(time.thread_time() - began)

    script_runner.ScriptRunner._run_script = timed  # type: ignore[method-assign]


@contextmanager
def _server(home: Path) -> Iterator[tuple[str, int]]:
    from benchmarks.startup import free_port, wait_for

    port = free_port()
    options = ["--server.port", str(port), "--server.headless", "true"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            env=os.environ | {"SLIDELENS_HOME": str(home)}, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(60)


def idle(home: Path, ids: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Name of each open page, and the seconds of CPU time that it takes the server while nobody touches it."""
    import psutil
    from playwright.sync_api import sync_playwright

    from benchmarks.startup import BROWSERS, FLAGS

    path = os.environ.get("SLIDELENS_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        return
    with _server(home) as (address, pid), sync_playwright() as driver:
        chromium, server = driver.chromium.launch(executable_path=path, args=FLAGS), psutil.Process(pid)
        for title, query in (("Mapping", f"mapping?run={ids['mapping']}"), ("List of runs", "runs")):
            page = chromium.new_page()
            page.goto(f"{address}/{query}", timeout=120_000)
            page.locator("[data-testid=stMain] [data-testid=stDataFrame]").first.wait_for(timeout=120_000)
            time.sleep(SETTLED)
            before = server.cpu_times()
            time.sleep(IDLE)
            after = server.cpu_times()
            yield f"{title}, open and idle", after.user + after.system - before.user - before.system
            page.close()
        chromium.close()


def measure(home: Path) -> None:
    """Measure the checkout in whose root this runs, and print the figures as JSON."""
    os.environ["SLIDELENS_HOME"] = str(home)
    ids = prepare(home)
    _watch_scripts()
    print(json.dumps({"ms": dict(reruns(ids)), "s": dict(idle(home, ids))}))


def measured(root: Path) -> dict[str, Figures]:
    """Figures of a checkout, by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--measure", folder]
        environment = os.environ | {"PYTHONPATH": str(root)}
        done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, check=True)
    figures: dict[str, Figures] = json.loads(done.stdout.decode().splitlines()[-1])
    return figures


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, to be measured in the same run")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        measure(arguments.measure)
        return
    from benchmarks.results import record

    now = measured(ROOT)
    before = None if arguments.before is None else measured(arguments.before.resolve())
    figures = {}
    for unit, words in (("ms", "{:.0f} ms"), ("s", f"{{:.2f}} s in {IDLE:.0f} s")):
        for name, value in now[unit].items():
            figures[name] = words.format(value) + _aim(name, value)
            if before is not None and name in before[unit]:
                figures[name] += f"; before {words.format(before[unit][name])}"
    record(
        "Rerun of a page",
        "CPU time of the script's thread for one rerun of a page that was open before, the median of "
        f"{REPEATS}, with the garbage collection that may follow it, and of the whole server while a page is open in "
        "Chromium and nobody touches it. The mapping is of the sample valley. What a visitor changes in the map's own "
        "list of layers, such as an opacity, is the browser's alone and asks nothing of the server.",
        figures,
        ("streamlit", "streamlit-folium", "folium", "plotly"),
    )


def _aim(name: str, value: float) -> str:
    found = next((most for words, most in AIMS.items() if words in name and name.startswith("Mapping")), None)
    return "" if found is None else f" (aim {found} ms: {'met' if value <= found else 'missed'})"


if __name__ == "__main__":
    main()
