"""From a scene's bands, values and ground distance to a model's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from core.errors import BandError, InputError
from core.learning.preprocessing import preprocess
from core.raster.scene import Scene
from tests.factories import ramp, tiny_spec, write_raster


@pytest.fixture
def colour(tmp_path: Path) -> Scene:
    return Scene.open(write_raster(tmp_path / "colour.tif", ramp(20, 30)))


@pytest.fixture
def deep(tmp_path: Path) -> Scene:
    """16-bit values whose 2nd and 98th percentiles are known: 0 to 1000 in the first band, then +100 each."""
    row = np.arange(1001, dtype=np.uint16).reshape(7, 143)
    return Scene.open(write_raster(tmp_path / "deep.tif", np.stack([row, row + 100, row + 200])))


def test_eight_bit_colours_are_used_as_they_are_without_a_word(colour: Scene) -> None:
    how = preprocess(colour, tiny_spec(ground_distance=10.0))

    assert (how.bands, how.gain, how.offset, how.scale, how.notes) == ((1, 2, 3), (1,) * 3, (0,) * 3, 1, ())


def test_sixteen_bit_values_are_laid_on_the_range_of_the_training_images_and_it_is_said(deep: Scene) -> None:
    spec = tiny_spec(stretch_low=(10.0, 20.0, 30.0), stretch_high=(202.0, 212.0, 222.0))

    how = preprocess(deep, spec)

    # 2 % is 20, 98 % is 980: 960 values on 192.
    assert how.gain == pytest.approx((0.2, 0.2, 0.2))
    values = how.values(np.array([20, 120, 220, 980, 1080, 1180]).reshape(2, 3, 1).transpose(1, 0, 2), spec)
    assert values[:, :, 0].tolist() == [pytest.approx(pair) for pair in ([10, 202], [20, 212], [30, 222])]
    assert any("uint16" in note and "20–980" in note for note in how.notes)


def test_stretched_values_never_leave_the_models_range(deep: Scene) -> None:
    spec = tiny_spec()
    how = preprocess(deep, spec, stretch="40,60")

    values = how.values(np.array([0, 65535, 500]).reshape(3, 1, 1), spec)

    assert values.min() >= 0
    assert values.max() <= 255


def test_values_may_be_left_alone_and_it_is_said_what_the_model_expects(deep: Scene) -> None:
    how = preprocess(deep, tiny_spec(), stretch="none")

    assert how.gain == (1, 1, 1)
    assert "0–255" in how.notes[0]


def test_a_signed_quantity_keeps_its_zero_and_its_unit(tmp_path: Path) -> None:
    values = np.linspace(-12, 30, 35, dtype=np.float32).reshape(1, 5, 7)
    scene = Scene.open(write_raster(tmp_path / "velocity.tif", values, nodata=-9999))
    spec = tiny_spec(
        bands=("elevation",), mean=(0.5,), deviation=(0.1,), value_range=(-100.0, 100.0), stretch_low=(-9.0,),
        stretch_high=(9.0,),
    )  # fmt: skip

    how = preprocess(scene, spec)

    assert (how.gain, how.offset) == ((1.0,), (0.0,))
    assert how.values(np.array([[[-12.0, 0.0, 400.0]]]), spec).tolist() == [[[-12.0, 0.0, 100.0]]]
    assert "from -100 to 100" in how.notes[0]


def test_a_scene_without_contrast_is_not_divided_by_zero(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "flat.tif", np.full((3, 5, 5), 700, np.uint16)))
    how = preprocess(scene, tiny_spec())

    values = how.values(np.full((3, 1, 1), 700), tiny_spec())

    assert np.isfinite(values).all()
    assert values.ravel().tolist() == [0, 0, 0]


def test_nodata_takes_no_part_in_the_stretch(tmp_path: Path) -> None:
    values = np.full((3, 30, 30), -9999, np.float32)
    values[:, 10:] = np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30)

    how = preprocess(Scene.open(write_raster(tmp_path / "float.tif", values, nodata=-9999)), tiny_spec())

    assert how.gain == pytest.approx((255 / 0.96,) * 3, rel=1e-2)


def test_one_band_cannot_serve_a_model_of_three_and_a_remedy_is_given(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "grey.tif", ramp(5, 5, bands=1)))

    with pytest.raises(BandError, match=r"has one band, the model needs 3.*Choose an image"):
        preprocess(scene, tiny_spec())


def test_one_band_given_thrice_is_a_choice_of_the_user(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "grey.tif", ramp(5, 5, bands=1)))

    assert preprocess(scene, tiny_spec(), bands=(1, 1, 1)).bands == (1, 1, 1)


@pytest.mark.parametrize("bands", [(1, 2, 4), (0, 1, 2), (1, 2, -1)])
def test_a_band_out_of_range_is_named(colour: Scene, bands: tuple[int, ...]) -> None:
    with pytest.raises(BandError, match=r"has no band (4|0|-1); it has 3"):
        preprocess(colour, tiny_spec(), bands=bands)


def test_too_few_and_too_many_bands_are_refused(colour: Scene) -> None:
    for bands in ((), (1, 2), (1, 2, 3, 1)):
        with pytest.raises(BandError, match=rf"needs 3 bands \(red, green, blue\); {len(bands)} were given"):
            preprocess(colour, tiny_spec(), bands=bands)


def test_of_sixteen_bands_those_described_as_colours_are_taken(tmp_path: Path) -> None:
    names = [f"B{number:02d}" for number in range(1, 17)]
    scene = Scene.open(write_raster(tmp_path / "many.tif", ramp(4, 4, bands=16), descriptions=names))

    # Sentinel-2: B04 red, B03 green, B02 blue.
    assert preprocess(scene, tiny_spec()).bands == (4, 3, 2)


@pytest.mark.parametrize(
    ("values", "nodata"),
    [
        (np.zeros((3, 9, 9), np.uint8), 0),
        (np.zeros((3, 9, 9), np.uint16), 0),
        (np.full((3, 9, 9), -9999, np.float32), -9999),
        (np.full((3, 9, 9), np.nan, np.float32), None),
        (np.full((3, 9, 9), np.inf, np.float64), None),
    ],
    ids=["8 bit", "16 bit", "-9999", "NaN", "infinite"],
)
@pytest.mark.parametrize("stretch", ["auto", "none", "2,98"])
def test_a_scene_without_any_valid_pixel_is_refused(
    tmp_path: Path, values: np.ndarray, nodata: float | None, stretch: str
) -> None:
    scene = Scene.open(write_raster(tmp_path / "empty.tif", values, nodata=nodata))

    with pytest.raises(InputError, match="holds no data"):
        preprocess(scene, tiny_spec(), stretch=stretch)


def test_a_last_valid_pixel_is_enough(tmp_path: Path) -> None:
    values = np.zeros((3, 9, 9), np.uint8)
    values[:, 8, 8] = 5

    assert preprocess(Scene.open(write_raster(tmp_path / "one.tif", values, nodata=0)), tiny_spec()).gain == (1, 1, 1)


def test_a_scene_twice_as_coarse_is_enlarged_for_the_model_and_it_is_said(tmp_path: Path, colour: Scene) -> None:
    # The scene has 10 m per pixel.
    how = preprocess(colour, tiny_spec(ground_distance=5.0))

    assert how.scale == pytest.approx(2.0, rel=1e-3)
    assert "from 10 m to the model's pixel size of 5 m" in how.notes[0]
    assert "on the image's grid" in how.notes[0]


def test_a_ground_distance_within_a_quarter_is_taken_as_equal(colour: Scene) -> None:
    assert preprocess(colour, tiny_spec(ground_distance=8.5)).scale == 1
    assert preprocess(colour, tiny_spec(ground_distance=12.0)).notes == ()


def test_resampling_may_be_declined_and_it_is_said(colour: Scene) -> None:
    how = preprocess(colour, tiny_spec(ground_distance=5.0), resample="none")

    assert how.scale == 1
    assert "not resampled" in how.notes[0]


def test_without_a_coordinate_system_the_distance_is_unknown_and_it_is_said(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "plain.tif", ramp(5, 5), "without CRS"))

    how = preprocess(scene, tiny_spec(ground_distance=10.0))

    assert how.scale == 1
    assert "no coordinate system" in how.notes[0]


def test_a_pixel_size_entered_by_hand_lets_a_photo_be_resampled_to_the_models(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "plain.tif", ramp(5, 5), "without CRS"))

    how = preprocess(replace(scene, grid=scene.grid.with_pixel_size(20.0)), tiny_spec(ground_distance=10.0))

    assert how.scale == 2.0
    assert "from 20 m to the model's pixel size of 10 m" in how.notes[0]


def test_what_is_no_stretch_and_no_way_to_resample_is_refused(colour: Scene) -> None:
    for stretch in ("98,2", "a,b", "2", "", "-1,50"):
        with pytest.raises(InputError, match="stretch"):
            preprocess(colour, tiny_spec(), stretch=stretch)
    with pytest.raises(InputError, match="resampling"):
        preprocess(colour, tiny_spec(), resample="always")


def test_an_aerial_model_on_a_coarse_scene_is_warned_of(colour: Scene) -> None:
    how = preprocess(colour, tiny_spec(ground_distance=None, sensor="Aerial, 0.2-0.9 m"))

    assert "much finer images (Aerial, 0.2-0.9 m)" in how.notes[0]


@pytest.mark.parametrize(
    ("values", "said", "words"),
    [
        (np.linspace(-40, 40, 100, dtype=np.float32), {}, "states no unit"),
        (np.round(np.linspace(-400, 400, 100)).astype(np.int16), {"scales": (0.1,)}, "multiplied by 0.1"),
        (np.linspace(-0.04, 0.04, 100, dtype=np.float32), {"units": ("m/yr",)}, "m/yr was converted to mm/yr"),
    ],
    ids=["as the model takes them", "whole numbers with a scale", "metres a year"],
)
def test_velocities_reach_the_model_in_millimetres_a_year(
    tmp_path: Path, values: NDArray[Any], said: dict[str, Any], words: str
) -> None:
    path = write_raster(tmp_path / "velocity.tif", values.reshape(10, 10), descriptions=["velocity"])
    with rasterio.open(path, "r+") as file:
        for name, value in said.items():
            setattr(file, name, value)
    scene = Scene.open(path)
    spec = tiny_spec(
        bands=("velocity",), value_range=(-150.0, 150.0), mean=(0.0,), deviation=(1.0,), stretch_low=(-30.0,),
        stretch_high=(30.0,), ground_distance=10.0,
    )  # fmt: skip

    how = preprocess(scene, spec)
    with scene.reader() as reader:
        taken = how.values(reader.read((1,)).values, spec)

    np.testing.assert_allclose(taken.ravel(), np.linspace(-40, 40, 100), atol=0.06)
    assert words in how.notes[0]


def test_bands_that_are_taken_by_their_places_are_named(tmp_path: Path) -> None:
    unnamed = Scene.open(write_raster(tmp_path / "unnamed.tif", ramp(20, 30).astype(np.uint16)))

    notes = preprocess(unnamed, tiny_spec()).notes

    assert any("band 1 for red, band 2 for green, band 3 for blue (assumed from their order)" in note for note in notes)
    named = preprocess(unnamed, tiny_spec(), bands=(1, 2, 3)).notes
    assert not any("assumed from their order" in note for note in named)
