"""Scenes and series of an earlier version become datasets: same ids, nothing lost, shared files once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.runs.database import LATEST
from core.runs.store import Store
from core.tasks.imagery.inputs import scene_of
from tests.factories import ramp, write_raster
from tests.runs.test_database import Raw

SAMPLE, OWN, EARLIER, UPLOAD = (letter * 32 for letter in "abcd")
GAUGE = "e" * 32
DONE, WAITING, REPLACED = (digit * 32 for digit in "123")
DEM = "f" * 64
WORDS = {"origin": "sample that ships", "synthetic": True, "licence": "CC0-1.0", "citation": "Us"}
UPLOADED = {"origin": "uploaded", "synthetic": False, "licence": "", "citation": ""}


@pytest.fixture(params=["0002", "0003"])
def old(request: pytest.FixtureRequest, empty_url: str, tmp_path: Path) -> Raw:
    """A database of an earlier revision: a sample and a visitor's copy of it share their inventory."""
    raw = Raw(empty_url)
    raw.to("0002")
    image, truth = (str(write_raster(tmp_path / name, ramp(6, 8))) for name in ("image.tif", "truth.tif"))
    home = tmp_path / "home" / "files" / "ff"
    home.mkdir(parents=True)
    write_raster(home / f"{DEM}.tif", ramp(6, 8) + np.uint8(1))
    for identity, created, more in (
        (SAMPLE, 10.0, {"truth": truth, "dem": "", "before": EARLIER, **WORDS}),
        (OWN, 20.0, {"truth": truth, "dem": f"ff/{DEM}.tif", "before": "", **WORDS}),
        (EARLIER, 5.0, {"truth": "", "dem": "", "before": "", **WORDS}),
        (UPLOAD, 30.0, {"truth": f"99/{'9' * 64}.gpkg", "dem": f"ff/{DEM}.tif", "before": "", **UPLOADED}),
    ):
        uploaded = identity == UPLOAD
        file = {"file": f"ff/{DEM}.tif" if uploaded else image, "file_digest": DEM if uploaded else ""}
        raw.insert("scenes", id=identity, created=created, name=identity[:4], **file, **more)
    series = {"file": "77/7.csv", "file_digest": "7" * 64, **UPLOADED}
    raw.insert("series", id=GAUGE, created=40.0, name="Gauge", **series)
    for run, scene, status, reference in (
        (DONE, SAMPLE, "done", {"name": "truth.tif", "sha256": "8" * 64}),
        (WAITING, UPLOAD, "queued", None),
        (REPLACED, UPLOAD, "done", {"name": "another.gpkg", "sha256": "6" * 64}),
    ):
        provenance = '{"truth": null}' if reference is None else _json({"truth": reference})
        raw.insert(
            "runs", id=run, task="mapping", kind="mapping", created=1.7e9, owner="", scene_id=scene, scene=scene[:4],
            model="red", parameters="{}", seed=None, time_limit=60.0, scene_digest="b" * 64, weights_sha256="",
            metrics="{}", notes="[]", provenance=provenance, result="{}",
        )  # fmt: skip
        raw.insert(
            "run_states", run_id=run, status=status, started=None, finished=None, heartbeat=None, server="",
            worker="", cancelling=False, done=0, total=0, words="", failure=None,
        )  # fmt: skip
        raw.insert("run_labels", run_id=run, name="", note="", pinned=False)
    raw.to(request.param)
    return raw


def _json(content: Any) -> str:
    import json

    return json.dumps(content)


def names(raw: Raw, run: str) -> list[Any]:
    return raw.do("SELECT role, name, digest FROM run_inputs WHERE run_id = :run ORDER BY position", run=run)


