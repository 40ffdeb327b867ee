"""The files of the valley: Cloud Optimized GeoTIFFs and a GeoPackage."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.shutil import copy as copy_raster

from valley.landslides import Landslide
from valley.noise import FloatArray
from valley.terrain import HEIGHT, MARGIN, SPACING, WIDTH

CRS = "EPSG:32632"
WEST, NORTH = 437_200.0, 5_108_600.0
TRANSFORM = Affine(SPACING, 0.0, WEST, 0.0, -SPACING, NORTH)
NOTE = "Synthetic: computed by data/samples/make_valley.py, no real place. CC0-1.0"


def crop(field: NDArray[np.generic]) -> NDArray[np.generic]:
    """Cut the margins off the last two axes."""
    return field[..., MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + WIDTH]


def write_raster(
    path: Path,
    values: NDArray[np.generic],
    descriptions: tuple[str, ...],
    nodata: float,
    tags: dict[str, str],
) -> None:
    """Write bands as a compressed Cloud Optimized GeoTIFF.

    Parameters
    ----------
    path
        File to make.
    values
        ``(bands, height, width)``.
    descriptions
        One for each band.
    nodata
        Value that means no observation.
    tags
        Dataset tags.
    """
    profile = {
        "driver": "GTiff",
        "width": WIDTH,
        "height": HEIGHT,
        "count": len(values),
        "dtype": values.dtype,
        "crs": CRS,
        "transform": TRANSFORM,
        "nodata": nodata,
    }
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.tif"
        with rasterio.open(plain, "w", **profile) as target:
            target.write(values)
            target.descriptions = descriptions
            target.update_tags(NOTE=NOTE, **tags)
        predictor = "FLOATING_POINT" if values.dtype.kind == "f" else "STANDARD"
        copy_raster(
            plain,
            path,
            driver="COG",
            compress="DEFLATE",
            level="9",
            predictor=predictor,
            blocksize="256",
            overview_resampling="average",
            overview_count="1",
        )


def write_inventory(path: Path, slides: tuple[Landslide, ...]) -> None:
    """Write the landslides of the event with their attributes.

    Parameters
    ----------
    path
        GeoPackage to make; an older one is replaced.
    slides
        Landslides in pixels of the grid with margins.
    """
    offset = TRANSFORM * Affine.translation(-MARGIN, -MARGIN)
    matrix = [offset.a, offset.b, offset.d, offset.e, offset.c, offset.f]
    shapes = [
        shapely.set_precision(shapely.affinity.affine_transform(s.outline, matrix), 0.1) for s in slides
    ]
    table = gpd.GeoDataFrame(
        {
            "id": np.arange(1, len(slides) + 1),
            "type": [slide.kind for slide in slides],
            "area_m2": np.round(shapely.area(shapes), 1),
            "trigger": "synthetic",
        },
        geometry=shapes,
        crs=CRS,
    )
    path.unlink(missing_ok=True)
    table.to_file(path, layer="landslides", driver="GPKG")


def to_reflectance(radiance: FloatArray) -> NDArray[np.uint16]:
    """Round to steps of 2, below the noise, so that the files stay small; 0 is kept for nodata."""
    return np.clip(2.0 * np.rint(radiance / 2.0), 2, 10_000).astype(np.uint16)


def to_elevation(elevation: FloatArray) -> NDArray[np.float32]:
    """Round to 1/16 m, finer than any such terrain model is true, so that it compresses."""
    return (np.rint(elevation * 16.0) / 16.0).astype(np.float32)
