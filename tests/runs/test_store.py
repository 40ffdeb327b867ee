"""Scenes and runs are found by their ids alone, and nothing half-made is kept."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError, StorageError, UnsafeFileError
from core.runs.records import Order
from core.runs.result import RunResult
from core.runs.store import Store, data_folder, default_store, home_folder, new_id
from tests.factories import keep, made_run, ramp, write_raster

VRT = """<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""

MALFORMED = ["", "..", "../../etc", "g" * 32, "A" * 32, "a" * 31, "a" * 33, "a" * 31 + "/", "a" * 32 + "\n", "\x00"]


def scene_file(folder: Path, name: str = "scene.tif") -> Path:
    return write_raster(folder / name, ramp(6, 8))


@pytest.mark.parametrize("identity", MALFORMED)
def test_what_is_no_id_is_refused_everywhere(store: Store, identity: str) -> None:
    datasets = (
        store.scene_record,
        store.dataset,
        lambda text: store.detach(text, "reference"),
        lambda text: store.attach(text, "reference", io.BytesIO(b""), ".tif"),
    )
    runs = (
        store.run,
        store.files_of,
        store.result,
        store.cancel,
        store.delete,
        store.work_folder,
        lambda text: store.artifact(text, "probability"),
    )
    for asked, refusal in ((datasets, "^No such dataset"), (runs, "^No such run")):
        for ask in asked:
            with pytest.raises(InputError, match=refusal):
                ask(identity)


def test_an_id_that_is_not_here_says_so(store: Store) -> None:
    with pytest.raises(InputError, match="image is not in the store"):
        store.scene_record("a" * 32)
    with pytest.raises(InputError, match="run is not in the store"):
        store.run("a" * 32)


def test_the_same_file_given_twice_keeps_its_id(tmp_path: Path, store: Store) -> None:
    path = scene_file(tmp_path)

    first = store.add_scene(path, "valley", origin="sample")

    assert store.add_scene(path, "valley", origin="sample").id == first.id
    assert store.add_scene(path, "hill", origin="sample").id != first.id
    assert len(list(store.scenes())) == 2


def test_a_scene_used_in_place_stays_where_it_is(tmp_path: Path, store: Store) -> None:
    path, reference = scene_file(tmp_path), scene_file(tmp_path, "truth.tif")

    record = store.add_scene(path, "valley", reference=reference, synthetic=True, licence="CC0-1.0", citation="Us.")

    assert record.scene.path == path
    assert record.reference == reference
    assert (record.scene.name, record.scene.synthetic, record.scene.licence) == ("valley", True, "CC0-1.0")
    store.detach(record.id, "reference")
    assert store.scene_record(record.id).reference is None
    assert reference.exists()


def test_an_upload_is_kept_under_a_name_of_ours(tmp_path: Path, store: Store) -> None:
    content = scene_file(tmp_path).read_bytes()

    record = store.upload_scene(io.BytesIO(content), "../../evil.tif")

    digest = hashlib.sha256(content).hexdigest()
    assert record.scene.path == store.home / "files" / digest[:2] / f"{digest}.tif"
    assert record.scene.path.read_bytes() == content
    assert record.scene.name == "../../evil.tif"
    assert record.origin == "uploaded"


def test_an_upload_is_named_by_what_it_is(store: Store) -> None:
    content = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(content, "PNG")
    content.seek(0)

    assert store.upload_scene(content, "picture.tif").scene.path.suffix == ".png"


@pytest.mark.parametrize(
    "content", [VRT.encode(), b"", b"hello", b"II*\x00broken", b"\x89PNG\r\n\x1a\n"],
    ids=["VRT", "empty", "text", "cut TIFF", "cut PNG"],
)  # fmt: skip
def test_an_upload_that_is_no_image_leaves_nothing_behind(store: Store, content: bytes) -> None:
    with pytest.raises(InputError):
        store.upload_scene(io.BytesIO(content), "image.tif")

    assert list((store.home / "files").iterdir()) == []
    assert list(store.scenes()) == []


