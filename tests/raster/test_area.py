"""The pixels of a drawn area."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from core.errors import GridError, InputError
from core.raster.area import area_of, box_area, file_area, size_of, window_of
from core.raster.grid import Grid
from core.raster.windows import Region
from tests.factories import PLACEMENTS


def grid_of(placement: str, width: int = 40, height: int = 30) -> Grid:
    return Grid(width, height, *PLACEMENTS[placement])


def drawn(grid: Grid, columns: tuple[float, float], rows: tuple[float, float]) -> dict[str, object]:
    """A rectangle of pixels as a browser draws it: in degrees, or in pixels without a coordinate system."""
    corners = [(c, r) for c, r in ((columns[0], rows[0]), (columns[1], rows[0]), (columns[1], rows[1]),
                                   (columns[0], rows[1]), (columns[0], rows[0]))]  # fmt: skip
    outline = {"type": "Polygon", "coordinates": [[tuple(grid.transform @ corner) for corner in corners]]}
    return outline if grid.crs is None else transform_geom(grid.crs, "EPSG:4326", outline)


def pixels(grid: Grid, outline: dict[str, object]) -> np.ndarray:
    """The area as a mask of the whole grid."""
    area = area_of(grid, outline)
    mask = np.zeros(grid.shape, dtype=bool)
    region = area.region
    assert area.inside is not None
    mask[region.row : region.end_row, region.column : region.end_column] = area.inside(region)
    return mask


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_pixels_whose_centres_lie_inside_belong_to_it_however_the_scene_lies(placement: str) -> None:
    grid = grid_of(placement)
    expected = np.zeros(grid.shape, dtype=bool)
    expected[7:19, 5:13] = True

    # Edges at 0.3 of a pixel: columns 5 to 12 and rows 7 to 18 have their centres between them.
    assert np.array_equal(pixels(grid, drawn(grid, (5.3, 13.3), (6.7, 18.7))), expected)


def test_an_area_that_reaches_past_the_scene_is_cut_at_its_edges() -> None:
    grid = grid_of("north-up")

    area = area_of(grid, drawn(grid, (-100, 9.9), (-100, 500)))

    assert area.region == Region(0, 0, 30, 10)
    assert pixels(grid, drawn(grid, (-100, 9.9), (-100, 500))).sum() == 300


def test_a_hole_is_not_inside() -> None:
    grid = grid_of("without CRS")
    ring = shapely.box(5, 5, 15, 15).difference(shapely.box(8, 8, 12, 12))

    assert pixels(grid, shapely.geometry.mapping(ring)).sum() == 100 - 16


def test_a_line_that_crosses_itself_encloses_both_its_loops() -> None:
    bow = {"type": "Polygon", "coordinates": [[(0, 0), (20, 20), (20, 0), (0, 20), (0, 0)]]}

    assert pixels(grid_of("without CRS"), bow).sum() == pytest.approx(200, abs=25)


@pytest.mark.parametrize("placement", ["north-up", "without CRS"])
def test_an_area_outside_the_scene_is_refused(placement: str) -> None:
    grid = grid_of(placement)

    with pytest.raises(GridError, match="outside the image"):
        area_of(grid, drawn(grid, (50, 60), (0, 10)))


def test_an_area_on_the_other_side_of_the_globe_is_refused() -> None:
    far = shapely.geometry.mapping(shapely.box(-170, -60, -160, -50))

    with pytest.raises(GridError, match="outside the image"):
        area_of(grid_of("north-up"), far)


def test_an_area_that_holds_no_pixels_centre_is_refused() -> None:
    grid = grid_of("north-up")

    with pytest.raises(GridError, match="no pixel"):
        area_of(grid, drawn(grid, (5.1, 5.3), (6.1, 6.3)))


@pytest.mark.parametrize(
    "outline",
    [
        {},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[(0, 0), (1, 1)]]},
        {"type": "Polygon", "coordinates": "here"},
        {"type": "Circle", "coordinates": [0, 0]},
        {"type": "LineString", "coordinates": [(0, 0), (9, 9)]},
        {"type": "Point", "coordinates": (3, 3)},
        {"type": "Polygon", "coordinates": [[(0, 0), (float("nan"), 1), (5, 5), (0, 0)]]},
    ],
)
@pytest.mark.parametrize("placement", ["north-up", "without CRS"])
def test_what_is_no_polygon_is_refused(outline: dict[str, object], placement: str) -> None:
    with pytest.raises(InputError):
        area_of(grid_of(placement), outline)


def test_a_region_is_a_window_of_rows_and_columns() -> None:
    window = window_of(Region(row=1, column=2, height=3, width=4))

    assert (window.col_off, window.row_off, window.width, window.height) == (2, 1, 4, 3)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_size_of_an_area_is_that_of_its_pixels_on_the_image(placement: str) -> None:
    grid = grid_of(placement)

    ground, share = size_of(grid, drawn(grid, (-10, 20), (15, 100)))

    # Half of the columns, half of the rows; a projected pixel is 10 m wide, to the scale of UTM's central meridian.
    assert share == pytest.approx(0.25, rel=1e-3)
    sizes = {"without CRS": 300.0, "geographic": 300 * 11.12 * 7.61}
    assert ground == pytest.approx(sizes.get(placement, 300 * 100), rel=5e-3)


def test_a_box_in_degrees_is_that_part_of_the_image() -> None:
    grid = grid_of("geographic")  # from 15° E and 47° N on, pixels of 1e-4°

    mask = pixels(grid, box_area(grid, 15.0005, 46.998, 15.0010, 46.999))

    expected = np.zeros(grid.shape, dtype=bool)
    expected[10:20, 5:10] = True
    assert np.array_equal(mask, expected)


def test_a_side_of_a_box_follows_its_parallel() -> None:
    # 400 km of UTM at 47° N: the parallel bends by more than a kilometre against the straight line.
    grid = Grid(400, 400, Affine(1000, 0, 300_000, 0, -1000, 5_400_000), CRS.from_epsg(32632))
    mask = pixels(grid, box_area(grid, 6.0, 47.0, 12.0, 49.0))

    rows, columns = np.nonzero(mask)
    xs, ys = grid.transform @ (columns + 0.5, rows + 0.5)
    from pyproj import Transformer

    _, latitudes = Transformer.from_crs(32632, 4326, always_xy=True).transform(xs, ys)
    assert latitudes.min() == pytest.approx(47.0, abs=0.01)
    for column in (60, 200, 380):
        assert latitudes[columns == column].min() == pytest.approx(47.0, abs=0.01)


@pytest.mark.parametrize("left", [179.5, -180.5])
def test_a_box_across_the_antimeridian_lies_where_the_image_counts(left: float) -> None:
    grid = Grid(100, 10, Affine(0.01, 0, left, 0, -0.01, 0.1), CRS.from_epsg(4326))

    mask = pixels(grid, box_area(grid, 179.8, 0.0, -179.9, 0.1))

    assert mask.all(axis=0).nonzero()[0].tolist() == list(range(30, 60))


def test_a_box_of_an_image_without_crs_counts_columns_and_rows() -> None:
    grid = grid_of("without CRS")

    assert pixels(grid, box_area(grid, 5, 2, 10, 6)).sum() == 5 * 4
    assert pixels(grid, box_area(grid, 5, 6, 10, 2)).sum() == 5 * 4, "whichever row is named first"
    assert pixels(grid_of("without CRS", 900, 30), box_area(grid, 100, 0, 600, 10)).sum() == 500 * 10, "not degrees"


@pytest.mark.parametrize("box", [(8, 40, 8, 41), (8, 41, 9, 40), (float("nan"), 0, 1, 1), (0, 80, 1, 95)])
def test_a_box_that_encloses_nothing_or_lies_off_the_globe_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="is empty|beyond the poles"):
        box_area(grid_of("north-up"), *box)


def write_area(path: Path, grid: Grid, geometry: dict[str, object]) -> Path:
    crs = {"crs": None} if grid.crs is None else {}
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", **crs, "features": [feature]}))
    return path


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_polygons_of_a_file_are_an_area(tmp_path: Path, placement: str) -> None:
    grid = grid_of(placement)
    outline = drawn(grid, (5.3, 13.3), (6.7, 18.7))

    area = file_area(grid, write_area(tmp_path / "area.geojson", grid, outline))

    assert np.array_equal(pixels(grid, area), pixels(grid, outline))


def test_a_file_without_a_polygon_or_with_another_kind_of_place_is_no_area(tmp_path: Path) -> None:
    grid = grid_of("geographic")
    with pytest.raises(InputError, match="holds no polygon"):
        file_area(grid, write_area(tmp_path / "point.geojson", grid, {"type": "Point", "coordinates": [15, 47]}))
    outline = write_area(tmp_path / "area.geojson", grid, drawn(grid, (5, 13), (6, 18)))
    with pytest.raises(GridError, match="no coordinate system"):
        file_area(grid_of("without CRS"), outline)
