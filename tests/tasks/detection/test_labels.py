"""Boxes made from masks and inventories: by one rule, the same by strips as at once."""

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS
from scipy import ndimage

from core.errors import GridError, InputError, RunCancelled
from core.raster import strip_labelling
from core.raster.grid import Grid
from core.tasks.detection import vectors
from core.tasks.detection.labels import boxes_of_mask, minimum_pixels, reference_boxes
from tests.factories import PLACEMENTS, write_raster

PLAIN = Grid(40, 30, Affine.identity(), None)


def slides() -> np.ndarray:
    """A block of 12 pixels, one of 9, and a stair of 10 that hangs together by corners alone."""
    mask = np.zeros((30, 40), np.uint8)
    mask[2:5, 3:7] = 1
    mask[10:13, 20:23] = 1
    mask[np.arange(15, 25), np.arange(30, 40)] = 1
    return mask


def noise(height=150, width=130):
    return ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((height, width)), 2) > 0.03


def test_a_box_runs_along_the_outer_edges_of_its_pixels_and_small_ones_have_none():
    found = boxes_of_mask(slides())
    assert found.corners.tolist() == [[3, 2, 7, 5], [30, 15, 40, 25]]
    assert found.scores.tolist() == [1, 1]
    assert boxes_of_mask(slides() > 0, minimum=9).corners.tolist() == [[3, 2, 7, 5], [20, 10, 23, 13], [30, 15, 40, 25]]
    assert boxes_of_mask(slides(), minimum=12).corners.tolist() == [[3, 2, 7, 5]]


def test_unknown_ground_has_no_box_and_an_empty_mask_none():
    mask = slides()
    mask[2:5, 3:7] = 255
    assert boxes_of_mask(mask).corners.tolist() == [[30, 15, 40, 25]]
    assert len(boxes_of_mask(np.zeros((5, 5), np.uint8))) == 0
    assert boxes_of_mask(np.ones((4, 3), np.bool_)).corners.tolist() == [[0, 0, 3, 4]]


def test_boxes_are_those_of_the_components_that_scipy_finds():
    labels, count = ndimage.label(noise(), structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    places = [place for place, size in zip(ndimage.find_objects(labels), sizes, strict=True) if size >= 10]
    expected = sorted([cols.start, rows.start, cols.stop, rows.stop] for rows, cols in places)
    assert count > len(expected) > 10
    assert sorted(boxes_of_mask(noise()).corners.tolist()) == expected


def test_the_least_size_is_the_same_ground_on_every_grid_but_never_under_ten_pixels():
    assert minimum_pixels(None) == minimum_pixels(10.0) == 10
    # A UTM pixel differs from its nominal size by a thousandth.
    assert minimum_pixels(9.99) == 10
    assert minimum_pixels(5.0) == 40
    assert minimum_pixels(0.5) == 4000
    assert minimum_pixels(30.0) == 10


@pytest.mark.parametrize("placement", list(PLACEMENTS))
def test_boxes_of_a_raster_inventory_are_the_same_by_strips_as_at_once(tmp_path, monkeypatch, placement):
    transform, crs = PLACEMENTS[placement]
    grid = Grid(130, 150, transform, crs)
    path = write_raster(tmp_path / "truth.tif", noise().astype(np.uint8), transform=transform, crs=crs)
    monkeypatch.setattr(strip_labelling, "STRIP_PIXELS", 1)
    steps = []
    found = reference_boxes(path, grid, minimum=10, progress=lambda *step: steps.append(step))
    assert steps == [(done + 1, 5) for done in range(5)]
    np.testing.assert_array_equal(found.corners, boxes_of_mask(noise()).corners)


def test_the_scenes_ground_distance_decides_on_the_least_size(tmp_path):
    """On a grid of 5 m a landslide needs 40 pixels."""
    transform, crs = Affine(5, 0, 500_000, 0, -5, 5_200_000), CRS.from_epsg(32633)
    mask = np.zeros((30, 40), np.uint8)
    mask[0:3, 0:13] = mask[10:14, 0:10] = 1
    path = write_raster(tmp_path / "truth.tif", mask, transform=transform, crs=crs)
    assert reference_boxes(path, Grid(40, 30, transform, crs)).corners.tolist() == [[0, 10, 10, 14]]
    assert len(reference_boxes(path, Grid(40, 30, transform, crs), minimum=39)) == 2


def test_of_a_vector_inventory_every_polygon_is_one_landslide_though_they_touch(tmp_path):
    transform, crs = PLACEMENTS["north-up"]
    # Pixels (2..6, 3..8), (6..10, 3..8) side by side, and one of nine pixels.
    columns = [(2, 3, 6, 8), (6, 3, 10, 8), (20, 20, 23, 23)]
    boxes = shapely.multipolygons([shapely.box(*one) for one in columns])
    polygons = shapely.get_parts(shapely.transform(boxes, lambda xy: xy * [10, -10] + [500_000, 5_200_000]))
    path = tmp_path / "truth.gpkg"
    geopandas.GeoDataFrame(geometry=polygons, crs=crs.to_wkt()).to_file(path)
    found = reference_boxes(path, Grid(40, 30, transform, crs))
    np.testing.assert_allclose(sorted(found.corners.tolist()), columns[:2], atol=1e-4)


def test_truth_elsewhere_too_much_of_it_and_a_stop_are_told(tmp_path, monkeypatch):
    transform, crs = PLACEMENTS["north-up"]
    path = write_raster(tmp_path / "truth.tif", noise().astype(np.uint8), transform=transform, crs=crs)
    with pytest.raises(GridError, match="does not overlap"):
        reference_boxes(path, Grid(10, 10, Affine(10, 0, 700_000, 0, -10, 5_200_000), crs))
    with pytest.raises(RunCancelled):
        reference_boxes(path, Grid(130, 150, transform, crs), cancel=lambda: True)
    monkeypatch.setattr(vectors, "MOST_BOXES", 3)
    with pytest.raises(InputError, match="the limit is 3"):
        boxes_of_mask(noise())
