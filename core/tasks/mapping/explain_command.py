"""``python -m core mapping explain``: why a pixel or a landslide was mapped as it was."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from core.cli.view_options import view_of
from core.errors import InputError
from core.raster.place_names import row_named
from core.tasks.imagery.explain_commands import Explaining, point_at
from core.tasks.mapping.view import Choice
from core.wording import agree

if TYPE_CHECKING:
    from core.explain.layers import LayerChoice
    from core.raster.progress import ProgressCallback
    from core.raster.scene import Scene
    from core.runs.records import Order
    from core.runs.store import Store
    from core.tasks.imagery.explanation import ExplanationRequest
    from core.tasks.imagery.target import AskedOutline, AskedPixel
    from core.tasks.mapping.result import MappingResult


def _methods() -> Mapping[str, str]:
    from core.explain.regions import METHODS

    return {name: method.title for name, method in METHODS.items()}


def _method(model: str) -> str:
    from core.tasks.mapping.run_explanation import method_of

    return method_of(model)


def _predict(
    store: Store, scene: Scene, model: str, begun: Callable[[str], None], progress: ProgressCallback
) -> MappingResult:
    from core.tasks.mapping.run import Request, run_mapping

    return run_mapping(store, scene, Request(model, pixel_size=scene.grid.pixel_size), begun=begun, progress=progress)


def _opened(store: Store, identity: str) -> MappingResult:
    from core.tasks.mapping.result import MappingResult

    return store.result(identity, MappingResult)


def _target(
    store: Store, result: MappingResult, scene: Scene, arguments: argparse.Namespace
) -> AskedPixel | AskedOutline:
    if arguments.at is not None:
        return _pixel(result, scene, *point_at(arguments.at))
    return _outline(store, result, arguments)


def _pixel(result: MappingResult, scene: Scene, x: float, y: float) -> AskedPixel:
    """The pixel of a run at a place in the scene's coordinates, or at a column and row without a coordinate system."""
    from core.tasks.imagery.target import AskedPixel

    grid = result.grid
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError("--at needs two finite numbers.")
    row, column = grid.rowcol(x, y) if scene.grid.is_georeferenced else (math.floor(y), math.floor(x))
    if not (0 <= row < grid.height and 0 <= column < grid.width):
        left, bottom, right, top = grid.bounds if grid.is_georeferenced else (0, 0, grid.width, grid.height)
        raise InputError(
            f"The point {x:g},{y:g} lies outside the mapped area.",
            f"The area extends from {left:.10g} to {right:.10g} and from {bottom:.10g} to {top:.10g}.",
            "Choose another point with --at.",
        )
    return AskedPixel(row, column)


def _outline(store: Store, result: MappingResult, arguments: argparse.Namespace) -> AskedOutline:
    """A landslide of a run by its id at the view options, or by its number, the largest first."""
    from core.tasks.imagery.target import AskedOutline
    from core.tasks.mapping.export import outlined_at
    from core.tasks.mapping.findings import find

    choice = view_of(Choice, result, arguments)
    found = outlined_at(store, result, choice, terrain=False) or find(result, choice)
    among = f"At threshold {choice.threshold:g} {agree(found.count, 'there is', 'there are')} {found.count:,}."
    remedy = "Give another id or number with --polygon, or a lower --threshold."
    row = row_named(found.polygons["id"], arguments.polygon, "landslide", among, remedy)
    return AskedOutline.of(found.polygons.geometry.iloc[row], str(found.polygons["id"].iloc[row]))


def _order(result: MappingResult, request: ExplanationRequest) -> Order:
    from core.tasks.mapping.run_explanation import order_explanation

    return order_explanation(result, request)


def _layers(model: str) -> tuple[LayerChoice, ...]:
    from core.tasks.mapping.run_explanation import layers_of

    return layers_of(model)[0]


EXPLAINING = Explaining(
    task="mapping",
    method=_method,
    first_layer="the deepest layer of the encoder",
    view=Choice,
    refused={"box": "mapping runs have no detections"},
    methods=_methods,
    predict=_predict,
    opened=_opened,
    target=_target,
    order=_order,
    layers=_layers,
)
