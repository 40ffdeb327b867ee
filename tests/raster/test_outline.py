"""Outlining in strips gives exactly what outlining at once gives, wherever the borders of the strips lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from core.errors import InputError
from core.raster import outline as module
from core.raster.grid import Grid
from core.raster.outline import outline_strips
from core.raster.polygon_stitching import corners
from core.raster.strip_labelling import Strip
from core.raster.vectorize import clean_mask, polygons
from tests.factories import PLACEMENTS

# Three levels: no landslide, landslide, no data; whole rows of one level join strips often.
fields = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.sampled_from([3, 200, 255]))


def grid_of(shape: tuple[int, ...], place: str = "north-up") -> Grid:
    return Grid(shape[1], shape[0], *PLACEMENTS[place])


def in_strips(codes: NDArray[np.uint8], rows: int) -> Callable[[], Iterator[Strip]]:
    def strips() -> Iterator[Strip]:
        for top in range(0, len(codes), rows):
            part = codes[top : top + rows]
            valid = part != 255
            yield Strip(top, len(codes), valid & (part >= 127), valid, part)

    return strips


def at_once(codes: NDArray[np.uint8], grid: Grid, least: int, holes: int) -> GeoDataFrame:
    valid = codes != 255
    mask = clean_mask(valid & (codes >= 127), minimum_area_px=least, fill_holes_px=holes, valid=valid)
    return polygons(mask, grid, codes).rename(columns={"mean_probability": "mean_code"})


def assert_same(found: GeoDataFrame, wanted: GeoDataFrame) -> None:
    assert list(found.columns) == list(wanted.columns)
    assert found.geometry.to_wkb().tolist() == wanted.geometry.to_wkb().tolist()
    for name in found.columns.drop("geometry"):
        np.testing.assert_array_equal(found[name], wanted[name])
    assert found.crs == wanted.crs


@settings(max_examples=80, deadline=None)
@given(fields, st.integers(1, 5), st.integers(0, 6), st.integers(0, 9), st.sampled_from(sorted(PLACEMENTS)))
def test_strips_of_any_height_give_the_polygons_of_the_whole(
    codes: NDArray[np.uint8], rows: int, least: int, holes: int, place: str
) -> None:
    grid = grid_of(codes.shape, place)

    found = outline_strips(in_strips(codes, rows), grid, minimum_area_px=least, fill_holes_px=holes)

    assert_same(found, at_once(codes, grid, least, holes))


@pytest.mark.parametrize("rows", [1, 7, 16, 64])
@pytest.mark.parametrize("density", [0.35, 0.5, 0.65])
def test_noise_with_patches_across_many_strips(rows: int, density: float) -> None:
    random = np.random.default_rng(7)
    codes = np.where(random.random((90, 120)) < density, random.integers(127, 255, (90, 120)), 10).astype(np.uint8)
    codes[random.random(codes.shape) < 0.01] = 255
    grid = grid_of(codes.shape, "geographic")

    found = outline_strips(in_strips(codes, rows), grid, minimum_area_px=3, fill_holes_px=4)

    assert_same(found, at_once(codes, grid, 3, 4))


def test_a_ring_across_borders_has_its_hole_filled_or_not_as_a_whole() -> None:
    codes = np.full((12, 12), 10, dtype=np.uint8)
    codes[2:10, 2:10] = 200
    codes[3:9, 3:9] = 20  # a hole of 36 pixels in five strips of two rows
    grid = grid_of(codes.shape, "without CRS")

    kept = outline_strips(in_strips(codes, 2), grid, minimum_area_px=0, fill_holes_px=35)
    closed = outline_strips(in_strips(codes, 2), grid, minimum_area_px=0, fill_holes_px=36)

    assert kept["area_px"].tolist() == [28]
    assert kept.geometry[0].wkt == "POLYGON ((2 2, 10 2, 10 10, 2 10, 2 2), (3 3, 3 9, 9 9, 9 3, 3 3))"
    assert closed["area_px"].tolist() == [64]
    assert len(closed.geometry[0].exterior.coords) == 5
    # 28 pixels of 200, 36 of 20.
    assert closed["mean_code"].tolist() == [(28 * 200 + 36 * 20) / 64]


def test_a_pixel_without_data_far_below_keeps_a_hole_open() -> None:
    codes = np.full((12, 5), 200, dtype=np.uint8)
    codes[1:11, 2] = 20
    codes[10, 2] = 255
    grid = grid_of(codes.shape, "without CRS")

    found = outline_strips(in_strips(codes, 3), grid, minimum_area_px=0, fill_holes_px=99)

    assert found["area_px"].tolist() == [50]


@pytest.mark.parametrize("place", ["north-up", "rotated", "geographic"])
@pytest.mark.parametrize("rows", [1, 4, 30])
def test_terrain_is_measured_across_borders(place: str, rows: int) -> None:
    random = np.random.default_rng(3)
    codes = np.where(random.random((25, 30)) < 0.45, 200, 10).astype(np.uint8)
    dem = random.normal(500, 30, codes.shape).astype(np.float32)
    dem[10:13, 4:9] = np.nan
    grid = grid_of(codes.shape, place)
    mask = codes > 100

    found = outline_strips(
        in_strips(codes, rows), grid, minimum_area_px=0, fill_holes_px=0, elevation=lambda top, end: dem[top:end]
    )

    wanted = polygons(mask, grid, codes, dem).rename(columns={"mean_probability": "mean_code"})
    terrain = ["slope_mean_deg", "relief_m", "aspect_deg"]
    for name in terrain:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-4)
    assert_same(found.drop(columns=terrain), wanted.drop(columns=terrain))


def test_nothing_found_gives_an_empty_table_with_all_columns() -> None:
    codes = np.zeros((9, 4), dtype=np.uint8)
    grid = grid_of(codes.shape)

    found = outline_strips(in_strips(codes, 2), grid, minimum_area_px=1, fill_holes_px=5)

    assert_same(found, at_once(codes, grid, 1, 5))
    assert len(found) == 0


def test_more_than_can_be_held_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.zeros((8, 8), dtype=np.uint8)
    codes[::2, ::2] = 200
    grid = grid_of(codes.shape)
    monkeypatch.setattr(module, "MOST_POLYGONS", 15)
    with pytest.raises(InputError, match="more than 15 landslides"):
        outline_strips(in_strips(codes, 3), grid, minimum_area_px=0, fill_holes_px=0)
    monkeypatch.setattr(module, "MOST_CORNERS", 63)
    with pytest.raises(InputError, match="corners"):
        outline_strips(in_strips(codes, 3), grid, minimum_area_px=0, fill_holes_px=0)


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=10)))
def test_corners_are_counted_before_they_are_traced(mask: NDArray[np.bool_]) -> None:
    import shapely

    outlines = polygons(mask, grid_of(mask.shape, "without CRS")).geometry.to_numpy()
    rings = shapely.get_rings(shapely.get_parts(outlines))
    # Where two pixels touch at a corner two rings, or one ring twice, turn there.
    padded = np.pad(mask, 1)
    one, two, three, four = padded[:-1, :-1], padded[1:, 1:], padded[:-1, 1:], padded[1:, :-1]
    diagonal = np.count_nonzero((one == two) & (three == four) & (one != three))
    assert corners(mask) + diagonal == shapely.get_num_coordinates(rings).sum() - len(rings)
