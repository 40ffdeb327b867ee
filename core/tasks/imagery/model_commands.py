"""``python -m core TASK evaluate|train|card|measure-training|faithfulness|models``: making, scoring, listing models."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, announcing, progress, store_for
from core.runs.kinds import request_from

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.raster.scene import Scene
    from core.tasks.imagery.model_runs import TrainingRequest

FITS = ("suited", "usable", "assign bands", "different pixel size", "unusable")
"""How well a model fits a scene in a list, by `core.learning.fit.Fit`."""


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], task: str, listed: Mapping[str, str]
) -> argparse.ArgumentParser:
    """Commands about the models of a task.

    Parameters
    ----------
    task
        Name of a task whose kinds are, among others, an evaluation and a training.
    listed
        Heading and name of the scores that a list of models shows.

    Returns
    -------
    The command ``evaluate``, for options that only this task has: they are named like the fields of its request.
    """
    evaluate = commands.add_parser("evaluate", help="score a model on a folder of image and mask pairs")
    evaluate.add_argument("--model", required=True)
    evaluate.add_argument("--images", type=Path, required=True)
    evaluate.add_argument("--masks", type=Path, required=True)
    evaluate.add_argument("--out", type=Path, help="JSON file for the scores")
    train = commands.add_parser("train", help="train a model from a training description")
    train.add_argument("config", type=Path, help="TOML file, such as those in models/configs")
    train.add_argument("--data", type=Path, required=True, help="folder of the training data")
    train.add_argument("--work", type=Path, help="folder for checkpoints (default: under SLIDELENS_HOME)")
    train.add_argument("--no-card", action="store_true", help="do not score on the validation set yet")
    card = commands.add_parser("card", help="score a trained model on the validation set and write its card")
    card.add_argument("config", type=Path, help="the description that the model was trained from")
    card.add_argument("--data", type=Path, required=True)
    card.add_argument("--keep-scores", action="store_true", help="measure cost and false alarms again only")
    measure = commands.add_parser(
        "measure-training", help="measure statistics of the training images, used to warn of images that differ from "
                                 "them"
    )
    measure.add_argument("config", type=Path, help="the description that the model was trained from")
    measure.add_argument("--data", type=Path, required=True, help="folder of the training data")
    faithful = commands.add_parser(
        "faithfulness", help="test which method and layer explain a model best; they become its defaults"
    )
    faithful.add_argument("config", type=Path, help="the description that the model was trained from")
    faithful.add_argument("--data", type=Path, required=True, help="folder of the training data")
    for parser, do in (
        (evaluate, _evaluate), (train, _train), (card, _card), (measure, _measure), (faithful, _faithfulness),
    ):  # fmt: skip
        add_options(parser)
        parser.set_defaults(do=do, task=task)
    models = commands.add_parser("models", help="list the available models, or how well each fits an image")
    models.add_argument("input", nargs="?", type=Path, help="image for which to list models, best fit first")
    models.set_defaults(do=_models, task=task, listed=listed)
    return evaluate


def add_bands(parser: argparse.ArgumentParser) -> None:
    """The option that says which bands of an image a model is given."""
    from core.raster.band_orders import ORDERS

    names = ", ".join(dict.fromkeys(order.name for order in ORDERS))
    parser.add_argument(
        "--bands", metavar="ORDER|NUMBERS",
        help=f"if the file does not name its bands: their order ({names}), or the numbers of the model's bands, such "
             "as 3,2,1",
    )  # fmt: skip


def bands_for(task: str, arguments: argparse.Namespace, scene: Scene) -> tuple[int, ...] | None:
    """Bands that were asked for, by name of their order or by number; None where the scene tells them.

    Raises
    ------
    LandslideError
        When there is no such model, it cannot be run on the scene, or the bands are none of the scene's.
    """
    from core.learning.fit import check_fits
    from core.learning.store import find_model
    from core.raster.band_orders import parse_bands

    model = find_model(task, arguments.model)
    bands = parse_bands(arguments.bands, scene, model.spec.bands) if arguments.bands else None
    check_fits(task, model, scene, bands, arguments.resample)
    return bands


def add_area(parser: argparse.ArgumentParser) -> None:
    """The options that limit a run to a part of the image."""
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--area", nargs=4, type=float, metavar=("W", "S", "E", "N"),
        help="only this part of the image: west, south, east and north in degrees (W greater than E across the "
        "antimeridian); first column, first row, last column and last row of an image without CRS",
    )  # fmt: skip
    part.add_argument(
        "--area-file", type=Path, metavar="FILE",
        help="only the polygons of this file: GeoJSON, GeoPackage or zipped Shapefile",
    )  # fmt: skip


def add_pixel_size(parser: argparse.ArgumentParser) -> None:
    """The option that states how large the pixels of a photo are."""
    parser.add_argument(
        "--pixel-size", type=float, metavar="METRES",
        help="distance on the ground from pixel to pixel of an image without a coordinate system: areas are then in m2",
    )  # fmt: skip


def stated(scene: Scene, metres: float | None) -> Scene:
    """An image with the pixel size that was stated for it.

    Raises
    ------
    InputError
        When it is no size that a pixel can have, or the image has a coordinate system.
    """
    return scene if metres is None else replace(scene, grid=scene.grid.with_pixel_size(metres))


def area_for(arguments: argparse.Namespace, scene: Scene) -> dict[str, Any] | None:
    """The part of the image that was asked for, as `core.raster.area.area_of` takes it; None for all of it.

    Raises
    ------
    LandslideError
        When it is no area, or holds no pixel of the image.
    """
    from core.raster.area import area_of, box_area, file_area

    if arguments.area is None and arguments.area_file is None:
        return None
    grid = scene.grid
    area = box_area(grid, *arguments.area) if arguments.area is not None else file_area(grid, arguments.area_file)
    area_of(grid, area)  # an area beside the image is refused here, before anything is computed
    return area


def _evaluate(arguments: argparse.Namespace) -> None:
    from core.jobs.perform import run_in_process
    from core.learning.store import find_model
    from core.raster.folder import make_folder, write_json
    from core.tasks.imagery.model_runs import EVALUATION, SCORES, order_evaluation

    folders = {"images": str(arguments.images), "masks": str(arguments.masks)}
    request = request_from(arguments.task, EVALUATION, {**vars(arguments), **folders})
    model = find_model(arguments.task, arguments.model)
    order = order_evaluation(arguments.task, model, request, name=arguments.name)
    if arguments.out is not None:
        make_folder(arguments.out.parent)
    with store_for(arguments) as store:
        identity = run_in_process(store, order, announcing(store, arguments), progress("images"))
        text = store.artifact(identity, SCORES).path.read_text(encoding="utf-8")
    if arguments.out is not None:
        write_json(json.loads(text), arguments.out)
    print(text, end="")


def _train(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from core.runs.store import home_folder
    from core.tasks.imagery.model_runs import CHECKPOINTS

    # Also a training that is not stored leaves its checkpoint where the next one finds it.
    work = arguments.work or home_folder() / CHECKPOINTS
    _do(replace(_request(arguments), work=str(work), card=not arguments.no_card), arguments)


def _card(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from core.learning.store import find_model

    request = replace(_request(arguments), command="card", keep_scores=arguments.keep_scores)
    find_model(arguments.task, request.config.name)
    _do(request, arguments)


def _measure(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from core.learning.store import find_model
    from core.learning.training_distance import statistics_of

    request = replace(_request(arguments), command="measure", card=False)
    model = find_model(arguments.task, request.config.name)
    _do(request, arguments)
    found = statistics_of(model)
    about = {"tile": found.tile, "fitted": found.fitted, "tuned": found.tuned, "limit": round(found.limit, 3)}
    print(json.dumps({**about, "share_limit": round(found.share_limit, 3)}))


def _faithfulness(arguments: argparse.Namespace) -> None:
    from dataclasses import asdict, replace

    from core.explain.layer_tests import layer_tests_in
    from core.learning.store import find_model

    request = replace(_request(arguments), command="faithfulness", card=False)
    find_model(arguments.task, request.config.name)
    _do(request, arguments)
    told = layer_tests_in(find_model(arguments.task, request.config.name).spec.explanation)
    assert told is not None  # noqa: S101  it was kept a moment ago
    print(json.dumps({"places": told.places, **asdict(told.best)}, ensure_ascii=False))


def _request(arguments: argparse.Namespace) -> TrainingRequest:
    from core.learning.config import TrainConfig
    from core.learning.store import sha256
    from core.tasks.imagery.model_runs import Description, TrainingRequest

    path: Path = arguments.config
    config = TrainConfig.read(path)
    return TrainingRequest(config, str(arguments.data), description=Description(path.as_posix(), sha256(path)))


def _do(request: TrainingRequest, arguments: argparse.Namespace) -> None:
    """Train or score in this process, and print all scores of the model once it has those on validation.

    What was left out of the labels is said on standard error.
    """
    from core.jobs.perform import run_in_process
    from core.tasks.imagery.model_runs import order_training

    with store_for(arguments) as store:
        order = order_training(arguments.task, request, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments))
        scores = store.provenance(identity)["scores"]
        for note in store.run(identity).notes:
            print(note, file=sys.stderr)
    if request.card:
        print(json.dumps(scores, indent=1))


def _models(arguments: argparse.Namespace) -> None:
    from core.learning.fit import fittings
    from core.learning.store import list_models
    from core.raster.scene import Scene

    if arguments.input is None:
        models = list_models(arguments.task)
        _print_models(models, arguments.listed, {})
        return
    found = fittings(arguments.task, Scene.open(arguments.input))
    _print_models([one.model for one in found], arguments.listed, {one.model.spec.name: FITS[one.fit] for one in found})
    against = [(one.model.spec.name, one.why) for one in found if one.why is not None]
    if against:
        print()
    for name, why in against:
        print(f"{name}: {why.what}")


def _print_models(models: Sequence[StoredModel], listed: Mapping[str, str], fits: Mapping[str, str]) -> None:
    """Print one line a model; those that were scored on one data set stand together, for only they can be compared."""
    from core.learning.validation import data_set_of

    spec_width = max((len(model.spec.name) for model in models), default=4)
    sizes = {name: max(6, len(heading)) for heading, name in listed.items()}
    headings = "  ".join(f"{heading:>{sizes[name]}}" for heading, name in listed.items())
    fit_width = max((len(words) for words in fits.values()), default=0)
    data_sets = [data_set_of(model.spec) or "not recorded" for model in models]
    data_width = max([len("validated on"), *map(len, data_sets)])
    fit = f"{'fit':<{fit_width}}  " if fits else ""
    print(f"{'name':<{spec_width}}  {fit}{headings}  {'validated on':<{data_width}}  sensor")
    for model, data_set in zip(models, data_sets, strict=True):
        scores = model.spec.scores.get("validation", {})
        row = "  ".join(f"{_number(scores.get(name)):>{size}}" for name, size in sizes.items())
        fit = f"{fits[model.spec.name]:<{fit_width}}  " if fits else ""
        print(f"{model.spec.name:<{spec_width}}  {fit}{row}  {data_set:<{data_width}}  {model.spec.sensor}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
