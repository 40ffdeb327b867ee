"""Boxes of inventories: GeoPackage, GeoJSON and zipped Shapefile, in any coordinate system, cut at the scene."""

import json
import zipfile

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.windows import Window

from core.errors import GridError, InputError, UnsafeFileError
from core.raster.align import reference_reader
from core.raster.grid import Grid
from core.tasks.detection import vectors as module
from core.tasks.detection.vectors import boxes_of_vectors
from tests.factories import PLACEMENTS

# A triangle, a box, and one in two parts, in columns and rows.
SHAPES = [
    shapely.Polygon([(2, 3), (8, 3), (2, 9)]),
    shapely.box(20, 10, 25, 12),
    shapely.MultiPolygon([shapely.box(30, 20, 33, 22), shapely.box(35, 25, 37, 28)]),
]
CORNERS = [[2, 3, 8, 9], [20, 10, 25, 12], [30, 20, 33, 22], [35, 25, 37, 28]]


def grid_of(placement):
    return Grid(40, 30, *PLACEMENTS[placement])


def layer(placement="north-up", shapes=SHAPES, crs=None):
    """Shapes given in columns and rows, on the ground."""
    grid = grid_of(placement)
    t = grid.transform
    placed = [shapely.transform(one, lambda p: np.column_stack(t @ tuple(p.T))) for one in shapes]
    frame = geopandas.GeoDataFrame(geometry=placed, crs=None if grid.crs is None else grid.crs.to_wkt())
    return frame if crs is None else frame.to_crs(crs)


def write(frame, folder, kind):
    if kind == "shp.zip":
        (folder / "shape").mkdir()
        frame.to_file(folder / "shape" / "a.shp")
        path = folder / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in (folder / "shape").iterdir():
                archive.write(part, part.name)
        return path
    path = folder / f"a.{kind}"
    frame.to_file(path)
    return path


@pytest.mark.parametrize("kind", ["gpkg", "geojson", "shp.zip"])
def test_every_part_of_every_polygon_has_a_box_whatever_the_kind_of_file(tmp_path, kind):
    frame = layer(crs="EPSG:4326" if kind == "geojson" else None)
    found = boxes_of_vectors(write(frame, tmp_path, kind), grid_of("north-up"))
    np.testing.assert_allclose(sorted(found.corners.tolist()), CORNERS, atol=1e-2)
    assert set(found.scores) == {1}


@pytest.mark.parametrize("placement", list(PLACEMENTS))
def test_boxes_are_in_pixels_however_the_grid_lies(tmp_path, placement):
    found = boxes_of_vectors(write(layer(placement), tmp_path, "gpkg"), grid_of(placement))
    np.testing.assert_allclose(sorted(found.corners.tolist()), CORNERS, atol=1e-4)


def test_what_reaches_past_the_edge_is_cut_there_and_what_lies_outside_is_left_out(tmp_path):
    # Of the bent one only the upper bar lies in the scene, though the box around it all is taller.
    bent = shapely.Polygon([(-10, 2), (5, 2), (5, 4), (-5, 4), (-5, 20), (-10, 20)])
    shapes = [bent, shapely.box(38, 28, 50, 50), shapely.box(60, 5, 70, 9), shapely.box(40, 5, 45, 9)]
    found = boxes_of_vectors(write(layer(shapes=shapes), tmp_path, "gpkg"), grid_of("north-up"))
    np.testing.assert_allclose(sorted(found.corners.tolist()), [[0, 2, 5, 4], [38, 28, 40, 30]], atol=1e-4)


def test_small_polygons_are_left_out_by_their_own_area_not_their_boxes(tmp_path):
    path = write(layer(), tmp_path, "gpkg")
    # The triangle's box has 36 pixels, it itself 18.
    assert len(boxes_of_vectors(path, grid_of("north-up"), minimum=17.9)) == 1
    assert len(boxes_of_vectors(path, grid_of("north-up"), minimum=18.1)) == 0


