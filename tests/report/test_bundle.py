"""A run leaves the house as one zip: whole, in constant memory, and telling where it came from."""

from __future__ import annotations

import io
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import psutil
import pytest

from core.errors import InputError, StorageError
from core.report.bundle import bundle, bundle_name, manifest
from core.review import log
from core.review.found import open_review
from core.runs.files import CHUNK
from core.runs.records import Failure, Order
from core.runs.result import RunResult
from core.runs.store import Store
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.result import MappingResult
from tests.factories import keep, made_run


@pytest.fixture
def run(tmp_path: Path, store: Store) -> MappingResult:
    """A mapping with truth, a report, labels and two explanations, one of which failed."""
    result = made_run(tmp_path / "made", np.full((8, 8), 0.5), reference=np.ones((8, 8), np.uint8))
    kept = keep(store, replace(result, provenance={"model": {"weights_sha256": "b" * 64}}, notes=("A note.",)))
    store.label(kept.id, name="Valley", note="Löss", tags=["b", "a"])
    report = tmp_path / "report.html"
    report.write_text("<p>report</p>" * 100)
    store.add_artifact(kept.id, "report", report)
    cam = made_run(tmp_path / "cam", np.full((4, 4), 0.25))
    keep(store, replace(cam, kind="explanation", artifacts={"cam": "probability.tif"}), parents=(kept.id,))
    failed = store.order(Order("mapping", "explanation", {}, parents=(kept.id,)))
    store.fail(failed, Failure("It failed."))
    return kept


def named(run: MappingResult, name: str) -> str:
    what, ending = name.split(".")
    return f"made_mapping_{what}_{run.id[:8]}.{ending}"


def opened(store: Store, identity: str) -> ZipFile:
    return ZipFile(io.BytesIO(b"".join(bundle(store, identity))))


def test_everything_of_a_run_is_in_it(store: Store, run: MappingResult) -> None:
    explanation = store.children(run.id, "explanation")[-1]

    with opened(store, run.id) as archive:
        assert archive.testzip() is None
        cam = f"explanations/{explanation.id[:8]}/made_mapping_cam_{explanation.id[:8]}.tif"
        names = ("probability.tif", "report.html", "reference.tif", "mask.tif", "landslides.gpkg")
        probability, report, truth, mask, polygons = (named(run, name) for name in names)
        assert archive.namelist()[:4] == ["manifest.json", probability, report, truth]
        assert {mask, polygons, cam} < set(archive.namelist())
        assert archive.read(probability) == run.artifact("probability").read_bytes()
        assert archive.read(report) == b"<p>report</p>" * 100
        assert archive.read(cam) == explanation.artifacts[0].path.read_bytes()
        kinds = {name: archive.getinfo(name).compress_type for name in archive.namelist()}
        assert {kinds[probability], kinds[cam]} == {ZIP_STORED}
        assert {kinds["manifest.json"], kinds[report]} == {ZIP_DEFLATED}


def test_the_manifest_says_where_it_came_from_and_what_is_in_the_zip(store: Store, run: MappingResult) -> None:
    with opened(store, run.id) as archive:
        content = json.loads(archive.read("manifest.json"))
        sizes = {info.filename: info.file_size for info in archive.infolist()}

    prepared = {one["file"]: one["bytes"] for one in content.pop("prepared")}
    assert content.pop("left_out") == []
    assert content.pop("view") is None
    assert content == manifest(store, store.run(run.id))
    said = content["run"]
    assert (said["id"], said["status"], said["kind"], said["scene"]["name"]) == (run.id, "done", "mapping", "made")
    assert (said["name"], said["note"], said["tags"]) == ("Valley", "Löss", ["a", "b"])
    assert said["weights_sha256"] == "b" * 64
    assert said["created"].endswith("+00:00")
    assert "owner" not in said  # a visitor's token is theirs
    assert content["notes"] == ["A note."]
    assert content["provenance"] == {"model": {"weights_sha256": "b" * 64}}
    assert content["metrics"]["precision"] == 1.0
    explanation = content["explanations"][0]
    assert [one["run"]["kind"] for one in content["explanations"]] == ["explanation"]
    assert explanation["run"]["parents"] == [run.id]
    files = {one["file"]: one for one in (*content["artifacts"], *explanation["artifacts"])}
    assert {name: one["bytes"] for name, one in files.items()} | prepared == {
        name: size for name, size in sizes.items() if name != "manifest.json"
    }
    assert files[named(run, "report.html")]["derived"]
    assert files[named(run, "reference.tif")]["digest"] == store.run(run.id).artifact("truth").digest


