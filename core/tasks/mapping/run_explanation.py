"""Why a mapping found what it found at a place: an explanation as a run with a parent."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InputError
from core.explain.layers import LayerChoice, available_layers, by_suggestion
from core.explain.regions import GRAD_CAM, METHODS
from core.explain.target import region_around, region_score
from core.explain.window import model_window
from core.jobs.perform import Job, run_inline
from core.learning.inputs import input_step
from core.learning.preprocessing import preprocessing_of
from core.learning.protocols import SegmentationNetwork
from core.learning.segmentation import network_of
from core.learning.store import find_model
from core.raster.grid import Grid
from core.raster.vectorize import rasterise
from core.raster.windows import Region
from core.runs.records import Order, Run
from core.runs.store import Store
from core.tasks.imagery import explanation
from core.tasks.imagery.explanation import ExplanationRequest, Subject
from core.tasks.imagery.inputs import check_same_scene, scene_of
from core.tasks.imagery.layer_choice import cautions, first_method, ordered_layers
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.target import AskedOutline, AskedPixel, BoxTarget, Target
from core.tasks.mapping.result import MappingResult

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
TASK: Final = "mapping"
METHOD: Final = GRAD_CAM.name
"""The method that is used when none is named and none was tested."""


@dataclass(frozen=True)
class _Explainable:
    """A network for explanations, whose lock must be held around anything that hooks it."""

    network: SegmentationNetwork
    layers: tuple[LayerChoice, ...]
    lock: threading.Lock


@lru_cache(maxsize=3)
def _explainable(name: str, digest: str) -> _Explainable:
    del digest  # part of the key: other weights are another network
    import torch

    model = find_model("mapping", name)
    # The layout that convolutions are fastest in on a CPU.
    network = model.load_network(network_of).to(memory_format=torch.channels_last)
    step = input_step(model.spec)
    # Not square, and of whole steps also where the network reduces its input first.
    return _Explainable(network, available_layers(network, (4 * step, 6 * step)), threading.Lock())


def layers_of(model: str, method: str = "") -> tuple[tuple[LayerChoice, ...], LayerChoice]:
    """Layers of a mapping model that may be asked, and the one that a method begins with: by default the best's."""
    spec = find_model("mapping", model).spec
    layers = _explainable(model, spec.weights_sha256).layers
    return layers, ordered_layers(spec, method or method_of(model), by_suggestion(layers))[0]


def method_of(model: str) -> str:
    """The method that explanations of a model begin with."""
    return first_method(find_model("mapping", model).spec, METHOD)


def target_of(target: GeoDataFrame | tuple[int, int]) -> AskedPixel | AskedOutline:
    """What is asked about: one polygon in the run's coordinates, or (row, column) of the run's grid."""
    if isinstance(target, tuple):
        return AskedPixel(*target)
    number = str(target["id"].iloc[0]) if "id" in target else None
    return AskedOutline.of(target.geometry.iloc[0], number)


def request_for(
    target: GeoDataFrame | tuple[int, int], method: str = METHOD, layer: str = "", *, curves: bool = True
) -> ExplanationRequest:
    """Ask about a polygon or a pixel; see `target_of`."""
    return ExplanationRequest(target_of(target), method, layer, curves)


def order_explanation(result: MappingResult, request: ExplanationRequest, *, owner: str = "") -> Order:
    """The order of an explanation of a place of a run.

    Raises
    ------
    InputError
        When it asks about a box, or the model is no longer what the run used.
    """
    _check(request.target)
    explanation.model_of(TASK, result)
    return explanation.order_explanation(TASK, result, request, owner=owner)


def known_explanation(store: Store, result: MappingResult, request: ExplanationRequest) -> Run | None:
    """The run that answers a request or is to; without one, that which failed last."""
    return explanation.known_explanation(store, result, request)


def explain(
    store: Store,
    result: MappingResult,
    target: GeoDataFrame | tuple[int, int],
    layer: str = "",
    method: str = METHOD,
    *,
    curves: bool = True,
) -> ImageResult:
    """Explain a polygon or the surroundings of a pixel in this process, and keep the explanation as a run.

    Parameters
    ----------
    target
        One polygon in the result's coordinates, or (row, column) of the result's grid.
    layer
        Name of a layer as `layers_of` gives it; empty for the one suggested there, or where that one shows nothing,
        for the next that shows something.
    curves
        See `ExplanationRequest`.

    Raises
    ------
    LandslideError
        When the target lies outside the scene or the model is no longer what the run used.
    """
    order = order_explanation(result, request_for(target, method, layer, curves=curves))
    return store.result(run_inline(store, order), ImageResult)


