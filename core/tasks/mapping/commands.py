"""``python -m core mapping …``: map a raster; what concerns models is in `core.tasks.imagery.model_commands`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.cli.options import add_options, announcing, progress, store_for
from core.cli.view_options import add_view_options, check_view, view_of
from core.errors import InputError
from core.runs.kinds import Ref
from core.tasks.imagery import model_commands
from core.tasks.imagery.batch_command import add_batch
from core.tasks.imagery.explain_commands import add_explain
from core.tasks.mapping.explain_command import EXPLAINING
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.runs.store import Store
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.run import Request


MOST_WORKERS = 64

ORDER = Ref("core.tasks.mapping.run:order_of")

LISTED = {"F1": "f1", "IoU": "iou", "precision": "precision", "recall": "recall"}
"""Heading and name of the scores that a list of models shows."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands of the task."""
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="map landslides in an image; with --out, also write rasters, "
                                                  "polygons and scores")
    _predict_arguments(predict)
    predict.set_defaults(do=_predict)
    words = "map landslides in a folder of images, or in several images"
    add_batch(commands, words, Choice, _request_options, _request, ORDER)
    add_explain(commands, EXPLAINING)
    evaluate = model_commands.add_commands(commands, "mapping", LISTED)
    evaluate.add_argument("--threshold", type=float, help="default: the model's own")
    evaluate.add_argument("--turned", action="store_true", help=(
        "test-time augmentation: mean over 8 rotations and flips"
    ))


def _predict_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, help="GeoTIFF, PNG or JPEG")
    parser.add_argument("--out", type=Path, help="folder for the exported files")
    parser.add_argument(
        "--reference", "--truth", type=Path, help="reference inventory: raster, GeoPackage, GeoJSON or zipped Shapefile"
    )
    parser.add_argument("--dem", type=Path, help="elevation model, for slope, relief and aspect of each polygon")
    parser.add_argument("--before", type=Path, help="image of the same area before the event; maps new landslides only")
    add_view_options(parser, [Choice])
    _request_options(parser)
    parser.add_argument("--workers", type=int, default=1, help="number of parallel processes, for large images")
    add_options(parser)


def _request_options(parser: argparse.ArgumentParser) -> None:
    """What `_request` reads."""
    parser.add_argument("--model", required=True)
    model_commands.add_bands(parser)
    model_commands.add_area(parser)
    model_commands.add_pixel_size(parser)
    parser.add_argument("--stretch", default="auto", help='"auto", "none" or percentiles such as 2,98')
    parser.add_argument("--resample", default="auto", choices=("auto", "none"))
    parser.add_argument("--turned", action="store_true", help=(
        "test-time augmentation (8 rotations and flips), with an uncertainty raster"
    ))
    parser.add_argument("--overlap", type=float, default=0.25, help="overlap of neighbouring tiles, as a share")
    parser.add_argument("--engine", default="auto", choices=("auto", "onnx", "torch"))


def _predict(arguments: argparse.Namespace) -> None:
    from core.raster.folder import make_folder
    from core.raster.scene import Scene
    from core.tasks.mapping.export import export_run, outlined_at

    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise InputError(f"The number of workers, {arguments.workers}, is not between 1 and {MOST_WORKERS}.")
    if arguments.no_store and arguments.out is None:
        raise InputError("The result of this run would be lost.", "It is neither stored nor exported.", "Give --out.")
    check_view(Choice, arguments)
    scene = model_commands.stated(Scene.open(arguments.input), arguments.pixel_size)
    request = _request(arguments, scene)
    earlier = model_commands.stated(Scene.open(arguments.before), arguments.pixel_size) if arguments.before else None
    if arguments.dem:
        Scene.open(arguments.dem)
    if arguments.out is not None:
        make_folder(arguments.out)
    with store_for(arguments, arguments.out) as store, _mapper(store, request, arguments) as mapped:
        result = mapped(scene, "windows", arguments.reference, arguments.dem, arguments.name)
        before = None if earlier is None else mapped(earlier, "tiles before")
        change = None if before is None or arguments.no_store else _difference(store, before, result, arguments)
        if arguments.out is None:
            content = _said(store, result, before, change)
        else:
            choice = view_of(Choice, result, arguments)
            outlined = outlined_at(
                store, result, choice, terrain=arguments.dem is not None, begun=announcing(store, arguments),
                progress=progress("strips"),
            )  # fmt: skip
            content = export_run(
                result, scene, choice, arguments.out, dem=arguments.dem, before=before, outlined=outlined
            )  # fmt: skip
        print(json.dumps(content, indent=1))


class _Mapping(Protocol):
    """Maps a scene, says how far it is under a label, and returns what came of it."""

    def __call__(
        self, scene: Scene, label: str, reference: Path | None = None, dem: Path | None = None, name: str = ""
    ) -> MappingResult: ...


@contextmanager
def _mapper(store: Store, request: Request, arguments: argparse.Namespace) -> Iterator[_Mapping]:
    """Give what maps: this process, or several that are started once for all scenes and ended afterwards."""
    from core.jobs.local_cluster import LocalCluster
    from core.jobs.shard_here import run_sharded
    from core.tasks.imagery.inputs import add_file
    from core.tasks.mapping.result import MappingResult
    from core.tasks.mapping.run import order_of, run_mapping
    from core.tasks.mapping.run_shards import plan_call

    begun = announcing(store, arguments)

    def alone(
        scene: Scene, label: str, reference: Path | None = None, dem: Path | None = None, name: str = ""
    ) -> MappingResult:
        return run_mapping(
            store, scene, request, reference=reference, dem=dem, name=name, begun=begun, progress=progress(label)
        )  # fmt: skip

    if arguments.workers == 1:
        yield alone
        return
    cluster = LocalCluster(arguments.workers)

    def shared(
        scene: Scene, label: str, reference: Path | None = None, dem: Path | None = None, name: str = ""
    ) -> MappingResult:
        order = order_of(add_file(store, scene, reference, dem), request, name=name)
        made = run_sharded(store, order, plan_call, cluster, listen=progress(label), begun=begun)
        return store.result(made, MappingResult)

    cluster.start()
    try:
        yield shared
    finally:
        cluster.close()


def _request(arguments: argparse.Namespace, scene: Scene) -> Request:
    from core.tasks.mapping.options import Options
    from core.tasks.mapping.run import Request

    return Request(
        model=arguments.model,
        bands=model_commands.bands_for("mapping", arguments, scene),
        stretch=arguments.stretch,
        resample=arguments.resample,
        area=model_commands.area_for(arguments, scene),
        pixel_size=arguments.pixel_size,
        options=Options(overlap=arguments.overlap, test_time_augmentation=arguments.turned),
        engine=arguments.engine,
    )


def _difference(
    store: Store, before: MappingResult, after: MappingResult, arguments: argparse.Namespace
) -> str:
    from core.tasks.mapping.run_change import difference_here

    identity = difference_here(store, before, after)
    announcing(store, arguments)(identity)
    return identity


def _said(
    store: Store, result: MappingResult, before: MappingResult | None, change: str | None
) -> dict[str, Any]:
    """What is told of a run that is stored and not exported."""
    content: dict[str, Any] = {
        "run": result.id,
        "scene": result.scene,
        "model": result.model,
        "threshold": result.threshold,
        **store.run(result.id).metrics,
        "notes": list(result.notes),
    }
    if before is not None:
        content |= {"run_before": before.id, "run_change": change}
    return content
