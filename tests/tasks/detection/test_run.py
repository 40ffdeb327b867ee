"""A detection run from a scene to a stored result, and what is refused on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
from numpy.typing import NDArray
from shapely.geometry import box

from core.errors import BandError, GridError, InputError, ModelError, RunCancelled
from core.jobs.perform import perform, run_inline
from core.learning.store import WEIGHTS, find_model
from core.raster.scene import Scene
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.detection.candidates import read_boxes
from core.tasks.detection.findings import default_choice, find
from core.tasks.detection.options import Options
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import (
    Request,
    order_of,
    order_scored,
    request_for,
    request_of,
    rescore,
    run_detection,
    write_reference,
)
from core.tasks.detection.runtime import open_detector
from core.tasks.mapping.result import MappingResult
from tests.factories import (
    PLACEMENTS,
    detector_spec,
    keep_detection,
    made_detection,
    make_detector_model,
    tiny_spec,
    write_model,
    write_raster,
)

BRIGHT = Request("bright", stretch="none")
PATCHES = [[10, 12, 30, 28], [40, 50, 140, 62]]


@pytest.fixture(autouse=True)
def _models(models: Path) -> None:
    make_detector_model(models)


def image(height: int = 90, width: int = 150) -> NDArray[np.uint8]:
    values = np.full((3, height, width), 40, np.uint8)
    for left, top, right, bottom in PATCHES:
        values[0, top:bottom, left:right] = 230
    return values


def mask(height: int = 90, width: int = 150) -> NDArray[np.uint8]:
    return (image(height, width)[0] > 100).astype(np.uint8)


def scene_of(folder: Path, placement: str = "north-up", **profile: Any) -> Scene:
    return Scene.open(write_raster(folder / "scene.tif", image(), placement, **profile))


def runs_left(store: Store) -> list[Path]:
    """Folders of runs under way, and files of runs that are done."""
    return [*(store.home / "work").glob("*"), *(store.home / "artifacts").glob("*/*")]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_scene_is_searched_on_its_own_grid_however_it_lies(tmp_path: Path, store: Store, placement: str) -> None:
    scene = scene_of(tmp_path, placement)

    result = run_detection(store, scene, BRIGHT)

    assert result.grid == scene.grid
    assert sorted(find(result, default_choice(result)).boxes.corners.tolist()) == PATCHES
    assert result.metrics() == {"boxes": 2}


def test_a_run_is_stored_with_where_all_of_it_came_from(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path)
    reference = write_raster(tmp_path / "truth.tif", mask())

    result = run_detection(store, scene, BRIGHT, reference=reference, name="A try")
    run = store.run(result.id)

    assert store.result(result.id, DetectionResult) == result
    assert (run.task, run.kind, run.status) == ("detection", "detection", "done")
    assert (run.name, run.model) == ("A try", "bright")
    assert run.metrics == {"boxes": 2, "ap50": 1, "ap50_95": 1, "f1": 1, "precision": 1, "recall": 1}
    model = find_model("detection", "bright")
    told = result.provenance
    assert told["model"] == {
        "name": "bright", "family": "bright", "weights_sha256": model.spec.weights_sha256, "threshold": 0.5,
        "nms_iou": 0.5,
    }  # fmt: skip
    assert told["scene"]["digest"] == scene.digest
    assert told["truth"]["name"] == "truth.tif"
    assert told["bridge"]["bands"] == [1, 2, 3]
    assert told["runtime"]["name"].startswith("torch")
    assert {artifact.media_type for artifact in run.artifacts} == {"application/vnd.apache.parquet"}
    assert request_of(result) == BRIGHT


def test_boxes_of_which_the_reference_says_nothing_are_no_false_alarms(tmp_path: Path, store: Store) -> None:
    """The reference knows the left half alone, and nothing there: one box is false, of the other nothing is known."""
    scene = scene_of(tmp_path)
    half = np.zeros_like(mask())
    half[:, half.shape[1] // 2 :] = 255
    reference = write_raster(tmp_path / "half.tif", half, nodata=255)

    result = run_detection(store, scene, BRIGHT, reference=reference)
    found = find(result, default_choice(result))

    middle = half.shape[1] / 2
    expected = ["false" if (left + right) / 2 < middle else "not known" for left, _, right, _ in found.boxes.corners]
    assert found.table["outcome"].tolist() == expected
    assert set(expected) == {"false", "not known"}
    assert found.scores is not None
    assert (found.scores.found, found.scores.hits) == (expected.count("false"), 0)
    assert any("does not cover 50.0 % of the image" in note for note in result.notes)
    later = store.add_scene(scene.path, "scene", reference=write_raster(tmp_path / "t.tif", mask()))
    again = rescore(store, result, later)
    assert "known" not in again.artifacts
    assert set(find(again, default_choice(again)).table["outcome"]) == {"true"}


def test_an_image_that_was_replaced_after_the_order_is_refused(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path)
    order = order_of(store.add_scene(scene.path, "scene"), BRIGHT)
    write_raster(scene.path, 255 - image())

    with pytest.raises(InputError, match="It has been replaced since the run"):
        run_inline(store, order)


def test_the_same_run_again_keeps_the_same_file(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path)

    one, two = run_detection(store, scene, BRIGHT), run_detection(store, scene, BRIGHT)

    assert one.id != two.id
    assert one.artifacts == two.artifacts


def test_a_queued_order_is_done_by_whoever_takes_it(tmp_path: Path, store: Store) -> None:
    record = store.add_scene(scene_of(tmp_path).path, "scene")
    identity = store.order(order_of(record, BRIGHT, owner="somebody"))

    perform(store, identity)

    assert store.run(identity).status == "done"
    assert store.result(identity, DetectionResult).metrics() == {"boxes": 2}


def test_a_scene_the_model_has_seen_and_a_synthetic_one_are_marked(
    tmp_path: Path, store: Store, models: Path
) -> None:
    scene = replace(scene_of(tmp_path), synthetic=True)
    make_detector_model(models, detector_spec("learnt"), seen=[scene.digest])

    result = run_detection(store, scene, replace(BRIGHT, model="learnt"))

    assert result.provenance["scene"]["seen_by_model"]
    assert "trained or selected on this image" in result.notes[0]
    assert "synthetic" in result.notes[1]


def test_a_drawn_area_alone_is_searched_and_scored(tmp_path: Path, store: Store) -> None:
    from rasterio.warp import transform_geom

    scene = scene_of(tmp_path)
    reference = write_raster(tmp_path / "truth.tif", mask())
    corners = [scene.grid.transform @ pixel for pixel in [(0, 0), (60, 0), (60, 40), (0, 40), (0, 0)]]
    drawn = transform_geom(scene.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [corners]})

    result = run_detection(store, scene, BRIGHT, reference=reference, area_outline=drawn)

    assert find(result, default_choice(result)).boxes.corners.tolist() == [PATCHES[0]]
    assert result.metrics()["recall"] == 1
    assert result.notes[-1].startswith("1 of the 2 landslides of the reference")


def test_a_reference_added_later_scores_the_run_without_searching_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store.add_scene(scene_of(tmp_path).path, "scene")
    identity = store.order(order_of(record, BRIGHT))
    perform(store, identity)
    result = store.result(identity, DetectionResult)
    half = mask()
    half[:, 35:] = 0
    known = store.add_scene(record.scene.path, "scene", reference=write_raster(tmp_path / "truth.tif", half))
    monkeypatch.setattr("core.tasks.detection.runtime.DetectorRuntime.detect", lambda *_: pytest.fail("searched again"))

    scored = rescore(store, result, known)

    assert (scored.kind, scored.parents) == ("scored", (identity,))
    assert scored.artifacts["candidates"] == result.artifacts["candidates"]
    assert scored.metrics()["precision"] == pytest.approx(0.5)
    assert scored.metrics()["recall"] == 1
    assert store.result(identity, DetectionResult).metrics() == {"boxes": 2}


def test_scoring_as_a_job_gives_what_scoring_at_once_gives(tmp_path: Path, store: Store) -> None:
    scene, reference = scene_of(tmp_path), write_raster(tmp_path / "truth.tif", mask())
    result = run_detection(store, scene, BRIGHT)
    record = store.add_scene(scene.path, "scene", reference=reference)

    identity = store.order(order_scored(result, record))
    perform(store, identity)

    assert store.result(identity, DetectionResult).metrics() == rescore(store, result, record).metrics()


def test_scoring_without_a_reference_or_on_another_image_is_refused(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path)
    result = run_detection(store, scene, BRIGHT)
    record = store.add_scene(scene.path, "scene")

    with pytest.raises(InputError, match="no reference inventory"):
        rescore(store, result, record)
    other = Scene.open(write_raster(tmp_path / "other.tif", image()[:, ::-1].copy()))
    reference = write_raster(tmp_path / "truth.tif", mask())
    with pytest.raises(InputError, match="no longer the image of this run"):
        rescore(store, result, store.add_scene(other.path, "other", reference=reference))
    assert len(store.runs(RunFilter(kinds=("scored",)))) == 0


def test_a_run_of_one_task_is_none_of_the_other(tmp_path: Path, store: Store) -> None:
    result = run_detection(store, scene_of(tmp_path), BRIGHT)

    with pytest.raises(InputError, match="of the task detection"):
        store.result(result.id, MappingResult)
    kept = keep_detection(store, made_detection(tmp_path / "made", result.candidates()))
    assert store.result(kept.id, DetectionResult).candidates().corners.tolist() == result.candidates().corners.tolist()


def test_bands_of_another_scene_are_found_by_name(tmp_path: Path, store: Store) -> None:
    names = ("red", "green", "blue")
    scene = Scene.open(write_raster(tmp_path / "one.tif", image(), descriptions=names))
    other = Scene.open(write_raster(tmp_path / "two.tif", image()[::-1].copy(), descriptions=names[::-1]))
    result = run_detection(store, scene, BRIGHT)

    assert request_for(result, scene, other).bands == (3, 2, 1)


def test_cancelling_leaves_nothing(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path)

    with pytest.raises(RunCancelled):
        run_detection(store, scene, replace(BRIGHT, options=Options(batch=1)), cancel=lambda: True)

    assert [run.status for run in store.runs()] == ["cancelled"]
    assert runs_left(store) == []


def test_progress_is_told_in_windows(tmp_path: Path, store: Store) -> None:
    steps: list[tuple[int, int]] = []

    run_detection(
        store, scene_of(tmp_path), replace(BRIGHT, options=Options(batch=1)),
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip

    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1] == 6


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (Request("nothing"), ModelError, "no detection model"),
        (Request("bright", bands=(1, 2, 9)), BandError, "no band 9"),
        (Request("bright", bands=(1,)), BandError, "needs 3 bands"),
        (Request("bright", stretch="9"), InputError, "9"),
    ],
)
def test_what_cannot_be_is_refused_and_said(
    tmp_path: Path, store: Store, request_: Request, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        run_detection(store, scene_of(tmp_path), request_)

    assert runs_left(store) == []


def test_a_scene_without_a_valid_pixel_is_refused(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, mask=np.zeros((90, 150), dtype=bool))

    with pytest.raises(InputError, match="holds no data"):
        run_detection(store, scene, BRIGHT)


def test_a_reference_elsewhere_is_refused(tmp_path: Path, store: Store) -> None:
    from affine import Affine

    reference = write_raster(tmp_path / "truth.tif", mask(), transform=Affine(10, 0, 900_000, 0, -10, 900_000))

    with pytest.raises(GridError, match="overlap"):
        run_detection(store, scene_of(tmp_path), BRIGHT, reference=reference)
    assert runs_left(store) == []


def test_a_detector_is_opened_once_and_never_with_other_weights(models: Path) -> None:
    model = find_model("detection", "bright")

    assert open_detector(model, threads=1) is open_detector(find_model("detection", "bright"), threads=1)
    assert open_detector(model, threads=1) is not open_detector(model, threads=2)
    (model.folder / WEIGHTS).write_bytes(b"other weights")
    with pytest.raises(ModelError, match="not the ones it was scored with"):
        open_detector(model, threads=3)


def test_a_family_that_is_unknown_is_said_with_those_that_are(models: Path) -> None:
    model = write_model(models, tiny_spec("odd", task="detection", architecture="divining-rod"))

    with pytest.raises(ModelError, match="divining-rod"):
        open_detector(model)


def test_landslides_of_the_reference_that_are_too_small_are_told_of(tmp_path: Path) -> None:
    scene = Scene.open(write_raster(tmp_path / "scene.tif", np.full((3, 40, 50), 90, np.uint8)))
    # Of 6 × 10 pixels of 10 m, of 2 × 2, and of 5 × 3, of which 3 × 3 lie in the scene.
    left, top = scene.grid.transform.c, scene.grid.transform.f
    shapes = [
        box(left + 50, top - 100, left + 150, top - 40), box(left + 200, top - 220, left + 220, top - 200),
        box(left + 470, top - 300, left + 520, top - 270),
    ]  # fmt: skip
    geopandas.GeoDataFrame(geometry=shapes, crs=scene.grid.crs).to_file(tmp_path / "known.gpkg")
    (tmp_path / "out").mkdir()
    names, notes = write_reference(tmp_path / "known.gpkg", scene, (1, 2, 3), tmp_path / "out", None)
    assert len(read_boxes(tmp_path / "out" / names["truth"])) == 1
    assert "2 landslides of the reference have fewer than 10 pixels in the image and are not counted." in notes
