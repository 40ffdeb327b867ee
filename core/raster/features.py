"""Writing shapes with their attributes as files that every GIS opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import StorageError
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def write_features(features: GeoDataFrame, path: Path, layer: str) -> None:
    """Write shapes with their attributes as GeoPackage or GeoJSON, by the path's suffix; whole or not at all.

    GeoJSON of what has a coordinate system is in WGS 84, as RFC 7946 asks; a GeoPackage keeps its own. In pixel space
    both hold columns and rows of the image, without a coordinate system.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    frame = features
    driver = "GPKG"
    if path.suffix == ".geojson":
        driver = "GeoJSON"
        frame = features.to_crs(4326) if features.crs is not None else features
    with atomic_path(path) as aside:
        if driver == "GeoJSON" and frame.empty:
            aside.write_text('{"type": "FeatureCollection", "features": []}\n', encoding="utf-8")
            return
        try:
            frame.to_file(aside, driver=driver, layer=layer, engine="pyogrio", index=False)
        except (OSError, RuntimeError) as error:
            raise StorageError(f"{path.name} could not be written.", str(error), "Free space and try again.") from error
