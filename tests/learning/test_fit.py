"""Which models fit a scene, and the reason of those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.transform import from_origin

from core.errors import InputError
from core.learning.fit import Fit, check_fits, choose_offered, fit_of, fitting, fittings, suits, why_unusable
from core.learning.store import StoredModel
from core.raster.scene import Scene
from tests.factories import ramp, tiny_spec, write_model, write_raster

VELOCITY: dict[str, Any] = {
    "bands": ("velocity",), "value_range": (-150.0, 150.0), "mean": (0.0,), "deviation": (1.0,),
    "stretch_low": (-30.0,), "stretch_high": (30.0,), "ground_distance": 10.0,
}  # fmt: skip
"""What a model of radar velocity differs in."""

RELIEF = ("hillshade", "slope", "position")


@pytest.fixture
def colour(tmp_path: Path) -> Scene:
    """An image of 10 m per pixel whose file says that its bands are red, green and blue."""
    return Scene.open(write_raster(tmp_path / "colour.tif", ramp(20, 30)))


def velocity(path: Path, **options: Any) -> Scene:
    return Scene.open(write_raster(path, np.linspace(-40, 40, 100, dtype=np.float32).reshape(10, 10), **options))


def unnamed(path: Path, bands: int, dtype: str = "uint16") -> Scene:
    return Scene.open(write_raster(path, ramp(20, 30, bands).astype(dtype), photometric="minisblack"))


@pytest.mark.parametrize(
    ("distance", "size", "satellite", "aerial"),
    [(10.0, 64, True, False), (0.5, 64, False, True), (None, 128, True, False), (None, 1024, False, True)],
)
def test_the_model_to_begin_with_is_one_for_such_images(
    tmp_path: Path, distance: float | None, size: int, satellite: bool, aerial: bool
) -> None:
    """By ground distance where it is known; a large image without coordinates is taken for an aerial one."""
    placed: dict[str, Any] = {"crs": None, "transform": None}
    if distance is not None:
        placed = {"crs": "EPSG:32632", "transform": from_origin(500_000, 5_100_000, distance, distance)}
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(size, size), **placed))

    assert suits(tiny_spec(ground_distance=10.0), scene) is satellite
    assert suits(tiny_spec(ground_distance=None), scene) is aerial


def test_a_model_of_radar_velocity_cannot_be_run_on_an_image_whatever_its_pixel_size(colour: Scene) -> None:
    spec = tiny_spec(**VELOCITY)

    assert fit_of(spec, colour) is Fit.UNUSABLE
    reason = why_unusable(spec, colour)
    assert reason is not None
    assert "has no velocity: its bands are red, green, blue" in reason.what
    assert suits(tiny_spec(ground_distance=10.0), colour)


def test_whole_numbers_without_a_sign_are_no_velocities_whatever_band_is_chosen(tmp_path: Path) -> None:
    scene = unnamed(tmp_path / "deep.tif", 4)
    spec = tiny_spec(**VELOCITY)

    for bands in (None, (2,)):
        reason = why_unusable(spec, scene, bands)
        assert reason is not None
        assert "unsigned values (uint16)" in reason.what


def test_a_model_of_colours_cannot_be_run_on_a_map_of_radar_velocity(tmp_path: Path) -> None:
    scene = velocity(tmp_path / "velocity.tif", descriptions=["velocity"])
    spec = tiny_spec(ground_distance=10.0)

    assert fit_of(spec, scene) is Fit.UNUSABLE
    reason = why_unusable(spec, scene)
    assert reason is not None
    assert "has one band, the model needs 3: red, green, blue" in reason.what
    assert suits(tiny_spec(**VELOCITY), scene)


def test_a_single_band_that_may_be_velocity_is_assigned_by_the_user(tmp_path: Path) -> None:
    scene = velocity(tmp_path / "unnamed.tif")

    assert fit_of(tiny_spec(**VELOCITY), scene) is Fit.ADJUSTABLE
    assert fit_of(tiny_spec(**VELOCITY), scene, (1,)) is Fit.SUITED


def test_colours_are_no_relief_but_bands_without_names_may_be_one(colour: Scene, tmp_path: Path) -> None:
    spec = tiny_spec(bands=RELIEF, ground_distance=10.0)
    relief = write_raster(tmp_path / "relief.tif", ramp(20, 30), descriptions=RELIEF)
    one_named = write_raster(tmp_path / "part.tif", ramp(20, 30, 4), descriptions=("red", "x", "y", "z"))

    assert fit_of(spec, colour) is Fit.UNUSABLE
    assert fit_of(spec, unnamed(tmp_path / "unnamed.tif", 3)) is Fit.ADJUSTABLE
    assert fit_of(spec, Scene.open(one_named)) is Fit.ADJUSTABLE
    assert fit_of(spec, Scene.open(relief)) is Fit.SUITED


@pytest.mark.parametrize(
    ("bands", "fit"), [(3, Fit.SUITED), (4, Fit.SUITED), (5, Fit.ADJUSTABLE), (13, Fit.ADJUSTABLE)]
)
def test_bands_are_guessed_by_their_number_only_where_there_are_three_or_four(
    tmp_path: Path, bands: int, fit: Fit
) -> None:
    scene = unnamed(tmp_path / "unnamed.tif", bands)

    assert fit_of(tiny_spec(ground_distance=10.0), scene) is fit
    assert fit_of(tiny_spec(ground_distance=10.0), scene, (3, 2, 1)) is Fit.SUITED


@pytest.mark.parametrize(
    ("distance", "fit"),
    [(10.0, Fit.SUITED), (2.5, Fit.SUITED), (1.0, Fit.USABLE), (100.0, Fit.USABLE), (0.5, Fit.DISTANT)],
)
def test_pixels_of_another_size_fit_less_the_further_they_are_from_the_models(
    tmp_path: Path, distance: float, fit: Fit
) -> None:
    """Up to four times as suited, below sixteen times resampled, beyond only left at their own size."""
    transform = from_origin(500_000, 5_100_000, distance, distance)
    path = write_raster(tmp_path / "scene.tif", ramp(40, 40), crs="EPSG:32632", transform=transform)

    assert fit_of(tiny_spec(ground_distance=10.0), Scene.open(path)) is fit


def test_a_model_of_aerial_images_is_distant_from_a_satellite_image_and_says_why(colour: Scene) -> None:
    one = fitting(StoredModel(tiny_spec(sensor="Aerial, 0.2-0.9 m"), Path()), colour)

    assert one.fit is Fit.DISTANT
    assert one.why is not None
    assert "10 m per pixel" in one.why.what
    assert "much finer images (Aerial, 0.2-0.9 m)" in one.why.what


def scored(root: Path, name: str, f1: float, data: str, **changes: Any) -> None:
    training = {"data_set": data, "images_validation": 100 if data == "large" else 10}
    changes = {"ground_distance": 10.0, "scores": {"validation": {"f1": f1}}, "training": training, **changes}
    write_model(root, tiny_spec(name, **changes))


def test_models_are_ordered_by_fit_then_by_score_on_one_data_set(models: Path, colour: Scene) -> None:
    scored(models, "radar", 0.99, "large", **VELOCITY)
    scored(models, "aerial", 0.98, "large", ground_distance=None)
    scored(models, "other-data", 0.97, "small")
    scored(models, "resampled", 0.96, "large", ground_distance=1.0)
    scored(models, "poor", 0.3, "large")
    scored(models, "good", 0.6, "large")

    found = fittings("mapping", colour)

    names = ["good", "poor", "other-data", "resampled", "aerial", "radar"]
    assert [one.model.spec.name for one in found] == names
    offered, left_out = choose_offered(found)
    assert [one.model.spec.name for one in offered] == names[:4]
    assert [one.model.spec.name for one in left_out] == names[4:]
    assert all(one.why is not None for one in left_out)


def test_distant_models_are_offered_where_nothing_fits_better_but_never_unusable_ones(
    models: Path, colour: Scene
) -> None:
    scored(models, "radar", 0.99, "large", **VELOCITY)
    scored(models, "aerial", 0.5, "small", ground_distance=None)
    scored(models, "finest", 0.5, "small", ground_distance=0.1)

    found = fittings("mapping", colour)

    assert [one.model.spec.name for one in choose_offered(found)[0]] == ["aerial", "finest"]
    # "finest" would have to be told to leave the pixels as they are.
    assert [one.model.spec.name for one in choose_offered(found, as_they_are=True)[0]] == ["aerial"]


def test_bands_that_the_user_assigned_count_for_models_of_these_roles(models: Path, tmp_path: Path) -> None:
    scored(models, "colours", 0.5, "large")
    scene = unnamed(tmp_path / "many.tif", 13)

    assert choose_offered(fittings("mapping", scene), as_they_are=True)[0] == []
    known = {("red", "green", "blue"): (4, 3, 2)}
    assert [one.fit for one in fittings("mapping", scene, known)] == [Fit.SUITED]


def test_what_cannot_be_run_is_refused_with_the_reason_and_the_models_that_can(models: Path, colour: Scene) -> None:
    scored(models, "radar", 0.99, "large", **VELOCITY)
    scored(models, "finest", 0.5, "large", ground_distance=0.1)
    scored(models, "good", 0.6, "large")
    by_name = {one.model.spec.name: one.model for one in fittings("mapping", colour)}

    with pytest.raises(InputError, match=r"has no velocity.*Models for this image: good\."):
        check_fits("mapping", by_name["radar"], colour)
    with pytest.raises(InputError, match=r"10 m per pixel.*Models for this image: good.*--resample none"):
        check_fits("mapping", by_name["finest"], colour)
    check_fits("mapping", by_name["finest"], colour, resample="none")
    check_fits("mapping", by_name["good"], colour)


def test_without_names_of_the_bands_the_option_is_named_that_tells_them(models: Path, tmp_path: Path) -> None:
    scored(models, "colours", 0.5, "large")
    scene = unnamed(tmp_path / "many.tif", 13)
    (one,) = fittings("mapping", scene)

    with pytest.raises(InputError, match=r"does not state which.*sentinel2.*--bands"):
        check_fits("mapping", one.model, scene)
    check_fits("mapping", one.model, scene, (4, 3, 2))
