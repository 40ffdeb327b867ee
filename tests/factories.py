"""Tiny networks, model folders and rasters whose answers are known without running anything."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import rasterio
import torch
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from safetensors.torch import save
from torch import Tensor, nn

from core.learning.metrics import encode, histogram
from core.learning.segmentation import architecture
from core.learning.spec import ModelSpec
from core.learning.store import SEEN, WEIGHTS, StoredModel
from core.raster.grid import Grid
from core.raster.write import write_array
from core.runs.kinds import find_task
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.candidates import write_boxes
from core.tasks.detection.findings import find as find_boxes
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import counted
from core.tasks.imagery.result import ImageResult, image_inputs
from core.tasks.mapping.findings import find as find_landslides
from core.tasks.mapping.result import MappingResult

R = TypeVar("R", bound=ImageResult)

NO_DIGEST = "0" * 64
"""Content digest of the scene of a result that was made by hand."""

UTM = CRS.from_epsg(32633)
NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_200_000)
PLACEMENTS: Mapping[str, tuple[Affine, CRS | None]] = {
    "north-up": (NORTH_UP, UTM),
    "south-up": (Affine(10, 0, 500_000, 0, 10, 5_200_000), UTM),
    "rotated": (Affine.translation(500_000, 5_200_000) @ Affine.rotation(30) @ Affine.scale(10, -10), UTM),
    "geographic": (Affine(1e-4, 0, 15, 0, -1e-4, 47), CRS.from_epsg(4326)),
    "without CRS": (Affine.identity(), None),
}


class Tiny(nn.Module):
    """One 1×1 convolution, whose value is the logit or, with ``share``, the probability itself."""

    def __init__(self, bands: int, *, share: bool) -> None:
        super().__init__()
        self.last = nn.Conv2d(bands, 1, 1)
        self.share = share

    def forward(self, images: Tensor) -> Tensor:
        values = self.last(images)
        if not self.share:
            return values
        values = values.clamp(1e-6, 1 - 1e-6)
        return torch.log(values) - torch.log(1 - values)


class Deep(nn.Module):
    """Two 1×1 convolutions, so that there is an inner layer to ask."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(bands, 2, 1)
        self.last = nn.Conv2d(2, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(images)))


@architecture("tiny")
def _tiny(encoder: str, bands: int, options: Mapping[str, Any]) -> nn.Module:
    del options
    return Deep(bands) if encoder == "deep" else Tiny(bands, share=encoder == "share")


def red_weights(bands: int = 3) -> dict[str, Tensor]:
    """Weights of a `Tiny` that passes its first band on."""
    weight = torch.zeros(1, bands, 1, 1)
    weight[0, 0] = 1
    return {"last.weight": weight, "last.bias": torch.zeros(1)}


def constant_weights(value: float, bands: int = 3) -> dict[str, Tensor]:
    """Weights of a `Tiny` that gives one value whatever it sees."""
    return {"last.weight": torch.zeros(1, bands, 1, 1), "last.bias": torch.tensor([value])}


def deep_weights() -> dict[str, Tensor]:
    """Weights of a `Deep` whose logit is 4 times red less 2; its inner channels are red and green."""
    first = torch.zeros(2, 3, 1, 1)
    first[0, 0] = first[1, 1] = 1
    last = torch.tensor([4.0, 0.0]).view(1, 2, 1, 1)
    return {"first.weight": first, "first.bias": torch.zeros(2), "last.weight": last, "last.bias": torch.tensor([-2.0])}


def tiny_spec(name: str = "red", **changes: Any) -> ModelSpec:
    """A model of 8-bit colours whose probability is the red value over 255, whatever is around it."""
    spec = ModelSpec(
        name=name,
        task="mapping",
        title=f"Tiny {name}",
        summary="Passes the red band on.",
        architecture="tiny",
        encoder="share",
        bands=("red", "green", "blue"),
        value_range=(0.0, 255.0),
        mean=(0.0, 0.0, 0.0),
        deviation=(1.0, 1.0, 1.0),
        stretch_low=(0.0, 0.0, 0.0),
        stretch_high=(255.0, 255.0, 255.0),
        sensor="none",
        tile=32,
        threshold=0.5,
        licence="CC0-1.0",
    )
    return replace(spec, **changes)


