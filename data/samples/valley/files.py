"""The files of the valley: Cloud Optimized GeoTIFFs and a GeoPackage."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
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
from valley.velocity import MovingArea

CRS = "EPSG:32632"
WEST, NORTH = 437_200.0, 5_108_600.0
TRANSFORM = Affine(SPACING, 0.0, WEST, 0.0, -SPACING, NORTH)
NODATA = -9999.0
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
    *,
    transform: Affine = TRANSFORM,
    unit: str = "",
    overviews: str = "average",
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
    transform
        From columns and rows to coordinates.
    unit
        Of all bands.
    overviews
        How they are resampled: ``"average"``, or ``"mode"`` for classes.
    """
    profile = {
        "driver": "GTiff",
        "width": values.shape[2],
        "height": values.shape[1],
        "count": len(values),
        "dtype": values.dtype,
        "crs": CRS,
        "transform": transform,
        "nodata": nodata,
    }
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.tif"
        with rasterio.open(plain, "w", **profile) as target:
            target.write(values)
            target.descriptions = descriptions
            if unit:
                target.units = (unit,) * len(values)
            target.update_tags(**{"NOTE": NOTE} | tags)
        predictor = "FLOATING_POINT" if values.dtype.kind == "f" else "STANDARD"
        copy_raster(
            plain,
            path,
            driver="COG",
            compress="DEFLATE",
            level="9",
            predictor=predictor,
            blocksize="256",
            overview_resampling=overviews,
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
    _write_outlines(path, "landslides", slides, {"trigger": "synthetic"})


def write_moving(path: Path, areas: tuple[MovingArea, ...]) -> None:
    """Write slow-moving landslides with their attributes.

    Parameters
    ----------
    path
        GeoPackage to make; an older one is replaced.
    areas
        Those to write. Columns say how fast each moves down the slope where it is fastest (``speed``), along the line
        of sight in the median (``los``), both mm/year, and what share of it is ``observed``.
    """
    attributes = {
        "speed": [round(area.speed, 1) for area in areas],
        "los": [round(area.velocity, 1) for area in areas],
        "observed": [round(area.observed, 2) for area in areas],
        "origin": "synthetic",
    }
    _write_outlines(path, "moving_areas", tuple(area.slide for area in areas), attributes)


def _write_outlines(
    path: Path, layer: str, slides: tuple[Landslide, ...], attributes: Mapping[str, Sequence[float] | str]
) -> None:
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
            **attributes,
        },
        geometry=shapes,
        crs=CRS,
    )
    path.unlink(missing_ok=True)
    table.to_file(path, layer=layer, driver="GPKG")


def to_reflectance(radiance: FloatArray) -> NDArray[np.uint16]:
    """Round to steps of 2, below the noise, so that the files stay small; 0 is kept for nodata."""
    return np.clip(2.0 * np.rint(radiance / 2.0), 2, 10_000).astype(np.uint16)


def to_elevation(elevation: FloatArray) -> NDArray[np.float32]:
    """Round to 1/16 m, finer than any such terrain model is true, so that it compresses."""
    return (np.rint(elevation * 16.0) / 16.0).astype(np.float32)


def to_velocity(velocity: FloatArray) -> NDArray[np.float32]:
    """Round to 1/8 mm/year, below the noise, and give what was not observed the nodata value."""
    return np.where(np.isfinite(velocity), np.rint(velocity * 8.0) / 8.0, NODATA).astype(np.float32)
