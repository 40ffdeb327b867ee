"""``python -m core TASK explain``: what in the image a model reacted to, for every task on images."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, announcing, progress, store_for
from core.cli.view_options import add_view_options, check_view
from core.errors import InputError
from core.tasks.imagery.model_commands import add_pixel_size, stated
from core.wording import count

if TYPE_CHECKING:
    from core.explain.layers import LayerChoice
    from core.raster.progress import ProgressCallback
    from core.raster.scene import Scene
    from core.runs.records import Order
    from core.runs.store import Store
    from core.tasks.imagery.explanation import ExplanationRequest
    from core.tasks.imagery.result import ImageResult
    from core.tasks.imagery.target import Target

TARGETS = {
    "at": "a pixel: X,Y in the image's coordinate system, or column,row if the image has none",
    "polygon": "a mapped landslide: its id, or its number at the given view options (largest first)",
    "box": "a detection: its id, or its number at the given view options (highest confidence first)",
}
"""Options that name what is asked about."""

FIRST_DIGIT = re.compile(r"-\.?\d")
"""How a negative number begins: coordinates west of Greenwich are no options."""


@dataclass(frozen=True)
class Explaining:
    """How a task is asked by command.

    Attributes
    ----------
    task
        Its name.
    method
        Gives the method that is used when none is named, by the name of a model.
    first_layer
        Which layer is asked when none is named and the model's layers were not tested, in words.
    view
        The task's view, whose options number boxes and polygons.
    refused
        Options of `TARGETS` that name what the task lacks, with the reason.
    methods
        Gives the titles of its methods by name.
    predict
        Runs a model on a raster on disk: given store, scene, model, callbacks for the id and for progress.
    opened
        Gives a finished run by its id.
    target
        Gives what is asked about: given store, result, scene and the options.
    order
        Orders an explanation of a result.
    layers
        Gives the layers of a model by its name.
    """

    task: str
    method: Callable[[str], str]
    first_layer: str
    view: type
    refused: Mapping[str, str]
    methods: Callable[[], Mapping[str, str]]
    predict: Callable[[Store, Scene, str, Callable[[str], None], ProgressCallback], ImageResult]
    opened: Callable[[Store, str], ImageResult]
    target: Callable[[Store, Any, Scene, argparse.Namespace], Target]
    order: Callable[[Any, ExplanationRequest], Order]
    layers: Callable[[str], tuple[LayerChoice, ...]]


def add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser], asked: Explaining) -> None:
    """Add the command ``explain``."""
    parser = commands.add_parser("explain", help="explain a place: show what in the image the model reacted to")
    parser.add_argument(
        "input", nargs="?", metavar="INPUT|RUN", help="an image, or the id of a finished run (the first digits suffice)"
    )
    parser.add_argument("--model", default="", help="name of the model; not needed for a run")
    add_pixel_size(parser)
    parser.add_argument("--at", metavar="X,Y", help=_help(asked, "at"))
    parser.add_argument("--box", metavar="ID", help=_help(asked, "box"))
    parser.add_argument("--polygon", metavar="ID", help=_help(asked, "polygon"))
    parser.add_argument(
        "--method", default="", help="grad-cam, hires-cam, occlusion or d-rise; default: the best method in the "
                                     "model's own tests",
    )  # fmt: skip
    parser.add_argument(
        "--layer", default="", help="default: the best layer in the model's own tests; for models without tests, "
                                    f"{asked.first_layer}",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list targets, methods and the layers of a model")
    parser.add_argument("--out", type=Path, help="folder for explanation.json, .tif and .png")
    add_view_options(parser, [asked.view])
    add_options(parser)
    parser._negative_number_matcher = FIRST_DIGIT
    parser.set_defaults(do=_explain, asked=asked)


def _help(asked: Explaining, name: str) -> str:
    return f"not available for this task: {asked.refused[name]}" if name in asked.refused else TARGETS[name]


def _explain(arguments: argparse.Namespace) -> None:
    from core.explain.methods import find_method
    from core.raster.folder import make_folder
    from core.runs.records import checked_tags
    from core.tasks.imagery.explanation import methods_for
    from core.tasks.imagery.target import AskedPixel, BoxTarget

    asked: Explaining = arguments.asked
    if arguments.list:
        _list(asked, arguments)
        return
    if arguments.input is None:
        raise InputError(
            "No input was given.", remedy="Give an image, or the id of a run (python -m core runs list)."
        )
    _check_target(asked, arguments)
    if arguments.method:
        find_method(methods_for(AskedPixel if arguments.box is None else BoxTarget), arguments.method)
    check_view(asked.view, arguments)
    checked_tags(arguments.tag)
    if arguments.out is not None:
        make_folder(arguments.out)
    with _result(asked, arguments) as (store, result):
        content = _answer(asked, store, result, arguments)
        print(json.dumps(content, indent=1))


def _check_target(asked: Explaining, arguments: argparse.Namespace) -> None:
    """Refuse what names no one target, or one that the task lacks."""
    named = [name for name in TARGETS if getattr(arguments, name) is not None]
    for name in named:
        if name in asked.refused:
            what = f"--{name} is not available for this task."
            raise InputError(what, asked.refused[name], f"Use {_targets(asked)}.")
    if not named:
        raise InputError("No place to explain was given.", remedy=f"Give {_targets(asked)}.")
    if len(named) > 1:
        raise InputError("Only one place can be explained at a time.", remedy=f"Use one of {_targets(asked)}.")


def _targets(asked: Explaining) -> str:
    shown = {"at": "--at X,Y", "polygon": "--polygon ID", "box": "--box ID"}
    return " or ".join(text for name, text in shown.items() if name not in asked.refused)


@contextmanager
def _result(asked: Explaining, arguments: argparse.Namespace) -> Iterator[tuple[Store, ImageResult]]:
    """Give the run to explain, made first of an image, and the store that it is in."""
    from core.cli.run_commands import find
    from core.learning.fit import check_fits
    from core.learning.store import find_model
    from core.raster.scene import Scene
    from core.runs.store import default_store

    path = Path(arguments.input)
    if path.is_file():
        if not arguments.model:
            raise InputError("An image requires a model.", remedy=f"Give one with --model; {_models(asked)}.")
        scene = stated(Scene.open(path), arguments.pixel_size)
        check_fits(asked.task, find_model(asked.task, arguments.model), scene)
        with store_for(arguments, arguments.out) as store:
            made = asked.predict(store, scene, arguments.model, announcing(store, arguments), progress("tiles"))
            yield store, made
        return
    if not re.fullmatch(r"[0-9a-fA-F]+", arguments.input):
        raise InputError(f"{arguments.input} is not a file.", "It is not the id of a run either.", (
            "Check the file name or the id."
        ))
    if arguments.pixel_size is not None:
        raise InputError("--pixel-size belongs to an image; a run has its own.", remedy=
            "Omit --pixel-size, or give the image instead of the run.")
    store = default_store()
    result = asked.opened(store, find(store, arguments.input).id)
    if arguments.model not in ("", result.model):
        raise InputError(
            f"Run {result.id[:8]} was made with {result.model}, not with {arguments.model}.",
            remedy="Omit --model, or give the image instead of the run.",
        )
    yield store, result


def _models(asked: Explaining) -> str:
    return f"to list models: python -m core {asked.task} models"


def _answer(
    asked: Explaining, store: Store, result: ImageResult, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Explain, keep that as a run unless told not to, write its files, and return what is printed."""
    from core.jobs.perform import run_in_process
    from core.tasks.imagery.explain_files import write_files
    from core.tasks.imagery.explanation import RECORD, ExplanationRequest
    from core.tasks.imagery.inputs import scene_of

    scene = scene_of(store, store.run(result.id)).scene
    target = asked.target(store, result, scene, arguments)
    request = ExplanationRequest(target, arguments.method or asked.method(result.model), arguments.layer)
    order = replace(asked.order(result, request), name=arguments.name)
    identity = run_in_process(store, order, announcing(store, arguments), progress("steps"))
    content: dict[str, Any] = json.loads(store.artifact(identity, RECORD).path.read_text(encoding="utf-8"))
    if arguments.out is not None:
        write_files(store, identity, arguments.out)
    if arguments.no_store:
        store.delete(identity)
    return content


