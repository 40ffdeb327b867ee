"""The first page: every task with its picture, what runs, and what ran last."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.runs.records import Progress
from core.runs.store import Store
from core.tasks.mapping.run import Request, order_of
from tests.factories import ramp, write_raster
from ui.task.task import task_pages


@pytest.fixture
def page(repository: Path) -> AppTest:
    return AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=60)


def ordered(store: Store, folder: Path, count: int = 1) -> list[str]:
    scene = store.add_scene(write_raster(folder / "scene.tif", ramp(40, 40)), "North *slope*")
    return [store.order(order_of(scene, Request("gone-model"))) for _ in range(count)]


def headings(page: AppTest) -> list[str]:
    return [one.value for one in page.subheader]


def test_an_empty_store_shows_tasks_alone(page: AppTest, store: Store) -> None:
    page.run()
    assert not page.exception
    assert headings(page) == [one.task.title for one in task_pages().values()]
    assert len(page.get("image")) == sum(one.card.picture is not None for one in task_pages().values())


def test_what_runs_is_shown_with_its_progress(page: AppTest, store: Store, tmp_path: Path) -> None:
    (run,) = ordered(store, tmp_path)
    store.claim(run, server="elsewhere", worker="one")
    store.beat(run, Progress(3, 12, "Mapping tile 3 of 12", left=90.0))
    page.run()
    assert not page.exception
    assert "Running" in headings(page)
    assert "Recent runs" not in headings(page)
    assert any("gone-model" in one.value and "Running, 25 %" in one.value for one in page.main.caption)


def test_the_last_runs_are_listed_and_lead_to_where_they_are_seen(page: AppTest, store: Store, tmp_path: Path) -> None:
    runs = ordered(store, tmp_path, 6)
    for run in runs:
        store.cancel(run)
    page.run()
    assert not page.exception
    assert "Recent runs" in headings(page)
    assert "Running" not in headings(page)
    links = [one.proto for one in page.main.get("page_link") if "run=" in one.proto.query_string]
    assert [one.query_string.removeprefix("run=") for one in links] == runs[:0:-1]
    assert links[0].label == r"North \*slope\*"
    assert sum("Cancelled" in one.value for one in page.main.caption) == 5


def test_pictures_are_small_and_say_what_they_show() -> None:
    pictures = [one.card.picture for one in task_pages().values() if one.card.picture is not None]
    assert pictures
    for picture in pictures:
        assert picture.path.stat().st_size < 150_000
        assert len(picture.text) > 20
