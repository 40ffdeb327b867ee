"""A raster of any size that looks enough like terrain, and a network too small to matter."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.learning.spec import ModelSpec
from core.learning.store import StoredModel

BLOCK = 1024


def make_raster(path: Path, side: int, seed: int = 0) -> None:
    """Write a square uint8 RGB GeoTIFF of 10 m pixels, tiled and deflated as satellite products are.

    Its texture is one block of noise at several scales, mirrored over the raster, so that it compresses like an
    image and is made in constant memory.
    """
    import rasterio
    from rasterio.transform import from_origin
    from rasterio.windows import Window

    block = _texture(np.random.default_rng(seed))
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 3, "dtype": "uint8", "crs": "EPSG:32633",
        "transform": from_origin(400_000, 5_200_000, 10, 10), "tiled": True, "blockxsize": 512, "blockysize": 512,
        "compress": "deflate", "predictor": 2, "photometric": "rgb", "interleave": "pixel",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        for row in range(0, side, BLOCK):
            for column in range(0, side, BLOCK):
                height, width = min(BLOCK, side - row), min(BLOCK, side - column)
                test_time_augmentation = block[:, :: 1 - 2 * (row // BLOCK % 2), :: 1 - 2 * (column // BLOCK % 2)]
                dataset.write(test_time_augmentation[:, :height, :width], window=Window(column, row, width, height))


def _texture(generator: np.random.Generator) -> NDArray[np.uint8]:
    from scipy.ndimage import gaussian_filter

    shade = np.zeros((BLOCK, BLOCK))
    for size, strength in ((1, 8.0), (8, 15.0), (60, 25.0)):
        layer = gaussian_filter(generator.standard_normal((BLOCK, BLOCK)), size)
        shade += strength * layer / layer.std()
    grain = generator.normal(0, 2, (3, BLOCK, BLOCK))
    colours = np.array([60.0, 56.0, 53.0])[:, None, None]
    return np.clip(colours + shade + grain, 0, 255).astype(np.uint8)


def tiny_model(folder: Path) -> StoredModel:
    """Store a model of one 1×1 convolution, whose cost is nearly nothing, so that the rest can be measured."""
    from safetensors.torch import save

    from core.learning.segmentation import build_network

    register_tiny()
    weights = save(build_network("benchmark-tiny", "none", 3).state_dict())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.safetensors").write_bytes(weights)
    spec = ModelSpec(
        name="tiny", task="mapping", title="Tiny", summary="", architecture="benchmark-tiny", encoder="none",
        bands=("red", "green", "blue"), value_range=(0.0, 255.0), mean=(0.2,) * 3, deviation=(0.1,) * 3, sensor="",
        tile=256, threshold=0.5, licence="", weights_sha256=hashlib.sha256(weights).hexdigest(),
    )  # fmt: skip
    return StoredModel(spec, folder)


def register_tiny() -> None:
    """Make the tiny network known to `core.learning.segmentation`, in this process only."""
    from torch import nn

    from core.learning.segmentation import architecture

    architecture("benchmark-tiny")(lambda encoder, bands, options: nn.Conv2d(bands, 1, 1))