def _list(asked: Explaining, arguments: argparse.Namespace) -> None:
    """Print what can be asked about, by which methods, and at which layers of a model."""
    from core.cli.run_commands import find
    from core.runs.store import default_store

    print("targets")
    for name, words in TARGETS.items():
        print(f"  --{name:<9} {asked.refused.get(name, words)}")
    model, given = arguments.model, arguments.input
    if not model and given is not None and not Path(given).is_file():
        store = default_store()
        model = asked.opened(store, find(store, given).id).model
    first = asked.method(model) if model else ""
    print("methods")
    for name, title in asked.methods().items():
        print(f"  {name:<11} {title}{' (default)' if name == first else ''}")
    if not model:
        print(f"layers\n  give a model with --model, or a run; {_models(asked)}")
        return
    _list_layers(asked, model)


def _list_layers(asked: Explaining, model: str) -> None:
    """Print the layers of a model, with how the default method held at each."""
    from core.explain.layer_tests import layer_tests_in
    from core.learning.store import find_model

    layers, tests = asked.layers(model), layer_tests_in(find_model(asked.task, model).spec.explanation)
    width = max(len(layer.name) for layer in layers)
    if tests is None:
        print(f"layers of {model}, not tested; default: {asked.first_layer}")
    else:
        best, places = tests.best, tests.places
        print(f"layers of {model}; default: {best.layer} (margin of {best.method} over {count(places, 'place')})")
    held = () if tests is None else (test for test in tests.tests if test.method == tests.best.method)
    margins = {test.layer: f"  {test.margin:+.2f}" for test in held}
    for layer in layers:
        print(f"  {layer.name:<{width}}  {layer.title}{margins.get(layer.name, '')}")


def point_at(text: str) -> tuple[float, float]:
    """The two numbers of ``--at``.

    Raises
    ------
    InputError
        When they are not two numbers.
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--at {text!r} is not a pair of coordinates.", remedy="Give two numbers, such as --at 500120,5199800."
        ) from None
    return x, y
