"""An inventory's outlines in the coordinates of a scene."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from core.errors import GridError, InputError
from core.raster.grid import Grid
from core.raster.reference import reference_outlines
from tests.factories import PLACEMENTS, write_raster


@pytest.mark.parametrize("placement", [name for name in PLACEMENTS if name != "without CRS"])
def test_outlines_in_degrees_lie_on_the_pixels_they_were_drawn_around(tmp_path: Path, placement: str) -> None:
    grid = Grid(40, 30, *PLACEMENTS[placement])
    pixels = [grid.pixel_polygon(7, 5), grid.pixel_polygon(20, 33)]
    frame = geopandas.GeoDataFrame(geometry=pixels, crs=grid.crs.to_wkt()).to_crs(4326)
    frame.to_file(tmp_path / "inventory.gpkg")

    outlines = reference_outlines(tmp_path / "inventory.gpkg", grid)

    assert outlines is not None
    assert outlines["id"].tolist() == [1, 2]
    found = sorted(grid.rowcol(shape.centroid.x, shape.centroid.y) for shape in outlines.geometry)
    assert found == [(7, 5), (20, 33)]
    assert shapely.area(outlines.geometry.to_numpy()) == pytest.approx([pixel.area for pixel in pixels], rel=1e-4)


def test_outlines_beyond_the_scene_are_left_out(tmp_path: Path) -> None:
    grid = Grid(40, 30, *PLACEMENTS["north-up"])
    far = shapely.affinity.translate(grid.pixel_polygon(0, 0), xoff=1e5)
    frame = geopandas.GeoDataFrame(geometry=[grid.pixel_polygon(7, 5), far], crs=grid.crs.to_wkt())
    frame.to_file(tmp_path / "inventory.gpkg")

    outlines = reference_outlines(tmp_path / "inventory.gpkg", grid)

    assert outlines is not None
    assert len(outlines) == 1


def test_a_mask_has_no_outlines(tmp_path: Path) -> None:
    grid = Grid(40, 30, *PLACEMENTS["north-up"])
    path = write_raster(tmp_path / "mask.tif", np.zeros((30, 40), np.uint8))

    assert reference_outlines(path, grid) is None


def test_an_inventory_of_another_place_or_of_points_is_refused(tmp_path: Path) -> None:
    grid = Grid(40, 30, *PLACEMENTS["north-up"])
    far = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    far.to_file(tmp_path / "far.gpkg")
    points = geopandas.GeoDataFrame(geometry=[shapely.Point(*grid.xy(3, 3))], crs=grid.crs.to_wkt())
    points.to_file(tmp_path / "points.gpkg")

    with pytest.raises(GridError, match="does not overlap"):
        reference_outlines(tmp_path / "far.gpkg", grid)
    with pytest.raises(InputError, match="no polygons"):
        reference_outlines(tmp_path / "points.gpkg", grid)
