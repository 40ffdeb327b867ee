"""The velocity map that ships: what a radar satellite sees of ground that moves, and what it does not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize

from core.catalog.areas import sample_area
from core.catalog.samples import FOLDER, Sample, sample


@pytest.fixture(scope="module")
def valley() -> Iterator[Any]:
    """The module that simulates velocities; the scripts of the samples lie outside of the packages."""
    sys.path.insert(0, str(FOLDER))
    try:
        from valley import velocity

        yield velocity
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def shipped() -> Sample:
    return sample("valley-velocity")


def test_the_line_of_sight_is_a_unit_vector_to_the_satellite(valley: Any) -> None:
    for sight in (valley.Sight(38.0, -12.0), valley.Sight(33.0, 192.0)):
        assert np.hypot.reduce(sight.towards) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("heading", "east", "north", "up", "sign"),
    [
        (-12.0, 0.0, 0.0, -1.0, -1),  # sinking ground moves away, from whichever side it is seen
        (192.0, 0.0, 0.0, -1.0, -1),
        (-12.0, 1.0, 0.0, 0.0, -1),  # ascending, looking right: the satellite stands in the west
        (192.0, 1.0, 0.0, 0.0, 1),
    ],
)
def test_velocity_is_negative_away_from_the_satellite(
    valley: Any, heading: float, east: float, north: float, up: float, sign: int
) -> None:
    assert np.sign(valley.Sight(38.0, heading).along(*map(np.array, (east, north, up)))) == sign


def test_movement_to_the_north_hardly_shows(valley: Any) -> None:
    sight = valley.Sight(38.0, -12.0)
    one, none = np.array(1.0), np.array(0.0)
    # sin 12° sin 38° of it
    assert abs(sight.along(none, one, none)) == pytest.approx(0.128, abs=1e-3)
    assert abs(sight.along(one, none, none)) == pytest.approx(0.602, abs=1e-3)


def test_phase_noise_is_that_of_rodriguez_and_martin(valley: Any) -> None:
    assert valley.phase_deviation(np.array(1.0)) == 0.0
    assert valley.phase_deviation(np.array(0.5), looks=1) == pytest.approx(np.sqrt(1.5))
    assert valley.phase_deviation(np.array(0.6), looks=8) == pytest.approx(1.0 / 3.0)


def plane(degrees: float) -> np.ndarray:
    """A slope in the middle of flat ground that rises to the east, in pixels of 10 m."""
    columns = np.arange(60.0)
    profile = np.clip(columns - 20.0, 0.0, 20.0) * 10.0 * np.tan(np.radians(degrees))
    return np.repeat(profile[None], 40, axis=0)


@pytest.mark.parametrize(("degrees", "expected"), [(0.0, False), (30.0, False), (45.0, True)])
def test_slopes_towards_the_satellite_steeper_than_the_incidence_lie_over(
    valley: Any, degrees: float, expected: bool
) -> None:
    sight = valley.Sight(38.0, 0.0)  # looks due east, from the west, where the slope faces
    assert bool(valley.hidden(plane(degrees), sight)[20, 30]) is expected


@pytest.mark.parametrize(("degrees", "expected"), [(45.0, False), (60.0, True)])
def test_slopes_away_from_the_satellite_steeper_than_its_height_are_in_shadow(
    valley: Any, degrees: float, expected: bool
) -> None:
    sight = valley.Sight(38.0, 180.0)  # looks due west, from the east: it stands 52° high
    assert bool(valley.hidden(plane(degrees), sight)[20, 30]) is expected


def test_downhill_is_against_the_rise_and_along_the_ground(valley: Any) -> None:
    rising_east = 10.0 * np.arange(40.0)[None] * np.tan(np.radians(30.0)) + np.zeros((40, 1))
    east, north, up = (part[20, 20] for part in valley.downhill(rising_east, smoothing=1.0))
    assert (east, north, up) == pytest.approx((-np.cos(np.pi / 6), 0.0, -0.5), abs=1e-6)


def test_the_map_is_one_signed_band_with_gaps_on_the_grid_of_the_valley(shipped: Sample) -> None:
    with rasterio.open(shipped.path) as dataset, rasterio.open(sample("valley-after").path) as image:
        assert (dataset.shape, dataset.transform, dataset.crs) == (image.shape, image.transform, image.crs)
        assert (dataset.count, dataset.dtypes[0], dataset.nodata) == (1, "float32", -9999.0)
        assert dataset.descriptions == ("velocity",)
        assert "ynthetic" in dataset.tags()["NOTE"]
        values = dataset.read(1)
    seen = values[values != -9999.0]
    assert 0.4 < seen.size / values.size < 0.7
    assert -250 < seen.min() < -40
    assert 40 < seen.max() < 250


def test_stable_ground_stands_still_and_the_moving_areas_move(shipped: Sample) -> None:
    assert shipped.reference is not None
    areas = gpd.read_file(shipped.reference)
    with rasterio.open(shipped.path) as dataset:
        values, transform = dataset.read(1), dataset.transform
    number = rasterize(zip(areas.geometry, areas.id, strict=True), out_shape=values.shape, transform=transform)
    seen = values != -9999.0
    assert abs(np.median(values[seen & (number == 0)])) < 0.5
    assert np.percentile(np.abs(values[seen & (number == 0)]), 90) < 10.0
    moves = 0
    for area in areas.itertuples():
        inside = values[seen & (number == area.id)]
        assert inside.size / (number == area.id).sum() == pytest.approx(area.observed, abs=0.06)
        moves += np.percentile(np.abs(inside), 90) > 10.0
    assert moves >= 0.9 * len(areas)


def test_the_reference_says_that_it_is_synthetic_and_how_fast_it_moves(shipped: Sample) -> None:
    assert shipped.reference is not None
    areas = gpd.read_file(shipped.reference)
    assert list(areas.columns) == ["id", "type", "area_m2", "speed", "los", "observed", "origin", "geometry"]
    assert set(areas.origin) == {"synthetic"}
    assert (areas.los.abs() <= areas.speed * 1.3).all()
    assert len(areas) == 22
    assert "22 slow-moving" in shipped.shows


@pytest.mark.slow
def test_the_same_seed_gives_the_rasters_that_ship(valley: Any, shipped: Sample, tmp_path: Path) -> None:
    import make_factors
    import make_valley

    built = make_valley.build(make_valley.SEED)
    for name in ("valley_before.tif", "valley_dem.tif"):
        shutil.copy(FOLDER / name, tmp_path)
    make_valley.write_survey(built, make_valley.SEED, tmp_path)
    make_factors.write_factors(built, tmp_path)
    factors = [layer.path for layer in sample_area("valley").layers if layer.role == "factor"]
    for path in (shipped.path, *factors):
        with rasterio.open(tmp_path / path.name) as made, rasterio.open(path) as known:
            np.testing.assert_array_equal(made.read(), known.read())