def compute_explanation(job: Job, request: ExplanationRequest) -> ImageResult:
    """Do the work of a run of kind ``"explanation"``."""
    job.report(0, 0, "Explaining")
    result, scene = job.parent(MappingResult), scene_of(job.store, job.run).scene
    check_same_scene(result.scene_digest, scene)
    asked = _check(request.target)
    spec = explanation.model_of(TASK, result).spec
    explainable = _explainable(result.model, spec.weights_sha256)
    target = _geometry(asked, result)
    around = model_window(scene, spec, preprocessing_of(result.provenance), *_place(result, scene.grid, target))
    region = _at_network_size(_region(target, result, around.grid), around.inputs.shape[-2:], around.window)
    subject = Subject(
        explainable.network, region, region_score(explainable.network, region), METHODS, explainable.layers,
        lambda method: ordered_layers(spec, method, by_suggestion(explainable.layers)),
    )  # fmt: skip
    with explainable.lock:
        found = explanation.answer(subject, around.tensor, request)
    return explanation.kept(job, result, scene, around, request, found, cautions(spec, request))


def _check(target: Target) -> AskedPixel | AskedOutline:
    """Refuse a target that a mapping lacks."""
    if isinstance(target, BoxTarget):
        raise InputError(
            "Mapping runs have no detections.", "They give a probability for each pixel.",
            "Explain a pixel or an outline.",
        )
    return target


def _geometry(target: AskedPixel | AskedOutline, result: MappingResult) -> GeoDataFrame | tuple[int, int]:
    """What `target_of` was given."""
    from geopandas import GeoDataFrame

    if isinstance(target, AskedPixel):
        return target.row, target.column
    return GeoDataFrame(geometry=[shapely.geometry.shape(dict(target.outline))], crs=result.grid.crs)


def _place(result: MappingResult, grid: Grid, target: GeoDataFrame | tuple[int, int]) -> tuple[int, int]:
    """Row and column of the scene at which a target lies."""
    return grid.rowcol(*result.grid.xy(*_pixel(result, target)))


def _pixel(result: MappingResult, target: GeoDataFrame | tuple[int, int]) -> tuple[int, int]:
    """Row and column of the result's grid at which a target lies."""
    if isinstance(target, tuple):
        return target
    point = target.geometry.iloc[0].representative_point()
    # Without a coordinate system polygons are in columns and rows of the result itself.
    return result.grid.rowcol(point.x, point.y) if result.grid.is_georeferenced else (int(point.y), int(point.x))


def _region(target: GeoDataFrame | tuple[int, int], result: MappingResult, grid: Grid) -> NDArray[np.bool_]:
    if not isinstance(target, tuple):
        outlines = target
        if not grid.is_georeferenced:
            row, column = grid.rowcol(*result.grid.xy(0, 0))
            outlines = target.set_geometry(target.geometry.translate(column, row))
        region = rasterise(outlines, grid)
        if region.any():
            return region
    row, column = grid.rowcol(*result.grid.xy(*_pixel(result, target)))
    return region_around(row, column, grid.shape)


def _at_network_size(region: NDArray[np.bool_], shape: tuple[int, ...], window: Region) -> NDArray[np.bool_]:
    """The region on the network's pixels, each taking the value at its centre, and never empty."""
    height, width = shape
    rows = np.minimum(((np.arange(height) + 0.5) * window.height / height).astype(int), window.height - 1)
    columns = np.minimum(((np.arange(width) + 0.5) * window.width / width).astype(int), window.width - 1)
    padded = np.zeros((window.height, window.width), dtype=bool)
    padded[: region.shape[0], : region.shape[1]] = region
    asked: NDArray[np.bool_] = padded[np.ix_(rows, columns)]
    if not asked.any():
        row, column = np.argwhere(region)[0]
        asked[int(row * height / window.height), int(column * width / window.width)] = True
    return asked
