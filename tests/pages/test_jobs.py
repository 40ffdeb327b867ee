"""What is said of runs under way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.runs.records import Failure, Input, Order, Progress, Run
from core.runs.store import Store
from tests.factories import ramp, write_raster
from ui.task.jobs import words


@pytest.mark.parametrize(
    ("left", "said"),
    [(None, "Mapping"), (42.4, "Mapping, about 42 s left"), (0.3, "Mapping"), (0.0, "Mapping"), (-5.0, "Mapping")],
)
def test_time_that_is_left_is_told_while_there_is_some(left: float | None, said: str) -> None:
    now = datetime.now(UTC)
    run = Run(
        "a" * 32, "mapping", "mapping", "running", now, started=now, heartbeat=now,
        progress=Progress(9, 10, "Mapping", left),
    )  # fmt: skip
    assert words(run) == said


@pytest.fixture
def home(repository: Path, store: Store) -> AppTest:
    """The first page, by somebody who is known."""
    page = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=60)
    page.session_state["visitor"] = "me"
    return page


@pytest.fixture
def ordered(store: Store, tmp_path: Path) -> Callable[[str], str]:
    """Give a function that orders a run for somebody."""
    scene = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(40, 40)), "*slope*")
    return lambda owner: store.order(Order("mapping", "training", {}, (Input("scene", scene.id),), owner=owner))


def notices(page: AppTest) -> list[str]:
    return [toast.value for toast in page.toast]


def test_the_end_of_a_run_of_ones_own_is_told_once_on_any_page(
    home: AppTest, store: Store, ordered: Callable[[str], str]
) -> None:
    mine, other = ordered("me"), ordered("somebody else")
    home.run()
    assert notices(home) == []
    for run in (mine, other):
        store.fail(run, Failure("It went wrong."))
    home.run()
    assert notices(home) == ["**Training of a model: failed** · \\*slope\\*"]
    home.run()
    assert notices(home) == []


def test_the_end_of_a_run_that_was_deleted_meanwhile_is_not_told(
    home: AppTest, store: Store, ordered: Callable[[str], str]
) -> None:
    mine = ordered("me")
    home.run()
    store.fail(mine, Failure("It went wrong."))
    store.delete(mine)
    home.run()
    assert notices(home) == []
    assert not home.error