def test_the_zip_holds_what_reviewers_made_of_a_run(store: Store, run: MappingResult) -> None:
    found = open_review(store, store.run(run.id))
    (landslide,) = found.features
    before = opened(store, run.id).namelist()
    edit = found.judge((landslide,), "rejected", "road or building")
    log.append(store, run.id, found.features, edit, reviewer="Anna", seen=0, view=found.view_values)
    with opened(store, run.id) as archive:
        reviewed = {name: archive.read(name) for name in set(archive.namelist()) - set(before)}
        prepared = {one["file"] for one in json.loads(archive.read("manifest.json"))["prepared"]}

    expected = ("reviewed.gpkg", "reviewed.csv", "review-log.csv", "review.json")
    assert {named(run, name) for name in expected} <= set(reviewed) <= prepared
    assert b"road or building" in reviewed[named(run, "reviewed.csv")]
    log.undo(store, run.id, found.features, "Anna")
    with opened(store, run.id) as archive:
        assert b"road or building" not in archive.read(named(run, "reviewed.csv"))


def test_equal_runs_give_equal_bytes(store: Store, run: MappingResult) -> None:
    assert b"".join(bundle(store, run.id)) == b"".join(bundle(store, run.id))


def test_a_large_run_passes_through_little_memory(tmp_path: Path, store: Store) -> None:
    size = 48 * CHUNK
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(size)
    identity = store.begin(Order("mapping", "training", {}), server="", worker="")
    store.finish(identity, RunResult(id=identity, kind="training", folder=tmp_path, artifacts={"weights": "large.bin"}))

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    written = sum(len(piece) for piece in bundle(store, identity))
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()

    assert written < size  # zeros pack well
    assert peak < 12 * CHUNK


def test_what_cannot_be_bundled_is_said_before_the_first_byte(store: Store, run: MappingResult) -> None:
    waiting = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    with pytest.raises(InputError, match="queued"):
        bundle(store, waiting)
    with pytest.raises(InputError, match="not in the store"):
        bundle(store, "a" * 32)
    store.children(run.id, "explanation")[-1].artifacts[0].path.unlink()
    with pytest.raises(StorageError, match=r"explanations/.*_cam_.*\.tif .* no longer on disk"):
        bundle(store, run.id)


def test_a_failed_run_is_its_manifest(store: Store) -> None:
    identity = store.order(Order("mapping", "mapping", {"a": 1}, image_inputs("../Ünder valley.tif")))
    store.fail(identity, Failure("The disk is full.", detail="Traceback"))

    with opened(store, identity) as archive:
        assert archive.namelist() == ["manifest.json"]
        content = json.loads(archive.read("manifest.json"))
    assert content["run"]["failure"]["what"] == "The disk is full."
    assert content["parameters"] == {"a": 1}
    assert bundle_name(store.run(identity)) == f"Ünder-valley_mapping_run_{identity[:8]}.zip"


def test_a_reader_that_goes_away_leaves_no_file_open(store: Store, run: MappingResult) -> None:
    pieces = bundle(store, run.id)
    next(pieces)
    next(pieces)
    artifacts = str(store.home / "artifacts")
    assert any(file.path.startswith(artifacts) for file in psutil.Process().open_files())

    del pieces

    assert not any(file.path.startswith(artifacts) for file in psutil.Process().open_files())
