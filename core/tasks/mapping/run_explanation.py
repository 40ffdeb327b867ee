"""Why a mapping found what it found at a place: an explanation as a run with a parent."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InputError
from core.explain.cam import grad_cam, sentence
from core.explain.faithfulness import Deletion, deletion
from core.explain.layers import LayerChoice, available_layers, suggested_layer
from core.explain.target import region_around
from core.explain.window import surroundings
from core.jobs.perform import compute_here
from core.learning.bridge import bridge_of
from core.learning.inputs import input_step
from core.learning.metrics import encode
from core.learning.segmentation import network_of
from core.learning.store import find_model
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.vectorize import rasterise
from core.raster.windows import Region
from core.raster.write import write_array
from core.runs.records import Order
from core.runs.standing import standing_on
from core.runs.store import Store
from core.tasks.mapping.result import EXPLANATION, MappingResult

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from torch import nn

FILE = "cam.tif"


@dataclass(frozen=True)
class Explanation:
    """Grad-CAM of one target.

    Attributes
    ----------
    run
        The stored run; its artifact ``cam`` is a COG on the window's grid, coded like a probability.
    attribution
        (height, width) float32 in [0, 1] on the window's pixels.
    image
        (height, width, 3) uint8 of the window as the model saw it, for pictures.
    region
        (height, width) bool: the pixels asked about.
    layer, deletion, sentence
        Which layer was asked, how faithful the map proved, and what it shows in words.
    """

    run: MappingResult
    attribution: NDArray[np.float32]
    image: NDArray[np.uint8]
    region: NDArray[np.bool_]
    layer: LayerChoice
    deletion: Deletion
    sentence: str


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


def explain(
    store: Store,
    scene: Scene,
    result: MappingResult,
    target: GeoDataFrame | tuple[int, int],
    layer: str,
) -> Explanation:
    """Grad-CAM of a polygon or of the surroundings of a pixel.

    Parameters
    ----------
    scene
        The scene that `result` mapped.
    target
        One polygon in the result's coordinates, or (row, column) of the result's grid.
    layer
        Name of a layer as `layers_of` gives it.

    Raises
    ------
    LandslideError
        When the target lies outside the scene or the model is no longer what the run used.
    """
    model = find_model("mapping", result.model)
    if model.spec.weights_sha256 != result.provenance["model"]["weights_sha256"]:
        raise InputError(
            f"The model {result.model} is no longer the one that made this run.",
            "Its weights have changed since.",
            "Run the mapping again, then ask why.",
        )
    explainable = _explainable(result.model, model.spec.weights_sha256)
    chosen = next((choice for choice in explainable.layers if choice.name == layer), None)
    if chosen is None:
        raise InputError(f"The model has no layer {layer!r} that can be asked.", remedy="Choose one of those offered.")
    place = _place(result, scene.grid, target)
    around = surroundings(scene, model.spec, bridge_of(result.provenance), *place)
    region = _region(target, result, around.grid)
    asked = _at_network_size(region, around.inputs.shape[-2:], around.window)
    with explainable.lock:
        tensor = around.tensor
        cam = grad_cam(explainable.network, tensor, asked, layer)
        faithful = deletion(explainable.network, tensor, asked, cam)
    attribution = around.shown(cam)
    words = sentence(chosen, faithful)
    run = _store(store, result, around.grid, attribution, around.valid, chosen, faithful, words, _told(target))
    return Explanation(run, attribution, around.picture(model.spec), region, chosen, faithful, words)


def _told(target: GeoDataFrame | tuple[int, int]) -> dict[str, Any]:
    """What was asked about, for the record: a pixel, or an outline in the run's coordinates."""
    if isinstance(target, tuple):
        return {"row": target[0], "column": target[1]}
    outline = target.geometry.iloc[0]
    number = int(target["id"].iloc[0]) if "id" in target else None
    return {"landslide": number, "outline": shapely.geometry.mapping(outline)}


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


def _store(
    store: Store,
    parent: MappingResult,
    grid: Grid,
    attribution: NDArray[np.float32],
    valid: NDArray[np.bool_],
    layer: LayerChoice,
    faithful: Deletion,
    words: str,
    target: dict[str, Any],
) -> MappingResult:

    def compute(identity: str, folder: Path) -> MappingResult:
        codes = encode(np.where(valid, attribution, np.nan))
        write_array(folder / FILE, grid, codes[None], nodata=255, descriptions=(EXPLANATION,))
        told = {
            "method": "Grad-CAM",
            "layer": layer.name,
            "target": target,
            "deletion": {"share": faithful.share, "drop": faithful.drop_top, "drop_random": faithful.drop_random},
        }
        files = {EXPLANATION: FILE}
        return standing_on(parent, "explanation", identity, folder, files, told, grid=grid, notes=(words,))

    asked = {"method": "Grad-CAM", "layer": layer.name, "target": target}
    order = Order("mapping", "explanation", asked, parent.scene_id, parent.scene, parent.model, (parent.id,))
    return store.mapping(compute_here(store, order, compute))
