"""Scenes beside the training images of their model: what a run keeps and says of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

import tests.tasks.detection.fakes  # noqa: F401  registers the family "bright"
from core.errors import RunCancelled
from core.learning.measure_training import Images, measure
from core.learning.preprocessing import preprocess
from core.learning.store import StoredModel, find_model, sha256
from core.learning.training_distance import STATISTICS, UNLIKE, TrainingStatistics
from core.raster.scene import Scene
from core.raster.windows import Region, WindowPlan
from core.runs.store import Store
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import Request as DetectionRequest
from core.tasks.detection.run import run_detection
from core.tasks.imagery.likeness import is_unlike, likeness_words, training_images_words
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.training_distance import MOST_TILES, UNKNOWN, cells, compare
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, order_of, run_mapping
from core.tasks.mapping.run_scored import rescore
from core.tasks.mapping.run_shards import last, part, plan
from tests.factories import detector_spec, fields, made_run, make_detector_model, tiny_spec, write_model, write_raster


def no_channels(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.zeros((len(batch), 0, 1, 1), np.float32)


@cache
def fitted() -> TrainingStatistics:
    return measure(tiny_spec("red"), Images(fields(60, 0)), Images(fields(20, 1)), no_channels)


def learnt(model: StoredModel) -> StoredModel:
    """A model whose training images are reddish fields, which it was measured by in tiles of 32 pixels."""
    replace(fitted(), weights_sha256=model.spec.weights_sha256).write(model.folder / STATISTICS)
    return model


@pytest.fixture
def model(models: Path) -> StoredModel:
    return learnt(write_model(models, tiny_spec("red")))


def image(seed: int = 2) -> NDArray[np.uint8]:
    """128 by 192 pixels of six reddish fields: twenty-four tiles."""
    parts = fields(6, seed)
    rows = [np.concatenate(list(row), axis=2) for row in (parts[:3], parts[3:])]
    return np.concatenate(rows, axis=1)


def half_turned() -> NDArray[np.uint8]:
    """The left half of it with its bands turned."""
    values = image()
    values[:, :, :96] = values[::-1, :, :96]
    return values


def mapped(store: Store, folder: Path, values: NDArray[Any], placement: str = "north-up", **more: Any) -> MappingResult:
    scene = Scene.open(write_raster(folder / "scene.tif", values, placement))
    return run_mapping(store, scene, Request("red", engine="torch"), **more)


def ratios(result: ImageResult) -> NDArray[np.float32]:
    with rasterio.open(result.artifact("training_distance")) as dataset:
        values: NDArray[np.float32] = dataset.read(1)
    return values


def test_a_scene_like_the_training_images_is_told_its_place_and_not_warned_of(
    tmp_path: Path, store: Store, model: StoredModel
) -> None:
    result = mapped(store, tmp_path, image())

    record = result.training_distance
    assert (record["measured"], record["tile"], record["tiles"]) == (True, 32, 24)
    assert 0 < record["median_percentile"] < 95
    assert record["statistics_sha256"] == sha256(model.folder / STATISTICS)
    assert result.metrics()["unlike_training"] == record["share_beyond"] < 0.25
    assert not any(note.startswith(UNLIKE) for note in result.notes)
    assert not is_unlike(result)
    assert f"farther than {record['median_percentile']:.0f} % of the training tiles" in likeness_words(result)


@pytest.mark.parametrize("placement", ["north-up", "rotated", "without CRS"])
def test_the_part_that_is_unlike_is_shown_where_it_lies_and_warned_of(
    tmp_path: Path, store: Store, model: StoredModel, placement: str
) -> None:
    result = mapped(store, tmp_path, half_turned(), placement)

    shown = ratios(result)
    assert shown.shape == (4, 6)
    assert (shown[:, :3] > 1).all()
    assert (shown[:, 3:] > 1).mean() < 0.35
    with rasterio.open(result.artifact("training_distance")) as dataset:
        assert dataset.transform.almost_equals(result.grid.resized(6, 4).transform, 1e-9)
        assert dataset.nodata == UNKNOWN
        assert dataset.tags().get("pixel_size") == ("32.0 32.0" if placement == "without CRS" else None)
    share = float((shown > 1).mean())
    assert result.metrics()["unlike_training"] == pytest.approx(share, abs=1e-4)
    assert result.notes[0].startswith(f"{UNLIKE} {100 * share:.0f} % of this image differs in colour or texture")
    assert is_unlike(result)
    assert f"{round(share * 24)} of 24 tiles ({100 * share:.0f} %) exceed the limit" in likeness_words(result)


def test_ground_without_data_and_outside_the_drawn_area_is_not_known(
    tmp_path: Path, store: Store, model: StoredModel
) -> None:
    values = np.maximum(image(), 1)
    values[:, :64] = 0
    scene = Scene.open(write_raster(tmp_path / "scene.tif", values, "without CRS", nodata=0))
    ring = [(0, 0), (96, 0), (96, 128), (0, 128), (0, 0)]

    result = run_mapping(
        store, scene, Request("red", engine="torch"), area_outline={"type": "Polygon", "coordinates": [ring]}
    )

    known = ratios(result) != UNKNOWN
    assert known[2:, :3].all()
    assert known.sum() == result.training_distance["tiles"] == 6


def test_a_scene_without_enough_data_in_any_tile_is_not_measured(
    tmp_path: Path, store: Store, model: StoredModel
) -> None:
    values = np.zeros((3, 64, 64), np.uint8)
    values[:, :4, :4] = 90
    scene = Scene.open(write_raster(tmp_path / "scene.tif", values, nodata=0))

    result = run_mapping(store, scene, Request("red", engine="torch"))

    assert "training_distance" not in result.artifacts
    assert "unlike_training" not in result.metrics()
    assert "holds enough data" in likeness_words(result)


def test_a_model_without_statistics_says_so_and_an_older_run_that_it_was_not_measured(
    tmp_path: Path, store: Store, models: Path
) -> None:
    write_model(models, tiny_spec("red"))

    result = mapped(store, tmp_path, image())

    assert not result.training_distance["measured"]
    assert not any(note.startswith(UNLIKE) for note in result.notes)
    assert "training_distance" not in result.artifacts
    assert likeness_words(result).endswith("The model red has no statistics of its training images.")
    older = made_run(tmp_path / "older", np.zeros((4, 4)))
    assert likeness_words(older) == "Distance from the training images: not measured in this run."
    assert not is_unlike(older)


def test_what_stands_on_a_run_keeps_its_distance_and_its_warning(
    tmp_path: Path, store: Store, model: StoredModel
) -> None:
    result = mapped(store, tmp_path, half_turned())
    mask = write_raster(tmp_path / "mask.tif", np.indices((128, 192))[:1].astype(np.uint8) // 64)

    scored = rescore(store, result, store.add_scene(tmp_path / "scene.tif", "scene", reference=mask))

    assert scored.notes == result.notes
    assert scored.metrics()["unlike_training"] == result.metrics()["unlike_training"]
    assert scored.artifact("training_distance") == result.artifact("training_distance")


def test_a_detector_is_told_of_by_the_same_measure(tmp_path: Path, store: Store, models: Path) -> None:
    learnt(make_detector_model(models, detector_spec(tile=32)))
    scene = Scene.open(write_raster(tmp_path / "scene.tif", half_turned()))

    result = run_detection(store, scene, DetectionRequest("bright"))
    again = store.result(result.id, DetectionResult)

    assert (ratios(again)[:, :3] > 1).all()
    assert again.notes[0].startswith(UNLIKE)
    assert again.metrics()["unlike_training"] >= 0.5


def test_a_scene_of_other_pixels_is_compared_as_the_model_sees_it(tmp_path: Path, models: Path) -> None:
    model = learnt(write_model(models, tiny_spec("red", ground_distance=10.0)))
    finer = np.repeat(np.repeat(image(), 2, axis=1), 2, axis=2)
    write_raster(tmp_path / "fine.tif", finer)
    half = Scene.open(write_raster(tmp_path / "scene.tif", image()))
    # The pixels of the factory's raster are of ten metres: half of that is what the finer one says.
    with rasterio.open(tmp_path / "fine.tif", "r+") as dataset:
        dataset.transform = dataset.transform @ rasterio.Affine.scale(0.5)
    scene = Scene.open(tmp_path / "fine.tif")

    for one in (scene, half):
        found = compare(one, model, preprocess(one, model.spec), lambda: no_channels, tmp_path)
        assert found.record["tiles"] == 24
        assert found.notes == ()


def test_a_large_scene_is_looked_at_in_a_bounded_number_of_tiles() -> None:
    for height, width in ((10_000, 10_000), (200, 500_000), (500_000, 200), (128, 128), (1, 1), (5_000, 70_000)):
        plan = WindowPlan.over(height, width, 128, 0.0)
        rows, columns = cells(Region(0, 0, height, width), plan)
        assert 1 <= rows * columns <= MOST_TILES, (height, width)
    assert cells(Region(0, 0, 512, 640), WindowPlan.over(512, 640, 128, 0.0)) == (4, 5)


def test_comparing_can_be_stopped(tmp_path: Path, model: StoredModel) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", image()))

    with pytest.raises(RunCancelled):
        compare(scene, model, preprocess(scene, model.spec), lambda: no_channels, tmp_path, cancel=lambda: True)

    assert not (tmp_path / "training_distance.tif").exists()


def test_a_card_says_what_the_training_images_were_measured_by(models: Path, model: StoredModel) -> None:
    assert "on tiles of 32 px against 480 tiles" in training_images_words(model)
    write_model(models, tiny_spec("other"))
    assert "not measured" in training_images_words(find_model("mapping", "other"))


def test_workers_that_share_a_mapping_compare_it_as_one_does(tmp_path: Path, store: Store, model: StoredModel) -> None:
    alone = mapped(store, tmp_path, half_turned())
    record = store.scene_record(alone.scene_id)
    identity = store.begin(order_of(record, Request("red", engine="torch")), server="tests", worker="shared")

    for block in plan(store, identity).parts:
        part(store, **block.arguments)
    last(store, identity)

    shared = store.result(identity, MappingResult)
    assert shared.training_distance == alone.training_distance
    assert shared.artifact("training_distance") == alone.artifact("training_distance")
    assert shared.notes == alone.notes


def test_a_shipped_model_warns_of_turned_bands(tmp_path: Path, store: Store, repository: Path) -> None:
    with rasterio.open(repository / "data" / "samples" / "valley_before.tif") as dataset:
        window = Window(128, 256, 256, 128)
        values, place = dataset.read((1, 2, 3), window=window), dataset.window_transform(window)
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "width": 256, "height": 128, "crs": dataset.crs}
    # As a picture of 8 bits, whose values are used as they are.
    with rasterio.open(tmp_path / "cut.tif", "w", **profile, transform=place) as dataset:
        dataset.write(np.clip(values // 8, 1, 255).astype(np.uint8))
    scene, shares = Scene.open(tmp_path / "cut.tif"), []

    for bands in ((1, 2, 3), (3, 2, 1)):
        result = run_mapping(store, scene, Request("fpn-regnety", engine="torch", bands=bands))
        shares.append(ratios(result))
        assert ratios(result).shape == (1, 2)

    assert (shares[1] > 1).all()
    assert is_unlike(result)
    assert result.notes[0].startswith(f"{UNLIKE} 100 % of this image")
    assert (shares[1] > shares[0] + 1).all()
