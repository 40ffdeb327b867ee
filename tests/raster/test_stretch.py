from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import BandError, InputError
from core.raster import stretch as stretching
from core.raster.scene import Scene
from core.raster.stretch import Stretch, bridge, scene_stretch

Make = Callable[..., Path]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16"])
@pytest.mark.parametrize("percentiles", [(2, 98), (0, 100), (12.3, 50)])
def test_percentiles_of_integers_are_exact(
    make_raster: Make, dtype: str, percentiles: tuple[float, float]
) -> None:
    limits = np.iinfo(dtype)
    values = np.random.default_rng(3).integers(
        limits.min, limits.max, (2, 301, 203), dtype=dtype, endpoint=True
    )

    found = scene_stretch(Scene.open(make_raster(values)), (2, 1), percentiles)

    expected = [np.percentile(values[band], percentiles) for band in (1, 0)]
    assert list(zip(found.low, found.high, strict=True)) == [pytest.approx(pair) for pair in expected]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint32"])
def test_percentiles_of_other_types_are_close(make_raster: Make, dtype: str) -> None:
    values = (np.random.default_rng(3).gamma(2, 1000, (1, 301, 203)) + 5).astype(dtype)

    found = scene_stretch(Scene.open(make_raster(values)), (1,))

    low, high = np.percentile(values, (2, 98))
    assert found.low[0] == pytest.approx(low, abs=1e-3 * (high - low))
    assert found.high[0] == pytest.approx(high, abs=1e-3 * (high - low))


def test_a_stray_value_far_out_does_not_spoil_the_percentiles(make_raster: Make) -> None:
    values = np.random.default_rng(3).uniform(0, 1, (1, 300, 200)).astype("float32")
    values[0, 0, 0] = 1e12

    found = scene_stretch(Scene.open(make_raster(values)), (1,))

    assert found.low[0] == pytest.approx(np.percentile(values, 2), abs=1e-3)
    assert found.high[0] == pytest.approx(np.percentile(values, 98), abs=1e-3)


@pytest.mark.parametrize(("dtype", "nodata"), [("int16", -9999), ("float32", -9999), ("float32", np.nan)])
def test_nodata_takes_no_part(make_raster: Make, dtype: str, nodata: float) -> None:
    values = np.full((1, 100, 100), nodata, dtype=dtype)
    values[0, 50:] = np.arange(1, 51)[:, np.newaxis]

    found = scene_stretch(Scene.open(make_raster(values, nodata=nodata)), (1,), (0, 100))

    assert (found.low[0], found.high[0]) == pytest.approx((1, 50), abs=1e-3)


@pytest.mark.parametrize("layout", [{}, {"tiled": True, "blockxsize": 64, "blockysize": 64}])
def test_result_does_not_depend_on_how_the_scene_is_read(
    make_raster: Make, monkeypatch: pytest.MonkeyPatch, layout: dict
) -> None:
    values = np.random.default_rng(3).integers(0, 4000, (3, 257, 190), dtype="uint16")
    scene = Scene.open(make_raster(values, **layout))
    at_once = scene_stretch(scene, (1, 2, 3))

    monkeypatch.setattr(stretching, "CHUNK_BYTES", 3000)

    assert scene_stretch(scene, (1, 2, 3)) == at_once


@pytest.mark.parametrize(
    ("values", "nodata"),
    [
        (np.full((1, 20, 20), np.nan, "float32"), None),
        (np.full((1, 20, 20), 7, "uint8"), 7),
        (np.stack([np.full((20, 20), 7, "uint8"), np.arange(400, dtype="uint8").reshape(20, 20)]), 7),
    ],
    ids=["all NaN", "all nodata", "one band all nodata"],
)
def test_scene_without_data_is_refused(make_raster: Make, values: np.ndarray, nodata: float | None) -> None:
    scene = Scene.open(make_raster(values, nodata=nodata))

    with pytest.raises(InputError, match="holds no data"):
        scene_stretch(scene, range(1, len(values) + 1))


def test_apply_maps_low_and_high_to_the_ends_and_clips() -> None:
    stretch = Stretch((100.0, 0.0), (300.0, 1.0), None, "by hand")
    values = np.array([[[50, 100, 200, 300, 400]], [[0, 0.25, 0.5, 1, 2]]], dtype="float64")

    result = stretch.apply(values, (0, 255))

    assert result.dtype == np.float32
    assert result.tolist() == [[[0, 0, 127.5, 255, 255]], [[0, 63.75, 127.5, 255, 255]]]


def test_band_without_contrast_becomes_the_lowest_value() -> None:
    assert (Stretch((5.0,), (5.0,), None, "").apply(np.full((1, 2, 2), 5, "uint16"), (-1, 1)) == -1).all()


def test_integers_do_not_wrap_around() -> None:
    result = Stretch((10.0,), (20.0,), None, "").apply(np.array([[[0]]], "uint8"), (0, 255))

    assert result.tolist() == [[[0]]]


class TestBridge:
    def test_leaves_eight_bit_images_alone(self, make_raster: Make) -> None:
        scene = Scene.open(make_raster(np.arange(100, dtype="uint8").reshape(10, 10)))

        assert bridge(scene, (1,)) is None

    def test_names_what_it_does_to_sixteen_bits(self, make_raster: Make) -> None:
        scene = Scene.open(make_raster(np.arange(10_001, dtype="uint16").reshape(1, 1, -1)))

        stretch = bridge(scene, (1,))

        assert stretch == Stretch((200.0,), (9800.0,), (2.0, 98.0), stretch.reason)
        assert "uint16 values were scaled by their 2 and 98 percentiles" in stretch.reason
        assert "200 to 9800" in stretch.reason

    def test_leaves_values_alone_that_lie_in_the_models_range(self, make_raster: Make) -> None:
        scene = Scene.open(make_raster(np.linspace(0, 1, 400, dtype="float32").reshape(20, 20)))

        assert bridge(scene, (1,), (0, 1), "float32") is None
        assert bridge(scene, (1,), (0, 0.5), "float32") is not None

    def test_does_as_it_is_told(self, make_raster: Make) -> None:
        scene = Scene.open(make_raster(np.arange(100, dtype="uint8").reshape(10, 10)))

        assert bridge(scene, (1,), mode="none") is None
        assert bridge(scene, (1,), mode="0,100").high == (99.0,)

    @pytest.mark.parametrize("mode", ["98,2", "2", "2,98,99", "-1,50", "2,101", "nan,3", "some"])
    def test_refuses_other_modes(self, make_raster: Make, mode: str) -> None:
        scene = Scene.open(make_raster(np.zeros((10, 10), "uint8")))

        with pytest.raises(InputError, match="stretch"):
            bridge(scene, (1,), mode=mode)

    def test_refuses_bands_that_are_not_there(self, make_raster: Make) -> None:
        with pytest.raises(BandError):
            bridge(Scene.open(make_raster(np.zeros((10, 10), "uint16"))), (2,))


def test_values_that_are_hardly_numbers_are_no_range(make_raster: Make) -> None:
    """Between the smallest numbers that a float holds there is no room for the bins of a histogram."""
    values = np.zeros((1, 64, 64))
    values[0, ::2], values[0, ::3] = 5e-324, 1e-323

    found = scene_stretch(Scene.open(make_raster(values)), (1,), (2, 98))

    assert found.low[0] == pytest.approx(0, abs=1e-300)
    assert found.high[0] == pytest.approx(0, abs=1e-300)
