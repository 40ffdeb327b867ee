"""Patches of a mask become polygons that give back the mask, with areas known beforehand."""

import math

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pyproj import Geod
from rasterio.crs import CRS

from core.errors import GridError, InputError
from core.raster.grid import Grid
from core.raster.vectorize import clean_mask, polygons, rasterise

UTM = CRS.from_epsg(32633)
WGS84 = CRS.from_epsg(4326)
CORNER = Affine.translation(500_000, 5_000_000)
PLACES = {
    "north-up": (CORNER * Affine.scale(10, -10), UTM),
    "south-up": (CORNER * Affine.scale(10, 10), UTM),
    "rotated": (CORNER * Affine.rotation(33) * Affine.scale(10, -10), UTM),
    "oblong": (CORNER * Affine.scale(3, -20), UTM),
    "geographic": (Affine(1e-4, 0, 10, 0, -1e-4, 46), WGS84),
    "mercator": (Affine(20, 0, 1_000_000, 0, -20, 6_000_000), CRS.from_epsg(3857)),
    "pixels": (Affine.identity(), None),
    "pixels, some other transform": (CORNER * Affine.scale(2, 2), None),
}


def grid_of(shape, place="north-up"):
    return Grid(shape[1], shape[0], *PLACES[place])


def mask_of(*rows):
    return np.array([[letter == "#" for letter in row] for row in rows])


masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


@settings(max_examples=150, deadline=None)
@given(masks, st.sampled_from(sorted(PLACES)))
def test_any_mask_comes_back_from_its_polygons_with_its_area(mask, place):
    grid = grid_of(mask.shape, place)
    found = polygons(mask, grid)
    np.testing.assert_array_equal(rasterise(found, grid), mask)
    assert found.is_valid.all()
    assert found["area_px"].sum() == mask.sum()
    assert found["id"].is_unique
    if grid.crs is None:
        np.testing.assert_allclose(found.area, found["area_px"])
    else:
        ground = (mask * grid.pixel_areas()).sum()
        assert found["area_m2"].sum() == pytest.approx(ground)
        assert (np.diff(found["area_m2"]) <= 0).all()


@settings(max_examples=40, deadline=None)
@given(masks, st.sampled_from(["north-up", "rotated", "geographic", "mercator"]))
def test_area_and_perimeter_are_those_on_the_ellipsoid(mask, place):
    found = polygons(mask, grid_of(mask.shape, place))
    geod = Geod(ellps="WGS84")
    for row in found.to_crs(4326).itertuples():
        area, _ = geod.geometry_area_perimeter(shapely.orient_polygons(row.geometry))
        perimeter = geod.geometry_length(row.geometry.boundary)
        # Areas of polygons this small are good to about a thousandth by geodesics.
        assert row.area_m2 == pytest.approx(area, rel=2e-3)
        assert row.perimeter_m == pytest.approx(perimeter, rel=1e-6)


def test_a_square_hectare():
    found = polygons(np.ones((10, 10), dtype=bool), grid_of((10, 10)))
    # On the central meridian of its zone a UTM metre is 1/0.9996 metres on the ground.
    assert found["area_m2"].tolist() == pytest.approx([1e4 / 0.9996**2], rel=1e-5)
    assert found["perimeter_m"].tolist() == pytest.approx([400 / 0.9996], rel=1e-5)
    assert found["area_px"].tolist() == [100]
    assert found.crs == 32633
    assert found.total_bounds.tolist() == [500_000, 4_999_900, 500_100, 5_000_000]


def test_pixels_that_touch_at_a_corner_are_one_landslide():
    found = polygons(mask_of("#..", ".#.", "..."), grid_of((3, 3), "pixels"))
    assert found["area_px"].tolist() == [2]
    assert found["perimeter_px"].tolist() == [8]
    assert found.geometry[0].geom_type == "MultiPolygon"


