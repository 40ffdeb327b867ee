"""Polygons, areas and scores of probability rasters made by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.errors import InputError, StorageError
from core.learning.metrics import Confusion, histogram
from core.tasks.mapping import findings as module
from core.tasks.mapping.findings import default_choice, elevation_on, find, pixel_area, round_area, score
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice
from tests.factories import made_run, write_raster

UTM_SCALE = 0.9996**-2
"""Ground area over grid area on the central meridian of a UTM zone."""


def two_slides() -> np.ndarray:
    """A slide of 12 pixels (3 by 4) with 0.8, one of 4 with 0.6, background 0.1, the last column nodata."""
    probability = np.full((20, 30), 0.1)
    probability[2:5, 3:7] = 0.8
    probability[10:12, 20:22] = 0.6
    probability[:, 29] = np.nan
    return probability


def test_the_smallest_mappable_area_is_ten_pixels(tmp_path: Path) -> None:
    result = made_run(tmp_path, two_slides())

    found = find(result, default_choice(result, 0.5))

    assert len(found.polygons) == 1
    assert found.mask.sum() == 12
    assert found.areas == pytest.approx([1200 * UTM_SCALE], rel=1e-3)
    assert found.polygons["mean_probability"].iloc[0] == pytest.approx(0.8, abs=0.5 / 254)


@pytest.mark.parametrize(
    ("area", "rounded"), [(987.0, 1000.0), (1001.2, 1000.0), (2250.0, 2000.0), (3.4, 3.0), (0.0, 0.0)]
)
def test_the_default_minimum_area_is_a_round_figure(area: float, rounded: float) -> None:
    assert round_area(area) == rounded


def test_numbers_of_a_run_are_those_of_the_slider_at_its_default(tmp_path: Path) -> None:
    """The model's threshold may have four digits, the slider has two."""
    reference = (two_slides() > 0.5).astype(np.uint8)
    made = made_run(tmp_path, np.where(two_slides() == 0.8, 0.9, two_slides()), reference=reference)
    result = replace(made, provenance={**made.provenance, "model": {"threshold": 0.9035}})
    choice = default_choice(result, result.threshold)
    assert choice.threshold == result.threshold == 0.9
    at_slider = score(result, choice.threshold)
    assert at_slider is not None
    assert result.metrics()["f1"] == at_slider.model.f1
    assert at_slider.model.recall == 12 / 16  # 0.9 is kept as 229 of 254, which is 0.9016: at 0.9035 none would count


def test_the_largest_comes_first(tmp_path: Path) -> None:
    found = find(made_run(tmp_path, two_slides()), Choice(0.5))

    assert found.polygons["area_px"].tolist() == [12, 4]


def test_the_share_is_of_the_valid_area(tmp_path: Path) -> None:
    found = find(made_run(tmp_path, two_slides()), Choice(0.5))

    assert found.scene_area == pytest.approx(20 * 29 * 100 * UTM_SCALE, rel=1e-3)
    assert found.share == pytest.approx(16 / (20 * 29), rel=1e-4)


def test_without_a_coordinate_system_areas_are_pixels(tmp_path: Path) -> None:
    result = made_run(tmp_path, two_slides(), "without CRS")

    found = find(result, default_choice(result, 0.5))

    assert pixel_area(result) == 1
    assert found.areas.tolist() == [12]
    assert found.scene_area == 20 * 29
    assert found.sizes.mode == "none"


def test_a_pixel_at_the_threshold_is_found_and_one_below_is_not(tmp_path: Path) -> None:
    result = made_run(tmp_path, np.array([[126, 127, 128]]) / 254)

    assert find(result, Choice(127 / 254)).mask.tolist() == [[False, True, True]]


def test_nodata_is_never_found_not_even_at_a_threshold_of_nothing_or_in_a_filled_hole(tmp_path: Path) -> None:
    probability = np.full((9, 9), 0.9)
    probability[4, 4] = np.nan
    probability[2, 2] = 0.0
    result = made_run(tmp_path, probability)

    for choice in (Choice(0.0), Choice(0.5, fill_holes=1e6)):
        found = find(result, choice)
        assert not found.mask[4, 4]
        assert found.mask[2, 2]
        assert found.polygons["area_px"].sum() == 80


def test_holes_up_to_the_size_asked_for_are_filled(tmp_path: Path) -> None:
    probability = np.full((12, 12), 0.9)
    probability[2:4, 2:4] = 0.0
    probability[6:9, 6:9] = 0.0
    result = made_run(tmp_path, probability, "without CRS")

    assert find(result, Choice(0.5, fill_holes=4)).mask.sum() == 144 - 9
    assert find(result, Choice(0.5, fill_holes=3)).mask.sum() == 144 - 13


