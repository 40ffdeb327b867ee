"""Rasters on one grid: what the values must be is worked out by hand."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import BandError, GridError, InputError
from core.raster import resample
from core.raster.grid import Grid
from core.raster.resample import Kind
from core.raster.scene import Scene
from core.raster.stack import Layer, Stack, StackPatch, stack_grid
from tests.factories import NORTH_UP, UTM, write_raster

WGS84 = CRS.from_epsg(4326)
Make = Callable[..., Layer]


@pytest.fixture
def layer(tmp_path: Path) -> Make:
    """Return what makes a layer of an array on a transform."""

    def make(
        values: Any, transform: Affine = NORTH_UP, crs: CRS | None = UTM, role: str = "one", kind: Kind = "continuous",
        **profile: Any,
    ) -> Layer:  # fmt: skip
        import rasterio

        array = np.atleast_3d(np.asarray(values).T).T
        path = tmp_path / f"{role}.tif"
        profile = {"nodata": np.nan if array.dtype.kind == "f" else None, **profile}
        count, height, width = array.shape
        with rasterio.open(
            path, "w", driver="GTiff", width=width, height=height, count=count, dtype=array.dtype, crs=crs,
            transform=transform, **profile,
        ) as file:  # fmt: skip
            file.write(array)
        return Layer(role, Scene.open(path), kind)

    return make


def whole(stack: Stack) -> StackPatch:
    with stack.open() as reader:
        return reader.read(Window(0, 0, stack.grid.width, stack.grid.height))


def centres(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = np.mgrid[: grid.height, : grid.width] + 0.5
    t = grid.transform
    return t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f


def plane(grid: Grid) -> NDArray[np.float64]:
    """A tilted plane: 3 up for each 100 m east, 2 down for each 100 m north."""
    x, y = centres(grid)
    return 100 + 0.03 * (x - 500_000) - 0.02 * (y - 5_200_000)


def on_plane(make: Make, transform: Affine, size: tuple[int, int], role: str = "plane") -> Layer:
    height, width = size
    return make(plane(Grid(width, height, transform, UTM)), transform, role=role)


# Values


@pytest.mark.parametrize("cell", [10.0, 4.0, 7.5, 20.0, 30.0, 25.0], ids=lambda cell: f"{cell:g} m")
@pytest.mark.parametrize(
    "source",
    [
        NORTH_UP,
        Affine(10, 0, 500_000, 0, 10, 5_199_000),
        Affine.translation(500_000, 5_199_700) @ Affine.rotation(30) @ Affine.scale(10, -10),
    ],
    ids=["north-up", "south-up", "rotated"],
)
def test_a_tilted_plane_stays_that_plane_however_it_lies(layer: Make, source: Affine, cell: float) -> None:
    one = on_plane(layer, source, (100, 120))
    bounds = one.scene.grid.bounds
    middle = (bounds[0] + bounds[2]) / 2 - 300 + 1.7, (bounds[1] + bounds[3]) / 2 + 200 - 2.3
    grid = Grid(int(500 / cell), int(400 / cell), Affine(cell, 0, middle[0], 0, -cell, middle[1]), UTM)

    patch = whole(Stack([one], grid))

    assert patch.complete.all()
    np.testing.assert_allclose(patch.values[0], plane(grid), rtol=0, atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True], ids=["into degrees", "out of degrees"])
def test_a_tilted_plane_is_found_in_another_coordinate_system(layer: Make, reverse: bool) -> None:
    degrees = Grid(120, 100, Affine(1e-4, 0, 15.001, 0, -1e-4, 46.951), WGS84)
    metres = Grid(180, 220, Affine(10, 0, 499_900, 0, -10, 5_200_300), UTM)
    source, wanted = (degrees, metres) if reverse else (metres, degrees)
    x, y = centres(source)
    one = layer(0.03 * (x - x.mean()) - 0.02 * (y - y.mean()), source.transform, source.crs)

    patch = whole(Stack([one], wanted))

    to_source = pyproj.Transformer.from_crs(wanted.crs, source.crs, always_xy=True)
    at_x, at_y = to_source.transform(*centres(wanted))
    expected = 0.03 * (at_x - x.mean()) - 0.02 * (at_y - y.mean())
    # At its edge a raster knows one side only.
    side = abs(source.transform.a)
    inside = (abs(at_x - x.mean()) < np.ptp(x) / 2 - side) & (abs(at_y - y.mean()) < np.ptp(y) / 2 - side)
    assert inside.mean() > 0.2
    assert patch.valid[0][inside].all()
    # A thousandth of a pixel of the source.
    slope = 0.05 * source.transform.a
    np.testing.assert_allclose(patch.values[0][inside], expected[inside], rtol=0, atol=1e-3 * slope)


def test_an_area_is_the_mean_of_its_pixels(layer: Make) -> None:
    values = np.random.default_rng(1).normal(size=(60, 90))
    one = layer(values)

    patch = whole(Stack([one], Grid(30, 20, NORTH_UP @ Affine.scale(3), UTM)))

    np.testing.assert_allclose(patch.values[0], values.reshape(20, 3, 30, 3).mean(axis=(1, 3)), atol=1e-6)


def test_between_pixels_values_are_interpolated(layer: Make) -> None:
    one = layer(np.array([[0.0, 8.0], [4.0, 12.0]]))
    # A pixel of a quarter's side whose centre lies a quarter of the way between the four.
    grid = Grid(1, 1, Affine(2, 0, 500_006.5, 0, -2, 5_200_000 - 6.5), UTM)

    patch = whole(Stack([one], grid))

    assert patch.values[0, 0, 0] == pytest.approx(0.25 * 8 + 0.25 * 4)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [((350, 10), 0), ((340, 350), 345), ((80, 100), 90), ((10, 350), 0), ((170, 190), 180), ((0, 0), 0), ((360, 0), 0)],
)
def test_directions_are_averaged_on_the_circle(layer: Make, degrees: tuple[int, int], expected: int) -> None:
    one = layer(np.array([degrees, degrees], dtype=np.float32), kind="aspect")

    coarse = whole(Stack([one], Grid(1, 1, NORTH_UP @ Affine.scale(2), UTM)))
    between = whole(Stack([one], Grid(1, 1, Affine(4, 0, 500_008, 0, -4, 5_199_992), UTM)))

    for patch in (coarse, between):
        found = float(patch.values[0, 0, 0])
        assert 0 <= found < 360
        assert abs((found - expected + 180) % 360 - 180) < 1e-4


def test_directions_that_cancel_out_and_values_that_are_none_are_unknown(layer: Make) -> None:
    opposite = layer(np.array([[90, 270], [90, 270]], np.int16), kind="aspect", role="opposite")
    flat = layer(np.array([[-1, 20], [361, -9999]], np.int16), kind="aspect", role="flat")

    coarse = whole(Stack([opposite], Grid(1, 1, NORTH_UP @ Affine.scale(2), UTM)))
    same = whole(Stack([flat], flat.scene.grid))

    assert not coarse.valid.any()
    assert np.isnan(coarse.values).all()
    assert same.valid[0].tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("cell", [3.0, 10.0, 14.0, 35.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_classes_are_never_mixed(layer: Make, cell: float, dtype: type[np.generic]) -> None:
    classes = np.random.default_rng(2).choice([1, 7, 200], (50, 60)).astype(dtype)
    if dtype is np.int32:
        classes = (classes + 2**24).astype(dtype)  # more than single precision can tell apart
    one = layer(classes, kind="category")
    grid = Grid(int(550 / cell), int(450 / cell), Affine(cell, 0, 500_003, 0, -cell, 5_199_994), UTM)

    patch = whole(Stack([one], grid))

    x, y = centres(grid)
    expected = classes[((5_200_000 - y) // 10).astype(int), ((x - 500_000) // 10).astype(int)]
    assert patch.complete.all()
    np.testing.assert_array_equal(patch.values[0], expected)


# What is unknown


def test_unknown_pixels_stay_unknown_and_take_no_part(layer: Make) -> None:
    values = np.full((20, 20), 5.0)
    values[5:10, 5:10] = np.nan
    one = layer(values)
    grid = Grid(40, 40, NORTH_UP @ Affine.scale(0.5), UTM)

    patch = whole(Stack([one], grid))

    np.testing.assert_array_equal(patch.valid[0], np.isfinite(values).repeat(2, 0).repeat(2, 1))
    np.testing.assert_array_equal(patch.values[0][patch.valid[0]], 5.0)
    assert np.isnan(patch.values[0][~patch.valid[0]]).all()


@pytest.mark.parametrize("how", ["nodata", "mask"])
def test_nodata_and_masks_are_minded(tmp_path: Path, layer: Make, how: str) -> None:
    values = np.full((12, 12), 9, np.uint8)
    known = np.ones((12, 12), bool)
    known[:, :4] = False
    if how == "nodata":
        one = layer(np.where(known, values, 0), nodata=0)
    else:
        one = Layer("one", Scene.open(write_raster(tmp_path / "masked.tif", values, mask=known)))

    fine = whole(Stack([one], Grid(24, 24, NORTH_UP @ Affine.scale(0.5), UTM)))
    coarse = whole(Stack([one], Grid(2, 2, NORTH_UP @ Affine.scale(6), UTM)))
    same = whole(Stack([one], one.scene.grid))

    np.testing.assert_array_equal(same.valid[0], known)
    np.testing.assert_array_equal(fine.valid[0], known.repeat(2, 0).repeat(2, 1))
    assert coarse.valid[0].tolist() == [[False, True], [False, True]]  # a third of the first column is known
    for patch in (fine, coarse, same):
        assert set(patch.values[patch.valid]) == {9}


def test_a_mean_needs_half_of_its_area(layer: Make) -> None:
    values = np.array([[1.0, 3.0, np.nan, 7.0], [np.nan, np.nan, np.nan, np.nan]])

    patch = whole(Stack([layer(values)], Grid(2, 1, NORTH_UP @ Affine.scale(2), UTM)))

    assert patch.valid[0].tolist() == [[True, False]]
    assert patch.values[0, 0, 0] == 2


def test_outside_of_a_layer_all_is_unknown(layer: Make) -> None:
    one = layer(np.ones((4, 4)))
    other = layer(np.ones((4, 4)), NORTH_UP @ Affine.translation(2, 0), role="other")

    patch = whole(Stack([one, other], stack_grid([one, other], "union")))

    assert patch.values.shape == (2, 4, 6)
    np.testing.assert_array_equal(patch.valid[0], [[True] * 4 + [False] * 2] * 4)
    np.testing.assert_array_equal(patch.valid[1], [[False] * 2 + [True] * 4] * 4)
    np.testing.assert_array_equal(patch.complete, [[False] * 2 + [True] * 2 + [False] * 2] * 4)


# Windows


@pytest.mark.parametrize("kind", ["continuous", "category", "aspect"])
def test_no_value_depends_on_what_else_is_read(
    layer: Make, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resample, "BLOCK", 16)
    values = np.random.default_rng(3).uniform(0, 359, (90, 80)).astype(np.float32)
    values[20:30, 40:50] = np.nan
    one = layer(values, kind=kind)
    stack = Stack([one], Grid(70, 60, Affine(1.9e-4, 0, 15.0005, 0, -1.3e-4, 46.952), WGS84))
    everything = whole(stack)

    with stack.open() as reader:
        for window in (Window(3, 5, 1, 1), Window(0, 0, 70, 1), Window(15, 15, 18, 20), Window(69, 59, 1, 1)):
            part = reader.read(window)
            rows = slice(window.row_off, window.row_off + window.height)
            columns = slice(window.col_off, window.col_off + window.width)
            np.testing.assert_array_equal(part.values, everything.values[:, rows, columns])
            np.testing.assert_array_equal(part.valid, everything.valid[:, rows, columns])
        with pytest.raises(GridError, match="extends beyond"):
            reader.read(Window(60, 0, 20, 10))


def test_a_block_that_is_too_large_is_divided_and_gives_the_same(layer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).normal(size=(120, 120))
    one = layer(values)
    stack = Stack([one], Grid(24, 24, NORTH_UP @ Affine.scale(5), UTM))
    once = whole(stack)

    monkeypatch.setattr(resample, "MOST_PIXELS", 400)

    np.testing.assert_allclose(whole(stack).values, once.values, rtol=1e-6)
    np.testing.assert_allclose(once.values[0], values.reshape(24, 5, 24, 5).mean(axis=(1, 3)), atol=1e-6)


def test_memory_does_not_grow_with_the_raster(layer: Make) -> None:
    def most(side: int) -> int:
        one = layer(np.zeros((side, side), np.float32), tiled=True, blockxsize=256, blockysize=256, role=f"r{side}")
        stack = Stack([one], Grid(side // 4, side // 4, NORTH_UP @ Affine.scale(4), UTM))
        tracemalloc.start()
        stack.report()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert most(8192) < 1.3 * most(4096)


# The report and the grid


def test_the_report_says_what_was_done_to_each(layer: Make) -> None:
    fine = layer(np.ones((80, 80)), NORTH_UP @ Affine.scale(0.25), role="elevation")
    base = layer(np.ones((20, 20), np.uint8), role="cover", kind="category")
    turned = layer(np.full((30, 40), 90.0), Affine(2e-4, 0, 15, 0, -2e-4, 46.9530), WGS84, "aspect", "aspect")
    holes = layer(np.where(np.eye(20, dtype=bool), np.nan, 1.0), role="rain")
    stack = Stack([fine, base, turned, holes], stack_grid([fine, base, turned, holes], "cover"))

    reports = {report.role: report for report in stack.report()}

    assert {role: report.method for role, report in reports.items()} == {
        "elevation": "mean", "cover": "as it is", "aspect": "circular interpolation", "rain": "as it is",
    }  # fmt: skip
    assert [report.reprojected for report in reports.values()] == [False, False, True, False]
    assert (reports["aspect"].from_crs, reports["aspect"].to_crs) == ("EPSG:4326", "EPSG:32633")
    assert reports["elevation"].from_cell == pytest.approx(2.5, rel=1e-3)
    assert reports["elevation"].to_cell == pytest.approx(10, rel=1e-3)
    assert reports["rain"].unknown == 0.05
    assert reports["elevation"].unknown == 0
    assert reports["elevation"].text() == (
        "elevation (elevation): resampled (mean), from 2.501 m to 10 m, 0.0 % without data."
    )


def test_the_grid_of_a_layer_is_its_very_own(layer: Make) -> None:
    rotated = Affine.translation(500_000, 5_200_000) @ Affine.rotation(30) @ Affine.scale(10, -10)
    one, other = layer(np.ones((8, 9))), layer(np.ones((5, 6)), rotated, role="turned")

    assert stack_grid([one, other], "turned") == other.scene.grid
    assert stack_grid([one, other], "one") == one.scene.grid


def test_grids_of_all_layers_keep_step_with_the_first(layer: Make) -> None:
    one = layer(np.ones((10, 10)))
    other = layer(np.ones((10, 10)), NORTH_UP @ Affine.translation(3.4, -2.7), role="other")

    both, common = stack_grid([one, other], "union"), stack_grid([one, other])

    assert both.transform == Affine(10, 0, 500_000, 0, -10, 5_200_030)
    assert both.shape == (13, 14)
    assert common.transform == Affine(10, 0, 500_030, 0, -10, 5_200_000)
    assert common.shape == (8, 7)
    finer = stack_grid([one, other], "one", cell=2.5)
    assert (finer.transform, finer.shape) == (Affine(2.5, 0, 500_000, 0, -2.5, 5_200_000), (40, 40))


def test_a_grid_in_another_system_covers_the_same_ground(layer: Make) -> None:
    one = layer(np.ones((50, 60)))

    grid = stack_grid([one], "one", crs=WGS84)

    outline = one.scene.grid.to_wgs84_bounds()
    assert outline is not None
    assert grid.crs == WGS84
    assert grid.ground_distance() == pytest.approx(10, rel=0.2)
    west, south, east, north = grid.bounds
    assert np.allclose((west, north), (outline[0], outline[3]), atol=1e-5)
    assert east >= outline[2] - 1e-6
    assert south <= outline[1] + 1e-6


def test_images_without_a_coordinate_system_are_matched_pixel_by_pixel(layer: Make) -> None:
    first = layer(np.arange(12.0).reshape(3, 4), Affine.identity(), None)
    second = layer(np.arange(12.0).reshape(3, 4) * 2, Affine.identity(), None, "second")
    stack = Stack([first, second], stack_grid([first, second]))

    np.testing.assert_array_equal(whole(stack).values[1], 2 * whole(stack).values[0])
    assert [report.method for report in stack.report()] == ["as it is", "as it is"]


def test_stacks_that_make_no_sense_are_refused(layer: Make) -> None:
    one = layer(np.ones((4, 4)))
    far = layer(np.ones((4, 4)), NORTH_UP @ Affine.translation(1000, 0), role="far")
    image = layer(np.ones((4, 4)), Affine.identity(), None, "image")
    small = layer(np.ones((3, 4)), Affine.identity(), None, "small")

    with pytest.raises(GridError, match="no area in common"):
        stack_grid([one, far])
    with pytest.raises(GridError, match="far does not overlap"):
        Stack([one, far], one.scene.grid)
    with pytest.raises(GridError, match="Some rasters of the stack have a coordinate system"):
        stack_grid([one, image])
    with pytest.raises(GridError, match="Only one of the two grids"):
        Stack([one], image.scene.grid)
    with pytest.raises(GridError, match="small has 4 by 3 pixels, the stack 4 by 4"):
        Stack([small], image.scene.grid)
    with pytest.raises(InputError, match="each in a role of its own"):
        Stack([one, one], one.scene.grid)
    with pytest.raises(InputError, match="each in a role of its own"):
        Stack([], one.scene.grid)
    with pytest.raises(BandError, match="Band 2"):
        Stack([Layer("one", one.scene, band=2)], one.scene.grid)
    with pytest.raises(InputError, match="no layer 'two'"):
        stack_grid([one], "two")
    with pytest.raises(GridError, match="exceeds the size limit of a raster"):
        stack_grid([one], "one", cell=1e-4)
