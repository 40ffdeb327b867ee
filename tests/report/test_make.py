"""A report is made of what the store knows, and kept with its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.report.make import make_report, report_input
from core.report.state import is_out_of_date, written_state
from core.retention.prune import orphans
from core.review import log
from core.review.edits import Edit
from core.review.found import open_review
from core.runs.records import Order
from core.runs.store import Store
from core.tasks.imagery.inputs import inputs_of
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.view import Choice
from tests.factories import keep, made_run, ramp, write_raster


@pytest.fixture
def mapped(tmp_path: Path, store: Store) -> tuple[str, Path]:
    """A run of a scene with an elevation, and the scene's file."""
    path = write_raster(tmp_path / "scene.tif", ramp(32, 32))
    dem = write_raster(tmp_path / "dem.tif", np.zeros((32, 32), np.float32))
    record = store.add_scene(path, "valley", dem=dem, origin="sample", synthetic=True)
    probability = np.zeros((32, 32))
    probability[4:20, 4:20] = 0.9
    made = replace(made_run(tmp_path / "made", probability), inputs=image_inputs("valley", record.scene.digest))
    return keep(store, made, record.id).id, path


def test_a_report_stays_with_its_run_and_replaces_the_one_before(store: Store, mapped: tuple[str, Path]) -> None:
    run = mapped[0]
    store.label(run, name="Before the rain", note="Look at the north.", tags=["urgent"])

    make_report(store, run)
    first = store.artifact(run, "report")
    text = first.path.read_text("utf-8")
    for words in ("Before the rain", "Look at the north.", "urgent", run):
        assert words in text
    assert first.media_type == "text/html; charset=utf-8"
    assert store.run(run).artifact("report").derived

    make_report(store, run, Choice(0.95), "https://example.org/read?run=1")
    second = store.artifact(run, "report").path
    assert "https://example.org/read?run=1" in second.read_text("utf-8")
    assert second != first.path
    assert not first.path.exists()
    assert orphans(store, older=-1) == ()


def test_a_report_is_out_of_date_once_what_it_tells_has_changed(
    tmp_path: Path, store: Store, mapped: tuple[str, Path]
) -> None:
    run = mapped[0]

    def outdated(view: Choice | None = None) -> bool:
        return is_out_of_date(store, store.run(run), store.artifact(run, "report").path, view)

    make_report(store, run)
    assert not outdated()
    assert not outdated(Choice.default(store.result(run, MappingResult)))
    assert outdated(Choice(0.95))

    make_report(store, run, Choice(0.95, 500.0))
    assert not outdated(Choice(0.95, 500))
    store.label(run, name="", note="Look at the north.", tags=[])
    assert outdated(Choice(0.95, 500))

    make_report(store, run, Choice(0.95))
    opened = open_review(store, store.run(run), Choice(0.5, 0.0))
    edit = Edit("judge", tuple(opened.features)[:1], judgement="confirmed")
    log.append(store, run, opened.features, edit, reviewer="Anna", seen=0, view=opened.view_values)
    assert outdated(Choice(0.95))

    make_report(store, run, Choice(0.95))
    assert not outdated(Choice(0.95))
    why = replace(made_run(tmp_path / "cam", np.full((4, 4), 0.5)), kind="explanation")
    keep(store, why, parents=(run,))
    assert outdated(Choice(0.95))


def test_a_report_of_an_earlier_version_is_not_called_out_of_date(store: Store, mapped: tuple[str, Path]) -> None:
    run = mapped[0]
    make_report(store, run)
    report = store.artifact(run, "report").path
    report.write_text(report.read_text("utf-8").replace("slidelens-state", "other"), "utf-8")
    assert written_state(report) == ""
    assert not is_out_of_date(store, store.run(run), report, Choice(0.95))


def test_a_report_is_told_of_scene_elevation_and_finished_explanations(
    tmp_path: Path, store: Store, mapped: tuple[str, Path]
) -> None:
    run = mapped[0]
    cam = replace(made_run(tmp_path / "cam", np.full((4, 4), 0.5)), kind="explanation")
    first = keep(store, cam, parents=(run,)).id
    cam = replace(made_run(tmp_path / "cam", np.full((4, 4), 0.6)), kind="explanation")
    second = keep(store, cam, parents=(run,)).id
    store.order(Order("mapping", "explanation", {}, parents=(run,)))

    content = report_input(store, run, Choice(0.3))

    assert (content.task, content.kind, content.origin) == ("mapping", "mapping", "sample")
    assert content.scene is not None
    assert content.scene.synthetic
    assert content.dem == tmp_path / "dem.tif"
    assert content.choice == Choice(0.3)
    assert [explanation.id for explanation in content.explanations] == [first, second]


def test_a_scene_that_is_gone_or_another_by_now_is_left_out(store: Store, mapped: tuple[str, Path]) -> None:
    run, path = mapped
    write_raster(path, 255 - ramp(32, 32))
    assert report_input(store, run).scene is None
    path.unlink()
    assert report_input(store, run).scene is None
    make_report(store, run)


def test_what_has_no_report_says_so_and_leaves_nothing(tmp_path: Path, store: Store) -> None:
    waiting = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    with pytest.raises(InputError, match="queued"):
        make_report(store, waiting)
    cam = replace(made_run(tmp_path / "cam", np.full((4, 4), 0.5)), kind="explanation")
    explanation = keep(store, cam)
    with pytest.raises(InputError, match="no report"):
        make_report(store, explanation.id)
    assert list((store.home / "work").glob("*")) == []


def test_the_licence_of_a_reference_is_that_under_which_it_came(tmp_path: Path, store: Store) -> None:
    path = write_raster(tmp_path / "scene.tif", ramp(32, 32))
    inventory = write_raster(tmp_path / "inventory.tif", np.zeros((32, 32), np.uint8))
    record = store.add_scene(path, "valley", reference=inventory, origin="open data", licence="CC BY 4.0")
    made = made_run(tmp_path / "made", np.zeros((32, 32)), reference=np.zeros((32, 32), np.uint8))
    run = keep(store, replace(made, inputs=inputs_of(record))).id
    make_report(store, run)
    text = store.artifact(run, "report").path.read_text("utf-8")
    assert "open data; CC BY 4.0" in text
