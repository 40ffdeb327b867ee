from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from core.raster.grid import Grid

UTM = CRS.from_epsg(32717)
NORTH_UP = Affine(10, 0, 650_000, 0, -10, 9_560_000)

TRANSFORMS = {
    "north-up": NORTH_UP,
    "south-up": Affine(10, 0, 650_000, 0, 10, 9_550_000),
    "rotated": Affine.translation(650_000, 9_560_000) @ Affine.rotation(30) @ Affine.scale(10, -10),
}


@pytest.fixture
def utm_grid() -> Grid:
    return Grid(70, 45, NORTH_UP, UTM)


@pytest.fixture
def make_raster(tmp_path: Path) -> Callable[..., Path]:
    """Write an array as a plain GeoTIFF (or PNG, JPEG) with whatever profile is asked for."""

    def make(
        values: np.ndarray,
        name: str = "scene.tif",
        *,
        mask: np.ndarray | None = None,
        descriptions: tuple[str | None, ...] = (),
        **profile: Any,
    ) -> Path:
        values = values[np.newaxis] if values.ndim == 2 else values
        path = tmp_path / name
        drivers = {".png": "PNG", ".jpg": "JPEG"}
        settings = {
            "driver": drivers.get(path.suffix, "GTiff"),
            "count": len(values),
            "height": values.shape[1],
            "width": values.shape[2],
            "dtype": values.dtype.name,
        }
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_PAM_ENABLED=False),
            rasterio.open(path, "w", **settings | profile) as dataset,
        ):
            dataset.write(values)
            for index, description in enumerate(descriptions, start=1):
                if description:
                    dataset.set_band_description(index, description)
            if mask is not None:
                dataset.write_mask(mask)
        return path

    return make


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Values of a type, the same at each call."""

    def make(dtype: str, bands: int = 1, height: int = 45, width: int = 70) -> np.ndarray:
        values = np.random.default_rng(1).uniform(1, 250, (bands, height, width))
        return values.astype(dtype)

    return make