def test_a_virtual_raster_named_tif_is_called_unsafe(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "data.tif"
    path.write_text(VRT)

    with pytest.raises(UnsafeFileError, match="not a GeoTIFF"):
        store.add_scene(path, "valley")


def test_a_disk_full_at_the_end_of_an_upload_leaves_nothing_behind(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = scene_file(tmp_path).read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageError, match="No space left"):
        store.upload_scene(io.BytesIO(content), "valley.tif")
    assert list((store.home / "files").iterdir()) == []


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file in the way")

    with pytest.raises(StorageError, match="SLIDELENS_HOME"):
        Store(tmp_path / "home")


def test_reference_and_elevation_are_given_and_taken_away(tmp_path: Path, store: Store) -> None:
    record = store.upload_scene(io.BytesIO(scene_file(tmp_path).read_bytes()), "valley.tif")

    with_reference = store.attach(record.id, "reference", io.BytesIO(b"reference"), ".gpkg")
    with_both = store.attach(record.id, "dem", io.BytesIO(b"dem"), ".tif")

    assert with_reference.reference is not None
    assert with_reference.reference.read_bytes() == b"reference"
    assert with_both.reference == with_reference.reference
    assert with_both.dem is not None
    assert with_both.dem.read_bytes() == b"dem"
    store.detach(record.id, "reference")
    assert store.scene_record(record.id).reference is None
    assert store.scene_record(record.id).dem == with_both.dem


@pytest.mark.parametrize(
    ("role", "suffix"), [("data", ".tif"), ("reference", ".exe"), ("dem", ""), ("reference", "/../x.tif")]
)
def test_only_a_reference_and_elevation_of_known_kinds_are_taken(
    tmp_path: Path, store: Store, role: str, suffix: str
) -> None:
    record = store.add_scene(scene_file(tmp_path), "valley")

    with pytest.raises(InputError, match="cannot be used as"):
        store.attach(record.id, role, io.BytesIO(b""), suffix)


def test_the_raster_of_a_scene_cannot_be_taken_away(tmp_path: Path, store: Store) -> None:
    record = store.upload_scene(io.BytesIO(scene_file(tmp_path).read_bytes()), "valley.tif")

    with pytest.raises(InputError, match="can be removed"):
        store.detach(record.id, "data")
    assert store.scene_record(record.id).scene.path.exists()


def test_a_scene_whose_file_vanished_is_passed_over(tmp_path: Path, store: Store) -> None:
    gone, kept = (
        store.add_scene(scene_file(tmp_path, "gone.tif"), "gone"), store.add_scene(scene_file(tmp_path), "kept")
    )  # fmt: skip
    gone.scene.path.unlink()

    assert [record.id for record in store.scenes()] == [kept.id]
    with pytest.raises(InputError):
        store.scene_record(gone.id)


def test_scenes_are_listed_the_newest_first(tmp_path: Path, store: Store) -> None:
    for name in "abc":
        store.add_scene(scene_file(tmp_path, f"{name}.tif"), name)

    assert [record.name for record in store.scenes()] == ["c", "b", "a"]


def test_an_earlier_scene_is_another_one_of_the_store(tmp_path: Path, store: Store) -> None:
    after = store.upload_scene(io.BytesIO(scene_file(tmp_path).read_bytes()), "after.tif")
    before = store.add_scene(scene_file(tmp_path, "before.tif"), "before")

    assert store.set_before(after.id, before.id).id == after.id

    assert store.scene_record(after.id).before == before.id
    with pytest.raises(InputError, match="its own earlier"):
        store.set_before(after.id, after.id)
    with pytest.raises(InputError, match="not in the store"):
        store.set_before(after.id, "a" * 32)
    with pytest.raises(InputError, match="not in the store"):
        store.set_before("a" * 32, after.id)


def test_what_one_visitor_calls_the_scene_before_a_sample_is_not_so_for_others(tmp_path: Path, store: Store) -> None:
    reference = scene_file(tmp_path, "truth.tif")
    shared = store.add_scene(scene_file(tmp_path), "sample", reference=reference, synthetic=True)
    before, other = (store.add_scene(scene_file(tmp_path, f"{name}.tif"), name) for name in ("before", "other"))

    own = store.set_before(shared.id, before.id)

    assert own.id != shared.id
    assert (own.before, own.reference, own.scene.digest) == (before.id, reference, shared.scene.digest)
    assert own.scene.synthetic
    assert store.scene_record(shared.id).before == ""
    assert store.set_before(shared.id, before.id).id == own.id  # said again, it is the same
    assert store.set_before(own.id, before.id).id == own.id
    later = store.set_before(own.id, other.id)
    assert later.id not in (own.id, shared.id)
    assert store.scene_record(own.id).before == before.id


def test_a_file_of_a_run_is_found_by_its_role(tmp_path: Path, store: Store) -> None:
    result = keep(store, made_run(tmp_path / "run", np.full((4, 4), 0.5)))

    artifact = store.artifact(result.id, "probability")

    assert artifact.path == result.artifact("probability")
    assert artifact.media_type.startswith("image/tiff")
    with pytest.raises(InputError, match="no file 'mask'"):
        store.artifact(result.id, "mask")


def test_ids_are_random() -> None:
    assert len({new_id() for _ in range(20)}) == 20


def test_folders_are_those_of_the_environment(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home_folder() == store.home
    assert default_store() is store
    monkeypatch.delenv("SLIDELENS_DATA", raising=False)
    assert data_folder() is None
    monkeypatch.setenv("SLIDELENS_DATA", str(tmp_path))
    assert data_folder() == tmp_path.resolve()


def test_a_bad_upload_leaves_what_was_there(tmp_path: Path, store: Store) -> None:
    inventory = tmp_path / "inventory.gpkg"
    inventory.write_bytes(b"good")
    record = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(10, 10)), "scene", reference=inventory)

    def refuse(path: Path) -> None:
        raise InputError(f"{path.name} does not overlap.")

    with pytest.raises(InputError, match="does not overlap"):
        store.attach(record.id, "reference", io.BytesIO(b"bad"), ".gpkg", refuse)

    assert store.scene_record(record.id).reference == inventory
    assert [scene.id for scene in store.scenes()] == [record.id]