def test_scenes_and_series_become_datasets_of_the_same_ids(old: Raw, tmp_path: Path) -> None:
    scenes = "SELECT id, created, name, file, file_digest, origin, synthetic, licence, citation FROM {} ORDER BY id"
    before = [*old.do(scenes.format("scenes")), *old.do(scenes.format("series"))]

    Store(tmp_path / "home", old.url).database.close()

    kept = "SELECT id, created, name, file, file_digest, origin, synthetic, licence, citation FROM datasets "
    assert old.do(kept + "WHERE NOT companion ORDER BY id") == sorted(before)
    forms = dict(map(tuple, old.do("SELECT id, form FROM datasets WHERE NOT companion")))
    assert forms == {**dict.fromkeys((SAMPLE, OWN, EARLIER, UPLOAD), "raster"), GAUGE: "table"}
    assert {"scenes", "series"}.isdisjoint(old.tables())
    assert old.do("SELECT version_num FROM alembic_version") == [(LATEST,)]


def test_each_file_of_a_scene_becomes_one_dataset_however_many_share_it(old: Raw, tmp_path: Path) -> None:
    Store(tmp_path / "home", old.url).database.close()

    columns = "form, name, created, file_digest, origin, synthetic, licence"
    companions = old.do(f"SELECT {columns} FROM datasets WHERE companion")  # noqa: S608
    assert sorted(companions) == [
        ("raster", f"{DEM}.tif", 20.0, DEM, "uploaded", False, ""),
        ("raster", "truth.tif", 10.0, "", "sample that ships", True, "CC0-1.0"),
        ("vector", f"{'9' * 64}.gpkg", 30.0, "9" * 64, "uploaded", False, ""),
    ]
    ids = dict(map(tuple, old.do("SELECT name, id FROM datasets WHERE companion")))
    assert sorted(old.do("SELECT dataset_id, role, other_id FROM dataset_links")) == sorted([
        (SAMPLE, "before", EARLIER), (SAMPLE, "reference", ids["truth.tif"]), (OWN, "reference", ids["truth.tif"]),
        (OWN, "dem", ids[f"{DEM}.tif"]), (UPLOAD, "dem", ids[f"{DEM}.tif"]),
        (UPLOAD, "reference", ids[f"{'9' * 64}.gpkg"]),
    ])  # fmt: skip


def test_scenes_open_as_before_and_are_found_again(old: Raw, tmp_path: Path) -> None:
    store = Store(tmp_path / "home", old.url)

    own, sample = store.scene_record(OWN), store.scene_record(SAMPLE)
    assert (own.reference, own.dem) == (tmp_path / "truth.tif", store.home / "files" / "ff" / f"{DEM}.tif")
    assert (sample.reference, sample.dem, sample.before) == (own.reference, None, EARLIER)
    assert [scene.id for scene in store.scenes()] == [UPLOAD, OWN, SAMPLE, EARLIER]
    again = store.add_scene(
        tmp_path / "image.tif", sample.scene.name, reference=own.reference, before=EARLIER, origin="sample that ships",
        synthetic=True, licence="CC0-1.0", citation="Us",
    )  # fmt: skip
    assert again.id == SAMPLE
    assert store.dataset(GAUGE).path == store.home / "files" / "77" / "7.csv"
    store.database.close()


def test_runs_say_which_dataset_their_reference_is(old: Raw, tmp_path: Path) -> None:
    store = Store(tmp_path / "home", old.url)

    assert names(old, DONE) == [("scene", SAMPLE[:4], "b" * 64), ("reference", "truth.tif", "8" * 64)]
    reference = store.dataset(store.run(DONE).input("reference").dataset_id)
    assert reference.path == tmp_path / "truth.tif"
    # What a waiting run will use is what its scene has.
    waiting = store.run(WAITING)
    assert [one.role for one in waiting.inputs] == ["scene", "reference", "dem"]
    assert {one.dataset_id for one in waiting.inputs[1:]} == {
        one.id for one in store.scene_record(UPLOAD).companions.values()
    }
    assert scene_of(store, waiting).dem == store.scene_record(UPLOAD).dem
    # An inventory that was replaced since is no dataset any more.
    assert store.run(REPLACED).input("reference").dataset_id == ""
    assert store.run(REPLACED).input("reference").name == "another.gpkg"
    store.database.close()
