"""``python -m core detection …``: find landslides in a raster; for models see `core.tasks.imagery.model_commands`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, announcing, progress, store_for
from core.cli.view_options import add_view_options, check_view, view_of
from core.errors import InputError
from core.runs.kinds import Ref
from core.tasks.detection import fusion_commands
from core.tasks.detection.explain_command import EXPLAINING
from core.tasks.detection.view import Choice
from core.tasks.imagery import model_commands
from core.tasks.imagery.batch_command import add_batch
from core.tasks.imagery.explain_commands import add_explain

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.run import Request

OUTLINE = Ref("core.tasks.joined.commands:add_commands")
"""Adds the command that hands a box to a model of another task."""

ORDER = Ref("core.tasks.detection.run:order_of")

LISTED = {"AP50": "ap50", "AP50:95": "ap50_95", "F1": "f1", "precision": "precision", "recall": "recall"}
"""Heading and name of the scores that a list of models shows."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands of the task."""
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="detect landslides in an image; with --out, also write detections "
                                                  "and scores")
    _predict_arguments(predict)
    predict.set_defaults(do=_predict)
    words = "detect landslides in a folder of images, or in several images"
    add_batch(commands, words, Choice, _request_options, _request, ORDER)
    add_explain(commands, EXPLAINING)
    OUTLINE.load()(commands)
    fusion_commands.add_commands(commands)
    evaluate = model_commands.add_commands(commands, "detection", LISTED)
    evaluate.add_argument("--confidence", type=float, help="default: the model's own")
    evaluate.add_argument("--nms-iou", type=float, help="overlap (IoU) above which detections are merged; default: "
                                                        "the model's own")
    evaluate.add_argument("--merging", choices=("nms", "fusion"), default="nms", help=(
        "how overlapping detections are merged"
    ))


def _predict_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, help="GeoTIFF, PNG or JPEG")
    parser.add_argument("--out", type=Path, help="folder for the exported files")
    parser.add_argument(
        "--reference", "--truth", type=Path, help="reference inventory: raster, GeoPackage, GeoJSON or zipped Shapefile"
    )
    parser.add_argument("--dem", type=Path, help="elevation model, stored with the image for fusing its detections "
                                                 "with terrain")
    add_view_options(parser, [Choice])
    _request_options(parser)
    add_options(parser)


def _request_options(parser: argparse.ArgumentParser) -> None:
    """What `_request` reads."""
    parser.add_argument("--model", required=True)
    model_commands.add_bands(parser)
    model_commands.add_area(parser)
    model_commands.add_pixel_size(parser)
    parser.add_argument("--stretch", default="auto", help='"auto", "none" or percentiles such as 2,98')
    parser.add_argument("--resample", default="auto", choices=("auto", "none"))
    parser.add_argument("--overlap", type=float, default=0.25, help="overlap of neighbouring tiles, as a share")


def _predict(arguments: argparse.Namespace) -> None:
    from core.raster.folder import make_folder
    from core.raster.scene import Scene
    from core.tasks.detection.export import export_run
    from core.tasks.detection.run import run_detection

    if arguments.no_store and arguments.out is None:
        raise InputError("The result of this run would be lost.", "It is neither stored nor exported.", "Give --out.")
    check_view(Choice, arguments)
    scene = model_commands.stated(Scene.open(arguments.input), arguments.pixel_size)
    request = _request(arguments, scene)
    if arguments.out is not None:
        make_folder(arguments.out)
    with store_for(arguments, arguments.out) as store:
        result = run_detection(
            store, scene, request, reference=arguments.reference, dem=arguments.dem, name=arguments.name,
            begun=announcing(store, arguments), progress=progress("tiles"),
        )  # fmt: skip
        if arguments.out is None:
            content = _said(result)
        else:
            choice = view_of(Choice, result, arguments)
            content = export_run(result, choice, arguments.out, scene=scene, dem=arguments.dem)
        print(json.dumps(content, indent=1))


def _request(arguments: argparse.Namespace, scene: Scene) -> Request:
    from core.tasks.detection.options import Options
    from core.tasks.detection.run import Request

    return Request(
        model=arguments.model,
        bands=model_commands.bands_for("detection", arguments, scene),
        stretch=arguments.stretch,
        resample=arguments.resample,
        area=model_commands.area_for(arguments, scene),
        pixel_size=arguments.pixel_size,
        options=Options(overlap=arguments.overlap),
    )


def _said(result: DetectionResult) -> dict[str, Any]:
    """What is told of a run that is stored and not exported."""
    from core.raster.folder import plain_values

    content = {
        "run": result.id,
        "scene": result.scene,
        "model": result.model,
        "confidence": result.confidence,
        **result.metrics(),
        "notes": list(result.notes),
    }
    return dict(plain_values(content))
