"""``python -m core detection explain``: why a box was found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from core.cli.view_options import view_of
from core.tasks.detection.view import Choice
from core.tasks.imagery.explain_commands import Explaining

if TYPE_CHECKING:
    from core.explain.layers import LayerChoice
    from core.raster.progress import ProgressCallback
    from core.raster.scene import Scene
    from core.runs.records import Order
    from core.runs.store import Store
    from core.tasks.detection.result import DetectionResult
    from core.tasks.imagery.explanation import ExplanationRequest
    from core.tasks.imagery.target import BoxTarget


def _methods() -> Mapping[str, str]:
    from core.explain.boxes import METHODS

    return {name: method.title for name, method in METHODS.items()}


def _method(model: str) -> str:
    from core.learning.store import find_model
    from core.tasks.detection.run_explanation import method_of

    return method_of(find_model("detection", model))


def _predict(
    store: Store, scene: Scene, model: str, begun: Callable[[str], None], progress: ProgressCallback
) -> DetectionResult:
    from core.tasks.detection.run import Request, run_detection

    return run_detection(store, scene, Request(model, pixel_size=scene.grid.pixel_size), begun=begun, progress=progress)


def _opened(store: Store, identity: str) -> DetectionResult:
    from core.tasks.detection.result import DetectionResult

    return store.result(identity, DetectionResult)


def _target(store: Store, result: DetectionResult, scene: Scene, arguments: argparse.Namespace) -> BoxTarget:
    from core.tasks.detection.box_target import box_target
    from core.tasks.detection.findings import find

    del store, scene
    return box_target(find(result, view_of(Choice, result, arguments)), arguments.box)


def _order(result: DetectionResult, request: ExplanationRequest) -> Order:
    from core.tasks.detection.run_explanation import order_explanation

    return order_explanation(result, request)


def _layers(model: str) -> tuple[LayerChoice, ...]:
    from core.learning.store import find_model
    from core.tasks.detection.run_explanation import layers_of

    return layers_of(find_model("detection", model))


EXPLAINING = Explaining(
    task="detection",
    method=_method,
    first_layer="the deepest layer that contributed to the box",
    view=Choice,
    refused={
        "at": "detection runs have no score for a single pixel",
        "polygon": "detection runs have boxes, not outlines",
    },
    methods=_methods,
    predict=_predict,
    opened=_opened,
    target=_target,
    order=_order,
    layers=_layers,
)
