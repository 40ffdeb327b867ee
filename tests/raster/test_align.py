"""Truth and other scenes land on the right pixels of the scene, from any file and coordinate system."""

import json
import zipfile

import geopandas
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rasterio.crs import CRS
from rasterio.windows import Window
from shapely import MultiPolygon, Point, Polygon, box

from core.errors import BandError, GridError, InputError, UnsafeFileError
from core.raster import inventory
from core.raster.align import reference_reader, scene_on_grid
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.vectorize import polygons
from core.tasks.detection.labels import reference_boxes

UTM = CRS.from_epsg(32633)
WGS84 = CRS.from_epsg(4326)
CORNER = Affine.translation(500_000, 5_000_000)
GRID = Grid(9, 6, CORNER * Affine.scale(10, -10), UTM)
LAYOUTS = {
    "north-up": GRID.transform,
    "south-up": CORNER * Affine.scale(10, 10),
    "rotated": CORNER * Affine.rotation(25) * Affine.scale(10, -10),
}
PIXELS = Grid(9, 6, Affine.identity(), None)
WHOLE = Window(0, 0, 9, 6)


def asymmetric():
    """A mask that no swap or flip of rows and columns leaves alone."""
    mask = np.zeros((6, 9), dtype=np.uint8)
    mask[0, 1:8] = 1
    mask[1:4, 1] = 1
    mask[4, 7] = 1
    return mask


def write(path, array, grid=GRID, **more):
    array = np.atleast_3d(array.T).T if array.ndim == 2 else array
    profile = {"driver": "GTiff", "count": len(array), "dtype": array.dtype.name}
    profile |= {"height": array.shape[1], "width": array.shape[2]}
    if grid.crs is not None:
        profile |= {"crs": grid.crs, "transform": grid.transform}
    with rasterio.open(path, "w", **profile | more) as file:
        file.write(array)
    return path


def outlines(mask, grid=GRID):
    return polygons(mask.astype(bool), grid)


@pytest.mark.parametrize("landslide", [1, 255, 7])
def test_a_mask_on_the_same_grid_is_read_as_it_is(tmp_path, landslide):
    path = write(tmp_path / "mask.tif", asymmetric() * np.uint8(landslide))
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), asymmetric())


def test_classes_other_than_zero_are_all_landslide(tmp_path):
    classes = asymmetric() * np.arange(1, 10, dtype=np.uint8)
    path = write(tmp_path / "classes.tif", classes)
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), asymmetric())