@pytest.mark.parametrize(
    "values",
    [
        {"threshold": -0.1},
        {"threshold": 1.1},
        {"threshold": float("nan")},
        {"threshold": 0.5, "minimum_area": -1},
        {"threshold": 0.5, "minimum_area": float("nan")},
        {"threshold": 0.5, "minimum_area": float("inf")},
        {"threshold": 0.5, "fill_holes": -1},
        {"threshold": 0.5, "fill_holes": float("nan")},
    ],
)
def test_a_choice_out_of_range_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Choice(**values)


def test_a_raster_too_large_for_polygons_is_refused_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 599)

    with pytest.raises(InputError, match="smaller area"):
        find(made_run(tmp_path, two_slides()), Choice(0.5))


def test_a_run_whose_raster_is_gone_says_so(tmp_path: Path) -> None:
    result = made_run(tmp_path, two_slides())
    (tmp_path / "probability.tif").unlink()

    with pytest.raises(StorageError, match="no longer on disk"):
        find(result, Choice(0.5))
    with pytest.raises(StorageError, match="has no truth"):
        result.artifact("truth")


def test_a_scene_without_any_landslide_has_none_and_says_so(tmp_path: Path) -> None:
    found = find(made_run(tmp_path, np.full((6, 6), 0.1)), Choice(0.5))

    assert len(found.polygons) == 0
    assert found.share == 0
    assert found.sizes.mode == "none"
    assert found.sizes.words


def test_a_scene_without_any_valid_pixel_has_no_share(tmp_path: Path) -> None:
    found = find(made_run(tmp_path, np.full((6, 6), np.nan)), Choice(0.5))

    assert math.isnan(found.share)


def test_a_slope_of_known_steepness_is_given_to_its_polygon(tmp_path: Path) -> None:
    # Falls 10 m a pixel of 10 m to the east: 45 degrees, aspect 90; four columns, three steps of relief.
    plane = np.broadcast_to(500 - 10 * np.arange(30, dtype=np.float32), (20, 30)).copy()
    dem = write_raster(tmp_path / "dem.tif", plane)

    found = find(made_run(tmp_path / "run", two_slides()), Choice(0.7), dem).polygons.iloc[0]

    assert found["slope_mean_deg"] == pytest.approx(45, abs=0.1)
    assert found["aspect_deg"] == pytest.approx(90, abs=0.5)
    assert found["relief_m"] == pytest.approx(30)


def test_a_slope_is_the_same_of_an_elevation_model_in_feet(tmp_path: Path) -> None:
    plane = np.broadcast_to((500 - 10 * np.arange(30)) / 0.3048, (20, 30)).astype(np.float32)
    dem = write_raster(tmp_path / "dem.tif", plane)
    with rasterio.open(dem, "r+") as file:
        file.units = ("ft",)

    found = find(made_run(tmp_path / "run", two_slides()), Choice(0.7), dem).polygons.iloc[0]

    assert found["slope_mean_deg"] == pytest.approx(45, abs=0.1)
    assert found["relief_m"] == pytest.approx(30, abs=0.01)


def test_elevation_in_pixel_space_is_left_aside(tmp_path: Path) -> None:
    dem = write_raster(tmp_path / "dem.tif", np.zeros((20, 30), np.float32), "without CRS")

    found = find(made_run(tmp_path / "run", two_slides(), "without CRS"), Choice(0.5), dem)

    assert "slope_mean_deg" not in found.polygons


def test_nodata_of_an_elevation_model_is_unknown_and_no_height(tmp_path: Path) -> None:
    heights = np.full((20, 30), 100, np.float32)
    heights[3, 4] = -9999
    dem = write_raster(tmp_path / "dem.tif", heights, nodata=-9999)

    elevation = elevation_on(made_run(tmp_path / "run", two_slides()), dem)

    assert np.isnan(elevation[3, 4])
    assert np.nanmin(elevation) == 100


def scored(folder: Path) -> MappingResult:
    reference = np.zeros((20, 30), np.uint8)
    reference[2:5, 3:9] = 1
    reference[:, 0] = 255
    return made_run(folder, two_slides(), reference=reference)


def test_scores_are_those_of_the_pixels_before_minimum_area_and_filling(tmp_path: Path) -> None:
    scores = score(scored(tmp_path), 0.5)

    assert scores is not None
    # 12 of 18 found, 4 elsewhere; 28 columns of 20 are valid and known.
    assert scores.model == Confusion(12, 4, 6, 28 * 20 - 22)
    assert scores.baseline is None
    assert scores.curve.recall[0] == 1


def test_the_colour_index_is_scored_at_its_own_threshold(tmp_path: Path) -> None:
    # Codes of the index 0.2 and −0.1.
    baseline = histogram(np.array([152, 114, 152], np.uint8), np.array([1, 0, 0], np.uint8))

    scores = score(replace(scored(tmp_path), baseline=baseline), 0.9)

    assert scores is not None
    assert scores.baseline == Confusion(1, 1, 0, 1)


def test_without_truth_there_are_no_scores(tmp_path: Path) -> None:
    assert score(made_run(tmp_path, two_slides()), 0.5) is None