def test_a_hole_lengthens_the_perimeter_and_is_no_area():
    found = polygons(mask_of("###", "#.#", "###"), grid_of((3, 3), "pixels"))
    assert found["area_px"].tolist() == [8]
    assert found["perimeter_px"].tolist() == [16]
    assert len(found.geometry[0].interiors) == 1


def test_rows_are_y_and_columns_are_x_without_a_coordinate_system():
    found = polygons(mask_of("....", "..##", "...."), grid_of((3, 4), "pixels"))
    assert found.crs is None
    assert found.total_bounds.tolist() == [2, 1, 4, 2]
    assert "area_m2" not in found.columns
    assert "perimeter_m" not in found.columns


def test_the_largest_comes_first_and_equals_keep_their_order():
    mask = mask_of("#..##", ".....", "###..", ".....", "....#")
    found = polygons(mask, grid_of(mask.shape))
    assert found["area_px"].tolist() == [3, 2, 1, 1]
    # Called after their first pixels, 10, 3, 0 and 24 of 25: digits go to 9, then letters from A on without I, L and O.
    assert found["id"].tolist() == ["LA", "L3", "L0", "LR"]
    tops = found.geometry.bounds["maxy"].to_numpy()
    assert tops[2] > tops[3]


def test_an_empty_mask_gives_an_empty_table_with_all_columns():
    grid = grid_of((3, 4))
    empty = np.zeros((3, 4))
    found = polygons(empty.astype(bool), grid, empty, empty)
    assert len(found) == 0
    assert found.crs == 32633
    assert list(found.columns) == [
        "id",
        "area_px",
        "area_m2",
        "perimeter_m",
        "mean_probability",
        "slope_mean_deg",
        "relief_m",
        "aspect_deg",
        "geometry",
    ]
    assert not rasterise(found, grid).any()


def test_mean_probability_leaves_nan_out():
    mask = mask_of("##.", "...", "..#")
    probability = np.array([[0.6, 0.8, 0], [0, 0, 0], [0, 0, np.nan]])
    found = polygons(mask, grid_of(mask.shape), probability)
    assert found["mean_probability"][0] == pytest.approx(0.7)
    assert math.isnan(found["mean_probability"][1])


@pytest.mark.parametrize("place", ["north-up", "south-up", "rotated", "geographic"])
def test_terrain_of_a_landslide_on_a_tilted_plane(place):
    grid = grid_of((8, 9), place)
    columns, rows = np.meshgrid(np.arange(9) + 0.5, np.arange(8) + 0.5)
    x, y = grid.transform * (columns, rows)
    if place == "geographic":
        x, y = (x - 10) * 111_320 * math.cos(math.radians(46)), (y - 46) * 111_150
    dem = 0.5 * (x + y)  # falls towards the southwest
    mask = np.zeros(grid.shape, dtype=bool)
    mask[2:5, 3:6] = True
    found = polygons(mask, grid, dem=dem)
    assert found["slope_mean_deg"][0] == pytest.approx(math.degrees(math.atan(0.5 * math.sqrt(2))), abs=0.1)
    assert found["aspect_deg"][0] == pytest.approx(225, abs=0.2)
    assert found["relief_m"][0] == pytest.approx(np.ptp(dem[2:5, 3:6]))


def test_aspects_on_both_sides_of_north_have_north_as_their_mean():
    grid = grid_of((6, 8))
    y = -10.0 * np.arange(6)[:, None]
    x = 10.0 * np.arange(8)[None, :]
    ridge = -y + 0.1 * np.where(x < 35, -x, x - 70)
    mask = np.zeros(grid.shape, dtype=bool)
    mask[2:4, [2, 5]] = True
    mask[2, 3:5] = True
    aspect = polygons(mask, grid, dem=ridge)["aspect_deg"][0]
    assert min(aspect, 360 - aspect) == pytest.approx(0, abs=1e-6)


