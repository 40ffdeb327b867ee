"""The pixels of a drawn area."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from rasterio.warp import transform_geom

from core.errors import GridError, InputError
from core.raster.area import area_of, window_of
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
