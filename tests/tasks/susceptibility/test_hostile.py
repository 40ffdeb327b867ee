"""Areas, inventories and configurations as nobody should give them: refused in words, or counted rightly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine

from core.cli.main import main
from core.errors import InputError, LandslideError
from core.raster.scene import Scene
from core.tasks.susceptibility.area import Area, AreaPlan, GivenFactor, write_factors
from core.tasks.susceptibility.at_risk import _pieces
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.landslides import InventoryPlan, Landslides, buffer_cells, landslides_of
from core.tasks.susceptibility.map_config import read_config
from core.tasks.susceptibility.run_applied import _other_cells
from core.tasks.susceptibility.run_map import MapRequest, _spread
from core.tasks.susceptibility.sampling import SamplingPlan, draw, frame_of
from core.tasks.susceptibility.validate import Plan
from tests.tasks.susceptibility.areas import GRID, at, inventory, raster, square, steps


def _placed(
    folder: Path, shapes: list[shapely.Geometry], plan: InventoryPlan | None = None, **columns: list[int]
) -> Landslides:
    return landslides_of(inventory(folder, shapes, **columns), "vector", plan or InventoryPlan(), GRID, "slides.gpkg")


def test_of_a_landslide_over_the_edge_the_part_on_the_grid_counts(tmp_path: Path) -> None:
    """Columns -10 to 4 by rows 5 to 9: its centre is beside the grid, 4 by 4 cells of it are not."""
    over = shapely.Polygon([at(-10, 5), at(4, 5), at(4, 9), at(-10, 9)])
    slides = _placed(tmp_path, [over, square(20, 20, 3)])
    assert slides.count == 2
    assert slides.mask(0, 40).sum() == 16 + 9
    assert slides.mask(5, 9)[:, :4].all()
    assert any("only the part on the grid was used" in note for note in slides.notes)
    cells, number = slides.cells("centroid")
    assert [divmod(int(one), 60) for one in cells] == [(7, 2), (21, 21)]
    assert list(number) == [0, 1]


def test_a_landslide_that_touches_the_edge_from_outside_is_left_out(tmp_path: Path) -> None:
    slides = _placed(tmp_path, [square(-5, 3, 5), square(20, 20, 3)])
    assert slides.count == 1
    assert slides.mask(0, 40).sum() == 9


def test_small_landslides_are_told_to_count(tmp_path: Path) -> None:
    slides = _placed(tmp_path, [square(5.1, 5.1, 0.2)])
    assert slides.mask(0, 40)[5, 5]
    told = "1 landslide of slides.gpkg smaller than a cell; each is represented by the cell that contains it."
    assert told in slides.notes


def test_a_place_without_a_landslide_is_not_in_one(tmp_path: Path) -> None:
    """Of three places said to be free, one lies in an outline, away from its centre."""
    shapes = [square(10, 10, 8), square(11, 11, 1), square(30, 30, 1), square(40, 30, 1)]
    slides = _placed(tmp_path, shapes, InventoryPlan(label="slide"), slide=[1, 0, 0, 0])
    scene = Scene.ours(raster(tmp_path, "step", steps()).path)
    area = Area.of(AreaPlan((), given=(GivenFactor("step"),)), None, [scene])
    write_factors(area, tmp_path / "factors.tif")
    sample = draw(
        Scene.ours(tmp_path / "factors.tif"), slides, slides.cells("centroid"), SamplingPlan(), Factors(("step",))
    )
    free = [divmod(int(one), 60) for one in sample.cells[~sample.landslide]]
    assert free == [(30, 30), (30, 40)]


def test_usual_fills_are_no_class_and_told_of_once(tmp_path: Path) -> None:
    values = steps().astype(np.int16) // 20
    values[:4] = -9999
    area = Area.of(AreaPlan((), given=(GivenFactor("rock", 0, "category"),)), None, [raster(tmp_path, "rock", values)])
    written = write_factors(area, tmp_path / "factors.tif")
    assert written.complete == pytest.approx(0.9)
    told = [one for one in (*area.notes, *written.notes) if "-9999" in one]
    assert told == ["10.0 % of rock (rock) is -9999, which usually stands for no data: treated as unknown."]


def test_classes_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    values = steps().astype(np.int32) + 2**24
    area = Area.of(AreaPlan((), given=(GivenFactor("rock", 0, "category"),)), None, [raster(tmp_path, "rock", values)])
    with pytest.raises(InputError, match="Renumber the classes"):
        write_factors(area, tmp_path / "factors.tif")


def test_the_two_zeros_are_one_class() -> None:
    frames = [frame_of(np.array([[one]], np.float32), ("rock",), Factors((), ("rock",))) for one in (0.0, -0.0)]
    assert [one["rock"].tolist() for one in frames] == [["0"], ["0"]]


def test_a_band_of_the_elevation_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LandslideError, match="Band 7 is not in dem"):
        Area.of(AreaPlan(("slope",), dem_band=7), raster(tmp_path, "dem", steps()), [])


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (MapRequest(sampling=SamplingPlan(seed=-1)), "seed for the sampling"),
        (MapRequest(plan=Plan(seed=2**32)), "seed for the validation"),
        (MapRequest(plan=replace(Plan(), repeats=10**8)), "100,000,000, is out of range"),
        (MapRequest(plan=replace(Plan(), repeats=0)), "number of repeats, 0, is out"),
    ],
)
def test_numbers_out_of_range_are_refused(request_: MapRequest, said: str) -> None:
    with pytest.raises(InputError, match=said):
        request_.check()


@pytest.mark.parametrize(
    "text",
    [
        "a=" + "[" * 20_000 + "]" * 20_000,
        "[plan]\nrepeats=" + "9" * 5_000,
        '[data]\ndem="a\\u0000b"',
        '[data]\nfactors=[""]',
        "[sampling]\nbuffer=nan",
        "[area]\ncell=inf",
    ],
)
def test_configurations_that_cannot_be_read_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(InputError):
        read_config(path)


@pytest.mark.parametrize(
    ("plan", "said"),
    [(InventoryPlan(x="x", y="x"), "given for both coordinates"), (InventoryPlan(x="t", y="x"), "numeric coordinates")],
)
def test_tables_without_places_are_told_of(tmp_path: Path, plan: InventoryPlan, said: str) -> None:
    path = tmp_path / "slides.csv"
    path.write_text("x,t\n500000,a\n500010,b\n")
    with pytest.raises(InputError, match=said):
        landslides_of(path, "table", plan, GRID, path.name)


def test_equal_values_are_spread_evenly() -> None:
    """Each of four equals lies in a quarter of its own, two others in a half each."""
    place = _spread(np.array([1.0, 2.0, 1.0, 1.0, 2.0, 1.0]), np.random.default_rng(0))
    assert sorted(np.floor(place[[0, 2, 3, 5]] * 4)) == [0, 1, 2, 3]
    assert sorted(np.floor(place[[1, 4]] * 2)) == [0, 1]


def test_another_size_of_cells_is_told_of() -> None:
    assert _other_cells(GRID, GRID) == ()
    wide = replace(GRID, transform=GRID.transform @ Affine.scale(3))
    (note,) = _other_cells(GRID, wide)
    assert note.startswith("The cell size is 30.0 m here, but 10.0 m in")


def test_a_landslide_thinner_than_a_cell_is_on_the_map(tmp_path: Path) -> None:
    """Ten cells long between the centres of two rows: it covers none, and counts as the cell at its middle."""
    thin = shapely.Polygon([at(5, 7.6), at(15.5, 7.6), at(15.5, 7.9), at(5, 7.9)])
    slides = _placed(tmp_path, [thin])
    assert np.argwhere(slides.mask(0, 40)).tolist() == [[7, 10]]


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--model", "svm"], "'svm' cannot be shown"), (["--elements", "roads.gpkg"], "no file roads.gpkg")],
)
def test_what_cannot_be_shown_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    (tmp_path / "map.toml").write_text('[data]\ndem="a.tif"\ninventory="a.gpkg"')
    command = ["susceptibility", "train", str(tmp_path / "map.toml"), "--no-store", "--out", str(tmp_path / "out")]
    assert main([*command, *options]) == 2
    assert said in capsys.readouterr().err


def test_a_hole_in_an_area_adds_no_line_between() -> None:
    """A square around a hole: places lie on its two outlines, 4 × 20 and 4 × 4 long, and one inside."""
    ring = shapely.box(10, 10, 30, 30).difference(shapely.box(18, 18, 22, 22))
    places, of, _ = _pieces(np.array([ring]), "areas", GRID)
    assert len(places) == 2 * (80 + 16) + 1
    assert not of.any()
    assert (shapely.distance(ring.boundary, shapely.points(places[:-1])) < 1e-9).all()


def test_lengths_are_true_where_cells_are_no_squares() -> None:
    """Cells of 10 by 5 m: ten of them across are 100 m, ten down 50 m."""
    flat = replace(GRID, transform=GRID.transform @ Affine.scale(1, 0.5))
    across, down = (np.array([shapely.LineString([(5, 5), end])]) for end in ((15, 5), (5, 15)))
    assert [float(_pieces(one, "lines", flat)[2].sum()) for one in (across, down)] == pytest.approx([100, 50], rel=1e-3)
    assert buffer_cells(50, flat) in (10, 11)
