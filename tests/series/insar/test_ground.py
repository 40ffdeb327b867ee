"""Slope and aspect under points, on made elevation models whose ground is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from core.errors import InputError
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.write import write_array
from core.series.insar import ground
from core.series.insar.ground import ground_under

UTM, EUROPE = "EPSG:32633", "EPSG:3035"


def model(path: Path, heights: np.ndarray, left: float, top: float, crs: str, cell: float = 10.0) -> Scene:
    height, width = heights.shape
    transform = Affine.translation(left, top) @ Affine.scale(cell, -cell)
    write_array(path, Grid(width, height, transform, CRS.from_user_input(crs)), heights.astype(np.float32),
                nodata=np.nan)  # fmt: skip
    return Scene.open(path)


def test_a_plane_that_falls_to_the_east_has_its_slope_and_aspect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground, "BLOCK", 8)
    heights = np.tile(1_000 - 5.0 * np.arange(30), (20, 1))  # 5 m down for 10 m
    heights[12, 12] = np.nan
    dem = model(tmp_path / "dem.tif", heights, 500_000, 100_000, UTM)
    x = np.array([500_055.0, 500_245.0, 500_125.0, 500_005.0, 499_000.0])
    y = np.array([99_945.0, 99_855.0, 99_885.0, 99_945.0, 99_945.0])

    found = ground_under(dem, x, y, UTM)

    np.testing.assert_allclose(found.slope[:2], np.degrees(np.arctan(0.5)), rtol=1e-3)
    np.testing.assert_allclose(found.aspect[:2], 90, atol=0.01)
    assert np.isnan(found.slope[2:]).all()  # beside a cell without elevation, at the edge, outside
    assert found.notes[0] == "Slope and aspect are from dem, with cells of 10 m."
    assert found.notes[1].startswith("3 points lie outside dem")


def test_aspect_is_from_true_north_where_grid_north_is_another(tmp_path: Path) -> None:
    """Ground that rises to the south faces north, whatever the grid: north of the grid is 11 degrees off there.

    The projection keeps areas, not angles, by half a degree.
    """
    left, top = Transformer.from_crs("EPSG:4326", EUROPE, always_xy=True).transform(25.0, 46.0)
    x, y = np.meshgrid(left + 100 * np.arange(12) + 50, top - 100 * np.arange(12) - 50)
    latitude = Transformer.from_crs(EUROPE, "EPSG:4326", always_xy=True).transform(x, y)[1]
    dem = model(tmp_path / "dem.tif", (46 - latitude) * 111_132 * 0.3, left, top, EUROPE, 100.0)
    at = np.array([25.005]), np.array([45.995])

    found = ground_under(dem, *at, "EPSG:4326")

    assert abs((found.aspect[0] + 180) % 360 - 180) < 0.6
    np.testing.assert_allclose(found.slope, np.degrees(np.arctan(0.3)), rtol=5e-3)


def test_what_is_no_elevation_model_of_the_area_is_refused(tmp_path: Path) -> None:
    dem = model(tmp_path / "dem.tif", np.zeros((5, 5)), 500_000, 100_000, UTM)
    with pytest.raises(InputError, match="No point lies on dem"):
        ground_under(dem, np.array([0.0]), np.array([0.0]), UTM)
