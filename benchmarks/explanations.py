"""How long a user waits for an explanation: the first in a fresh process, and those after it.

Run ``python -m benchmarks.explanations``, or with ``--before FOLDER`` to measure another checkout in the same run. What
is explained is the sample valley: landslides of a mapping and boxes of a detection, by the method and at the layer that
the page begins with. Cold is from starting Python until the answer is stored and its pictures are read, with all
imports and the loading of the model; warm is the same for the next places.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODELS = {"mapping": "unet-regnety", "detection": "component-tree"}
WARM = 3
AIMS = {"cold": 10.0, "warm": 3.0}
"""Seconds."""

Figures = dict[str, list[float]]
"""Seconds that pass, and seconds of CPU time, by task and temperature."""


def prepare(home: Path) -> dict[str, str]:
    """Map the sample valley and search it; ids of the runs by task."""
    from core.catalog.samples import sample
    from core.raster.scene import Scene
    from core.runs.store import Store
    from core.tasks.detection.run import Request as DetectionRequest
    from core.tasks.detection.run import run_detection
    from core.tasks.mapping.run import Request, run_mapping

    store, valley = Store(home), sample("valley-after")
    scene = Scene.open(valley.path, valley.title, synthetic=True)
    return {
        "mapping": run_mapping(store, scene, Request(MODELS["mapping"])).id,
        "detection": run_detection(store, scene, DetectionRequest(MODELS["detection"])).id,
    }


def explainer(task: str, home: Path, identity: str) -> Callable[[int], None]:
    """What explains the place of a number, as the page does, and reads the pictures."""
    from core.report.explained import explanation_figure
    from core.runs.store import Store
    from core.tasks.imagery.inputs import scene_of

    store = Store(home)
    scene = scene_of(store, store.run(identity)).scene
    explain = _mapping(store, identity) if task == "mapping" else _detection(store, identity)

    def explained(number: int) -> None:
        explanation_figure(store, explain(number), scene)

    return explained


def _mapping(store: Any, identity: str) -> Callable[[int], str]:
    from core.tasks.mapping import run_explanation
    from core.tasks.mapping.findings import find
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.view import Choice

    result = store.result(identity, MappingResult)
    polygons = find(result, Choice(0.6)).polygons
    first = getattr(run_explanation, "method_of", lambda model: run_explanation.METHOD)
    brief = _brief(run_explanation.explain)

    def explain(number: int) -> str:
        place = polygons.iloc[[number]]
        return run_explanation.explain(store, result, place, method=first(result.model), **brief).id

    return explain


def _detection(store: Any, identity: str) -> Callable[[int], str]:
    from core.tasks.detection import run_explanation
    from core.tasks.detection.findings import find
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.view import Choice

    result = store.result(identity, DetectionResult)
    found = find(result, Choice(0.3))
    first = getattr(run_explanation, "method_of_run", lambda result: run_explanation.METHOD)
    brief = _brief(run_explanation.question_of)

    def explain(number: int) -> str:
        question = run_explanation.question_of(found, number + 1, first(result), **brief)
        return run_explanation.explain_box(store, result, question).id

    return explain


def _brief(function: Callable[..., Any]) -> dict[str, bool]:
    """As the page asks: without curves, where the checkout that is measured can leave them out."""
    return {"curves": False} if "curves" in inspect.signature(function).parameters else {}


def measure(task: str, home: Path, identity: str, began: float) -> Figures:
    """Explain some places in this process, which began at a time of `time.time`."""
    explained = explainer(task, home, identity)
    explained(0)
    cold = [time.time() - began, time.process_time()]
    warm = []
    for number in range(1, WARM + 1):
        passed, spent = time.monotonic(), time.process_time()
        explained(number)
        warm.append((time.monotonic() - passed, time.process_time() - spent))
    return {f"{task}, cold": cold, f"{task}, warm": [statistics.median(one) for one in zip(*warm, strict=True)]}


def measured(root: Path) -> Figures:
    """Figures of a checkout, each task by a process of its own."""

    def asked(*arguments: str) -> Any:
        command = [sys.executable, str(Path(__file__).resolve()), *arguments]
        environment = os.environ | {"PYTHONPATH": str(root)}
        done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout.decode().splitlines()[-1])

    with tempfile.TemporaryDirectory() as home:
        ids = asked("--prepare", home)
        found: Figures = {}
        for task in MODELS:
            found |= asked("--measure", task, home, ids[task], repr(time.time()))
        return found


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, to be measured in the same run")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare is not None:
        print(json.dumps(prepare(arguments.prepare)))
        return
    if arguments.measure is not None:
        task, home, identity, began = arguments.measure
        print(json.dumps(measure(task, Path(home), identity, float(began))))
        return
    from benchmarks.results import record

    before = None if arguments.before is None else measured(arguments.before.resolve())
    now = measured(ROOT)
    record(
        "Explaining a place",
        f"One landslide of a mapping by {MODELS['mapping']} and one box of a detection by {MODELS['detection']}, both "
        "of the sample valley, as the page asks: the map at the layer that held best in the model's tests, and the "
        "deletion test with five random places. Cold: a fresh process, from its start with all imports and the loading "
        "of the model until the answer is stored and its pictures are read. Warm: the next places, median of "
        f"{WARM}. Aims: {AIMS['warm']:g} s warm, {AIMS['cold']:g} s cold. Where the machine has other work, the time "
        "of the processor tells more than that which passes.",
        {name.capitalize(): _words(name, now[name], None if before is None else before[name]) for name in now},
        ("torch",),
    )


def _words(name: str, now: list[float], before: list[float] | None) -> str:
    aim = AIMS[name.split(", ")[1]]
    told = f"{now[0]:.1f} s, {now[1]:.1f} s of CPU time (aim {aim:g} s: {'met' if now[0] <= aim else 'missed'})"
    if before is None:
        return told
    return f"{told}; before {before[0]:.1f} s, {before[1]:.1f} s of CPU time, {before[1] / now[1]:.1f} times as much"


if __name__ == "__main__":
    main()
