"""Landslides on a grid and the cells that are drawn: places and counts worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from rasterio.crs import CRS

from core.errors import GridError, InputError
from core.raster.scene import Scene
from core.raster.write import write_array
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.landslides import ElevationRows, InventoryPlan, landslides_of
from core.tasks.susceptibility.sampling import SamplingPlan, draw, frame_of, values_at
from tests.tasks.susceptibility.areas import GRID, at, inventory, square, steps

WIDTH = GRID.width


def test_a_polygon_gives_its_middle_all_its_cells_or_its_upper_third(tmp_path: Path) -> None:
    path = inventory(tmp_path, [square(10, 10, 6), square(30.2, 20.2, 0.3)])
    slides = landslides_of(path, "vector", InventoryPlan(), GRID, "slides")
    down = np.broadcast_to(np.arange(40, dtype=np.float32)[::-1, None], GRID.shape)  # higher towards the north
    write_array(tmp_path / "factors.tif", GRID, down)

    middle, _ = slides.cells("centroid")
    every, number = slides.cells("all")
    upper, _ = slides.cells("upper", ElevationRows(tmp_path / "factors.tif", 1))

    assert middle.tolist() == [13 * WIDTH + 13, 20 * WIDTH + 30]
    assert len(every) == 37  # one of them smaller than a cell
    assert number.tolist() == [0] * 36 + [1]
    assert sorted(set((upper[:-1] // WIDTH).tolist())) == [10, 11]
    assert slides.mask(0, 40).sum() == 37
    assert slides.mask(10, 11).sum() == 6
    with pytest.raises(InputError, match="requires an elevation model"):
        slides.cells("upper")


def test_a_landslide_that_bends_has_a_cell_inside_itself(tmp_path: Path) -> None:
    bent = square(5, 5, 12).difference(square(8, 4, 9.5).union(square(8, 5, 9)))
    slides = landslides_of(inventory(tmp_path, [bent]), "vector", InventoryPlan(), GRID, "slides")

    cell = int(slides.cells("centroid")[0][0])

    assert bent.covers(shapely.Point(at(cell % WIDTH + 0.5, cell // WIDTH + 0.5))) or slides.mask(0, 40).ravel()[cell]


def test_points_of_a_table_in_degrees_lie_where_they_should(tmp_path: Path) -> None:
    import pyproj

    places = np.array([at(3.5, 4.5), at(50.5, 30.5), at(500, 4)])
    longitude, latitude = pyproj.Transformer.from_crs(32633, 4326, always_xy=True).transform(*places.T)
    table = tmp_path / "slides.csv"
    pd.DataFrame({"lon": longitude, "lat": latitude, "slide": ["yes", "no", "yes"]}).to_csv(table, index=False)

    all_of_them = landslides_of(table, "table", InventoryPlan(x="lon", y="lat"), GRID, "slides")
    labelled = landslides_of(table, "table", InventoryPlan(x="lon", y="lat", label="slide"), GRID, "slides")

    assert all_of_them.cells("centroid")[0].tolist() == [4 * WIDTH + 3, 30 * WIDTH + 50]
    assert "1 of the 3 points of slides lies outside the grid and was left out" in " ".join(all_of_them.notes)
    assert "assumed to be degrees" in " ".join(all_of_them.notes)
    assert labelled.count == 1
    assert labelled.absences is not None
    assert np.floor(labelled.absences).tolist() == [[50, 30]]


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [("y", "x", "x and y swapped.*--swap-xy"), ("x", "south", "hemisphere's false northing")],
)
def test_swapped_coordinates_and_the_wrong_hemisphere_are_told_of(tmp_path: Path, x: str, y: str, match: str) -> None:
    table = tmp_path / "slides.csv"
    east, north = at(20.5, 20.5)
    pd.DataFrame({"x": [east], "y": [north], "south": [north - 1e7]}).to_csv(table, index=False)

    with pytest.raises(GridError, match=match):
        landslides_of(table, "table", InventoryPlan(x=x, y=y), GRID, "slides")
    swapped = InventoryPlan(x="y", y="x", swap_xy=True)
    assert landslides_of(table, "table", swapped, GRID, "slides").count == 1


def test_labels_of_a_vector_layer_give_the_absences(tmp_path: Path) -> None:
    points = [shapely.Point(at(column + 0.5, 5.5)) for column in (1, 2, 3)]
    path = inventory(tmp_path, points, kind=["slide", "none", "slide"])

    slides = landslides_of(path, "vector", InventoryPlan(label="kind", positive="slide"), GRID, "slides")

    assert slides.count == 2
    assert slides.absences is not None
    assert np.floor(slides.absences).tolist() == [[2, 5]]
    with pytest.raises(InputError, match="no column 'sort'"):
        landslides_of(path, "vector", InventoryPlan(label="sort"), GRID, "slides")


def test_an_inventory_elsewhere_or_without_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GridError, match="does not overlap|lies on the rasters"):
        landslides_of(inventory(tmp_path, [square(900, 900, 5)]), "vector", InventoryPlan(), GRID, "slides")
    points = [shapely.Point(at(900.5, 5.5))]
    with pytest.raises(GridError, match="No landslide of slides lies on the rasters"):
        landslides_of(inventory(tmp_path, points, "far"), "vector", InventoryPlan(), GRID, "slides")
    with pytest.raises(GridError, match="no coordinate system"):
        landslides_of(inventory(tmp_path, [square(5, 5, 5)], "bare", None), "vector", InventoryPlan(), GRID, "slides")
    assert CRS.from_epsg(32633) == GRID.crs


@pytest.fixture
def factors(tmp_path: Path) -> Scene:
    """Return two factors: the column as slope, unknown in the first row, and classes by the half of the rows."""
    slope, half = steps(), np.repeat([1.0, 2.0], 20)[:, None] * np.ones((1, WIDTH))
    slope[0] = np.nan
    path = write_array(
        tmp_path / "factors.tif", GRID, np.stack([slope, half]).astype(np.float32), nodata=float("nan"),
        descriptions=("slope", "half"),
    )  # fmt: skip
    return Scene.ours(path)


KINDS = Factors(("slope",), ("half",))


def test_others_are_drawn_off_the_landslides_where_they_may_be(tmp_path: Path, factors: Scene) -> None:
    path = inventory(tmp_path, [square(column, row, 3) for column in (5, 20, 40) for row in (5, 20, 30)])
    slides = landslides_of(path, "vector", InventoryPlan(), GRID, "slides")
    plan = SamplingPlan(ratio=30, buffer=35.0, slope_at_least=10.0, seed=3)

    sample = draw(factors, slides, slides.cells("centroid"), plan, KINDS)

    others = sample.cells[~sample.landslide]
    assert sample.landslide.sum() == 9
    assert len(others) == len(set(others.tolist())) == 270
    row, column = np.divmod(others, WIDTH)
    assert column.min() >= 10  # the slope is the column
    assert row.min() >= 1  # the first row is unknown
    covered = np.argwhere(slides.mask(0, 40))
    far = np.hypot(row[:, None] - covered[:, 0], column[:, None] - covered[:, 1]).min(axis=1) * 10
    assert far.min() > 35
    again = draw(factors, slides, slides.cells("centroid"), plan, KINDS)
    assert again.cells.tolist() == sample.cells.tolist()
    assert "270 cells without a landslide were drawn at random (seed 3)" in sample.notes[-1]


def test_every_cell_is_as_likely_to_be_drawn(tmp_path: Path, factors: Scene) -> None:
    slides = landslides_of(inventory(tmp_path, [square(5, 5, 3)]), "vector", InventoryPlan(), GRID, "slides")
    drawn = np.zeros(GRID.width * GRID.height)
    for seed in range(200):
        sample = draw(factors, slides, slides.cells("centroid"), SamplingPlan(ratio=50, seed=seed), KINDS)
        drawn[sample.cells[~sample.landslide]] += 1

    free = np.isfinite(steps()).ravel() & ~slides.mask(0, 40).ravel()
    free[:WIDTH] = False
    halves = drawn.reshape(40, 60)
    assert drawn[~free].sum() == 0
    assert drawn.sum() == 200 * 50
    # 10,000 draws over two halves of nearly the same size: a standard deviation is 50.
    expected = free.reshape(40, 60)[:20].sum() / free.sum() * 10_000
    assert halves[:20].sum() == pytest.approx(expected, abs=250)


def test_guided_cells_lie_where_the_information_value_is_low(tmp_path: Path, factors: Scene) -> None:
    path = inventory(tmp_path, [square(column, row, 1) for column in (45, 50, 55) for row in range(22, 38, 2)])
    slides = landslides_of(path, "vector", InventoryPlan(), GRID, "slides")
    plan = SamplingPlan(ratio=10, seed=2, guided=True)

    sample = draw(factors, slides, slides.cells("centroid"), plan, KINDS)

    row, column = np.divmod(sample.cells[~sample.landslide], WIDTH)
    # All landslides lie in the lower right: that corner alone has a value above that of the other cells.
    assert len(row) == 240
    assert not ((row >= 20) & (column >= 45)).any()
    assert "information value of the factors is below its median" in sample.notes[-1]
    assert "scores are higher" in sample.notes[-1]


def test_cells_of_landslides_that_share_a_cell_or_lack_a_factor_are_told_of(tmp_path: Path, factors: Scene) -> None:
    points = [shapely.Point(at(column, row)) for column, row in [(3.2, 3.2), (3.7, 3.7), (9.5, 0.5), (20.5, 20.5)]]
    slides = landslides_of(inventory(tmp_path, points), "vector", InventoryPlan(), GRID, "slides")

    sample = draw(factors, slides, slides.cells("centroid"), SamplingPlan(), KINDS)

    told = " ".join(sample.notes)
    assert sample.cells[sample.landslide].tolist() == [3 * WIDTH + 3, 20 * WIDTH + 20]
    assert "1 landslide in the same cell as another" in told
    assert "1 landslide cell lacking the value of a factor" in told


def test_values_of_cells_come_in_their_order_and_classes_as_text(factors: Scene) -> None:
    values = values_at(factors, np.array([39 * WIDTH + 7, WIDTH + 59, 5]))

    assert values[:2].tolist() == [[7.0, 2.0], [59.0, 1.0]]
    assert np.isnan(values[2, 0])
    frame = frame_of(values[:2], ("slope", "half"), KINDS)
    assert frame["half"].tolist() == ["2", "1"]
    assert frame["slope"].tolist() == [7.0, 59.0]
