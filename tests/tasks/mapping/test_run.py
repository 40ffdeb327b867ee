"""A mapping run from a scene to a stored result, and what is refused on the way."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
from numpy.typing import NDArray
from rasterio.warp import transform_geom

from core.errors import GridError, InputError, ModelError, RunCancelled, StorageError
from core.jobs.perform import Job, perform
from core.learning.metrics import Confusion
from core.raster import write
from core.raster.area import area_of
from core.raster.scene import Scene
from core.report.cautions import is_warning
from core.runs.records import RunFilter
from core.runs.store import Store
from core.tasks.mapping.options import Options
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run import Request, request_for, request_of, run_mapping
from core.tasks.mapping.run_scored import order_scored, rescore
from tests.factories import (
    PLACEMENTS,
    constant_weights,
    expected_codes,
    keep,
    made_run,
    ramp,
    tiny_spec,
    write_model,
    write_raster,
)

RED = Request("red", engine="torch")


@pytest.fixture(autouse=True)
def _models(models: Path) -> None:
    write_model(models, tiny_spec("red"))


def codes_of(result: MappingResult, role: str = "probability") -> NDArray[np.uint8]:
    with Scene.open(result.artifact(role)).reader() as reader:
        return reader.read((1,)).values[0].astype(np.uint8)


def scene_of(folder: Path, values: NDArray[Any], placement: str = "north-up", **profile: Any) -> Scene:
    return Scene.open(write_raster(folder / "scene.tif", values, placement, **profile))


def runs_left(store: Store) -> list[Path]:
    """Folders of runs under way, and files of runs that are done."""
    return [*(store.home / "work").glob("*"), *(store.home / "artifacts").glob("*/*")]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_scene_is_mapped_on_its_own_grid_however_it_lies(tmp_path: Path, store: Store, placement: str) -> None:
    values = ramp(45, 70)
    scene = scene_of(tmp_path, values, placement)

    result = run_mapping(store, scene, RED)

    assert result.grid == scene.grid
    written = Scene.open(result.artifact("probability")).grid
    assert written.crs == scene.grid.crs
    assert written.transform.almost_equals(scene.grid.transform, 1e-9)
    np.testing.assert_array_equal(codes_of(result), expected_codes(values[0]))
    np.testing.assert_array_equal(result.counts[0], np.bincount(expected_codes(values[0]).ravel(), minlength=255))


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (37, 1), (31, 33), (100, 20)])
def test_rasters_of_every_shape_are_mapped(tmp_path: Path, store: Store, size: tuple[int, int]) -> None:
    values = ramp(*size)

    np.testing.assert_array_equal(
        codes_of(run_mapping(store, scene_of(tmp_path, values), RED)), expected_codes(values[0])
    )


def test_a_run_is_stored_with_where_all_of_it_came_from(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, ramp(20, 20))

    result = run_mapping(store, scene, RED)
    again = store.result(result.id, MappingResult)

    assert (again.scene, again.scene_digest, again.model) == ("scene", scene.digest, "red")
    assert store.scene_record(again.scene_id).scene.path == scene.path
    assert again.grid == result.grid
    np.testing.assert_array_equal(again.counts, result.counts)
    assert set(again.provenance) >= {"scene", "model", "parameters", "bridge", "runtime", "versions", "machine"}
    assert len(again.provenance["model"]["weights_sha256"]) == 64
    assert request_of(again) == request_of(result) == RED
    assert (again.kind, again.parents) == ("mapping", ())


def test_both_engines_map_alike(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, ramp(50, 40))

    torch, onnx = (codes_of(run_mapping(store, scene, Request("red", engine=e))) for e in ("torch", "onnx"))

    assert np.abs(torch.astype(int) - onnx).max() <= 1


def test_a_scene_the_model_was_trained_on_and_a_synthetic_one_say_so(
    tmp_path: Path, store: Store, models: Path
) -> None:
    path = write_raster(tmp_path / "scene.tif", ramp(20, 20))
    scene = Scene.open(path, synthetic=True)
    write_model(models, tiny_spec("learnt"), seen=[scene.digest])

    result = run_mapping(store, scene, Request("learnt", engine="torch"))

    assert "trained or selected on this image" in result.notes[0]
    assert "synthetic" in result.notes[1]
    write_model(models, tiny_spec("red", ground_distance=10.0))
    assert run_mapping(store, Scene.open(path), RED).notes == ()


def test_an_image_that_shows_the_model_too_little_is_warned_of(tmp_path: Path, store: Store, models: Path) -> None:
    write_model(models, tiny_spec("red", ground_distance=10.0))
    (told,) = run_mapping(store, Scene.open(write_raster(tmp_path / "scene.tif", ramp(10, 40))), RED).notes
    assert told.startswith("The image is much smaller than a tile of the model (40 × 10 of 32 × 32 pixels)")
    assert is_warning(told)


def test_sixteen_bits_are_stretched_and_it_is_said(tmp_path: Path, store: Store) -> None:
    values = np.tile(np.arange(1000, dtype=np.uint16).reshape(20, 50) * 5, (3, 1, 1))

    result = run_mapping(store, scene_of(tmp_path, values), RED)

    # 0 to 4995, of which 2 % is 99.9 and 98 % is 4895.1.
    expected = np.clip((values[0] - 99.9) / (4895.1 - 99.9), 0, 1) * 254
    assert np.abs(codes_of(result) - expected).max() <= 1
    assert any("rescaled" in note for note in result.notes)


def test_nodata_stays_nodata_beside_a_uniform_answer(tmp_path: Path, store: Store) -> None:
    values = np.full((3, 40, 40), 700, np.uint16)
    values[:, 10:20, 5:35] = 0

    result = run_mapping(store, scene_of(tmp_path, values, nodata=0), Request("red", stretch="none", engine="torch"))

    codes = codes_of(result)
    np.testing.assert_array_equal(codes == 255, values[0] == 0)
    assert set(codes[values[0] != 0].tolist()) == {254}
    assert result.counts.sum() == (values[0] != 0).sum()


def test_a_scene_of_twenty_metres_is_mapped_by_a_model_of_ten_on_the_scenes_grid(
    tmp_path: Path, store: Store, models: Path
) -> None:
    write_model(models, tiny_spec("half", ground_distance=5.0), constant_weights(0.2))
    scene = scene_of(tmp_path, ramp(33, 47))

    result = run_mapping(store, scene, Request("half", engine="torch"))

    assert result.grid == scene.grid
    assert set(codes_of(result).ravel().tolist()) == {51}
    assert any("resampled from 10 m to the model's pixel size of 5 m" in note for note in result.notes)


@pytest.mark.parametrize("placement", ["north-up", "rotated", "without CRS"])
def test_a_drawn_area_has_the_values_of_the_whole_scene_inside_and_nodata_outside(
    tmp_path: Path, store: Store, placement: str
) -> None:
    scene = scene_of(tmp_path, ramp(60, 80), placement)
    corners = [(20, 10), (70, 30), (30, 50), (20, 10)]
    outline = geopandas.GeoSeries.from_wkt(
        ["POLYGON((" + ",".join("{} {}".format(*(scene.grid.transform @ corner)) for corner in corners) + "))"],
        crs=scene.grid.crs.to_wkt() if scene.grid.crs else None,
    )
    drawn = (outline.to_crs(4326) if outline.crs else outline).iloc[0].__geo_interface__
    area = area_of(scene.grid, drawn)
    request = Request("red", options=Options(overlap=0.4, test_time_augmentation=True), engine="torch")

    whole = run_mapping(store, scene, request)
    part = run_mapping(store, scene, request, area_outline=drawn)

    region = area.region
    rows, columns = slice(region.row, region.end_row), slice(region.column, region.end_column)
    assert area.inside is not None
    inside = area.inside(region)
    assert part.grid.shape == (region.height, region.width)
    assert part.grid.xy(0, 0) == pytest.approx(scene.grid.xy(region.row, region.column))
    for role in ("probability", "uncertainty"):
        expected = np.where(inside, codes_of(whole, role)[rows, columns], 255)
        np.testing.assert_array_equal(codes_of(part, role), expected)
    assert part.counts.sum() == inside.sum()
    assert 0 < inside.sum() < inside.size


def reference_file(
    folder: Path, height: int, width: int, placement: str = "north-up"
) -> tuple[Path, NDArray[np.uint8]]:
    reference = np.zeros((height, width), np.uint8)
    reference[5:15, 8:30] = 1
    return write_raster(folder / "truth.tif", reference * 255, placement), reference


def test_scoring_afterwards_is_scoring_at_run_time(tmp_path: Path, store: Store) -> None:
    values = ramp(40, 50)
    mask = np.ones((40, 50), bool)
    mask[:3] = False
    scene = scene_of(tmp_path, values, mask=mask)
    path, reference = reference_file(tmp_path, 40, 50)

    at_once = run_mapping(store, scene, RED, reference=path)
    plain = run_mapping(store, scene, RED)
    later = rescore(store, plain, store.add_scene(scene.path, scene.name, reference=path))

    np.testing.assert_array_equal(later.counts, at_once.counts)
    assert later.baseline is not None
    assert at_once.baseline is not None
    np.testing.assert_array_equal(later.baseline, at_once.baseline)
    np.testing.assert_array_equal(codes_of(later, "truth"), codes_of(at_once, "truth"))
    np.testing.assert_array_equal(codes_of(later), codes_of(plain))
    assert later.provenance["truth"] == at_once.provenance["truth"]
    assert later.parents == (plain.id,)
    assert not store.result(plain.id, MappingResult).has_reference
    assert store.result(later.id, MappingResult).has_reference
    found = expected_codes(values[0])[3:] / 254 >= 0.5
    assert Confusion.at(at_once.counts, 0.5) == Confusion.of(found, reference[3:] == 1)


def test_scoring_as_a_job_is_scoring_at_once(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, ramp(40, 50))
    path, _ = reference_file(tmp_path, 40, 50)
    plain = run_mapping(store, scene, RED)
    record = store.add_scene(scene.path, scene.name, reference=path)
    at_once = rescore(store, plain, record)

    job = store.order(order_scored(plain, record, owner="somebody"))
    told: list[tuple[int, int]] = []
    perform(store, job, raising=True, listen=lambda *steps: told.append(steps))

    later = store.result(job, MappingResult)
    np.testing.assert_array_equal(later.counts, at_once.counts)
    assert later.artifacts == at_once.artifacts
    assert (later.kind, later.parents, later.scene_id) == ("scored", (plain.id,), record.id)
    assert told == [(0, 1), (1, 1)]
    assert store.run(job).metrics == store.run(at_once.id).metrics


def test_scoring_as_a_job_can_be_cancelled(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, ramp(40, 50))
    path, _ = reference_file(tmp_path, 40, 50)
    plain = run_mapping(store, scene, RED)
    job = store.order(order_scored(plain, store.add_scene(scene.path, scene.name, reference=path)))
    perform(store, job, stop=lambda: True)
    assert store.run(job).status == "cancelled"


def test_scoring_is_refused_without_inventory_of_what_is_no_map_and_on_another_image(
    tmp_path: Path, store: Store
) -> None:
    scene = scene_of(tmp_path, ramp(40, 50))
    path, _ = reference_file(tmp_path, 40, 50)
    plain = run_mapping(store, scene, RED)
    record = store.add_scene(scene.path, scene.name, reference=path)
    with pytest.raises(InputError, match="no reference inventory"):
        order_scored(plain, store.add_scene(scene.path, scene.name))
    change = keep(store, replace(plain, kind="change"), parents=(plain.id,))
    with pytest.raises(InputError, match="cannot be used for this: it is “Difference"):
        rescore(store, change, record)
    (tmp_path / "other").mkdir()
    other = scene_of(tmp_path / "other", ramp(40, 50)[::-1])
    with pytest.raises(InputError, match="no longer the image of this run"):
        rescore(store, plain, store.add_scene(other.path, other.name, reference=path))
    assert len(store.runs(RunFilter(kinds=("scored",)))) == 0


def test_the_baseline_is_counted_over_the_same_pixels(tmp_path: Path, store: Store) -> None:
    path, reference = reference_file(tmp_path, 40, 50)
    values = np.full((3, 40, 50), 100, np.uint8)
    values[0][reference == 1] = 200

    result = run_mapping(store, scene_of(tmp_path, values), RED, reference=path)

    assert result.baseline is not None
    # (200 − 100) / 401 = 0.249 within, 0 elsewhere; the threshold 0.12 tells them apart.
    assert Confusion.at(result.baseline, 0.56) == Confusion(220, 0, 0, 40 * 50 - 220)


def test_a_truth_that_does_not_overlap_is_refused_and_leaves_nothing(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, ramp(20, 20), "geographic")
    path, _ = reference_file(tmp_path, 40, 50, "south-up")

    with pytest.raises(GridError, match="does not overlap"):
        run_mapping(store, scene, RED, reference=path)
    assert runs_left(store) == []
    result = run_mapping(store, scene, RED)
    with pytest.raises(GridError, match="does not overlap"):
        rescore(store, result, store.add_scene(scene.path, scene.name, reference=path))
    assert len(runs_left(store)) == 1


def test_the_bar_stays_full_while_the_result_is_kept(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int, str]] = []
    heard: list[tuple[int, int]] = []
    report = Job.report

    def listening(job: Job, done: int, total: int, words: str = "") -> None:
        told.append((done, total, words))
        report(job, done, total, words)

    monkeypatch.setattr(Job, "report", listening)
    run_mapping(store, scene_of(tmp_path, ramp(45, 70)), RED, progress=lambda *steps: heard.append(steps))

    done, total, words = told[-1]
    assert "Saving" in words
    assert done == total > 1
    assert heard.count((total, total)) == 1


def test_cancelling_leaves_nothing(tmp_path: Path, store: Store) -> None:
    with pytest.raises(RunCancelled):
        run_mapping(store, scene_of(tmp_path, ramp(50, 50)), RED, cancel=lambda: True)

    assert runs_left(store) == []


@pytest.mark.parametrize("file", ["probability.tif", "truth.tif"])
def test_a_full_disk_leaves_no_half_run(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    path, _ = reference_file(tmp_path, 50, 50)
    flush = write._flush

    def full(written: Path) -> None:
        if written.name == file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(written)

    monkeypatch.setattr(write, "_flush", full)

    with pytest.raises(StorageError, match=f"{file} could not be written: No space left"):
        run_mapping(store, scene_of(tmp_path, ramp(50, 50)), RED, reference=path)
    assert runs_left(store) == []


@pytest.mark.parametrize(
    ("values", "request_", "error", "message"),
    [
        (ramp(9, 9, bands=1), RED, InputError, "has one band, the model needs 3"),
        (ramp(9, 9), Request("red", bands=(1, 2, 7), engine="torch"), InputError, "has no band 7"),
        (ramp(9, 9), Request("red", stretch="wild", engine="torch"), InputError, "not a valid stretch"),
        (ramp(9, 9), Request("../red", engine="torch"), ModelError, "Available models: red"),
        (np.full((3, 9, 9), np.nan, np.float32), RED, InputError, "holds no data"),
    ],
    ids=["one band", "band out of range", "stretch", "model outside its folder", "NaN everywhere"],
)
def test_what_cannot_be_mapped_is_refused_before_anything_is_made(
    tmp_path: Path, store: Store, values: NDArray[Any], request_: Request, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run_mapping(store, scene_of(tmp_path, values), request_)
    assert runs_left(store) == []


def test_a_model_whose_weights_were_altered_maps_nothing(tmp_path: Path, store: Store, models: Path) -> None:
    model = write_model(models, tiny_spec("altered"))
    (model.folder / "weights.safetensors").write_bytes(b"other")

    with pytest.raises(ModelError, match="SHA-256"):
        run_mapping(store, scene_of(tmp_path, ramp(9, 9)), Request("altered", engine="torch"))
    assert runs_left(store) == []


def test_a_file_cut_short_is_refused(tmp_path: Path, store: Store) -> None:
    path = write_raster(tmp_path / "scene.tif", np.random.default_rng(0).integers(0, 255, (3, 90, 90), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-9000])

    with pytest.raises(InputError, match="damaged or truncated"):
        run_mapping(store, Scene.open(path), RED)


def test_the_earlier_scene_is_read_by_the_names_of_its_bands(tmp_path: Path, store: Store) -> None:
    names = ("red", "green", "blue")
    after = Scene.open(write_raster(tmp_path / "after.tif", ramp(40, 40), descriptions=names))
    before = Scene.open(write_raster(tmp_path / "before.tif", ramp(40, 40)[::-1], descriptions=names[::-1]))

    result = run_mapping(store, after, Request("red", bands=(1, 2, 3), engine="torch"))
    request = request_for(result, after, before)

    assert request.bands == (3, 2, 1)
    ring = [after.grid.transform @ corner for corner in ((0, 0), (20, 0), (20, 20), (0, 20), (0, 0))]
    drawn = transform_geom(after.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [ring]})
    part = run_mapping(store, after, request_of(result), area_outline=drawn)
    assert part.provenance["parameters"]["area"] is not None
    assert request_for(part, after, before) == request
    np.testing.assert_array_equal(codes_of(run_mapping(store, before, request)), codes_of(result))


def test_a_drawn_part_of_an_image_without_coordinates_keeps_its_place(tmp_path: Path, store: Store) -> None:
    scene = scene_of(tmp_path, ramp(40, 50), "without CRS")
    ring = [(10, 20), (30, 20), (30, 35), (10, 35), (10, 20)]
    path, _ = reference_file(tmp_path, 40, 50, "without CRS")

    result = run_mapping(store, scene, RED, area_outline={"type": "Polygon", "coordinates": [ring]})

    codes = codes_of(result)
    assert result.grid == scene.grid
    assert np.argwhere(codes != 255).min(axis=0).tolist() == [20, 10]
    assert np.argwhere(codes != 255).max(axis=0).tolist() == [34, 29]
    assert rescore(store, result, store.add_scene(scene.path, scene.name, reference=path)).counts.sum() == 15 * 20


def test_pixels_of_which_the_reference_knows_nothing_are_part_of_the_image_and_of_no_score(tmp_path: Path) -> None:
    probability, reference = np.zeros((4, 5)), np.full((4, 5), 255, np.uint8)
    probability[0], probability[2], reference[0], reference[1] = 0.9, 0.9, 1, 0
    run = made_run(tmp_path / "made", probability, reference=reference)
    assert run.counts.sum(axis=1).tolist() == [5, 5, 10]
    assert run.metrics()["area_share"] == 0.5
    assert run.metrics()["precision"] == run.metrics()["recall"] == 1


def test_a_partial_review_as_reference_of_an_older_run_gives_no_share_of_the_image(tmp_path: Path) -> None:
    probability, reference = np.zeros((4, 5)), np.full((4, 5), 255, np.uint8)
    probability[0], reference[0] = 0.9, 1
    run = made_run(tmp_path / "made", probability, reference=reference)
    for complete, told in ((False, False), (True, True)):
        truth = {"name": "Review of run 80ab4341", "review": {"run": "80ab4341", "complete": complete}}
        asked = replace(run, provenance={**run.provenance, "truth": truth}, counts=run.counts[:2])
        assert asked.partly_known is not complete
        assert ("area_share" in asked.metrics()) == told
        assert asked.metrics()["recall"] == 1
    assert not run.partly_known