@pytest.mark.parametrize("kind", ["gpkg", "geojson", "zip", "tif"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("crs", [32633, 4326, 3857, 32632])
def test_rows_and_columns_keep_their_order_from_any_file_and_crs(tmp_path, kind, layout, crs):
    grid = Grid(9, 6, LAYOUTS[layout], UTM)
    path = tmp_path / f"truth.{kind}"
    if kind == "tif":
        # Twenty times finer pixels than the scene's, over a wider area, in the other coordinate system.
        wide = outlines(asymmetric(), grid).to_crs(crs)
        left, bottom, right, top = wide.total_bounds
        step = max(right - left, top - bottom) / 180
        fine = Grid(
            400, 400, Affine(step, 0, left - 100 * step, 0, -step, top + 100 * step), CRS.from_epsg(crs)
        )
        burnt = rasterio.features.rasterize(
            wide.geometry, fine.shape, transform=fine.transform, dtype="uint8"
        )
        write(path, burnt, fine)
    else:
        save(outlines(asymmetric(), grid).to_crs(crs), path, tmp_path)
    np.testing.assert_array_equal(reference_reader(path, grid).read(WHOLE), asymmetric())


def save(frame, path, folder):
    if path.suffix == ".zip":
        frame.to_file(folder / "shape.shp")
        with zipfile.ZipFile(path, "w") as archive:
            for part in folder.glob("shape.*"):
                archive.write(part, part.name)
    elif path.suffix == ".geojson":
        path.write_text(frame.to_json(to_wgs84=True) if frame.crs else json.dumps(frame.__geo_interface__))
    else:
        frame.to_file(path, driver="GPKG")
    return path


@pytest.mark.parametrize("kind", ["tif", "gpkg"])
def test_windows_together_are_the_whole(tmp_path, kind):
    path = tmp_path / f"truth.{kind}"
    if kind == "tif":
        write(path, asymmetric(), Grid(9, 6, GRID.transform, UTM))
        grid = Grid(9, 6, GRID.transform * Affine.translation(0.25, 0.25), UTM)
    else:
        grid = GRID
        save(outlines(asymmetric()), path, tmp_path)
    reference = reference_reader(path, grid)
    whole = reference.read(WHOLE)
    for row in range(0, 6, 2):
        for column in range(0, 9, 3):
            part = reference.read(Window(column, row, 3, 2))
            np.testing.assert_array_equal(part, whole[row : row + 2, column : column + 3])
    np.testing.assert_array_equal(whole, asymmetric())


def test_nodata_outside_and_transparent_pixels_are_unknown(tmp_path):
    mask = asymmetric()
    mask[5, 0] = 9
    path = write(tmp_path / "mask.tif", mask, nodata=9)
    expected = asymmetric()
    expected[5, 0] = 255
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), expected)
    shifted = Grid(9, 6, GRID.transform * Affine.translation(2, 1), UTM)
    moved = np.full((6, 9), 255, dtype=np.uint8)
    moved[:5, :7] = expected[1:, 2:]
    np.testing.assert_array_equal(reference_reader(path, shifted).read(WHOLE), moved)

    see_through = np.full((6, 9), 255, dtype=np.uint8)
    see_through[2, 3] = 0
    both = write(tmp_path / "alpha.tif", np.stack([asymmetric(), see_through]), alpha="YES")
    expected = asymmetric()
    expected[2, 3] = 255
    np.testing.assert_array_equal(reference_reader(both, GRID).read(WHOLE), expected)
    moved[:5, :7] = expected[1:, 2:]
    np.testing.assert_array_equal(reference_reader(both, shifted).read(WHOLE), moved)


def test_nodata_zero_means_no_landslide_but_outside_stays_unknown(tmp_path):
    path = write(tmp_path / "mask.tif", asymmetric(), nodata=0)
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), asymmetric())
    shifted = Grid(9, 6, GRID.transform * Affine.translation(2, 1), UTM)
    moved = np.full((6, 9), 255, dtype=np.uint8)
    moved[:5, :7] = asymmetric()[1:, 2:]
    np.testing.assert_array_equal(reference_reader(path, shifted).read(WHOLE), moved)


def test_nan_in_a_floating_mask_is_unknown(tmp_path):
    mask = asymmetric().astype(np.float32)
    mask[3, 3] = np.nan
    path = write(tmp_path / "mask.tif", mask)
    assert reference_reader(path, GRID).read(WHOLE)[3, 3] == 255
    assert reference_reader(path, GRID).read(Window(1, 0, 7, 1)).tolist() == [[1] * 7]


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P"])
def test_png_masks_of_every_mode(tmp_path, mode):
    path = tmp_path / "mask.png"
    Image.fromarray(asymmetric() * 255).convert(mode).save(path)
    np.testing.assert_array_equal(reference_reader(path, PIXELS).read(WHOLE), asymmetric())
    # Pixel by pixel also on a georeferenced scene of the same size.
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), asymmetric())


def test_the_fuzz_around_a_jpeg_mask_is_no_landslide(tmp_path):
    large = np.kron(asymmetric(), np.ones((13, 13), dtype=np.uint8))
    path = tmp_path / "mask.jpg"
    Image.fromarray(large * 255).save(path, quality=60)
    fuzzy = np.asarray(Image.open(path))
    assert (fuzzy[large == 0] > 0).any()
    grid = Grid(117, 78, Affine.identity(), None)
    np.testing.assert_array_equal(reference_reader(path, grid).read(Window(0, 0, 117, 78)), large)


