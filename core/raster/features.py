"""Writing shapes with their attributes as files that every GIS opens."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import StorageError
from core.raster.fields import field_of
from core.raster.geopackage import LayerStyle, dress
from core.raster.write import atomic_path

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from core.raster.fields import Field


def write_features(
    features: GeoDataFrame,
    path: Path,
    layer: str,
    *,
    style: LayerStyle | None = None,
    about: Mapping[str, str] | None = None,
    fields: Mapping[str, Field] | None = None,
) -> None:
    """Write shapes with their attributes as GeoPackage or GeoJSON, by the path's suffix; whole or not at all.

    GeoJSON of what has a coordinate system is in WGS 84 and cut at 180° of longitude, as RFC 7946 asks; a GeoPackage
    keeps its own. In pixel space both hold columns and rows of the image, without a coordinate system; GeoJSON says so
    by ``"crs": null``, since it would be taken for longitude and latitude otherwise.

    Parameters
    ----------
    style, about
        How a GeoPackage's layer is shown, and what it tells of where it comes from.
    fields
        As `own` of `core.raster.fields.field_of`: a GeoPackage that tells where it comes from says of each column what
        it holds.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    frame = features
    driver = "GPKG"
    if path.suffix == ".geojson":
        driver = "GeoJSON"
        frame = features if features.crs is None else on_the_globe(features)
    with atomic_path(path) as aside:
        if driver == "GeoJSON" and frame.empty:
            crs = '"crs": null, ' if frame.crs is None else ""
            aside.write_text(f'{{{crs}"type": "FeatureCollection", "features": []}}\n', encoding="utf-8")
            return
        try:
            frame.to_file(aside, driver=driver, layer=layer, engine="pyogrio", index=False)
        except (OSError, RuntimeError) as error:
            raise StorageError(f"{path.name} could not be written.", str(error),
                "Free up disk space and try again.") from error
        if driver == "GeoJSON" and frame.crs is None:
            _say_without_crs(aside)
        if driver == "GPKG" and (style or about):
            names = [str(name) for name in frame.columns if about and name != frame.geometry.name]
            dress(aside, layer, style, about, {name: field_of(name, fields) for name in names})


def cut_at_180(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shapes in longitude and latitude within ±180°, cut in two where they cross that line (RFC 7946, 3.1.9).

    Parameters
    ----------
    shapes
        Polygons in degrees in any turn around the globe, no wider than half of it: one that looks wider crosses the
        line at which its longitudes begin anew.
    """
    import shapely
    from shapely.affinity import translate

    bounds = shapely.bounds(shapes)
    wide = bounds[:, 2] - bounds[:, 0] > 180
    outside = (bounds[:, 0] < -180) | (bounds[:, 2] > 180)
    cut = shapes.copy()
    for number in np.flatnonzero(wide | outside):
        whole = shapely.transform(shapes[number], _eastward) if wide[number] else shapes[number]
        west, _, east, _ = whole.bounds
        whole = translate(whole, -360 * math.floor((west + 180) / 360))
        if whole.bounds[2] <= 180:
            cut[number] = whole
            continue
        whole = shapely.make_valid(whole)
        here = shapely.clip_by_rect(whole, -180, -90, 180, 90)
        there = translate(shapely.clip_by_rect(whole, 180, -90, 540, 90), -360)
        parts = [part for part in shapely.get_parts([here, there]) if part.geom_type == "Polygon" and part.area > 0]
        cut[number] = shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0] if parts else shapes[number]
    return cut


def _eastward(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points with their longitudes counted from 0 to 360°."""
    return np.column_stack([at[:, 0] % 360, at[:, 1]])


def on_the_globe(features: GeoDataFrame) -> GeoDataFrame:
    """Shapes in WGS 84, cut at 180° of longitude."""
    frame = features.to_crs(4326)
    return frame.set_geometry(cut_at_180(frame.geometry.to_numpy()), crs=4326)


def _say_without_crs(file: Path) -> None:
    """Put ``"crs": null`` at the head of a GeoJSON document."""
    aside = file.with_name(f"{file.name}.crs")
    with file.open("rb") as plain, aside.open("wb") as said:
        head = plain.read(4096)
        said.write(head.replace(b"{", b'{\n"crs": null,', 1))
        shutil.copyfileobj(plain, said)
    aside.replace(file)