def write_model(
    root: Path, spec: ModelSpec, weights: Mapping[str, Tensor] | None = None, *, seen: Sequence[str] = ()
) -> StoredModel:
    """Write a model's folder below ``root`` and its task as a training leaves it."""
    content = save(dict(weights if weights is not None else red_weights(len(spec.bands))))
    spec = replace(spec, weights_sha256=hashlib.sha256(content).hexdigest())
    folder = root / spec.task / spec.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    (folder / "model.toml").write_text(spec.to_toml(), encoding="utf-8")
    if seen:
        (folder / SEEN).write_text("\n".join(digest[:16] for digest in seen) + "\n", encoding="ascii")
    return StoredModel(spec, folder)


def detector_spec(name: str = "bright", **changes: Any) -> ModelSpec:
    """A detector of 8-bit colours that finds the patches whose red is above half; see `tests.tasks.detection.fakes`."""
    changes = {"options": {"nms_iou": 0.5}, "classes": ("landslide",), "tile": 64, **changes}
    return tiny_spec(name, task="detection", architecture="bright", encoder="none", **changes)


def make_detector_model(root: Path, spec: ModelSpec | None = None, *, seen: Sequence[str] = ()) -> StoredModel:
    """Write the folder of a detector that finds bright patches."""
    import tests.tasks.detection.fakes  # noqa: F401  registers its family

    spec = spec or detector_spec()
    return write_model(root, spec, red_weights(len(spec.bands)), seen=seen)


def about(result: R, name: str | None = None, digest: str | None = None, identity: str | None = None) -> R:
    """A result as one about another scene; what is None stays as it is."""
    scene = image_inputs(
        result.scene if name is None else name,
        result.scene_digest if digest is None else digest,
        result.scene_id if identity is None else identity,
    )
    return replace(result, inputs=scene)


def made_detection(
    folder: Path,
    boxes: Boxes,
    placement: str = "north-up",
    *,
    shape: tuple[int, int] = (100, 120),
    reference: Boxes | None = None,
    identity: str = "0" * 32,
    scene: str = "made",
    scene_digest: str = NO_DIGEST,
    scene_id: str = "",
    **changes: Any,
) -> DetectionResult:
    """A finished detection with candidates made by hand, on a grid of (height, width) pixels."""
    transform, crs = PLACEMENTS[placement]
    artifacts = {"candidates": "candidates.parquet"}
    write_boxes(folder / "candidates.parquet", boxes)
    if reference is not None:
        artifacts["truth"] = "truth.parquet"
        write_boxes(folder / "truth.parquet", reference)
    result = DetectionResult(
        id=identity,
        kind="detection",
        folder=folder,
        inputs=image_inputs(scene, scene_digest, scene_id),
        model="made",
        grid=Grid(shape[1], shape[0], transform, crs),
        artifacts=artifacts,
        provenance={"model": {"name": "made", "threshold": 0.5, "nms_iou": 0.5}},
    )
    return counted(replace(result, **changes))


def keep_detection(store: Store, result: ImageResult, scene_id: str = "", parents: tuple[str, ...] = ()) -> Any:
    """Put a result of a detection that was made by hand into a store, and return it as it is read back."""
    return store.result(_kept(store, "detection", result, scene_id, parents))


def write_raster(
    path: Path,
    values: NDArray[Any],
    placement: str = "north-up",
    *,
    mask: NDArray[np.bool_] | None = None,
    descriptions: Sequence[str] = (),
    **profile: Any,
) -> Path:
    """Write an array (bands, height, width), or (height, width), as a plain GeoTIFF."""
    values = values[None] if values.ndim == 2 else values
    transform, crs = PLACEMENTS[placement]
    settings = {"driver": "GTiff", "count": len(values), "height": values.shape[1], "width": values.shape[2]}
    place = {"transform": transform, "crs": crs, "dtype": values.dtype.name}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_PAM_ENABLED=False),
        rasterio.open(path, "w", **settings | place | profile) as dataset,
    ):
        dataset.write(values)
        for index, description in enumerate(descriptions, start=1):
            dataset.set_band_description(index, description)
        if mask is not None:
            dataset.write_mask(mask)
    return path