@pytest.mark.parametrize("size", [(6, 8), (9, 6), (12, 18)])
def test_without_coordinates_another_size_is_refused(tmp_path, size):
    path = write(tmp_path / "mask.tif", np.zeros(size, dtype=np.uint8), PIXELS)
    for grid in (PIXELS, GRID):
        with pytest.raises(GridError, match=r"9 by 6.*same size"):
            reference_reader(path, grid)


def test_polygons_without_crs_belong_to_scenes_without(tmp_path):
    path = save(outlines(asymmetric(), PIXELS), tmp_path / "pixels.gpkg", tmp_path)
    np.testing.assert_array_equal(reference_reader(path, PIXELS).read(WHOLE), asymmetric())
    with pytest.raises(GridError, match="pixels.gpkg has no coordinate system"):
        reference_reader(path, GRID)
    placed = save(outlines(asymmetric()), tmp_path / "placed.gpkg", tmp_path)
    with pytest.raises(GridError, match="image has no coordinate system"):
        reference_reader(placed, PIXELS)


def test_geojson_that_names_no_crs_is_in_longitude_and_latitude(tmp_path):
    document = json.loads(outlines(asymmetric()).to_crs(4326).to_json())
    document.pop("crs", None)
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(document))
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), asymmetric())


@pytest.mark.parametrize("kind", ["gpkg", "tif"])
@pytest.mark.parametrize("crs", [32633, 4326])
def test_truth_of_another_place_is_refused(tmp_path, kind, crs):
    far = Grid(9, 6, GRID.transform * Affine.translation(9, 0), UTM)
    path = tmp_path / f"far.{kind}"
    if kind == "tif":
        left, top = pyproj.Transformer.from_crs(32633, crs, always_xy=True).transform(502_000, 5_000_000)
        step = 10 if crs == 32633 else 1e-4
        write(path, asymmetric(), Grid(9, 6, Affine(step, 0, left, 0, -step, top), CRS.from_epsg(crs)))
    else:
        save(outlines(asymmetric(), far).to_crs(crs), path, tmp_path)
    with pytest.raises(GridError, match="does not overlap"):
        reference_reader(path, GRID)


def test_an_inventory_around_the_scene_with_no_landslide_in_it_is_all_zero(tmp_path):
    west, east = box(499_000, 4_999_900, 499_100, 5_000_000), box(501_000, 4_999_900, 501_100, 5_000_000)
    frame = geopandas.GeoDataFrame(geometry=[west, east], crs=32633)
    path = save(frame, tmp_path / "around.gpkg", tmp_path)
    assert not reference_reader(path, GRID).read(WHOLE).any()


def test_only_polygons_count_with_holes_and_parts_and_heights(tmp_path):
    x, y = 500_000, 5_000_000
    ring = Polygon(
        box(x, y - 60, x + 50, y).exterior.coords, [box(x + 10, y - 40, x + 40, y - 10).exterior.coords]
    )
    parts = MultiPolygon([box(x + 70, y - 10, x + 80, y), box(x + 80, y - 60, x + 90, y - 50)])
    raised = shapely.force_3d(parts, 7.0)
    frame = geopandas.GeoDataFrame(geometry=[ring, raised, Point(x + 65, y - 5), None], crs=32633)
    path = tmp_path / "mixed.geojson"
    path.write_text(frame[:3].to_json(to_wgs84=True))
    expected = np.zeros((6, 9), dtype=np.uint8)
    expected[:, :5] = 1
    expected[1:4, 1:4] = 0
    expected[0, 7] = expected[5, 8] = 1
    np.testing.assert_array_equal(reference_reader(path, GRID).read(WHOLE), expected)
    path.write_text(frame[2:3].to_json(to_wgs84=True))
    with pytest.raises(InputError, match="no polygons"):
        reference_reader(path, GRID)


def test_what_is_neither_image_nor_inventory_is_refused(tmp_path):
    path = tmp_path / "truth.tif"
    path.write_text("<VRTDataset rasterXSize='9' rasterYSize='6'/>")
    with pytest.raises(UnsafeFileError):
        reference_reader(path, GRID)