def test_polygons_without_area_and_other_features_have_no_box(tmp_path):
    flat = shapely.Polygon([(1, 1), (5, 1), (9, 1)])
    slanted = shapely.Polygon([(1, 1), (5, 5), (9, 9)])
    shapes = [flat, slanted, shapely.Point(3, 3), shapely.LineString([(0, 0), (9, 9)]), SHAPES[1]]
    found = boxes_of_vectors(write(layer(shapes=shapes), tmp_path, "gpkg"), grid_of("north-up"))
    np.testing.assert_allclose(found.corners, [CORNERS[1]], atol=1e-4)


def test_an_outline_that_crosses_itself_counts_with_both_halves(tmp_path):
    eight = shapely.Polygon([(2, 2), (12, 12), (12, 2), (2, 12)])
    path = write(layer(shapes=[eight]), tmp_path, "gpkg")
    found = boxes_of_vectors(path, grid_of("north-up"), minimum=49)
    np.testing.assert_allclose(found.corners, [[2, 2, 12, 12]], atol=1e-4)


def test_what_holds_no_polygons_of_this_scene_is_refused(tmp_path, monkeypatch):
    grid = grid_of("north-up")
    path = write(layer(), tmp_path, "gpkg")
    with pytest.raises(GridError, match="does not overlap"):
        boxes_of_vectors(path, Grid(40, 30, Affine(10, 0, 700_000, 0, -10, 5_200_000), grid.crs))
    with pytest.raises(GridError, match="no coordinate system"):
        boxes_of_vectors(path, grid_of("without CRS"))
    (tmp_path / "points.geojson").write_text(json.dumps({"type": "Point", "coordinates": [15, 47]}))
    with pytest.raises(InputError, match="no polygons"):
        boxes_of_vectors(tmp_path / "points.geojson", grid)
    (tmp_path / "text.geojson").write_text("boxes")
    with pytest.raises(UnsafeFileError, match="not a GeoPackage"):
        boxes_of_vectors(tmp_path / "text.geojson", grid)
    monkeypatch.setattr(module, "MOST_BOXES", 3)
    with pytest.raises(InputError, match="the limit is 3"):
        boxes_of_vectors(path, grid)


def test_an_outline_of_many_corners_that_crosses_itself_is_measured_by_its_pixels(tmp_path, monkeypatch):
    """Untangling thousands of crossings takes minutes; the halves of this one count against each other."""
    bow = shapely.Polygon([(10, 10), (50, 50), (50, 10), (10, 50)])
    path = tmp_path / "bow.gpkg"
    geopandas.GeoDataFrame(geometry=[bow]).to_file(path)
    untangled = boxes_of_vectors(path, Grid(90, 80, Affine.identity(), None), 50)
    assert untangled.corners.tolist() == [[10, 10, 50, 50]]

    monkeypatch.setattr(module, "TANGLED", 3)
    monkeypatch.setattr(shapely, "make_valid", lambda none: none if len(none) == 0 else pytest.fail("was untangled"))
    found = boxes_of_vectors(path, Grid(90, 80, Affine.identity(), None), 50)

    np.testing.assert_allclose(found.corners, untangled.corners, atol=1)


@pytest.mark.timeout(60)
def test_an_outline_of_random_corners_is_taken_in_pixels_at_once(tmp_path):
    corners = np.random.default_rng(0).uniform(5, 75, (1_500, 2))
    path = tmp_path / "tangle.gpkg"
    geopandas.GeoDataFrame(geometry=[shapely.Polygon(corners)]).to_file(path)

    found = boxes_of_vectors(path, Grid(90, 80, Affine.identity(), None), 50)

    np.testing.assert_allclose(found.corners, [[5, 5, 75, 75]], atol=1.5)


def test_a_box_that_reaches_far_beyond_the_scene_covers_it(tmp_path):
    path = tmp_path / "far.gpkg"
    geopandas.GeoDataFrame(geometry=[shapely.box(-1e11, -1e11, 1e11, 1e11)]).to_file(path)
    grid = Grid(90, 80, Affine.identity(), None)

    assert boxes_of_vectors(path, grid).corners.tolist() == [[0, 0, 90, 80]]
    assert reference_reader(path, grid).read(Window(0, 0, 90, 80)).all()
