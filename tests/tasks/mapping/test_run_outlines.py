"""Outlines of a large mapping are a run of their own, which is found again by what was asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, StorageError
from core.jobs.perform import perform
from core.runs.store import Store
from core.tasks.imagery.result import ImageResult
from core.tasks.mapping.findings import find
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run_outlines import known_outlines, order_outlines, outlined, outlined_before
from core.tasks.mapping.view import Choice
from tests.factories import keep, made_run, write_raster

CHOICE = Choice(0.5, 400.0, 0.0)


@pytest.fixture
def result(tmp_path: Path, store: Store) -> MappingResult:
    probability = np.full((20, 30), 0.1)
    probability[2:5, 3:7] = 0.8
    probability[10:12, 20:22] = 0.6
    probability[15, 15] = 0.9
    probability[:, 29] = np.nan
    return keep(store, made_run(tmp_path / "made", probability))


def done(store: Store, result: MappingResult, choice: Choice = CHOICE, *, terrain: bool = False) -> str:
    identity = store.order(order_outlines(result, choice, terrain=terrain))
    perform(store, identity, worker="tests")
    return identity


def test_a_worker_outlines_what_the_page_would_have_found(store: Store, result: MappingResult) -> None:
    identity = done(store, result)

    run = store.run(identity)
    assert (run.status, run.kind, run.parents) == ("done", "outlines", (result.id,))
    found = find(result, CHOICE)
    assert found.count == 2
    assert run.metrics["landslides"] == 2
    assert run.metrics["area"] == found.areas.sum()
    assert run.metrics["area_share"] == pytest.approx(16 / (20 * 29), rel=1e-6)
    assert run.metrics["largest"] == found.areas[0]
    assert [(one.role, one.path.suffix, one.media_type) for one in run.artifacts] == [
        ("landslides", ".gpkg", "application/geopackage+sqlite3")
    ]
    assert store.result(identity, ImageResult).kind == "outlines"

    again = outlined(store, result, run, CHOICE)
    assert again.polygons.geometry.to_wkb().tolist() == found.polygons.geometry.to_wkb().tolist()
    assert again.scene_area == found.scene_area


def test_outlines_are_found_at_their_choice_only(store: Store, result: MappingResult) -> None:
    assert known_outlines(store, result, CHOICE, terrain=False) is None
    identity = done(store, result)

    known = known_outlines(store, result, Choice(0.5, 400, 0), terrain=False)
    assert known is not None
    assert known.id == identity
    assert known_outlines(store, result, replace(CHOICE, threshold=0.51), terrain=False) is None
    assert known_outlines(store, result, replace(CHOICE, fill_holes=250.0), terrain=False) is None
    assert known_outlines(store, result, CHOICE, terrain=True) is None
    # 395 m² are four pixels as well, and 0.1 % of a step of the threshold is none.
    assert known_outlines(store, result, Choice(0.4999, 395.0, 60.0), terrain=False) == known


def test_what_was_scored_afterwards_has_the_same_outlines(store: Store, result: MappingResult) -> None:
    identity = done(store, result)
    scored = keep(store, replace(result, kind="scored"), parents=(result.id,))

    known = known_outlines(store, scored, CHOICE, terrain=False)

    assert known is not None
    assert known.id == identity


def test_a_finished_outlining_comes_before_one_under_way_and_that_before_a_failed_one(
    store: Store, result: MappingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tasks.mapping.run_outlines.LARGEST", 599)

    def known() -> str | None:
        run = known_outlines(store, result, CHOICE, terrain=False)
        return None if run is None else run.id

    cancelled = store.order(order_outlines(result, CHOICE, terrain=False))
    store.cancel(cancelled)
    assert known() is None
    waiting = store.order(order_outlines(result, CHOICE, terrain=False))
    assert known() == waiting
    assert outlined_before(store, result, CHOICE, terrain=False) is None
    finished = done(store, result)
    store.order(order_outlines(result, CHOICE, terrain=False))
    assert known() == finished
    found = outlined_before(store, result, CHOICE, terrain=False)
    assert found is not None
    assert found.count == 2


def test_equal_outlines_are_kept_once(store: Store, result: MappingResult) -> None:
    one, other = store.run(done(store, result)), store.run(done(store, result))

    assert one.artifacts[0].digest == other.artifacts[0].digest
    assert one.artifacts[0].path == other.artifacts[0].path
    store.delete(one.id)
    assert other.artifacts[0].path.is_file()


def test_the_scenes_elevation_gives_slopes(store: Store, tmp_path: Path) -> None:
    plane = np.broadcast_to(500 - 10 * np.arange(30, dtype=np.float32), (20, 30)).copy()
    dem = write_raster(tmp_path / "dem.tif", plane)
    image = write_raster(tmp_path / "image.tif", np.zeros((3, 20, 30), np.uint8))
    record = store.add_scene(image, "image.tif", dem=dem)
    probability = np.full((20, 30), 0.1)
    probability[2:6, 3:9] = 0.9
    result = keep(store, made_run(tmp_path / "run", probability), record.id)

    run = store.run(done(store, result, terrain=True))

    (slope,) = outlined(store, result, run, CHOICE).polygons["slope_mean_deg"]
    assert slope == pytest.approx(45, abs=0.1)


def test_outlines_whose_file_is_gone_say_so(
    store: Store, result: MappingResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.run(done(store, result))
    run.artifacts[0].path.unlink()
    with pytest.raises(StorageError, match="no longer on disk"):
        outlined(store, result, run, CHOICE)
    monkeypatch.setattr("core.tasks.mapping.run_outlines.LARGEST", 599)
    assert outlined_before(store, result, CHOICE, terrain=False) is None


def test_what_has_no_probability_has_no_outlines(store: Store, result: MappingResult) -> None:
    change = keep(store, replace(result, kind="change"), parents=(result.id,))

    with pytest.raises(InputError, match="cannot be used for this: it is “Difference"):
        store.result(change.id, MappingResult)
    identity = store.order(order_outlines(change, CHOICE, terrain=False))
    with pytest.raises(InputError, match="cannot be used for this: it is “Difference"):
        perform(store, identity, raising=True)
    assert store.run(identity).status == "failed"
