"""Windows in, a probability raster out: what a known network gives for any raster."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InputError, RunCancelled
from core.learning.inputs import input_step
from core.learning.metrics import encode
from core.learning.preprocessing import preprocess
from core.learning.spec import ModelSpec
from core.raster.area import Area
from core.raster.scene import Scene
from core.raster.windows import Region
from core.tasks.mapping.evaluate import predict_codes
from core.tasks.mapping.options import Options
from core.tasks.mapping.predict import Predictor, write_rasters
from tests.factories import expected_codes, ramp, tiny_spec, write_raster

Floats = NDArray[np.float32]


class Known:
    """Stands for a network: logits by a function of the batch, whose windows it keeps."""

    name = "known"
    threads = 1

    def __init__(self, answer: Callable[[Floats], Floats]) -> None:
        self.answer = answer
        self.seen: list[Floats] = []

    def logits(self, batch: Floats) -> Floats:
        self.seen.append(batch.copy())
        return self.answer(batch).astype(np.float32)


def red(batch: Floats) -> Floats:
    """Logits whose probability is the first band."""
    share = np.clip(batch[:, :1].astype(float), 1e-6, 1 - 1e-6)
    return np.log(share / (1 - share))


def always(probability: float) -> Callable[[Floats], Floats]:
    return lambda batch: np.full_like(batch[:, :1], np.log(probability / (1 - probability)))


def predictor(
    scene: Scene, answer: Callable[[Floats], Floats], spec: ModelSpec | None = None, **options: Any
) -> Predictor:
    spec = spec or tiny_spec()
    return Predictor(scene, spec, preprocess(scene, spec), Known(answer), Options(**options))


def seen(made: Predictor) -> list[Floats]:
    assert isinstance(made.runtime, Known)
    return made.runtime.seen


sizes = st.tuples(st.integers(1, 80), st.integers(1, 80))
overlaps = st.floats(0, 0.9)
nodata_shares = st.sampled_from([0.0, 0.05, 0.5, 0.95])


@given(sizes, overlaps, nodata_shares, st.integers(0, 999), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_red_band_comes_back_whatever_the_size_the_overlap_and_the_nodata(
    size: tuple[int, int], overlap: float, share: float, seed: int, test_time_augmentation: bool
) -> None:
    values = ramp(*size)
    mask = np.random.default_rng(seed).random(size) >= share
    mask[seed % size[0], seed % size[1]] = True
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene.open(write_raster(Path(folder, "scene.tif"), values, mask=mask))

        codes = predict_codes(predictor(scene, red, overlap=overlap, test_time_augmentation=test_time_augmentation))

    np.testing.assert_array_equal(codes, np.where(mask, expected_codes(values[0]), 255))


@given(sizes, overlaps, st.floats(0.3, 3.0), st.floats(0.01, 0.99), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_network_of_one_answer_gives_it_everywhere_at_any_ground_distance(
    size: tuple[int, int], overlap: float, distance: float, answer: float, test_time_augmentation: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene.open(write_raster(Path(folder, "scene.tif"), ramp(*size)))
        spec = tiny_spec(ground_distance=10 / distance)
        made = predictor(scene, always(answer), spec, overlap=overlap, test_time_augmentation=test_time_augmentation)

        found = np.concatenate([values for _, values in made.strips(made.plan.whole)], axis=1)

    assert found[0] == pytest.approx(answer, abs=1e-4)
    if test_time_augmentation:
        assert found[1] == pytest.approx(0, abs=1e-3)


@given(sizes, overlaps, st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_area_has_exactly_the_codes_that_it_has_in_the_whole_scene(
    size: tuple[int, int], overlap: float, data: st.DataObject
) -> None:
    row, column = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    region = Region(
        row, column, data.draw(st.integers(1, size[0] - row)), data.draw(st.integers(1, size[1] - column))
    )

    def restless(batch: Floats) -> Floats:
        """Answers that depend on all the window shows, so that windows disagree."""
        return batch[:, :1] * 3 + np.cumsum(batch[:, 1:2], axis=3) - batch.mean(axis=(1, 2, 3), keepdims=True)

    with tempfile.TemporaryDirectory() as folder:
        scene = Scene.open(write_raster(Path(folder, "scene.tif"), ramp(*size)))
        made = predictor(scene, restless, overlap=overlap)
        whole = np.concatenate([values for _, values in made.strips(made.plan.whole)], axis=1)
        part = np.concatenate([values for _, values in made.strips(region)], axis=1)

    wanted = whole[:, region.row : region.end_row, region.column : region.end_column]
    np.testing.assert_array_equal(encode(part[0]), encode(wanted[0]))
    np.testing.assert_array_equal(part, wanted)


NODATA: dict[str, dict[str, Any]] = {
    "uint8 of nodata 0": {"dtype": "uint8", "fill": 0, "nodata": 0},
    "uint16 of nodata 0": {"dtype": "uint16", "fill": 0, "nodata": 0},
    "int16 of nodata -9999": {"dtype": "int16", "fill": -9999, "nodata": -9999},
    "float of nodata -9999": {"dtype": "float32", "fill": -9999, "nodata": -9999},
    "float of nodata NaN": {"dtype": "float32", "fill": np.nan, "nodata": np.nan},
    "float with NaN untold": {"dtype": "float32", "fill": np.nan},
    "float with infinities": {"dtype": "float64", "fill": np.inf},
    "uint8 with a mask": {"dtype": "uint8", "fill": 99, "masked": True},
    "uint16 with a mask": {"dtype": "uint16", "fill": 60000, "masked": True},
}


@pytest.fixture
def patchy(tmp_path: Path) -> Callable[..., tuple[Scene, NDArray[np.bool_]]]:
    """A scene of one colour (120, 80, 40) with holes of nodata, and where it is valid."""

    def make(
        dtype: str, fill: float, nodata: float | None = None, *, masked: bool = False
    ) -> tuple[Scene, NDArray[np.bool_]]:
        valid = np.random.default_rng(2).random((50, 70)) > 0.3
        valid[:, 60:] = False
        colour = np.array([120, 80, 40], dtype=dtype)[:, None, None]
        values = np.where(valid, colour, np.array(fill).astype(dtype))
        path = write_raster(tmp_path / "patchy.tif", values, nodata=nodata, mask=valid if masked else None)
        return Scene.open(path), valid

    return make


@pytest.mark.parametrize("kind", NODATA)
def test_nodata_of_any_kind_never_becomes_data_and_never_enters_a_value(
    patchy: Callable[..., tuple[Scene, NDArray[np.bool_]]], kind: str
) -> None:
    scene, valid = patchy(**NODATA[kind])
    spec = tiny_spec(mean=(0.4, 0.3, 0.2), deviation=(0.2, 0.2, 0.2))
    # As they are: a scene of one colour has no percentiles to stretch by.
    made = Predictor(scene, spec, preprocess(scene, spec, stretch="none"), Known(red), Options())

    codes = predict_codes(made)

    np.testing.assert_array_equal(codes == 255, ~valid)
    assert len(set(codes[valid].tolist())) == 1
    shown = np.unique(np.concatenate([batch[:, 0].ravel() for batch in seen(made)]))
    # (120 / 255 − 0.4) / 0.2, and 0, the training mean, where there is no data.
    assert shown == pytest.approx([0, (120 / 255 - 0.4) / 0.2], abs=1e-5)


def test_a_hole_in_one_band_is_a_hole_in_the_result(tmp_path: Path) -> None:
    values = np.full((3, 9, 9), 50, np.float32)
    values[2, 4, 4] = np.nan
    scene = Scene.open(write_raster(tmp_path / "hole.tif", values))
    made = Predictor(scene, tiny_spec(), preprocess(scene, tiny_spec(), stretch="none"), Known(red), Options())

    assert np.argwhere(predict_codes(made) == 255).tolist() == [[4, 4]]


def test_a_hole_in_a_band_that_is_not_used_is_none(tmp_path: Path) -> None:
    values = np.full((4, 9, 9), 50, np.float32)
    values[3, 4, 4] = -9999
    scene = Scene.open(write_raster(tmp_path / "hole.tif", values, nodata=-9999))
    made = Predictor(scene, tiny_spec(), preprocess(scene, tiny_spec(), (1, 2, 3), "none"), Known(red), Options())

    assert (predict_codes(made) != 255).all()


def test_resampling_mixes_nodata_with_nothing_but_the_training_mean(
    patchy: Callable[..., tuple[Scene, NDArray[np.bool_]]],
) -> None:
    scene, _ = patchy(**NODATA["float of nodata -9999"])
    spec = tiny_spec(ground_distance=20.0, mean=(0.3,) * 3, deviation=(0.1,) * 3)
    made = Predictor(scene, spec, preprocess(scene, spec, stretch="none"), Known(red), Options())

    predict_codes(made)

    shown = np.concatenate([batch[:, 0].ravel() for batch in seen(made)])
    assert shown.min() >= -1e-5
    assert shown.max() <= (120 / 255 - 0.3) / 0.1 + 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (31, 33), (33, 31), (32, 32), (64, 100)])
def test_rasters_of_every_shape_are_seen_in_windows_of_whole_steps(tmp_path: Path, size: tuple[int, int]) -> None:
    values = ramp(*size)
    made = predictor(Scene.open(write_raster(tmp_path / "scene.tif", values)), red)

    np.testing.assert_array_equal(predict_codes(made), expected_codes(values[0]))
    assert {side % 32 for batch in seen(made) for side in batch.shape[-2:]} == {0}


def test_a_network_that_reduces_its_input_is_given_larger_steps() -> None:
    assert input_step(tiny_spec()) == input_step(tiny_spec(upscale=2.0)) == 32
    assert input_step(tiny_spec(upscale=0.25)) == 128


def test_a_scene_of_twenty_metres_is_shown_to_a_model_of_ten_at_twice_its_size(tmp_path: Path) -> None:
    slope = np.broadcast_to(np.arange(60, dtype=np.uint8) * 4, (3, 40, 60)).copy()
    path = write_raster(tmp_path / "coarse.tif", slope)
    made = predictor(Scene.open(path), red, tiny_spec(ground_distance=5.0, tile=64))

    codes = predict_codes(made)

    assert (made.plan.window_height, made.plan.network_height) == (32, 64)
    assert codes.shape == (40, 60)
    # A plane stays one when it is enlarged and reduced again, but for the mirrored edges.
    assert np.abs(codes[:, 2:-2].astype(int) - expected_codes(slope[0])[:, 2:-2]).max() <= 1


def directional(batch: Floats) -> Floats:
    """A network that calls the left half of whatever it sees a landslide (logit ±2)."""
    half = batch.shape[-1] // 2
    answer = np.full_like(batch[:, :1], -2.0)
    answer[..., :half] = 2.0
    return answer


def test_turning_makes_a_network_that_minds_directions_undecided_and_its_spread_says_so(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(32, 32)))
    made = predictor(scene, directional, test_time_augmentation=True)

    ((_, values),) = made.strips(made.plan.whole)

    # Of the eight views every pixel lies in the left half of four.
    likely = 1 / (1 + np.exp(-2))
    assert values[0] == pytest.approx(0.5, abs=1e-6)
    assert values[1] == pytest.approx(likely - 0.5, abs=1e-6)


def test_windows_that_are_not_square_are_turned_by_half_turns_and_mirrors_only(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(32, 64)))
    made = predictor(scene, directional, tiny_spec(tile=64), test_time_augmentation=True)

    ((_, values),) = made.strips(made.plan.whole)

    assert {batch.shape[-2:] for batch in seen(made)} == {(32, 64)}
    assert len(seen(made)) == 4
    assert values[0] == pytest.approx(0.5, abs=1e-6)


def test_the_spread_is_written_beside_the_probability(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(32, 32)))

    _, names, _ = write_rasters(predictor(scene, directional, test_time_augmentation=True), tmp_path / "out")

    assert names == {"probability": "probability.tif", "uncertainty": "uncertainty.tif"}
    with Scene.open(tmp_path / "out" / "uncertainty.tif").reader() as reader:
        assert set(reader.read((1,)).values.ravel().tolist()) == {round((1 / (1 + np.exp(-2)) - 0.5) * 254)}


def test_an_area_is_written_on_its_own_grid_with_nodata_outside_its_outline(tmp_path: Path) -> None:
    values = ramp(40, 60)
    scene = Scene.open(write_raster(tmp_path / "scene.tif", values))
    area = Area(Region(4, 7, 20, 30), lambda region: np.indices((region.height, region.width)).sum(axis=0) % 2 == 0)

    grid, _, counts = write_rasters(predictor(scene, red), tmp_path / "out", area)

    with Scene.open(tmp_path / "out" / "probability.tif").reader() as reader:
        codes = reader.read((1,)).values[0]
    assert grid.xy(0, 0) == scene.grid.xy(4, 7)
    inside = codes != 255
    assert 0 < inside.sum() < codes.size
    np.testing.assert_array_equal(codes[inside], expected_codes(values[0, 4:24, 7:37])[inside])
    assert counts.model.sum() == inside.sum()


def test_progress_rises_to_the_number_of_windows(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(80, 80)))
    steps: list[tuple[int, int]] = []
    made = predictor(scene, red, batch=1)

    write_rasters(made, tmp_path / "out", progress=lambda done, total: steps.append((done, total)))

    number = len(made.plan.touching(made.plan.whole))
    assert steps == [(done, number) for done in range(1, number + 1)]


def test_cancelling_leaves_no_file_and_no_thread(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(80, 80)))
    threads = threading.active_count()
    asked: list[None] = []

    def third_time() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(RunCancelled):
        write_rasters(predictor(scene, red, batch=1), tmp_path / "out", cancel=third_time)

    assert len(asked) == 3
    assert list((tmp_path / "out").iterdir()) == []
    assert threading.active_count() == threads


def test_what_goes_wrong_while_reading_ahead_is_said(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "scene.tif", ramp(40, 40))
    made = predictor(Scene.open(path), red)
    write_raster(path, ramp(50, 50))

    with pytest.raises(InputError, match="has changed since it was opened"):
        predict_codes(made)


def test_what_goes_wrong_in_the_network_stops_the_run(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(80, 80)))
    threads = threading.active_count()

    def fail(batch: Floats) -> Floats:
        raise MemoryError

    with pytest.raises(MemoryError):
        write_rasters(predictor(scene, fail, batch=1), tmp_path / "out")
    assert threading.active_count() == threads


def test_windows_are_gathered_into_batches_of_about_half_a_megapixel(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", ramp(40, 40)))
    made = predictor(scene, red)

    assert made.batch == 32
    assert replace(made, options=Options(batch=5)).batch == 5