def ramp(height: int, width: int, bands: int = 3) -> NDArray[np.uint8]:
    """An 8-bit image whose every pixel tells its place: red by position, the other bands otherwise."""
    red = (np.arange(height)[:, None] * 7 + np.arange(width)[None, :] * 3) % 256
    return np.stack([(red + 50 * band) % 256 for band in range(bands)]).astype(np.uint8)


def fields(count: int, seed: int) -> NDArray[np.uint8]:
    """Images (count, 3, 64, 64) of smooth reddish fields that differ in light and pattern."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices((64, 64)) / 64 * 2 * np.pi
    images = []
    for _ in range(count):
        across, down, turn = random.uniform(0.5, 3, 3)
        pattern = 0.5 + 0.3 * np.sin(across * rows + turn) * np.cos(down * columns)
        light = random.uniform(0.8, 1.2)
        images.append(np.stack([pattern * share * light for share in (0.8, 0.5, 0.3)]))
    noisy = np.array(images) * 255 + random.normal(0, 2, (count, 3, 64, 64))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def made_run(
    folder: Path,
    probability: NDArray[np.floating],
    placement: str = "north-up",
    *,
    reference: NDArray[np.uint8] | None = None,
    identity: str = "0" * 32,
    transform: Affine | None = None,
    scene: str = "made",
    scene_digest: str = NO_DIGEST,
    scene_id: str = "",
) -> MappingResult:
    """A finished run with a probability raster made by hand; NaN is nodata."""
    folder.mkdir(parents=True, exist_ok=True)
    placed, crs = PLACEMENTS[placement]
    grid = Grid(probability.shape[1], probability.shape[0], transform or placed, crs)
    codes = encode(probability)
    artifacts = {"probability": "probability.tif"}
    write_array(folder / "probability.tif", grid, codes, nodata=255)
    if reference is not None:
        artifacts["truth"] = "truth.tif"
        write_array(folder / "truth.tif", grid, reference, nodata=255, overview_resampling="nearest")
    return MappingResult(
        id=identity,
        kind="mapping",
        folder=folder,
        inputs=image_inputs(scene, scene_digest, scene_id),
        model="made",
        grid=grid,
        counts=histogram(codes, reference),
        artifacts=artifacts,
        has_reference=reference is not None,
    )


def expected_codes(red: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes of the model of `tiny_spec` for red values, worked out in whole numbers: round(254 · red / 255)."""
    return ((508 * red.astype(np.int64) + 255) // 510).astype(np.uint8)


def keep(store: Store, result: ImageResult, scene_id: str = "", parents: tuple[str, ...] = ()) -> Any:
    """Put a result of a mapping that was made by hand into a store, and return it as it is read back."""
    return store.result(_kept(store, "mapping", result, scene_id, parents))


def _kept(store: Store, task: str, result: ImageResult, scene_id: str, parents: tuple[str, ...]) -> str:
    if scene_id:
        result = about(result, identity=scene_id)
    settings = dict(result.provenance.get("parameters") or {})
    identity = store.order(Order(task, result.kind, settings, result.inputs, result.model, parents))
    assert store.claim(identity, server="tests", worker="tests")
    store.finish(identity, result)
    return identity


def found_ids(store: Store, run: str) -> list[str]:
    """Ids of what a mapping or a detection found, as its page shows them first."""
    view, result = view_and_result(store, run)
    if isinstance(result, DetectionResult):
        return [str(name) for name in find_boxes(result, view).names]
    assert isinstance(result, MappingResult)
    return [str(name) for name in find_landslides(result, view).polygons["id"]]


def view_and_result(store: Store, run: str) -> tuple[Any, ImageResult]:
    """A result and the view that its page begins with."""
    result = store.result(run, ImageResult)
    view = find_task(store.run(run).task).view
    assert view is not None
    return view.load().default(result), result


def write_squares(folder: Path) -> Path:
    """Write twelve green images of 32 by 32 with a red square each, which is the landslide, and their masks."""
    random = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in range(1, 13):
        image = random.integers(0, 50, (32, 32, 3), dtype=np.uint8)
        image[..., 1] += 150
        row, column = random.integers(0, 20, 2)
        mask = np.zeros((32, 32), np.uint8)
        mask[row : row + 12, column : column + 12] = 255
        image[mask == 255] = (210, 60, 30)
        Image.fromarray(image).save(folder / "images" / f"image_{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"mask_{number}.png")
    return folder
