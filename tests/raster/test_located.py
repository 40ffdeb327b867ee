"""Where shapes lie: latitude, longitude and elevation of a point inside each."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from core.raster.located import degrees_of, elevations_at, located

EAST, NORTH = 500_000.0, 5_000_000.0
"""On the central meridian of UTM zone 32, which is 9° east."""


def plane(path: Path, crs: str = "EPSG:32632") -> Path:
    """Elevations that are the number of the column plus ten times the row, in cells of 10 m; the last is unknown."""
    rows, columns = np.mgrid[0:4, 0:5]
    values = (columns + 10 * rows).astype(np.float32)
    values[3, 4] = -9999
    with rasterio.open(
        path, "w", driver="GTiff", width=5, height=4, count=1, dtype="float32", crs=crs, nodata=-9999,
        transform=Affine(10, 0, EAST, 0, -10, NORTH),
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def test_the_central_meridian_is_where_it_is_known_to_be() -> None:
    latitudes, longitudes = degrees_of([EAST, EAST], [0.0, NORTH], "EPSG:32632")
    assert longitudes == pytest.approx([9.0, 9.0], abs=1e-9)
    assert latitudes[0] == pytest.approx(0.0, abs=1e-9)
    # 45° on the meridian are 4,984,944.378 m of the ellipsoid, times 0.9996.
    assert degrees_of([EAST], [4_984_944.378 * 0.9996], "EPSG:32632")[0] == pytest.approx([45.0], abs=1e-7)


def test_elevations_are_those_of_the_cells(tmp_path: Path) -> None:
    dem = plane(tmp_path / "dem.tif")
    x = [EAST + 1, EAST + 19, EAST + 25, EAST + 45, EAST - 1, EAST + 45]
    y = [NORTH - 1, NORTH - 1, NORTH - 25, NORTH - 5, NORTH - 5, NORTH - 35]
    found = elevations_at(dem, x, y, "EPSG:32632")
    assert found[:4].tolist() == [0.0, 1.0, 22.0, 4.0]
    assert np.isnan(found[4:]).all()  # beyond the raster, and where it has no data


def test_points_in_degrees_find_their_cell(tmp_path: Path) -> None:
    dem = plane(tmp_path / "dem.tif")
    latitude, longitude = degrees_of([EAST + 25], [NORTH - 25], "EPSG:32632")
    assert elevations_at(dem, longitude, latitude, "EPSG:4326").tolist() == [22.0]


def test_shapes_are_located_by_a_point_inside_them(tmp_path: Path) -> None:
    # The middle of this horseshoe lies outside it, in the cell of 11 m.
    shoe = shapely.box(EAST, NORTH - 30, EAST + 30, NORTH).difference(
        shapely.box(EAST + 10, NORTH - 20, EAST + 20, NORTH)
    )
    frame = geopandas.GeoDataFrame({"id": ["L1"]}, geometry=[shoe], crs="EPSG:32632")
    found = located(frame, plane(tmp_path / "dem.tif"))
    point = shoe.representative_point()
    assert found["elevation_m"].tolist() == [int((point.x - EAST) // 10) + 10.0 * int((NORTH - point.y) // 10)]
    assert found["elevation_m"].iloc[0] != 11.0
    assert "elevation_m" not in located(frame)
    assert list(located(frame.set_crs(None, allow_override=True)).columns) == ["id", "geometry"]
