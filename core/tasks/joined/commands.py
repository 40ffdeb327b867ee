"""``python -m core detection outline``: what a mapping model maps in a box."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import announcing, progress
from core.cli.view_options import add_view_options, view_of
from core.tasks.detection.view import Choice

if TYPE_CHECKING:
    from core.runs.records import Order
    from core.runs.store import Store
    from core.tasks.detection.findings import Detections


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Commands about one box of a finished detection."""
    outline = commands.add_parser("outline", help="outline a detection with a mapping model; gives its outline and "
                                                  "area")
    _box_arguments(outline)
    outline.add_argument("--model", required=True, help="name of the mapping model")
    outline.add_argument("--threshold", type=float, help="default: the mapping model's own")
    outline.set_defaults(do=_outline)


def _box_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="id of the finished detection run (the first digits suffice)")
    parser.add_argument("--box", metavar="ID", required=True, help="id of the detection, or its number in the table")
    parser.add_argument("--out", type=Path, help="folder to copy the files to")
    add_view_options(parser, [Choice])
    parser.add_argument("--name", default="", help="name of the run in lists")
    parser.add_argument("--tag", action="append", default=[], help=(
        "tag for finding the run; may be given several times"
    ))
    parser.set_defaults(no_store=False)


def _outline(arguments: argparse.Namespace) -> None:
    from core.learning.fit import check_fits
    from core.learning.store import find_model
    from core.tasks.imagery.inputs import scene_of
    from core.tasks.joined.box_outline import known_bands, order_outline, outline_question

    store, detections = _asked(arguments)
    model, scene = find_model("mapping", arguments.model), scene_of(store, store.run(detections.result.id)).scene
    check_fits("mapping", model, scene, known_bands(detections.result).get(model.spec.bands))
    question = outline_question(detections, arguments.box, arguments.model, arguments.threshold)
    _do(store, order_outline(detections.result, question), arguments, ("target", "model", "window"))


def _asked(arguments: argparse.Namespace) -> tuple[Store, Detections]:
    """The store, and the boxes of the run at what was chosen."""
    from core.cli.run_commands import find as find_run
    from core.runs.records import checked_tags
    from core.runs.store import default_store
    from core.tasks.detection.findings import find
    from core.tasks.detection.result import DetectionResult

    checked_tags(arguments.tag)
    store = default_store()
    result = store.result(find_run(store, arguments.run).id, DetectionResult)
    return store, find(result, view_of(Choice, result, arguments))


def _do(store: Store, order: Order, arguments: argparse.Namespace, told: tuple[str, ...]) -> None:
    """Do what is ordered, copy its files where asked, and print what came of it."""
    from dataclasses import replace

    from core.jobs.perform import run_in_process
    from core.raster.folder import make_folder, plain_values
    from core.report.exporting import export_files

    identity = run_in_process(
        store, replace(order, name=arguments.name), announcing(store, arguments), progress("tiles")
    )  # fmt: skip
    made = store.result(identity)
    if arguments.out is not None:
        make_folder(arguments.out)
        export_files(store, store.run(identity), arguments.out, plain=True)
    content = {
        "run": made.id,
        "detection": made.parents[0],
        **{name: made.provenance[name] for name in told},
        **made.metrics(),
        "notes": list(made.notes),
    }
    print(json.dumps(plain_values(content), indent=1))
