"""Factors of an area on one grid: what comes in another system, cell size, extent or with gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.scene import Scene
from core.tasks.susceptibility.area import Area, AreaPlan, GivenFactor, WrittenFactors, write_factors
from core.tasks.susceptibility.factors import Factors
from core.tasks.susceptibility.guess import guess_factors
from tests.factories import NORTH_UP
from tests.tasks.susceptibility.areas import GRID, raster, steps

ONE = AreaPlan(terrain=(), given=(GivenFactor("step", 0),))


def written(area: Area, folder: Path) -> tuple[np.ndarray, WrittenFactors]:
    told = write_factors(area, folder / "factors.tif")
    scene = Scene.ours(folder / "factors.tif")
    with scene.reader() as reader:
        values = reader.read(tuple(range(1, len(scene.bands) + 1)), Window(0, 0, scene.grid.width, scene.grid.height))
    return values.values, told


def test_a_plane_has_its_slope_and_aspect_and_flat_ground_faces_nowhere(tmp_path: Path) -> None:
    rise = 1000 + steps() * 10  # 10 m up on 10 m towards the east: 45°, facing west
    rise[:, :20] = rise[:, 20:21]
    dem = raster(tmp_path, "dem", rise)
    plan = AreaPlan(terrain=("elevation", "slope", "aspect"))

    area = Area.of(plan, dem, ())
    values, told = written(area, tmp_path)

    assert area.grid == dem.grid
    assert plan.kinds == Factors(("elevation", "slope"), (), ("aspect",))
    assert values[1, 20, 40] == pytest.approx(np.degrees(np.arctan(0.9996)), abs=1e-3)  # ground is longer than UTM says
    assert values[2, 20, 40] == pytest.approx(270.0)
    assert values[1, 20, 10] == 0
    assert values[2, 20, 10] == -1
    assert np.isnan(values[1, 0]).all()
    assert told.complete == pytest.approx(38 * 58 / (40 * 60))


def test_a_coarse_raster_of_classes_in_degrees_is_brought_to_the_grid_and_told_of(tmp_path: Path) -> None:
    dem = raster(tmp_path, "dem", 1000 + steps() * 3)
    # 500,000 east in zone 33 is 15° east; classes change there after 300 m.
    classes = np.repeat(np.array([[1, 2]], np.uint8), 4, axis=0)
    rock = raster(tmp_path, "rock", classes, Affine(0.00395, 0, 14.99999, 0, -0.01, 46.96), CRS.from_epsg(4326))
    plan = AreaPlan(terrain=("slope",), given=(GivenFactor("rock", 0, "category"),))

    area = Area.of(plan, dem, (rock,))
    values, told = written(area, tmp_path)

    known = values[1][np.isfinite(values[1])]
    assert set(known.tolist()) == {1.0, 2.0}
    assert plan.kinds.classes == ("rock",)
    text = " ".join(one.text() for one in told.reports)
    assert "rock (rock): resampled (nearest)" in text
    assert "reprojected from EPSG:4326 to EPSG:32633" in text


def test_half_overlapping_rasters_leave_their_common_part(tmp_path: Path) -> None:
    left = raster(tmp_path, "left", steps())
    right = raster(tmp_path, "right", steps(), NORTH_UP @ Affine.translation(30, 0))
    plan = AreaPlan(terrain=(), given=(GivenFactor("left", 0), GivenFactor("right", 1)))

    area = Area.of(plan, None, (left, right))

    assert area.grid.shape == (40, 30)
    values, _ = written(area, tmp_path)
    assert values[:, 0, 0].tolist() == [30.0, 0.0]


def test_undeclared_fills_are_unknown_and_counted(tmp_path: Path) -> None:
    holes = steps()
    holes[:4] = -9999
    values, told = written(Area.of(ONE, None, (raster(tmp_path, "step", holes),)), tmp_path)

    assert np.isnan(values[0, :4]).all()
    assert told.notes == (
        "10.0 % of step (step) is -9999, which usually stands for no data: treated as unknown.",
    )


def test_a_slope_in_per_cent_is_told_of(tmp_path: Path) -> None:
    plan = AreaPlan(terrain=(), given=(GivenFactor("slope", 0),))
    _, told = written(Area.of(plan, None, (raster(tmp_path, "slope", steps() * 2),)), tmp_path)

    # Of sixty columns those from the 46th on are above 90.
    assert told.notes[0].startswith(
        "slope (slope) is steeper than 90° in 23.3 % of the grid, so it is probably in per cent"
    )


@pytest.mark.parametrize(
    ("plan", "match"),
    [
        (AreaPlan(terrain=()), "No factor was chosen"),
        (AreaPlan(terrain=("slope",)), "need an elevation model"),
        (AreaPlan(terrain=(), given=(GivenFactor("a b", 0),)), "is not a valid name"),
        (AreaPlan(terrain=(), given=(GivenFactor("a", 0), GivenFactor("a", 0))), "Two factors are named 'a'"),
        (AreaPlan(terrain=(), given=(GivenFactor("a", 1),)), "raster of factor a is missing"),
        (AreaPlan(terrain=(), given=(GivenFactor("landslide", 0),)), "cannot be named 'landslide'"),
    ],
)
def test_plans_that_cannot_be_carried_out_are_refused(plan: AreaPlan, match: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match):
        Area.of(plan, None, (raster(tmp_path, "step", steps()),))


def test_rasters_elsewhere_without_place_or_of_nothing_are_refused(tmp_path: Path) -> None:
    here = raster(tmp_path, "step", steps())
    far = raster(tmp_path, "far", steps(), NORTH_UP @ Affine.translation(900, 0))
    with pytest.raises(GridError, match="no area in common"):
        Area.of(AreaPlan((), given=(GivenFactor("a", 0), GivenFactor("b", 1))), None, (here, far))
    with pytest.raises(GridError, match="no coordinate system"):
        Area.of(ONE, None, (raster(tmp_path, "lost", steps(), Affine.identity(), None),))
    nothing = raster(tmp_path, "nothing", np.full(GRID.shape, np.nan, np.float32))
    with pytest.raises(InputError, match=r"No cell has values for all factors.*step.*100 %"):
        write_factors(Area.of(ONE, None, (nothing,)), tmp_path / "factors.tif")


def test_degrees_are_projected_to_the_local_zone(tmp_path: Path) -> None:
    dem = raster(tmp_path, "dem", 500 + steps(), Affine(1e-4, 0, -79.1, 0, -1e-4, -3.9), CRS.from_epsg(4326))

    area = Area.of(AreaPlan(terrain=("elevation",)), dem, ())

    assert area.grid.crs == CRS.from_epsg(32717)
    assert abs(area.grid.transform.a) == pytest.approx(11.1, abs=0.2)


def test_bands_are_guessed_to_be_factors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rock = raster(tmp_path, "Rock type (1:50k)", rng.integers(1, 5, GRID.shape).astype(np.float32))
    aspect = raster(tmp_path, "aspect", rng.uniform(0, 360, GRID.shape).astype(np.float32))
    rain = raster(tmp_path, "rain 2020", rng.uniform(0, 3000, GRID.shape).astype(np.float32))

    assert guess_factors(rock, 0) == (GivenFactor("rock_type", 0, "category", 1),)
    assert guess_factors(aspect, 1, ("aspect",)) == (GivenFactor("aspect_2", 1, "aspect", 1),)
    assert guess_factors(rain, 2) == (GivenFactor("rain_2020", 2, "continuous", 1),)
