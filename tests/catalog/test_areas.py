"""Areas: the one that ships is whole and synthetic, the others come as they were published."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from core.catalog.areas import fetch_area, open_areas, sample_area, sample_areas
from core.catalog.samples import FOLDER
from core.errors import InputError
from core.raster.scene import Scene
from core.tasks.susceptibility.guess import guess_factors


@pytest.fixture(scope="module")
def factors() -> dict[str, Path]:
    return {layer.name: layer.path for layer in sample_area("valley").layers if layer.role == "factor"}


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def test_the_sample_area_has_all_its_files_and_says_what_it_is() -> None:
    area = sample_area("valley")

    assert area.synthetic
    assert "synthetic" in area.title
    assert [layer.role for layer in area.layers] == ["dem", "inventory", *["factor"] * 5]
    for layer in area.layers:
        if layer.role == "factor":
            (guess,) = guess_factors(Scene.open(layer.path, layer.name), 0)
            assert (guess.name, guess.kind) == (layer.name, layer.kind)
    with pytest.raises(InputError, match="No sample area named 'moon'.*valley"):
        sample_area("moon")
    assert sample_areas()[0] == area


def test_the_sample_factors_are_what_their_names_say() -> None:
    found = {layer.name: layer.path for layer in sample_area("valley").layers if layer.role == "factor"}

    with rasterio.open(found["lithology"]) as file:
        rock = file.read(1)
        assert file.tags()["CLASSES"].startswith("1 granite")
        assert "Synthetic" in file.tags()["NOTE"]
    assert set(np.unique(rock)) == {1, 2, 3, 4, 5}
    with rasterio.open(found["ndvi"]) as file:
        assert -1 <= file.read(1, masked=True).min() < file.read(1, masked=True).max() <= 1
    with rasterio.open(found["rainfall"]) as file:
        assert file.res == (100.0, 100.0)
        assert file.units == ("mm/year",)
    with rasterio.open(found["road_distance"]) as file:
        assert file.read(1).min() == 0


def test_cover_lies_where_the_image_and_the_terrain_have_it(factors: dict[str, Path]) -> None:
    cover = read(factors["land_cover"])
    rock = read(factors["lithology"])
    index = read(factors["ndvi"])
    with rasterio.open(FOLDER / "valley_dem.tif") as dataset:
        down, across = np.gradient(dataset.read(1), 10.0)
    slope = np.degrees(np.arctan(np.hypot(down, across)))
    water, forest, bare = (np.median(index[cover == number]) for number in (7, 1, 6))
    assert water < 0.1 < bare < 0.4 < 0.7 < forest
    assert np.median(slope[rock == 5]) < 8.0 < 20.0 < np.median(slope[np.isin(rock, (1, 2, 3))])


def test_the_vegetation_index_is_that_of_the_image_before_the_event(factors: dict[str, Path]) -> None:
    index = read(factors["ndvi"])
    with rasterio.open(FOLDER / "valley_before.tif") as dataset:
        red, infrared = dataset.read([1, 4]).astype(float)
    # in steps of 1/128
    assert np.abs(index * (infrared + red) - (infrared - red)).max() <= (infrared + red).max() / 256 + 1e-6
    assert np.abs(index - (infrared - red) / (infrared + red)).max() <= 1 / 256 + 1e-6


def test_the_distance_is_that_to_the_roads_that_ship(factors: dict[str, Path]) -> None:
    with rasterio.open(factors["road_distance"]) as dataset:
        metres, transform, units = dataset.read(1).astype(float), dataset.transform, dataset.units
    roads = gpd.read_file(FOLDER / "valley_roads.gpkg")
    assert (roads.crs.to_epsg(), set(roads.geom_type), set(roads.origin)) == (32632, {"LineString"}, {"synthetic"})
    rows, cols = np.random.default_rng(1).integers(0, metres.shape, (200, 2)).T
    x, y = transform @ (cols + 0.5, rows + 0.5)
    exact = shapely.distance(shapely.points(x, y), roads.union_all())
    # whole metres, of points along the lines that are a metre apart
    assert np.abs(metres[rows, cols] - exact).max() <= 1.0
    assert units == ("m",)


def test_rain_grows_with_elevation(factors: dict[str, Path]) -> None:
    rain = read(factors["rainfall"])
    with rasterio.open(FOLDER / "valley_dem.tif") as ground:
        height = ground.read(1)[:510, :760].reshape(51, 10, 76, 10).mean(axis=(1, 3))
    assert Scene.open(factors["rainfall"]).bands[0].unit == "mm/year"
    assert 900 < rain.min() < rain.max() < 2000
    assert np.corrcoef(rain[:51, :76].ravel(), height.ravel())[0, 1] > 0.6


def test_open_areas_are_listed_without_fetching_with_licence_and_caution() -> None:
    assert [one.id for one in open_areas()] == ["ecuador-lsl", "andes-debris-flows"]
    for one in open_areas():
        assert one.layers == ()
        assert one.licence
        assert one.citation
        assert one.caution
    with pytest.raises(InputError, match="no area named 'moon'"):
        fetch_area("moon")


@pytest.mark.realdata
def test_open_areas_come_as_published(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(shared_data / "open"))
    ecuador = fetch_area("ecuador-lsl", tmp_path)
    andes = fetch_area("andes-debris-flows", tmp_path)

    points = pd.read_csv(ecuador.layers[1].path)
    known = pd.read_csv(shared_data / "ecuador_lsl" / "lsl.csv")
    assert len(points) == 350
    assert points["lslpts"].sum() == 175
    pd.testing.assert_frame_equal(points, known)  # the same points, put into a table by other hands
    from core.raster.untrusted import read_vectors_untrusted

    outlines = read_vectors_untrusted(andes.layers[1].path)
    assert len(outlines) == 6
    assert set(outlines.geom_type) <= {"Polygon", "MultiPolygon"}
