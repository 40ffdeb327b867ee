"""The valley that ships: its files lie on one grid, are small, and hold what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize

from core.catalog.samples import FOLDER, Sample, sample, samples
from core.errors import InputError


@pytest.fixture(scope="module")
def after() -> Sample:
    return sample("valley-after")


@pytest.fixture(scope="module")
def inventory(after: Sample) -> gpd.GeoDataFrame:
    assert after.reference is not None
    return gpd.read_file(after.reference)


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_every_sample_ships_with_all_its_files() -> None:
    for item in samples():
        assert sample(item.id) is item
        assert all(path.is_file() for path in item.files)


def test_every_sample_says_that_it_is_synthetic_and_free() -> None:
    for item in samples():
        assert item.synthetic
        assert "synthetic" in item.title
        assert item.licence == "CC0-1.0"


def test_samples_stay_under_seven_and_a_half_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("valley_*.*")) < 7_500_000


def test_before_and_after_and_elevation_share_one_grid(after: Sample) -> None:
    grids = set()
    for path in (after.path, sample(after.before).path, after.dem):
        assert path is not None
        with rasterio.open(path) as dataset:
            grids.add((dataset.shape, dataset.transform, dataset.crs.to_epsg()))
    assert len(grids) == 1
    shape, transform, epsg = grids.pop()
    assert shape == (512, 768)
    assert (transform.a, transform.e, epsg) == (10.0, -10.0, 32632)


def test_images_hold_four_named_bands_of_reflectance(after: Sample) -> None:
    for item in (after, sample(after.before)):
        with rasterio.open(item.path) as dataset:
            assert dataset.descriptions == ("red", "green", "blue", "near infrared")
            assert set(dataset.dtypes) == {"uint16"}
            assert dataset.nodata == 0
            values = dataset.read()
        assert 2 <= values.min() <= values.max() <= 10_000


def test_vegetation_is_brighter_in_near_infrared_than_in_red(after: Sample) -> None:
    red, _, _, infrared = read(sample(after.before).path).astype(float)
    assert np.mean(infrared > 2 * red) > 0.7


def test_inventory_lies_in_the_image_and_states_its_areas(after: Sample, inventory: gpd.GeoDataFrame) -> None:
    with rasterio.open(after.path) as dataset:
        west, south, east, north = dataset.bounds
    assert inventory.crs.to_epsg() == 32632
    assert list(inventory.columns) == ["id", "type", "area_m2", "trigger", "geometry"]
    assert inventory.geometry.is_valid.all()
    assert inventory.id.is_unique
    assert set(inventory.trigger) == {"synthetic"}
    assert np.allclose(inventory.area, inventory.area_m2, atol=0.1)
    low_x, low_y, high_x, high_y = inventory.total_bounds
    assert west < low_x < high_x < east
    assert south < low_y < high_y < north


def test_sizes_can_be_fitted_but_some_are_too_small_to_map(inventory: gpd.GeoDataFrame) -> None:
    assert 60 <= len(inventory) <= 90
    assert (inventory.area_m2 >= 1_000).sum() >= 50
    assert (inventory.area_m2 < 1_000).sum() >= 3


def test_landslides_lie_on_steep_slopes(after: Sample, inventory: gpd.GeoDataFrame) -> None:
    assert after.dem is not None
    with rasterio.open(after.dem) as dataset:
        elevation, transform = dataset.read(1), dataset.transform
    down, across = np.gradient(elevation, 10.0)
    slope = np.degrees(np.arctan(np.hypot(down, across)))
    inside = rasterize(inventory.geometry, out_shape=elevation.shape, transform=transform).astype(bool)
    assert np.median(slope[inside]) > np.median(slope[~inside])
    assert np.median(slope[inside]) > 25.0


def test_the_event_bared_the_ground_where_the_inventory_says(
    after: Sample, inventory: gpd.GeoDataFrame
) -> None:
    now, then = (read(path).astype(float) for path in (after.path, sample(after.before).path))
    with rasterio.open(after.path) as dataset:
        transform = dataset.transform
    inside = rasterize(inventory.geometry, out_shape=now.shape[1:], transform=transform).astype(bool)
    greenness_lost = [(b[3] - b[0]) / (b[3] + b[0]) for b in (then, now)]
    change = greenness_lost[0] - greenness_lost[1]
    assert np.median(change[inside]) > 0.3
    assert abs(np.median(change[~inside])) < 0.1


def test_unknown_sample_is_named_in_the_message() -> None:
    with pytest.raises(InputError, match="nowhere.*valley-after"):
        sample("nowhere")