@pytest.mark.parametrize(
    "window", [Window(-1, 0, 3, 3), Window(8, 0, 3, 3), Window(0, 5, 2, 2), Window(0, 0, 0, 1)]
)
@pytest.mark.parametrize("kind", ["tif", "gpkg", "shifted"])
def test_windows_past_the_edge_are_refused(tmp_path, window, kind):
    path = tmp_path / f"truth.{'gpkg' if kind == 'gpkg' else 'tif'}"
    if kind == "gpkg":
        save(outlines(asymmetric()), path, tmp_path)
    else:
        write(path, asymmetric())
    grid = Grid(9, 6, GRID.transform * Affine.translation(1, 1), UTM) if kind == "shifted" else GRID
    with pytest.raises(GridError):
        reference_reader(path, grid).read(window)


def ramp(grid):
    """Values that are linear in the coordinates, so that any interpolation must keep them."""
    rows, columns = np.mgrid[: grid.height, : grid.width] + 0.5
    x, y = grid.transform * (columns, rows)
    return ((x - 500_000) * 0.5 + (y - 5_000_000) * 0.25).astype(np.float32)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_plane_stays_a_plane_on_another_grid(tmp_path, layout):
    source = Grid(60, 60, CORNER * Affine.translation(-200, 300) * Affine.scale(12, -12), UTM)
    scene = Scene.open(write(tmp_path / "dem.tif", ramp(source), source))
    grid = Grid(9, 6, LAYOUTS[layout], UTM)
    with scene_on_grid(scene, grid, bands=(1,), resampling="bilinear") as reader:
        patch = reader.read(Window(2, 1, 5, 4))
    assert patch.values.shape == (1, 4, 5)
    assert patch.valid.all()
    # GDAL widens the kernel on a rotated grid: a twentieth of the 6 m from pixel to pixel is lost.
    atol = 0.3 if layout == "rotated" else 1e-3
    np.testing.assert_allclose(patch.values[0], ramp(grid)[1:5, 2:7], atol=atol)


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "average"])
@pytest.mark.parametrize("how", ["nodata", "nan", "undeclared nan", "mask", "alpha", "both"])
def test_nodata_never_enters_the_values(tmp_path, how, resampling):
    source = Grid(20, 20, CORNER * Affine.translation(-50, 50) * Affine.scale(8, -8), UTM)
    values = np.full((2, 20, 20), 500, dtype=np.float32)
    gap = np.zeros((20, 20), dtype=bool)
    gap[6:12, 8:15] = True
    values[1, gap] = np.nan if "nan" in how else -9999
    more = {"nodata": -9999} if how in ("nodata", "both") else {"nodata": np.nan} if how == "nan" else {}
    if how == "alpha":
        values = np.concatenate([values, np.where(gap, 0, 1)[None].astype(np.float32)])
    path = tmp_path / "scene.tif"
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        write(path, values, source, **more)
        with rasterio.open(path, "r+") as file:
            if how == "mask":
                file.write_mask(~gap)
            if how == "both":
                outer = np.ones((20, 20), dtype=bool)
                outer[:9] = False
                file.write_mask(outer)
            if how == "alpha":
                file.colorinterp = [*file.colorinterp[:2], rasterio.enums.ColorInterp.alpha]
    scene = Scene.open(path)
    shifted = Grid(9, 6, CORNER * Affine.translation(3, -3) * Affine.scale(10, -10), UTM)
    with scene_on_grid(scene, shifted, bands=(1, 2), resampling=resampling) as reader:
        patch = reader.read(WHOLE)
    rows, columns = np.mgrid[:6, :9]
    nearest = (
        np.floor((rows * 10 + 5 + 53) / 8).astype(int),
        np.floor((columns * 10 + 5 + 53) / 8).astype(int),
    )
    expected = ~gap[nearest]
    if how == "both":
        expected &= nearest[0] >= 9
    np.testing.assert_allclose(patch.values[:, patch.valid], 500)
    np.testing.assert_array_equal(patch.valid, expected)


