"""Why a mapping found what it found at a place: an explanation as a run with a parent."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InputError
from core.explain.attribution import EXPLANATION
from core.explain.cam import grad_cam, sentence
from core.explain.faithfulness import deletion
from core.explain.layers import LayerChoice, available_layers, suggested_layer
from core.explain.target import region_around
from core.explain.window import surroundings
from core.jobs.perform import Job, run_inline
from core.learning.bridge import bridge_of
from core.learning.inputs import input_step
from core.learning.metrics import encode
from core.learning.segmentation import network_of
from core.learning.store import find_model
from core.raster.grid import Grid
from core.raster.vectorize import rasterise
from core.raster.windows import Region
from core.raster.write import write_array
from core.runs.kinds import parameters_of
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.imagery.inputs import check_same_scene, scene_of
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.mapping.result import MappingResult

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from torch import nn

KIND: Final = "explanation"
FILE = "cam.tif"
METHOD: Final = "Grad-CAM"


Target = Mapping[str, Any]
"""What is asked about, as it stands in the record: ``{"row", "column"}`` of the run's grid, or ``{"landslide",
"outline"}`` with the number of a polygon and its GeoJSON geometry in the run's coordinates."""


@dataclass(frozen=True)
class Request:
    """Which place is asked about, and at which layer.

    Attributes
    ----------
    layer
        Name of a layer as `layers_of` gives it.
    target
        See `target_of`.
    method
        Name of the method.
    """

    layer: str
    target: Mapping[str, Any]
    method: str = METHOD


@dataclass(frozen=True)
class _Explainable:
    """A network for explanations, whose lock must be held around anything that hooks it."""

    network: nn.Module
    layers: tuple[LayerChoice, ...]
    lock: threading.Lock


@lru_cache(maxsize=3)
def _explainable(name: str, digest: str) -> _Explainable:
    del digest  # part of the key: other weights are another network
    model = find_model("mapping", name)
    network = model.load_network(network_of)
    step = input_step(model.spec)
    # Not square, and of whole steps also where the network reduces its input first.
    return _Explainable(network, available_layers(network, (4 * step, 6 * step)), threading.Lock())


def layers_of(model: str) -> tuple[tuple[LayerChoice, ...], LayerChoice]:
    """Layers of a mapping model that may be asked, and the one to begin with."""
    spec = find_model("mapping", model).spec
    layers = _explainable(model, spec.weights_sha256).layers
    return layers, suggested_layer(layers)


def target_of(target: GeoDataFrame | tuple[int, int]) -> Target:
    """What is asked about, for the record: one polygon, or (row, column) of the run's grid."""
    if isinstance(target, tuple):
        return {"row": target[0], "column": target[1]}
    outline = target.geometry.iloc[0]
    number = int(target["id"].iloc[0]) if "id" in target else None
    return {"landslide": number, "outline": shapely.geometry.mapping(outline)}


def order_explanation(result: MappingResult, target: Target, layer: str, *, owner: str = "") -> Order:
    """The order of an explanation of a place of a run."""
    request = Request(layer, target)
    return Order("mapping", KIND, parameters_of(request), result.inputs, result.model, (result.id,), owner)


def explain(store: Store, result: MappingResult, target: GeoDataFrame | tuple[int, int], layer: str) -> ImageResult:
    """Grad-CAM of a polygon or of the surroundings of a pixel, computed at once and kept as a run.

    Parameters
    ----------
    target
        One polygon in the result's coordinates, or (row, column) of the result's grid.
    layer
        Name of a layer as `layers_of` gives it.

    Raises
    ------
    LandslideError
        When the target lies outside the scene or the model is no longer what the run used.
    """
    return store.result(run_inline(store, order_explanation(result, target_of(target), layer)), ImageResult)


def compute_explanation(job: Job, request: Request) -> ImageResult:
    """Do the work of a run of kind ``"explanation"``: a COG on the window's grid, coded like a probability."""
    result, scene = job.parent(MappingResult), scene_of(job.store, job.run).scene
    check_same_scene(result.scene_digest, scene)
    model = find_model("mapping", result.model)
    if model.spec.weights_sha256 != result.provenance["model"]["weights_sha256"]:
        raise InputError(
            f"The model {result.model} is no longer the one that made this run.",
            "Its weights have changed since.",
            "Run the mapping again, then ask why.",
        )
    explainable = _explainable(result.model, model.spec.weights_sha256)
    chosen = next((choice for choice in explainable.layers if choice.name == request.layer), None)
    if chosen is None:
        raise InputError(
            f"The model has no layer {request.layer!r} that can be asked.", remedy="Choose one of those offered."
        )
    target = _geometry(request.target, result)
    around = surroundings(scene, model.spec, bridge_of(result.provenance), *_place(result, scene.grid, target))
    asked = _at_network_size(_region(target, result, around.grid), around.inputs.shape[-2:], around.window)
    with explainable.lock:
        tensor = around.tensor
        cam = grad_cam(explainable.network, tensor, asked, request.layer)
        faithful = deletion(explainable.network, tensor, asked, cam)
    codes = encode(np.where(around.valid, around.shown(cam), np.nan))
    write_array(job.folder / FILE, around.grid, codes[None], nodata=255, descriptions=(EXPLANATION,))
    record = {
        "method": request.method,
        "layer": request.layer,
        "target": dict(request.target),
        "deletion": {"share": faithful.share, "drop": faithful.drop_top, "drop_random": faithful.drop_random},
    }
    notes = (sentence(chosen, faithful),)
    return derived(job, result, {EXPLANATION: FILE}, record, grid=around.grid, notes=notes)


def _geometry(target: Target, result: MappingResult) -> GeoDataFrame | tuple[int, int]:
    """What `target_of` was given."""
    from geopandas import GeoDataFrame

    if "outline" not in target:
        return int(target["row"]), int(target["column"])
    return GeoDataFrame(geometry=[shapely.geometry.shape(target["outline"])], crs=result.grid.crs)


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