def test_a_flat_landslide_and_one_without_elevation():
    mask = np.zeros((5, 12), dtype=bool)
    mask[2, 2:5] = mask[2, 8:10] = True
    dem = np.full(mask.shape, 12.0)
    dem[:, 7:] = np.nan
    found = polygons(mask, grid_of(mask.shape), dem=dem)
    assert found["slope_mean_deg"][0] == 0
    assert found["relief_m"][0] == 0
    assert math.isnan(found["aspect_deg"][0])
    assert found.loc[1, ["slope_mean_deg", "relief_m", "aspect_deg"]].isna().all()


def test_terrain_needs_a_coordinate_system_and_arrays_the_shape_of_the_grid():
    mask = np.ones((3, 3), dtype=bool)
    with pytest.raises(GridError):
        polygons(mask, grid_of((3, 3), "pixels"), dem=np.zeros((3, 3)))
    with pytest.raises(InputError, match="probability"):
        polygons(mask, grid_of((3, 3)), np.zeros((3, 4)))


def test_polygons_in_another_crs_are_brought_to_the_grid():
    mask = np.zeros((20, 30), dtype=bool)
    mask[3:9, 4:21] = True
    grid = grid_of(mask.shape)
    elsewhere = polygons(mask, grid).to_crs(4326)
    np.testing.assert_array_equal(rasterise(elsewhere, grid), mask)
    nothing = geopandas.GeoDataFrame(geometry=[], crs=4326)
    assert not rasterise(nothing, grid).any()


def test_small_patches_go_and_small_holes_are_filled():
    mask = mask_of(
        "####....",
        "#.##..#.",
        "####...#",
        "........",
        "####.#..",
        "#..#....",
        "#..#....",
        "####....",
    )
    cleaned = clean_mask(mask, minimum_area_px=3, fill_holes_px=3)
    expected = mask_of(
        "####....",
        "####....",
        "####....",
        "........",
        "####....",
        "#..#....",
        "#..#....",
        "####....",
    )
    np.testing.assert_array_equal(cleaned, expected)
    kept = clean_mask(mask, minimum_area_px=2, fill_holes_px=4)
    assert kept[1, 6]
    assert kept[2, 7]
    assert kept[5:7, 1:3].all()
    four = clean_mask(mask, minimum_area_px=2, fill_holes_px=0, connectivity=4)
    assert not four[1, 6]
    assert not four[2, 7]


def test_a_filled_ring_counts_with_its_hole():
    ring = np.pad(mask_of("###", "#.#", "###"), 1)
    assert clean_mask(ring, minimum_area_px=9, fill_holes_px=1).sum() == 9
    assert not clean_mask(ring, minimum_area_px=9, fill_holes_px=0).any()


def test_a_gap_at_the_edge_is_no_hole():
    bay = mask_of("#.#", "###")
    np.testing.assert_array_equal(clean_mask(bay, minimum_area_px=0, fill_holes_px=99), bay)


def test_a_hole_closed_only_by_corners_is_a_hole():
    diamond = np.pad(mask_of(".#.", "#.#", ".#."), 1)
    assert clean_mask(diamond, minimum_area_px=0, fill_holes_px=1)[2, 2]
    assert not clean_mask(diamond, minimum_area_px=0, fill_holes_px=1, connectivity=4)[2, 2]


@settings(max_examples=100, deadline=None)
@given(masks, st.data())
def test_cleaning_never_finds_anything_without_data(mask, data):
    valid = data.draw(arrays(np.bool_, mask.shape))
    least, most = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
    cleaned = clean_mask(mask, minimum_area_px=least, fill_holes_px=most, valid=valid)
    assert not (cleaned & ~valid).any()
    again = clean_mask(cleaned, minimum_area_px=least, fill_holes_px=0)
    np.testing.assert_array_equal(again, cleaned)
    assert (polygons(cleaned, grid_of(mask.shape, "pixels"))["area_px"] >= least).all()


def test_cleaning_leaves_its_input_alone():
    mask = mask_of("#.", "..")
    clean_mask(mask, minimum_area_px=5, fill_holes_px=5)
    assert mask.sum() == 1