def test_outside_the_other_scene_there_is_no_data(tmp_path):
    source = Grid(4, 6, GRID.transform, UTM)
    scene = Scene.open(write(tmp_path / "part.tif", np.full((6, 4), 3, dtype=np.uint8), source))
    with scene_on_grid(scene, GRID, bands=(1,)) as reader:
        valid = reader.read(WHOLE).valid
    np.testing.assert_array_equal(valid, np.arange(9)[None, :].repeat(6, 0) < 4)


def test_scenes_meet_only_when_both_have_coordinates_or_neither(tmp_path):
    placed = Scene.open(write(tmp_path / "placed.tif", asymmetric()))
    plain = Scene.open(write(tmp_path / "plain.tif", asymmetric(), PIXELS))
    with scene_on_grid(plain, PIXELS, bands=(1,)) as reader:
        np.testing.assert_array_equal(reader.read(WHOLE).values[0], asymmetric())
    for scene, grid in ((placed, PIXELS), (plain, GRID), (plain, Grid(8, 6, Affine.identity(), None))):
        with pytest.raises(GridError), scene_on_grid(scene, grid, bands=(1,)):
            pass
    with pytest.raises(BandError), scene_on_grid(placed, GRID, bands=(2,)):
        pass


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(sorted(LAYOUTS)),
    st.integers(-4, 4),
    st.integers(-4, 4),
)
def test_a_shift_by_whole_pixels_only_moves_the_mask(tmp_path_factory, seed, layout, right, down):
    mask = (np.random.default_rng(seed).random((6, 9)) < 0.4).astype(np.uint8)
    grid = Grid(9, 6, LAYOUTS[layout], UTM)
    path = write(tmp_path_factory.mktemp("shift") / "mask.tif", mask, grid)
    shifted = Grid(9, 6, LAYOUTS[layout] * Affine.translation(right, down), UTM)
    expected = np.full((6 + 8, 9 + 8), 255, dtype=np.uint8)
    expected[4:10, 4:13] = mask
    expected = expected[4 + down : 10 + down, 4 + right : 13 + right]
    np.testing.assert_array_equal(reference_reader(path, shifted).read(WHOLE), expected)


@pytest.mark.parametrize("holes", [True, False])
def test_a_polygon_of_many_corners_is_drawn_by_windows_as_it_is_as_a_whole(tmp_path, monkeypatch, holes):
    """Large ones are cut to the window, since burning goes through every corner."""
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    reach = 30 + 8 * np.sin(7 * turn)
    outline = np.column_stack([45 + reach * np.cos(turn), 38 + reach * np.sin(turn)])
    inner = [box(x, y, x + 3.5, y + 2.5).exterior.coords for x in range(30, 60, 7) for y in range(25, 50, 6)]
    path = tmp_path / "inventory.gpkg"
    geopandas.GeoDataFrame(geometry=[Polygon(outline, inner if holes else [])]).to_file(path)
    grid = Grid(90, 80, Affine.identity(), None)
    whole = reference_reader(path, grid).read(Window(0, 0, 90, 80))

    monkeypatch.setattr(inventory, "LARGE", 10)
    reader, windows = reference_reader(path, grid), np.zeros((80, 90), np.uint8)
    for row in range(0, 80, 16):
        for column in range(0, 90, 30):
            windows[row : row + 16, column : column + 30] = reader.read(Window(column, row, 30, 16))

    np.testing.assert_array_equal(windows, whole)
    assert 0 < whole.sum() < whole.size


@pytest.mark.parametrize("far", [1e308, 1e18])
def test_a_corner_without_a_place_takes_no_other_polygon_with_it(tmp_path, far):
    endless = Polygon([(0, 0), (far, 0), (far, far), (-far, far)])
    path = tmp_path / "inventory.gpkg"
    geopandas.GeoDataFrame(geometry=[box(10, 10, 20, 20), endless]).to_file(path)
    grid = Grid(90, 80, Affine.identity(), None)

    found = reference_reader(path, grid).read(Window(0, 0, 90, 80))

    assert found[10:20, 10:20].all()
    assert found.sum() == 100
    assert reference_boxes(path, grid).corners.tolist() == [[10, 10, 20, 20]]
