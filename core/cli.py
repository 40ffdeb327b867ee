"""The command line: ``python -m core <task> <command>``, with the same core and the same numbers as the pages."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import LandslideError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="SlideLens without a browser")
    tasks = parser.add_subparsers(dest="task", required=True)
    task = tasks.add_parser("mapping", help="landslides for every pixel")
    mapping = task.add_subparsers(dest="command", required=True)
    _predict_arguments(mapping.add_parser("predict", help="map a raster and write rasters, polygons and scores"))
    evaluate = mapping.add_parser("evaluate", help="score a folder of image and mask pairs")
    evaluate.add_argument("--model", required=True)
    evaluate.add_argument("--images", type=Path, required=True)
    evaluate.add_argument("--masks", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, required=True, help="JSON file to write")
    evaluate.add_argument("--threshold", type=float, help="by default the model's own")
    evaluate.add_argument("--turned", action="store_true", help="test-time augmentation: mean of eight turns")
    train = mapping.add_parser("train", help="train a model from a description")
    train.add_argument("config", type=Path, help="TOML file such as those in models/configs")
    train.add_argument("--data", type=Path, required=True, help="folder that holds the training images")
    train.add_argument("--work", type=Path, help="folder for checkpoints (default: under SLIDELENS_HOME)")
    train.add_argument("--no-card", action="store_true", help="do not score on validation yet")
    card = mapping.add_parser("card", help="score a trained model on validation and write its card")
    card.add_argument("config", type=Path, help="the description it was trained from")
    card.add_argument("--data", type=Path, required=True)
    card.add_argument("--keep-scores", action="store_true", help="measure cost and false alarms again, nothing else")
    mapping.add_parser("models", help="list the models that are here")
    return parser


def _predict_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, help="GeoTIFF, PNG or JPEG")
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--truth", type=Path, help="inventory: raster, GeoPackage, GeoJSON or zipped Shapefile")
    parser.add_argument("--dem", type=Path, help="elevation raster, for slope, relief and aspect of each polygon")
    parser.add_argument("--before", type=Path, help="scene of the same place before the event: maps what is new")
    parser.add_argument("--threshold", type=float, help="by default the model's own")
    parser.add_argument("--minimum-area", type=float, default=None, help="smallest polygon, m² (px² without CRS)")
    parser.add_argument("--fill-holes", type=float, default=0.0, help="largest hole to fill, m² (px² without CRS)")
    parser.add_argument("--bands", help="bands of the input in the model's order, such as 3,2,1")
    parser.add_argument("--stretch", default="auto", help='"auto", "none" or percentiles such as 2,98')
    parser.add_argument("--resample", default="auto", choices=("auto", "none"))
    parser.add_argument("--turned", action="store_true", help="test-time augmentation, with an uncertainty raster")
    parser.add_argument("--overlap", type=float, default=0.25, help="share that neighbouring windows have in common")
    parser.add_argument("--engine", default="auto", choices=("auto", "onnx", "torch"))


def _report(label: str) -> Callable[[int, int], None]:
    """Progress on standard error, on one line where that is a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty() or done == total:
            print(f"\r{label} {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show


def _predict(arguments: argparse.Namespace) -> None:
    from core.learning.store import find_model
    from core.mapping.bridge import parse_bands
    from core.mapping.export import export_run, make_folder
    from core.mapping.findings import Choice, default_choice
    from core.mapping.predict import Options
    from core.raster.scene import Scene
    from core.runs.mapping import Request, run_mapping
    from core.runs.store import default_store

    request = Request(
        model=arguments.model,
        bands=parse_bands(arguments.bands) if arguments.bands else None,
        stretch=arguments.stretch,
        resample=arguments.resample,
        options=Options(overlap=arguments.overlap, turned=arguments.turned),
        engine=arguments.engine,
    )
    # What no choice can be is refused before the long part begins.
    Choice(arguments.threshold or 0.0, arguments.minimum_area or 0.0, arguments.fill_holes)
    scene = Scene.open(arguments.input)
    earlier = Scene.open(arguments.before) if arguments.before else None
    if arguments.dem:
        Scene.open(arguments.dem)
    make_folder(arguments.out)
    store = default_store()
    result = run_mapping(store, scene, request, truth=arguments.truth, progress=_report("windows"))
    base = default_choice(result, find_model("mapping", request.model).spec.threshold)
    choice = Choice(
        threshold=base.threshold if arguments.threshold is None else arguments.threshold,
        minimum_area=base.minimum_area if arguments.minimum_area is None else arguments.minimum_area,
        fill_holes=arguments.fill_holes,
    )
    before = None
    if earlier is not None:
        before = run_mapping(store, earlier, request, progress=_report("windows before"))
    summary = export_run(result, scene, choice, arguments.out, dem=arguments.dem, before=before)
    print(json.dumps(summary, indent=1))


def _evaluate(arguments: argparse.Namespace) -> None:
    from core.learning.pairs import find_pairs
    from core.learning.runtime import open_runtime
    from core.learning.store import find_model
    from core.mapping.evaluate import evaluate
    from core.mapping.export import write_json
    from core.mapping.models import network_of
    from core.mapping.predict import Options
    from core.runs.store import home_folder

    model = find_model("mapping", arguments.model)
    pairs = find_pairs(arguments.images, arguments.masks)
    runtime = open_runtime(model, network_of, home_folder() / "cache" / "onnx")
    result = evaluate(
        pairs, model.spec, runtime, Options(turned=arguments.turned), arguments.threshold, _report("images")
    )
    seen = sum(model.has_seen(_digest(pair.image)) for pair in pairs)
    content = {**result.to_json(), "model": model.spec.name, "images_seen_in_training": seen}
    write_json(content, arguments.out)
    print(arguments.out.read_text(encoding="utf-8"), end="")


def _digest(path: Path) -> str:
    from core.raster.scene import Scene

    return Scene.open(path).digest


def _train(arguments: argparse.Namespace) -> None:
    from core.mapping.config import TrainConfig
    from core.mapping.train import train
    from core.runs.store import home_folder

    config = TrainConfig.read(arguments.config)
    command = f"python -m core mapping train {arguments.config.as_posix()} --data DATA"
    train(config, arguments.data, arguments.work or home_folder() / "training", command)
    if not arguments.no_card:
        _card(arguments)


def _card(arguments: argparse.Namespace) -> None:
    from core.learning.runtime import open_runtime
    from core.learning.store import find_model
    from core.mapping.card import finish, measure
    from core.mapping.config import TrainConfig
    from core.mapping.models import network_of
    from core.mapping.train import validation_pairs
    from core.runs.store import home_folder

    config = TrainConfig.read(arguments.config)
    model = find_model("mapping", config.name)
    runtime = open_runtime(model, network_of, home_folder() / "cache" / "onnx")
    if getattr(arguments, "keep_scores", False):
        finished = measure(model, runtime)
    else:
        finished = finish(model, validation_pairs(config.data, arguments.data), runtime)
    print(json.dumps(dict(finished.spec.scores), indent=1))


def _models(arguments: argparse.Namespace) -> None:
    from core.learning.store import list_models

    models = list_models(arguments.task)
    width = max((len(model.spec.name) for model in models), default=4)
    print(f"{'name':<{width}}  {'F1':>6}  {'IoU':>6}  {'precision':>9}  {'recall':>6}  sensor")
    for model in models:
        scores = model.spec.scores.get("validation", {})
        row = "  ".join(
            f"{scores.get(name, float('nan')):>{size}.3f}"
            for name, size in (("f1", 6), ("iou", 6), ("precision", 9), ("recall", 6))
        )
        print(f"{model.spec.name:<{width}}  {row}  {model.spec.sensor}")


COMMANDS = {"predict": _predict, "evaluate": _evaluate, "train": _train, "card": _card, "models": _models}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 when an input or a model cannot be used."""
    level = os.environ.get("SLIDELENS_LOG", "INFO").upper()
    known = level in logging.getLevelNamesMapping()
    logging.basicConfig(level=level if known else "INFO", format="%(asctime)s %(message)s")
    parsed = _parser().parse_args(arguments)
    try:
        COMMANDS[parsed.command](parsed)
    except LandslideError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