def test_what_one_visitor_adds_to_a_sample_is_not_seen_by_others(tmp_path: Path, store: Store) -> None:
    record = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(10, 10)), "sample")

    own = store.attach(record.id, "reference", io.BytesIO(b"mine"), ".gpkg")

    assert own.id != record.id
    assert own.reference is not None
    assert store.scene_record(record.id).reference is None


def test_a_home_that_is_named_from_here_is_the_same_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIDELENS_HOME", "here")
    assert home_folder() == tmp_path / "here"


def test_a_refused_upload_is_called_by_the_name_it_came_with(store: Store) -> None:
    with pytest.raises(InputError, match=r"^slide\.tif is not a GeoTIFF"):
        store.upload_scene(io.BytesIO(b"Dear sir"), "slide.tif")


def test_the_files_of_a_run_are_told_without_its_result(any_store: Store, tmp_path: Path) -> None:
    reference = np.ones((8, 8), np.uint8)
    run = keep(any_store, made_run(tmp_path / "made", np.full((8, 8), 0.5), reference=reference))
    write_raster(tmp_path / "report.tif", ramp(8, 8))
    any_store.add_artifact(run.id, "later", tmp_path / "report.tif")

    task, found = any_store.files_of(run.id)

    assert task == "mapping"
    assert found == {role: run.artifact(role) for role in ("probability", "truth")}
    assert any_store.artifact(run.id, "later").path.is_file()


def test_the_files_of_a_run_without_any_are_none(any_store: Store) -> None:
    identity = any_store.begin(Order("mapping", "training", {}), server="tests", worker="tests")
    any_store.finish(identity, RunResult(id=identity, kind="training", folder=any_store.home))

    assert any_store.files_of(identity) == ("mapping", {})


def test_a_run_that_is_not_done_has_no_files(any_store: Store) -> None:
    run = any_store.order(Order("mapping", "training", {}))
    with pytest.raises(InputError, match="queued"):
        any_store.files_of(run)
    with pytest.raises(InputError, match="not in the store"):
        any_store.files_of("0" * 32)
    with pytest.raises(InputError, match="^No such run"):
        any_store.files_of("../etc")
