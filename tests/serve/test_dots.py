"""Points of a run are painted as discs, wherever they lie in a tile and at any zoom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from affine import Affine
from rasterio.crs import CRS

from core.plots.colours import ramp
from core.plots.painting import Painting
from core.raster.grid import Grid
from core.serve.dots import LARGEST, SMALLEST, Dots, paint_dots, read_dots
from core.serve.placing import MERCATOR, View

VIEW = View(0.0, 0.0, 256.0, 256.0, 256, 256)
RANGE = Painting(low=-10.0, high=10.0)


def dots(*places: tuple[float, float, float], apart: float = 1.0) -> Dots:
    x, y, values = (np.array(column, float) for column in zip(*places, strict=True))
    return Dots(x, y, values, apart)


def test_a_disc_lies_about_its_point_in_the_colour_of_its_value() -> None:
    image = paint_dots(dots((100.0, 156.0, 10.0)), VIEW, "RdBu", RANGE)
    assert image is not None
    row, column = np.nonzero(image[..., 3])
    assert (row.mean(), column.mean()) == pytest.approx((99.5, 99.5), abs=0.6)
    assert image[100, 100].tolist() == [*ramp("RdBu")[255], 255]
    assert np.pi * SMALLEST**2 < len(row) < np.pi * (SMALLEST + 2) ** 2


def test_discs_are_as_large_as_points_lie_apart_within_limits() -> None:
    def size(apart: float) -> int:
        image = paint_dots(dots((128.0, 128.0, 0.0), apart=apart), VIEW, "RdBu", RANGE)
        assert image is not None
        return int((image[..., 3] > 127).sum())

    assert size(0.1) == size(1.0) < size(8.0) < size(1e6) == size(2 * LARGEST)


def test_a_disc_across_the_edge_of_a_tile_is_painted_in_both() -> None:
    point = dots((256.0, 128.0, 5.0))
    left, right = (paint_dots(point, view, "RdBu", RANGE) for view in (
        VIEW, View(256.0, 0.0, 512.0, 256.0, 256, 256),
    ))  # fmt: skip
    assert left is not None
    assert right is not None
    assert left[128, -1, 3] == right[128, 0, 3] == 255
    assert paint_dots(point, View(300.0, 0.0, 556.0, 256.0, 256, 256), "RdBu", RANGE) is None


def test_points_across_180_degrees_are_seen_from_either_side() -> None:
    point = dots((MERCATOR + 10.0, 0.0, 5.0))  # as a grid beyond the antimeridian has them
    west = View(-MERCATOR, -128.0, -MERCATOR + 256.0, 128.0, 256, 256)
    image = paint_dots(point, west, "RdBu", RANGE)
    assert image is not None
    assert image[128, 10, 3] == 255


def test_a_table_is_placed_on_the_map_and_unknown_values_are_left_out(tmp_path: Path) -> None:
    grid = Grid(10, 10, Affine(100.0, 0.0, 500_000.0, 0.0, -100.0, 5_001_000.0), CRS.from_epsg(32633))
    frame = pd.DataFrame({"x": [500_000.0] * 3, "y": [0.0, 0.0, 0.0], "velocity": [-8.0, np.nan, 2.0]})
    frame.to_parquet(tmp_path / "points.parquet")
    found = read_dots(tmp_path / "points.parquet", "velocity", grid, globe=True)
    assert found.values.tolist() == [2.0, -8.0]  # the larger one is painted above
    assert found.x[0] == pytest.approx(15 * MERCATOR / 180)  # the middle meridian of zone 33
    assert found.y[0] == pytest.approx(0.0, abs=1e-6)
    assert read_dots(tmp_path / "points.parquet", "velocity", grid, globe=False).x[0] == 500_000.0
