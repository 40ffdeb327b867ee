"""``python -m core detection relief|fuse|fuse-train``: a second detector on the shape of the ground, and both fused."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import progress
from core.cli.run_commands import find
from core.errors import InputError
from core.wording import count

if TYPE_CHECKING:
    from core.tasks.detection.fusion import FusionTree


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Commands about fusing."""
    relief = commands.add_parser("relief", help="convert an elevation model to an image of hillshade, slope and "
                                                "topographic position")
    relief.add_argument("dem", type=Path, help="GeoTIFF of elevations in metres")
    relief.add_argument("--out", type=Path, required=True, help="GeoTIFF to write")
    relief.set_defaults(do=_relief)
    fuse = commands.add_parser("fuse", help="fuse the detections of two finished runs of the same area")
    fuse.add_argument("optical", help="id of the run on the image")
    fuse.add_argument("terrain", help="id of the run on the terrain image")
    fuse.add_argument("--tree", type=Path, help="JSON file of a decision tree (default: the one supplied with "
                                                "SlideLens)")
    fuse.add_argument("--out", type=Path, help="folder for the exported files")
    fuse.add_argument("--name", default="", help="name of the run in lists")
    fuse.set_defaults(do=_fuse)
    train = commands.add_parser("fuse-train", help="train a decision tree on pairs of runs with a reference")
    train.add_argument("--optical", nargs="+", required=True, metavar="RUN", help="one per area, at least three")
    train.add_argument("--terrain", nargs="+", required=True, metavar="RUN", help="in the same order")
    train.add_argument("--out", type=Path, required=True, help="JSON file to write")
    train.add_argument("--summary", default="", help="a sentence describing the training data")
    train.set_defaults(do=_train)


def _relief(arguments: argparse.Namespace) -> None:
    from core.raster.folder import make_folder
    from core.raster.relief import write_relief
    from core.raster.scene import Scene

    dem = Scene.open(arguments.dem)
    make_folder(arguments.out.parent)
    write_relief(dem, arguments.out, progress("blocks"))
    print(json.dumps({"relief": str(arguments.out)}))


def _fuse(arguments: argparse.Namespace) -> None:
    from core.jobs.perform import run_in_process
    from core.raster.folder import make_folder, plain_values
    from core.runs.store import default_store
    from core.tasks.detection.export import export_run
    from core.tasks.detection.findings import default_choice
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.run_fused import order_fused

    tree = _tree(arguments.tree)
    if arguments.out is not None:
        make_folder(arguments.out)
    store = default_store()
    named = (arguments.optical, arguments.terrain)
    optical, terrain = (store.result(find(store, text).id, DetectionResult) for text in named)
    made = run_in_process(store, order_fused(optical, terrain, tree, name=arguments.name))
    result = store.result(made, DetectionResult)
    if arguments.out is not None:
        content = export_run(result, default_choice(result), arguments.out)
    else:
        content = {"run": result.id, "confidence": result.confidence, **result.metrics(), "notes": list(result.notes)}
    print(json.dumps(plain_values(content), indent=1))


def _tree(path: Path | None) -> FusionTree:
    from core.tasks.detection.fusion import FusionTree
    from core.tasks.detection.run_fused import find_tree, list_trees

    if path is not None:
        return FusionTree.read(path)
    if not list_trees():
        raise InputError("No decision tree is supplied with this installation.",
            remedy="Give one with --tree, or train one with fuse-train.")
    return find_tree(list_trees()[0])


def _train(arguments: argparse.Namespace) -> None:
    from core.raster.folder import make_folder, write_json
    from core.runs.store import default_store
    from core.tasks.detection.run_fused import learn_from

    if len(arguments.optical) != len(arguments.terrain):
        raise InputError(
            f"{count(len(arguments.optical), 'run')} on images and {len(arguments.terrain)} on terrain do not form "
            "pairs.",
            remedy="Give equal numbers of both, in the same order.",
        )
    store = default_store()
    ids = [[find(store, text).id for text in texts] for texts in (arguments.optical, arguments.terrain)]
    pairs = list(zip(*ids, strict=True))
    tree, comparison = learn_from(store, pairs, arguments.out.stem, arguments.summary)
    make_folder(arguments.out.parent)
    write_json(tree.to_json(), arguments.out)
    told: dict[str, Any] = {**comparison.to_json(), "rules": [rule for rule, *_ in tree.rules()]}
    print(json.dumps(told, indent=1))
